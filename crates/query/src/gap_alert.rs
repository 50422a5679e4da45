//! The operations alert for data gaps (R4.59): a stream without data for two hours, or for twice its own limit where that is
//! more, is reported once, and once more when data are back. Staleness of a context is another, much shorter matter (C05).

use barograph_domain::{InstrumentName, Metric, StreamDecl, Ts};
use std::collections::BTreeMap;

/// Streams whose gap has been reported.
#[derive(Debug, Default)]
pub struct GapAlerts {
    /// Streams with the stamp of the newest data before the gap, by market.
    open: BTreeMap<InstrumentName, Vec<(StreamDecl, Ts)>>,
}

/// No liquidation in two hours is a quiet market, not a gap.
fn must_go_on(decl: &StreamDecl) -> bool {
    decl.metric != Metric::Liquidation
}

impl GapAlerts {
    /// What is news at `now`, as sentences without a tag. Each stream with the stamp of its newest data.
    pub fn report<'a>(&mut self, now: Ts, streams: impl Iterator<Item = (&'a StreamDecl, Ts)>) -> Vec<String> {
        streams.filter_map(|(decl, newest)| self.note(now, decl, newest)).collect()
    }

    fn note(&mut self, now: Ts, decl: &StreamDecl, newest: Ts) -> Option<String> {
        let limit = decl.gap_alert();
        let is_over = must_go_on(decl) && now - newest > limit;
        // A thousand markets have seven thousand streams, looked at each second: names are made for news only.
        let known = self.open.get(&decl.instrument).and_then(|all| all.iter().position(|(d, _)| d == decl));
        match (is_over, known) {
            (true, None) => {
                self.open.entry(decl.instrument.clone()).or_default().push((decl.clone(), newest));
                let (age, limit) = ((now - newest).spoken(), limit.spoken());
                Some(format!("data gap over {limit}: {}: newest data of {newest}, {age} ago", decl.label()))
            }
            (false, Some(at)) => {
                let (_, before) = self.open.get_mut(&decl.instrument)?.swap_remove(at);
                let (name, limit) = (decl.label(), limit.spoken());
                Some(format!("data gap over {limit} has ended: {name}: nothing between {before} and {newest}"))
            }
            (true, Some(_)) | (false, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Kind, Span, Stamp};

    fn decl(metric: Metric) -> StreamDecl {
        StreamDecl {
            instrument: InstrumentName::new("binance-usdm", "BTCUSDT").unwrap(),
            metric,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "binance-usdm".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        }
    }

    #[test]
    fn a_gap_is_told_once_and_its_end_once() {
        let (mark, calm) = (decl(Metric::MarkPrice), decl(Metric::Liquidation));
        let start = Ts::parse("2026-02-05T12:00:00Z").unwrap();
        let mut alerts = GapAlerts::default();
        let mut look = |minutes: i64, newest: i64| {
            let at = |m: i64| start + Span::mins(m);
            alerts.report(at(minutes), [(&mark, at(newest)), (&calm, start)].into_iter())
        };
        assert_eq!(look(120, 0), Vec::<String>::new(), "two hours are the limit, not over it");
        let told = look(121, 0);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("data gap over 2 h: binance-usdm:BTCUSDT mark_price"), "{told:?}");
        assert_eq!(look(180, 0), Vec::<String>::new());
        let ended = look(185, 184);
        assert_eq!(ended.len(), 1, "{ended:?}");
        assert!(ended[0].starts_with("data gap over 2 h has ended: binance-usdm:BTCUSDT mark_price"), "{ended:?}");
        assert_eq!(look(186, 184), Vec::<String>::new());
        assert_eq!(look(310, 184).len(), 1, "the next gap is told again");
    }
}
