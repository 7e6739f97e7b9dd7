//! Values of flags: numbers with a unit or within bounds.

use std::time::Duration;

use super::MAX_TIMEOUT_MS;

/// Seconds, or a number with one of the units `s`, `ms`, `us`.
pub(crate) fn parse_moment(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1e3), ("us", 1e6), ("s", 1.0), ("", 1.0)];
    let parts = units.iter().find_map(|(unit, in_a_second)| Some((text.strip_suffix(unit)?, in_a_second)));
    let (number, in_a_second) = parts.unwrap_or((text, &1.0));
    let seconds = number.trim().parse::<f64>().map_err(|error| error.to_string())? / in_a_second;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

pub(crate) fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=10_000_000.0).contains(&rate) => Ok(rate),
        Ok(_) => Err("must be from 0.001 to 10000000 messages per second".into()),
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) fn parse_wait(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    let wait = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if wait > Duration::from_secs(86_400) {
        return Err("must be a day at most".into());
    }
    Ok(wait)
}

/// As [`parse_wait`], but not nothing.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_wait(text)?;
    if interval < Duration::from_millis(1) {
        return Err("must be a thousandth of a second at least".into());
    }
    Ok(interval)
}

pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(ms @ 1..=MAX_TIMEOUT_MS) => Ok(Duration::from_millis(ms)),
        Ok(_) => Err(format!("must be from 1 to {MAX_TIMEOUT_MS} milliseconds")),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert!(parse_rate("0").is_err());
        assert!(parse_rate("NaN").is_err());
        assert!(parse_rate("inf").is_err());
        assert_eq!(parse_rate("0.5"), Ok(0.5));
        assert!(parse_timeout("0").is_err());
        assert!(parse_timeout("86400001").is_err());
        assert_eq!(parse_timeout("3000"), Ok(Duration::from_secs(3)));
    }

    #[test]
    fn moments_are_seconds_unless_they_say_otherwise() {
        assert_eq!(parse_moment("1.5"), Ok(Duration::from_millis(1_500)));
        assert_eq!(parse_moment("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse_moment("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_moment("7 us"), Ok(Duration::from_micros(7)));
        assert!(parse_moment("-1").is_err());
        assert!(parse_moment("soon").is_err());
        assert!(parse_moment("1e300").is_err());
    }

    #[test]
    fn an_interval_is_longer_than_nothing() {
        assert_eq!(parse_interval("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "0.0001", "-1", "NaN", "86401"] {
            assert!(parse_interval(wrong).is_err(), "{wrong}");
        }
    }
}
