//! Which studies a folder holds, and what each of them says.

use super::parts::{backtest, fold_map, importance, reliability};
use super::pick::{count, counts, number, numbers, reasons, span, text};
use super::scores::{columns, figures, models};
use barograph_api::studies::{LabModelRow, LabStudies, LabStudy, LabStudyView};
use barograph_domain::Ts;
use barograph_domain::text::shell_word;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Venue, symbol, target, and room for runs below them.
const DEPTH_MAX: usize = 6;
/// Studies listed at most: a hundred markets with all their targets.
const STUDIES_MAX: usize = 2_500;
/// Bytes of a file that are read at most; folds of a month of seconds take a tenth of it.
const BYTES_MAX: u64 = 64 << 20;
/// Fitted models: many files, and none of them a study.
const FITS: &str = "fits-";
/// Models that predict, each with the board it was chosen on.
const ARTEFACTS: &str = "artefacts";
/// Boards of all runs of a target, the newest of them among them, which stands above them too.
const RUNS: &str = "runs";
const BOARD: &str = "board.json";

/// Why a study cannot be shown.
#[derive(Debug)]
pub enum StudyFolderError {
    /// There is none of this name.
    Unknown(String),
    /// Its board cannot be read, and why.
    Unread(String),
}

/// The folder of the lab's studies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StudyFolder(PathBuf);

impl StudyFolder {
    /// Of this folder, which need not exist.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Every study in it.
    #[must_use]
    pub fn list(&self) -> LabStudies {
        let mut found = LabStudies { folder: self.0.display().to_string(), ..LabStudies::default() };
        for (id, folder) in self.folders() {
            match read(&folder.join(BOARD)) {
                Ok(board) => found.studies.push(line(&id, &folder, &board, &models(&board))),
                Err(why) => drop(found.unread.insert(id, why)),
            }
        }
        found
    }

    /// One of them with all that its folder holds.
    ///
    /// # Errors
    /// There is none of this name, or its board cannot be read.
    pub fn study(&self, id: &str) -> Result<LabStudyView, StudyFolderError> {
        // A name that was not found here leads nowhere, whatever it is made of.
        let Some((id, folder)) = self.folders().into_iter().find(|(known, _)| known == id) else {
            return Err(StudyFolderError::Unknown(id.to_owned()));
        };
        let board = read(&folder.join(BOARD)).map_err(StudyFolderError::Unread)?;
        let models = models(&board);
        let mut unread = BTreeMap::new();
        let mut part = |file: &str| {
            let path = folder.join(file);
            let read = path.is_file().then(|| read(&path));
            match read {
                Some(Err(why)) => {
                    unread.insert(file.to_owned(), why);
                    Value::Null
                }
                Some(Ok(value)) => value,
                None => Value::Null,
            }
        };
        let (curves, inputs, sheet, money) =
            (part("reliability.json"), part("importance.json"), part("folds.json"), part("backtest.json"));
        Ok(LabStudyView {
            about: line(&id, &folder, &board, &models),
            seed: count(&board, "seed"),
            config_hash: text(&board, "config_hash"),
            data_digest: text(&board["about"], "data_digest"),
            options: options(&board, &self.0),
            zero_share: number(&board["about"], "zero_share"),
            unlabelled: counts(&board["about"]["unlabelled"]),
            embargo_s: numbers(&board["embargo_s"]),
            columns: columns(&models),
            models,
            figures: figures(&board),
            left_out: reasons(&board["left_out"]),
            inputs: board["inputs"].as_array().map_or(0, |all| all.len() as u64),
            dropped: reasons(&board["dropped"]),
            reliability: reliability(&curves),
            importance: importance(&inputs),
            fold_map: fold_map(&sheet),
            backtest: backtest(&money),
            unread,
        })
    }

    /// Folders with a board, by their place below this one.
    fn folders(&self) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        descend(&self.0, &mut Vec::new(), &mut found);
        found.retain(|(_, folder)| !is_shown_above(folder));
        found
    }
}

/// What a board was fitted with, as it is typed; what is so anyhow is left out.
fn options(board: &Value, studies: &Path) -> String {
    let plan = &board["plan"];
    let differs = |of: &Value, usual: &str| {
        let said = of.as_str().map_or_else(|| of.to_string(), str::to_owned);
        Some(said).filter(|said| !of.is_null() && said != usual)
    };
    let all = [
        ("--preset", differs(&board["preset"], "quick")),
        ("--folds", differs(&plan["folds"], "5")),
        ("--embargo", differs(&plan["memory"], "1h")),
        ("--rows-min", differs(&plan["train_rows_min"], "100")),
        ("--seed", differs(&board["seed"], "1")),
        ("--weights", differs(&board["weights"], "even")),
        ("--studies", Some(shell_word(&studies.display().to_string()))),
    ];
    let typed = all.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    typed.collect::<Vec<_>>().join(" ")
}

fn descend(folder: &Path, place: &mut Vec<String>, found: &mut Vec<(String, PathBuf)>) {
    if !place.is_empty() && folder.join(BOARD).is_file() {
        found.push((place.join("/"), folder.to_owned()));
    }
    if place.len() == DEPTH_MAX {
        return;
    }
    let Ok(inside) = std::fs::read_dir(folder) else { return };
    let named = inside.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    let mut names: Vec<String> = named.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with(FITS) && !name.starts_with('.') && name != ARTEFACTS);
    names.sort_unstable();
    for name in names {
        if found.len() >= STUDIES_MAX {
            return;
        }
        let below = folder.join(&name);
        place.push(name);
        descend(&below, place, found);
        place.pop();
    }
}

/// Is this the run whose board stands in the folder of the target itself?
fn is_shown_above(folder: &Path) -> bool {
    let Some(runs) = folder.parent().filter(|runs| runs.ends_with(RUNS)) else { return false };
    let newest = runs.parent().and_then(|target| text(&read(&target.join(BOARD)).ok()?, "run"));
    newest.is_some_and(|newest| folder.ends_with(newest))
}

fn read(path: &Path) -> Result<Value, String> {
    let about = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if about.len() > BYTES_MAX {
        return Err(format!("{} bytes are more than is read, {BYTES_MAX}", about.len()));
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    serde_json::from_slice(&bytes).map_err(|e| format!("not JSON: {e}"))
}

fn line(id: &str, folder: &Path, board: &Value, models: &[LabModelRow]) -> LabStudy {
    let about = &board["about"];
    let task = text(&board["board"], "task").unwrap_or_default();
    let criterion = match task.as_str() {
        "classes" => "macro_f1",
        "regression" => "r2_oos",
        _ => "bss_clim",
    };
    let best = models.iter().find(|m| !m.is_control);
    let trials = models.iter().filter_map(|m| m.scores.get("n_trials")).copied().reduce(f64::max);
    LabStudy {
        study: id.to_owned(),
        market: text(about, "market").unwrap_or_default(),
        target: text(about, "target").unwrap_or_default(),
        task,
        horizon_s: number(about, "horizon_s"),
        span: span(&about["span"]),
        made_at: written_at(&folder.join(BOARD)),
        rows: count(about, "rows"),
        labelled: count(about, "labelled"),
        folds: count(&board["plan"], "folds"),
        preset: text(board, "preset"),
        control: text(&board["board"], "leak").unwrap_or_else(|| "untested".to_owned()),
        stamp: text(board, "stamp"),
        trials: trials.and_then(whole),
        models: models.len() as u64,
        best: best.map(|m| m.model.clone()),
        criterion: criterion.to_owned(),
        best_value: best.and_then(|m| m.scores.get(criterion)).copied(),
    }
}

/// A count that came as a number of JSON.
fn whole(of: f64) -> Option<u64> {
    format!("{of:.0}").parse().ok()
}

fn written_at(path: &Path) -> Option<Ts> {
    let at = std::fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(at.as_secs()).ok()?.checked_mul(1_000_000_000).map(Ts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, StudyFolder) {
        let temp = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = temp.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = StudyFolder::new(temp.path().to_owned());
        (temp, root)
    }

    fn board() -> String {
        json!({"about": {"target": "dir_5s", "market": "bybit:BTCUSDT", "rows": 9, "span": ["a", "b"]}, "plan": {"folds": 2, "memory": "2s"}, "preset": "quick", "run": "bb",
            "seed": 1, "weights": "uniqueness", "stamp": "NO LEAK CONTROL", "inputs": ["ofi", "x"], "board": {"task": "binary", "leak": "untested", "rows": [
                {"model": "shuffled", "n_trials": 3, "auc": 0.5}, {"model": "gbm", "n_trials": 2, "bss_clim": 0.01}]}})
        .to_string()
    }

    #[test]
    fn what_is_there_is_shown_and_what_is_broken_is_named() {
        let (_temp, root) = folder(&[
            ("bybit/BTCUSDT/dir_5s/board.json", &board()),
            ("bybit/BTCUSDT/dir_5s/folds.json", "{"),
            ("bybit/BTCUSDT/dir_5s/importance.json", "[1, 2]"),
            ("bybit/BTCUSDT/dir_5s/fits-aa/board.json", &board()),
            ("bybit/BTCUSDT/dir_5s/artefacts/bb/board.json", &board()),
            ("bybit/BTCUSDT/dir_5s/runs/aa/board.json", &board()),
            ("bybit/BTCUSDT/dir_5s/runs/bb/board.json", &board()),
            ("bybit/BTCUSDT/dir_1s/board.json", "no"),
            ("board.json", &board()),
        ]);
        let list = root.list();
        let ids: Vec<&str> = list.studies.iter().map(|s| s.study.as_str()).collect();
        assert_eq!(ids, ["bybit/BTCUSDT/dir_5s", "bybit/BTCUSDT/dir_5s/runs/aa"]);
        assert_eq!(list.unread.keys().collect::<Vec<_>>(), ["bybit/BTCUSDT/dir_1s"]);
        let first = &list.studies[0];
        assert_eq!(
            (first.best.as_deref(), first.best_value, first.trials, first.models),
            (Some("gbm"), Some(0.01), Some(3), 2)
        );
        assert!(first.made_at.is_some() && first.stamp.as_deref() == Some("NO LEAK CONTROL"));
        let one = root.study("bybit/BTCUSDT/dir_5s").unwrap();
        assert_eq!(
            (one.unread.keys().map(String::as_str).collect::<Vec<_>>(), one.importance, one.fold_map, one.inputs),
            (vec!["folds.json"], None, None, 2)
        );
        assert!(matches!(root.study("bybit/BTCUSDT/dir_1s"), Err(StudyFolderError::Unread(_))));
        let studies = root.0.display();
        assert_eq!(one.options, format!("--folds 2 --embargo 2s --weights uniqueness --studies {studies}"));
        for outside in ["", "..", "bybit/../bybit/BTCUSDT/dir_5s", "/etc", "bybit/BTCUSDT"] {
            assert!(matches!(root.study(outside), Err(StudyFolderError::Unknown(_))), "{outside}");
        }
    }

    #[test]
    fn importance_by_regime_is_shown_as_far_as_it_was_made() {
        let input = json!({"columns": ["ofi"], "increase": 0.2, "band": [0.1, 0.3], "by_fold": [0.2, 0.2]});
        let whole = json!({"model": "gbm", "sample_rows": [600, 600], "columns": [input], "groups": [], "mean_abs_shap": {"ofi": 1.0},
            "regimes": [{"regime": "low", "rows": [300, 310], "columns": [input], "groups": [], "mean_abs_shap": {"ofi": 0.5}},
                {"regime": "high", "rows": [20, 0], "columns": [], "groups": []}]});
        let mut older = whole.clone();
        older.as_object_mut().unwrap().remove("regimes");
        let of = |importance: &Value| {
            let (_temp, root) =
                folder(&[("v/S/t/board.json", &board()), ("v/S/t/importance.json", &importance.to_string())]);
            root.study("v/S/t").unwrap().importance.unwrap()
        };
        let shown = of(&whole);
        let [low, high] = shown.regimes.as_slice() else { panic!("{shown:?}") };
        assert_eq!((low.regime.as_str(), low.rows, low.columns[0].shap), ("low", 610, Some(0.5)));
        assert_eq!((high.regime.as_str(), high.rows, high.columns.len()), ("high", 20, 0));
        assert_eq!((of(&older).regimes.len(), of(&older).columns), (0, shown.columns));
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        let list = StudyFolder::new("/nowhere/at/all".into()).list();
        assert!(list.studies.is_empty() && list.unread.is_empty());
    }
}
