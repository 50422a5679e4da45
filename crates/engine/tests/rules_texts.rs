//! Readings as a trader reads them: one case each, checked word for word; no forbidden word anywhere; and no number that
//! the payload does not hold (regimes §10.2, UX §1).

use crate::rules_common;
use barograph_domain::row::HeldCount;
use barograph_domain::{
    Cell, Instrument, InstrumentName, Kind, MarketKind, Metric, MinuteRow, Reason, RiskRegime, Span, State, StreamDecl,
    StreamIndex,
};
use barograph_engine::explain::{Context, at_present, render};
use barograph_engine::rules::{RiskAxis, RuleBook};
use rules_common::{ages, feature, live_streams, minute, minute_row, set, shipped, stream, window};

/// A market under a book, fed one row at a time.
struct Scene {
    book: RuleBook,
    axis: RiskAxis,
    streams: Vec<StreamDecl>,
    instrument: Instrument,
    now: i64,
    windows: Vec<(&'static str, Vec<f64>)>,
    held: u32,
    known: u32,
    age_s: [i64; 3],
    edit: fn(&mut [Cell]),
    last: Option<MinuteRow>,
}

fn scene(book: &str) -> Scene {
    let book = shipped(book);
    Scene {
        axis: RiskAxis::new(),
        book,
        streams: live_streams(),
        instrument: market("binance-usdm:BTCUSDT"),
        now: -1,
        windows: vec![
            ("funding_pct_30d", window(719, &[(0.0, -0.0002), (0.5, 0.0001), (1.0, 0.0005)])),
            (
                "oi_delta_4h_pct_90d",
                window(2159, &[(0.0, -0.08), (0.50, 0.0), (0.75, 0.012), (0.80, 0.015), (0.935, 0.031), (1.0, 0.09)]),
            ),
            (
                "realized_vol_1h_pct_90d",
                window(2159, &[(0.0, 0.10), (0.50, 0.40), (0.90, 0.75), (0.99, 1.20), (1.0, 2.0)]),
            ),
            (
                "realized_vol_4h_pct_90d",
                window(2159, &[(0.0, 0.15), (0.285, 0.38), (0.50, 0.44), (0.55, 0.46), (1.0, 1.8)]),
            ),
        ],
        held: 518,
        known: 129_600,
        age_s: [2, 3, 41],
        edit: |_| {},
        last: None,
    }
}

fn market(name: &str) -> Instrument {
    Instrument::from_name(InstrumentName::parse(name).unwrap_or_else(|e| panic!("{e}")), MarketKind::Perpetual)
}

impl Scene {
    fn row(&mut self, readings: &[(&str, f64)]) -> MinuteRow {
        self.now += 1;
        let ts = minute(self.now);
        let mut row = minute_row(&self.book, ts, readings, &self.windows);
        row.inputs = ages(ts, self.age_s);
        for (cell, spec) in row.cells.iter_mut().zip(barograph_engine::CATALOGUE) {
            let at = [Metric::MarkPrice, Metric::FundingRate, Metric::OpenInterest]
                .iter()
                .position(|m| spec.inputs.contains(m));
            cell.stream = at.map(|i| StreamIndex(u16::try_from(i).unwrap_or(0)));
        }
        (self.edit)(&mut row.cells);
        row.risk = self.axis.step(&self.book, ts, &row.cells, &row.inputs, &self.streams);
        row.held.fill(HeldCount { held: self.held, known: self.known });
        row
    }
    fn context(&self) -> Context<'_> {
        Context {
            book: &self.book,
            logic_version: "v0.1.0+0123456789ab",
            instrument: &self.instrument,
            streams: &self.streams,
            held: None,
            calls: None,
        }
    }
    /// The sentence after the same readings came this many times.
    fn after(&mut self, times: usize, readings: &[(&str, f64)]) -> String {
        let mut text = String::new();
        for _ in 0..times {
            let row = self.row(readings);
            let snapshot = render(&self.context(), &row, self.last.as_ref());
            text.clone_from(&snapshot.explanation.reasoning);
            check(&snapshot);
            self.last = Some(row);
        }
        text
    }
}

/// What every snapshot owes.
fn check(snapshot: &barograph_domain::Snapshot) {
    let json = serde_json::to_value(snapshot).unwrap_or_else(|e| panic!("{e}"));
    let text = &snapshot.explanation.reasoning;
    numbers_are_in_the_payload(text, &json);
    let mut all = Vec::new();
    strings(&json, &mut all);
    for s in all {
        no_forbidden_word(&s);
    }
    assert!(text.ends_with('.') && !text.contains("  ") && !text.contains(".."), "{text}");
}

fn no_forbidden_word(text: &str) {
    // The name the original gave the other side of a squeeze.
    let text = &text.replace("short-squeeze", "");
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase) {
        assert!(
            !["buy", "sell", "guarantee", "guaranteed", "will", "profit", "profits"].contains(&word.as_str()),
            "'{word}' in: {text}"
        );
        // Sides of positions may be named ("longs crowded"), never advised.
        assert!(!["long", "short"].contains(&word.as_str()) || text.len() < 12, "'{word}' in: {text}");
    }
    assert!(!text.contains('!'), "{text}");
}

fn strings(json: &serde_json::Value, out: &mut Vec<String>) {
    match json {
        serde_json::Value::String(s) => out.push(s.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|v| strings(v, out)),
        serde_json::Value::Object(map) => map.values().for_each(|v| strings(v, out)),
        _ => {}
    }
}

fn payload_numbers(json: &serde_json::Value, out: &mut Vec<f64>) {
    match json {
        serde_json::Value::Number(n) => out.extend(n.as_f64()),
        serde_json::Value::Array(items) => items.iter().for_each(|v| payload_numbers(v, out)),
        serde_json::Value::Object(map) => {
            map.iter().filter(|(k, _)| *k != "reasoning").for_each(|(_, v)| payload_numbers(v, out))
        }
        serde_json::Value::String(s) => out.extend(numbers_in(s).iter().map(|(x, _)| *x)),
        _ => {}
    }
}

/// Numbers of a text with the decimals they are written with.
fn numbers_in(text: &str) -> Vec<(f64, usize)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|t| t.trim_matches('.'))
        .filter_map(|t| Some((t.parse().ok()?, t.split_once('.').map_or(0, |(_, d)| d.len()))))
        .collect()
}

fn numbers_are_in_the_payload(text: &str, json: &serde_json::Value) {
    let mut payload = Vec::new();
    payload_numbers(json, &mut payload);
    let mut rest = text.to_owned();
    // Names carry numbers of their own.
    for name in [
        "1 h volatility",
        "4 h volatility",
        "over 12 h",
        "in 1 h",
        "in 4 h",
        "per 8 h",
        "90 days",
        "30 days",
        "8-hourly",
    ] {
        rest = rest.replace(name, "");
    }
    // Many readings are said as the time they take: a number of them times how far apart they are.
    let exit = &json["explanation"]["nearest_exit"];
    let exit = if exit.is_null() { &json["nearest_exit"] } else { exit };
    payload.extend(exit["readings"].as_f64().zip(exit["cadence_s"].as_f64()).map(|(n, s)| n * s));
    for v in &payload {
        if *v >= 1.0 && *v < 1e9 {
            #[expect(clippy::cast_possible_truncation, reason = "seconds")]
            let spoken = Span::secs(*v as i64).spoken();
            rest = rest.replace(&format!(" {spoken}"), " ");
        }
    }
    for (shown, decimals) in numbers_in(&rest) {
        let unit = [1.0, 0.1, 0.01, 0.001, 0.0001][decimals.min(4)];
        let found = payload.iter().any(|v| {
            [*v, v * 100.0, (1.0 - v) * 100.0, v / 1e9].iter().any(|x| {
                let x = x.abs();
                (x - shown).abs() <= unit * 0.500_001 || ((x / unit).floor() * unit - shown).abs() < unit * 1e-6
            })
        });
        assert!(found, "{shown} of '{text}' is not in the payload");
    }
}

const QUIET: [(&str, f64); 7] = [
    ("funding_zscore_24h", 0.4),
    ("funding_rate_8h", 0.0001),
    ("oi_delta_4h", 0.002),
    ("oi_delta_1h", 0.03),
    ("realized_vol_1h", 0.35),
    ("realized_vol_4h", 0.42),
    ("efficiency_12h", 0.40),
];

fn with(changes: &[(&'static str, f64)]) -> Vec<(&'static str, f64)> {
    QUIET.iter().map(|(id, x)| (*id, changes.iter().find(|(c, _)| c == id).map_or(*x, |(_, y)| *y))).collect()
}

const LONGS_CROWDED: (&str, f64) = ("squeeze_direction", 0.0);
const SHORTS_CROWDED: (&str, f64) = ("squeeze_direction", 1.0);

fn squeeze() -> Vec<(&'static str, f64)> {
    let mut r = with(&[
        ("funding_zscore_24h", 2.63),
        ("oi_delta_4h", 0.031),
        ("realized_vol_1h", 0.33),
        ("realized_vol_4h", 0.38),
    ]);
    r.push(LONGS_CROWDED);
    r
}
fn shorts() -> Vec<(&'static str, f64)> {
    let mut r = with(&[("funding_zscore_24h", -2.8), ("oi_delta_4h", 0.15), ("realized_vol_1h", 0.25)]);
    r.push(SHORTS_CROWDED);
    r
}
fn storm() -> Vec<(&'static str, f64)> {
    with(&[("realized_vol_1h", 1.24), ("realized_vol_4h", 0.9)])
}
fn chop() -> Vec<(&'static str, f64)> {
    with(&[("realized_vol_4h", 0.62), ("realized_vol_1h", 0.55), ("efficiency_12h", 0.12), ("oi_delta_1h", 0.004)])
}
const RANKS: [&str; 4] =
    ["oi_delta_4h_pct_90d", "realized_vol_1h_pct_90d", "realized_vol_4h_pct_90d", "funding_pct_30d"];
fn no_history(cells: &mut [Cell]) {
    RANKS.iter().for_each(|id| set(cells, id, State::Warming { have: 3, need: 336 }));
}
fn old_open_interest(cells: &mut [Cell]) {
    ["oi_delta_1h", "oi_delta_4h", "oi_delta_4h_pct_90d"].iter().for_each(|id| set(cells, id, State::Stale));
}

#[track_caller]
fn says(got: &str, want: &str) {
    assert_eq!(got, want, "\n got: {got}\nwant: {want}\n");
}

#[test]
fn the_default_book_speaks() {
    says(
        &scene("default").after(1, &QUIET),
        "The risk label would turn to high volatility if 1 h volatility rose above 80 %.",
    );
    says(
        &scene("default").after(20, &squeeze()),
        "Squeeze risk, longs crowded. Funding is 2.6σ above its day, open interest up 3.1 % in 4 h, more than in 93 % of the \
         last 90 days, 4 h volatility only 38 % annualised, lower than in 71 %. It would clear to normal if open interest \
         growth in 4 h fell below 1.2 % and stayed there for two readings. Held 0.4 % of the last 90 days.",
    );
    says(
        &scene("default").after(40, &storm()),
        "High volatility. 1 h volatility is 124 % annualised, limit 80 %, more than in 99 % of the last 90 days. It would \
         clear to normal if 1 h volatility fell below 49 % and stayed there for 5 h. Held 0.4 % of the last 90 days.",
    );
    says(
        &scene("default").after(40, &chop()),
        "Chop risk. 4 h volatility is 62 % annualised (limit 50 %), more than in 60 % of the last 90 days, price back and \
         forth over 12 h (efficiency 12.0 %, limit 25.0 %), open interest moved only 0.4 % in 1 h (limit 2.0 %). It would clear to normal \
         if 4 h volatility fell below 45 % and stayed there for two readings. Held 0.4 % of the last 90 days.",
    );
    let by_month = with(&[("funding_rate_8h", 0.000_49), ("oi_delta_4h", 0.031), ("realized_vol_4h", 0.38)]);
    says(
        &scene("default").after(40, &by_month),
        "Squeeze risk. Funding is 0.0490 % per 8 h, more than in 98 % of the last 30 days, open interest up 3.1 % in 4 h, \
         more than in 93 % of the last 90 days, 4 h volatility only 38 % annualised, lower than in 71 %. It would clear to \
         normal if open interest growth in 4 h fell below 1.2 % and stayed there for two readings. Held 0.4 % of the last 90 days.",
    );
}

#[test]
fn the_fixed_books_speak() {
    says(
        &scene("absolute").after(30, &shorts()),
        "Squeeze risk, shorts crowded. Funding is 2.8σ below its day, open interest up 15.0 % in 4 h (limit 10.0 %), 1 h \
         volatility only 25 % annualised (limit 30 %). It would clear to normal if 1 h volatility rose above 33 % and stayed \
         there for two readings. Held 0.4 % of the last 90 days.",
    );
    says(
        &scene("seed1-strict").after(30, &chop()),
        "Chop risk. 4 h volatility is 62 % annualised (limit 50 %), open interest moved only 0.4 % in 1 h (limit 2.0 %). It would \
         clear to normal if 4 h volatility fell below 50 %. Held 0.4 % of the last 90 days.",
    );
    let close = with(&[("funding_zscore_24h", 2.6), ("oi_delta_4h", 0.15), ("realized_vol_1h", 0.298)]);
    says(
        &scene("seed1-strict").after(2, &close),
        "Squeeze risk. Funding is 2.6σ above its day, open interest up 15.0 % in 4 h (limit 10.0 %), 1 h volatility only 29.8 % \
         annualised (limit 30.0 %). It would clear to normal if 1 h volatility rose above 30.0 %. Held 0.4 % of the last 90 days.",
    );
}

#[test]
fn what_keeps_a_label_is_said() {
    let mut s = scene("default");
    s.after(20, &squeeze());
    let mut easing = squeeze();
    easing[0].1 = 1.9;
    says(
        &s.after(1, &easing),
        "Squeeze risk, longs crowded. Funding is 1.9σ above its day, open interest up 3.1 % in 4 h, more than in 93 % of the \
         last 90 days, 4 h volatility only 38 % annualised, lower than in 71 %. Not over yet: the latest reading says normal, but not by enough. It \
         would clear to normal if funding came back within 1.8σ of its day. Held 0.4 % of the last 90 days.",
    );
    let mut s = scene("default");
    s.after(2, &storm());
    says(
        &s.after(1, &QUIET),
        "Volatility back below its limit. Not over yet: the latest reading says normal; it clears after enough calmer \
         readings.",
    );
    let mut s = scene("default");
    s.after(2, &QUIET);
    says(&s.after(1, &chop()), "The latest reading says chop risk; it takes more such readings to change the label.");
    let mut s = scene("default");
    says(
        &s.after(3, &storm()),
        "High volatility. 1 h volatility is 124 % annualised, limit 80 %, more than in 99 % of the last 90 days. It would \
         clear to normal if 1 h volatility fell below 49 % and stayed there for 5 h. \
         Held 0.4 % of the last 90 days.",
    );
}

#[test]
fn no_reading_names_what_is_awaited() {
    let mut s = scene("default");
    s.after(20, &chop());
    s.age_s = [2, 3, 14 * 60];
    s.edit = old_open_interest;
    says(&s.after(1, &chop()), "No reading: open interest is 14 min old (limit 5 min). Last reading was chop risk.");
    s.age_s = [2, 3, 5 * 60 + 20];
    says(
        &s.after(1, &chop()),
        "No reading: open interest is just over 5 min old (limit 5 min). Last reading was chop risk.",
    );
    s.age_s = [2, 3, 3 * 3600 + 120];
    says(&s.after(1, &chop()), "No reading: open interest is 3 h 2 min old (limit 5 min).");
    let awaiting = |edit: fn(&mut [Cell])| {
        let mut s = scene("default");
        s.edit = edit;
        s.after(1, &squeeze())
    };
    says(
        &awaiting(|c| set(c, "oi_delta_4h", State::Warming { have: 3, need: 13 })),
        "No reading yet: waiting for open interest history, 3 of 13 samples.",
    );
    says(
        &awaiting(|c| set(c, "oi_delta_4h", State::Undefined(Reason::Gap))),
        "No reading: a gap in open interest is too recent.",
    );
    says(
        &awaiting(|c| {
            set(c, "funding_zscore_24h", State::Undefined(Reason::ZeroVariance));
        }),
        "No reading: funding has not moved, so funding against its day cannot be measured.",
    );
    let mut s = scene("default");
    s.age_s = [0; 3];
    let mut row = s.row(&[]);
    row.inputs.iter_mut().for_each(|i| i.stream = None);
    says(&render(&s.context(), &row, None).explanation.reasoning, "No reading yet: no data has arrived.");
    let mut s = scene("seed1-strict");
    s.streams[1] = stream(Metric::FundingRateSettled, Span::hours(8), false);
    s.edit = |c| set(c, "funding_zscore_24h", State::Undefined(Reason::MissingInput));
    says(
        &s.after(1, &shorts()),
        "No reading: only a stand-in for funding is available, and this rule book accepts none.",
    );
    let mut s = scene("seed1-strict");
    s.edit = |c| c.iter_mut().for_each(|c| c.kind = Kind::Proxy);
    says(
        &s.after(1, &chop()),
        "No reading: only a stand-in for funding is available, and this rule book accepts none.",
    );
}

#[test]
fn a_label_decided_without_an_input_says_what_is_missing() {
    let mut s = scene("default");
    s.after(40, &storm());
    s.age_s = [2, 3, 14 * 60];
    s.edit = old_open_interest;
    says(
        &s.after(1, &storm()),
        "High volatility. 1 h volatility is 124 % annualised, limit 80 %, more than in 99 % of the last 90 days. It would \
         clear to normal if 1 h volatility fell below 49 % and stayed there for 5 h. Held 0.4 % of the last 90 days. \
         Open interest is 14 min old (limit 5 min).",
    );
    let mut s = scene("default");
    let mut aimless = storm();
    aimless[6].1 = 0.12;
    s.edit = |c| set(c, "oi_delta_1h", State::Undefined(Reason::Gap));
    says(
        &s.after(40, &aimless),
        "High volatility. 1 h volatility is 124 % annualised, limit 80 %, more than in 99 % of the last 90 days. There \
         would be no risk reading if 1 h volatility fell below 80 %. Held 0.4 % of the last 90 days.",
    );
}

#[test]
fn short_history_and_stand_ins_are_named() {
    let mut s = scene("default");
    s.edit = no_history;
    (s.held, s.known) = (300, 4_000);
    says(
        &s.after(30, &storm()),
        "High volatility. 1 h volatility is 124 % annualised, limit 80 %. It would clear to normal if 1 h volatility fell \
         below 48 % and stayed there for 5 h. Active 7.5 % of the time in 2 d of recording. Fixed limits \
         apply until there are 14 d of history.",
    );
    let mut s = scene("default");
    s.streams = vec![
        StreamDecl { kind: Kind::Measured, ..stream(Metric::Bar, Span::hours(1), false) },
        stream(Metric::FundingRateSettled, Span::hours(8), false),
        StreamDecl {
            source: "hyperliquid".to_owned(),
            kind: Kind::Proxy,
            ..stream(Metric::OpenInterest, Span::hours(1), false)
        },
    ];
    s.edit = |c| {
        for id in ["funding_zscore_24h", "oi_delta_4h", "oi_delta_1h", "realized_vol_1h", "realized_vol_4h"] {
            c[feature(id).index()].kind = Kind::Proxy;
        }
    };
    says(
        &s.after(30, &squeeze()),
        "Squeeze risk, longs crowded. Settled funding is 2.6σ above its week, open interest up 3.1 % in 4 h, more than in 93 % \
         of the last 90 days, 4 h volatility only 38 % annualised, lower than in 71 %. It would clear to normal if open \
         interest growth in 4 h fell below 1.2 % and stayed there for two hourly readings. Held 0.4 % of the last 90 days. Open \
         interest is an hourly proxy from hyperliquid, volatility estimated from 1 h candles, funding from the \
         8-hourly settlements only.",
    );
    let mut s = scene("default");
    s.streams[2] = stream(Metric::OpenInterest, Span::hours(1), false);
    says(
        &s.after(1, &QUIET),
        "The risk label would turn to high volatility if 1 h volatility rose above 80 %. Open interest is hourly here.",
    );
}

#[test]
fn a_young_history_is_called_that() {
    let mut s = scene("default");
    s.edit = |c| RANKS.iter().for_each(|id| c[feature(id).index()].partial = true);
    (s.held, s.known) = (1, 20_000);
    says(
        &s.after(40, &storm()),
        "High volatility. 1 h volatility is 124 % annualised, limit 80 %, more than in 99 % of its history so far. It would \
         clear to normal if 1 h volatility fell below 49 % and stayed there for 5 h. Hardly ever active before.",
    );
}

#[test]
fn markets_say_what_they_cannot_have() {
    let mut s = scene("default");
    s.instrument = Instrument { kind: MarketKind::Spot, ..market("coinbase:BTC-USD") };
    s.edit = |c| {
        for id in [
            "funding_zscore_24h",
            "funding_rate_8h",
            "funding_pct_30d",
            "oi_delta_1h",
            "oi_delta_4h",
            "oi_delta_4h_pct_90d",
        ] {
            set(c, id, State::Undefined(Reason::NotOffered));
        }
    };
    let quiet = "The risk label would turn to high volatility if 1 h volatility rose above 80 %.";
    says(&s.after(1, &QUIET), &format!("{quiet} Spot market: squeeze and chop cannot be judged here."));
    s.instrument = market("binance-usdm:BTCUSDT");
    says(&s.after(1, &QUIET), &format!("{quiet} No funding or open interest here: squeeze and chop cannot be judged."));
}

#[test]
fn a_book_of_ones_own_speaks_too() {
    let text = "name = \"mine\"\n[[rule]]\nid = \"crowded\"\nlabel = \"SQUEEZE_RISK\"\nenter = \"immediate\"\nall = [\n\
        { feature = \"squeeze_direction\", op = \"==\", value = \"LONG_SQUEEZE\" },\n\
        { feature = \"basis\", op = \">\", value = 0.01 },\n\
        { feature = \"oi_usd\", op = \">\", value = 5e9, scale = 1e9 },\n]\n";
    let mut s = scene("default");
    s.book = RuleBook::parse("mine.toml", text).unwrap();
    s.axis = RiskAxis::new();
    says(
        &s.after(1, &[LONGS_CROWDED, ("basis", 0.0213), ("oi_usd", 7.311e9)]),
        "Squeeze risk, longs crowded. Crowded side is LONG_SQUEEZE, basis is 2.1 % (limit 1.0 %), open interest in quote units \
         is 7.311 B (limit 5 B). It would clear to normal if basis fell below 0.9 % and stayed there for two readings, in 15 min \
         at the earliest. Held 0.4 % of the last 90 days.",
    );
}

#[test]
fn read_now_a_stored_reading_grows_old() {
    let mut s = scene("default");
    s.after(20, &chop());
    let row = s.last.clone().unwrap();
    let ctx = s.context();
    let stored = render(&ctx, &row, None);
    let read = |seconds: i64| at_present(&ctx, &row, None, row.ts + Span::secs(seconds));
    let fresh = read(120);
    assert_eq!(fresh.age_s, Some(120));
    assert_eq!(barograph_domain::Snapshot { age_s: None, ..fresh }, stored, "nothing is stale yet");
    let old = read(14 * 60);
    check(&old);
    says(
        &old.explanation.reasoning,
        "No reading: open interest is 14 min old (limit 5 min) and funding is 14 min old (limit 5 min). Last reading was chop risk.",
    );
    assert_eq!((old.snapshot_id.as_str(), old.timestamp), (stored.snapshot_id.as_str(), stored.timestamp));
    assert_eq!(old.regimes.risk.label, RiskRegime::ChopRisk);
    assert_eq!(old.regimes.risk.raw_label, RiskRegime::Unknown);
    assert_eq!(old.explanation.freshness_warning.as_deref(), Some("Data stale (14 minutes old)"));
    assert_eq!(old.explanation.stale_metrics, ["open_interest", "funding_rate", "mark_price"]);
    assert_eq!(old.explanation.nearest_exit, None);
    let gone = read(3 * 3600);
    assert_eq!((gone.regimes.risk.label, gone.regimes.risk.stale), (RiskRegime::Unknown, true));
    says(
        &gone.explanation.reasoning,
        "No reading: open interest is 3 h old (limit 5 min) and funding is 3 h old (limit 5 min).",
    );
}

#[test]
fn the_audit_itself_can_fail() {
    let json = serde_json::json!({ "x": 0.0312, "age": 840, "reasoning": "99" });
    numbers_are_in_the_payload("open interest up 3.1 % in 4 h, 14 min old", &json);
    let wrong = std::panic::catch_unwind(|| numbers_are_in_the_payload("up 3.2 %", &json));
    assert!(wrong.is_err());
    assert!(std::panic::catch_unwind(|| no_forbidden_word("it will rise, buy now please")).is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 400, ..proptest::test_runner::Config::default() })]

    /// Whatever the readings: every sentence keeps to the payload and to the words allowed.
    #[test]
    fn any_readings_make_an_honest_sentence(
        book in proptest::sample::select(RuleBook::SHIPPED.to_vec()),
        rows in proptest::collection::vec(
            (-4.0..4.0_f64, -0.0005..0.0006_f64, -0.1..0.25_f64, -0.05..0.05_f64, 0.05..2.0_f64, 0.05..1.2_f64, 0.0..1.0_f64, 0..6_u8),
            1..4,
        ),
    ) {
        let mut s = scene(book);
        for (z, f, d4, d1, v1, v4, e, trouble) in rows {
            s.edit = match trouble {
                0 => old_open_interest,
                1 => no_history,
                2 => |c| set(c, "realized_vol_1h", State::Undefined(Reason::Gap)),
                _ => |_| {},
            };
            s.age_s = if trouble == 0 { [2, 3, 700] } else { [2, 3, 41] };
            let side = ("squeeze_direction", f64::from(u8::from(z < 0.0)));
            s.after(2, &[
                ("funding_zscore_24h", z),
                ("funding_rate_8h", f),
                ("oi_delta_4h", d4),
                ("oi_delta_1h", d1),
                ("realized_vol_1h", v1),
                ("realized_vol_4h", v4),
                ("efficiency_12h", e),
                side,
            ]);
        }
    }
}
