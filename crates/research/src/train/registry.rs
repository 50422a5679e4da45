//! Fitted models as artefacts (R5.38): a folder for each, below that of its target, and which of them is the current one.
//!
//! An artefact is what it takes to predict and to judge what is predicted: the model with its calibration, how inputs are made, board, folds
//! and a card. The list of its files with their digests is written last, so that a folder without it is none.

use super::append::{append, lines};
use super::artefact::{BOARD, FOLDS, StudyBoard, read, write};
use super::card::{ModelCard, card_of, markdown};
use super::drift::{DriftGrid, DriftReference, DriftRows};
use super::fold::FoldRows;
use super::inputs::InputMaker;
use super::run::{Study, hex};
use crate::ResearchError;
use crate::clock::now;
use crate::typed::{placed, shell_word};
use barograph_lab::zoo::FittedModel;
use barograph_lake::whole_file::WholeFile;
use barograph_study::folds::FoldSheet;
use barograph_study::targets::TargetId;
use barograph_study::transforms::Transforms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Folder of a target's artefacts.
pub const ARTEFACTS: &str = "artefacts";
/// Which artefact was current since when: one line each time.
pub const REGISTRY: &str = "registry.jsonl";

const MANIFEST: &str = "artefact.json";
const MODEL: &str = "model.json";
const INPUTS: &str = "inputs.json";
/// What is usual for the inputs and for what the model says; not where the training rows are too short a time for that.
const DRIFT: &str = "drift.json";
const CARD: &str = "card.json";
const CARD_TEXT: &str = "card.md";

/// What costs nothing, or must not know anything: kept only where nothing else was fitted.
pub(super) const BASELINES: [&str; 4] = ["har", "persistence", "prior", "shuffled"];

/// An artefact by its files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArtefactFiles {
    /// Its name: that of the board's run.
    pub artefact: String,
    /// Whose rows it was fitted on.
    pub market: String,
    /// What it predicts.
    pub target: String,
    /// Which model of the board.
    pub model: String,
    /// When it was made, UTC.
    pub made: String,
    /// Last second of the data it was made with: what comes later is new to it.
    pub data_to: String,
    /// SHA-256 of its files by name.
    pub files: BTreeMap<String, String>,
}

/// A line of the registry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegistryLine {
    /// When, UTC.
    pub at: String,
    /// Which artefact is current from then on.
    pub artefact: String,
    /// `trained`, or `chosen` by a person.
    pub why: String,
}

/// An artefact as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ListedArtefact {
    /// The artefact.
    #[serde(flatten)]
    pub files: ArtefactFiles,
    /// Is it the one that predicts?
    pub current: bool,
    /// Its folder.
    pub folder: PathBuf,
}

/// An artefact that predicts.
#[derive(Debug)]
pub struct OpenedArtefact {
    /// Its files.
    pub files: ArtefactFiles,
    /// How inputs are made.
    pub maker: InputMaker,
    /// The model.
    pub model: FittedModel,
    /// What is usual for its inputs and predictions; `None` where its training rows are too short a time, and of artefacts of versions that
    /// did not keep it.
    pub drift: Option<DriftReference>,
}

/// Fits the best model that learns on everything that is not held out, and makes it the current artefact. The board says which, or why there
/// is none.
pub(super) fn keep_best(study: &mut Study<'_>, board: &mut StudyBoard, sheet: &FoldSheet) -> Result<(), ResearchError> {
    if study.is_cut {
        // The best of what was in time is not the best of what was asked for.
        board.no_artefact = Some("the time limit was up before every model was fitted".to_owned());
        return Ok(());
    }
    let ranked: Vec<&str> = board.board.rows.iter().map(|r| r.model.as_str()).collect();
    let Some(best) = best_of(study.request.lineup.names(), &ranked) else {
        board.no_artefact = Some("no model was fitted on every fold".to_owned());
        return Ok(());
    };
    let learn = study.folds.development().clone();
    let transforms =
        Transforms::fit(&study.rows.frame, &learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
    let maker = InputMaker::fit(&study.rows.frame, &study.labels, &learn, &transforms);
    let rows = FoldRows::made(&study.rows.frame, &study.labels, &learn, None, &maker, study.request.weights)?;
    let mut fitted = None;
    for name in study.request.lineup.names() {
        let drawn_on = best == "ensemble" && ["linear", "gbm", "mlp"].contains(name);
        if *name == best || drawn_on {
            fitted = study.fitted(0, name, &rows)?.map(|(kept, _)| kept.model);
        }
    }
    let Some(model) = fitted else {
        board.no_artefact = study.left_out.get(best).cloned();
        return Ok(());
    };
    board.artefact = Some(board.run.clone());
    let Some([_, data_to]) = &board.about.span else { return Ok(()) };
    let folder = study.request.folder.join(ARTEFACTS).join(&board.run);
    let trained_on = transforms.trained_on();
    let card =
        card_of(board, best, (trained_on.0.iso(), trained_on.1.iso(), transforms.train_rows()), sheet.hold_out_from);
    let mut files = vec![
        (MODEL, json(&model)?),
        (INPUTS, json(&maker)?),
        (BOARD, json(&*board)?),
        (FOLDS, json(sheet)?),
        (CARD, json(&card)?),
        (CARD_TEXT, markdown(&card).into_bytes()),
    ];
    if let Some(usual) = usual_of(&rows, best, &model) {
        files.push((DRIFT, json(&usual)?));
    }
    let manifest = ArtefactFiles {
        artefact: board.run.clone(),
        market: board.about.market.clone(),
        target: board.about.target.clone(),
        model: best.to_owned(),
        made: board.made.clone(),
        data_to: data_to.clone(),
        files: files.iter().map(|(name, bytes)| ((*name).to_owned(), hex(bytes))).collect(),
    };
    let same = |old: &ArtefactFiles| [MODEL, INPUTS, DRIFT].iter().all(|f| old.files.get(*f) == manifest.files.get(*f));
    // The same fit again: what reads it now is not disturbed.
    if !read::<ArtefactFiles>(&folder.join(MANIFEST)).is_ok_and(|old| same(&old)) {
        std::fs::create_dir_all(&folder)
            .map_err(|e| ResearchError::Refused(format!("cannot write into {}: {e}", folder.display())))?;
        for (name, bytes) in &files {
            whole(&folder.join(name), bytes)?;
        }
        write(&folder.join(MANIFEST), &manifest, true)?;
    }
    register(&study.request.folder, &board.run, "trained")
}

/// What is usual for a model: its inputs over all rows it learnt from, and what it says of those it was tuned on.
fn usual_of(rows: &FoldRows, name: &str, model: &FittedModel) -> Option<DriftReference> {
    let grid = DriftGrid::of(&rows.times)?;
    let at = |row: &u32| usize::try_from(*row).unwrap_or(usize::MAX);
    let tuned: Vec<u32> = rows.tune.iter().copied().filter(|row| grid.takes(rows.times[at(row)])).collect();
    let times = tuned.iter().map(|row| rows.times[at(row)]).collect();
    let stated = DriftRows::stated(times, model.predict(rows.of(name), &tuned));
    Some(DriftReference::of(grid, &DriftRows::inputs(grid, &rows.times, &rows.names, &rows.inputs), &stated))
}

/// The first of a board's models that this program can fit: one that learns, or else a baseline, and never the control.
fn best_of<'a>(own: &[&'a str], ranked: &[&str]) -> Option<&'a str> {
    let mut of_own = ranked.iter().filter_map(|model| own.iter().copied().find(|n| n == model));
    of_own.clone().find(|m| !BASELINES.contains(m)).or_else(|| of_own.find(|m| *m != "shuffled"))
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, ResearchError> {
    serde_json::to_vec(value).map_err(|e| ResearchError::Failed(e.to_string()))
}

fn whole(path: &Path, bytes: &[u8]) -> Result<(), ResearchError> {
    let failed = |e: std::io::Error| ResearchError::Failed(format!("cannot write {}: {e}", path.display()));
    let (whole, mut file) = WholeFile::begin(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| whole.finish(&file)).map_err(failed)
}

fn register(target: &Path, artefact: &str, why: &str) -> Result<(), ResearchError> {
    if current(target)?.as_deref() == Some(artefact) {
        return Ok(());
    }
    let line = RegistryLine { at: now().iso_millis(), artefact: artefact.to_owned(), why: why.to_owned() };
    append(&target.join(REGISTRY), &[line])
}

/// The artefact of a target's folder that predicts; `None` where there is none.
fn current(target: &Path) -> Result<Option<String>, ResearchError> {
    Ok(lines::<RegistryLine>(&target.join(REGISTRY))?.pop().map(|line| line.artefact))
}

/// The artefacts of a target's folder, the oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn artefacts(target: &Path) -> Result<Vec<ListedArtefact>, ResearchError> {
    let root = target.join(ARTEFACTS);
    let failed = |e: std::io::Error| ResearchError::Failed(format!("cannot read {}: {e}", root.display()));
    let entries = match std::fs::read_dir(&root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let chosen = current(target)?;
    let mut found = Vec::new();
    for entry in entries {
        let folder = entry.map_err(failed)?.path();
        if folder.join(MANIFEST).is_file() {
            let files: ArtefactFiles = read(&folder.join(MANIFEST))?;
            found.push(ListedArtefact { current: chosen.as_ref() == Some(&files.artefact), files, folder });
        }
    }
    found.sort_by(|a, b| a.files.made.cmp(&b.files.made));
    Ok(found)
}

/// Makes an artefact of a target's folder the current one.
///
/// # Errors
/// There is none of that name; the error lists those there are.
pub fn choose(target: &Path, artefact: &str) -> Result<(), ResearchError> {
    let known = artefacts(target)?;
    if !known.iter().any(|a| a.files.artefact == artefact) {
        let names: Vec<&str> = known.iter().map(|a| a.files.artefact.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(ResearchError::Refused(format!("there is no artefact '{artefact}'; there are: {names}")));
    }
    register(target, artefact, "chosen")
}

/// The card of an artefact, as JSON and as Markdown.
///
/// # Errors
/// It cannot be read.
pub fn card(of: &ListedArtefact) -> Result<(ModelCard, String), ResearchError> {
    let card: ModelCard = read(&of.folder.join(CARD))?;
    let text = markdown(&card);
    Ok((card, text))
}

impl OpenedArtefact {
    /// The current artefact of a target's folder, every file of which is as it was written.
    ///
    /// # Errors
    /// There is none, or a file has changed.
    pub fn current(lake: &Path, target: &Path, market: &str, id: TargetId) -> Result<Self, ResearchError> {
        let studies = target.ancestors().nth(3).unwrap_or(target);
        let Some(found) = artefacts(target)?.into_iter().find(|a| a.current) else {
            return Err(ResearchError::Refused(format!(
                "{} holds no model that predicts {id} of {market}; one is made by: barograph lab train {market} --target {id}{}",
                target.display(),
                placed(lake, studies)
            )));
        };
        for (name, want) in &found.files.files {
            let path = found.folder.join(name);
            let bytes = std::fs::read(&path)
                .map_err(|e| ResearchError::Failed(format!("cannot read {}: {e}", path.display())))?;
            if hex(&bytes) != *want {
                return Err(ResearchError::Refused(format!(
                    "{} is not as it was when the artefact was made; train again, or choose another with: barograph lab models {market} \
                     --target {id} --studies {} --use ARTEFACT",
                    path.display(),
                    shell_word(studies)
                )));
            }
        }
        let (maker, model) = (read(&found.folder.join(INPUTS))?, read(&found.folder.join(MODEL))?);
        let is_kept = found.files.files.contains_key(DRIFT);
        let drift = is_kept.then(|| read(&found.folder.join(DRIFT))).transpose()?;
        Ok(Self { files: found.files, maker, model, drift })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_that_this_program_fits_is_kept_whoever_stands_above_it() {
        let own = ["prior", "gbm", "shuffled"];
        for (ranked, best) in [
            (&["mine", "prior", "gbm", "shuffled"][..], Some("gbm")),
            (&["mine", "shuffled", "prior"], Some("prior")),
            (&["mine", "shuffled"], None),
        ] {
            assert_eq!(best_of(&own, ranked), best, "{ranked:?}");
        }
    }
}
