//! Which lengths of candles there is data for, which one suits a market best, and which feature sums up the liquidations of a length.
//! Bars make candles of their own length and of its multiples; trades make any.

use barograph_api::chart::INTERVALS;
use barograph_domain::{Metric, Span, Ts};
use barograph_engine::Feature;
use barograph_store::StreamInfo;

/// Candles that make a view worth looking at.
const FILLED: i64 = 120;
/// The longest that is chosen without being asked for, where shorter ones would do.
const USUAL_MAX: Span = Span::hours(1);

/// Lengths of which there are candles, the shortest first.
pub(super) fn offered(streams: &[StreamInfo]) -> Vec<(&'static str, Span)> {
    let any = streams.iter().any(|s| s.decl.metric == Metric::Trade);
    let made = |every: Span| {
        any || streams.iter().any(|s| {
            let cadence = s.decl.cadence.0;
            s.decl.metric == Metric::Bar && cadence > 0 && every.0 % cadence == 0
        })
    };
    INTERVALS.into_iter().filter(|(_, every)| made(*every)).collect()
}

/// The longest up to an hour of which the stored stretch fills a view; the shortest there is where none does; an hour without data.
pub(super) fn usual(streams: &[StreamInfo]) -> Span {
    let drawn = || streams.iter().filter(|s| matches!(s.decl.metric, Metric::Bar | Metric::Trade));
    let first = drawn().map(|s| s.first_event.0).min().unwrap_or(0);
    let newest = drawn().map(|s| s.newest_event.0).max().unwrap_or(0);
    let offered = offered(streams);
    let fills = |every: Span| newest.saturating_sub(first) >= every.0.saturating_mul(FILLED);
    let filled = offered.iter().rev().map(|(_, every)| *every).find(|every| *every <= USUAL_MAX && fills(*every));
    filled.or_else(|| offered.first().map(|(_, every)| *every)).unwrap_or(USUAL_MAX)
}

/// How long after a candle its own readings are known: the delay of its bars, in whole minutes; of several sources the quickest one's.
pub(super) fn lag(streams: &[StreamInfo]) -> Span {
    let drawn = streams.iter().filter(|s| matches!(s.decl.metric, Metric::Bar | Metric::Trade));
    let delay = drawn.map(|s| s.decl.delay).min().unwrap_or(Span::ZERO);
    Ts(delay.0).ceil(Span::mins(1)) - Ts(0)
}

/// The features of a close that say what was liquidated in the candle before it, longs and shorts; `None` for lengths without any.
pub(super) fn liquidated(every: Span) -> Option<[Feature; 2]> {
    [
        (Span::mins(5), [Feature::LiqLongUsd5m, Feature::LiqShortUsd5m]),
        (Span::hours(1), [Feature::LiqLongUsd1h, Feature::LiqShortUsd1h]),
        (Span::hours(4), [Feature::LiqLongUsd4h, Feature::LiqShortUsd4h]),
        (Span::days(1), [Feature::LiqLongUsd24h, Feature::LiqShortUsd24h]),
    ]
    .into_iter()
    .find_map(|(length, both)| (length == every).then_some(both))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{InstrumentName, Kind, Stamp, StreamDecl, Ts};

    fn stored(metric: Metric, cadence: Span, hours: i64) -> StreamInfo {
        let decl = StreamDecl {
            instrument: InstrumentName::parse("okx:A-USDT").unwrap(),
            metric,
            kind: Kind::Measured,
            cadence,
            source: "okx".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        };
        let start = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        let newest = start + Span::hours(hours);
        StreamInfo { decl, points: 1, first_event: start, newest_event: newest, newest_known: newest }
    }

    #[test]
    fn only_lengths_with_data_are_offered_and_the_usual_one_fills_a_view() {
        let cases: [(Vec<StreamInfo>, &str, Span); 6] = [
            (vec![stored(Metric::Bar, Span::hours(1), 2_000)], "1h 4h 1d", Span::hours(1)),
            (vec![stored(Metric::Bar, Span::mins(1), 2_000)], "1m 5m 15m 1h 4h 1d", Span::hours(1)),
            (vec![stored(Metric::Bar, Span::mins(1), 24)], "1m 5m 15m 1h 4h 1d", Span::mins(5)),
            (vec![stored(Metric::Trade, Span::secs(1), 1)], "1m 5m 15m 1h 4h 1d", Span::mins(1)),
            (vec![stored(Metric::Bar, Span::days(1), 24_000)], "1d", Span::days(1)),
            (vec![stored(Metric::OpenInterest, Span::hours(1), 2_000)], "", Span::hours(1)),
        ];
        for (streams, want, suits) in cases {
            let words: Vec<&str> = offered(&streams).into_iter().map(|(word, _)| word).collect();
            assert_eq!((words.join(" ").as_str(), usual(&streams)), (want, suits));
        }
    }
}
