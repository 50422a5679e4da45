//! The commands of the document that need a day of recordings, typed in its order over hours of a made market.

use crate::support::data::{slice, snapshots};
use crate::support::sim::Sim;
use crate::support::{Outcome, Place, json_lines};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Eight hours: the defaults want more than six.
const SECONDS: usize = 28_800;

/// Blocks of the document that are no `sh`: those are typed by a test of their own, over the recording that comes with the sources.
fn blocks() -> Vec<Vec<String>> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lab.md");
    let text = std::fs::read_to_string(document).unwrap();
    let mut found = Vec::new();
    for (n, block) in text.split("```").enumerate().filter(|(n, _)| n % 2 == 1) {
        let (kind, lines) = block.split_once('\n').unwrap();
        assert!(["", "sh"].contains(&kind), "block {n} is {kind}");
        let commands: Vec<String> =
            lines.lines().filter_map(|l| l.strip_prefix("barograph ")).map(str::to_owned).collect();
        if kind.is_empty() && !commands.is_empty() {
            found.push(commands);
        }
    }
    found
}

fn typed(place: &Place, line: &str, more: &str) -> Outcome {
    place.run(&format!("{line}{more}")).exits(0)
}

/// A text packed as a venue packs it.
fn packed(place: &Place, file: &str, text: &str) {
    let out = std::fs::File::create(place.path(file)).unwrap();
    let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
    packer.finish().unwrap();
}

/// Files as the document calls them, beside the current folder of its reader.
fn given(place: &Place) {
    packed(place, "books.gz", &snapshots(SECONDS, 12, 0, 7));
    packed(place, "bybit.zip", &snapshots(SECONDS, 12, 0, 8));
    place.write("spot.csv", &snapshots(SECONDS, 12, 2, 7));
    let every = |minutes: usize, value: &dyn Fn(usize) -> String| -> String {
        let at = |n: usize| 1_767_571_200_000 + 60_000 * i64::try_from(n).unwrap();
        (0..SECONDS / 60).step_by(minutes).map(|n| format!("{},{}\n", at(n), value(n))).collect()
    };
    place.write("funding.csv", &format!("timestamp,rate,hours\n{}", every(480, &|_| "0.0001,8".to_owned())));
    place.write("oi.csv", &format!("timestamp,contracts\n{}", every(5, &|n| format!("{}", 80_000 + n % 7))));
    place.write("mark.csv", &format!("timestamp,mark\n{}", every(1, &|n| format!("{}", 1_000 + n % 3))));
    let manifest = |file: &str, metric: &str, cadence: &str, columns: &str| {
        format!(
            "[[file]]\npath = \"{file}\"\nvenue = \"binance-usdm\"\nsymbol = \"BTCUSDT\"\nmetric = \"{metric}\"\nstamp = \"instant\"\n\
             cadence = \"{cadence}\"\ncolumns = {{ time = \"timestamp\", {columns} }}\n"
        )
    };
    let files = [
        manifest("funding.csv", "funding_rate_settled", "8h", "rate = \"rate\", interval_h = \"hours\""),
        manifest("oi.csv", "open_interest", "5m", "value = \"contracts\""),
        manifest("mark.csv", "mark_price", "1m", "value = \"mark\""),
    ];
    place.write("import.toml", &format!("version = 1\n{}", files.concat()));
    place
        .write("rule.txt", "\u{feff}long when ofi > 2 and spread_bps < 2\r\nshort when ofi < -2\r\notherwise flat\r\n");
}

/// What is listened to, in a place of its own: the document's two terminals, and what ends them.
fn followed([up, follow]: [&str; 2]) {
    let place = Place::new();
    let sim = Sim::start(&place);
    let mut listening = place.start(&format!("{up} --backfill 0 --no-serve --endpoint {}", sim.endpoint));
    listening.err.wait_for("listening to 1 of 3 markets");
    let begun = Instant::now();
    while !place.root().join("share/barograph/journal/control").is_dir() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut following = place.start(follow);
    following.err.wait_for("the journal is in the lake");
    std::thread::sleep(Duration::from_secs(8));
    for running in [&mut listening, &mut following] {
        running.signal("TERM");
        assert_eq!(running.wait(Duration::from_secs(60)), Some(0), "{}", running.err.text());
    }
    assert!(place.ok("lake ls --lake lake").contains("orderbook"));
}

/// The minutes of one week, which a reader has collected into the data folder that he has not named.
fn exported(line: &str) {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-01-31", "2026-02-08");
    place.ok("collect --source in");
    typed(&place, line, "").prints("minutes of binance-usdm:BTCUSDT");
    assert!(place.path("minutes.parquet").is_file());
}

fn one(outcome: &Outcome) -> Value {
    json_lines(&outcome.out).remove(0)
}

#[test]
fn the_commands_that_need_a_day_work_in_their_order() {
    let blocks = blocks();
    let [live, minutes, fed, pair, studied, shown, without] = &blocks[..] else { panic!("{blocks:?}") };
    let ([up, follow], [export], [pair]) = (&live[..], &minutes[..], &pair[..]) else { panic!("{blocks:?}") };
    followed([up, follow]);
    exported(export);

    let place = Place::new();
    given(&place);
    place.ok("lab dataset binance-spot:BTCUSDT --source spot.csv --lake lake");
    let [replay, dataset] = &fed[..] else { panic!("{fed:?}") };
    typed(&place, replay, "");
    typed(&place, dataset, "").prints("28798 feature rows").prints("28798 with a usable book");
    let paired = typed(&place, pair, "");
    assert!(place.path("pair.parquet").is_file() && paired.out.starts_with("28798 rows of "), "{}", paired.out);

    let [train, backtest, importance] = &studied[..] else { panic!("{studied:?}") };
    let board = typed(&place, train, "").out;
    for part in [
        "dir_5s of binance-usdm:BTCUSDT",
        "5 test blocks, each judged by what was learnt before it; embargo 3600 s; preset quick, seed 1",
        "ECE  fits so far\n",
        "fits so far: configurations fitted for this target, over all runs, up to and with the model",
        "taker at 5 bp a side (VIP0), 250 ms late, 10000 quote a trade",
        "no Sharpe ratio: 1 day; a Sharpe ratio needs 30",
        "its best model is kept as artefact",
    ] {
        assert!(board.contains(part), "{part} is not in\n{board}");
    }
    let ranked = one(&place.run("lab leaderboard BTCUSDT --studies studies --json").exits(0));
    let rows = ranked["board"]["rows"].as_array().unwrap();
    let gbm = rows.iter().find(|row| row["model"] == "gbm").unwrap();
    assert!(gbm["auc"].as_f64().unwrap() > 0.6 && gbm["n_folds"] == 5, "the sizes say where it goes: {gbm}");
    let prior = rows.iter().find(|row| row["model"] == "prior").unwrap();
    assert_eq!((&prior["auc"], &prior["auc_pooled"]), (&json!(0.5), &Value::Null));

    let traded = typed(&place, backtest, "").out;
    assert!(traded.contains("gbm on dir_5s of binance-usdm:BTCUSDT, taker at 5 bp a side (VIP0)"), "{traded}");
    assert!(traded.contains("costs in quote: spread ") && traded.contains("trials for this target"), "{traded}");
    let again = one(&typed(&place, backtest, " --json"));
    assert!(again["trades"].as_u64().unwrap() > 0 && again["avg_cost_bps"].as_f64().unwrap() > 10.0, "{again}");

    let ranked = typed(&place, importance, "").out;
    assert!(ranked.contains("loss added when permuted (log loss in nats), over "), "{ranked}");
    assert!(ranked.lines().nth(1).unwrap().contains("microprice"), "sizes decide: {ranked}");
    for regime in ["low", "middle", "high"] {
        assert!(ranked.contains(&format!("{regime} volatility")), "{ranked}");
    }

    let [report, goals] = &shown[..] else { panic!("{shown:?}") };
    let said = typed(&place, report, "").out;
    assert!(said.starts_with("written: report.html") && !said.contains("without"), "{said}");
    let lines = json_lines(&typed(&place, goals, " --json").out);
    let goal = |name: &str| lines.iter().find(|line| line["goal"] == name).unwrap();
    assert_eq!(goal("dir_5s")["misses"], json!(["the hold-out was not opened"]));
    assert_eq!(goal("dir_5s")["days"], Value::Null, "no recording is wanting");
    assert!(goal("sharpe_dir_5s")["days"].as_f64().unwrap() > 90.0, "{}", goal("sharpe_dir_5s"));
    let text = typed(&place, goals, "").out;
    assert!(text.contains(" against 0.500, n ") && text.contains("trades over 1 UTC day\n"), "{text}");

    let [leadlag, execution, simulate] = &without[..] else { panic!("{without:?}") };
    let led = typed(&place, leadlag, "").out;
    assert!(led.contains("binance-usdm:BTCUSDT leads by 2 s"), "{led}");
    let worth = one(&typed(&place, leadlag, " --json"));
    assert!(worth["pairs"][0]["steps"].as_array().unwrap().iter().any(|s| s["leader"] == "binance-usdm:BTCUSDT"));
    let executed = typed(&place, execution, "").out;
    for part in
        ["shortfall, bp", "vs TWAP, bp", "of the volume, %", "Plus is a cost to whoever executes", "not decided"]
    {
        assert!(executed.contains(part), "{part} is not in\n{executed}");
    }
    let measured = one(&typed(&place, execution, " --json"));
    assert!(measured["measured"].as_u64().unwrap() > 50, "{measured}");
    let ruled = typed(&place, simulate, "").out;
    assert!(ruled.contains("basis points a round trip") && ruled.contains("no settled funding is known"), "{ruled}");
    let told = one(&typed(&place, simulate, " --json"));
    assert!(told["result"]["all"]["trades"].as_u64().unwrap() > 0, "{told}");
}
