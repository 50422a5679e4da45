//! `markets`: what is in the data folder.

use crate::commands::open_reader;
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::minute;
use barograph_store::Reader as _;
use std::io::Write as _;

pub(crate) fn run(settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = open_reader(&settings.data())?;
    let mut out = std::io::stdout().lock();
    let instruments = reader.instruments(None)?;
    if instruments.is_empty() && !json {
        writeln!(
            out,
            "no markets in {}; import some with: barograph collect --source PATH",
            settings.data().display()
        )?;
    }
    for info in instruments {
        let streams = reader.streams(Some(&info.instrument.name), None)?;
        if json {
            let streams: Vec<_> = streams
                .iter()
                .map(|s| serde_json::json!({ "metric": s.decl.metric.name(), "source": s.decl.source, "kind": s.decl.kind, "cadence_s": s.decl.cadence.as_secs(), "delay_s": s.decl.delay.as_secs(), "stamp": s.decl.stamp, "points": s.points, "first_event": s.first_event, "newest_event": s.newest_event }))
                .collect();
            let line = serde_json::json!({ "instrument": info.instrument.name, "kind": info.instrument.kind, "points": info.points, "first_event": info.first_event, "newest_event": info.newest_event, "streams": streams });
            writeln!(out, "{line}")?;
            continue;
        }
        let span = format!("{} to {}", minute(info.first_event), minute(info.newest_event));
        writeln!(out, "{:<24} {:>8} points  {span}", info.instrument.name.to_string(), info.points)?;
        for s in streams {
            let kind =
                serde_json::to_value(s.decl.kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
            writeln!(
                out,
                "  {:<24} {:>4} {:<9} {:<16} {:>9} points",
                s.decl.metric.name(),
                s.decl.cadence.compact(),
                kind,
                s.decl.source,
                s.points
            )?;
        }
    }
    Ok(())
}
