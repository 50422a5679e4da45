//! The Prometheus text format (0.0.4), read back: what `/metrics` prints must be what a scraper accepts.
//!
//! One flaw makes a scraper drop the whole page, and two parts of the program write to it; tests hold the joined text against
//! [`check`]. Source: the format's own description ("Exposition formats", prometheus.io, text format 0.0.4). Stricter than that
//! in three points: every family has HELP and TYPE, all series of a family stand together, and no help text is empty. Left
//! out: timestamps and escapes other than those the format names.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

/// What a scraper would not accept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Flaw {
    /// Line, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl core::error::Error for Flaw {}

/// Reads a whole page; the number of series in it.
///
/// # Errors
/// The first [`Flaw`].
pub(crate) fn check(text: &str) -> Result<usize, Flaw> {
    let mut reader = Reader::default();
    let lines = text.lines().count();
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(Flaw { line: lines, what: "the last line does not end".to_owned() });
    }
    for (line, content) in (1..).zip(text.lines()) {
        reader.line(content).map_err(|what| Flaw { line, what })?;
    }
    reader.close().map_err(|what| Flaw { line: lines, what })?;
    Ok(reader.series.len())
}

#[derive(Default)]
struct Reader<'a> {
    /// Families that have begun.
    families: BTreeSet<&'a str>,
    name: &'a str,
    kind: Option<&'a str>,
    series: BTreeSet<String>,
    /// Of the histogram being read: per label set the buckets so far, its count and whether it has a sum.
    histograms: BTreeMap<String, Histogram>,
}

#[derive(Default)]
struct Histogram {
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: bool,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
            if help.trim().is_empty() {
                return Err(format!("'{name}' has no help"));
            }
            return self.begin(name);
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| format!("'{rest}' has no type"))?;
            if name != self.name || self.kind.is_some() {
                return Err(format!("the type of '{name}' does not follow its help"));
            }
            if !["counter", "gauge", "histogram"].contains(&kind) {
                return Err(format!("'{kind}' is no type written here"));
            }
            self.kind = Some(kind);
            return Ok(());
        }
        if line.starts_with('#') || line.is_empty() {
            return Ok(());
        }
        self.sample(line)
    }

    fn begin(&mut self, name: &'a str) -> Result<(), String> {
        self.close()?;
        if !is_name(name) {
            return Err(format!("'{name}' is no metric name"));
        }
        if !self.families.insert(name) {
            return Err(format!("'{name}' begins twice"));
        }
        (self.name, self.kind) = (name, None);
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let (series, value) = line.rsplit_once(' ').ok_or_else(|| format!("'{line}' has no value"))?;
        let value: f64 = match value {
            "+Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            other => other.parse().map_err(|_none| format!("'{value}' is no number"))?,
        };
        let (name, labels) = match series.split_once('{') {
            Some((name, rest)) => {
                (name, labels(rest.strip_suffix('}').ok_or_else(|| format!("the labels of '{name}' do not end"))?)?)
            }
            None => (series, BTreeMap::new()),
        };
        let kind = self.kind.ok_or_else(|| format!("'{name}' stands before its type"))?;
        let part = name.strip_prefix(self.name).ok_or_else(|| format!("'{name}' stands among '{}'", self.name))?;
        if !self.series.insert(format!("{name}{labels:?}")) {
            return Err(format!("'{series}' occurs twice"));
        }
        match (kind, part) {
            ("histogram", "_bucket" | "_sum" | "_count") => self.histogram(part, labels, value),
            ("counter" | "gauge", "") if kind == "gauge" || value >= 0.0 => Ok(()),
            ("counter", "") => Err(format!("'{series}' counts below zero")),
            _ => Err(format!("'{name}' is no part of the {kind} '{}'", self.name)),
        }
    }

    fn histogram(&mut self, part: &str, mut labels: BTreeMap<String, String>, value: f64) -> Result<(), String> {
        let le = labels.remove("le");
        let of = self.histograms.entry(format!("{labels:?}")).or_default();
        match (part, le) {
            ("_bucket", Some(le)) => {
                let bound = if le == "+Inf" { Some(f64::INFINITY) } else { le.parse().ok() };
                let bound = bound.ok_or_else(|| format!("'{le}' is no bound of a bucket"))?;
                if of.buckets.last().is_some_and(|(b, n)| *b >= bound || *n > value) {
                    return Err(format!("the buckets of '{}' do not ascend at {le}", self.name));
                }
                of.buckets.push((bound, value));
            }
            ("_count", None) => of.count = Some(value),
            ("_sum", None) => of.sum = true,
            _ => return Err(format!("'{}{part}' has or lacks a bound", self.name)),
        }
        Ok(())
    }

    /// Checks the family that has been read.
    fn close(&mut self) -> Result<(), String> {
        if !self.name.is_empty() && self.kind.is_none() {
            return Err(format!("'{}' has no type", self.name));
        }
        for (labels, h) in core::mem::take(&mut self.histograms) {
            let last = h.buckets.last().copied();
            let whole = last.is_some_and(|(bound, n)| bound == f64::INFINITY && h.count == Some(n));
            if !whole || !h.sum {
                return Err(format!(
                    "'{}' with {labels} lacks +Inf, its sum or the count that belongs to it",
                    self.name
                ));
            }
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `name="value"` pairs between commas; the three escapes of the format are undone.
fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or_else(|| format!("'{rest}' is no label"))?;
        if !is_name(name) {
            return Err(format!("'{name}' is no label name"));
        }
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next() {
                Some((at, '"')) => break at,
                Some((_, '\\')) => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c @ ('\\' | '"'))) => value.push(c),
                    _ => return Err(format!("the value of '{name}' has an unknown escape")),
                },
                Some((_, c)) => value.push(c),
                None => return Err(format!("the value of '{name}' does not end")),
            }
        };
        if found.insert(name.to_owned(), value).is_some() {
            return Err(format!("label '{name}' occurs twice"));
        }
        rest = &after[end + 1..];
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').ok_or_else(|| format!("'{rest}' follows a label"))?;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# HELP a_total things\n# TYPE a_total counter\na_total{of=\"x\"} 1\na_total{of=\"y,\\\"}\"} 2\n\
                        # HELP h time\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 0.5\n\
                        h_count 3\n# HELP g level\n# TYPE g gauge\ng -1.5\n";

    #[test]
    fn what_scrapers_accept_is_accepted() {
        assert_eq!(check(GOOD), Ok(7));
        assert_eq!(check(""), Ok(0));
    }

    #[test]
    fn every_flaw_is_found() {
        for (from, to, says) in [
            ("g -1.5\n", "g -1.5", "does not end"),
            ("g -1.5", "g", "no value"),
            ("g -1.5", "g x", "no number"),
            ("g -1.5", "other 1", "stands among 'g'"),
            ("g -1.5", "g 1\ng 2", "occurs twice"),
            ("g -1.5", "g_sum 1", "no part of the gauge"),
            ("a_total{of=\"x\"} 1", "a_total{of=\"x\"} -1", "below zero"),
            ("{of=\"x\"}", "{of=\"x\"", "do not end"),
            ("{of=\"x\"}", "{of=x}", "no label"),
            ("{of=\"x\"}", "{of=\"x\" b=\"y\"}", "follows a label"),
            ("{of=\"x\"}", "{of=\"x\",of=\"y\"}", "'of' occurs twice"),
            ("{of=\"x\"}", "{of=\"\\x\"}", "unknown escape"),
            ("{of=\"x\"}", "{0f=\"x\"}", "no label name"),
            ("# HELP g level", "# HELP a_total level", "begins twice"),
            ("# HELP g level", "# HELP g ", "no help"),
            ("# HELP g level", "# HELP g-g level", "no metric name"),
            ("# TYPE g gauge", "# TYPE g speed", "no type written here"),
            ("# TYPE g gauge\n", "", "before its type"),
            ("# TYPE g gauge\n", "# TYPE g gauge\n# TYPE g gauge\n", "does not follow its help"),
            ("# TYPE g gauge\ng -1.5\n", "", "has no type"),
            ("h_bucket{le=\"+Inf\"} 3\n", "", "lacks +Inf"),
            ("h_sum 0.5\n", "", "lacks +Inf"),
            ("h_count 3", "h_count 4", "lacks +Inf"),
            ("h_bucket{le=\"0.1\"} 1", "h_bucket{le=\"0.1\"} 9", "do not ascend"),
            ("h_bucket{le=\"0.1\"} 1", "h_bucket 1", "has or lacks a bound"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let flaw = check(&GOOD.replace(from, to)).unwrap_err();
            assert!(flaw.what.contains(says), "{from} → {to}: {flaw}");
        }
    }
}
