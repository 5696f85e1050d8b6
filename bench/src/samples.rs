//! The samples of one measure, and how they are formatted.

use std::fmt;

/// The values of one measure, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn one(value: f64) -> Self {
        Self(vec![value])
    }

    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        self.0.extend(values);
    }

    /// Divides each value by its counterpart in `other`.
    pub(super) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect())
    }

    pub(super) fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        Some(if sorted.len().is_multiple_of(2) {
            f64::midpoint(*sorted.get(middle - 1)?, upper)
        } else {
            upper
        })
    }

    pub(super) fn least(&self) -> Option<f64> {
        self.sorted().first().copied()
    }

    pub(super) fn most(&self) -> Option<f64> {
        self.sorted().last().copied()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl fmt::Display for Samples {
    /// Formats as `median (least - most)`, or as the only value.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(median), Some(least), Some(most)) = (self.median(), self.least(), self.most()) else {
            return formatter.write_str("-");
        };
        formatter.write_str(&short(median))?;
        if self.0.len() > 1 {
            write!(formatter, " ({} - {})", short(least), short(most))?;
        }
        Ok(())
    }
}

/// Formats with three significant digits.
pub(super) fn short(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_computed_pair_by_pair() {
        let (ours, floor) = (Samples(vec![2.0, 9.0, 4.0]), Samples(vec![1.0, 3.0, 4.0]));
        let ratio = ours.over(&floor);
        assert_eq!((ratio.median(), ratio.least(), ratio.most()), (Some(2.0), Some(1.0), Some(3.0)));
    }

    #[test]
    fn samples_are_formatted_with_three_digits() {
        assert_eq!(Samples(vec![4.0, 1.0, 2.0, 123.4]).to_string(), "3 (1 - 123)");
        assert_eq!(Samples::one(0.256).to_string(), "0.26");
        assert_eq!(Samples::one(12.34).to_string(), "12.3");
        assert_eq!(Samples::default().to_string(), "-");
    }
}
