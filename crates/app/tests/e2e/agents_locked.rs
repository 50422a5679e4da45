//! Sessions in which nobody can see the future: a hostile client, the record, and what a session was worth.

use crate::support::data::{STORED_FROM, stored};
use crate::support::{Place, Random, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

pub(crate) const FROM: &str = "2026-02-03T00:00:00Z";
pub(crate) const UNTIL: &str = "2026-02-06T00:00:00Z";

/// A client that has started the program.
pub(crate) struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: u64,
}

impl Client {
    pub(crate) fn start(place: &Place, args: &str) -> Self {
        let words = format!("mcp --data data {args}");
        let mut command = place.command(words.split_whitespace());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut client = Self { child, input, output, asked: 0 };
        let hello =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        assert_eq!(client.ask("initialize", &hello)["result"]["serverInfo"]["name"], "barograph");
        writeln!(client.input, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
        client
    }

    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let message = json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        writeln!(self.input, "{message}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments}))["result"].clone()
    }

    pub(crate) fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

/// Every moment that is written anywhere in an answer, whatever is around it.
fn moments(text: &str) -> Vec<Ts> {
    let is_moment = |at: usize| {
        let part = text.get(at..at + 16)?;
        let is_date = part.as_bytes()[4] == b'-' && part.as_bytes()[10] == b'T' && part.as_bytes()[13] == b':';
        is_date.then(|| Ts::parse(&format!("{part}:00Z")).ok()).flatten()
    };
    text.match_indices("20").filter_map(|(at, _)| is_moment(at)).collect()
}

/// The first moment of an answer that is later than the clock.
pub(crate) fn leak(answer: &Value, clock: Ts) -> Option<Ts> {
    moments(&answer.to_string()).into_iter().find(|moment| *moment > clock)
}

/// Markets that are asked about, and what is none.
pub(crate) const MARKETS: [&str; 6] = ["BTCUSDT", "ETHUSDT", "binance-usdm:BTCUSDT", "SOLUSDT", "NOSUCH", "../clock"];

/// What a hostile client tries: every tool, every argument, moments around the clock in every way of writing them.
pub(crate) fn attempt(random: &mut Random, clock: Ts, markets: [&str; 6]) -> (&'static str, Value) {
    let hours = i64::try_from(random.below(400)).unwrap() - 200;
    let moment = clock + Span::mins(30 * hours);
    let written = |random: &mut Random| match random.below(6) {
        0 => json!(moment.iso()),
        1 => json!(moment.iso().replace('Z', "+00:00")),
        2 => json!(moment.iso().replace('Z', "-05:00")),
        3 => json!((moment.0 / 1_000_000).to_string()),
        4 => json!(moment.iso()[..10]),
        _ => json!("tomorrow"),
    };
    let market = json!(markets[usize::try_from(random.below(6)).unwrap()]);
    let (tool, mut given) = match random.below(100) {
        0 => ("scorecard", json!({"event": "hv_1h"})),
        1 => {
            ("whatif", json!({"set": ["HIGH_VOL.realized_vol_1h=0.9"], "from": written(random), "to": written(random)}))
        }
        2 => ("similar", json!({"market": market})),
        3..=6 => ("events", json!({"market": market, "from": written(random)})),
        7..=9 => ("history", json!({"market": market, "from": written(random)})),
        10..=14 => (
            "history",
            json!({"market": market, "features": ["realized_vol_1h"], "from": written(random), "to": written(random)}),
        ),
        15..=19 => ("levels", json!({"market": market})),
        20..=24 => ("feeds", json!({"market": market})),
        25..=29 => ("universe", json!({})),
        30..=31 => ("universe", json!({"holdings": [{"symbol": market, "side": "long"}]})),
        32..=34 => ("advise", json!({"market": market, "side": "long", "entry": 70_000, "stop": 68_000})),
        35..=44 => ("markets", json!({"text": "btc"})),
        45..=46 => ("catalogue", json!({"text": "funding"})),
        47..=50 => ("advance", json!({"minutes": -5})),
        _ => ("context", json!({"market": market, "why": random.below(2) == 0})),
    };
    // Now and then a name that a tool does not have.
    for (name, often) in
        [("as_of", 3), ("from", 25), ("to", 25), ("clock", 60), ("now", 60), ("start", 60), ("end", 60)]
    {
        if random.below(often) == 0 {
            given[name] = written(random);
        }
    }
    if random.below(30) == 0 {
        given["cursor"] = json!("3-00000000");
    }
    (tool, given)
}

/// Arguments that a tool has beside those above, now and then; cursors of earlier answers, whichever tool gave them.
pub(crate) fn embellish(random: &mut Random, tool: &str, given: &mut Value, cursors: &[String]) {
    let more = [
        ("events", "pattern", json!("REGIME_CHANGE")),
        ("events", "severity", json!("HIGH")),
        ("events", "open", json!(true)),
        ("events", "id", json!("3c995189-0ed4-591e-a84a-d3c70e6989ba")),
        ("levels", "side", json!("above")),
        ("levels", "within", json!(0.05)),
        ("markets", "venue", json!("binance-usdm")),
        ("markets", "label", json!("HIGH_VOL")),
        ("markets", "min_oi_usd", json!(1_000_000)),
        ("advise", "equity", json!(10_000)),
        ("advise", "taker_fee", json!(0.000_5)),
        ("history", "step", json!("1h")),
        ("universe", "markets", json!(["BTCUSDT", "ETHUSDT"])),
        ("scorecard", "window", json!("all")),
        ("scorecard", "market", json!("BTCUSDT")),
        ("whatif", "markets", json!(["BTCUSDT"])),
        ("feeds", "venue", json!("binance-usdm")),
        ("catalogue", "rules", json!(true)),
        ("catalogue", "id", json!("realized_vol_1h")),
    ];
    for (of, name, value) in more {
        if of == tool && random.below(4) == 0 {
            given[name] = value;
        }
    }
    if random.below(4) == 0 {
        given["budget"] = json!(200 + random.below(7_800));
    }
    if !cursors.is_empty() && random.below(10) == 0 {
        let at = usize::try_from(random.below(cursors.len() as u64)).unwrap();
        given["cursor"] = json!(cursors[at]);
    }
}

/// So many hostile calls; the record's path, and how many answers were no refusals.
fn attacked(place: &Place, record: &str, seed: u64, calls: usize) -> usize {
    let mut client =
        Client::start(place, &format!("--locked --from {FROM} --until {UNTIL} --agent hostile --record {record}"));
    let (mut random, mut clock, mut answered) = (Random::new(seed), Ts::parse(FROM).unwrap(), 0);
    let mut cursors = Vec::new();
    for n in 0..calls {
        let (tool, mut given) = attempt(&mut random, clock, MARKETS);
        embellish(&mut random, tool, &mut given, &cursors);
        let answer = client.call(tool, &given);
        cursors.extend(answer["structuredContent"]["next"].as_str().map(str::to_owned));
        // A refusal repeats what was asked for.
        if answer["isError"] == false {
            answered += 1;
            assert_eq!(leak(&answer, clock), None, "call {n} at {clock}: {tool} {given}");
        }
        if n % 97 == 0 {
            let minutes = json!({"minutes": 1 + random.below(60)});
            let event = json!({"to_next": "REGIME_CHANGE", "market": "BTCUSDT"});
            let moved = client.call("advance", if n % 970 == 0 { &event } else { &minutes });
            let now = Ts::parse(moved["structuredContent"]["clock"].as_str().unwrap()).unwrap();
            assert!(now >= clock, "the clock went from {clock} to {now}");
            clock = now;
        }
    }
    client.end();
    answered
}

#[test]
fn ten_thousand_hostile_calls_learn_nothing_of_the_future() {
    let stored = stored();
    let place = &stored.place;
    let answered: usize = std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..2).map(|n| scope.spawn(move || attacked(place, &format!("hostile-{n}.jsonl"), n, 5_000))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert!(answered > 3_000, "{answered} of ten thousand calls had an answer");
    // The same calls give the same record, to the bit.
    attacked(place, "again-a.jsonl", 9, 200);
    attacked(place, "again-b.jsonl", 9, 200);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert_eq!(read("again-a.jsonl"), read("again-b.jsonl"));
}

#[test]
fn a_tool_that_knows_of_later_is_found() {
    let stored = stored();
    // Without the lock every tool answers of now: the check that finds nothing above has to find it here.
    let mut client = Client::start(&stored.place, "");
    let clock = Ts::parse(FROM).unwrap();
    let market = json!({"market": "BTCUSDT"});
    for tool in ["context", "levels", "feeds", "markets", "similar", "universe"] {
        let given = if matches!(tool, "markets" | "universe") { json!({}) } else { market.clone() };
        assert!(leak(&client.call(tool, &given), clock).is_some(), "{tool}");
    }
    client.end();
}

/// What a session says of a market that it cannot know yet, and of one that there is not.
#[test]
fn before_its_first_minute_a_market_is_none() {
    let stored = stored();
    let early = Ts::parse(STORED_FROM).unwrap() - Span::days(2);
    for (mask, later, stranger) in [("", "BTCUSDT", "DOGEUSDT"), ("--mask --seed 7", "M01", "M77")] {
        let session = format!("--locked --from {early} --until {UNTIL} --agent early {mask}");
        let mut client = Client::start(&stored.place, &session);
        // Under a mask the session's own time is what it answers.
        let moved = client.call("advance", &json!({"minutes": 1}));
        let clock = Ts::parse(moved["structuredContent"]["clock"].as_str().unwrap()).unwrap();
        let mut ask = |tool: &str, given: &Value| {
            let answer = client.call(tool, given);
            assert_eq!(leak(&answer, clock), None, "{tool} {given}: {answer}");
            answer["content"][0]["text"].as_str().unwrap().to_owned()
        };
        for (tool, more) in [
            ("context", json!({})),
            ("levels", json!({})),
            ("similar", json!({})),
            ("history", json!({})),
            ("feeds", json!({})),
            ("events", json!({})),
            ("scorecard", json!({"event": "hv_1h"})),
            ("advise", json!({"side": "long", "entry": 70_000, "stop": 68_000})),
            ("forecast", json!({"event": "hv_1h", "probability": 0.5})),
        ] {
            let of = |market: &str| {
                let mut given = more.clone();
                given["market"] = json!(market);
                given
            };
            let [known, unknown] = [later, stranger].map(|market| ask(tool, &of(market)).replace(market, "X"));
            if mask.is_empty() {
                assert_eq!(known, unknown, "{tool}");
            }
            assert!(known.contains("is no market known at the clock"), "{tool}: {known}");
        }
        for (tool, given) in [
            ("markets", json!({})),
            ("universe", json!({"markets": [later]})),
            ("universe", json!({"holdings": [{"symbol": later, "side": "long", "notional": 1_000}]})),
            ("whatif", json!({"set": ["HIGH_VOL.realized_vol_1h=0.9"]})),
            ("whatif", json!({"set": ["HIGH_VOL.realized_vol_1h=0.9"], "markets": [later]})),
            ("universe", json!({})),
            ("scorecard", json!({})),
            ("feeds", json!({})),
            ("events", json!({})),
        ] {
            ask(tool, &given);
        }
        // Once it is there it is known; universe has markets go by their asset as well.
        client.call("advance", &json!({"minutes": 5 * 1_440}));
        if mask.is_empty() {
            let pairs = client.call("universe", &json!({"markets": ["BTC", "ETHUSDT"]}));
            assert_eq!(pairs["isError"], false, "{pairs}");
        }
        let answer = client.call("context", &json!({"market": later}));
        assert_eq!(answer["isError"], false, "{answer}");
        client.end();
    }
}

#[test]
fn a_session_is_recorded_judged_and_cannot_be_rewritten() {
    let stored = stored();
    let place = &stored.place;
    let mut client =
        Client::start(place, &format!("--locked --from {FROM} --until {UNTIL} --agent steady --record steady.jsonl"));
    let forecast = |client: &mut Client, p: f64| {
        client
            .call("forecast", &json!({"market": "BTCUSDT", "event": "hv_1h", "probability": p, "reason": "as before"}))
    };
    let first = forecast(&mut client, 0.25);
    assert_eq!(first["structuredContent"]["window_begins"], FROM, "{first}");
    let again = forecast(&mut client, 0.75);
    assert!(again["content"][0]["text"].as_str().unwrap().contains("is on record already"), "{again}");
    for n in 0..40 {
        client.call("advance", &json!({"minutes": 60}));
        let stated = forecast(&mut client, if n % 2 == 0 { 0.1 } else { 0.3 });
        assert_eq!(stated["isError"], false, "{stated}");
    }
    let next = client.call("advance", &json!({"to_next": "REGIME_CHANGE", "market": "BTCUSDT"}));
    assert_eq!(next["isError"], false, "{next}");
    client.call("advance", &json!({"minutes": 500_000}));
    let late = forecast(&mut client, 0.5);
    assert!(late["content"][0]["text"].as_str().unwrap().contains("after this session does"), "{late}");
    client.end();
    let report = &json_lines(&place.ok("mcp --data data --report steady.jsonl --json"))[0];
    assert_eq!(
        (&report["basis"]["agent"], &report["forecasts"], &report["calls"]),
        (&json!("steady"), &json!(41), &json!(85))
    );
    let score = &report["scores"][0];
    assert_eq!((&score["event"], score["n"].as_u64()), (&json!("hv_1h"), Some(41)), "{report}");
    assert!(
        score["against"]["rules"]["skill"].is_number() && score["brier"].as_f64().is_some_and(|b| b > 0.0),
        "{score}"
    );
    let text = place.ok("mcp --data data --report steady.jsonl");
    assert!(text.contains("41 forecasts on record") && text.contains("against persistence"), "{text}");
    let record = std::fs::read_to_string(place.path("steady.jsonl")).unwrap();
    place.write("changed.jsonl", &record.replacen("0.25", "0.95", 1));
    place.run("mcp --data data --report changed.jsonl").exits(2).says("is not what was written");
    place
        .run(&format!("mcp --data data --locked --from {FROM} --until {UNTIL} --record steady.jsonl"))
        .exits(2)
        .says("--record");
    place
        .run(&format!("mcp --data data --locked --from {UNTIL} --until {FROM}"))
        .exits(2)
        .says("give an end after the beginning");
    place.run("mcp --data data --locked").exits(2).says("--from");
}

#[test]
fn the_examined_agents_are_as_documented() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut command = std::process::Command::new("python3");
    let made = command.arg(docs.join("agents_examined.py")).arg(env!("CARGO_BIN_EXE_barograph")).output();
    let Ok(made) = made else {
        barograph_testkit::skipped("the examples of agents are not run: python3 is missing");
        return;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let worth = |text: &str| {
        // Hashes and tokens change with every sentence; what was forecast and what it was worth does not.
        let lines = text
            .lines()
            .filter(|line| [" Brier", " against", "hv_1h:", "trend_up_24h:"].iter().any(|w| line.starts_with(w)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let documented = std::fs::read_to_string(docs.join("agents-examined.md")).unwrap();
    let made = worth(&String::from_utf8_lossy(&made.stdout));
    assert_eq!(made.len(), 10);
    assert_eq!(made, worth(&documented), "run docs/agents_examined.py again");
}
