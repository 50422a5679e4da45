//! Signals of one's own: brought in texts, listed with what they amount to, read as metric points (R1.13, R1.19).

use crate::Error;
use crate::reopened::Reopened;
use barograph_api::MetricPoint;
use barograph_api::signals::{SignalView, SignalsTaken};
use barograph_domain::text::number_of;
use barograph_domain::{InstrumentName, SignalName, SignalPoint, SignalScope, Span, Ts};
use barograph_engine::signals::{SIGNAL_MONTH, SignalReading, signal_readings};
use barograph_store::{Range, Reader, SignalInfo, SignalQuery, SignalStore, SignalsPut, StoreTarget, open_signals};
use barograph_venues::signals::{ReadSignals, RefusedSignal};
use std::collections::BTreeMap;

/// Refused values that are named; the others are counted.
const NAMED_MAX: usize = 5;
/// Most values that what a signal amounts to is made of: one a minute of the longest window.
const VALUES_MAX: usize = 30 * 24 * 60;

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

/// Values are known by now at the latest; what states a later moment is a mistake in it.
///
/// # Errors
/// The first that lies ahead.
pub fn not_ahead(points: &[SignalPoint], now: Ts) -> Result<(), String> {
    for point in points {
        point.event_ts.asked_at(now).map_err(|why| format!("{} of {}: {why}", point.name, point.scope))?;
        point.known_ts.asked_at(now).map_err(|why| format!("{} of {}: known_ts: {why}", point.name, point.scope))?;
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
    all.iter().filter(|info| speaks(info, market)).map(|info| view(reader, info, as_of, at)).collect()
}

fn view(reader: &dyn Reader, info: &SignalInfo, as_of: Option<Ts>, at: Ts) -> Result<SignalView, Error> {
    // A little longer than the longest window, because windows end at the newest value that was not taken back.
    let start = info.newest - SIGNAL_MONTH - Span::days(1);
    let query = SignalQuery {
        name: info.name.clone(),
        scope: info.scope.clone(),
        source: Some(info.source.clone()),
        range: Range { start, end: Ts::MAX },
        as_of,
        revisions: false,
        limit: VALUES_MAX,
    };
    let points = reader.signal_points(&query)?.items;
    let values: Vec<(Ts, f64)> = points.iter().filter_map(|p| Some((p.event_ts, p.value?))).collect();
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
    let all = reader.signals(as_of)?;
    let of: Vec<&SignalInfo> = all.iter().filter(|info| speaks(info, Some(market))).collect();
    // `*` comes before any market in the list, so the last is the market's own where there is one.
    Ok(match of.iter().rev().find(|info| info.name == *name) {
        Some(info) => Ok(info.scope.clone()),
        None => {
            let mut known: Vec<String> = of.iter().map(|info| info.name.to_string()).collect();
            known.dedup();
            Err(known)
        }
    })
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
    }
}
