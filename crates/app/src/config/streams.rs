//! Streams of a live market by the names that settings use.

use super::read::parts;
use barograph_domain::{Metric, Span};
use barograph_live::start::{METRICS, RATIOS};

/// What is listened to of a market, order books aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Streams {
    pub(crate) names: Vec<Metric>,
    /// Ratios too, where there are not too many markets.
    pub(crate) ratios: bool,
}

impl Streams {
    /// `all`, or names.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self { names: METRICS.to_vec(), ratios: true });
        }
        let all = || METRICS.iter().chain(&RATIOS);
        let one = |name: &str| {
            Metric::from_name(name).filter(|m| all().any(|known| known == m)).ok_or_else(|| {
                let known: Vec<&str> = all().map(|m| m.name()).collect();
                format!("'{name}' is no stream; write all, or some of {}", known.join(", "))
            })
        };
        let names: Vec<Metric> = parts(text).map(one).collect::<Result<_, _>>()?;
        if names.is_empty() {
            return Err("name at least one, or write all".to_owned());
        }
        Ok(Self { names, ratios: false })
    }
}

/// Intervals of what is polled, by name: `open_interest=30s,long_short_ratio=5m`.
pub(super) fn intervals(text: &str) -> Result<Vec<(Metric, Span)>, String> {
    let polled = || [Metric::OpenInterest].into_iter().chain(RATIOS);
    let one = |part: &str| {
        let (name, every) =
            part.split_once('=').ok_or_else(|| format!("'{part}': write name=time, as in open_interest=30s"))?;
        let metric = Metric::from_name(name.trim()).filter(|m| polled().any(|known| known == *m)).ok_or_else(|| {
            let known: Vec<&str> = polled().map(|m| m.name()).collect();
            format!("'{}' is not polled; what can be is {}", name.trim(), known.join(", "))
        })?;
        let every = Span::parse(every.trim()).map_err(|why| format!("{}: {why}", metric.name()))?;
        if every < Span::secs(1) {
            return Err(format!("{}: a second at least", metric.name()));
        }
        Ok((metric, every))
    };
    parts(text).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_each_polled_metric_has_an_interval_of_its_own() {
        let read = intervals("open_interest=30s, long_short_ratio = 10m");
        assert_eq!(read, Ok(vec![(Metric::OpenInterest, Span::secs(30)), (Metric::LongShortRatio, Span::mins(10))]));
        assert_eq!(intervals(""), Ok(Vec::new()));
        for (text, words) in [
            ("open_interest", "write name=time"),
            ("mark_price=5s", "'mark_price' is not polled; what can be is open_interest,"),
            ("open_interest=500ms", "a second at least"),
            ("open_interest=soon", "open_interest: "),
        ] {
            assert!(intervals(text).as_ref().is_err_and(|why| why.contains(words)), "{:?}", intervals(text));
        }
    }
}
