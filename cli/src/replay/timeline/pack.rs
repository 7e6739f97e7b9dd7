//! Puts bars into rows so that none covers another.

/// The row of each bar, by where it begins and ends. Bars must come in the order of their beginnings.
pub(super) fn rows(bars: impl Iterator<Item = (f64, f64)>) -> (Vec<usize>, usize) {
    // Where the last bar of each row ends.
    let mut ends: Vec<f64> = Vec::new();
    let mut rows = Vec::new();
    for (from, to) in bars {
        let row = ends.iter().position(|end| *end <= from).unwrap_or_else(|| {
            ends.push(0.0);
            ends.len() - 1
        });
        if let Some(end) = ends.get_mut(row) {
            *end = to;
        }
        rows.push(row);
    }
    (rows, ends.len())
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn bars_that_overlap_stand_in_different_rows() {
        let bars = [(0.0, 5.0), (1.0, 2.0), (2.0, 9.0), (5.0, 6.0), (5.5, 7.0)];
        assert_eq!(rows(bars.into_iter()), (vec![0, 1, 1, 0, 2], 3));
        assert_eq!(rows(std::iter::empty()), (Vec::new(), 0));
    }
}
