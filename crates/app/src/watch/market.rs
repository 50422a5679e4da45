//! One market's page as lines of text: what it is, why, what would change it, what it means.

use super::state::{KnownBoard, WatchRow};
use super::table::BoardMoment;
use super::wording::{self, NONE, Tone};
use crate::term::fold;
use barograph_domain::{Axis, TradingSession, spoken_label, spoken_margin};
use barograph_engine::CATALOGUE;
use serde_json::Value;

type Lines = Vec<(String, Tone)>;

/// Alerts that are shown.
const ALERTS: usize = 8;
/// A text wider than this is hard to read.
const WIDEST: usize = 100;

/// The page of a market.
pub(crate) fn lines(board: &KnownBoard, market: &str, at: BoardMoment, room: usize) -> Lines {
    let row = board.rows.iter().find(|row| row.instrument == market);
    let mut out = vec![price(board, row, market)];
    let s = &board.snapshot;
    if s["instrument"].as_str() != Some(market) {
        out.push((String::new(), Tone::Plain));
        out.push(("no reading has come yet; the first one is made with the next full minute".to_owned(), Tone::Faint));
        return out;
    }
    let room = room.clamp(20, WIDEST);
    // A server of before there were headlines has none.
    for line in fold(s["headline"].as_str().unwrap_or(""), room - 1, " ").lines() {
        out.push((line.to_owned(), Tone::Strong));
    }
    axes(&mut out, s);
    let say = |out: &mut Lines, name: &str, text: &str| {
        let indent = " ".repeat(17);
        let folded = fold(text, room - 1, &indent);
        let first = format!(" {name:<16}{}", folded.trim_start());
        out.extend(first.lines().map(|line| (line.to_owned(), Tone::Plain)));
    };
    blank(&mut out);
    let explanation = &s["explanation"];
    for line in fold(text(&explanation["reasoning"]), room - 1, " ").lines() {
        out.push((line.to_owned(), Tone::Plain));
    }
    let ended = s["recorded_until"].is_string();
    if let Some(warning) = explanation["freshness_warning"].as_str().filter(|_| !ended) {
        out.extend(fold(warning, room - 1, " ").lines().map(|line| (line.to_owned(), Tone::Red)));
    }
    blank(&mut out);
    say(&mut out, "new entries", text(&s["guidance"]["new_entries"]));
    say(&mut out, "open positions", text(&s["guidance"]["open_positions"]));
    say(&mut out, "session", &session(&s["session"]));
    flips(&mut out, s, &say);
    rules(&mut out, s);
    alerts(&mut out, board, market, at);
    out
}

fn blank(out: &mut Lines) {
    out.push((String::new(), Tone::Plain));
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or(NONE)
}

/// "binance-usdm:BTCUSDT   63,120 (2 s old)   bid 63,119 ask 63,121"
fn price(board: &KnownBoard, row: Option<&WatchRow>, market: &str) -> (String, Tone) {
    let live = &board.market;
    let mut line = market.to_owned();
    if live["instrument"].as_str() == Some(market) {
        if let Some(p) = live["price"].as_f64() {
            let age = live["price_age_ms"]
                .as_i64()
                .map_or(String::new(), |ms| format!(" ({} old)", wording::age(ms / 1_000)));
            line.push_str(&format!("   {}{age}", crate::term::price(p)));
        }
        if let (Some(bid), Some(ask)) = (live["bid"].as_f64(), live["ask"].as_f64()) {
            line.push_str(&format!("   bid {} ask {}", crate::term::price(bid), crate::term::price(ask)));
        }
    } else if let Some(p) = row.and_then(|row| row.number(barograph_api::board::Column::Price)) {
        line.push_str(&format!("   {}", crate::term::price(p)));
    }
    (line, Tone::Strong)
}

/// How far the published label is from turning, as `AxisView::turning` has it.
fn turning(view: &Value) -> Option<f64> {
    let margin = view["margin"].as_f64();
    match view["held_by"].as_str() {
        Some("dwell") => margin.map(|_| 0.0),
        _ => view["nearest_exit"]["distance"].as_f64().or(margin),
    }
}

/// " risk        HIGH_VOL ⚡          38 min   margin 0.9, near"
fn axes(out: &mut Lines, s: &Value) {
    for axis in ["risk", "trend", "volatility", "heat"] {
        let view = &s["regimes"][axis];
        let word = text(&view["label"]);
        let (sign, tone) = wording::label(axis, word);
        let side = match view["direction"].as_str() {
            Some("LONG_SQUEEZE") => "▼ longs",
            Some("SHORT_SQUEEZE") => "▲ shorts",
            _ => "",
        };
        let label = format!("{word} {sign}{side}");
        let age = view["age_s"].as_i64().map_or(NONE.to_owned(), wording::age);
        let margin = turning(view)
            .map_or(String::new(), |m| format!("   margin {}, {}", wording::fixed(m, 1), spoken_margin(m)));
        let stale = view["stale"].as_bool().unwrap_or(false);
        let tone = if stale { Tone::Faint } else { tone };
        let stale = if stale { "   stale" } else { "" };
        out.push((format!(" {axis:<11} {label:<24} {age}{margin}{stale}"), tone));
    }
    let guidance = &s["guidance"];
    let posture = format!(" posture     {:<24} bias {}", text(&guidance["posture"]), text(&guidance["risk_bias"]));
    out.push((posture, Tone::Plain));
}

/// "London session, 40 % elapsed; stops at 1.6 × ATR"
fn session(s: &Value) -> String {
    let over =
        s["elapsed_frac"].as_f64().map_or(String::new(), |f| format!(", {} elapsed", wording::percent(f, 0, false)));
    let stops = s["adaptive_multiplier"].as_f64().map_or(String::new(), |m| format!("; stops at {m:.1} × ATR"));
    let name = text(&s["name"]);
    let spoken = TradingSession::ALL.into_iter().find(|known| known.name() == name).map(TradingSession::spoken);
    format!("{}{over}{stops}", spoken.unwrap_or(name))
}

/// What would end the label, and what would turn the reading.
fn flips(out: &mut Lines, s: &Value, say: &dyn Fn(&mut Lines, &str, &str)) {
    for of in [Axis::Risk, Axis::Trend, Axis::Volatility, Axis::Heat] {
        let axis = of.name();
        let view = &s["regimes"][axis];
        let (exit, flip) = (&view["nearest_exit"], &view["nearest_flip"]);
        if exit.is_object() {
            say(out, &format!("{axis} ends"), &flip_text(s, of, exit));
        }
        if flip.is_object() && (flip["needed"] != exit["needed"] || flip["label"] != exit["label"]) {
            say(out, &format!("{axis} turns"), &flip_text(s, of, flip));
        }
    }
}

/// Seconds between readings that are called so without more, and by the hour.
const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3600;

/// "chop risk if 1 h volatility falls below 93 % annualised and stays there for 2 readings; now 118 %"
fn flip_text(s: &Value, axis: Axis, flip: &Value) -> String {
    let feature = text(&flip["feature"]);
    let unit = unit(s, feature);
    let a_year = if unit == "annualised fraction" { " annualised" } else { "" };
    let moves = if flip["direction"] == "above" { "rises above" } else { "falls below" };
    let (readings, cadence) = (flip["readings"].as_i64().unwrap_or(1), flip["cadence_s"].as_i64().unwrap_or(MINUTE_S));
    let stays = match (readings, cadence) {
        (..=1, _) => String::new(),
        (n, HOUR_S) => format!(" and stays there for {n} hourly readings"),
        (n, ..=MINUTE_S) => format!(" and stays there for {n} readings"),
        (n, apart) => format!(" and stays there for {n} readings {} apart", wording::age(apart)),
    };
    // A wait longer than the readings themselves is worth saying.
    let left = flip["dwell_left_s"].as_i64().filter(|s| *s > readings * cadence);
    let dwell = left.map_or(String::new(), |s| format!(", in {} at the earliest", wording::age(s)));
    format!(
        "{} if {} {moves} {}{a_year}{stays}{dwell}; now {}",
        spoken_label(axis, text(&flip["label"])).unwrap_or_else(|| text(&flip["label"])),
        spoken(feature),
        wording::reading(&flip["threshold"], unit),
        wording::reading(&flip["value"], unit)
    )
}

fn unit<'a>(s: &'a Value, feature: &str) -> &'a str {
    s["explanation"]["features"][feature]["unit"].as_str().unwrap_or("")
}

/// A feature as people say it, a percentile as the rank that it is; one of a newer server by its id.
fn spoken(feature: &str) -> String {
    match CATALOGUE.iter().find(|spec| spec.id == feature) {
        None => feature.to_owned(),
        Some(spec) if spec.ranks.is_some() => format!("{} rank", spec.spoken),
        Some(spec) => spec.spoken.to_owned(),
    }
}

/// The same in a column of this width: shorter words before fewer letters.
fn in_column(name: &str, width: usize) -> String {
    let name = if name.chars().count() > width { name.replace("open interest", "OI") } else { name.to_owned() };
    match name.char_indices().nth(width) {
        None => name,
        Some(_) => name.chars().take(width - 1).chain(['…']).collect(),
    }
}

/// Each rule with its clauses: value, threshold, margin as a bar.
fn rules(out: &mut Lines, s: &Value) {
    let none = Vec::new();
    for axis in ["risk", "trend", "volatility", "heat"] {
        for rule in s["explanation"]["trace"].as_array().unwrap_or(&none).iter().filter(|rule| rule["axis"] == axis) {
            blank(out);
            let (sign, tone) = wording::label(axis, text(&rule["label"]));
            let (verb, tone) = match rule["result"].as_str() {
                Some("true") => ("fires", tone),
                Some("false") => ("does not fire", Tone::Plain),
                Some("not_applicable") => ("does not apply", Tone::Faint),
                _ => ("cannot be judged", Tone::Faint),
            };
            let margin =
                rule["margin"].as_f64().map_or(String::new(), |m| format!(", margin {}", wording::fixed(m, 1)));
            let share = rule["held_share_90d"].as_f64();
            let share = share.map_or(String::new(), |x| format!(", active {} of 90 d", wording::percent(x, 1, false)));
            out.push((format!(" {axis}: {} {sign} {verb}{margin}{share}", text(&rule["id"])), tone));
            for clause in rule["clauses"].as_array().unwrap_or(&none) {
                out.push((clause_line(s, clause), Tone::Plain));
            }
        }
    }
}

/// "   1 h volatility           118 %  > 80 %     ▱▱▱▱▱│▰▰▱▱▱ 0.9"
fn clause_line(s: &Value, clause: &Value) -> String {
    let feature = text(&clause["feature"]);
    let unit = unit(s, feature);
    let size = if clause["abs"] == true { "size of " } else { "" };
    let any = if clause["group"].is_number() { "or " } else { "" };
    let value = wording::reading(&clause["value"], unit);
    let threshold = format!("{} {}", text(&clause["op"]), wording::reading(&clause["threshold"], unit));
    let name = in_column(&format!("{any}{size}{}", spoken(feature)), 32);
    let bar = match clause["margin"].as_f64() {
        Some(margin) => format!("{} {}", wording::margin_bar(margin), wording::fixed(margin, 1)),
        None => match clause["result"].as_str() {
            Some("true") => "holds".to_owned(),
            Some("false") => "does not hold".to_owned(),
            _ => "not known".to_owned(),
        },
    };
    format!("   {name:<32} {value:>10}  {threshold:<12} {bar}")
}

fn alerts(out: &mut Lines, board: &KnownBoard, market: &str, at: BoardMoment) {
    blank(out);
    let own: Vec<&Value> = board.alerts.iter().filter(|a| a["instrument"] == market).take(ALERTS).collect();
    if own.is_empty() {
        out.push((" no alert of this market in the last day".to_owned(), Tone::Faint));
        return;
    }
    out.push((" newest alerts".to_owned(), Tone::Strong));
    for alert in own {
        let age = wording::since(text(&alert["timestamp"]), at.now_ms).map_or(NONE.to_owned(), wording::age);
        let (severity, title) = (text(&alert["severity"]), text(&alert["title"]));
        out.push((format!("   {age:>10} ago  {severity:<8} {title} ({})", text(&alert["state"])), Tone::Plain));
    }
}
