//! Models that others have fitted on the exported folds, on the same board (research §4, row `external`): a file of ONNX for each fold.
//!
//! Such a model is given the columns of the data set as the lake has them, in the order of the catalogue and of `barograph lab columns`,
//! a missing number as NaN; what it makes of them first is in the file. Its probabilities are calibrated on the fold's inner split, as
//! those of every other model. Whether it has kept to the rows of its fold nobody can see here.

use super::fold::FoldRows;
use super::run::hex;
use crate::ResearchError;
use barograph_columns::catalogue;
use barograph_domain::math::ln;
use barograph_lab::zoo::board::FoldPrediction;
use barograph_lab::zoo::{CalibrationRule, Calibrator, ZooPrediction, ZooTask};
use barograph_models::OnnxModel;
use barograph_study::ResearchFrame;
use barograph_study::folds::StudyFold;
use std::path::PathBuf;

/// Where the number of the fold stands in a name.
const FOLD: &str = "{fold}";
/// Probabilities are kept this far from 0 and 1 before their log odds are taken.
const CLIP: f64 = 1e-6;

/// Files of one model, a file a fold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutsideFiles {
    /// What the model is called on the board.
    pub name: String,
    pattern: String,
}

impl OutsideFiles {
    /// Of a name as in `models/mine-{fold}.onnx`.
    ///
    /// # Errors
    /// The name has no `{fold}`, or the model would be called as one of the program's own.
    pub fn new(pattern: &str, taken: &[&str]) -> Result<Self, ResearchError> {
        if !pattern.contains(FOLD) {
            return Err(ResearchError::Refused(format!(
                "'{pattern}': one model of all rows has seen what it is judged on. Fit one for each fold on the rows of folds.json and name \
                 them with {FOLD}, as in onnx=models/mine-{FOLD}.onnx"
            )));
        }
        let file = pattern.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = file.strip_suffix(".onnx").unwrap_or(file).replace(FOLD, "");
        let stem = stem.trim_matches(|c: char| !c.is_alphanumeric());
        let name = if stem.is_empty() { "onnx" } else { stem };
        if taken.contains(&name) {
            return Err(ResearchError::Refused(format!(
                "'{pattern}' would appear on the board as {name}, which is a model of this program; rename it"
            )));
        }
        Ok(Self { name: name.to_owned(), pattern: pattern.to_owned() })
    }

    fn path(&self, fold: usize) -> PathBuf {
        PathBuf::from(self.pattern.replace(FOLD, &fold.to_string()))
    }

    /// What the model of a fold is known by: its name and the SHA-256 of its file. Another file is another model, whatever its name.
    pub(super) fn known_by(&self, fold: usize) -> Result<String, ResearchError> {
        let path = self.path(fold);
        let bytes =
            std::fs::read(&path).map_err(|e| ResearchError::Refused(format!("cannot read {}: {e}", path.display())))?;
        Ok(format!("{}@{}", self.name, hex(&bytes)))
    }

    /// What the model of a fold says of its test rows.
    pub(super) fn predicted(
        &self,
        frame: &ResearchFrame,
        fold: &StudyFold,
        rows: &FoldRows,
        task: ZooTask,
    ) -> Result<FoldPrediction, ResearchError> {
        let path = self.path(fold.number);
        let refused = |why: String| ResearchError::Refused(format!("{}: {why}", path.display()));
        let model = OnnxModel::open(&path).map_err(|e| refused(e.to_string()))?;
        let wanted = catalogue().len();
        if model.columns() != wanted {
            return Err(refused(format!(
                "it takes {} columns; the data set has {wanted}, in the order of `barograph lab columns`",
                model.columns()
            )));
        }
        let ask = |part: &str, of: &mut dyn Iterator<Item = usize>| {
            let said = model.answers(&table(frame, of)).map_err(|e| refused(e.to_string()))?;
            let said = said.iter().map(|row| answers(task, row)).collect::<Option<Vec<_>>>().ok_or_else(|| {
                refused(format!(
                    "it gives {} numbers a row, which is no answer to this target",
                    said.first().map_or(0, Vec::len)
                ))
            })?;
            checked(task, said).map_err(|why| refused(format!("{part} of fold {}: {why}", fold.number)))
        };
        let (tuned, said) =
            (ask("inner split", &mut fold.learn.tune.rows())?, ask("test rows", &mut fold.test.rows())?);
        let (times, labels) = rows.judged();
        let base = (0..task.heads()).map(|head| rows.mean_asked(task, head)).collect();
        let came = rows.labels_of(&rows.tune);
        Ok(FoldPrediction { times, labels, said: calibrated(task, &tuned, &came, &said), base })
    }
}

/// Rows of the data set, one after another.
#[expect(clippy::cast_possible_truncation, reason = "models of others take 32 bits")]
fn table(frame: &ResearchFrame, rows: &mut dyn Iterator<Item = usize>) -> Vec<f32> {
    let columns: Vec<_> = catalogue().iter().map(|c| frame.column(c.id)).collect();
    rows.flat_map(|row| columns.iter().map(move |c| c.and_then(|c| c.get(row)).map_or(f32::NAN, |v| v as f32)))
        .collect()
}

/// Answers to the questions of a task: the probability of a yes, of each of three classes, or the number.
fn answers(task: ZooTask, row: &[f64]) -> Option<Vec<f64>> {
    match (task, row) {
        (ZooTask::Binary, [_, yes]) => Some(vec![*yes]),
        (ZooTask::Binary | ZooTask::Regression, [one]) => Some(vec![*one]),
        (ZooTask::Classes, [_, _, _]) => Some(row.to_vec()),
        _ => None,
    }
}

/// Answers that can be judged: numbers, and where a probability is asked, within 0 and 1. What 32 bits round beyond is put back.
fn checked(task: ZooTask, mut said: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, String> {
    for (row, answer) in said.iter_mut().enumerate() {
        for value in answer {
            if !value.is_finite() {
                return Err(format!("its answer to row {row} is {value}, which is no number"));
            }
            if task == ZooTask::Regression {
                continue;
            }
            if !(-CLIP..=1.0 + CLIP).contains(value) {
                return Err(format!(
                    "its answer to row {row} is {value}, which is no probability; export probabilities, not scores or log odds"
                ));
            }
            *value = value.clamp(0.0, 1.0);
        }
    }
    Ok(said)
}

fn log_odds(p: f64) -> f64 {
    let inside = p.clamp(CLIP, 1.0 - CLIP);
    ln(inside / (1.0 - inside))
}

fn calibrated(task: ZooTask, tuned: &[Vec<f64>], came: &[f64], said: &[Vec<f64>]) -> ZooPrediction {
    if task == ZooTask::Regression {
        return ZooPrediction::Values(said.iter().map(|row| row[0]).collect());
    }
    let curve = |head: usize| {
        let cases = tuned.iter().zip(came).map(|(row, y)| (log_odds(row[head]), task.asked(*y, head) > 0.5));
        Calibrator::fit(CalibrationRule::Platt, &cases.collect::<Vec<_>>())
    };
    let curves: Vec<Option<Calibrator>> = (0..task.heads()).map(curve).collect();
    // Where the inner split has one outcome only, what was stated stays.
    let at = |row: &[f64], head: usize| curves[head].as_ref().map_or(row[head], |c| c.at(log_odds(row[head])));
    if task == ZooTask::Binary {
        let scores = said.iter().map(|row| row[0]).collect();
        return ZooPrediction::Binary { scores, probabilities: said.iter().map(|row| at(row, 0)).collect() };
    }
    let each = |row: &Vec<f64>| {
        let p = [0, 1, 2].map(|head| at(row, head));
        let sum = p.iter().sum::<f64>().max(CLIP);
        p.map(|p| p / sum)
    };
    let probabilities: Vec<[f64; 3]> = said.iter().map(each).collect();
    let likeliest =
        |p: &[f64; 3]| (1..3_u8).fold(0_u8, |best, c| if p[usize::from(c)] > p[usize::from(best)] { c } else { best });
    ZooPrediction::Classes { chosen: probabilities.iter().map(likeliest).collect(), probabilities }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_called_by_its_file_and_one_for_all_folds_is_refused() {
        let name = |pattern: &str| OutsideFiles::new(pattern, &["gbm"]).map(|f| f.name).map_err(|e| e.to_string());
        assert_eq!(name("models/mine-{fold}.onnx").unwrap(), "mine");
        assert_eq!(name("{fold}.onnx").unwrap(), "onnx");
        assert!(name("models/mine.onnx").unwrap_err().contains("has seen what it is judged on"));
        assert!(name("gbm_{fold}.onnx").unwrap_err().contains("rename it"));
    }

    #[test]
    fn a_model_is_known_by_what_its_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let files = OutsideFiles::new(&format!("{}/mine-{{fold}}.onnx", folder.path().display()), &[]).unwrap();
        let known = |text: &str| {
            std::fs::write(folder.path().join("mine-1.onnx"), text).unwrap();
            files.known_by(1).unwrap()
        };
        let first = known("a");
        assert!(first.starts_with("mine@") && first.len() == 69, "{first}");
        assert_eq!((known("b") == first, known("a") == first), (false, true));
        assert!(files.known_by(2).unwrap_err().to_string().contains("mine-2.onnx"));
    }

    #[test]
    fn answers_that_cannot_be_judged_are_refused_by_their_row() {
        for (task, answer, why) in [
            (ZooTask::Binary, vec![0.2], None),
            (ZooTask::Binary, vec![1.000_000_1], None),
            (ZooTask::Binary, vec![1.5], Some("row 1 is 1.5, which is no probability; export probabilities")),
            (ZooTask::Binary, vec![f64::NAN], Some("row 1 is NaN, which is no number")),
            (ZooTask::Classes, vec![0.5, -0.1, 0.6], Some("row 1 is -0.1, which is no probability")),
            (ZooTask::Regression, vec![-3.0], None),
            (ZooTask::Regression, vec![f64::INFINITY], Some("row 1 is inf, which is no number")),
        ] {
            match (checked(task, vec![vec![0.5], answer]), why) {
                (Ok(said), None) => assert!(task == ZooTask::Regression || said[1][0] <= 1.0, "{said:?}"),
                (Err(e), Some(why)) => assert!(e.contains(why), "{e}"),
                (got, _) => panic!("{got:?} where {why:?} was expected"),
            }
        }
    }

    #[test]
    fn probabilities_of_three_classes_add_up_and_keep_their_order() {
        let tuned: Vec<Vec<f64>> =
            (0..90).map(|n| vec![[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]][n % 3].to_vec()).collect();
        let came: Vec<f64> = (0..90).map(|n| [0.0, 1.0, 2.0, 1.0, 1.0, 2.0, 0.0, 2.0, 2.0][n % 9]).collect();
        let ZooPrediction::Classes { probabilities, chosen } = calibrated(ZooTask::Classes, &tuned, &came, &tuned[..3])
        else {
            panic!("classes")
        };
        assert!(probabilities.iter().all(|p| (p.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        assert_eq!(chosen.last(), Some(&2));
        assert_eq!(answers(ZooTask::Binary, &[0.3, 0.7]), Some(vec![0.7]));
        assert_eq!((answers(ZooTask::Binary, &[0.1, 0.2, 0.7]), answers(ZooTask::Classes, &[0.5])), (None, None));
    }
}
