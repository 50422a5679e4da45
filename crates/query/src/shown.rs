//! Stored things as the HTTP surface shows them: streams, metric points, the catalogue.

use barograph_api::{CatalogueEntry, MetricPoint, StreamView};
use barograph_domain::{InstrumentName, MarketKind, Payload, Side, StreamDecl, Ts};
use barograph_engine::CATALOGUE;
use barograph_engine::catalogue::{Update, ValueType};
use barograph_engine::rules::RuleBook;
use barograph_store::Point;
use barograph_venues::session::registry;
use std::collections::BTreeMap;

/// A stream and how fresh it is at a moment.
pub fn stream_view(decl: &StreamDecl, newest: Ts, moment: Ts) -> StreamView {
    StreamView {
        metric: decl.metric.name(),
        unit: decl.metric.unit(),
        source: decl.source.clone(),
        kind: decl.kind,
        cadence_s: decl.cadence.as_secs(),
        delay_s: decl.delay.as_secs(),
        stamp: decl.stamp,
        max_age_s: decl.max_age().as_secs(),
        newest_event: Some(newest),
        age_s: Some((moment - newest).as_secs()),
    }
}

/// One stored point.
pub fn metric_point(id: &InstrumentName, p: &Point) -> MetricPoint {
    let mut tags = BTreeMap::new();
    let mut tag = |k: &str, v: String| {
        tags.insert(k.to_owned(), v);
    };
    match registry::kind(id) {
        Some(MarketKind::Perpetual) => tag("contract", "perpetual".to_owned()),
        Some(MarketKind::DatedFuture) => tag("contract", "dated_future".to_owned()),
        Some(MarketKind::Spot) | None => {}
    }
    match p.payload {
        Payload::Funding { interval_h, special, .. } => {
            tag("interval", interval_h.map_or_else(|| p.stream.cadence.compact(), |h| format!("{h}h")));
            if special {
                tag("rate_type", "special".to_owned());
            }
        }
        Payload::Bar(_) => tag("timeframe", p.stream.cadence.compact()),
        Payload::Liquidation { liquidated_side, .. } => {
            let side = if liquidated_side == Side::Long { "LONG" } else { "SHORT" };
            tag("side", side.to_owned());
        }
        Payload::Trade { .. } | Payload::BestBidAsk { .. } | Payload::Value(_) | Payload::Status(_) | Payload::Tick => {
        }
    }
    MetricPoint {
        timestamp: p.event_ts,
        symbol: id.symbol.clone(),
        metric_name: p.stream.metric.name().into(),
        value: p.payload.headline(),
        source: barograph_api::alias::source_word(&p.stream.source),
        tags,
        known_ts: p.known_ts,
        known: None,
    }
}

/// The catalogue as it goes over the wire, with the numbers of a rule book.
pub fn catalogue_entries(book: &RuleBook) -> Vec<CatalogueEntry> {
    CATALOGUE
        .iter()
        .map(|s| CatalogueEntry {
            id: s.id,
            version: s.version,
            group: s.group,
            unit: s.unit,
            value_type: match s.value {
                ValueType::Number => "number",
                ValueType::Bool => "bool",
                ValueType::Enum(_) => "enum",
            },
            words: match s.value {
                ValueType::Enum(words) => words.to_vec(),
                ValueType::Number | ValueType::Bool => Vec::new(),
            },
            formula: s.formula(book),
            inputs: s.inputs.iter().map(|m| m.name()).collect(),
            window: s.window,
            warm_up: s.warm_up,
            update: match s.update {
                Update::Instant => "instant",
                Update::Window => "window",
                Update::Recursive => "recursive",
            },
            ranks: s.ranks.map(barograph_engine::Feature::id),
            scale: s.scale,
            source: s.source,
            spoken: s.spoken,
        })
        .collect()
}
