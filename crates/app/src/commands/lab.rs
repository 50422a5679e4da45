//! `lab`: data sets from recordings, studies on them, and their boards.

use super::lake::root;
use crate::cli::Lab;
use crate::cli::lab::{BoardArgs, DatasetArgs, PresetArg, TrainArgs};
use crate::config::Settings;
use crate::failure::Failure;
use crate::lab::print;
use crate::progress::{Progress, Unit};
use barograph_columns::catalogue;
use barograph_domain::InstrumentName;
use barograph_lab::zoo::Preset;
use barograph_research::dataset::{DatasetRequest, record};
use barograph_research::train::{Lineup, StudyRequest, folder_of, read_board, study};
use barograph_study::folds::FoldPlan;
use barograph_study::targets::TargetId;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) fn run(command: &Lab, settings: &Settings, json: bool) -> Result<(), Failure> {
    match command {
        Lab::Dataset(args) => dataset(args, settings, json),
        Lab::Train(args) => train(args, settings, json),
        Lab::Leaderboard(args) => leaderboard(args, settings, json),
        Lab::Targets => targets(json),
        Lab::Columns { id } => columns(id.as_deref(), json),
    }
}

fn name(text: &str, settings: &Settings) -> Result<InstrumentName, Failure> {
    let named = match text.split_once(':') {
        Some((venue, symbol)) => InstrumentName::new(venue, symbol),
        None => InstrumentName::new(settings.default_venue.as_str(), text),
    };
    named.map_err(Failure::usage)
}

pub(super) fn dataset(args: &DatasetArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let request = DatasetRequest {
        market: name(&args.market, settings)?,
        files: args.sources.clone(),
        lake: root(&args.place, settings),
        tick: args.tick,
    };
    let mut progress: Option<Progress> = None;
    let report = record(&request, &mut |done, of| {
        progress.get_or_insert_with(|| Progress::new(of, "playing", Unit::Bytes)).set(done);
    })?;
    drop(progress);
    print::dataset(&request, &report, json)
}

fn studies(given: Option<&PathBuf>, settings: &Settings) -> PathBuf {
    given.cloned().unwrap_or_else(|| settings.data.join("studies"))
}

fn train(args: &TrainArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    let lineup = if args.model.is_empty() { Lineup::all() } else { Lineup::named(&args.model)? };
    let studies = studies(args.studies.as_ref(), settings);
    for target in &args.target {
        let request = StudyRequest {
            lake: root(&args.place, settings),
            market: market.clone(),
            target: *target,
            plan: FoldPlan { folds: args.folds, memory: args.embargo, ..FoldPlan::default() },
            preset: if args.preset == PresetArg::Best { Preset::Best } else { Preset::Quick },
            seed: args.seed,
            lineup: lineup.clone(),
            folder: folder_of(&studies, &market, *target),
        };
        let mut progress: Option<Progress> = None;
        let board = study(&request, &mut |step| {
            let what = format!("{target}: {}", step.model);
            let bar = progress.get_or_insert_with(|| Progress::new(step.of as u64, &what, Unit::Steps));
            bar.set(step.done as u64);
        })?;
        drop(progress);
        print::board(&board, json)?;
        if !json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "kept in {}", request.folder.display())?;
        }
    }
    Ok(())
}

fn leaderboard(args: &BoardArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    let studies = studies(args.studies.as_ref(), settings);
    let wanted: Vec<TargetId> = args.target.map_or_else(|| TargetId::all().collect(), |t| vec![t]);
    let folders = wanted.into_iter().map(|target| folder_of(&studies, &market, target));
    let found: Vec<PathBuf> = folders.filter(|f| f.join(barograph_research::train::BOARD).is_file()).collect();
    if found.is_empty() {
        return Err(Failure::No(format!(
            "{} holds no board of {market}; one is made by: barograph lab train {market} --target dir_5s",
            studies.display()
        )));
    }
    found.iter().try_for_each(|folder| print::board(&read_board(folder)?, json))
}

fn targets(json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for target in TargetId::all() {
        let horizon = target.horizon();
        if json {
            let line = serde_json::json!({ "target": target, "horizon_s": horizon.map(|h| h.as_secs_f64()) });
            writeln!(out, "{line}")?;
        } else {
            let over = horizon.map_or_else(|| "counted in changes of the book".to_owned(), |h| format!("over {}", h.compact()));
            writeln!(out, "{target:16} {:10} {over}", print::kind(target))?;
        }
    }
    Ok(())
}

fn columns(id: Option<&str>, json: bool) -> Result<(), Failure> {
    let wanted = catalogue().iter().filter(|c| id.is_none_or(|id| c.id == id)).collect::<Vec<_>>();
    if wanted.is_empty() {
        let id = id.unwrap_or_default();
        return Err(Failure::usage(format!("there is no column '{id}'; `barograph lab columns` lists them")));
    }
    let mut out = std::io::stdout().lock();
    for c in wanted {
        if json {
            let line = serde_json::json!({ "id": c.id, "formula": c.formula, "levels": c.levels, "unit": c.unit, "window": c.window, "warm_up": c.warm_up, "undefined": c.undefined });
            writeln!(out, "{line}")?;
        } else if id.is_some() {
            writeln!(out, "{}\n  formula    {}\n  levels     {}\n  unit       {}\n  window     {}\n  warm-up    {}\n  undefined  {}", c.id, c.formula, c.levels, c.unit, c.window, c.warm_up, c.undefined)?;
        } else {
            writeln!(out, "{:32} {:14} {}", c.id, c.unit, c.formula)?;
        }
    }
    Ok(())
}
