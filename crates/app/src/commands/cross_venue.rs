//! `cross-venue`: best prices of one asset over the venues that a running process listens to (R4.67).

use crate::cli::CrossVenueArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::http;
use crate::term::{columns, fold};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;

pub(crate) fn run(args: &CrossVenueArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let base = args.base.as_deref().map_or_else(String::new, |base| format!("?base={}", http::escaped(base)));
    let address = settings.listen()?;
    let path = format!("/api/v1/cross-venue{base}");
    let view = http::send((address, settings.token.as_deref()), "GET", &path, None).map_err(|e| match e {
        Failure::Broken(why) if why.contains("does not answer at") => Failure::usage(format!(
            "best prices are known to a process that listens to venues, and none answers at {address}; begin one with: \
             barograph up --venue bybit,okx; or name its address with --listen"
        )),
        other => other,
    })?;
    let mut out = std::io::stdout().lock();
    let items = view["items"].as_array().map_or(&[][..], Vec::as_slice);
    if json {
        for item in items {
            writeln!(out, "{item}")?;
        }
        return Ok(out.flush()?);
    }
    if items.is_empty() {
        writeln!(out, "no asset is quoted by two venues that are listened to")?;
    }
    for item in items {
        writeln!(out, "{}", shown(item))?;
    }
    Ok(out.flush()?)
}

/// That prices are in different dollars, and in which.
fn several_dollars(item: &Value) -> String {
    let quotes = item["quotes"].as_array().map_or(&[][..], Vec::as_slice);
    let all: BTreeSet<&str> = quotes.iter().filter_map(|quote| quote["quote"].as_str()).collect();
    format!(", quoted in different dollars ({})", all.into_iter().collect::<Vec<_>>().join(", "))
}

fn shown(item: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").replace('_', " ");
    let pair = item["quote"].as_str().map_or_else(|| word(&item["base"]), |q| format!("{}/{q}", word(&item["base"])));
    let several = if item["quote"].is_null() { several_dollars(item) } else { String::new() };
    let expiry = item["expiry"].as_str().map_or_else(String::new, |at| format!(" to {}", at.get(..10).unwrap_or(at)));
    let text = item["text"].as_str().unwrap_or("-");
    let head = format!("{pair} {}{expiry}{several}: {text}", word(&item["kind"]));
    let mut text = fold(&head, columns(), "");
    for quote in item["quotes"].as_array().map_or(&[][..], Vec::as_slice) {
        // As it is quoted: rounded prices would look the same.
        let price = |side: &str| quote[side].as_f64().map_or_else(|| "-".to_owned(), |p| p.to_string());
        let state = match (quote["reason"].as_str(), quote["age_ms"].as_i64()) {
            (Some(reason), _) => format!("left out: {}", reason.replace('_', " ")),
            (None, Some(age)) => format!("{age} ms old"),
            (None, None) => String::new(),
        };
        text.push_str(&format!(
            "\n  {:<32} {:>12} {:>12}  {state}",
            quote["market"].as_str().unwrap_or("-"),
            price("bid"),
            price("ask")
        ));
    }
    text
}
