//! What `/metrics` says, read as a monitoring system would.

use std::collections::BTreeMap;

/// One scrape.
#[derive(Clone, Debug, Default)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads the text format: comments and what is no number are left out.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pair = |line: &str| {
            line.rsplit_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        };
        Self(lines.filter_map(pair).collect())
    }

    /// The sum of all series of `name` whose labels hold each of `labels`, such as `reason="malformed"`. A name that is
    /// not there at all fails the test: it was renamed, not zero.
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let of_name = |series: &&String| series.split('{').next() == Some(name);
        assert!(self.0.keys().any(|series| of_name(&series)), "there is no metric {name}");
        let fits = |series: &String| labels.iter().all(|label| series.contains(label));
        self.0.iter().filter(|(series, _)| of_name(series) && fits(series)).map(|(_, value)| value).sum()
    }

    /// As [`Metrics::sum`], where a metric with labels may not have been used yet.
    pub fn sum_or_zero(&self, name: &str, labels: &[&str]) -> f64 {
        let known = self.0.keys().any(|series| series.split('{').next() == Some(name));
        if known { self.sum(name, labels) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_added_up_by_name_and_labels() {
        let text = "# HELP a x\na{r=\"x\",s=\"1\"} 2\na{r=\"y\",s=\"1\"} 3\nab 7\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.sum("a", &[]), 5.0);
        assert_eq!(metrics.sum("a", &["r=\"y\""]), 3.0);
        assert_eq!(metrics.sum("ab", &[]), 7.0);
        assert_eq!(metrics.sum_or_zero("b", &[]), 0.0);
    }
}
