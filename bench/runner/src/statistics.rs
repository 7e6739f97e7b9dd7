//! Medians with their least and greatest value, and ratios of figures from the same round.

use std::fmt;

/// What several rounds gave for one figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
    pub count: usize,
}

/// A figure and the round in which it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InRound {
    pub round: u32,
    pub value: f64,
}

impl Spread {
    /// `None` without values; what is not a finite number is left out.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Some(Self { median, least, most, count: sorted.len() })
    }
}

/// `0.71 (0.69–0.75)`, and only the median where all values look the same.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, least, most) = (short(self.median), short(self.least), short(self.most));
        if least == most { write!(f, "{median}") } else { write!(f, "{median} ({least}–{most})") }
    }
}

/// Ratios of the same round, then their median: what slows the machine for a while slows both sides of a ratio.
pub fn ratio(of: &[InRound], to: &[InRound]) -> Option<Spread> {
    Spread::of(of.iter().filter_map(|of| {
        let to = to.iter().find(|to| to.round == of.round)?;
        (to.value > 0.0).then(|| of.value / to.value)
    }))
}

/// In each round the value that `better` prefers, out of several series.
pub fn best_of_rounds(series: &[Vec<InRound>], better: fn(f64, f64) -> bool) -> Vec<InRound> {
    let mut best: Vec<InRound> = Vec::new();
    for candidate in series.iter().flatten() {
        match best.iter_mut().find(|best| best.round == candidate.round) {
            Some(best) if better(candidate.value, best.value) => best.value = candidate.value,
            Some(_) => {}
            None => best.push(*candidate),
        }
    }
    best
}

/// Three significant digits, thousands apart: `0.0712`, `7.12`, `71.2`, `712`, `71 200`.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { "–".into() };
    }
    let magnitude = value.abs().log10().floor() as i32;
    let digits = (2 - magnitude).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    let Some((whole, fraction)) = text.split_once('.') else { return with_thousands_apart(&text) };
    let fraction = fraction.trim_end_matches('0');
    let whole = with_thousands_apart(whole);
    if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
}

fn with_thousands_apart(whole: &str) -> String {
    let mut text = String::with_capacity(whole.len() + whole.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0
            && (whole.len() - index).is_multiple_of(3)
            && digit.is_ascii_digit()
            && !text.ends_with('-')
        {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[(u32, f64)]) -> Vec<InRound> {
        values.iter().map(|&(round, value)| InRound { round, value }).collect()
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_in_the_middle() {
        let odd = Spread::of([9.0, 1.0, 5.0]).unwrap();
        assert_eq!((odd.median, odd.least, odd.most, odd.count), (5.0, 1.0, 9.0, 3));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 8.0]).unwrap().median, 3.0);
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::NAN, f64::INFINITY]), None);
        assert_eq!(Spread::of([f64::NAN, 2.0]).unwrap().count, 1);
    }

    #[test]
    fn ratios_are_taken_inside_a_round() {
        // The second round was twice as slow for both: the ratio does not notice, a ratio of medians of rounds that do
        // not pair up would.
        let ours = rounds(&[(1, 1.0), (2, 2.0), (3, 1.5)]);
        let floor = rounds(&[(2, 1.0), (1, 0.5)]);
        let ratio = ratio(&ours, &floor).unwrap();
        assert_eq!((ratio.median, ratio.least, ratio.most, ratio.count), (2.0, 2.0, 2.0, 2));
        assert_eq!(super::ratio(&ours, &rounds(&[(7, 1.0)])), None);
        assert_eq!(super::ratio(&ours, &rounds(&[(1, 0.0)])), None);
    }

    #[test]
    fn the_best_peer_is_found_in_each_round() {
        let series = [rounds(&[(1, 10.0), (2, 30.0)]), rounds(&[(1, 20.0), (2, 5.0), (3, 1.0)])];
        assert_eq!(best_of_rounds(&series, |a, b| a < b), rounds(&[(1, 10.0), (2, 5.0), (3, 1.0)]));
        assert_eq!(best_of_rounds(&series, |a, b| a > b), rounds(&[(1, 20.0), (2, 30.0), (3, 1.0)]));
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.07123, "0.0712"),
            (0.5, "0.5"),
            (7.125, "7.12"),
            (71.25, "71.2"),
            (712.5, "712"),
            (1_234_567.0, "1 234 567"),
            (999.9, "1 000"),
            (-1234.0, "-1 234"),
            (-123.0, "-123"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(short(value), text, "{value}");
        }
        assert_eq!(Spread::of([1.0, 1.0, 1.0001]).unwrap().to_string(), "1");
        assert_eq!(Spread::of([0.7, 0.69, 0.75]).unwrap().to_string(), "0.7 (0.69–0.75)");
    }
}
