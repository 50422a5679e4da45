//! Freshness of inputs under a rule book's profile (features §9, regimes §9).
//!
//! What a stream declares decides; a profile replaces the table value. Imported and polled series never have a limit
//! below twice their cadence plus their delay, in any profile.

use super::book::RuleBook;
use super::set::Ruled;
use crate::catalogue::Feature;
use barograph_domain::{Cell, InputAge, Metric, Span, State, StreamDecl, StreamIndex, Ts};

/// Which table of limits applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Freshness {
    /// This specification's own.
    Default,
    /// The first original: same limits; labels go on from last values and posture is always HOLD.
    Seed1,
    /// The third original.
    Seed3,
    /// The fourth original.
    Seed4,
}

impl Freshness {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::Default, Self::Seed1, Self::Seed3, Self::Seed4];

    /// As written in a book.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Seed1 => "seed1",
            Self::Seed3 => "seed3",
            Self::Seed4 => "seed4",
        }
    }
    /// The profile of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
    /// Greatest age at which the newest value of this stream still counts.
    #[must_use]
    #[inline]
    pub fn max_age(self, stream: &StreamDecl) -> Span {
        let Some(listed) = self.listed(stream.metric) else { return stream.max_age() };
        let base = listed.max(stream.cadence.times(2));
        if stream.filled { base } else { base.max(stream.cadence.times(2) + stream.delay) }
    }
    /// Age past which a label is given up and an operations alert is due.
    #[must_use]
    pub fn gap_alert(self, stream: &StreamDecl) -> Span {
        Span::hours(2).max(self.max_age(stream).times(2))
    }
    /// The profile's own table value; `None` leaves the default rule in place.
    #[inline]
    const fn listed(self, metric: Metric) -> Option<Span> {
        if matches!(self, Self::Default | Self::Seed1) {
            return None;
        }
        match (self, metric) {
            (
                Self::Seed3,
                Metric::MarkPrice
                | Metric::IndexPrice
                | Metric::FundingRate
                | Metric::FundingRateSettled
                | Metric::OpenInterest
                | Metric::OpenInterestUsd
                | Metric::TopTraderAccountRatio
                | Metric::TopTraderPositionRatio
                | Metric::LongShortRatio
                | Metric::TakerVolumeRatio,
            ) => Some(Span::secs(300)),
            (Self::Seed3, Metric::Liquidation) => Some(Span::secs(60)),
            (Self::Seed3, Metric::BestBidAsk | Metric::Book) => Some(Span::secs(30)),
            (
                Self::Seed4,
                Metric::Bar
                | Metric::MarkPrice
                | Metric::IndexPrice
                | Metric::FundingRate
                | Metric::FundingRateSettled
                | Metric::OpenInterest
                | Metric::OpenInterestUsd
                | Metric::Liquidation
                | Metric::SpotPrice,
            ) => Some(Span::secs(3600)),
            _ => None,
        }
    }
    /// Is this input too old at `ts`? An input never seen is missing, not stale.
    #[must_use]
    pub fn is_stale(self, ts: Ts, input: &InputAge, streams: &[StreamDecl]) -> bool {
        input.stream.and_then(|s| streams.get(s.index())).is_some_and(|decl| ts - input.anchor > self.max_age(decl))
    }
}

/// How far apart the closes are that a reading of a chart is taken at; `None`: it moves with its stream.
#[must_use]
pub const fn clock_of(feature: Feature, trend_tf: Span) -> Option<Span> {
    use Feature as F;
    match feature {
        F::TrendSlope
        | F::TrendIntercept
        | F::TrendR
        | F::TrendStderr
        | F::TrendP
        | F::TrendPHac
        | F::TrendR2
        | F::SlopePct => Some(trend_tf),
        F::VolPct
        | F::VolumeRatio
        | F::PriceZ24h
        | F::VolParkinson
        | F::VolGarmanKlass
        | F::VolRogersSatchell
        | F::VolYangZhang => Some(Span::hours(1)),
        _ => None,
    }
}

/// A reading of a chart by the close that has to come next. What the chart says stands until then, however many quiet minutes
/// lie between, so its stream is at least as old as that close is late.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Close<'a> {
    /// Whose closes.
    pub stream: StreamIndex,
    /// Its declaration.
    pub decl: &'a StreamDecl,
    /// When the next one was due. The limit of a bar of the stream's own length counts from its close already.
    pub due: Ts,
    /// Greatest lateness at which the reading still counts.
    pub max_age: Span,
    /// Lateness past which a label that rests on it is given up.
    pub gap_alert: Span,
}

impl<'a> Close<'a> {
    /// Of a reading, where it is one of a chart that has had a value.
    #[must_use]
    pub fn of(book: &RuleBook, feature: Feature, cells: &[Cell], streams: &'a [StreamDecl]) -> Option<Self> {
        let clock = clock_of(feature, book.trend_tf)?;
        let cell = cells.get(feature.index()).filter(|c| matches!(c.state, State::Ready | State::Stale))?;
        let stream = cell.stream?;
        let decl = streams.get(stream.index())?;
        let next = if decl.cadence < clock { clock } else { Span::ZERO };
        let (max_age, gap_alert) = (book.freshness.max_age(decl), book.freshness.gap_alert(decl));
        Some(Self { stream, decl, due: cell.anchor + next, max_age, gap_alert })
    }
    /// Is the reading too old at `ts`?
    #[must_use]
    pub fn is_stale(&self, ts: Ts) -> bool {
        ts - self.due > self.max_age
    }
}

/// What staleness means for one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Staleness {
    /// Some input is too old.
    pub any: bool,
    /// Some input is so old that a last label is not shown any more.
    pub past_gap_alert: bool,
}

impl Staleness {
    /// Judges the ages of a row.
    #[must_use]
    pub fn of(profile: Freshness, ts: Ts, inputs: &[InputAge], streams: &[StreamDecl]) -> Self {
        Self::over(profile, ts, inputs.iter(), streams)
    }
    /// Judges the ages of what one axis reads: those of its inputs, and those of the charts' closes.
    #[must_use]
    pub fn of_axis<L: Ruled>(
        book: &RuleBook,
        ts: Ts,
        cells: &[Cell],
        inputs: &[InputAge],
        streams: &[StreamDecl],
    ) -> Self {
        let set = L::of(book);
        let mut out =
            Self::over(book.freshness, ts, inputs.iter().filter(|i| set.metrics.contains(&i.metric)), streams);
        for close in set.closes.iter().filter_map(|f| Close::of(book, *f, cells, streams)) {
            out.any |= close.is_stale(ts);
            out.past_gap_alert |= ts - close.due > close.gap_alert;
        }
        out
    }
    fn over<'a>(
        profile: Freshness,
        ts: Ts,
        inputs: impl Iterator<Item = &'a InputAge>,
        streams: &[StreamDecl],
    ) -> Self {
        let mut out = Self::default();
        for input in inputs {
            let Some(decl) = input.stream.and_then(|s| streams.get(s.index())) else { continue };
            let age = ts - input.anchor;
            if age > profile.max_age(decl) {
                out.any = true;
                out.past_gap_alert |= age > profile.gap_alert(decl);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{InstrumentName, Kind, Stamp};

    fn decl(metric: Metric, cadence: Span, filled: bool) -> StreamDecl {
        StreamDecl {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            metric,
            kind: Kind::Measured,
            cadence,
            source: "binance-usdm".to_owned(),
            delay: Span::secs(60),
            stamp: Stamp::Instant,
            filled,
        }
    }

    #[test]
    fn limits_by_profile_stream_and_cadence() {
        let cases = [
            (Freshness::Default, Metric::OpenInterest, Span::mins(1), true, 300),
            (Freshness::Seed1, Metric::OpenInterest, Span::mins(1), true, 300),
            (Freshness::Default, Metric::OpenInterest, Span::mins(5), false, 660),
            (Freshness::Seed1, Metric::OpenInterest, Span::hours(1), false, 7_260),
            (Freshness::Seed3, Metric::FundingRateSettled, Span::hours(8), true, 57_600),
            (Freshness::Seed4, Metric::MarkPrice, Span::mins(1), true, 3_600),
            (Freshness::Default, Metric::FundingRateSettled, Span::hours(8), true, 8 * 3_600 + 600),
            (Freshness::Seed3, Metric::BestBidAsk, Span::secs(1), true, 30),
        ];
        for (profile, metric, cadence, filled, want_s) in cases {
            let d = decl(metric, cadence, filled);
            assert_eq!(profile.max_age(&d), Span::secs(want_s), "{profile:?} {metric:?} {cadence}");
        }
        assert_eq!(Freshness::Default.gap_alert(&decl(Metric::OpenInterest, Span::mins(1), true)), Span::hours(2));
    }

    #[test]
    fn stale_is_strictly_beyond_the_limit() {
        let streams = [decl(Metric::OpenInterest, Span::mins(1), true)];
        let input = InputAge {
            metric: Metric::OpenInterest,
            stream: Some(StreamIndex(0)),
            anchor: Ts::from_secs(0),
            gap: None,
        };
        let at = |s| Staleness::of(Freshness::Default, Ts::from_secs(s), &[input], &streams);
        assert_eq!((at(300).any, at(301).any, at(301).past_gap_alert), (false, true, false));
        assert!(!at(7_200).past_gap_alert && at(7_201).past_gap_alert);
        let never = InputAge { stream: None, ..input };
        assert!(!Staleness::of(Freshness::Default, Ts::from_secs(9_999), &[never], &streams).any);
    }
}
