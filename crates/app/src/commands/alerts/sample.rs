//! `alerts test`: a sample to one receiver, outside of every queue, with what was sent and what came back.

use crate::clock::now;
use crate::commands::serve::runtime;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_live::delivery::sample;
use barograph_notify::dispatch::system_clock;
use barograph_notify::receiver::Receiver;
use barograph_notify::sample::{SampleOutcome, try_once};
use barograph_notify::transport::Transport;
use std::io::Write as _;

pub(super) fn run(name: Option<&str>, settings: &Settings, json: bool) -> Result<(), Failure> {
    let receivers = settings.receivers()?;
    let mut out = std::io::stdout().lock();
    let Some(name) = name else {
        for r in &receivers {
            if json {
                let budget = r.budget.map(|budget| budget.to_string());
                let line = serde_json::json!({
                    "name": r.name, "format": r.format.name, "address": r.shown(), "budget": budget,
                });
                writeln!(out, "{line}")?;
            } else {
                let budget = r.budget.map(|budget| format!(", at most {budget}")).unwrap_or_default();
                writeln!(out, "{:<20} {:<16} {}{budget}", r.name, r.format.name, r.shown())?;
            }
        }
        if receivers.is_empty() && !json {
            writeln!(out, "no receiver is set up; see docs/alerts.md for [[receiver]] tables")?;
        }
        return Ok(());
    };
    let receiver = receivers.iter().find(|r| r.name == name).ok_or_else(|| unknown(name, &receivers))?;
    let transport = Transport::new().map_err(Failure::Broken)?;
    let message =
        sample(now()).ok_or_else(|| Failure::broken("the detectors find nothing in the sample's readings"))?;
    let clock = system_clock();
    let tried = runtime()?.block_on(try_once(receiver.clone(), message, None, &transport, &clock));
    let shown = tried.map_err(Failure::usage)?;
    if json {
        let headers: serde_json::Map<String, serde_json::Value> =
            shown.headers.iter().map(|(n, v)| (n.clone(), v.clone().into())).collect();
        let line = serde_json::json!({
            "receiver": name, "request": shown.request, "headers": headers, "body": shown.body, "status": shown.status,
            "reply": shown.reply, "latency_ms": shown.latency_ms, "delivered": shown.delivered,
        });
        writeln!(out, "{line}")?;
    } else {
        print(&mut out, &shown)?;
        if let Some(budget) = receiver.budget {
            writeln!(out, "its budget is {budget}; a sample does not count")?;
        }
    }
    out.flush()?;
    if shown.delivered { Ok(()) } else { Err(Failure::No(format!("'{name}' did not take the sample"))) }
}

fn print(out: &mut impl std::io::Write, shown: &SampleOutcome) -> Result<(), Failure> {
    writeln!(out, "{}", shown.request)?;
    for (name, value) in &shown.headers {
        writeln!(out, "{name}: {value}")?;
    }
    writeln!(out, "\n{}\n", shown.body)?;
    match shown.status {
        Some(status) => writeln!(out, "answered {status} within {} ms", shown.latency_ms)?,
        // Whether time was up or the connection was closed at once: what is in the place of a reply says which.
        None if shown.reply.is_empty() => writeln!(out, "no answer after {} ms", shown.latency_ms)?,
        None => writeln!(out, "no answer after {} ms: {}", shown.latency_ms, shown.reply)?,
    }
    if shown.status.is_some() && !shown.reply.is_empty() {
        writeln!(out, "{}", shown.reply)?;
    }
    Ok(())
}

fn unknown(name: &str, receivers: &[Receiver]) -> Failure {
    let names: Vec<&str> = receivers.iter().map(|r| r.name.as_str()).collect();
    let hint = match barograph_api::nearest(name, names.iter().copied()) {
        Some(like) => format!("did you mean {like}?"),
        None if names.is_empty() => "none is set up; see docs/alerts.md".to_owned(),
        None => format!("there are {}", names.join(", ")),
    };
    Failure::usage(format!("there is no receiver '{name}'; {hint}"))
}
