//! `lab`: data sets from recordings, studies on them, and their boards.

mod execution;
mod leadlag;
mod report;
mod rule_signals;
mod simulate;

use super::lab_worth;
use super::lake::root;
use crate::cli::Lab;
use crate::cli::lab::{
    BacktestArgs, BoardArgs, DatasetArgs, ImportanceArgs, OrderArgs, PresetArg, StudyArgs, TrainArgs,
};
use crate::config::Settings;
use crate::failure::Failure;
use crate::lab::feeds::StoredFeeds;
use crate::lab::print;
use crate::progress::{Progress, Unit};
use barograph_columns::catalogue;
use barograph_domain::{InstrumentName, Span};
use barograph_lab::zoo::Preset;
use barograph_research::dataset::{
    DatasetBeside, DatasetRequest, JournalRequest, record_beside, record_journal_beside,
};
use barograph_research::placed;
use barograph_research::train::{
    Lineup, StudyRequest, boards, folder_of, importance, read_board, study, traded, usual_limit,
};
use barograph_study::folds::FoldPlan;
use barograph_study::money::blotter::TradeTerms;
use barograph_study::money::fees::TakerFee;
use barograph_study::targets::TargetId;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) fn run(command: &Lab, settings: &Settings, json: bool) -> Result<(), Failure> {
    match command {
        Lab::Dataset(args) => dataset(args, settings, json),
        Lab::Train(args) => train(args, settings, json),
        Lab::Importance(args) => by_importance(args, settings, json),
        Lab::Backtest(args) => backtest(args, settings, json),
        Lab::LeadLag(args) => leadlag::run(args, settings, json),
        Lab::Execution(args) => execution::run(args, settings, json),
        Lab::Simulate(args) => simulate::run(args, settings, json),
        Lab::Report(args) => report::page_of(args, settings, json),
        Lab::Goals(args) => report::goals(args, settings, json),
        Lab::Leaderboard(args) => leaderboard(args, settings, json),
        Lab::HoldOut(args) => lab_worth::hold_out(args, settings, json),
        Lab::Log(args) => lab_worth::log(args, settings, json),
        Lab::Models(args) => lab_worth::models(args, settings, json),
        Lab::Predict(args) => lab_worth::predict(args, settings, json),
        Lab::Pair(args) => super::lab_pair::run(args, settings, json),
        Lab::Targets => targets(json),
        Lab::Columns { id } => columns(id.as_deref(), json),
    }
}

pub(super) use crate::input::market_named as name;

/// On which terms an order is traded.
pub(super) fn terms(fee: &TakerFee, order: &OrderArgs) -> Result<TradeTerms, Failure> {
    let OrderArgs { notional, latency_ms } = *order;
    if !(notional.is_finite() && notional > 0.0) {
        return Err(Failure::usage(format!("{notional} quote is no size for a trade")));
    }
    Ok(TradeTerms { fee: fee.clone(), notional, latency: Span::millis(i64::from(latency_ms)) })
}

pub(super) fn dataset(args: &DatasetArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    let sizes = || args.contract_size.iter();
    let request = DatasetRequest {
        contract_size: sizes().find(|(of, _)| of.as_ref().is_none_or(|of| *of == market)).map(|(_, size)| *size),
        market,
        files: args.sources.clone(),
        lake: root(&args.place, settings),
        tick: args.tick,
    };
    let mut beside = DatasetBeside {
        feeds: StoredFeeds::open(settings)?,
        recordings: Vec::new(),
        contract_sizes: sizes().filter_map(|(of, size)| Some((of.clone()?, *size))).collect(),
        reference: args.reference.clone(),
    };
    for (market, file) in &args.beside {
        match beside.recordings.iter_mut().find(|(known, _)| known == market) {
            Some((_, files)) => files.push(file.clone()),
            None => beside.recordings.push((market.clone(), vec![file.clone()])),
        }
    }
    let named = |of: &InstrumentName| *of == request.market || beside.recordings.iter().any(|(known, _)| known == of);
    if let Some((of, _)) = beside.contract_sizes.iter().find(|(of, _)| !named(of)) {
        return Err(Failure::usage(format!(
            "--contract-size is given for {of}, of which there is no recording here; give one with --beside, or leave it out"
        )));
    }
    if request.files.is_empty() {
        if request.tick.is_some() {
            return Err(Failure::usage(
                "--tick is for recordings that are given as files: a journal has what its venue states; leave --tick out",
            ));
        }
        return of_journal(&request, &beside, settings, json);
    }
    let mut progress: Option<Progress> = None;
    let report = record_beside(&request, &beside, &mut |done, of| {
        progress.get_or_insert_with(|| Progress::new(of, "playing", Unit::Bytes)).set(done);
    })?;
    drop(progress);
    print::dataset(&request, &report, json)
}

/// The same from what the program itself has listened to.
fn of_journal(
    request: &DatasetRequest,
    beside: &DatasetBeside,
    settings: &Settings,
    json: bool,
) -> Result<(), Failure> {
    let journal = JournalRequest {
        data: settings.data.clone(),
        markets: vec![request.market.clone()],
        lake: request.lake.clone(),
        from: None,
        until: None,
    };
    let mut progress: Option<Progress> = None;
    let done = record_journal_beside(&journal, beside, &mut |done, of| {
        progress.get_or_insert_with(|| Progress::new(of, "playing", Unit::Steps)).set(done);
    })?;
    drop(progress);
    for trouble in &done.troubles {
        writeln!(std::io::stderr(), "barograph: {trouble}")?;
    }
    for (market, report) in &done.markets {
        print::dataset(&DatasetRequest { market: market.clone(), ..request.clone() }, report, json)?;
    }
    Ok(())
}

pub(super) fn studies(given: Option<&PathBuf>, settings: &Settings) -> PathBuf {
    given.cloned().unwrap_or_else(|| settings.studies_folder())
}

/// A request for each target.
pub(super) fn requests(args: &StudyArgs, lineup: &Lineup, settings: &Settings) -> Result<Vec<StudyRequest>, Failure> {
    let market = name(&args.market, settings)?;
    let studies = studies(args.studies.as_ref(), settings);
    let preset = if args.preset == PresetArg::Best { Preset::Best } else { Preset::Quick };
    if let Some((_, twice)) = args.target.iter().enumerate().find(|(at, one)| args.target[..*at].contains(one)) {
        return Err(Failure::usage(format!("--target: {twice} is given twice")));
    }
    let of = |target: &TargetId| StudyRequest {
        lake: root(&args.place, settings),
        market: market.clone(),
        target: *target,
        plan: FoldPlan {
            folds: args.folds,
            memory: args.embargo,
            train_rows_min: args.rows_min,
            ..FoldPlan::default()
        },
        preset,
        time_limit: usual_limit(preset),
        seed: args.seed,
        weights: args.weights.into(),
        lineup: lineup.clone(),
        folder: folder_of(&studies, &market, *target),
    };
    Ok(args.target.iter().map(of).collect())
}

fn train(args: &TrainArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let lineup = if args.model.is_empty() { Lineup::all() } else { Lineup::named(&args.model)? };
    let terms = args.fee.as_ref().map(|fee| lab_worth::terms(fee, &args.trade, &args.study.market, settings));
    let terms = terms.transpose()?;
    for request in requests(&args.study, &lineup, settings)? {
        let request = StudyRequest { time_limit: args.time_limit.unwrap_or(request.time_limit), ..request };
        let mut progress: Option<Progress> = None;
        let board = study(&request, terms.as_ref(), &mut |step| {
            let does = if step.model == "trading" { "trading" } else { "fitting" };
            let what = format!("{}: {does}", request.target);
            let bar = progress.get_or_insert_with(|| Progress::new(step.of as u64, &what, Unit::Steps));
            bar.set_part(step.done as u64, step.of as u64, &what);
        })?;
        drop(progress);
        print::board(&board, &request.folder, json)?;
        if !json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "kept in {}", request.folder.display())?;
        }
    }
    Ok(())
}

fn by_importance(args: &ImportanceArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    for request in requests(&args.study, &Lineup::all(), settings)? {
        let mut progress: Option<Progress> = None;
        let report = importance(&request, &args.model, &mut |done, of| {
            progress.get_or_insert_with(|| Progress::new(of as u64, "permuting", Unit::Steps)).set(done as u64);
        })?;
        drop(progress);
        print::importance(&request, &report, args.top, json)?;
    }
    Ok(())
}

fn backtest(args: &BacktestArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let terms = lab_worth::terms(&args.fee, &args.trade, &args.study.market, settings)?;
    for request in requests(&args.study, &Lineup::all(), settings)? {
        let mut progress: Option<Progress> = None;
        let report = traded(&request, &args.model, &terms, &mut |done, of| {
            progress.get_or_insert_with(|| Progress::new(of as u64, "trading", Unit::Steps)).set(done as u64);
        })?;
        drop(progress);
        print::backtest(&request, &report, json)?;
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
            "{} holds no board of {}{market}; one is made by: barograph lab train {market} --target {}{}",
            studies.display(),
            args.target.map(|target| format!("{target} of ")).unwrap_or_default(),
            args.target.map_or("dir_5s", TargetId::name),
            placed(&settings.data, &studies)
        )));
    }
    let Some(run) = &args.run else {
        return found.iter().try_for_each(|folder| print::board(&read_board(folder)?, folder, json));
    };
    // One target was named with it.
    let mut names = Vec::new();
    for folder in &found {
        for board in boards(folder)? {
            if board.run == *run {
                return print::board(&board, folder, json);
            }
            names.push(format!("{} ({})", board.run, board.made));
        }
    }
    Err(Failure::usage(format!("there is no board '{run}'; there are: {}", names.join(", "))))
}

fn targets(json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for target in TargetId::all() {
        let horizon = target.horizon();
        if json {
            let line = serde_json::json!({ "target": target, "horizon_s": horizon.map(|h| h.as_secs_f64()) });
            writeln!(out, "{line}")?;
        } else {
            let over = horizon
                .map_or_else(|| "counted in changes of the book".to_owned(), |h| format!("over {}", h.compact()));
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
            writeln!(
                out,
                "{}\n  formula    {}\n  levels     {}\n  unit       {}\n  window     {}\n  warm-up    {}\n  undefined  {}",
                c.id, c.formula, c.levels, c.unit, c.window, c.warm_up, c.undefined
            )?;
        } else {
            writeln!(out, "{:32} {:14} {}", c.id, c.unit, c.formula)?;
        }
    }
    Ok(())
}
