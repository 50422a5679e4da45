//! The hold-out: the last tenth of the time, opened once for a registered study (research §3, §11).

use super::artefact::write;
use super::lineup::{Lineup, MODELS};
use super::log::{LoggedData, ResearchLogLine, add_to_log, research_log};
use super::money::{BoardMoney, money_of};
use super::request::StudyRequest;
use super::run::{ScoredModels, Study, StudyStep};
use super::runs::boards;
use super::trades::MoneyTerms;
use crate::ResearchError;
use crate::clock::now;
use barograph_lab::zoo::board::{LeakVerdict, ZooBoard, ZooRow};
use barograph_study::folds::{HoldOutOpening, RegisteredStudy, StudyFold};
use barograph_study::targets::{TargetId, TargetKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// AUC that a direction has to exceed on the hold-out (research §8).
const GOAL_AUC: f64 = 0.55;

/// For which study a hold-out is opened.
#[derive(Clone, Debug)]
pub struct HoldOutRequest {
    /// The study, with the settings that it was fitted with.
    pub study: StudyRequest,
    /// The research log.
    pub log: PathBuf,
    /// Its name in the log; `None`: target and settings name it.
    pub study_id: Option<String>,
    /// Who asks; empty where nobody is named.
    pub researcher: String,
    /// What is asked, in a sentence.
    pub question: String,
    /// Why it is opened again, where it was opened before.
    pub again: Option<String>,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HoldOutReport {
    /// The opening as it stands in the log.
    pub opening: HoldOutOpening,
    /// What is predicted.
    pub target: String,
    /// Scores of the study's models, fitted on everything before.
    pub board: ZooBoard,
    /// What is printed over it.
    pub stamp: Option<String>,
    /// What calls were worth, where terms were given.
    pub money: Option<BoardMoney>,
    /// Models of the study that are not judged here, with the reason.
    #[serde(default)]
    pub left_out: BTreeMap<String, String>,
    /// The finding as it stands in the log.
    pub finding: String,
}

/// Registers the study, opens its hold-out, fits its models on everything before and judges them there.
///
/// # Errors
/// The study was not fitted with these settings, its hold-out was opened before, or a file cannot be read or written.
pub fn hold_out(
    request: &HoldOutRequest,
    terms: Option<&MoneyTerms>,
    step: &mut dyn FnMut(&StudyStep),
) -> Result<HoldOutReport, ResearchError> {
    let config_hash = Study::open(&request.study)?.config_hash;
    let Some(fitted) = boards(&request.study.folder)?.into_iter().rev().find(|b| b.config_hash == config_hash) else {
        return Err(ResearchError::Refused(format!(
            "{} was not fitted with these settings, and a hold-out is opened for a study that was; run it first: {}",
            request.study.target,
            request.study.command("train")
        )));
    };
    let (names, others) = own_models(fitted.board.rows.iter().map(|r| r.model.as_str()));
    let of_board = StudyRequest { lineup: Lineup::named(&names)?, ..request.study.clone() };
    let mut study = Study::open(&of_board)?;
    let registered = registered(request, &study)?;
    let Opened { fold, opening, number } = opened(request, &study, &registered)?;
    let folds = [fold];
    let ScoredModels { mut board, .. } = study.scored(&folds, step)?;
    // The fit on everything before is no configuration of its own: what was tried is what the log has.
    let tried = study.fits()?;
    board.rows.iter_mut().for_each(|row| row.n_trials = tried);
    let money = match terms.filter(|_| matches!(of_board.target, TargetId::Direction(_))) {
        Some(terms) => {
            let models: Vec<&str> = board.rows.iter().map(|r| r.model.as_str()).collect();
            let mut trading = |done, of| step(&StudyStep { done, of, model: "trading" });
            Some(money_of(&study, &models, &folds, terms, &mut trading)?)
        }
        None => None,
    };
    let first = names.iter().map(String::as_str).find(|name| *name != "shuffled");
    let finding = finding_of(of_board.target, &board, first);
    let stamp = board.leak.stamp().map(str::to_owned);
    let mut left_out = study.left_out.clone();
    left_out.extend(others);
    let report = HoldOutReport {
        opening,
        target: of_board.target.name().to_owned(),
        board,
        stamp,
        money,
        left_out,
        finding: finding.clone(),
    };
    let path = of_board.folder.join(held_file(&config_hash, number));
    write(&path, &report, true)?;
    let found = ResearchLogLine::Found {
        at: now(),
        researcher: request.researcher.clone(),
        study_id: registered.study_id,
        finding,
        artefacts: vec![path.display().to_string()],
    };
    add_to_log(&request.log, &found)?;
    Ok(report)
}

/// Models of a board that this program fits itself, and why each of the others has no place on a hold-out.
fn own_models<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<String>, BTreeMap<String, String>) {
    let (own, others): (Vec<String>, Vec<String>) =
        names.map(str::to_owned).partition(|name| MODELS.contains(&name.as_str()));
    let why = "somebody else fitted it fold by fold, and no file of it knows everything before the hold-out";
    (own, others.into_iter().map(|name| (name, why.to_owned())).collect())
}

/// Name of the file of an opening of a study's hold-out: its own openings, counted from 1.
pub(super) fn held_file(config_hash: &str, opening: usize) -> String {
    format!("hold-out-{}-{opening}.json", config_hash.get(..12).unwrap_or(config_hash))
}

/// The study as it stands in the log; it is registered now where it is not.
fn registered(request: &HoldOutRequest, study: &Study<'_>) -> Result<RegisteredStudy, ResearchError> {
    let (asked, log) = (&request.study, research_log(&request.log)?);
    let study_id = request
        .study_id
        .clone()
        .unwrap_or_else(|| format!("{}-{}-{}", asked.market.symbol, asked.target, &study.config_hash[..12]));
    let known = log.iter().find_map(|line| match line {
        ResearchLogLine::Registered { study, .. } if study.study_id == study_id => Some(study.clone()),
        _ => None,
    });
    match known {
        Some(known) if known.config_hash == study.config_hash => return Ok(known),
        Some(known) => {
            return Err(ResearchError::Refused(format!(
                "'{study_id}' was registered at {} for other rows or settings; give this study a name of its own",
                known.registered
            )));
        }
        None => {}
    }
    let registered = RegisteredStudy {
        study_id,
        researcher: request.researcher.clone(),
        question: request.question.clone(),
        data_digest: study.rows.digest.clone(),
        config_hash: study.config_hash.clone(),
        n_trials: u64::try_from(study.trials()?).unwrap_or(u64::MAX),
        registered: now(),
    };
    let times = study.rows.frame.times();
    let data = LoggedData {
        venue: asked.market.venue.as_str().to_owned(),
        symbol: asked.market.symbol.clone(),
        target: asked.target.name().to_owned(),
        range: times.first().zip(times.last()).map(|(from, to)| [from.iso(), to.iso()]),
    };
    add_to_log(&request.log, &ResearchLogLine::Registered { study: registered.clone(), data })?;
    Ok(registered)
}

/// The rows of a hold-out, with the opening that stands in the log.
struct Opened {
    fold: StudyFold,
    opening: HoldOutOpening,
    /// How many openings this study has, with this one.
    number: usize,
}

/// The rows, with the opening in the log before they are given out.
fn opened(request: &HoldOutRequest, study: &Study<'_>, registered: &RegisteredStudy) -> Result<Opened, ResearchError> {
    let openings = openings_of(&research_log(&request.log)?, request, registered);
    let refused = |e: &dyn std::fmt::Display| {
        ResearchError::Refused(format!(
            "{e}; where it has to be all the same, --again REASON opens it, and the log says why"
        ))
    };
    let closed = study.folds.hold_out();
    let opened = match &request.again {
        Some(reason) => closed.open_again(registered, now(), &openings, reason),
        None => closed.open(registered, now(), &openings),
    };
    let (test, opening) = opened.map_err(|e| refused(&e))?;
    add_to_log(&request.log, &ResearchLogLine::Opened { opening: opening.clone() })?;
    let (learn, embargo) = (study.folds.development().clone(), closed.embargo());
    let number = 1 + openings.iter().filter(|o| o.study.config_hash == registered.config_hash).count();
    Ok(Opened { fold: StudyFold { number: 0, learn, test, embargo }, opening, number })
}

/// Openings of hold-outs of this market, of whatever rows, targets and settings: each may have shown some of the rows. Those of other markets
/// have no row in common with this one, whatever their time.
fn openings_of(log: &[ResearchLogLine], request: &HoldOutRequest, registered: &RegisteredStudy) -> Vec<HoldOutOpening> {
    let market = &request.study.market;
    let here = |data: &LoggedData| data.venue == market.venue.as_str() && data.symbol == market.symbol;
    let of_market: BTreeSet<&str> = log
        .iter()
        .filter_map(|line| match line {
            ResearchLogLine::Registered { study, data } if here(data) => Some(study.study_id.as_str()),
            _ => None,
        })
        .collect();
    // A log that lost the line of a registration still knows the rows.
    let same = |o: &HoldOutOpening| {
        of_market.contains(o.study.study_id.as_str()) || o.study.data_digest == registered.data_digest
    };
    log.iter()
        .filter_map(|line| match line {
            ResearchLogLine::Opened { opening } if same(opening) => Some(opening.clone()),
            _ => None,
        })
        .collect()
}

/// What was found of the model that stood first before anybody saw the hold-out. The best on the hold-out was chosen by the rows that judge
/// it, so it comes second and says so.
fn finding_of(target: TargetId, board: &ZooBoard, first: Option<&str>) -> String {
    let Some(best) = board.rows.iter().find(|r| r.model != "shuffled") else {
        return "no model could be fitted on everything before the hold-out".to_owned();
    };
    let chosen = board.rows.iter().find(|r| Some(r.model.as_str()) == first);
    let picked = format!("best in hindsight: {}, {}", best.model, scores_of(target, best));
    let said = match chosen {
        None => format!("the model that was first on the board could not be fitted; {picked}"),
        Some(row) => {
            let after = if row.model == best.model { String::new() } else { format!("; {picked}") };
            format!(
                "{}, first on the board before, on {} rows of the hold-out: {}{after}",
                row.model,
                row.n_test,
                scores_of(target, row)
            )
        }
    };
    let control = match board.leak {
        LeakVerdict::Clean => "the control on permuted labels is clean",
        LeakVerdict::Suspected => "the control on permuted labels is not clean: a leak is suspected",
        LeakVerdict::Untested => "there is too little data for the control on permuted labels",
    };
    format!("{said}; {control}")
}

fn scores_of(target: TargetId, row: &ZooRow) -> String {
    let mut found = Vec::new();
    let mut add = |name: &str, value: Option<f64>, digits: usize| {
        if let Some(value) = value {
            found.push(format!("{name} {value:.digits$}"));
        }
    };
    match target.kind() {
        TargetKind::Binary => {
            add("AUC", row.auc, 3);
            add("Brier skill", row.bss_clim, 4);
        }
        TargetKind::Classes3 => {
            add("macro F1", row.macro_f1, 3);
            add("of persistence", row.macro_f1_persistence, 3);
        }
        TargetKind::Regression => {
            add("R²", row.r2_oos, 4);
            add("IC", row.ic, 3);
        }
    }
    if let (TargetId::Direction(_), Some(auc)) = (target, row.auc) {
        let reached = if auc > GOAL_AUC { "above" } else { "not above" };
        found.push(format!("{reached} {GOAL_AUC}"));
    }
    if found.is_empty() { "nothing can be stated of it".to_owned() } else { found.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_of_others_are_named_and_do_not_keep_a_hold_out_closed() {
        let (own, others) = own_models(["mine", "gbm", "prior"].into_iter());
        assert!(Lineup::named(&own).is_ok());
        assert_eq!(own, ["gbm", "prior"]);
        assert_eq!(others.into_keys().collect::<Vec<_>>(), ["mine"]);
    }
}
