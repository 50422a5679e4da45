//! The description and the pages: they say what is, all of it, and need nothing from elsewhere.

use super::client::Server;
use super::listening::Listening;
use super::schema::{differences, document};
use barograph_api::AskMarkets as _;
use serde_json::Value;

/// A request to every documented operation that answers with JSON, so that the answer can be held against its schema.
const ASKED: &[(&str, &str)] = &[
    ("/api/v1/markets", "/api/v1/markets"),
    ("/api/v1/markets", "/api/v1/markets?as_of=2026-02-05T03:00:00Z"),
    ("/api/v1/markets/{id}", "/api/v1/markets/ETHUSDT"),
    ("/api/v1/markets/{id}/context", "/api/v1/markets/ETHUSDT/context"),
    ("/api/v1/markets/{id}/context", "/api/v1/markets/ETHUSDT/context?as_of=2026-02-05T04:30:00Z"),
    ("/api/v1/markets/{id}/context/history", "/api/v1/markets/ETHUSDT/context/history?every=1h"),
    ("/api/v1/markets/{id}/similar", "/api/v1/markets/ETHUSDT/similar"),
    ("/api/v1/markets/{id}/analysis", "/api/v1/markets/ETHUSDT/analysis"),
    ("/api/v1/markets/{id}/metrics", "/api/v1/markets/ETHUSDT/metrics"),
    ("/api/v1/markets/{id}/metrics", "/api/v1/markets/ETHUSDT/metrics?metric_name=open_interest&limit=5"),
    ("/api/v1/markets/{id}/signals", "/api/v1/markets/ETHUSDT/signals"),
    ("/api/v1/markets/{id}/signals/bars", "/api/v1/markets/ETHUSDT/signals/bars"),
    ("/api/v1/markets/{id}/signals/bars", "/api/v1/markets/ETHUSDT/signals/bars?names=x.desk_flow&interval=4h&bars=2"),
    ("/api/v1/onchain", "/api/v1/onchain"),
    ("/api/v1/onchain", "/api/v1/onchain?market=ETHUSDT&as_of=2026-02-05T04:30:00Z"),
    ("/api/v1/options/{currency}", "/api/v1/options/BTC?market=ETHUSDT"),
    ("/api/v1/markets/{id}/features", "/api/v1/markets/ETHUSDT/features?every=1h"),
    ("/api/v1/features", "/api/v1/features"),
    ("/api/v1/features", "/api/v1/features?ids=oi_delta_4h&as_of=2026-02-05T04:30:00Z"),
    ("/api/v1/markets/{id}/levels", "/api/v1/markets/ETHUSDT/levels?limit=7"),
    ("/api/v1/markets/{id}/events", "/api/v1/markets/ETHUSDT/events?limit=7"),
    ("/api/v1/events", "/api/v1/events?order=desc"),
    ("/api/v1/events/{id}", "/api/v1/events/0f8fad5b-d9cb-569f-a165-000000000008"),
    ("/api/v1/liquidations", "/api/v1/liquidations?hours=12"),
    ("/api/features", "/api/features"),
    ("/api/volatility", "/api/volatility?as_of=2026-02-05T04:30:00Z"),
    ("/api/cascades", "/api/cascades?hours=12"),
    ("/api/v1/markets/{id}/live", "/api/v1/markets/ETHUSDT/live"),
    ("/api/v1/cross-venue", "/api/v1/cross-venue"),
    ("/api/v1/feeds", "/api/v1/feeds"),
    ("/api/v1/feeds", "/api/v1/feeds?venue=bybit&limit=2"),
    ("/api/v1/catalogue", "/api/v1/catalogue"),
    ("/api/market-context/snapshot/", "/api/market-context/snapshot/?symbol=BTCUSDT"),
    ("/api/market-context/history/", "/api/market-context/history/?symbol=BTCUSDT&start=2026-02-05&end=2026-02-06"),
    (
        "/api/market-context/metrics/",
        "/api/market-context/metrics/?symbol=BTCUSDT&metric_name=funding_rate&start=2026-02-05T11:00:00Z",
    ),
    ("/api/v1/clock", "/api/v1/clock"),
    ("/api/v1/session", "/api/v1/session"),
    ("/healthz", "/healthz"),
    ("/readyz", "/readyz"),
];
/// Documented operations that answer with something else.
const OTHER: &[(&str, &str, &str)] = &[
    ("/", "/", "text/html; charset=utf-8"),
    ("/docs", "/docs", "text/html; charset=utf-8"),
    ("/docs/{file}", "/docs/docs.js", "text/javascript; charset=utf-8"),
    ("/docs/{file}", "/docs/page.css", "text/css; charset=utf-8"),
    ("/metrics", "/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ("/openapi.json", "/openapi.json", "application/json"),
    ("/llms.txt", "/llms.txt", "text/plain; charset=utf-8"),
];

/// Asked in tests of their own: `stream`, `advice`, `cases`, `delivery`, `universe`, `scores`, `studies`, `whatif`, `board`; agents and charts end to end.
const ELSEWHERE: [&str; 44] = [
    "/mcp",
    "/api/v1/agent-sessions",
    "/api/v1/agent-sessions/{id}",
    "/api/v1/board",
    "/api/v1/board/stream",
    "/api/v1/markets/{id}/chart",
    "/api/v1/markets/{id}/continuity",
    "/assets/{file}",
    "/api/v1/stream",
    "/api/v1/advice",
    "/api/v1/positions",
    "/api/v1/positions/{id}",
    "/api/v1/notices",
    "/api/v1/deliveries",
    "/api/v1/deliveries/{message}",
    "/api/v1/deliveries/{message}/replay",
    "/api/v1/endpoints",
    "/api/v1/endpoints/{name}/enable",
    "/api/v1/endpoints/{name}/test",
    "/api/v1/endpoints/{name}",
    "/api/v1/groups",
    "/api/v1/silences",
    "/api/v1/silences/{id}",
    "/api/v1/cases",
    "/api/v1/cases/{id}",
    "/api/v1/cases/{id}/entries",
    "/api/v1/cases/{id}/export",
    "/api/v1/cases/{id}/replay",
    "/api/v1/watches",
    "/api/v1/watches/past",
    "/api/v1/watches/{id}",
    "/api/v1/universe",
    "/api/v1/universe/history",
    "/api/v1/portfolio",
    "/api/v1/whatif",
    "/api/v1/whatif/books",
    "/api/v1/paper",
    "/api/v1/studies",
    "/api/v1/study",
    "/api/v1/calendar",
    "/api/v1/drift",
    "/api/v1/scorecard",
    "/api/v1/scorecard/badge.svg",
    "/api/v1/forecasts",
];

fn listening() -> Server {
    let server = Server::start();
    *server.world.listening.lock().unwrap() = Some(Listening::new(server.world.now()));
    server
}

#[test]
fn every_documented_route_answers_as_documented() {
    let server = listening();
    let api = document();
    for (path, address) in ASKED {
        let schema = &api["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{path} has no schema");
        let wrong = differences(&api, schema, &server.json(address), path);
        assert!(wrong.is_empty(), "{address}:\n{}", wrong.join("\n"));
    }
    for (path, address, content_type) in OTHER {
        let reply = server.get(address);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(*content_type)), "{address}");
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let problem = serde_json::json!({"$ref": "#/components/schemas/Problem"});
    for address in ["/nowhere", "/api/v1/markets/BTCUSDT/context", "/api/v1/markets/coinbase:BTC-USD/context"] {
        let wrong = differences(&api, &problem, &server.get(address).json(), address);
        assert!(wrong.is_empty(), "{address}: {wrong:?}");
    }
    let covered: std::collections::BTreeSet<&str> =
        ASKED.iter().map(|(p, _)| *p).chain(OTHER.iter().map(|(p, ..)| *p)).chain(ELSEWHERE).collect();
    let documented: std::collections::BTreeSet<&str> =
        api["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(covered, documented, "every documented route is asked here, or in tests of its own");
}

#[test]
fn documented_parameters_are_the_ones_that_are_read() {
    let server = Server::start();
    let api = document();
    // The page's parameters are those of its views, and the page reads them.
    for (path, item) in api["paths"].as_object().unwrap().iter().filter(|(path, _)| *path != "/") {
        let method = ["get", "post", "delete"].into_iter().find(|m| item[m].is_object()).unwrap();
        let parameters = item[method]["parameters"].as_array().cloned().unwrap_or_default();
        let mut documented: Vec<Value> =
            parameters.iter().filter(|p| p["in"] == "query").map(|p| p["name"].clone()).collect();
        // An unknown parameter is refused with the list of those the route reads.
        let address = path.replace("{id}", "ETHUSDT").replace("{file}", "docs.js");
        let refused = server.request(&method.to_uppercase(), &format!("{address}?surely_unknown=1"), &[]);
        assert_eq!(refused.problem(), "unknown-parameter", "{path}");
        let mut read = refused.json()["candidates"].as_array().cloned().unwrap_or_default();
        documented.sort_by_key(Value::to_string);
        read.sort_by_key(Value::to_string);
        assert_eq!(documented, read, "{path}");
    }
}

#[test]
fn the_served_description_is_the_committed_one() {
    let server = Server::start();
    assert!(server.get("/openapi.json").text() == include_str!("../../openapi.json"));
}

#[test]
fn pages_need_nothing_from_elsewhere() {
    let server = listening();
    for page in ["/", "/docs", "/docs/docs.js", "/docs/page.css"] {
        let text = server.get(page).text();
        assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("//cdn"), "{page}");
        assert!(!text.contains("innerHTML"), "{page}: answers become text, never markup");
    }
    let home = server.get("/");
    if !barograph_api::page_is_built() {
        let text = home.text();
        assert!(text.contains(env!("CARGO_PKG_VERSION")) && !text.contains("{version}") && text.contains("make build"));
    }
    let policy = home.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    // Every link of the pages leads somewhere.
    for page in ["/", "/docs"] {
        let text = server.get(page).text();
        let links = text.split("href=\"").chain(text.split("src=\"")).skip(1).filter_map(|t| t.split('"').next());
        for link in links.filter(|l| l.starts_with('/')) {
            assert_eq!(server.get(link).status, 200, "{link} on {page}");
        }
    }
}

/// Parameters for a side the caller or the followed strategy chose, and the caller's own words repeated (C01); whose stops lie at a level, and which side a
/// squeeze presses; and what a recorded book and tape hold, which is others'.
const THE_CALLERS: [(&str, &[&str]); 14] = [
    ("AdviceRequest", &["side", "size", "max_leverage"]),
    ("AdviceView", &["side", "size"]),
    ("AdviceOption", &["size"]),
    ("ParameterView", &["size_factor", "size_factor_fallback"]),
    ("SizeView", &["size_base_units"]),
    ("Holding", &["side"]),
    ("HoldingView", &["side"]),
    ("NewPosition", &["side", "size"]),
    ("Position", &["side", "size"]),
    ("LevelView", &["side"]),
    ("ListedTrade", &["side"]),
    ("MomentView", &["side"]),
    // What others had in the book and traded, as the venue published it.
    ("PriceLevel", &["qty"]),
    ("TapeTrade", &["qty", "aggressor_side"]),
];

#[test]
fn no_payload_has_a_field_that_could_be_an_order() {
    // C01: output is context for a human; names that only an order would have do not occur.
    let api = document();
    for (name, schema) in api["components"]["schemas"].as_object().unwrap() {
        let callers = THE_CALLERS.iter().find(|(n, _)| n == name).map_or(&[][..], |(_, fields)| fields);
        let fields = schema["properties"].as_object().into_iter().flat_map(|p| p.keys());
        for field in fields.filter(|f| !callers.contains(&f.as_str())) {
            let words: Vec<&str> = field.split('_').collect();
            for order in ["order", "side", "size", "quantity", "qty", "buy", "sell", "leverage"] {
                assert!(!words.contains(&order), "{name}.{field}");
            }
        }
    }
}

/// What language models are sent to is there.
#[test]
fn every_address_that_language_models_are_sent_to_answers() {
    let server = listening();
    let text = server.get("/llms.txt").text();
    assert!(text.starts_with("# barograph\n\n> "), "a title and what it is");
    let links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 8, "{links:?}");
    for link in links.into_iter().filter(|link| *link != "/mcp") {
        let status = server.get(link).status;
        assert!(status == 200 || (link == "/readyz" && status == 503), "{link}: {status}");
    }
}
