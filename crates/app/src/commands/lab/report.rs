//! `lab report` and `lab goals`: what was studied, for people.

use super::{name, root, studies};
use crate::cli::lab::{GoalsArgs, ReportArgs};
use crate::config::Settings;
use crate::failure::Failure;
use crate::lab::{goals, page};
use crate::progress::{Progress, Unit};
use barograph_research::goals::goals as goals_of;
use barograph_research::train::{StudyRequest, lacking, summary};
use std::io::Write as _;

pub(super) fn page_of(args: &ReportArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let (lake, studies) = (root(&args.place, settings), studies(args.studies.as_ref(), settings));
    let request = StudyRequest::of_board(&lake, &studies, &name(&args.market, settings)?, args.target)?;
    let mut progress: Option<Progress> = None;
    let found = summary(&request, &mut |done, of| {
        progress.get_or_insert_with(|| Progress::new(of as u64, "reading", Unit::Steps)).set(done as u64);
    })?;
    drop(progress);
    let path = args.out.clone().unwrap_or_else(|| request.folder.join("report.html"));
    std::fs::write(&path, page::page(&request, &found))
        .map_err(|e| Failure::usage(format!("cannot write {}: {e}", path.display())))?;
    let mut out = std::io::stdout().lock();
    if json {
        let line = serde_json::json!({
            "report": path, "market": request.market.to_string(), "target": request.target, "n_test": found.n_test, "n_eff": found.n_eff,
            "equity": found.backtest.is_some(), "importance": found.importance.is_some(),
        });
        return Ok(writeln!(out, "{line}")?);
    }
    writeln!(out, "written: {}", path.display())?;
    for lack in lacking(&request, &found) {
        let example = lack.example.map(|example| format!(" ({example})")).unwrap_or_default();
        match lack.remedy {
            Ok(command) => writeln!(out, "without {}{example}:\n  {command}", lack.what)?,
            Err(why) => writeln!(out, "without {}: {why}", lack.what)?,
        }
    }
    Ok(())
}

pub(super) fn goals(args: &GoalsArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let (lake, studies) = (root(&args.place, settings), studies(args.studies.as_ref(), settings));
    let mut lines = Vec::new();
    for market in &args.markets {
        lines.extend(goals_of(&lake, &studies, &name(market, settings)?)?);
    }
    goals::print(&lines, args.markdown, json)
}
