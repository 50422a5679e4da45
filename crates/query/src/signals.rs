//! Signals of one's own: brought in texts, listed with what they amount to, read as metric points (R1.13, R1.19).

use crate::Error;
use crate::reopened::Reopened;
use barograph_api::MetricPoint;
use barograph_api::signals::{SignalView, SignalsTaken};
use barograph_domain::text::number_of;
use barograph_domain::{InstrumentName, SignalKnown, SignalName, SignalPoint, SignalScope, Span, Ts};
use barograph_engine::signals::{SIGNAL_MONTH, SignalReading, signal_readings};
use barograph_store::{Range, Reader, SignalInfo, SignalQuery, SignalStore, SignalsPut, StoreTarget, open_signals};
use barograph_venues::signals::{ReadSignals, RefusedSignal};
use std::collections::BTreeMap;

/// Refused values that are named; the others are counted.
const NAMED_MAX: usize = 5;
/// Most values that what a signal amounts to is made of, the newest: one every six seconds of the longest window.
const VALUES_MAX: usize = 30 * 24 * 600;
/// Values of one question to the store.
const PAGE: usize = 10_000;

/// The one way by which this process stores signals.
#[derive(Debug)]
pub struct SignalDesk(Reopened<dyn SignalStore>);

impl SignalDesk {
    /// Writes into this store, once something is brought.
    pub fn new(target: StoreTarget) -> Self {
        Self(Reopened::new(target, open_signals))
    }

    /// Stores values, all or none.
    ///
    /// # Errors
    /// As [`SignalStore::put_signals`].
    pub fn put(&self, points: &[SignalPoint]) -> Result<SignalsPut, barograph_store::Error> {
        self.0.with(|w| w.put_signals(points))
    }
}

/// What became of values that were read from a text.
#[must_use]
pub fn taken(put: SignalsPut, read: &ReadSignals) -> SignalsTaken {
    SignalsTaken { new: put.new, revised: put.revised, same: put.same, empty: read.empty as u64 }
}

/// Why values cannot be taken, the first of them by their place.
#[must_use]
pub fn refusals(refused: &[RefusedSignal]) -> String {
    let named: Vec<String> = refused.iter().take(NAMED_MAX).map(|r| format!("point {}: {}", r.number, r.why)).collect();
    let more = match refused.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {} more", number_of(more as u64, "point")),
    };
    format!("{}{more}", named.join("; "))
}

/// Values are of now at the latest, by a clock that may be a minute fast, and what is stated about their being known is not of later.
///
/// # Errors
/// The first that lies ahead.
pub fn not_ahead(points: &[SignalPoint], now: Ts) -> Result<(), String> {
    for point in points {
        point.event_ts.asked_at(now).map_err(|why| format!("{} of {}: {why}", point.name, point.scope))?;
        if point.known == SignalKnown::Stated && point.known_ts > now {
            return Err(format!(
                "{} of {}: its known_ts {} lies ahead of the clock",
                point.name, point.scope, point.known_ts
            ));
        }
    }
    Ok(())
}

/// Does a signal speak of this market? All do where none is meant.
fn speaks(info: &SignalInfo, market: Option<&InstrumentName>) -> bool {
    match (&info.scope, market) {
        (SignalScope::Every, _) | (_, None) => true,
        (SignalScope::Market(of), Some(market)) => of == market,
    }
}

/// The signals that speak of a market, or all of them, and what each amounts to at `at`.
///
/// # Errors
/// The store's failure.
pub fn listed(
    reader: &dyn Reader,
    market: Option<&InstrumentName>,
    as_of: Option<Ts>,
    at: Ts,
) -> Result<Vec<SignalView>, Error> {
    let all = reader.signals(as_of)?;
    let listed = |info: &&SignalInfo| speaks(info, market) && !crate::options::is_of_expiry(&info.name);
    all.iter().filter(listed).map(|info| view(reader, info, as_of, at)).collect()
}

fn view(reader: &dyn Reader, info: &SignalInfo, as_of: Option<Ts>, at: Ts) -> Result<SignalView, Error> {
    // A little longer than the longest window, because windows end at the newest value that was not taken back.
    let start = info.newest - SIGNAL_MONTH - Span::days(1);
    let mut query = SignalQuery {
        name: info.name.clone(),
        scope: info.scope.clone(),
        source: Some(info.source.clone()),
        range: Range { start, end: Ts::MAX },
        as_of,
        revisions: false,
        limit: PAGE,
    };
    let mut values = Vec::new();
    loop {
        let page = reader.signal_points(&query)?;
        values.extend(page.items.iter().filter_map(|p| Some((p.event_ts, p.value?))));
        drop(values.drain(..values.len().saturating_sub(VALUES_MAX)));
        match page.next {
            Some(next) => query.range.start = next,
            None => break,
        }
    }
    let readings = signal_readings(&values);
    let mut reasons = BTreeMap::new();
    let mut number = |name: &'static str, reading: Option<SignalReading>| match reading.map(|r| r.value) {
        Some(Ok(value)) => Some(value),
        Some(Err(reason)) => {
            reasons.insert(name, reason.name());
            None
        }
        None => {
            reasons.insert(name, barograph_domain::Reason::MissingInput.name());
            None
        }
    };
    let delta_24h = number("delta_24h", readings.map(|r| r.delta_24h));
    let z_7d = number("z_7d", readings.map(|r| r.z_7d));
    let percentile_30d = number("percentile_30d", readings.map(|r| r.percentile_30d));
    let newest = readings.map(|r| r.newest);
    Ok(SignalView {
        name: info.name.to_string(),
        scope: info.scope.to_string(),
        source: info.source.clone(),
        value: newest.map(|(_, value)| value),
        timestamp: newest.map(|(ts, _)| ts),
        age_s: newest.map(|(ts, _)| (at - ts).as_secs().max(0)),
        delta_24h,
        z_7d,
        percentile_30d,
        reasons,
        points: info.points,
        revisions: info.revisions,
        known_ts: info.newest_known,
    })
}

/// Of what a market's values of a name are: its own where it has some, else those of every market.
///
/// # Errors
/// `None` where no such signal speaks of the market, with those that do; or the store's failure.
pub fn scope_of(
    reader: &dyn Reader,
    market: &InstrumentName,
    name: &SignalName,
    as_of: Option<Ts>,
) -> Result<Result<SignalScope, Vec<String>>, Error> {
    for scope in speaks_of(market) {
        if scope_has(reader, name, &scope, None, as_of)? {
            return Ok(Ok(scope));
        }
    }
    let all = reader.signals(as_of)?;
    let mut known: Vec<String> =
        all.iter().filter(|info| speaks(info, Some(market))).map(|info| info.name.to_string()).collect();
    known.dedup();
    Ok(Err(known))
}

/// Of what values are that speak of a market, its own first.
pub(crate) fn speaks_of(market: &InstrumentName) -> [SignalScope; 2] {
    [SignalScope::Market(market.clone()), SignalScope::Every]
}

/// Is a value of a name known there, of one source or of any?
pub(crate) fn scope_has(
    reader: &dyn Reader,
    name: &SignalName,
    scope: &SignalScope,
    source: Option<&str>,
    as_of: Option<Ts>,
) -> Result<bool, Error> {
    let query = SignalQuery {
        name: name.clone(),
        scope: scope.clone(),
        source: source.map(str::to_owned),
        range: Range::ALL,
        as_of,
        revisions: true,
        limit: 1,
    };
    Ok(!reader.signal_points(&query)?.items.is_empty())
}

/// A value as a metric point.
#[must_use]
pub fn shown(point: SignalPoint) -> MetricPoint {
    let symbol = match &point.scope {
        SignalScope::Every => point.scope.to_string(),
        SignalScope::Market(name) => name.symbol.to_string(),
    };
    MetricPoint {
        timestamp: point.event_ts,
        symbol,
        metric_name: point.name.as_str().to_owned().into(),
        value: point.value,
        source: point.source,
        tags: point.tags,
        known_ts: point.known_ts,
        known: Some(point.known.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_store::open_reader;

    /// More values than one question to the store brings: what counts is the newest, and all of the window.
    #[test]
    fn what_a_long_signal_amounts_to_is_of_its_newest_value() {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(folder.path().to_owned());
        let start = Ts::from_civil(2026, 1, 1, 0, 0, 0);
        let name = SignalName::parse("x.minutely").unwrap();
        let point = |n: i32| SignalPoint {
            name: name.clone(),
            scope: SignalScope::Every,
            source: "bot".to_owned(),
            event_ts: start + Span::mins(n.into()),
            value: Some(n.into()),
            tags: BTreeMap::new(),
            known_ts: start + Span::mins(n.into()),
            known: SignalKnown::Stated,
        };
        let last = 31 * 24 * 60;
        let all: Vec<SignalPoint> = (0..=last).map(point).collect();
        let desk = SignalDesk::new(target.clone());
        assert_eq!(desk.put(&all).unwrap().new, all.len() as u64);
        let reader = open_reader(&target).unwrap();
        let at = start + Span::mins(i64::from(last) + 1);
        let [view] = &listed(reader.as_ref(), None, Some(at), at).unwrap()[..] else { panic!("one signal") };
        assert_eq!((view.value, view.age_s), (Some(last.into()), Some(60)));
        let rank = view.percentile_30d.unwrap();
        assert!((rank - (1.0 - 0.5 / 43_200.0)).abs() < 1e-12, "{rank}");
        let market = InstrumentName::parse("bybit:BTCUSDT").unwrap();
        assert_eq!(scope_of(reader.as_ref(), &market, &name, Some(at)).unwrap(), Ok(SignalScope::Every));
        let early = scope_of(reader.as_ref(), &market, &name, Some(start - Span::mins(1))).unwrap();
        assert_eq!(early, Err(Vec::new()));
    }
}
