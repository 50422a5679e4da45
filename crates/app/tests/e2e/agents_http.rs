//! Sessions of agents over HTTP: begun, spoken with by their token, and judged; the token opens nothing else.

use crate::agents::{place_of, posted};
use crate::agents_locked::{FROM, MARKETS, UNTIL, attempt, leak};
use crate::support::data::stored;
use crate::support::http::Server;
use crate::support::{Place, Random, json_lines};
use barograph_domain::Ts;
use serde_json::{Value, json};

/// Begins a session; its id and token.
fn begun(server: &Server, new: &Value) -> (String, String) {
    let reply = server.send("POST", "/api/v1/agent-sessions", new);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let json = reply.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), Some(format!("/api/v1/agent-sessions/{}", text("id")).as_str()));
    (text("id"), text("token"))
}

/// The result of a call with this token.
fn called(server: &Server, token: &str, tool: &str, arguments: &Value, more: &str) -> Value {
    let message =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let headers = format!("mcp-protocol-version: 2025-11-25\r\nauthorization: Bearer {token}\r\n{more}");
    let (status, body) = posted(place_of(server), message.to_string().as_bytes(), &headers);
    assert_eq!(status, 200, "{tool} {arguments}: {body}");
    let json = body.find('{').zip(body.rfind('}')).map(|(from, to)| &body[from..=to]).unwrap_or_default();
    serde_json::from_str::<Value>(json).unwrap_or_else(|e| panic!("{tool}: {e}: {body}"))["result"].clone()
}

fn new(agent: &str) -> Value {
    json!({"agent": agent, "from": FROM, "until": UNTIL})
}

/// ETags of answers of the whole store, as somebody holds them who has asked before: of now, and of moments of the session.
fn etags(server: &Server) -> Vec<String> {
    let routes = ["markets/BTCUSDT/context", "markets", "events?limit=10", "universe", "markets/BTCUSDT/levels"];
    let moments = ["", "2026-02-04T00:00:00Z", UNTIL];
    let ask = |route: &str, as_of: &str| {
        let sign = if route.contains('?') { '&' } else { '?' };
        let as_of = if as_of.is_empty() { String::new() } else { format!("{sign}as_of={as_of}") };
        let reply = server.get(&format!("/api/v1/{route}{as_of}"));
        reply.header("etag").unwrap_or_else(|| panic!("{route}: {}", reply.text())).to_owned()
    };
    routes.iter().flat_map(|route| moments.map(|as_of| ask(route, as_of))).collect()
}

#[test]
fn a_session_over_http_knows_nothing_of_the_future_and_is_judged() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let (id, token) = begun(&server, &new("over http"));
    assert_eq!(id, "over-http-1");
    let mut held = etags(&server);
    held.push("*".to_owned());
    let (mut random, mut clock, mut answered, mut again) = (Random::new(5), Ts::parse(FROM).unwrap(), 0, 0);
    for n in 0..600 {
        let (tool, given) = attempt(&mut random, clock, MARKETS);
        // What a client holds already changes nothing: an answer is never "not modified".
        let etag = &held[usize::try_from(random.below(held.len() as u64)).unwrap()];
        let answer = called(&server, &token, tool, &given, &format!("if-none-match: {etag}\r\n"));
        if answer["isError"] == false {
            answered += 1;
            assert_eq!(leak(&answer, clock), None, "call {n} at {clock}: {tool} {given}");
        }
        if n % 6 == 0 && tool != "advance" {
            again += 1;
            assert_eq!(called(&server, &token, tool, &given, ""), answer, "{tool} {given} with {etag}, and without");
        }
        if n % 50 == 0 {
            let (market, event) = if n % 100 == 0 { ("BTCUSDT", "hv_1h") } else { ("ETHUSDT", "calm_4h") };
            let stated = json!({"market": market, "event": event, "probability": 0.2});
            assert_eq!(called(&server, &token, "forecast", &stated, "")["isError"], false);
            let moved = called(&server, &token, "advance", &json!({"minutes": 60}), "");
            clock = Ts::parse(moved["structuredContent"]["clock"].as_str().unwrap()).unwrap();
        }
    }
    assert!(answered > 200, "{answered} had an answer");
    let listed = server.json("/api/v1/agent-sessions")["items"].clone();
    let line =
        listed.as_array().unwrap().iter().find(|line| line["id"] == id.as_str()).unwrap_or_else(|| panic!("{listed}"));
    assert_eq!(
        (&line["agent"], &line["calls"], &line["forecasts"], &line["is_masked"], &line["is_open"]),
        (&json!("over http"), &json!(624 + again), &json!(12), &json!(false), &json!(true))
    );
    let report = server.json(&format!("/api/v1/agent-sessions/{id}"));
    let printed = stored.place.ok(&format!("mcp --data data --report data/agent-sessions/{id}.jsonl --json"));
    assert_eq!(report, json_lines(&printed)[0]);
    let scored: Vec<_> = report["scores"].as_array().unwrap().iter().map(|score| score["n"].clone()).collect();
    assert_eq!((&report["forecasts"], scored), (&json!(12), vec![json!(6), json!(6)]), "{report}");
    listed_beside_the_ledger(&stored.place, &server, &id, &report);
}

/// What an agent forecast is listed as the ledger's forecasts are, and page by page, and its score follows from what is listed.
fn listed_beside_the_ledger(place: &Place, server: &Server, id: &str, report: &Value) {
    let address = format!("/api/v1/forecasts?classifier=agent:{id}");
    let items = server.json(&address)["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 12);
    for own in &items {
        let issued = own["issued_ts"].as_str().unwrap();
        let to = (Ts::parse(issued).unwrap() + barograph_domain::Span::mins(1)).iso();
        let (event, market) = (own["event_id"].as_str().unwrap(), own["symbol"].as_str().unwrap());
        let case = server.json(&format!("/api/v1/forecasts?event={event}&market={market}&from={issued}&to={to}"));
        let case = &case["items"][0];
        assert_eq!((&own["classifier_id"], &own["probability"]), (&json!(format!("agent:{id}")), &json!(0.2)));
        for field in ["outcome", "resolved_at", "climatology", "persistence", "evidence", "resolve_after", "symbol"] {
            assert_eq!(own[field], case[field], "{field} of {issued}");
        }
        assert!(own["outcome"].is_u64() && own["forecast_id"] != case["forecast_id"], "{own}");
    }
    for score in report["scores"].as_array().unwrap() {
        let of: Vec<_> = items.iter().filter(|one| one["event_id"] == score["event"]).collect();
        let losses: f64 = of.iter().map(|one| (one["outcome"].as_f64().unwrap() - 0.2).powi(2)).sum();
        let (brier, reported) = (losses / 6.0, score["brier"].as_f64().unwrap());
        assert!(of.len() == 6 && (brier - reported).abs() < 1e-12, "{brier} of the list, {reported} of the report");
    }
    let of_one = server.json(&format!("{address}&event=calm_4h&market=ETHUSDT"));
    assert_eq!(of_one["items"].as_array().map(Vec::len), Some(6));
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("{address}&limit=5{cursor}"));
        paged.splice(0..0, page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, items);
    let printed = json_lines(&place.ok(&format!("forecasts --data data --classifier agent:{id} --json")));
    assert_eq!(printed, items);
    place.ok(&format!("forecasts --data data --classifier agent:{id} --export agent.csv"));
    let written = std::fs::read_to_string(place.path("agent.csv")).unwrap();
    assert!(written.lines().count() == 13 && written.contains(&format!("agent:{id}")), "{written}");
    assert_eq!(server.json(&format!("{address}&as_of={FROM}"))["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/v1/forecasts?classifier=agent:nobody-1").problem(), "unknown-session");
    let refused = server.get(&format!("/api/v1/scorecard?classifier=agent:{id}"));
    assert!(
        refused.status == 400 && refused.text().contains(&format!("/api/v1/agent-sessions/{id}")),
        "{}",
        refused.text()
    );
    let nobody = place.run("forecasts --data data --classifier agent:nobody-1").exits(2);
    assert!(nobody.err.contains("agent-sessions"), "{}", nobody.err);
}

/// Everything that a token of a session is tried on.
fn addresses() -> Vec<String> {
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/openapi.json");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(document).unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().keys().filter(|path| *path != "/mcp");
    paths.map(|path| path.replace("{id}", "BTCUSDT").replace(['{', '}'], "")).chain(["/nowhere".to_owned()]).collect()
}

#[test]
fn its_token_opens_mcp_and_nothing_else() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let (_, token) = begun(&server, &new("closed in"));
    let bearer = format!("Bearer {token}");
    let cookie = format!("barograph_session={token}");
    for path in addresses() {
        for header in [("Authorization", bearer.as_str()), ("Cookie", cookie.as_str())] {
            let reply = server.request(&path, &[header]);
            assert_eq!((reply.status, reply.problem().as_str()), (403, "forbidden"), "{path} {}", reply.text());
        }
    }
    assert_eq!(server.get("/api/v1/markets").status, 200, "without it everything is as before");
    // One that is of no open session is not taken for none, and one of another kind opens no session.
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "markets"}}).to_string();
    for stranger in ["brgs_nobody", &token[..token.len() - 1], "brgs_"] {
        let (status, body) =
            posted(place_of(&server), call.as_bytes(), &format!("authorization: Bearer {stranger}\r\n"));
        assert_eq!(status, 401, "{stranger}: {body}");
    }
    let foreign = format!("authorization: Bearer {token}\r\norigin: http://evil.example\r\n");
    assert_eq!(posted(place_of(&server), call.as_bytes(), &foreign).0, 403);
}

#[test]
fn what_cannot_be_a_session_is_refused_and_there_are_not_too_many() {
    let place = Place::new();
    crate::support::data::slice(&place.path("in"), &["BTCUSDT"], "2026-02-01", "2026-02-05");
    place.ok("collect --source in --data data");
    let server = Server::start(&place, "data");
    let none = server.json("/api/v1/agent-sessions");
    assert_eq!(none, json!({"items": [], "more": false}));
    let (from, until) = ("2026-02-03T00:00:00Z", "2026-02-04T00:00:00Z");
    for (new, status, words) in [
        (json!({"from": from}), 400, "the field 'until' is missing"),
        (json!({"from": from, "until": until, "agnt": "a"}), 400, "did you mean 'agent'"),
        (json!({"from": until, "until": from}), 400, "give an end after the beginning"),
        (json!({"from": from, "until": until, "agent": ""}), 400, "has 1 to 64 characters"),
        (json!({"from": from, "until": until, "seed": 5}), 400, "it is for a mask"),
        (json!({"from": from, "until": until, "mask": true, "seed": 1_u64 << 60}), 400, "is too large"),
        (json!({"from": from, "until": "2100-01-01T00:00:00Z"}), 400, "until: "),
    ] {
        let reply = server.send("POST", "/api/v1/agent-sessions", &new);
        assert_eq!(reply.status, status, "{new}: {}", reply.text());
        reply.problem();
        assert!(reply.text().contains(words), "{new}: {}", reply.text());
    }
    for path in ["nobody-1", "..%2Ftokens", "%2e%2e", "a.jsonl"] {
        let reply = server.get(&format!("/api/v1/agent-sessions/{path}"));
        assert_eq!((reply.status, reply.problem().as_str()), (404, "unknown-session"), "{path}");
    }
    for n in 1..=32 {
        let (id, _) = begun(&server, &json!({"agent": "crowd", "from": from, "until": until}));
        assert_eq!(id, format!("crowd-{n}"));
    }
    let full = server.send("POST", "/api/v1/agent-sessions", &json!({"from": from, "until": until}));
    assert_eq!((full.status, full.problem().as_str()), (429, "too-many-requests"), "{}", full.text());
    assert_eq!(server.json("/api/v1/agent-sessions")["items"].as_array().map(Vec::len), Some(32));
}
