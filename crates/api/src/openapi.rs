//! The OpenAPI 3.1 document, generated from the handlers and the types, so that it cannot say anything else.
//!
//! `openapi.json` beside this crate is the committed copy; a test compares. Every operation also answers problem
//! documents; that is added here once instead of at each handler.

use crate::alias_markets::{AliasFeatures, AliasVolatility};
use crate::board::ChangeView;
use crate::delivery::DeliveryView;
use crate::events::{AliasEvent, DatumView, EventView};
use crate::feeds::FeedsPulse;
use crate::problem::Document;
use crate::routes;
use crate::routes::board_stream::PulseView;
use crate::universe::UniverseView;
use crate::view::{FeatureRowView, LevelView, MetricPoint, StreamView};
use barograph_domain::Snapshot;
use utoipa::openapi::schema::AnyOf;
use utoipa::openapi::{Array, Content, Ref, RefOr, Response, Schema};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "barograph",
        description = "Market context: what the weather is, why, and what would change it. Nothing here \
                       places an order or picks a side: advice is given on the side, entry and stop that the caller states. \
                       Everything is a read, but for the list of positions that the user registers, silences, \
                       and having a message sent again. Every read of what was takes `as_of` and then \
                       answers with what was known at that moment; a moment that lies ahead is refused. Times are UTC. Errors are \
                       problem documents (RFC 9457). Loopback is open; any other address wants a token, as Authorization: Bearer or as the \
                       session's cookie. No cross-origin header is sent.",
        license(name = "Apache-2.0 OR MIT"),
    ),
    servers((url = "/", description = "this server")),
    tags(
        (name = "context", description = "what is known of each market"),
        (name = "board", description = "all markets in one table, and its changes as they happen"),
        (name = "live", description = "what is heard this moment, and whether it can be trusted; answered from memory"),
        (name = "advice", description = "what a trade in mind is walking into, and positions that are watched"),
        (name = "delivery", description = "what people are told, through which endpoint, and what became of it; silences"),
        (name = "original paths", description = "the original payloads, field for field; the trailing slash is optional"),
        (name = "operations", description = "alive, ready, counted"),
        (name = "pages", description = "for people"),
    ),
    paths(
        routes::markets::list,
        routes::markets::one,
        routes::context::latest,
        routes::context::history,
        routes::metrics::points,
        routes::features::rows,
        routes::levels::list,
        routes::events::of_market,
        routes::events::of_all,
        routes::universe::latest,
        routes::universe::history,
        routes::universe::portfolio,
        routes::universe::calendar,
        routes::live::now,
        routes::feeds::list,
        routes::markets::catalogue,
        routes::advice::advise,
        routes::positions::list,
        routes::positions::register,
        routes::positions::one,
        routes::positions::remove,
        routes::positions::notices,
        routes::deliveries::list,
        routes::deliveries::one,
        routes::deliveries::replay,
        routes::deliveries::endpoints,
        routes::deliveries::enable,
        routes::deliveries::groups,
        routes::silences::list,
        routes::silences::add,
        routes::silences::end,
        routes::stream::stream,
        routes::board::now,
        routes::chart::candles,
        routes::chart::continuity,
        routes::board_stream::stream,
        routes::alias::snapshot,
        routes::alias::history,
        routes::alias::points,
        routes::alias_markets::features,
        routes::alias_markets::volatility,
        routes::events::cascades,
        routes::ops::healthz,
        routes::ops::readyz,
        routes::ops::metrics,
        routes::session::show,
        routes::session::sign_in,
        routes::session::sign_out,
        routes::assets::page,
        routes::assets::of_page,
        routes::pages::docs,
        routes::pages::file,
        routes::pages::openapi,
    ),
    components(schemas(Document<'static>, DeliveryView, Snapshot, FeatureRowView, LevelView, EventView, AliasFeatures, AliasVolatility, AliasEvent, DatumView, MetricPoint, StreamView, UniverseView, ChangeView, PulseView, FeedsPulse)),
    modifiers(&Finish)
)]
struct Api;

struct Finish;

/// What is sent, not answered: here only what has no default is required, as the types say.
const SENT: &[&str] = &[
    "AdviceRequest",
    "TradeRecord",
    "NewPosition",
    "PortfolioRequest",
    "Holding",
    "NewSilence",
    "Replay",
    "Enable",
    "SignIn",
];

/// Fields that are left out where there is nothing to say; every other field is always there, if only as null.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("Snapshot", &["age_s"]),
    ("FeatureView", &["have", "need"]),
    ("Problem", &["value", "hint", "candidates"]),
    ("HealthView", &["notes"]),
    ("WarningView", &["reason"]),
    ("AliasEvent", &["symbol", "asset_pair"]),
    ("HourOfLiquidations", &["long_usd_reason", "short_usd_reason"]),
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
        ],
    ),
    (
        "AliasVolatility",
        &[
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

impl Modify for Finish {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        // The committed copy should change when the promise does, not with each release of the program.
        openapi.info.version = "1".to_owned();
        openapi.info.contact = None;
        for item in openapi.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), problem());
            }
        }
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
                if SENT.contains(&name.as_str()) {
                    continue;
                }
                object.required =
                    object.properties.keys().filter(|f| !left_out.contains(&f.as_str())).cloned().collect();
            }
        }
    }
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
    let mut text = Api::openapi().to_pretty_json().unwrap_or_default();
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
    fn every_route_is_documented_and_every_documented_path_is_routed() {
        let documented: std::collections::BTreeSet<String> = Api::openapi().paths.paths.into_keys().collect();
        let routed: std::collections::BTreeSet<String> = routes::PATHS.iter().map(|p| (*p).to_owned()).collect();
        assert_eq!(documented, routed);
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
