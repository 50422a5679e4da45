//! `lab hold-out`, `log`, `models` and `predict`, and the terms on which calls are traded.

use super::lab::{name, requests, studies};
use super::lake::root;
use super::serve::{runtime, watch_for_stop};
use crate::cli::lab::worth::{HoldOutArgs, LogArgs, ModelsArgs, PredictArgs, TradeArgs};
use crate::config::Settings;
use crate::failure::Failure;
use crate::lab::worth;
use crate::progress::{Progress, Unit};
use barograph_domain::{InstrumentName, Metric, Payload};
use barograph_research::placed;
use barograph_research::train::{
    HoldOutRequest, Lineup, MoneyTerms, PredictRequest, Predictor, RESEARCH_LOG, ResearchLogLine, add_to_log,
    artefacts, by_study, card, choose, folder_of, funding_of, hold_out as open_hold_out, research_log,
};
use barograph_store::{PointQuery, Range};
use barograph_study::money::blotter::FundingPayment;
use barograph_study::money::fees::TakerFee;
use barograph_study::targets::TargetId;
use core::sync::atomic::Ordering;
use std::io::Write as _;
use std::path::PathBuf;

/// Settlements read at once.
const PAGE: usize = 10_000;

/// On which terms calls are traded: what is known of funding is among them.
pub(super) fn terms(
    fee: &TakerFee,
    args: &TradeArgs,
    market: &str,
    settings: &Settings,
) -> Result<MoneyTerms, Failure> {
    let trade = super::lab::terms(fee, &args.order)?;
    let funding = known_funding(&name(market, settings)?, &args.funding, settings)?;
    Ok(MoneyTerms { trade, funding })
}

/// Settlements of the market in files, and those that the data folder holds.
pub(super) fn known_funding(
    market: &InstrumentName,
    files: &[PathBuf],
    settings: &Settings,
) -> Result<Vec<FundingPayment>, Failure> {
    let mut funding = if files.is_empty() { Vec::new() } else { funding_of(market, files)? };
    funding.extend(stored_funding(market, settings)?);
    Ok(funding)
}

/// Settlements of the market that the store holds; none where there is no store yet.
fn stored_funding(market: &InstrumentName, settings: &Settings) -> Result<Vec<FundingPayment>, Failure> {
    let is_folder = matches!(super::target(settings), barograph_store::StoreTarget::Folder(_));
    if is_folder && !settings.data.join("barograph.db").is_file() {
        return Ok(Vec::new());
    }
    let reader = super::reader(settings)?;
    let mut found = Vec::new();
    let mut range = Range::ALL;
    loop {
        let query = PointQuery {
            instrument: market.clone(),
            metric: Metric::FundingRateSettled,
            source: None,
            cadence: None,
            range,
            limit: PAGE,
            as_of: None,
        };
        let page = reader.points(&query)?;
        found.extend(page.items.iter().filter_map(|point| match point.payload {
            Payload::Funding { rate, .. } => Some(FundingPayment { at: point.event_ts, rate, mark: None }),
            _ => None,
        }));
        match page.next {
            Some(next) => range = Range { start: next, ..range },
            None => return Ok(found),
        }
    }
}

pub(super) fn hold_out(args: &HoldOutArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    if args.question.trim().is_empty() {
        return Err(Failure::usage("--question is empty; say what is asked of the hold-out"));
    }
    let terms = args.fee.as_ref().map(|fee| terms(fee, &args.trade, &args.study.market, settings)).transpose()?;
    let log = studies(args.study.studies.as_ref(), settings).join(RESEARCH_LOG);
    for study in requests(&args.study, &Lineup::all(), settings)? {
        let request = HoldOutRequest {
            study,
            log: log.clone(),
            study_id: args.study_id.clone(),
            researcher: args.researcher.clone(),
            question: args.question.trim().to_owned(),
            again: args.again.clone(),
        };
        let mut progress: Option<Progress> = None;
        let report = open_hold_out(&request, terms.as_ref(), &mut |step| {
            let bar = progress.get_or_insert_with(|| Progress::new(step.of as u64, "judging", Unit::Steps));
            bar.set(step.done as u64);
        })?;
        drop(progress);
        worth::hold_out(&request.study.market, &report, json)?;
    }
    Ok(())
}

pub(super) fn log(args: &LogArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let path = studies(args.studies.as_ref(), settings).join(RESEARCH_LOG);
    let mut rows = by_study(&research_log(&path)?);
    if let Some(id) = &args.study_id {
        if !rows.iter().any(|row| row.study_id == *id) {
            let known: Vec<&str> = rows.iter().map(|row| row.study_id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Failure::usage(format!("the research log holds no study '{id}'; it holds: {known}")));
        }
        if let Some(finding) = &args.finding {
            if finding.trim().is_empty() {
                return Err(Failure::usage("--finding is empty"));
            }
            let line = ResearchLogLine::Found {
                at: crate::clock::now(),
                researcher: args.researcher.clone(),
                study_id: id.clone(),
                finding: finding.trim().to_owned(),
                artefacts: Vec::new(),
            };
            add_to_log(&path, &line)?;
            rows = by_study(&research_log(&path)?);
        }
        rows.retain(|row| row.study_id == *id);
    }
    if rows.is_empty() && !json {
        let mut out = std::io::stdout().lock();
        writeln!(out, "the research log {} is empty; `barograph lab hold-out` writes into it", path.display())?;
        return Ok(());
    }
    rows.iter().try_for_each(|row| worth::log_row(row, json))
}

pub(super) fn models(args: &ModelsArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    let root = studies(args.studies.as_ref(), settings);
    let wanted: Vec<TargetId> = args.target.map_or_else(|| TargetId::all().collect(), |t| vec![t]);
    let mut any = false;
    for target in wanted {
        let folder = folder_of(&root, &market, target);
        if let Some(chosen) = &args.chosen {
            choose(&folder, chosen)?;
        }
        let found = artefacts(&folder)?;
        any |= !found.is_empty();
        if let Some(id) = &args.card {
            let Some(of) = found.iter().find(|a| a.files.artefact == *id) else {
                let names: Vec<&str> = found.iter().map(|a| a.files.artefact.as_str()).collect();
                return Err(Failure::usage(format!("there is no artefact '{id}'; there are: {}", names.join(", "))));
            };
            let (card, text) = card(of)?;
            worth::card(&card, &text, json)?;
            continue;
        }
        found.iter().try_for_each(|artefact| worth::artefact(artefact, json))?;
    }
    if any {
        return Ok(());
    }
    Err(Failure::No(format!(
        "{} holds no model of {market}; one is kept by: barograph lab train {market} --target {}{}",
        root.display(),
        args.target.map_or("dir_5s", TargetId::name),
        placed(&settings.data, &root)
    )))
}

pub(super) fn predict(args: &PredictArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    let kept = studies(args.studies.as_ref(), settings);
    let mut targets: Vec<TargetId> = args.target.clone();
    targets.sort_unstable();
    targets.dedup();
    let targets = targets.into_iter().map(|t| (t, folder_of(&kept, &market, t))).collect();
    let request = PredictRequest { lake: root(&args.place, settings), market, targets };
    let market = request.market.clone();
    let mut predictor = Predictor::open(request)?;
    let since = predictor.done();
    let rows = predictor.step()?;
    worth::predicted(&market, since, rows, &predictor.report(), json)?;
    if args.follow {
        let runtime = runtime()?;
        let stop = watch_for_stop(&runtime);
        let pause = core::time::Duration::from_nanos(u64::try_from(args.every.0).unwrap_or(1_000_000_000));
        let mut begun = std::time::Instant::now();
        while !stop.load(Ordering::Relaxed) {
            if begun.elapsed() < pause {
                std::thread::sleep(core::time::Duration::from_millis(100).min(pause));
                continue;
            }
            begun = std::time::Instant::now();
            let since = predictor.done();
            let rows = predictor.step()?;
            if rows > 0 {
                worth::predicted(&market, since, rows, &predictor.report(), json)?;
            }
        }
    }
    predictor.close()?;
    Ok(())
}
