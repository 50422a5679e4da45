//! `kpi` as people run it: over the built-in history, over files, over a data folder, and asked for what cannot be.

use crate::support::data::stored;
use crate::support::{Place, json_lines};
use serde_json::Value;

/// Figures of one arm.
fn arm<'a>(report: &'a Value, name: &str) -> &'a Value {
    let values = report["report"]["values"].as_array().unwrap();
    values.iter().find(|v| v["arm"] == name).unwrap_or_else(|| panic!("no '{name}' in {values:?}"))
}

#[test]
fn the_built_in_history_is_measured_and_worse_is_called_worse() {
    let place = Place::new();
    let lines = json_lines(&place.ok("kpi --json --trades"));
    let (report, trades) = lines.split_last().unwrap();
    let n = report["report"]["n"].as_u64().unwrap();
    assert!(n > 100 && n == u64::try_from(trades.len()).unwrap(), "{n} of {}", trades.len());
    let counts = &report["counts"];
    let parts = ["while_open", "no_context", "no_atr", "out_of_range", "gap", "still_open", "measured"];
    let sum: u64 = parts.iter().map(|p| counts[p].as_u64().unwrap()).sum();
    assert_eq!(counts["crosses"].as_u64(), Some(sum), "{counts}");
    // Recomputed from the trades: mean results, before and after costs.
    for (name, key) in [("plain: 1.5 ATR, ratio 1.5", "plain"), ("with context", "context")] {
        let mean = |field: &str| {
            let sum: f64 = trades.iter().map(|t| t["arms"][key][field].as_f64().unwrap()).sum();
            sum / f64::from(u32::try_from(trades.len()).unwrap())
        };
        for (field, figure) in [("r", "before_costs"), ("r_after_costs", "after_costs")] {
            let said = arm(report, name)[figure]["value"].as_f64().unwrap();
            assert!((said - mean(field)).abs() < 1e-9, "{name} {figure}: {said}");
        }
    }
    let difference = &arm(report, "with context")["difference"];
    let (value, low, high) = (difference["value"].as_f64(), difference["low"].as_f64(), difference["high"].as_f64());
    assert!(low < value && value < high, "{difference}");
    let word = if value < Some(0.0) { "worse" } else { "better" };
    let first = report["report"]["sentences"][0].as_str().unwrap();
    assert!(first.starts_with("with context, against plain: ") && first.contains(word), "{first}");
    // The computed stop of the default book is never nearer than the plain one.
    for t in trades {
        let risk = |arm: &str| (t["entry"].as_f64().unwrap() - t["arms"][arm]["stop"].as_f64().unwrap()).abs();
        assert!(risk("context") >= risk("plain") * (1.0 - 1e-9), "{t}");
    }
    let text = place.ok("kpi");
    for part in
        ["volume VWAP on 1h bars", "not advice", "the stop comes", "expected value, R per trade", "in words", word]
    {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
    assert!(text.lines().all(|l| l.chars().count() <= 84), "{text}");
    assert_eq!(text, place.ok("kpi"), "the same seed, the same figures");
}

/// Every strategy in one run: each report is that of the strategy alone, and the comparison is made of the reports.
#[test]
fn strategies_are_measured_in_one_run_and_compared() {
    let place = Place::new();
    let lines = json_lines(&place.ok("kpi --strategy all --tune-sessions --json"));
    let (last, reports) = lines.split_last().unwrap();
    let names: Vec<&str> = reports.iter().map(|r| r["strategy"].as_str().unwrap()).collect();
    assert_eq!(names, ["volume_vwap", "cum_delta", "multi_tf", "fibonacci_rsi", "range_trading"]);
    let alone = json_lines(&place.ok("kpi --json")).remove(0);
    let mut first = reports[0].clone();
    first.as_object_mut().unwrap().remove("session_tuning");
    assert_eq!(first, alone, "the default is the same among others");
    let other = json_lines(&place.ok("kpi --strategy multi_tf --json")).remove(0);
    assert_eq!(other["report"], reports[2]["report"]);
    let comparison = &last["comparison"];
    assert_eq!((comparison["strategies"].as_u64(), comparison["level_of_all"].as_f64()), (Some(5), Some(0.99)));
    for (figures, report) in comparison["figures"].as_array().unwrap().iter().zip(reports) {
        assert_eq!(figures["strategy"], report["strategy"]);
        assert_eq!(figures["after_costs"]["context"], arm(report, "with context")["after_costs"]);
        assert_eq!(figures["after_costs"]["difference"], arm(report, "with context")["difference"]);
        let tuning = &report["session_tuning"];
        let parts = ["n_before", "n_after", "n_across"].map(|n| tuning[n].as_u64().unwrap());
        assert_eq!(parts.iter().sum::<u64>(), report["report"]["n"].as_u64().unwrap(), "{tuning}");
        let since: u64 = tuning["sessions"].as_array().unwrap().iter().map(|s| s["after"]["n"].as_u64().unwrap()).sum();
        assert_eq!((since, tuning["all"]["n"].as_u64()), (parts[1], Some(parts[1])), "{tuning}");
        assert!(!tuning["sentence"].as_str().unwrap().is_empty());
    }
    let text =
        place.ok("kpi --strategy cum_delta,range_trading --strategy cum_delta --tune-sessions --tune-until 2026-02-01");
    for part in
        ["2 strategies on 1h bars", "since 2026-02-01", "bands of 97.5 % each", "never on the one it was chosen in"]
    {
        assert!(text.contains(part) || text.replace('\n', " ").contains(part), "'{part}' is not in\n{text}");
    }
    assert!(text.lines().all(|l| l.chars().count() <= 84), "{text}");
    let trades = json_lines(&place.ok("kpi --strategy cum_delta,range_trading --json --trades"));
    assert!(trades.iter().all(|t| t["strategy"].is_string() || t["comparison"].is_object()));
}

/// The commands of docs/paper.md that need no running process do what the page says.
#[test]
fn the_commands_of_the_guide_run() {
    let page = include_str!("../../../../docs/paper.md");
    let commands: Vec<&str> = page.lines().filter_map(|l| l.strip_prefix("barograph ")).collect();
    let measured: Vec<&&str> = commands.iter().filter(|c| c.starts_with("kpi")).collect();
    assert_eq!(measured.len(), 5, "{commands:?}");
    let place = Place::new();
    for command in measured {
        let out = place.ok(command);
        assert!(
            ["volume VWAP", "volume_vwap", "Fibonacci RSI"].iter().any(|name| out.contains(name)),
            "{command}: {out}"
        );
    }
    // Without a log the review says how to make one.
    assert!(commands.contains(&"paper --review"), "{commands:?}");
    place.run("paper --review").exits(2).says("has no decision yet");
}

#[test]
fn a_data_folder_gives_what_its_files_give() {
    let stored = stored();
    let place = &stored.place;
    let of_files = json_lines(&place.ok("kpi in --json --trades"));
    let of_store = json_lines(&place.ok("kpi --data data --json --trades"));
    assert_eq!(of_files.len(), of_store.len());
    assert!(of_files.len() > 10, "{}", of_files.len());
    let (files, trades) = of_files.split_last().unwrap();
    let (store, stored_trades) = of_store.split_last().unwrap();
    assert_eq!(files["report"]["values"], store["report"]["values"]);
    for (a, b) in trades.iter().zip(stored_trades) {
        assert_eq!(a, b);
    }
    let some = json_lines(&place.ok("kpi --data data --json --from 2026-01-25 --until 2026-02-01"));
    assert!(some[0]["report"]["n"].as_u64() < files["report"]["n"].as_u64());
    let quarter = place.run("kpi --data data --timeframe 15m").exits(2);
    assert!(quarter.err.contains("no market has bars of 15m or finer"), "{}", quarter.err);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let place = Place::new();
    for (line, why) in [
        ("kpi --timeframe 2h", "'2h' is no timeframe of the strategy; write 1h or 15m"),
        ("kpi --horizon 30m", "--horizon 30m is not between one bar (1h) and 30 days"),
        ("kpi --taker-fee 5", "'5' is no share of the price"),
        ("kpi --half-spread -1", "'-1' is no share of the price"),
        ("kpi --from 2026-02-01 --until 2026-01-01", "is not later than --from"),
        (
            "kpi --strategy vwap",
            "there is no strategy 'vwap'; there is volume_vwap, cum_delta, multi_tf, fibonacci_rsi, range_trading, or all",
        ),
        ("kpi --tune-until 2026-01-01", "--tune-sessions"),
        (
            "kpi --tune-sessions --tune-until 2027-01-01",
            "--tune-until 2027-01-01T00:00:00Z leaves nothing on one side of it",
        ),
        ("kpi nowhere", "there is no file or folder nowhere"),
        ("kpi --data nowhere", "there is no data folder nowhere yet"),
    ] {
        let run = place.run(line).exits(2);
        assert!(run.err.contains(why), "{line}: {}", run.err);
    }
    let none = place.run("kpi --from 2030-01-01").exits(0);
    assert!(none.out.contains("no trade was measured"), "{}", none.out);
}
