//! `paper` against a process whose market is scripted, so that a cross is certain: logged once, through kills and outages, and resolved.

use crate::support::data::now;
use crate::support::http::Server;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const MINUTE: Span = Span::mins(1);
const MARKET: &str = "binance-usdm:BTCUSDT";

/// What the scripted process says.
#[derive(Clone, Debug)]
struct Script {
    /// Closes of its minutes, the last at this moment; volume is threefold where the price moves.
    closes: Vec<f64>,
    last: Ts,
    advice: Value,
    /// A minute that is not there.
    missing: Option<usize>,
    /// Named in every request for advice.
    strategy: &'static str,
}

/// A process that answers by a script, on a port of its own.
struct Scripted {
    addr: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(script));
        let held = Arc::clone(&script);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                answer(socket, &held.lock().unwrap().clone());
            }
        });
        Self { addr, script }
    }

    fn line(&self, more: &str) -> String {
        format!("paper --url http://{} --data data --timeframe 1m --horizon 5m --every 1s {more}", self.addr)
    }
}

fn answer(mut socket: TcpStream, script: &Script) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
    while reader.read_line(&mut line).unwrap_or(0) > 2 {
        if let Some(n) = line.strip_prefix("Content-Length: ") {
            length = n.trim().parse().unwrap();
        }
        head.push_str(&line);
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let value = if head.starts_with("GET /api/v1/markets/") {
        chart(script)
    } else if head.starts_with("GET /api/v1/markets") {
        json!({"items": [{"instrument": MARKET}]})
    } else {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((asked["symbol"].as_str(), asked["strategy"].as_str()), (Some(MARKET), Some(script.strategy)));
        script.advice.clone()
    };
    // Whoever was killed does not read it.
    drop(write!(socket, "HTTP/1.0 200 OK\r\n\r\n{value}"));
}

fn chart(script: &Script) -> Value {
    let n = i64::try_from(script.closes.len()).unwrap();
    let start = |i: i64| (script.last - MINUTE.times(n - i)).0 / 1_000_000_000;
    let before = |i: usize| script.closes[i.saturating_sub(1)];
    let moved = |i: usize| (script.closes[i] - before(i)).abs() > 0.2;
    let all = || (0..script.closes.len()).filter(|i| Some(*i) != script.missing);
    json!({
        "t": all().map(|i| start(i64::try_from(i).unwrap())).collect::<Vec<_>>(),
        "o": all().map(before).collect::<Vec<_>>(),
        "h": all().map(|i| before(i).max(script.closes[i])).collect::<Vec<_>>(),
        "l": all().map(|i| before(i).min(script.closes[i])).collect::<Vec<_>>(),
        "c": all().map(|i| script.closes[i]).collect::<Vec<_>>(),
        "v": all().map(|i| if moved(i) { 30.0 } else { 10.0 }).collect::<Vec<_>>(),
    })
}

fn advice(verdict: &str, confidence: Option<f64>, reason: &str) -> Value {
    json!({
        "verdict": verdict, "decided_by": reason, "reasons": [{"code": reason}], "summary": format!("{verdict}: {reason}"),
        "parameters": {"confidence": confidence, "confidence_kind": if confidence.is_some() { "calibrated" } else { "not_available" }},
        "stop": {"used": 100.0, "atr": 1.0}, "target": {"price": 104.0, "target_source": "ratio"},
        "size": {"size_base_units": 0.5, "risk_fraction": 0.01},
        "snapshot": {"snapshot_id": "s", "logic_version": "v", "session": "NY"},
    })
}

/// Forty quiet minutes a tick below their average, then a jump through it.
fn jump() -> Vec<f64> {
    let mut closes = vec![100.1];
    closes.extend([100.0; 40]);
    closes.push(102.0);
    closes
}

/// The newest minute that counts as closed and is still news for some seconds: waits for one where none is.
fn settled() -> Ts {
    loop {
        let at = now().floor(MINUTE);
        let age = now() - at;
        if (Span::secs(11)..Span::secs(40)).contains(&age) {
            return at;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

fn log(place: &Place) -> Vec<Value> {
    json_lines(&std::fs::read_to_string(place.path("data/paper/decisions.jsonl")).unwrap())
}

fn of<'a>(log: &'a [Value], kind: &str) -> Vec<&'a Value> {
    log.iter().filter(|r| r["type"] == kind).collect()
}

#[test]
fn decisions_are_logged_once_and_resolved_through_a_kill() {
    let place = Place::new();
    let last = settled();
    let script = Script {
        closes: jump(),
        last,
        advice: advice("ALLOW", Some(0.8), "ok"),
        missing: None,
        strategy: "volume_vwap",
    };
    let server = Scripted::start(script);
    let mut first = place.start(&server.line(""));
    first.err.wait_for("ALLOW by ok, confidence 0.80, taken on paper");
    first.kill();
    // As a machine that stops in the middle of a line leaves it.
    let path = place.path("data/paper/decisions.jsonl");
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    file.write_all(b"{\"type\":\"OUTC").unwrap();
    place.ok(&server.line("--for 2s"));
    let found = log(&place);
    let decisions = of(&found, "DECISION");
    assert_eq!((decisions.len(), of(&found, "STARTED").len(), of(&found, "OUTCOME").len()), (1, 2, 0), "{found:?}");
    let d = decisions[0];
    assert_eq!(
        (d["market"].as_str(), d["side"].as_str(), d["taken"].as_bool()),
        (Some(MARKET), Some("long"), Some(true))
    );
    assert_eq!(
        (d["entry"].as_f64(), d["stop"].as_f64(), d["plain_stop"].as_f64()),
        (Some(102.0), Some(100.0), Some(100.5))
    );
    assert_eq!((d["strategy"].as_str(), d["readings"]["volume_ratio"].as_f64()), (Some("volume_vwap"), Some(3.0)));
    assert!(of(&found, "LOW_CONFIDENCE").is_empty());
    // The market goes on: the next minutes reach both targets.
    {
        let mut script = server.script.lock().unwrap();
        script.closes.extend([103.0, 104.5]);
        // As if they had closed before: the script has no clock.
        script.last = last;
        let shift = MINUTE.times(2);
        let text = std::fs::read_to_string(&path).unwrap();
        let moved = |t: Ts| t.to_string();
        let text = text.replace(&moved(last), &moved(last - shift));
        std::fs::write(&path, text).unwrap();
    }
    place.ok(&server.line("--for 2s"));
    place.ok(&server.line("--for 2s"));
    let found = log(&place);
    let outcomes = of(&found, "OUTCOME");
    assert_eq!((of(&found, "DECISION").len(), outcomes.len()), (1, 1), "{found:?}");
    let o = outcomes[0];
    assert_eq!((o["context"]["exit"].as_str(), o["context"]["r"].as_f64()), (Some("target"), Some(1.0)));
    let cost = 102.0 * 0.00105 / 2.0;
    assert!((o["context"]["r_after_costs"].as_f64().unwrap() - (1.0 - cost)).abs() < 1e-9, "{o}");
    assert_eq!((o["plain"]["exit"].as_str(), o["plain"]["r"].as_f64()), (Some("target"), Some(1.5)));
    let review = json_lines(&place.ok("paper --review --data data --json")).remove(0);
    assert_eq!(
        (review["taken"]["won"].as_u64(), review["by_verdict"]["ALLOW"]["resolved"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(review["confidence"]["gap_missing"], "too few");
    let text = place.ok("paper --review --data data");
    for part in
        ["paper trading in week", "no order was placed", "taken", "best: binance-usdm:BTCUSDT", "undefined, too few"]
    {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
}

/// Eighty quiet minutes, then a jump through the channel: both strategies pick it, one after the other on the same log.
#[test]
fn another_strategy_goes_on_with_the_log_and_says_so() {
    let place = Place::new();
    let last = settled();
    let closes = [vec![100.1], vec![100.0; 80], vec![102.0]].concat();
    let advice = advice("ALLOW", Some(0.8), "ok");
    let server = Scripted::start(Script { closes, last, advice, missing: None, strategy: "volume_vwap" });
    place.ok(&server.line("--for 2s"));
    server.script.lock().unwrap().strategy = "cum_delta";
    let run = place.run(&server.line("--strategy cum_delta --for 2s")).exits(0);
    assert!(run.err.contains("the log followed volume_vwap before; from here on it follows cum_delta"), "{}", run.err);
    assert!(run.err.contains("cumulative delta on 1m bars"), "{}", run.err);
    let found = log(&place);
    let strategies = |kind| of(&found, kind).iter().map(|r| r["strategy"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(strategies("STARTED"), ["volume_vwap", "cum_delta"]);
    assert_eq!(strategies("DECISION"), ["volume_vwap", "cum_delta"], "{found:?}");
    let d = of(&found, "DECISION")[1];
    // The jump is its bar's whole range, thirty on the volume; the channel's high is that of the first minutes.
    assert_eq!((d["readings"]["cumulative_delta"].as_f64(), d["side"].as_str()), (Some(30.0), Some("long")), "{d}");
    assert_eq!((d["taken"].as_bool(), d["skipped"].as_str()), (Some(false), Some("position_open")), "one at a time");
    let review = json_lines(&place.ok("paper --review --data data --json")).remove(0);
    assert_eq!(review["by_strategy"], json!({"cum_delta": 1, "volume_vwap": 1}));
    assert!(
        place.ok("paper --review --data data").contains("decisions of several strategies: cum_delta 1, volume_vwap 1")
    );
    let wrong = place.run("paper --data data --strategy all").exits(2);
    assert!(wrong.err.contains("there is no strategy 'all'; there is volume_vwap, cum_delta"), "{}", wrong.err);
}

#[test]
fn low_confidence_staleness_gaps_and_late_crosses_are_events_of_their_own() {
    let place = Place::new();
    let last = settled();
    let script = Script {
        closes: jump(),
        last,
        advice: advice("AVOID", None, "extreme_volatility"),
        missing: None,
        strategy: "volume_vwap",
    };
    let server = Scripted::start(script);
    place.ok(&server.line("--for 2s"));
    let found = log(&place);
    let d = of(&found, "DECISION")[0];
    assert_eq!(
        (d["taken"].as_bool(), d["skipped"].as_str(), d["confidence"].as_f64()),
        (Some(false), Some("avoid"), None)
    );
    let low = of(&found, "LOW_CONFIDENCE");
    assert_eq!((low.len(), low[0]["id"] == d["id"]), (1, true), "{low:?}");
    assert!(place.ok("paper --review --data data").contains("LOW_CONFIDENCE: binance-usdm:BTCUSDT"));

    // Another folder: the process says that its data are stale at the cross.
    let stale = Place::new();
    server.script.lock().unwrap().advice = advice("AVOID", Some(0.5), "data_stale");
    stale.ok(&server.line("--for 2s"));
    let found = log(&stale);
    assert!(of(&found, "DECISION").is_empty(), "{found:?}");
    assert_eq!(of(&found, "NOT_MADE")[0]["reason"], "stale");

    // Minutes that lie far behind: nothing new is decided, and that is said once.
    server.script.lock().unwrap().last = last - Span::mins(10);
    let behind = Place::new();
    behind.ok(&server.line("--for 3s"));
    let found = log(&behind);
    let not_made = of(&found, "NOT_MADE");
    assert_eq!((not_made.len(), not_made[0]["reason"].as_str()), (1, Some("stale")), "{found:?}");

    // A cross that closed while nobody watched.
    let missed = watched_since(last - Span::mins(30));
    missed.ok(&server.line("--for 2s"));
    let found = log(&missed);
    assert!(of(&found, "DECISION").is_empty(), "{found:?}");
    assert_eq!(of(&found, "NOT_MADE").iter().filter(|r| r["reason"] == "late").count(), 1, "{found:?}");

    // A minute is missing in the window: no average, so no cross either, and the gap is logged once for all runs.
    server.script.lock().unwrap().missing = Some(30);
    let holed = watched_since(last - Span::mins(30));
    holed.ok(&server.line("--for 2s"));
    holed.ok(&server.line("--for 2s"));
    let found = log(&holed);
    let reasons: Vec<_> = of(&found, "NOT_MADE").iter().map(|r| r["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!((reasons.iter().filter(|r| *r == "gap").count(), of(&found, "DECISION").len()), (1, 0), "{found:?}");
    assert!(!reasons.iter().any(|r| r == "late"), "{found:?}");
}

/// A folder whose log began then.
fn watched_since(ts: Ts) -> Place {
    let place = Place::new();
    let path = place.path("data/paper/decisions.jsonl");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let started = json!({
        "type": "STARTED", "ts": ts, "strategy": "volume_vwap", "address": "", "timeframe_s": 60, "horizon_s": 300,
        "cost_share": 0.001, "equity": 10_000.0,
    });
    std::fs::write(&path, format!("{started}\n")).unwrap();
    place
}

#[test]
fn without_a_server_paper_says_so_goes_on_and_ends_with_three() {
    let place = Place::new();
    let run = place.run("paper --url http://127.0.0.1:1 --data data --every 1s --for 3s").exits(3);
    assert_eq!(run.err.matches("no decision, no_server").count(), 1, "{}", run.err);
    assert!(run.err.contains("barograph: no barograph answers at http://127.0.0.1:1"), "{}", run.err);
    assert_eq!(of(&log(&place), "NOT_MADE").len(), 1);
    for (line, why) in [
        ("paper --data data --timeframe 2m", "'2m' is no timeframe of the strategy"),
        ("paper --data data --horizon 30d --timeframe 1m", "--horizon 30d is not between one bar and 1900 bars of 1m"),
        ("paper --data data --equity 0", "--equity 0 is not a number above zero"),
        ("paper --data data --review --week 2026-W60", "'2026-W60' is no ISO week; write one as 2026-W08"),
        ("paper --data data --week 2026-W08", "--review"),
        ("paper --data other --review", "has no decision yet"),
    ] {
        let run = place.run(line).exits(2);
        assert!(run.err.contains(why), "{line}: {}", run.err);
    }
}

/// Against the real process over the venue server: bars and markets are understood as they are sent.
#[test]
fn a_running_process_is_followed_and_a_second_writer_refused() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let up = format!("up --backfill 1d --books off --data live --listen 127.0.0.1:0 --endpoint {}", sim.endpoint);
    let server = Server::of(place.start(&up));
    let line = format!("paper --url http://{} --data data --timeframe 1m --horizon 1h --every 1s", server.addr);
    let mut first = place.start(&line);
    first.err.wait_for("on paper: no order is placed");
    place.run(&line).exits(3).says("another process writes");
    std::thread::sleep(std::time::Duration::from_secs(5));
    drop(first);
    let wrong = place.run(&format!("{line} --symbol NOSUCH --for 2s")).exits(3);
    assert!(wrong.err.contains("there is no market 'NOSUCH'; there is binance-usdm:BTCUSDT"), "{}", wrong.err);
    let found = log(&place);
    assert!(
        !found.is_empty() && found.iter().all(|r| r["type"] != "NOT_MADE" || r["reason"] != "no_plan"),
        "{found:?}"
    );
}
