//! What is refused, or said to be empty: with the true reason and what to type, instead of an answer as if all were well.

use crate::support::Place;
use crate::support::data::{STORED_FROM, stored};
use crate::support::http::Server;

/// Commands that answer from computed rows.
const READS: [&str; 8] = [
    "context BTCUSDT",
    "advise BTCUSDT --side long --entry 65000",
    "universe",
    "portfolio",
    "events",
    "events BTCUSDT",
    "levels BTCUSDT",
    "sessions BTCUSDT",
];

#[test]
fn rows_of_another_rule_book_are_no_empty_folder() {
    let stored = stored();
    let place = &stored.place;
    let said = "computed with rule book default, not with 'seed2'; ask with --book default";
    for command in READS {
        place.run(&format!("{command} --book seed2 --data data")).exits(2).says(said);
    }
    place.run("freshness --book seed2 --data data").exits(1).says(said);
    // The same name with a threshold of the settings over it is another book too.
    place.write("other.yaml", "FUNDING_CFG:\n  anomaly_z_threshold: 2.5\n");
    place
        .run("context BTCUSDT --config other.yaml --data data")
        .exits(2)
        .says("computed with rule book default, not with this text of 'default'; ask with --book FILE");
    let server = Server::of(place.start("serve --book seed2 --data data --listen 127.0.0.1:0"));
    let market = "/api/v1/markets/binance-usdm:BTCUSDT";
    for path in [
        &format!("{market}/context"),
        &format!("{market}/features"),
        &format!("{market}/levels"),
        &format!("{market}/events"),
        "/api/v1/features",
        "/api/v1/events",
        "/api/v1/universe",
        "/api/v1/universe/history",
        "/api/features",
        "/api/market-context/snapshot/?symbol=BTCUSDT",
    ] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.problem().as_str()), (404, "other-book"), "{path}: {}", reply.text());
        assert_eq!(reply.json()["candidates"], serde_json::json!(["default"]), "{path}");
    }
    let asked = server.json(&format!("{market}/context?book=default"));
    assert_eq!(asked["book"], "default");
}

#[test]
fn files_that_the_settings_name_must_be_there() {
    let stored = stored();
    let place = &stored.place;
    place.write("broken.toml", "[[position]]\nsymbol = \"BTCUSDT\"\nsid = \"long\"\nentry = 1.0\n");
    for (settings, said) in [
        ("calendar = \"nowhere.csv\"\n", "calendar (named.toml:1): cannot read nowhere.csv: No such file"),
        ("\npositions_file = \"nowhere.toml\"\n", "positions_file (named.toml:2): cannot read nowhere.toml: No such"),
        (
            "positions_file = \"broken.toml\"\n",
            "positions_file (named.toml:1): cannot read broken.toml: TOML parse error",
        ),
    ] {
        place.write("named.toml", settings);
        for command in [
            "context BTCUSDT",
            "advise BTCUSDT --side long --entry 65000",
            "positions ls",
            "portfolio",
            "calendar",
            "serve --listen 127.0.0.1:0",
        ] {
            place.run(&format!("{command} --config named.toml --data data")).exits(2).says(said);
        }
        // What answers without them still does.
        place.run("levels BTCUSDT --config named.toml --data data").exits(0);
    }
}

#[test]
fn words_of_settings_are_known_before_their_first_use() {
    let place = Place::new();
    for (key, word, said) in [
        (
            "STOP_MODE",
            "sometimes",
            "stop_mode (environment BAROGRAPH_STOP_MODE): 'sometimes': write base or beyond_cluster",
        ),
        ("STOP_USES_VOL_MULTIPLIER", "maybe", "'maybe': write on or off"),
        ("NEWS_BLACKOUT", "true", "'true': write avoid or warn"),
        ("MONITORING", "yes", "'yes': write on or off"),
        ("BOOKS", "some", "'some': write auto, on or off"),
        ("MARKET_TYPE", "options", "'options': write spot, futures or both"),
        ("COINBASE_TRADE_SIDE", "both", "'both': write maker or taker"),
        ("BACKFILL", "soon", "backfill (environment BAROGRAPH_BACKFILL): 'soon' is not a length of time"),
        ("METRICS", "bar,moods", "'moods' is no stream; write all, or some of "),
        ("MIN_VOLUME_24H", "lots", "'lots' is not a number from 0 up"),
    ] {
        let name = format!("BAROGRAPH_{key}");
        for command in ["config show", "features"] {
            place.run_with(command, &[(&name, word)]).exits(2).says(said);
        }
    }
}

#[test]
fn an_empty_answer_says_what_is_true() {
    let stored = stored();
    let place = &stored.place;
    let begin = format!("data begin at {STORED_FROM}T00:01:00.200Z");
    for (command, said) in [
        ("events BTCUSDT --as-of 2020-01-01", format!("nothing of BTCUSDT was known at 2020-01-01T00:00:00Z: {begin}")),
        (
            "levels BTCUSDT --as-of 2020-01-01",
            format!("no level of binance-usdm:BTCUSDT was known at 2020-01-01T00:00:00Z: {begin}"),
        ),
        ("events --to 2020-01-01", "no event before 2020-01-01T00:00:00Z: data reach from".to_owned()),
        ("events --from 2030-01-01 --to 2030-02-01", "data reach from".to_owned()),
        (
            "events --from 2026-01-20 --to 2026-01-21 --severity CRITICAL",
            "no event is stored between 2026-01-20T00:00:00Z and 2026-01-21T00:00:00Z; ask for less".to_owned(),
        ),
        ("calendar --as-of 2026-02-01", "no calendar was known at 2026-02-01T00:00:00Z".to_owned()),
        ("positions ls --as-of 2020-01-01", "no positions were registered at 2020-01-01T00:00:00Z".to_owned()),
    ] {
        let shown = place.ok(&format!("{command} --data data"));
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&said), "{command}: {said}\n{shown}");
        assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    }
    let advice = place.run("advise BTCUSDT --side long --entry 65000 --as-of 2020-01-01 --data data").exits(1);
    advice.prints(&format!("nothing was known at 2020-01-01T00:00:00Z: {begin}"));
    for (command, said) in [
        ("context BTCUSDT --as-of 2020-01-01", "; its first was known at"),
        ("sessions BTCUSDT --as-of 2020-01-01", "; its first was known at"),
        ("universe --as-of 2020-01-01", "no correlations were known at 2020-01-01T00:00:00Z: data begin at"),
    ] {
        place.run(&format!("{command} --data data")).exits(2).says(said);
    }
}

#[test]
fn levels_have_the_timeframes_they_are_built_on() {
    let stored = stored();
    let place = &stored.place;
    for known in ["15m", "1h", "60m"] {
        place.run(&format!("levels BTCUSDT --timeframe {known} --data data")).exits(0);
    }
    place
        .run("levels BTCUSDT --timeframe 7m --data data")
        .exits(2)
        .says("there are no levels of '7m'; write one of 15m, 1h");
}

/// Commands whose text is a table or a list.
const TEXTS: [&str; 12] = [
    "levels BTCUSDT",
    "levels BTCUSDT --all",
    "events",
    "events BTCUSDT --limit 1000",
    "advise BTCUSDT --side long --entry 70000 --stop 69000.123 --equity 10000 --size 0.2345678 --as-of 2026-02-05T18:30:00Z",
    "context BTCUSDT --as-of 2026-02-05T18:30:00Z",
    "universe",
    "portfolio --as-of 2026-02-06",
    "markets",
    "freshness",
    "sessions BTCUSDT",
    "calendar",
];

#[test]
fn tables_fit_eighty_columns() {
    let stored = stored();
    for command in TEXTS {
        let mut process = stored.place.command(format!("{command} --data data").split_whitespace());
        let shown = String::from_utf8(process.output().unwrap().stdout).unwrap();
        let wide: Vec<&str> = shown.lines().filter(|l| l.chars().count() > 80).take(3).collect();
        assert!(!shown.is_empty() && wide.is_empty(), "{command}: {wide:#?}");
    }
}

#[test]
fn advice_has_four_digits_and_the_numbers_of_the_caller_as_given() {
    let stored = stored();
    let line = format!("{} --data data", TEXTS[4]);
    let shown = stored.place.run(&line).out;
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("As planned: size 0.2345678, stop 69,000.123, loses "), "{shown}");
    // The market's price is as the venue gave it; ids and versions are in the last line.
    let lines = shown.lines().take(shown.lines().count() - 1).filter(|l| !l.starts_with(" market "));
    let text = lines.collect::<Vec<_>>().join(" ").replace(',', "");
    for word in text.split(|c: char| c.is_whitespace() || "();".contains(c)).filter(|w| !w.contains(['-', ':'])) {
        let digits: String = word.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0');
        let significant = if word.contains('.') { digits } else { digits.trim_end_matches('0') };
        assert!(significant.len() <= 4 || ["0.2345678", "69000.123"].contains(&word), "{word}\n{shown}");
    }
}

#[test]
fn f5_signals_of_ones_own_are_refused_with_a_word_about_them() {
    let place = Place::new();
    place.write("points.csv", "timestamp,symbol,metric_name,value\n2026-02-01T00:00:00Z,BTCUSDT,my_signal,0.5\n");
    let point = r#"{"timestamp":"2026-02-01T00:00:00Z","symbol":"BTCUSDT","metric_name":"my_signal","value":0.5}"#;
    place.write("points.json", &format!("[{point}]\n"));
    place.write("points.jsonl", &format!("{point}\n"));
    for file in ["points.csv", "points.json", "points.jsonl"] {
        for flags in ["", " --venue binance-usdm --symbol BTCUSDT"] {
            let said = place.run(&format!("collect --source {file}{flags} --data data")).exits(2);
            said.says("signals of your own come in with: barograph signals import FILE");
        }
    }
    let named =
        place.run("collect --source points.csv --columns time=timestamp,value=value,metric=my_signal --data data");
    named.exits(2).says(
        "'my_signal' is no metric; signals of your own come in with: barograph signals import FILE; write one of bar,",
    );
}
