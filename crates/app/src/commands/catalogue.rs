//! `features`: the catalogue.

use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::configured_book;
use barograph_engine::{CATALOGUE, Feature};
use barograph_query::shown::catalogue_entries;
use std::io::Write as _;

pub(crate) fn run(id: Option<&str>, settings: &Settings, json: bool) -> Result<(), Failure> {
    let (book, _) = configured_book(settings)?;
    let mut out = std::io::stdout().lock();
    let chosen = match id {
        None => None,
        Some(id) => Some(Feature::from_id(id).ok_or_else(|| {
            let near = barograph_api::nearest(id, CATALOGUE.iter().map(|s| s.id));
            Failure::usage(format!(
                "unknown feature '{id}'{}",
                near.map_or(String::new(), |n| format!(" — did you mean '{n}'?"))
            ))
        })?),
    };
    for (spec, entry) in CATALOGUE.iter().zip(catalogue_entries(&book)) {
        if chosen.is_some_and(|f| f != spec.feature) {
            continue;
        }
        if json {
            serde_json::to_writer(&mut out, &entry).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else if chosen.is_some() {
            writeln!(out, "{} v{} ({})", spec.id, spec.version, spec.group)?;
            writeln!(out, "  {}", entry.formula)?;
            writeln!(
                out,
                "  unit {}, window {}, ready from {}, source {}",
                spec.unit, spec.window, spec.warm_up, spec.source
            )?;
            let inputs: Vec<&str> = spec.inputs.iter().map(|m| m.name()).collect();
            writeln!(out, "  needs {}", inputs.join(", "))?;
            if let Some(ranked) = spec.ranks {
                writeln!(out, "  ranks {}", ranked.id())?;
            }
        } else {
            writeln!(out, "{:<28} {:<22} {}", spec.id, spec.unit, spec.window)?;
        }
    }
    Ok(())
}
