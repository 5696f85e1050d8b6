//! The table of results, each with its comparison and its budget.

use super::samples::{Samples, short};

/// The maximum of a figure. Reported but never asserted, because machines differ and times vary.
#[derive(Debug, Clone, Copy)]
pub(super) enum Budget {
    /// At most this many times the floor, by the median of the pairs.
    Times(f64),
    /// The median is at most this.
    Median(f64),
    /// Every value is at most this.
    Every(f64),
    /// For information only.
    Nothing,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) unit: &'static str,
    pub(super) ours: Samples,
    /// The samples of the floor or a peer. Empty if there is nothing to compare.
    pub(super) beside: Samples,
    pub(super) budget: Budget,
}

impl Row {
    fn cells(&self) -> [String; 6] {
        [
            self.what.clone(),
            self.unit.to_owned(),
            self.ours.to_string(),
            self.beside.to_string(),
            self.ratio().unwrap_or_else(|| "-".to_owned()),
            self.verdict(),
        ]
    }

    /// Returns the median of the pairwise ratios, and the ratio of the least values, which other load affects less.
    fn ratio(&self) -> Option<String> {
        let (ours, beside) = (self.ours.least()?, self.beside.least()?);
        let median = self.ours.over(&self.beside).median()?;
        // A ratio to a value near zero is meaningless.
        (ours > 0.0 && beside > 0.0).then(|| format!("{median:.2} ({:.2})", ours / beside))
    }

    fn verdict(&self) -> String {
        let (limit, kept) = match self.budget {
            Budget::Times(times) => (
                format!("<= {} x floor", short(times)),
                self.ours.over(&self.beside).median().map(|it| it <= times),
            ),
            Budget::Median(limit) => {
                (format!("<= {}", short(limit)), self.ours.median().map(|it| it <= limit))
            }
            Budget::Every(limit) => (format!("<= {}", short(limit)), self.ours.most().map(|it| it <= limit)),
            Budget::Nothing => return "-".to_owned(),
        };
        let word = match kept {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not measured",
        };
        format!("{limit}  {word}")
    }
}

/// Returns lines with aligned columns; `beside` names what ours is compared with.
pub(super) fn lines(rows: &[Row], beside: &str) -> Vec<String> {
    let head = ["measure", "unit", "ours", beside, "ratio (of least)", "budget"].map(str::to_owned);
    let cells: Vec<[String; 6]> = [head].into_iter().chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 6];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let line = |row: &[String; 6]| {
        let padded: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64, beside: Option<f64>, budget: Budget) -> Row {
        let beside = beside.map(Samples::one).unwrap_or_default();
        Row { what: "x".to_owned(), unit: "ms", ours: Samples::one(ours), beside, budget }
    }

    #[test]
    fn a_budget_is_met_or_missed() {
        assert_eq!(row(3.0, Some(2.0), Budget::Times(1.5)).verdict(), "<= 1.50 x floor  met");
        assert_eq!(row(3.1, Some(2.0), Budget::Times(1.5)).verdict(), "<= 1.50 x floor  MISSED");
        assert_eq!(row(3.1, None, Budget::Times(1.5)).verdict(), "<= 1.50 x floor  not measured");
        assert_eq!(row(8.0, None, Budget::Median(8.0)).verdict(), "<= 8  met");
        assert_eq!(row(8.1, None, Budget::Every(8.0)).verdict(), "<= 8  MISSED");
    }

    #[test]
    fn a_ratio_needs_a_nonzero_divisor() {
        assert_eq!(row(3.0, Some(2.0), Budget::Nothing).ratio().as_deref(), Some("1.50 (1.50)"));
        assert_eq!(row(3.0, Some(0.0), Budget::Nothing).ratio(), None);
        assert_eq!(row(3.0, None, Budget::Nothing).ratio(), None);
    }

    #[test]
    fn columns_are_aligned() {
        let lines =
            lines(&[row(3.0, Some(2.0), Budget::Nothing), row(4.0, None, Budget::Median(5.0))], "floor");
        let starts: Vec<_> =
            ["budget", "-", "<= 5"].iter().zip(&lines).map(|(word, line)| line.rfind(word)).collect();
        assert_eq!(starts, [starts[0]; 3]);
    }
}
