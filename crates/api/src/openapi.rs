//! The OpenAPI 3.1 document, generated from the handlers and the types, so that it cannot say anything else.
//!
//! `openapi.json` beside this crate is the committed copy; a test compares. Every operation also answers problem
//! documents; that is added here once instead of at each handler.

use crate::alias::events::AliasEvent;
use crate::alias::markets::{AliasFeatures, AliasVolatility};
use crate::board::ChangeView;
use crate::delivery::DeliveryView;
use crate::events::{DatumView, EventView};
use crate::feeds::FeedsPulse;
use crate::problem::Document;
use crate::routes;
use crate::routes::board_stream::PulseView;
use crate::universe::UniverseView;
use crate::view::{FeatureRowView, LevelView, MetricPoint, StreamView};
use barograph_domain::Snapshot;
use std::collections::BTreeSet;
use utoipa::OpenApi;
use utoipa::openapi::schema::AnyOf;
use utoipa::openapi::{Array, Content, Ref, RefOr, Response, Schema};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "barograph",
        description = "Market context: what the weather is, why, and what would change it. Nothing here \
                       places an order or picks a side: advice is given on the side, entry and stop that the caller states. \
                       Everything is a read, but for the list of positions that the user registers, watches, silences, receivers, cases, values of their own, \
                       having a message sent again, and keeping a changed rule book. Every read of what was takes `as_of` and then \
                       answers with what was known at that moment; a moment that lies ahead is refused. Times are UTC. Errors are \
                       problem documents (RFC 9457). No token is needed on this machine; remote access requires one, as Authorization: Bearer or as \
                       the session's cookie. No cross-origin header is sent.",
        license(name = "Apache-2.0 OR MIT"),
    ),
    servers((url = "/", description = "this server")),
    tags(
        (name = "context", description = "what is known of each market"),
        (name = "board", description = "all markets in one table, and its changes as they happen"),
        (name = "verification", description = "how good calls were: each registered before its outcome, resolved and scored"),
        (name = "live", description = "live data of this moment and whether they can be trusted; answered from memory"),
        (name = "whatif", description = "changed rule books over stored readings"),
        (name = "lab", description = "studies: which models were fitted on recorded rows, and how they did on rows they had not seen"),
        (name = "advice", description = "what a trade in mind is walking into, and positions that are watched"),
        (name = "cases", description = "alerts somebody looks into: evidence, notes, what came of them"),
        (name = "delivery", description = "notifications: what was sent, through which endpoint, with what result; silences"),
        (name = "original paths", description = "the original payloads, field for field; the trailing slash is optional"),
        (name = "agents", description = "tools for language models"),
        (name = "operations", description = "alive, ready, counted"),
        (name = "pages", description = "for people"),
    ),
    components(schemas(Document<'static>, DeliveryView, Snapshot, FeatureRowView, LevelView, EventView, AliasFeatures, AliasVolatility, AliasEvent, DatumView, MetricPoint, StreamView, UniverseView, ChangeView, PulseView, FeedsPulse))
)]
struct Api;

/// Fields that are left out where there is nothing to say; every other field is always there, if only as null.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("Snapshot", &["age_s", "recorded_until", "health"]),
    ("FeatureView", &["have", "need"]),
    ("MetricPoint", &["known"]),
    ("Problem", &["value", "hint", "candidates"]),
    ("HealthView", &["notes"]),
    ("SessionBasis", &["mask"]),
    ("BoardView", &["found"]),
    ("WarningView", &["reason"]),
    ("AliasEvent", &["symbol", "asset_pair"]),
    ("HourOfLiquidations", &["long_usd_reason", "short_usd_reason"]),
    ("EvidenceView", &["similar_reason"]),
    ("AlertOutcome", &["liquidated_usd_1h_reason"]),
    ("AlertOutcomeSpan", &["reason"]),
    ("SimilarCase", &["outcome_reason"]),
    ("ContextBrief", &["price_at"]),
    ("CalendarView", &["minutes_to_event_reason"]),
    (
        "AliasFeatures",
        &[
            "volatility_regime_reason",
            "regime_type_reason",
            "price_reason",
            "funding_rate_reason",
            "funding_z_score_reason",
            "open_interest_reason",
            "volatility_reason",
            "confidence_reason",
            "long_bias_reason",
            "risk_multiplier_reason",
            "total_liquidated_usd_reason",
            "total_liquidated_usd_bound",
            "velocity_usd_per_hour_reason",
            "freshness_warning",
        ],
    ),
    (
        "AliasVolatility",
        &[
            "freshness_warning",
            "regime_reason",
            "volatility_reason",
            "volatility_annual_reason",
            "risk_multiplier_reason",
            "half_life_days_reason",
        ],
    ),
    ("AdviceOption", &["regime_age_s", "median_s", "low_s", "high_s", "episodes", "missing"]),
    (
        "AliasExplanation",
        &[
            "funding_zscore_24h_reason",
            "oi_delta_4h_reason",
            "realized_vol_1h_reason",
            "freshness_warning",
            "defaults_used",
        ],
    ),
];

/// What is the same for all operations and types.
fn finish(openapi: &mut utoipa::openapi::OpenApi) {
    // The committed copy should change when the promise does, not with each release of the program.
    openapi.info.version = "1".to_owned();
    openapi.info.contact = None;
    for item in openapi.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), problem());
        }
    }
    let sent = sent(openapi);
    for (name, schema) in openapi.components.iter_mut().flat_map(|c| &mut c.schemas) {
        if name == "EventsPage"
            && let RefOr::T(Schema::OneOf(either)) = schema
        {
            // An empty page is a page of either kind.
            let mut any = AnyOf::new();
            any.items = core::mem::take(&mut either.items);
            any.description = either.description.take();
            *schema = RefOr::T(Schema::AnyOf(any));
        }
        if let RefOr::T(Schema::Object(object)) = schema {
            let left_out = LEFT_OUT.iter().find(|(n, _)| n == name).map_or(&[][..], |(_, fields)| fields);
            if let Some(row) = name.strip_prefix("PageView_") {
                // The generator writes the row out in full on every page type; its name is enough.
                object.properties.insert("items".to_owned(), rows(row, "Rows by time."));
            }
            if let Some(market) = name.strip_prefix("AliasMarkets_") {
                let what = "Markets with a snapshot, in the order of their names.";
                object.properties.insert("symbols".to_owned(), rows(market, what));
            }
            if sent.contains(name) {
                continue;
            }
            object.required = object.properties.keys().filter(|f| !left_out.contains(&f.as_str())).cloned().collect();
        }
    }
}

/// Names of the types that are sent, not answered: of these only what has no default is required, as the types say.
fn sent(openapi: &utoipa::openapi::OpenApi) -> BTreeSet<String> {
    let operations = openapi.paths.paths.values().flat_map(|item| [&item.get, &item.post, &item.delete]).flatten();
    let mut open: Vec<String> = operations.filter_map(|o| o.request_body.as_ref()).flat_map(named).collect();
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        let schema = openapi.components.as_ref().and_then(|c| c.schemas.get(&name));
        if found.insert(name) {
            open.extend(schema.into_iter().flat_map(named));
        }
    }
    found
}

/// Names of the types that a part of the document refers to.
fn named(part: &impl serde::Serialize) -> Vec<String> {
    let text = serde_json::to_string(part).unwrap_or_default();
    let references = text.split("\"#/components/schemas/").skip(1);
    references.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

fn rows(name: &str, what: &str) -> RefOr<Schema> {
    let mut array = Array::new(RefOr::Ref(Ref::from_schema_name(name)));
    array.description = Some(what.to_owned());
    RefOr::T(Schema::Array(array))
}

fn problem() -> RefOr<Response> {
    let mut response = Response::new("what was wrong and what to do");
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
    RefOr::T(response)
}

/// The document as committed: indented JSON with a newline at its end.
#[must_use]
pub fn openapi_json() -> String {
    // Built from static data: writing it cannot fail, and an empty document would fail the test that compares it.
    let mut document = routes::documented(Api::openapi());
    finish(&mut document);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set BLESS=1 to write the committed copy anew, then read the difference.
    #[test]
    fn the_committed_document_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let generated = openapi_json();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let line = committed.lines().zip(generated.lines()).position(|(a, b)| a != b).map(|n| n + 1);
        assert!(
            committed == generated,
            "crates/api/openapi.json is not what the types say (first difference in line {line:?}); run `cargo x gen`, \
             or the tests with BLESS=1, and review the change"
        );
    }

    #[test]
    fn the_document_is_openapi_3_1_and_its_references_lead_somewhere() {
        let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let text = openapi_json();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        let items = document["paths"].as_object().unwrap().values();
        let operations: Vec<&serde_json::Value> = items.flat_map(|item| item.as_object().unwrap().values()).collect();
        assert!(operations.iter().all(|o| o["responses"]["default"].is_object()));
        let ids: std::collections::BTreeSet<&str> =
            operations.iter().map(|o| o["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), operations.len());
    }
}
