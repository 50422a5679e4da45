//! Tools for language models, over HTTP and over standard input and output, as clients ask them.

use crate::support::data::stored;
use crate::support::http::Server;
use crate::support::{Place, Random};
use barograph_domain::Ts;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;

const MOMENT: &str = "2026-02-05T14:35:00Z";

/// A call of every tool, as somebody would ask it.
pub(crate) fn calls() -> Vec<(&'static str, Value)> {
    vec![
        ("markets", json!({})),
        ("markets", json!({"label": "high_vol", "text": "btc"})),
        ("context", json!({"market": "BTCUSDT"})),
        ("context", json!({"market": "binance-usdm:BTCUSDT", "why": true})),
        ("history", json!({"market": "BTCUSDT", "features": ["realized_vol_1h"], "from": "2026-02-03"})),
        ("history", json!({"market": "BTCUSDT", "from": "2026-02-01"})),
        ("levels", json!({"market": "BTCUSDT", "side": "below", "within": 20})),
        ("advise", json!({"market": "BTCUSDT", "side": "short", "entry": 66_000, "stop": 68_000, "equity": 10_000})),
        ("events", json!({"market": "BTCUSDT"})),
        ("universe", json!({})),
        ("universe", json!({"holdings": [{"symbol": "BTCUSDT", "side": "long", "notional": 1_000}], "as_of": MOMENT})),
        ("scorecard", json!({"event": "hv_1h"})),
        ("similar", json!({"market": "BTCUSDT"})),
        ("whatif", json!({"set": ["HIGH_VOL.realized_vol_1h=0.9"], "from": "2026-02-01"})),
        ("feeds", json!({"market": "BTCUSDT"})),
        ("catalogue", json!({"text": "funding"})),
    ]
}

/// Sends bytes to `/mcp` and reads the answer to its end.
pub(crate) fn posted(at: SocketAddr, body: &[u8], headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         connection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Who refuses early may close before all of it was sent.
    let _refused_early = stream.write_all(body);
    let mut read = Vec::new();
    let _reset = stream.read_to_end(&mut read);
    let text = String::from_utf8_lossy(&read).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

pub(crate) fn place_of(server: &Server) -> SocketAddr {
    server.connect().peer_addr().unwrap()
}

/// The result of a call over HTTP.
fn called(server: &Server, tool: &str, arguments: &Value) -> Value {
    let message =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let (status, body) =
        posted(place_of(server), message.to_string().as_bytes(), "mcp-protocol-version: 2025-11-25\r\n");
    assert_eq!(status, 200, "{tool} {arguments}: {body}");
    // Chunks of a chunked answer are between lines of their sizes.
    let json = body.find('{').zip(body.rfind('}')).map(|(from, to)| &body[from..=to]).unwrap_or_default();
    let answer: Value = serde_json::from_str(json).unwrap_or_else(|e| panic!("{tool}: {e}: {body}"));
    answer["result"].clone()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

/// Tokens as the budget counts them: seven letters, three digits, seven tenths for any other sign.
fn tokens(result: &Value) -> usize {
    let kind = |c: char| (c.is_ascii_alphabetic(), c.is_ascii_digit());
    let of = |text: &str| {
        let runs = text.chars().collect::<Vec<_>>();
        let runs = runs.chunk_by(|a, b| kind(*a) == kind(*b) && kind(*a) != (false, false));
        let tenths = runs.map(|run| match (run[0], run.len()) {
            (c, n) if c.is_ascii_alphabetic() => 10 * n.div_ceil(7),
            (c, n) if c.is_ascii_digit() => 10 * n.div_ceil(3),
            (' ', _) => 0,
            (c, _) => {
                if c.is_ascii() {
                    7
                } else {
                    10
                }
            }
        });
        tenths.sum::<usize>().div_ceil(10)
    };
    of(text(result)) + of(&result["structuredContent"].to_string())
}

fn with(arguments: &Value, name: &str, value: Value) -> Value {
    let mut changed = arguments.clone();
    changed[name] = value;
    changed
}

/// Every moment that an answer names.
fn moments(value: &Value, found: &mut Vec<Ts>) {
    match value {
        Value::String(text) if text.len() >= 17 && text.ends_with('Z') => found.extend(Ts::parse(text)),
        Value::Array(items) => items.iter().for_each(|item| moments(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| moments(field, found)),
        _ => {}
    }
}

#[test]
fn a_field_of_advice_is_there_for_agents_as_soon_as_it_is_there() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let asked = json!({"market": "BTCUSDT", "side": "short", "entry": 66_000, "stop": 68_000});
    let told = called(&server, "advise", &with(&asked, "as_of", MOMENT.into()))["structuredContent"]["stop"].clone();
    let body = json!({"symbol": "BTCUSDT", "side": "SHORT", "entry": 66_000, "stop": 68_000});
    let stop = server.send("POST", &format!("/api/v1/advice?as_of={MOMENT}"), &body).json()["stop"].clone();
    for (name, value) in stop.as_object().unwrap().iter().filter(|(_, value)| value.is_number()) {
        let (told, value) = (told[name].as_f64().unwrap_or_else(|| panic!("{name}: {told}")), value.as_f64().unwrap());
        assert!((told / value - 1.0).abs() < 1e-4, "{name}: {told} for {value}");
    }
    assert!(stop["r_atr"].as_f64() > Some(0.0), "{stop}");
}

#[test]
fn every_tool_answers_within_its_budget_and_of_its_moment() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let as_of = Ts::parse(MOMENT).unwrap();
    let mut random = Random::new(7);
    for (tool, arguments) in calls() {
        let now = called(&server, tool, &arguments);
        assert_eq!(now["isError"], false, "{tool} {arguments}: {}", text(&now));
        assert!(tokens(&now) <= 800 && !text(&now).is_empty(), "{tool} {arguments}: {} tokens", tokens(&now));
        let asked = with(&arguments, "as_of", MOMENT.into());
        let then = called(&server, tool, &with(&asked, "budget", 8_000.into()));
        assert_eq!(then["isError"], false, "{tool} {asked}: {}", text(&then));
        let mut named = Vec::new();
        moments(&then["structuredContent"], &mut named);
        // What an alert or a calendar says of later is not known of it.
        assert!(named.iter().all(|t| *t <= as_of), "{tool} knows of {:?}", named.iter().max());
        for _ in 0..4 {
            let budget = usize::try_from(200 + random.below(1_500)).unwrap();
            let cut = called(&server, tool, &with(&asked, "budget", budget.into()));
            assert!(tokens(&cut) <= budget, "{tool} {budget}: {} tokens, {}", tokens(&cut), text(&cut));
        }
    }
}

#[test]
fn rows_that_were_cut_follow_with_the_cursor() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let asked = json!({"market": "BTCUSDT", "as_of": MOMENT, "budget": 8_000});
    let whole = called(&server, "levels", &asked)["structuredContent"]["levels"]["rows"].clone();
    let whole: Vec<Value> = whole.as_array().unwrap().clone();
    let (mut rows, mut cursor, mut pages) = (Vec::new(), None, 0);
    while rows.len() < whole.len() {
        let mut asked = with(&asked, "budget", 300.into());
        if let Some(cursor) = cursor {
            asked["cursor"] = cursor;
        }
        let page = called(&server, "levels", &asked)["structuredContent"].clone();
        let found = page["levels"]["rows"].as_array().unwrap_or_else(|| panic!("{page}"));
        rows.extend(found.iter().cloned());
        pages += 1;
        match page.get("next") {
            Some(next) => cursor = Some(next.clone()),
            None => break,
        }
    }
    assert!(pages > 2, "{pages} pages");
    assert_eq!(rows[..], whole[..]);
    let other = with(&with(&asked, "side", "above".into()), "cursor", "5-00000000".into());
    let refused = called(&server, "levels", &other);
    assert!(text(&refused).contains("belongs to another question"), "{}", text(&refused));
}

#[test]
fn what_has_no_answer_says_what_has() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    for (tool, arguments, words) in [
        ("context", json!({"market": "BTCUSD"}), "BTCUSDT"),
        ("context", json!({"market": "../../etc"}), "is no symbol known here"),
        ("context", json!({}), "'market' is missing"),
        ("context", json!({"market": "BTCUSDT", "as_of": "yesterday"}), "write 2026-02-05T14:35:00Z"),
        ("context", json!({"market": "BTCUSDT", "as_of": "2100-01-01"}), "ask for a moment up to now"),
        ("context", json!({"market": "BTCUSDT", "as_of": "2001-01-01"}), "had no snapshot"),
        ("markets", json!({"label": "HIGHVOL"}), "did you mean HIGH_VOL?"),
        (
            "history",
            json!({"market": "BTCUSDT", "features": ["realised_vol_1h"], "from": "2026-02-01"}),
            "realized_vol_1h",
        ),
        ("events", json!({"id": "00000000"}), "alert"),
        ("advise", json!({"market": "BTCUSDT", "side": "sideways", "entry": 1}), "there are long, short"),
        ("scorecard", json!({"event": "hv_2h"}), "hv_1h"),
        ("whatif", json!({"set": ["HIGH_VOL.realized_vol_2h=1"]}), "realized_vol"),
        ("feeds", json!({"market": "nowhere:X"}), "is no symbol known here; the tool markets lists all"),
        ("catalogue", json!({"id": "realised_vol_1h"}), "did you mean realized_vol_1h?"),
    ] {
        let refused = called(&server, tool, &arguments);
        let sentence = text(&refused);
        assert_eq!(refused["isError"], true, "{tool} {arguments}: {sentence}");
        assert!(sentence.contains(words) && sentence.len() < 400, "{tool} {arguments}: {sentence}");
    }
}

#[test]
fn garbage_and_floods_hurt_nobody_else() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let at = place_of(&server);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "markets"}}).to_string();
    let huge = format!("{call}{}", " ".repeat(200_000));
    let deep = "[".repeat(20_000);
    let bodies: [&[u8]; 7] = [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        huge.as_bytes(),
        deep.as_bytes(),
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"markts"}}"#,
    ];
    for body in bodies {
        let (status, answer) = posted(at, body, "");
        assert!(matches!(status, 200 | 202 | 400 | 413 | 415 | 422), "{status}: {answer}");
    }
    for (headers, wanted) in [("origin: http://evil.example\r\n", 403), ("sec-fetch-site: cross-site\r\n", 403)] {
        assert_eq!(posted(at, call.as_bytes(), headers).0, wanted, "{headers}");
    }
    assert_eq!(server.get("/mcp").status, 405);
    let call = call.as_bytes();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..50 {
                    let (status, answer) = posted(at, call, "");
                    assert!(matches!(status, 200 | 503), "{status}: {answer}");
                }
            });
        }
        for _ in 0..20 {
            assert_eq!(server.get("/healthz").status, 200);
        }
    });
}

/// Speaks with `mcp` and reads all that it says.
fn spoken(place: &Place, lines: &[Value]) -> Vec<Value> {
    let mut command = place.command(["mcp", "--data", "data"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    // Answers may come in any order, and the end of the input is the end: all of them have to be there before.
    let wanted = lines.iter().filter(|line| line.get("id").is_some()).count();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let answers = (0..wanted).map(|_| {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    });
    let answers: Vec<Value> = answers.collect();
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "nothing but the protocol");
    assert!(child.wait().unwrap().success());
    answers
}

#[test]
fn a_client_that_starts_the_program_speaks_both_revisions() {
    let stored = stored();
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let old = spoken(
        &stored.place,
        &[
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
            json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
            json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "context", "arguments": {"market": "ETHUSDT"}}}),
            json!({"jsonrpc": "2.0", "id": 4, "method": "prompts/list"}),
        ],
    );
    let of = |answers: &[Value], id: u64| answers.iter().find(|a| a["id"] == id).cloned().unwrap_or_default();
    let greeting = of(&old, 1);
    assert_eq!(greeting["result"]["serverInfo"]["name"], "barograph");
    assert_eq!(greeting["result"]["protocolVersion"], "2025-11-25");
    let tools = of(&old, 2)["result"]["tools"].clone();
    assert_eq!(tools.as_array().map(Vec::len), Some(12));
    let size = (2 * of(&old, 2)["result"].to_string().len()).div_ceil(7);
    assert!(size <= 2_500, "the list of tools has {size} tokens");
    let plain = tools.to_string();
    assert!(!["$ref", "anyOf", "oneOf"].iter().any(|word| plain.contains(word)), "{plain}");
    assert_eq!(of(&old, 3)["result"]["isError"], false);
    assert_eq!(of(&old, 4)["error"]["code"], -32601, "there are no prompts");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let new = spoken(
        &stored.place,
        &[
            json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}}),
            json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"_meta": meta, "name": "context", "arguments": {"market": "ETHUSDT"}}}),
        ],
    );
    let versions = of(&new, 1)["result"]["supportedVersions"].clone();
    assert!(versions.as_array().is_some_and(|all| all.contains(&"2026-07-28".into())), "{new:?}");
    assert_eq!(of(&new, 2)["result"]["resultType"], "complete", "{new:?}");
}
