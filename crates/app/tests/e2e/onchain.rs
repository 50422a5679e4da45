//! On-chain and sentiment sources against doubles on loopback: a body, a revised one, and what was known when; bodies of every bad kind;
//! keys, rests and stops; scored texts of a file; and a live process that asks by itself.

use crate::support::data::{Mood, market, now};
use crate::support::http::Server;
use crate::support::sim::Sim;
use crate::support::{Outcome, Place, json_lines, until};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const KEY: &str = "key-of-the-double";
const TVL: &str = "/v2/historicalChainTvl/Ethereum";

/// What is answered at a path.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
    /// The connection ends after so many bytes of it.
    cut: Option<usize>,
}

impl Answer {
    fn of(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: String::new(), body: body.into(), cut: None }
    }

    fn status(status: u16, headers: &str) -> Self {
        Self { status, headers: headers.to_owned(), ..Self::of("{\"error\":\"no\"}") }
    }
}

/// All sources at one address, which answer what the test wants.
struct Double {
    addr: SocketAddr,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Double {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, answers, asked) = (listener.local_addr().unwrap(), Arc::default(), Arc::default());
        let double = Self { addr, answers, asked };
        let (served, kept) = (Arc::clone(&double.answers), Arc::clone(&double.asked));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
                let path = head.split(' ').nth(1).unwrap_or_default();
                let path = path.split('?').next().unwrap_or_default().to_owned();
                kept.lock().unwrap().push(head.clone());
                let answer = served.lock().unwrap().get(&path).cloned();
                let answer = answer.unwrap_or_else(|| Answer::status(404, ""));
                let length = answer.body.len();
                let head = format!(
                    "HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {length}\r\n{}\r\n",
                    answer.status, answer.headers
                );
                // Whoever has read enough goes away.
                let _gone = stream.write_all(head.as_bytes());
                let _gone = stream.write_all(&answer.body[..answer.cut.unwrap_or(length)]);
            }
        });
        double
    }

    fn answers(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// The heads of requests since this was asked last.
    fn asked(&self) -> Vec<String> {
        core::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// A settings file that names these series.
    fn settings(&self, place: &Place, series: &[&str], more: &str) {
        let all = ["defillama", "stablecoins", "glassnode", "dune", "fng"];
        let endpoints: Vec<String> = all.iter().map(|id| format!("\"{id}=http://{}\"", self.addr)).collect();
        place.write(
            "barograph.toml",
            &format!("onchain = {series:?}\nonchain_endpoints = [{}]\n{more}", endpoints.join(", ")),
        );
    }
}

fn today() -> Ts {
    now().floor(Span::days(1))
}

/// Forty complete days and the running one, of 100 each but for those named by how many days ago they are.
fn tvl(other: &[(i64, f64)]) -> String {
    let row = |ago: i64| {
        let usd = other.iter().find(|(of, _)| *of == ago).map_or(100.0, |(_, usd)| *usd);
        json!({"date": (today() - Span::days(ago)).as_millis() / 1000, "tvl": usd})
    };
    Value::from((0..=40).rev().map(row).collect::<Vec<_>>()).to_string()
}

/// A folder with a market.
fn stored() -> Place {
    let place = Place::new();
    market(&place.path("in"), "ETHUSDT", Mood::Calm, (now() - Span::hours(30), now() - Span::secs(10)));
    place.ok("replay in --data data");
    place
}

fn fetched(place: &Place, more: &str) -> BTreeMap<String, Value> {
    lines(&place.run(&format!("onchain fetch {more} --data data --json")).exits(0))
}

/// What came of each series.
fn lines(done: &Outcome) -> BTreeMap<String, Value> {
    json_lines(&done.out).into_iter().map(|line| (line["name"].as_str().unwrap().to_owned(), line)).collect()
}

fn counts(line: &Value) -> [u64; 4] {
    let count = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"));
    [count("new") + count("history"), count("revised"), count("settled"), count("same")]
}

fn readings(place: &Place, line: &str) -> Value {
    json_lines(&place.ok(&format!("onchain show {line} --data data --json"))).remove(0)
}

fn item<'a>(view: &'a Value, id: &str) -> &'a Value {
    view["items"].as_array().unwrap().iter().find(|i| i["id"] == id).unwrap_or_else(|| panic!("{id}: {view}"))
}

#[test]
fn a_revised_body_is_a_second_vintage_and_as_of_answers_with_what_was_known() {
    let place = stored();
    let before = place.hash("data");
    let double = Double::start();
    double.settings(&place, &["defillama.tvl.Ethereum"], "");
    double.answers(TVL, Answer { headers: "etag: \"one\"\r\n".to_owned(), ..Answer::of(tvl(&[(0, 140.0)])) });
    let name = "defillama.tvl.ethereum";
    let first = fetched(&place, "");
    assert_eq!(counts(&first[name]), [41, 0, 0, 0], "{first:?}");
    assert!(first[name]["history"].as_u64() >= Some(39), "{first:?}");
    assert_eq!(counts(&fetched(&place, "")[name]), [0, 0, 0, 41], "the same body changes nothing");
    let asked = double.asked();
    assert!(
        !asked[0].to_lowercase().contains("if-none-match")
            && asked[1].to_lowercase().contains("if-none-match: \"one\""),
        "{asked:?}"
    );
    let known = now();
    // Yesterday turns out to have been 110; the day before is a little more, and old.
    double.answers(TVL, Answer::of(tvl(&[(0, 141.0), (1, 110.0), (5, 100.5)])));
    let again = fetched(&place, "");
    assert_eq!(counts(&again[name]), [0, 3, 0, 38]);
    assert_eq!(again[name]["notable"].as_array().unwrap().len(), 2, "{again:?}");
    let (then, since) = (readings(&place, &format!("ETHUSDT --as-of {known}")), readings(&place, "ETHUSDT"));
    for (view, delta, trend) in [(&then, 0.0, "FLAT"), (&since, 0.1, "UP")] {
        let found = item(view, "tvl_delta_7d");
        assert!((found["value"].as_f64().unwrap() - delta).abs() < 1e-9, "{found}");
        assert_eq!((&found["of"], &item(view, "tvl_trend")["word"]), (&json!(name), &json!(trend)));
        assert_eq!(found["until"], today().to_string(), "the running day is no end: {found}");
    }
    // Long before it was fetched: taken to have been known, and marked so.
    let early = readings(&place, &format!("ETHUSDT --as-of {}", today() - Span::days(20)));
    assert_eq!(item(&early, "tvl_delta_7d")["assumed"], 2, "{early}");
    let revisions = json_lines(&place.ok(&format!("signals show {name} --revisions --json --data data")));
    let yesterday = (today() - Span::days(1)).to_string();
    let of: Vec<&Value> =
        revisions.iter().filter(|r| r["timestamp"] == yesterday.as_str()).map(|r| &r["value"]).collect();
    assert_eq!(of, [&json!(100.0), &json!(110.0)]);
    assert_eq!(place.hash("data"), before, "what is computed does not depend on them");
    let text = place.ok("onchain show ETHUSDT --data data");
    assert!(
        text.contains("DefiLlama (defillama.com)") && text.contains("sentiment_z_7d              not fetched"),
        "{text}"
    );
    let listed = place.ok("onchain ls --data data");
    assert!(
        listed.contains("defillama.tvl.ethereum\n  41 values to ") && listed.contains("3 revised; answered "),
        "{listed}"
    );
    over_http(&place, known, &then);
}

/// The same over HTTP, and nobody else writes such values.
fn over_http(place: &Place, known: Ts, then: &Value) {
    let server = Server::start(place, "data");
    let path = "/api/v1/onchain?market=ETHUSDT";
    assert_eq!(&server.json(&format!("{path}&as_of={known}")), then);
    assert_eq!(item(&server.json(path), "tvl_trend")["word"], "UP");
    let as_of = server.json(path)["as_of"].as_str().unwrap().to_owned();
    assert!(!as_of.contains('.'), "a whole second: {as_of}");
    assert_eq!(
        item(&server.json("/api/v1/onchain"), "tvl_delta_7d")["reason"],
        "missing_input",
        "of all chains nothing is fetched"
    );
    let metrics = "/api/v1/markets/ETHUSDT/metrics";
    let page = server.json(&format!("{metrics}?metric_name=defillama.tvl.ethereum&limit=3"));
    assert_eq!((&page["items"][0]["symbol"], &page["items"][0]["tags"]["known"]), (&json!("*"), &json!("assumed")));
    let own = json!({"timestamp": "2026-02-05", "metric_name": "defillama.tvl.ethereum", "value": 1, "source": "me"});
    let refused = server.send("POST", metrics, &own);
    assert!(refused.text().contains("others are the program's"), "{}", refused.text());
}

#[test]
fn a_bad_answer_leaves_the_values_of_before_and_the_other_sources() {
    let place = stored();
    let double = Double::start();
    double.settings(&place, &["defillama.tvl.Ethereum", "fng"], "");
    double.answers(TVL, Answer::of(tvl(&[])));
    let stamp = today().as_millis() / 1000;
    let index = format!(
        r#"{{"data":[{{"value":"56","value_classification":"Greed","timestamp":"{stamp}"}}],"metadata":{{"error":null}}}}"#
    );
    double.answers("/fng/", Answer::of(index));
    fetched(&place, "");
    let (good, name) = (tvl(&[]), "defillama.tvl.ethereum");
    let half = good.len() / 2;
    for (answer, result, why) in [
        (Answer::of("<html>busy</html>"), "quarantined", "is a page (HTML)"),
        (Answer::of(&good.as_bytes()[..half]), "quarantined", "not what was expected"),
        (Answer::of(good.replace("\"tvl\":100.0", "\"tvl\":\"many\"")), "quarantined", "not what was expected"),
        (Answer::of("[]"), "quarantined", "it has no rows"),
        (Answer { cut: Some(half), ..Answer::of(good.clone()) }, "failed", "broke off"),
        (Answer::of(vec![b' '; (32 << 20) + 1]), "failed", "larger than 32 MiB"),
        (Answer::status(503, ""), "failed", "status 503"),
    ] {
        double.answers(TVL, answer);
        let done = place.run("onchain fetch --data data --json").exits(1).says("defillama.tvl.ethereum did not answer");
        let found = lines(&done);
        assert_eq!(found[name]["result"], result, "{found:?}");
        assert!(found[name]["why"].as_str().unwrap().contains(why), "{found:?}");
        assert_eq!(found["fng.value"]["result"], "read", "the other goes on");
        let view = readings(&place, "ETHUSDT");
        assert_eq!(item(&view, "tvl_delta_7d")["value"], 0.0, "{why}");
        assert_eq!(item(&view, "fear_greed")["word"], "greed");
    }
    // A rest is kept until it is over, and one that is asked to go on is asked.
    double.asked();
    double.answers(TVL, Answer::status(429, "retry-after: 3600\r\n"));
    place.run("onchain fetch defillama.tvl.ethereum --data data").exits(1).prints("rests until");
    double.answers(TVL, Answer::of(good));
    place.run("onchain fetch defillama.tvl.ethereum --data data").exits(1).prints("wants a rest (429)");
    assert_eq!(double.asked().len(), 1, "nothing is asked in a rest");
    assert_eq!(fetched(&place, "defillama.tvl.ethereum --resume")[name]["result"], "read");
    place.run("onchain fetch nothing --data data").exits(2).says("'nothing' is not among the series that are set");
}

#[test]
fn keys_travel_in_headers_and_a_plan_that_is_used_up_stops_its_source() {
    let place = stored();
    let double = Double::start();
    let flow = "transactions.transfers_volume_exchanges_net_pit";
    let series = [format!("glassnode.eth.{flow}"), "dune.dex_volume=42/usd[USD]".to_owned()];
    double.settings(&place, &[&series[0], &series[1]], "");
    let done = place.run("onchain fetch --data data").exits(1);
    assert!(done.out.contains("write it into the setting glassnode_key, or BAROGRAPH_GLASSNODE_KEY"), "{}", done.out);
    assert_eq!(double.asked(), [] as [String; 0], "without a key nothing is asked");
    let rows: Vec<Value> = (1..=9)
        .map(|ago| json!({"t": (today() - Span::days(ago)).as_millis() / 1000, "v": if ago == 3 { Value::Null } else { json!(2.5) }}))
        .collect();
    double.answers(
        "/v1/metrics/transactions/transfers_volume_exchanges_net_pit",
        Answer::of(Value::from(rows).to_string()),
    );
    double.answers("/api/v1/query/42/results", Answer::status(402, ""));
    let keys = [("BAROGRAPH_GLASSNODE_KEY", KEY), ("BAROGRAPH_DUNE_KEY", KEY)];
    let done = place.run_with("onchain fetch --data data --json", &keys).exits(1);
    let found = lines(&done);
    assert_eq!(counts(&found[&series[0]])[0], 8, "a null is no value");
    assert_eq!(found["dune.dex_volume"]["result"], "rests");
    assert!(found["dune.dex_volume"]["why"].as_str().unwrap().contains("next billing cycle"), "{found:?}");
    let asked = double.asked();
    assert!(asked[0].to_lowercase().contains(&format!("x-api-key: {KEY}")), "{asked:?}");
    assert!(asked[1].to_lowercase().contains(&format!("x-dune-api-key: {KEY}")), "{asked:?}");
    assert!(asked.iter().all(|head| !head.lines().next().unwrap().contains(KEY)), "{asked:?}");
    let netflow = readings(&place, "ETHUSDT");
    let netflow = item(&netflow, "exchange_netflow_7d");
    assert_eq!((&netflow["value"], &netflow["n"]), (&json!(15.0), &json!(6)), "six of seven: {netflow}");
    // A result that is not complete is none, and one that is is read.
    let result = |state: &str| {
        let rows: Vec<Value> =
            (1..=30).map(|ago| json!({"day": (today() - Span::days(ago)).to_string(), "usd": "7.0"})).collect();
        json!({"execution_id": "01J", "query_id": 42, "state": state, "is_execution_finished": true,
            "execution_ended_at": now().to_string(), "result": {"rows": rows, "metadata": {"column_names": ["day", "usd"],
            "column_types": ["timestamp(3) with time zone", "decimal(38,2)"], "total_row_count": 30}}})
        .to_string()
    };
    for (state, outcome) in [("QUERY_STATE_COMPLETED_PARTIAL", "quarantined"), ("QUERY_STATE_COMPLETED", "read")] {
        double.answers("/api/v1/query/42/results", Answer::of(result(state)));
        let done = place.run_with("onchain fetch dune.dex_volume --resume --data data --json", &keys);
        assert_eq!(lines(&done)["dune.dex_volume"]["result"], outcome, "{}", done.out);
    }
    let view = readings(&place, "ETHUSDT");
    assert_eq!(
        (&item(&view, "dex_volume_7d")["value"], &item(&view, "dex_volume_ratio")["value"]),
        (&json!(49.0), &json!(1.0))
    );
    assert_eq!(item(&view, "dex_volume_7d")["unit"], "USD", "as it is named behind the column");
    // Where a source has moved nobody follows: a key goes to the host it is for, and to no other.
    let elsewhere = Double::start();
    let moved = Answer::status(302, &format!("location: http://{}/\r\n", elsewhere.addr));
    double.answers("/v1/metrics/transactions/transfers_volume_exchanges_net_pit", moved);
    let done = place.run_with(&format!("onchain fetch {} --data data --json", series[0]), &keys).exits(1);
    assert!(lines(&done)[&series[0]]["why"].as_str().unwrap().contains("moved to another address"), "{}", done.out);
    assert_eq!(elsewhere.asked(), [] as [String; 0]);
    for line in ["config show --json", "onchain ls --data data --json"] {
        let done = place.run_with(line, &keys).exits(0);
        assert!(!done.out.contains(KEY) && !done.err.contains(KEY), "{}", done.out);
    }
    let state = std::fs::read_to_string(place.path("data/onchain/state.json")).unwrap();
    assert!(!state.contains(KEY), "{state}");
}

/// Scores of 25 hours of one market, each half an hour after its hour began, the last other than the rest.
fn scores(last: f64) -> String {
    let hour = now().floor(Span::hours(1));
    let row = |ago: i64| {
        let score = if ago == 1 { last } else { 0.25 * f64::from(u8::from(ago % 2 == 0)) };
        format!("{},ETHUSDT,{score},news\n", hour - Span::hours(ago) + Span::mins(30))
    };
    format!("time,symbol,score,source\n{}", (1..=25).rev().map(row).collect::<String>())
}

#[test]
fn scored_texts_of_a_file_are_known_since_they_arrive() {
    let place = stored();
    place.write("scores.csv", &format!("{}yesterday,ETHUSDT,1,news\n", scores(1.0)));
    place.write("barograph.toml", "sentiment = \"scores.csv\"\n");
    let start = now();
    let found = fetched(&place, "");
    assert_eq!(counts(&found["sentiment.score"]), [25, 0, 0, 0]);
    assert_eq!(found["sentiment.score"]["history"], 0, "nothing is assumed about texts");
    assert!(
        found["sentiment.score"]["left_out"][0].as_str().unwrap().starts_with("row 27: 'yesterday' is not a time"),
        "{found:?}"
    );
    assert_eq!(
        item(&readings(&place, &format!("ETHUSDT --as-of {start}")), "sentiment_z_7d")["reason"],
        "missing_input"
    );
    let known = now();
    let z = |line: &str| item(&readings(&place, line), "sentiment_z_7d")["value"].as_f64().unwrap();
    let first = z("ETHUSDT");
    assert!(first > 3.0, "{first}");
    place.write("scores.csv", &scores(-1.0));
    assert_eq!(counts(&fetched(&place, "")["sentiment.score"]), [0, 1, 0, 24]);
    assert!(z("ETHUSDT") < -3.0);
    assert!((z(&format!("ETHUSDT --as-of {known}")) - first).abs() < 1e-9);
    assert_eq!(
        item(&readings(&place, ""), "sentiment_z_7d")["reason"],
        "missing_input",
        "of every market there are none"
    );
}

#[test]
fn a_live_process_asks_by_itself_and_the_loss_of_a_source_changes_nothing_else() {
    let place = Place::new();
    let double = Double::start();
    double.settings(&place, &["defillama.tvl.Ethereum", "fng"], "");
    double.answers(TVL, Answer::of(tvl(&[])));
    double.answers("/fng/", Answer::status(503, ""));
    let sim = Sim::start(&place);
    let line =
        format!("up --data data --listen 127.0.0.1:0 --symbols ETHUSDT --backfill 0 --endpoint {}", sim.endpoint);
    let mut server = Server::of(place.start(&line));
    until("TVL", || {
        let view = server.get("/api/v1/onchain");
        (view.status == 200 && double.asked.lock().unwrap().len() >= 2).then_some(())
    });
    let name = "defillama.tvl.ethereum";
    let listed = || {
        let all = json_lines(&place.ok("onchain ls --data data --json"));
        all.into_iter().map(|l| (l["name"].as_str().unwrap().to_owned(), l)).collect::<BTreeMap<_, _>>()
    };
    let found =
        until("what came of both", || Some(listed()).filter(|l| l["fng.value"]["failures"].as_u64() >= Some(1)));
    assert_eq!(found[name]["points"], 41, "{found:?}");
    assert!(found["fng.value"]["note"].as_str().unwrap().contains("503"), "{found:?}");
    until("a minute", || Some(server.get("/api/v1/markets/ETHUSDT/context")).filter(|r| r.status == 200));
    assert_eq!(item(&server.json("/api/v1/onchain?market=ETHUSDT"), "tvl_trend")["word"], "FLAT");
    server.process.signal("TERM");
    assert_eq!(server.process.wait(Duration::from_secs(30)), Some(0), "{}", server.process.err.text());
    let log = server.process.err.text();
    let lost: Vec<&str> = log.lines().filter(|l| l.contains("fng.value")).collect();
    assert_eq!(
        lost,
        ["barograph: [MKT] fng.value: it answers with status 503; its last values stay"],
        "once, whatever its number"
    );
    let verified = place.ok("verify determinism data");
    assert!(verified.starts_with("equal: ") && !verified.starts_with("equal: 0 "), "{verified}");
}

/// What docs/onchain.md prints is what the program does.
#[test]
fn the_commands_of_the_document_do_what_it_states() {
    let place = stored();
    let double = Double::start();
    double.settings(&place, &["defillama.tvl", "defillama.stablecoins", "defillama.dex", "fng"], "");
    let rows = |of: fn(i64) -> Value| Value::from((0..=40).rev().map(of).collect::<Vec<_>>());
    let stamp = |ago: i64| (today() - Span::days(ago)).as_millis() / 1000;
    double.answers("/v2/historicalChainTvl", Answer::of(tvl(&[])));
    let coins = rows(
        |ago| json!({"date": ((today() - Span::days(ago)).as_millis() / 1000).to_string(), "totalCirculatingUSD": {"peggedUSD": 300, "peggedEUR": 9}}),
    );
    double.answers("/stablecoincharts/all", Answer::of(coins.to_string()));
    let chart: Vec<Value> = (1..=40).rev().map(|ago| json!([stamp(ago), 5.0])).collect();
    double.answers("/overview/dexs", Answer::of(json!({"totalDataChart": chart, "protocols": []}).to_string()));
    let index =
        json!({"data": [{"value": "20", "value_classification": "Extreme Fear", "timestamp": stamp(0).to_string()}]});
    double.answers("/fng/", Answer::of(index.to_string()));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/onchain.md");
    let text = std::fs::read_to_string(path).unwrap();
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("barograph "))
        .map(|l| l.split(" #").next().unwrap().trim())
        .collect();
    assert!(commands.len() >= 6, "{commands:?}");
    for line in commands {
        let line = line.replace("BTCUSDT", "ETHUSDT").replace("2026-11-20T12:00Z", &now().to_string());
        let done = place.run(&format!("{line} --data data")).exits(0);
        assert!(!done.out.is_empty(), "{line}");
    }
    let view = readings(&place, "ETHUSDT");
    let value = |id: &str| item(&view, id)["value"].clone();
    assert_eq!(
        (value("dex_volume_7d"), value("stablecoin_supply_delta_7d"), value("fear_greed")),
        (json!(35.0), json!(0.0), json!(20.0))
    );
    for (id, of) in [("realized_cap_delta_30d", "missing_input"), ("exchange_netflow_7d", "missing_input")] {
        assert_eq!(item(&view, id)["reason"], of);
    }
    for id in view["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()) {
        assert!(text.contains(&format!("`{id}`")), "docs/onchain.md says nothing of {id}");
    }
}
