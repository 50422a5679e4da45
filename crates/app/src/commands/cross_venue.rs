//! `cross-venue`: best prices of one asset over the venues that a running process listens to (R4.67).

use crate::cli::CrossVenueArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::http;
use crate::term::{columns, fold};
use serde_json::Value;
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

fn shown(item: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").replace('_', " ");
    let mut text =
        fold(&format!("{} {}: {}", word(&item["base"]), word(&item["kind"]), word(&item["text"])), columns(), "");
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
