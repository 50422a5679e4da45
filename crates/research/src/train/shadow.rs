//! The shadow ledger: what the current model of a target said at every fifth minute, and what came of it.
//!
//! The program's own ledger holds fixed events that its readings assert (verification §1, §2). What a model of the lab says of its target
//! is no such event: it stands in a ledger of its own, in the folder of the target, with `shadow` in every line, and is scored there. Lines
//! are added and never changed, and each has a hash over the one before it.

use super::append::{append, lines};
use super::inputs::InputMaker;
use super::lock::held;
use super::rolling::{ResolvedCase, RollingSkill, rolling};
use super::run::hex;
use crate::ResearchError;
use barograph_domain::{Span, Ts};
use barograph_lab::zoo::board::{FoldPrediction, ZooBoard, ZooEntry, ZooRow};
use barograph_lab::zoo::{ZooPrediction, ZooTask};
use barograph_study::ResearchFrame;
use barograph_study::targets::{Labeller, TargetId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The shadow ledger of a target, in its folder.
pub const SHADOW: &str = "shadow.jsonl";

/// Held by whoever adds to it: hashes follow from each other, so two writers would break the chain.
const LOCK: &str = "shadow.lock";

/// Forecasts are registered at instants of this grid (verification §1).
pub(super) const GRID: Span = Span::mins(5);

/// A line of the shadow ledger.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ShadowLine {
    /// Always true: no line is one of the program's own forecasts.
    pub shadow: bool,
    /// What is stated or came.
    #[serde(flatten)]
    pub what: ShadowEntry,
    /// SHA-256 over the hash of the line before and this line without it.
    pub hash: String,
}

/// A forecast, or its outcome.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum ShadowEntry {
    /// A forecast.
    Issue {
        /// The artefact that made it.
        artefact: String,
        /// The moment it is about: its window begins there.
        t: Ts,
        /// Where the window ends.
        resolve_after: Ts,
        /// When it was made. Later than the end of the window: nobody could have used it.
        made: Ts,
        /// A probability, three of them, or a number.
        stated: Vec<f64>,
        /// The same of the training rows, against which it is scored.
        base: Vec<f64>,
    },
    /// What came of it.
    Outcome {
        /// The artefact that made the forecast.
        artefact: String,
        /// The moment it was about.
        t: Ts,
        /// The label, as the model counts it; `None` where there is none.
        label: Option<f64>,
    },
}

/// How the forecasts of an artefact did.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ShadowScore {
    /// Forecasts registered.
    pub issued: usize,
    /// Of them those that wait for their outcome.
    pub waiting: usize,
    /// Of them those whose outcome nobody can know, or that has none: the mid did not move.
    pub unresolvable: usize,
    /// Of them those that were made after their window, from stored rows.
    pub hindcasts: usize,
    /// Scores of those that have an outcome; `None` without any.
    pub scores: Option<ZooRow>,
}

/// A forecast, and what became of it.
struct ShadowCase {
    issue: ShadowEntry,
    outcome: ShadowOutcome,
}

#[derive(Clone, Copy)]
enum ShadowOutcome {
    Waiting,
    /// Nobody can know it, or there is none.
    Unresolvable,
    Label(f64),
}

impl ShadowOutcome {
    const fn waits(self) -> bool {
        matches!(self, Self::Waiting)
    }
}

/// The ledger of one target.
pub(super) struct ShadowLedger {
    path: PathBuf,
    last: String,
    issues: BTreeMap<(String, Ts), ShadowCase>,
    /// The operating system lets go of it when this process ends, however it ends.
    _held: File,
}

impl ShadowLedger {
    /// Reads what is there and checks its hashes; no other process may do so until this is dropped.
    pub(super) fn open(folder: &Path) -> Result<Self, ResearchError> {
        let path = folder.join(SHADOW);
        let busy = || {
            format!(
                "another process writes the shadow ledger in {}; stop it first, or name another folder with --studies",
                folder.display()
            )
        };
        let mut ledger = Self { last: String::new(), issues: BTreeMap::new(), _held: held(folder, LOCK, busy)?, path };
        for (n, line) in lines::<ShadowLine>(&ledger.path)?.into_iter().enumerate() {
            if line.hash != chained(&ledger.last, &line.what)? {
                return Err(ResearchError::Refused(format!(
                    "line {} of {} does not follow from the one before it: the ledger was changed",
                    n + 1,
                    ledger.path.display()
                )));
            }
            ledger.last = line.hash;
            ledger.take(line.what);
        }
        Ok(ledger)
    }

    fn take(&mut self, entry: ShadowEntry) {
        match entry {
            ShadowEntry::Issue { ref artefact, t, .. } => {
                let key = (artefact.clone(), t);
                self.issues.insert(key, ShadowCase { issue: entry, outcome: ShadowOutcome::Waiting });
            }
            ShadowEntry::Outcome { artefact, t, label } => {
                if let Some(case) = self.issues.get_mut(&(artefact, t)) {
                    case.outcome = label.map_or(ShadowOutcome::Unresolvable, ShadowOutcome::Label);
                }
            }
        }
    }

    /// Adds what is not there yet.
    pub(super) fn add(&mut self, entries: Vec<ShadowEntry>) -> Result<(), ResearchError> {
        let mut added = Vec::new();
        for entry in entries {
            let there = match &entry {
                ShadowEntry::Issue { artefact, t, .. } => self.issues.contains_key(&(artefact.clone(), *t)),
                ShadowEntry::Outcome { artefact, t, .. } => {
                    self.issues.get(&(artefact.clone(), *t)).is_none_or(|case| !case.outcome.waits())
                }
            };
            if there {
                continue;
            }
            let hash = chained(&self.last, &entry)?;
            self.last.clone_from(&hash);
            added.push(ShadowLine { shadow: true, what: entry.clone(), hash });
            self.take(entry);
        }
        append(&self.path, &added)
    }

    /// The first moment whose outcome is not known, and that would follow from this artefact's cut points.
    pub(super) fn waits_since(&self, target: TargetId, artefact: &str) -> Option<Ts> {
        let waiting = self.issues.iter().filter(|((who, _), case)| case.outcome.waits() && cuts(target, who, artefact));
        waiting.map(|((_, t), _)| *t).min()
    }

    /// The last moment that an artefact stated something of.
    pub(super) fn issued_to(&self, artefact: &str) -> Option<Ts> {
        self.issues.keys().filter(|(who, _)| who == artefact).map(|(_, t)| *t).max()
    }

    /// Outcomes that the rows of a frame know by now, whichever artefact made the forecast: a label is that of the target. Classes of volatility
    /// are cut by the points of the artefact that is given, and wait where it is another.
    pub(super) fn resolve(
        &mut self,
        frame: &ResearchFrame,
        maker: &InputMaker,
        artefact: &str,
    ) -> Result<(), ResearchError> {
        let Some(last) = frame.times().last().copied() else { return Ok(()) };
        let labels = Labeller::new(frame).and_then(|l| l.label(maker.target()));
        let labels = labels.map_err(|e| ResearchError::Failed(e.to_string()))?;
        let (spans, first) = (labels.spans().as_slice(), frame.times()[0]);
        let due = self.issues.iter().filter_map(|((who, t), case)| {
            let ShadowEntry::Issue { resolve_after, .. } = &case.issue else { return None };
            let known = cuts(maker.target(), who, artefact) && *t >= first && *resolve_after <= last;
            let ready = case.outcome.waits() && known;
            ready.then(|| {
                let at = spans.binary_search_by_key(t, |s| s.start).ok();
                let label = at.map(|at| maker.class(labels.values()[at]));
                ShadowEntry::Outcome { artefact: who.clone(), t: *t, label }
            })
        });
        let due: Vec<ShadowEntry> = due.collect();
        self.add(due)
    }

    /// How the forecasts of an artefact did.
    pub(super) fn score(&self, artefact: &str, model: &str, task: ZooTask, horizon: Span) -> ShadowScore {
        let mut score = ShadowScore { issued: 0, waiting: 0, unresolvable: 0, hindcasts: 0, scores: None };
        let mut fold = FoldPrediction { times: Vec::new(), labels: Vec::new(), said: empty(task), base: Vec::new() };
        for ((who, t), case) in &self.issues {
            let ShadowEntry::Issue { made, resolve_after, stated, base, .. } = &case.issue else { continue };
            if who != artefact {
                continue;
            }
            score.issued += 1;
            score.hindcasts += usize::from(made > resolve_after);
            match case.outcome {
                ShadowOutcome::Waiting => score.waiting += 1,
                ShadowOutcome::Unresolvable => score.unresolvable += 1,
                ShadowOutcome::Label(label) => {
                    if push(&mut fold.said, stated) {
                        fold.times.push(*t);
                        fold.labels.push(label);
                        fold.base.clone_from(base);
                    }
                }
            }
        }
        if !fold.labels.is_empty() {
            let (is_shuffled, is_persistence) = (model == "shuffled", model == "persistence");
            let entry = ZooEntry { model: model.to_owned(), is_shuffled, is_persistence, trials: 1, folds: vec![fold] };
            score.scores = ZooBoard::of(task, &[entry], horizon, block_of(horizon)).rows.pop();
        }
        score
    }

    /// The same of the newest thirty days.
    pub(super) fn rolling(&self, artefact: &str, task: ZooTask, horizon: Span) -> Option<RollingSkill> {
        let mut cases = Vec::new();
        for ((who, t), case) in &self.issues {
            let ShadowEntry::Issue { stated, base, .. } = &case.issue else { continue };
            let ShadowOutcome::Label(label) = case.outcome else { continue };
            if who == artefact && stated.len() == base.len() {
                cases.push(ResolvedCase { t: *t, stated, base, label });
            }
        }
        rolling(&cases, task, block_of(horizon))
    }
}

/// Cases nearer than this are not independent (research §5).
fn block_of(horizon: Span) -> Span {
    Span(horizon.0.saturating_mul(60)).max(Span::mins(10))
}

/// Whether labels as this artefact counts them are those of a forecast that another may have made: classes of volatility are cut by the
/// points of the artefact.
fn cuts(target: TargetId, made_by: &str, artefact: &str) -> bool {
    made_by == artefact || target != TargetId::VolRegime
}

fn chained(before: &str, entry: &ShadowEntry) -> Result<String, ResearchError> {
    let text = serde_json::to_string(entry).map_err(|e| ResearchError::Failed(e.to_string()))?;
    Ok(hex(format!("{before}\n{text}").as_bytes()))
}

const fn empty(task: ZooTask) -> ZooPrediction {
    match task {
        ZooTask::Binary => ZooPrediction::Binary { scores: Vec::new(), probabilities: Vec::new() },
        ZooTask::Classes => ZooPrediction::Classes { probabilities: Vec::new(), chosen: Vec::new() },
        ZooTask::Regression => ZooPrediction::Values(Vec::new()),
    }
}

/// Whether what was stated is of the right kind.
fn push(into: &mut ZooPrediction, stated: &[f64]) -> bool {
    match (into, stated) {
        (ZooPrediction::Binary { scores, probabilities }, [p]) => {
            scores.push(*p);
            probabilities.push(*p);
        }
        (ZooPrediction::Classes { probabilities, chosen }, [a, b, c]) => {
            probabilities.push([*a, *b, *c]);
            chosen.push(if *c > a.max(*b) { 2 } else { u8::from(b > a) });
        }
        (ZooPrediction::Values(values), [value]) => values.push(*value),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(minute: i64, p: f64) -> ShadowEntry {
        let t = Ts(0) + Span::mins(minute);
        let (artefact, resolve_after) = ("a".to_owned(), t + Span::secs(5));
        ShadowEntry::Issue { artefact, t, resolve_after, made: t, stated: vec![p], base: vec![0.5] }
    }

    fn outcome(minute: i64, label: Option<f64>) -> ShadowEntry {
        ShadowEntry::Outcome { artefact: "a".to_owned(), t: Ts(0) + Span::mins(minute), label }
    }

    #[test]
    fn forecasts_are_scored_once_and_a_changed_ledger_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = ShadowLedger::open(folder.path()).unwrap();
        ledger.add(vec![issue(0, 0.8), issue(5, 0.2), issue(10, 0.6), issue(15, 0.6)]).unwrap();
        ledger.add(vec![issue(0, 0.1), outcome(0, Some(1.0)), outcome(5, Some(0.0)), outcome(10, None)]).unwrap();
        ledger.add(vec![outcome(0, Some(0.0)), outcome(99, Some(0.0))]).unwrap();
        let second = ShadowLedger::open(folder.path()).err().unwrap().to_string();
        assert!(second.starts_with("another process writes the shadow ledger"), "{second}");
        drop(ledger);
        let again = ShadowLedger::open(folder.path()).unwrap();
        assert_eq!((again.issued_to("a"), again.issued_to("b")), (Some(Ts(0) + Span::mins(15)), None));
        // A forecast of an artefact that was replaced waits too, but for classes that only its own points could cut.
        let (direction, third) = (TargetId::parse("dir_5s").unwrap(), Some(Ts(0) + Span::mins(15)));
        for (target, artefact, since) in [
            (direction, "a", third),
            (direction, "b", third),
            (TargetId::VolRegime, "a", third),
            (TargetId::VolRegime, "b", None),
        ] {
            assert_eq!(again.waits_since(target, artefact), since, "{target} {artefact}");
        }
        let score = again.score("a", "gbm", ZooTask::Binary, Span::secs(5));
        assert_eq!((score.issued, score.waiting, score.unresolvable, score.hindcasts), (4, 1, 1, 0));
        let scores = score.scores.unwrap();
        assert!((scores.brier.unwrap() - 0.04).abs() < 1e-12 && (scores.bss_clim.unwrap() - 0.84).abs() < 1e-12);
        let path = folder.path().join(SHADOW);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().all(|l| l.contains(r#""shadow":true"#)) && text.lines().count() == 7, "{text}");
        std::fs::write(&path, text.replace("[0.2]", "[0.1]")).unwrap();
        drop(again);
        let refused = ShadowLedger::open(folder.path()).err().unwrap().to_string();
        assert!(refused.starts_with("line 2 of"), "{refused}");
    }
}
