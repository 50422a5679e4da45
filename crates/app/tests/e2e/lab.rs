//! The lab as a researcher begins with it: a recording into the lake, the lake looked at, a study on its rows, its board.

use crate::support::{Outcome, Place, json_lines};
use serde_json::{Value, json};
use std::path::Path;

/// The recording that comes with the sources.
fn shipped() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recordings/binance-usdm_btcusdt_20240718.gz");
    path.display().to_string()
}

#[test]
fn a_recording_becomes_rows_once_and_the_lake_says_what_it_holds() {
    let place = Place::new();
    let import = format!("lab dataset BTCUSDT --source {} --data data --json", shipped());
    let first = &json_lines(&place.ok(&import))[0];
    assert_eq!((&first["books"], &first["trades"], &first["book_losses"]), (&json!(3_321), &json!(974), &json!(0)));
    assert_eq!((&first["rows"], &first["rows_valid"]), (&json!(176), &json!(176)));
    let again = &json_lines(&place.ok(&import))[0];
    assert_eq!(again["rows"], json!(0), "what is there is not written again");
    assert_eq!(again["already_there"], json!(3_321 + 974 + 176));

    let listed = json_lines(&place.ok("lake ls --data data --json"));
    let held: Vec<(&str, &Value)> = listed.iter().map(|l| (l["table"].as_str().unwrap(), &l["rows"])).collect();
    assert_eq!(held, [("orderbook", &json!(3_321)), ("trades", &json!(974)), ("features", &json!(176))]);
    assert!(listed.iter().all(|l| l["open"] == json!(1) && l["faults"] == json!(0)), "{listed:?}");
    let checked = place.ok("lake check --data data");
    assert_eq!(checked, "4 hours read, 3 of them under way: every row is as its manifest says\n");
    let left = place.ok("lake compact --data data");
    assert!(left.starts_with("0 hours made one file each") && left.contains("0 hours under way closed"), "{left}");
    assert!(place.ok("lake compact --close --data data").contains("3 hours under way closed"));
    assert_eq!(place.ok("lake check --data data"), "4 hours read: every row is as its manifest says\n");
    assert_eq!(json_lines(&place.ok(&import))[0]["already_there"], json!(3_321 + 974 + 176));

    // A file of the lake that somebody has changed is named.
    let hour = "data/bronze/trades/exchange=binance-usdm/symbol=BTCUSDT/year=2024/month=07/day=18/hour=23";
    let part = std::fs::read_dir(place.path(hour)).unwrap().map(|e| e.unwrap().path());
    let part = part.into_iter().find(|p| p.extension().is_some_and(|e| e == "parquet")).unwrap();
    let bytes = std::fs::read(&part).unwrap();
    std::fs::write(&part, &bytes[..bytes.len() - 100]).unwrap();
    place.run("lake check --data data").exits(1).prints("hour=23");

    // A manifest that cannot be read is one fault; what else there is, is listed and checked.
    std::fs::write(place.path(hour).join("_manifest.json"), "{").unwrap();
    let said = place.run("lake ls --data data").exits(1).says("hour=23").says("1 hour could not be read");
    assert_eq!(said.out.lines().count(), 3, "{}", said.out);
    place.run("lake check --data data").exits(1).prints("the manifest cannot be used").says("1 finding");
    place.run("lake compact --data data").exits(1).says("is left as it is").says("1 hour was left");
}

#[test]
fn what_is_no_recording_or_too_short_is_said_in_one_sentence() {
    let place = Place::new();
    place.write("notes.txt", "hello\n");
    place
        .run("lab dataset BTCUSDT --source notes.txt --data data")
        .exits(2)
        .says("understood are: raw messages as hftbacktest's collector");
    let of_another = format!("lab dataset ETHUSDT --source {} --data data", shipped());
    place.run(&of_another).exits(2).says("is not of binance-usdm:ETHUSDT: it holds BTCUSDT");
    place.run("lab train BTCUSDT --target dir_5s --data data").exits(2).says("holds no feature rows");
    place.run("lab leaderboard BTCUSDT --data data").exits(1).says("holds no board of binance-usdm:BTCUSDT");
    place.run("lab train BTCUSDT --target dir_9s --data data").exits(2).says("there is no target 'dir_9s'; there are");
    place.ok(&format!("lab dataset BTCUSDT --source {} --data data", shipped()));
    place.run("lab train BTCUSDT --target dir_5s --data data").exits(2).says("Evenly spread rows over about 6 h");
    place.run("lab train BTCUSDT --target ret_1s --model xgb --data data").exits(2).says("there is no model 'xgb'");
    place.run("lake ls --data elsewhere").exits(2).says("holds no lake");
}

#[test]
fn a_study_is_fitted_kept_shown_and_goes_on_where_it_stopped() {
    let place = Place::new();
    place.ok(&format!("lab dataset BTCUSDT --source {} --data data", shipped()));
    let train = "lab train BTCUSDT --target ret_1s --embargo 2s --folds 2 --rows-min 50 --model linear --data data";
    let board = &json_lines(&place.ok(&format!("{train} --json")))[0];
    let models: Vec<&str> =
        board["board"]["rows"].as_array().unwrap().iter().map(|r| r["model"].as_str().unwrap()).collect();
    let mut sorted = models.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["linear", "persistence", "prior", "shuffled"]);
    // As an earlier start left it: nothing is fitted anew, and the board is the same to the bit.
    let folder = place.path("data/studies/binance-usdm/BTCUSDT/ret_1s");
    let is_fits = |p: &std::path::PathBuf| p.file_name().unwrap().to_string_lossy().starts_with("fits-");
    let fits = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).find(is_fits).unwrap();
    assert_eq!(std::fs::read_dir(&fits).unwrap().count(), 9, "four models on two folds, and the one that is kept");
    std::fs::remove_file(fits.join("linear-2.json")).unwrap();
    let resumed = &json_lines(&place.ok(&format!("{train} --json")))[0];
    assert_eq!(resumed["board"], board["board"]);
    let text = place.ok("lab leaderboard BTCUSDT --data data");
    assert!(text.contains("ret_1s of binance-usdm:BTCUSDT") && text.contains("NO LEAK CONTROL"), "{text}");
    assert!(text.contains("prior has no IC: it says one number in each fold"), "{text}");
    assert!(text.contains("; embargo 2 s; ") && !text.contains("uniqueness"), "{text}");
    let weighted = place.ok(&format!("{train} --weights uniqueness"));
    assert!(weighted.contains("rows count by the uniqueness of their labels"), "{weighted}");
    place
        .run(&format!("{train} --weights some"))
        .exits(2)
        .says("[possible values: even, uniqueness]")
        .says("see barograph lab train --help");
    let sheet: Value = serde_json::from_slice(&std::fs::read(folder.join("folds.json")).unwrap()).unwrap();
    assert_eq!(sheet["folds"].as_array().unwrap().len(), 2);
}

#[test]
fn targets_and_columns_are_listed() {
    let place = Place::new();
    assert_eq!(place.ok("lab targets").lines().count(), 23);
    assert_eq!(place.ok("lab columns").lines().count(), 197);
    assert!(place.ok("lab columns microprice").contains("formula"));
    place.run("lab columns nothing").exits(2).says("there is no column 'nothing'");
}

#[test]
fn importance_is_of_a_study_that_was_fitted() {
    let place = Place::new();
    place.ok(&format!("lab dataset BTCUSDT --source {} --data data", shipped()));
    let study = "BTCUSDT --target ret_1s --embargo 2s --folds 2 --rows-min 50 --data data";
    place.run(&format!("lab importance {study}")).exits(2).says("gbm was not fitted for fold 1 with these settings");
    place.ok(&format!("lab train {study} --model linear"));
    place.run(&format!("lab importance {study} --model prior")).exits(2).says("has no columns of its own");
    place.run(&format!("lab importance {study} --model linear")).exits(2).says("two of them are the least");
}

#[test]
fn a_hold_out_is_opened_once_and_the_kept_model_is_listed_chosen_and_predicts() {
    let place = Place::new();
    place.ok(&format!("lab dataset BTCUSDT --source {} --data data", shipped()));
    let study = "BTCUSDT --target ret_1s --embargo 2s --folds 2 --rows-min 50 --data data";
    let open = format!("lab hold-out {study} --researcher me --question leads");
    place.run(&open).exits(2).says("a hold-out is opened for a study that was; run it first: barograph lab train");
    place.run("lab models BTCUSDT --data data").exits(1).says("holds no model of binance-usdm:BTCUSDT");
    place.run("lab predict BTCUSDT --target ret_1s --data data").exits(2).says("holds no model that predicts ret_1s");
    place.ok(&format!("lab train {study} --model linear"));
    place.run(&format!("lab backtest {study} --fee VIP0=5")).exits(2).says("ret_1s is no direction");
    let board = &json_lines(&place.ok("lab leaderboard BTCUSDT --data data --json"))[0];
    assert!(board["no_money"].as_str().unwrap().starts_with("only calls of a direction"), "{}", board["no_money"]);
    assert_eq!(board["rows"][0]["target"], json!("ret_1s"));
    // Another seed: the earlier board stays, and is shown by its name.
    let before = board["run"].as_str().unwrap().to_owned();
    place.ok(&format!("lab train {study} --model linear --seed 2"));
    let text = place.ok("lab leaderboard BTCUSDT --target ret_1s --data data");
    assert!(text.contains("1 earlier board of ret_1s kept"), "{text}");
    let earlier = place.ok(&format!("lab leaderboard BTCUSDT --target ret_1s --run {before} --data data"));
    assert!(earlier.contains(&format!("board {before} of")), "{earlier}");
    place.run("lab leaderboard BTCUSDT --target ret_1s --run x --data data").exits(2).says("there is no board 'x'");

    assert!(place.ok("lab log --data data").contains("is empty"));
    let report = &json_lines(&place.ok(&format!("{open} --json")))[0];
    let id = report["opening"]["study"]["study_id"].as_str().unwrap().to_owned();
    place.run(&open).exits(2).says("--again REASON opens it");
    assert!(place.ok(&format!("{open} --again mistake")).contains("opened again: mistake"));
    place.ok(&format!("lab log --study {id} --finding nothing --researcher you --data data"));
    let row = &json_lines(&place.ok("lab log --data data --json"))[0];
    assert_eq!((row["openings"].as_array().unwrap().len(), row["findings"].as_array().unwrap().len()), (2, 3));
    place
        .run("lab log --study x --finding y --data data")
        .exits(2)
        .says("holds no study 'x'; it holds: BTCUSDT-ret_1s-");

    let models = json_lines(&place.ok("lab models BTCUSDT --data data --json"));
    assert_eq!(models.iter().map(|m| &m["current"]).collect::<Vec<_>>(), [&json!(false), &json!(true)]);
    let first = models[0]["artefact"].as_str().unwrap().to_owned();
    place.ok(&format!("lab models BTCUSDT --target ret_1s --use {first} --data data"));
    let card = place.ok(&format!("lab models BTCUSDT --target ret_1s --card {first} --data data"));
    assert!(card.starts_with("# linear for ret_1s of binance-usdm:BTCUSDT") && card.contains("## Limits"), "{card}");
    place.run("lab models BTCUSDT --target ret_1s --use x --data data").exits(2).says("there is no artefact 'x'");
    place.run("lab predict BTCUSDT --target ret_1tick --data data").exits(2).says("about changes of the book");
    assert!(place.ok("lab predict BTCUSDT --target ret_1s --data data").contains("holds no usable row"));
}

/// Words of a command line; what stands between two quotation marks is one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('"').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The shell commands of the document, in their order, from the folder of the sources; each is `barograph …`, or another program that
/// may be missing.
#[test]
fn the_commands_of_the_document_work_as_written() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(sources.join("docs/lab.md")).unwrap();
    let place = Place::new();
    let mut typed = 0;
    for block in text.split("```sh\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            let Some(command) = line.strip_prefix("barograph ") else { continue };
            let command = command.replace("testdata/recordings/binance-usdm_btcusdt_20240718.gz", &shipped());
            Outcome::of(&command, place.command(words(&command))).exits(0);
            typed += 1;
        }
    }
    assert_eq!(typed, 11);
    read_with_other_tools(&place, &text);
    assert!(place.path("lake/silver").is_dir() && place.path("studies/binance-usdm/BTCUSDT/ret_1s").is_dir());
}

/// The lines of DuckDB and Polars of the document print what they find in the lake that its own commands made.
fn read_with_other_tools(place: &Place, text: &str) {
    let lines = text.lines().filter(|l| l.starts_with("duckdb -c ") || l.starts_with("python -c \"import polars"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 8);
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        barograph_testkit::skipped("PEERS_PYTHON names no Python with duckdb and polars");
        return;
    };
    for line in lines {
        let (_, quoted) = line.split_once(" -c \"").unwrap();
        let code = quoted.strip_suffix('"').unwrap();
        let code = if line.starts_with("duckdb") {
            format!("import duckdb; r = duckdb.sql(\"\"\"{code}\"\"\"); r.show(); print(len(r.fetchall()), 'rows')")
        } else {
            code.to_owned()
        };
        let run =
            std::process::Command::new(&python).arg("-c").arg(&code).current_dir(place.path("")).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{line}\n{err}");
        // The one gap of this recording is that before its first row.
        let found = !(out.contains("\n0 rows") || out.contains("shape: (0,"));
        assert!(found, "{line}\n{out}");
    }
}

#[test]
fn bars_come_of_the_trades_of_the_lake_and_only_whole_ones() {
    let place = Place::new();
    place
        .run("lake gold BTCUSDT --lake lake")
        .exits(2)
        .says("holds no trades of binance-usdm:BTCUSDT, and the data folder");
    place.run("lake gold BTCUSDT --bars 7m --lake lake").exits(2).says("there are 1s, 1m, 5m");
    place.ok(&format!("lake import BTCUSDT --source {} --lake lake", shipped()));
    let made = json_lines(&place.ok("lake gold BTCUSDT --bars 1s,1m --lake lake --json"));
    let rows = |made: &[Value]| made.iter().map(|l| l["rows"].as_u64().unwrap()).collect::<Vec<_>>();
    assert!(matches!(rows(&made)[..], [seconds, minutes] if seconds > 60 && (2..=3).contains(&minutes)), "{made:?}");
    assert_eq!(rows(&json_lines(&place.ok("lake gold BTCUSDT --bars 1s,1m --lake lake --json"))), [0, 0]);
    assert!(place.ok("lake check --lake lake").contains("every row is as its manifest says"));
    assert!(place.path("lake/gold/bars/exchange=binance-usdm/symbol=BTCUSDT/timeframe=1m").is_dir());
}

#[test]
fn following_needs_a_journal() {
    let place = Place::new();
    place.run("lake follow --data data --lake lake").exits(2).says("holds no journal").says("barograph up --data data");
    place.run("lake follow --flush 0s --data data --lake lake").exits(2);
}

#[test]
fn files_of_another_market_are_refused_and_what_was_received_together_is_played_together() {
    let place = Place::new();
    let read = |path: &str| {
        let bytes = std::fs::read(path).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(&bytes[..]), &mut text).unwrap();
        text
    };
    let whole = read(&shipped());
    let of =
        |trades: bool| whole.lines().filter(|l| l.contains("@trade") == trades).collect::<Vec<_>>().join("\n") + "\n";
    place.write("trades.txt", &of(true));
    place.write("books.txt", &of(false));
    place.ok("lab dataset BTCUSDT --source books.txt trades.txt --data split");
    place.ok(&format!("lab dataset BTCUSDT --source {} --data whole", shipped()));
    // Closed or under way, by what was heard last.
    let digest = |data: &str| {
        let hour = place.path(&format!(
            "{data}/silver/features/exchange=binance-usdm/symbol=BTCUSDT/year=2024/month=07/day=18/hour=23"
        ));
        let said = |name: &str| -> Option<Value> { serde_json::from_slice(&std::fs::read(hour.join(name)).ok()?).ok() };
        let said = said("_manifest.json").or_else(|| Some(said("_open.json")?["so_far"].clone())).unwrap();
        assert!(said["rows"].as_u64().unwrap() > 100);
        said["content_sha256"].clone()
    };
    assert_eq!(digest("split"), digest("whole"), "the same rows to the bit");
    place.write("other.txt", &whole.replace("btcusdt@", "ethusdt@"));
    place.run("lab dataset BTCUSDT --source other.txt --data other").exits(2).says("it holds ETHUSDT");
    place
        .run(&format!("lab dataset binance-spot:BTCUSDT --source {} --data spot", shipped()))
        .exits(2)
        .says("its messages are those of Binance's futures");
    let headless: Vec<&str> = whole.lines().filter(|l| !l.contains("lastUpdateId")).collect();
    place.write("headless.txt", &(headless.join("\n") + "\n"));
    place.run("lab dataset BTCUSDT --source headless.txt --data headless").exits(2).says("its book never begins");
}
