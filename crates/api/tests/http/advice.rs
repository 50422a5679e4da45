//! Advice and positions over HTTP: bodies are JSON and bounded, mistakes are named, positions come and go; and no schema or
//! text of the whole API has room for an order, a side that was not given, or a call to trade (C01).

use super::client::{Reply, Server};
use super::schema::{differences, document};
use serde_json::{Value, json};

pub(crate) const JSON: &str = "application/json";

pub(crate) fn send(server: &Server, method: &str, path: &str, kind: &str, body: &str) -> Reply {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    server.raw(format!("{head}{body}").as_bytes())
}

pub(crate) fn post(server: &Server, path: &str, body: &Value) -> Reply {
    send(server, "POST", path, JSON, &body.to_string())
}

fn asked() -> Value {
    json!({"symbol": "binance-usdm:BTCUSDT", "side": "long", "entry": 50000, "stop": 49160, "equity": 10000})
}

#[test]
fn bad_bodies_get_problem_documents() {
    let server = Server::start();
    let good = asked().to_string();
    let cases: &[(&str, &str, String, u16, &str, &str)] = &[
        ("/api/v1/advice", "text/plain", good.clone(), 415, "unsupported-media-type", "text/plain"),
        ("/api/v1/advice", "application/x-www-form-urlencoded", good.clone(), 415, "unsupported-media-type", "form"),
        ("/api/v1/advice", JSON, "{".to_owned(), 400, "bad-body", "it ends too early"),
        ("/api/v1/advice", JSON, "[]".to_owned(), 400, "bad-body", "one JSON object is expected"),
        ("/api/v1/advice", JSON, good.replace("equity", "equtiy"), 400, "bad-body", "equtiy"),
        ("/api/v1/advice", JSON, good.replace("50000", "\"50000\""), 400, "bad-body", "'entry' must be a number"),
        ("/api/v1/advice", JSON, good.replace("50000", "1e999"), 400, "bad-body", "out of range"),
        ("/api/v1/advice", JSON, json!({"symbol": "BTCUSDT", "side": "long"}).to_string(), 400, "bad-body", "entry"),
        ("/api/v1/advice", JSON, good.replace("binance-usdm:BTCUSDT", "BTCUSDX"), 404, "unknown-symbol", "BTCUSDX"),
        ("/api/v1/advice", JSON, good.replace("binance-usdm:", ""), 409, "ambiguous-symbol", "say one"),
        ("/api/v1/advice", JSON, good.replace("long", "up"), 400, "bad-field", "long or short"),
        ("/api/v1/advice", JSON, " ".repeat(17_000), 413, "body-refused", "16384"),
        ("/api/v1/advice?as_of=yesterday", JSON, good.clone(), 400, "bad-time", "yesterday"),
        ("/api/v1/advice?asof=1", JSON, good.clone(), 400, "unknown-parameter", "asof"),
        (
            "/api/v1/advice?as_of=2026-02-05",
            JSON,
            good.replace("{", "{\"as_of\": \"2026-02-05\", "),
            400,
            "repeated-parameter",
            "body",
        ),
        ("/api/v1/positions", "text/plain", good.clone(), 415, "unsupported-media-type", "text/plain"),
        ("/api/v1/positions", JSON, good.clone(), 400, "bad-body", "equity"),
        ("/api/v1/markets", JSON, good.clone(), 413, "body-refused", "this route reads none"),
    ];
    for (path, kind, body, status, problem, said) in cases {
        let reply = send(&server, "POST", path, kind, body);
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (*status, *problem),
            "{path} {body:.80}: {}",
            reply.text()
        );
        assert!(reply.text().contains(said), "{path}: {}", reply.text());
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    for (method, path, allow) in [
        ("GET", "/api/v1/advice", "POST"),
        ("DELETE", "/api/v1/positions", "GET, HEAD, POST"),
        ("PUT", "/api/v1/positions/x", "GET, HEAD, DELETE"),
        ("DELETE", "/api/v1/notices", "GET, HEAD"),
    ] {
        let reply = server.request(method, path, &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)), "{method} {path}");
    }
}

#[test]
fn advice_is_answered_as_documented_now_and_as_of_a_moment() {
    let server = Server::start();
    let api = document();
    let reply = post(&server, "/api/v1/advice", &asked());
    assert_eq!(reply.status, 200, "{}", reply.text());
    let schema = &api["paths"]["/api/v1/advice"]["post"]["responses"]["200"]["content"][JSON]["schema"];
    assert_eq!(differences(&api, schema, &reply.json(), "advice"), Vec::<String>::new());
    assert_eq!(reply.json()["side"], "long");
    // Where the moment stands makes no difference.
    let earlier = "2026-02-05T01:00:00Z";
    let mut body = asked();
    body["as_of"] = earlier.into();
    for reply in
        [post(&server, &format!("/api/v1/advice?as_of={earlier}"), &asked()), post(&server, "/api/v1/advice", &body)]
    {
        assert_eq!(reply.json()["snapshot"]["timestamp"], "2026-02-05T00:59:00Z", "{}", reply.text());
    }
    // A charset is fine.
    assert_eq!(
        send(&server, "POST", "/api/v1/advice", "application/json; charset=utf-8", &asked().to_string()).status,
        200
    );
}

#[test]
fn positions_come_and_go() {
    let server = Server::start();
    let api = document();
    let new = json!({"symbol": "binance-usdm:ETHUSDT", "side": "short", "entry": 2500, "id": "eth 1"});
    let reply = post(&server, "/api/v1/positions", &new);
    assert_eq!((reply.status, reply.header("location")), (201, Some("/api/v1/positions/eth%201")), "{}", reply.text());
    let place = reply.header("location").unwrap().to_owned();
    let whole = server.json("/api/v1/positions");
    let schema = &api["paths"]["/api/v1/positions"]["get"]["responses"]["200"]["content"][JSON]["schema"];
    assert_eq!(differences(&api, schema, &whole, "positions"), Vec::<String>::new());
    assert_eq!(whole["items"][0]["position"]["id"], "eth 1");
    assert_eq!(server.json(&place)["position"]["side"], "short");
    assert_eq!(server.json("/api/v1/positions?as_of=2026-02-05")["items"], json!([]));
    let notices = server.json("/api/v1/notices?position=eth%201&limit=5");
    let schema = &api["paths"]["/api/v1/notices"]["get"]["responses"]["200"]["content"][JSON]["schema"];
    assert_eq!(differences(&api, schema, &notices, "notices"), Vec::<String>::new());
    assert_eq!(notices["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.request("DELETE", &place, &[]).status, 204);
    for (method, place) in [("GET", place.as_str()), ("DELETE", place.as_str())] {
        let reply = server.request(method, place, &[]);
        assert_eq!((reply.status, reply.problem().as_str()), (404, "unknown-position"), "{method}");
    }
    let reply = server.request("DELETE", "/api/v1/positions/of-the-file", &[]);
    assert_eq!((reply.status, reply.problem().as_str()), (409, "conflict"), "{}", reply.text());
    assert!(reply.json()["hint"].as_str().unwrap().contains("file"));
    assert_eq!(server.get("/api/v1/notices?limit=1001").problem(), "bad-number");
}

/// Names of fields that would be an order or an instruction, whatever they held.
const ORDER_LIKE: [&str; 16] = [
    "order",
    "orders",
    "order_type",
    "order_id",
    "client_order_id",
    "place",
    "execute",
    "execution",
    "action",
    "buy",
    "sell",
    "signal",
    "recommendation",
    "recommended_side",
    "direction_to_trade",
    "time_in_force",
];
/// Words no text of the API may hold.
const FORBIDDEN: [&str; 6] = ["buy", "sell", "guarantee", "guaranteed", "profit", "profits"];

/// Walks every schema: names of fields, words of enumerations, descriptions.
fn walk(at: &str, schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(properties) = schema["properties"].as_object() {
                for name in properties.keys() {
                    if ORDER_LIKE.contains(&name.as_str()) {
                        found.push(format!("{at}: field {name}"));
                    }
                }
            }
            for (name, inner) in fields {
                walk(&format!("{at}/{name}"), inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|i| walk(at, i, found)),
        Value::String(text) => {
            let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase);
            found.extend(words.filter(|w| FORBIDDEN.contains(&w.as_str())).map(|w| format!("{at}: '{w}' in {text}")));
        }
        _ => {}
    }
}

#[test]
fn no_schema_has_room_for_an_order_or_a_call_to_trade() {
    let mut found = Vec::new();
    let document = document();
    walk("", &document, &mut found);
    assert_eq!(found, Vec::<String>::new());
    // A side is only ever the one that was given: in what people send, in what repeats it, whose stops lie at a level, and what
    // the strategy that is followed on paper considered.
    let sides: Vec<&String> = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, s)| s["properties"]["side"].is_object())
        .map(|(name, _)| name)
        .collect();
    let known = [
        "AdviceRequest",
        "AdviceView",
        "Holding",
        "HoldingView",
        "LevelView",
        "ListedTrade",
        "MomentView",
        "NewPosition",
        "Position",
    ];
    assert_eq!(sides, known);
    let mut bad = Vec::new();
    walk("", &json!({"properties": {"order": {"description": "sell here"}}}), &mut bad);
    assert_eq!(bad.len(), 2, "{bad:?}");
}
