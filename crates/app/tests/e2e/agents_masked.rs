//! Sessions under a mask: whatever is asked, no name, no date and no price is answered as it was.

use crate::agents::calls;
use crate::agents_locked::{Client, FROM, UNTIL, attempt, leak};
use crate::support::data::stored;
use crate::support::{Place, Random, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// As the agent may write them, and as it may not.
const MARKETS: [&str; 6] = ["M01", "M02", "venue:M01", "M03", "BTCUSDT", "binance-usdm:ETHUSDT"];
/// What may be in no answer, in any case of letters.
const HIDDEN: [&str; 12] = [
    "btcusdt",
    "ethusdt",
    "binance",
    "bybit",
    "hyperliquid",
    "okx",
    "coinbase",
    "bitcoin",
    "ethereum",
    "usdt",
    "btc",
    "coinalyze",
];
/// Around the prices of both markets, USD: what a number of an unmasked answer has to lie in to be taken for one.
const PRICES: [(f64, f64); 2] = [(1_500.0, 3_800.0), (55_000.0, 100_000.0)];

/// Fields that count, or hold what the agent has itself.
const COUNTS: [&str; 10] =
    ["n", "n_eff", "count", "moments", "hours", "scored", "abstained", "seed", "notional", "minutes_not_as_published"];

fn masked(place: &Place, record: &str, seed: u64) -> Client {
    let words = format!("--locked --from {FROM} --until {UNTIL} --agent masked --record {record} --mask --seed {seed}");
    Client::start(place, &words)
}

/// Every number that is written in an answer, as fields or in sentences.
fn numbers(answer: &Value) -> Vec<f64> {
    let text = answer.to_string().replace("\\n", " ");
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let runs = text.split(|c: char| !is_part(c)).filter(|run| run.starts_with(|c: char| c.is_ascii_digit()));
    // A comma is one of thousands, or stands between numbers.
    let parts = runs.flat_map(|run| {
        let whole = run.replace(',', "");
        run.split(',').map(str::to_owned).chain([whole]).collect::<Vec<_>>()
    });
    parts.filter_map(|part| part.trim_end_matches('.').parse().ok()).collect()
}

/// In five digits.
fn digits(numbers: impl IntoIterator<Item = f64>) -> BTreeSet<String> {
    numbers.into_iter().map(|x| format!("{x:.4e}")).collect()
}

/// Numbers of an answer that are prices: in their range, and neither a length of time nor a count.
fn prices(answer: &Value) -> BTreeSet<String> {
    let mut found = Vec::new();
    priced("", &answer["structuredContent"], &mut found);
    digits(found.into_iter().filter(|x| PRICES.iter().any(|(low, high)| (low..high).contains(&x))))
}

fn priced(name: &str, value: &Value, found: &mut Vec<f64>) {
    match value {
        _ if name.ends_with("_s") || COUNTS.contains(&name) => {}
        Value::Number(number) => found.extend(number.as_f64()),
        // In sentences a price has a point or a comma of thousands, and no count of hours has.
        Value::String(text) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            let is_count =
                |next: Option<&&str>| next.is_some_and(|next| next.starts_with("hours") || next.starts_with("moments"));
            let written =
                words.iter().enumerate().filter(|(at, word)| word.contains(['.', ',']) && !is_count(words.get(at + 1)));
            found.extend(written.flat_map(|(_, word)| numbers(&json!(word))));
        }
        Value::Array(all) => all.iter().for_each(|one| priced(name, one, found)),
        Value::Object(all) => {
            match (all.get("columns").and_then(Value::as_array), all.get("rows").and_then(Value::as_array)) {
                (Some(columns), Some(rows)) => {
                    for (column, cell) in
                        rows.iter().flat_map(|row| columns.iter().zip(row.as_array().into_iter().flatten()))
                    {
                        priced(column.as_str().unwrap_or_default(), cell, found);
                    }
                }
                _ => all.iter().for_each(|(name, value)| priced(name, value, found)),
            }
        }
        _ => {}
    }
}

/// What an answer shows of what is hidden: a name, a date, a moment as a number.
fn shown(answer: &Value) -> Option<String> {
    let text = answer.to_string();
    let lower = text.to_lowercase();
    if let Some(name) = HIDDEN.iter().find(|name| lower.contains(**name)) {
        return Some((*name).to_owned());
    }
    if text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "ETH") {
        return Some("ETH".to_owned());
    }
    if let Some(year) = ["2024-", "2025-", "2026-", "2027-"].iter().find(|year| text.contains(**year)) {
        return Some((*year).to_owned());
    }
    let is_epoch = |x: &f64| [1.0, 1e3, 1e6, 1e9].iter().any(|unit| (1.7e9..1.8e9).contains(&(x / unit)));
    numbers(answer).into_iter().find(is_epoch).map(|x| x.to_string())
}

/// Weeks between what an agent sees and what is so.
fn shift(client: &mut Client) -> Span {
    let moved = client.call("advance", &json!({"minutes": 1}));
    let until = Ts::parse(moved["structuredContent"]["until"].as_str().unwrap()).unwrap();
    let shift = until - Ts::parse(UNTIL).unwrap();
    assert!(shift.as_secs() % (7 * 86_400) == 0 && shift.as_secs() > 0, "{shift:?}");
    shift
}

/// What an agent under this mask sends for what somebody else asks: moments later, markets by their masked names.
fn translated(given: &Value, names: &[(String, String)], shift: Span) -> Value {
    match given {
        Value::String(text) => match (names.iter().find(|(real, _)| real == text), Ts::parse(text)) {
            (Some((_, shown)), _) => json!(shown),
            (None, Ok(moment)) => json!((moment + shift).iso()),
            _ => given.clone(),
        },
        Value::Array(all) => all.iter().map(|one| translated(one, names, shift)).collect(),
        Value::Object(all) => {
            let each = |(name, value): (&String, &Value)| (name.clone(), translated(value, names, shift));
            all.iter().map(each).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Masked names of the markets of a record.
fn names(place: &Place, record: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(place.path(record)).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let markets = first["basis"]["mask"]["markets"].as_array().unwrap().iter().enumerate();
    let both = markets.flat_map(|(at, market)| {
        let (name, full) = (format!("M{:02}", at + 1), market.as_str().unwrap().to_owned());
        let symbol = full.split_once(':').unwrap().1.to_owned();
        [(symbol, name.clone()), (full, format!("venue:{name}"))]
    });
    both.collect()
}

#[test]
fn no_tool_shows_a_name_a_date_or_a_price() {
    let stored = stored();
    let place = &stored.place;
    let mut open = Client::start(place, &format!("--locked --from {FROM} --until {UNTIL} --record open.jsonl"));
    let mut hidden = masked(place, "hidden.jsonl", 11);
    let shift = shift(&mut hidden);
    open.call("advance", &json!({"minutes": 1}));
    let names = names(place, "hidden.jsonl");
    let (mut compared, mut answered) = (0, 0);
    let ask = |open: &mut Client, hidden: &mut Client, tool: &str, given: &Value| {
        let mut given = given.clone();
        given["budget"] = json!(8_000);
        let real = open.call(tool, &given);
        let mut asked = translated(&given, &names, shift);
        for price in ["entry", "stop"] {
            // The price of the other session, whatever the factor: what matters is what comes back.
            asked
                .as_object_mut()
                .unwrap()
                .entry(price)
                .and_modify(|value| *value = json!(value.as_f64().unwrap() / 3.0));
        }
        let seen = hidden.call(tool, &asked);
        assert_eq!(shown(&seen), None, "{tool} {asked}: {seen}");
        let both: Vec<String> = prices(&real).intersection(&digits(numbers(&seen))).cloned().collect();
        assert!(both.is_empty(), "{tool} {asked}: {both:?} is so in both: {seen}");
        if real["isError"] == false {
            let unknown = barograph_mcp::unclassified(tool, &real["structuredContent"]);
            assert!(unknown.is_empty(), "these are not classified (crates/mcp/src/mask/kinds.rs): {unknown:?}");
        }
        (prices(&real).len(), usize::from(seen["isError"] == false))
    };
    for _ in 0..4 {
        let more = ["BTCUSDT", "ETHUSDT"].map(|market| ("levels", json!({"market": market})));
        for (tool, given) in calls().into_iter().chain(more) {
            let mut given = given.clone();
            if tool == "history" {
                given["from"] = json!("2026-02-01T00:00:00Z");
            }
            if given["as_of"].is_string() {
                given["as_of"] = json!("2026-02-02T14:35:00Z");
            }
            let (priced, has_answer) = ask(&mut open, &mut hidden, tool, &given);
            compared += priced;
            answered += has_answer;
        }
        // Events one by one, with all that is known of them.
        let rows = |client: &mut Client| {
            client.call("events", &json!({"budget": 8_000}))["structuredContent"]["events"].clone()
        };
        let (real, seen) = (rows(&mut open), rows(&mut hidden));
        let ids = |table: &Value| {
            let place = table["columns"].as_array().unwrap().iter().position(|c| c == "alert_id").unwrap();
            let rows = table["rows"].as_array().unwrap().iter();
            rows.map(|row| row[place].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (real, seen) = (ids(&real), ids(&seen));
        assert!(!seen.is_empty() && !seen.iter().any(|id| real.contains(id)), "an id leads to its alert");
        for id in seen.iter().take(12) {
            let one = hidden.call("events", &json!({"id": id, "budget": 8_000}));
            assert_eq!((one["isError"].as_bool(), shown(&one)), (Some(false), None), "{one}");
        }
        for id in real.iter().take(12) {
            let one = open.call("events", &json!({"id": id, "budget": 8_000}));
            let unknown = barograph_mcp::unclassified("events", &one["structuredContent"]);
            assert!(unknown.is_empty(), "these are not classified: {unknown:?}");
        }
        for client in [&mut open, &mut hidden] {
            client.call("advance", &json!({"minutes": 700}));
        }
    }
    assert!(compared > 500 && answered >= 48, "{compared} prices, {answered} answers");
    let listed = hidden.ask("tools/list", &json!({}));
    assert_eq!(shown(&listed), None, "{listed}");
    open.end();
    hidden.end();
}

/// So many hostile calls under a mask; how many had an answer.
fn attacked(place: &Place, record: &str, seed: u64, calls: usize) -> usize {
    let mut client = masked(place, record, seed);
    let shift = shift(&mut client);
    let (mut random, mut clock, mut answered) = (Random::new(3), Ts::parse(FROM).unwrap() + shift, 0);
    for n in 0..calls {
        let (tool, mut given) = attempt(&mut random, clock + Span::mins(1), MARKETS);
        if random.below(9) == 0 {
            given["venue"] = json!("binance-usdm");
        }
        let answer = client.call(tool, &given);
        // What was given is repeated by some refusals: what the agent wrote itself is nothing new to it.
        let mut seen = answer.to_string();
        for own in ["binance-usdm:ETHUSDT", "BTCUSDT", "binance-usdm"] {
            seen = seen.replace(own, "");
        }
        if given.to_string().contains("btc") {
            seen = seen.replace("btc", "");
        }
        let found = shown(&Value::String(seen));
        assert_eq!(found, None, "call {n}: {tool} {given}: {answer}");
        if answer["isError"] == false {
            answered += 1;
            assert_eq!(leak(&answer, clock + Span::mins(1)), None, "call {n}: {tool} {given}: {answer}");
            assert_eq!(shown(&answer), None, "call {n}: {tool} {given}: {answer}");
        }
        if n % 40 == 0 {
            let moved = client.call("advance", &json!({"minutes": 50}));
            clock = Ts::parse(moved["structuredContent"]["clock"].as_str().unwrap()).unwrap() - Span::mins(1);
        }
    }
    client.end();
    answered
}

#[test]
fn moments_of_any_year_are_refused_or_answered_and_on_record() {
    let stored = stored();
    let place = &stored.place;
    for (record, is_masked) in [("years-open.jsonl", false), ("years-masked.jsonl", true)] {
        let words = format!("--locked --from {FROM} --until {UNTIL} --record {record}");
        let mut client = match is_masked {
            true => masked(place, record, 5),
            false => Client::start(place, &words),
        };
        let market = if is_masked { "M01" } else { "binance-usdm:BTCUSDT" };
        let mut called = 0;
        for year in ["1678", "1700", "1901", "1970", "1999", "2007", "2016", "2090", "2200", "2261"] {
            let moment = format!("{year}-01-02T00:00:00Z");
            for (tool, mut given) in [
                ("markets", json!({"as_of": moment})),
                ("context", json!({"market": market, "as_of": moment})),
                ("levels", json!({"market": market, "as_of": moment})),
                ("history", json!({"market": market, "from": moment})),
                ("history", json!({"market": market, "from": moment, "to": moment, "features": ["heat"]})),
                ("events", json!({"from": moment, "to": moment})),
                ("whatif", json!({"to": moment, "set": ["HIGH_VOL.pct_90d=0.9"]})),
                ("scorecard", json!({"as_of": moment})),
            ] {
                if tool == "whatif" && is_masked {
                    given["markets"] = json!([market]);
                }
                let answer = client.call(tool, &given);
                called += 1;
                let text = answer.to_string();
                assert!(!text.contains("broke off") && !text.contains("internal"), "{tool} {given}: {text}");
                assert!(
                    !text.contains("minutes reach"),
                    "what is stored after the clock is named: {tool} {given}: {text}"
                );
                if is_masked {
                    assert_eq!(shown(&answer), None, "{tool} {given}: {text}");
                }
            }
        }
        client.end();
        let lines = std::fs::read_to_string(place.path(record)).unwrap().lines().count();
        assert_eq!(lines, called + 1, "every call is on record: {record}");
    }
}

#[test]
fn hostile_calls_lift_no_mask_and_the_seed_decides_what_is_seen() {
    let stored = stored();
    let place = &stored.place;
    let answered = attacked(place, "masked-a.jsonl", 11, 700);
    assert!(answered > 150, "{answered} had an answer");
    attacked(place, "masked-b.jsonl", 11, 150);
    attacked(place, "masked-c.jsonl", 11, 150);
    attacked(place, "masked-d.jsonl", 12, 150);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert_eq!(read("masked-b.jsonl"), read("masked-c.jsonl"), "the same seed is the same session");
    assert_ne!(read("masked-c.jsonl"), read("masked-d.jsonl"));
}

#[test]
fn a_masked_forecast_is_judged_by_the_market_it_is_of() {
    let stored = stored();
    let place = &stored.place;
    let stated = |client: &mut Client, market: &str| {
        for n in 0..30 {
            let p = if n % 3 == 0 { 0.1 } else { 0.4 };
            let given = json!({"market": market, "event": "hv_1h", "probability": p});
            assert_eq!(client.call("forecast", &given)["isError"], false);
            client.call("advance", &json!({"minutes": 60}));
        }
    };
    let mut open = Client::start(place, &format!("--locked --from {FROM} --until {UNTIL} --record seen.jsonl"));
    stated(&mut open, "BTCUSDT");
    open.end();
    let mut hidden = masked(place, "unseen.jsonl", 4);
    let name = names(place, "unseen.jsonl").into_iter().find(|(real, _)| real == "BTCUSDT").unwrap().1;
    // A price is in masked terms on its way in as on its way out.
    let price = hidden.call("context", &json!({"market": name}))["structuredContent"]["price"].as_f64().unwrap();
    let trade = json!({"market": name, "side": "long", "entry": price, "stop": 0.97 * price, "budget": 8_000});
    let advised = hidden.call("advise", &trade);
    assert_eq!(advised["isError"], false, "{advised}");
    stated(&mut hidden, &name);
    let refused = hidden.call("forecast", &json!({"market": "BTCUSDT", "event": "hv_1h", "probability": 0.5}));
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("is no market of this session"), "{refused}");
    hidden.end();
    let report = |record: &str| json_lines(&place.ok(&format!("mcp --data data --report {record} --json")))[0].clone();
    let (seen, unseen) = (report("seen.jsonl"), report("unseen.jsonl"));
    assert!(seen["scores"][0]["n"] == 30 && seen["scores"] == unseen["scores"], "{seen}\n{unseen}");
    assert_eq!(unseen["basis"]["mask"]["seed"], 4);
    place.run(&format!("mcp --data data --locked --from {FROM} --until {UNTIL} --seed 4")).exits(2).says("--mask");
}
