//! Which models enter a board, by their names on it.

use super::external::OutsideFiles;
use crate::ResearchError;

/// Every model of the zoo that this program fits itself (research §4), in the order in which they are fitted.
pub const MODELS: [&str; 9] =
    ["prior", "persistence", "har", "linear", "gbm", "mlp", "ensemble", "regime_gbm", "shuffled"];

/// Before the file of a model that somebody else has fitted.
const ONNX: &str = "onnx=";

/// The models of a study.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lineup {
    own: Vec<&'static str>,
    outside: Vec<OutsideFiles>,
}

impl Lineup {
    /// All of the program's own.
    #[must_use]
    pub fn all() -> Self {
        Self { own: MODELS.to_vec(), outside: Vec::new() }
    }

    /// Those that are named, with the control and the baselines, without which a board says nothing. `onnx=FILE` is a model of somebody
    /// else; where no other is named, all of the program's own stand beside it.
    ///
    /// # Errors
    /// There is no such model, the files of an outside one are not named fold by fold, or two outside ones have one name.
    pub fn named(names: &[String]) -> Result<Self, ResearchError> {
        let (files, names): (Vec<&str>, Vec<&str>) =
            names.iter().map(String::as_str).partition(|name| name.starts_with(ONNX));
        if let Some(unknown) = names.iter().find(|n| !MODELS.contains(n)) {
            let known = MODELS.join(", ");
            return Err(ResearchError::Refused(format!(
                "there is no model '{unknown}'; there are {known}, and onnx=FILE"
            )));
        }
        let of = |file: &&str| OutsideFiles::new(&file[ONNX.len()..], &MODELS);
        let outside = files.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        for (n, files) in outside.iter().enumerate() {
            if outside[..n].iter().any(|before| before.name == files.name) {
                return Err(ResearchError::Refused(format!(
                    "two models would stand on the board as '{}'; rename the files of one of them",
                    files.name
                )));
            }
        }
        let always = ["prior", "persistence", "shuffled"];
        let wanted = |m: &&str| names.is_empty() || always.contains(m) || names.contains(m);
        Ok(Self { own: MODELS.into_iter().filter(wanted).collect(), outside })
    }

    /// Names of the program's own.
    #[must_use]
    pub fn names(&self) -> &[&'static str] {
        &self.own
    }

    /// Models of others.
    #[must_use]
    pub fn outside(&self) -> &[OutsideFiles] {
        &self.outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_models_of_one_name_are_refused() {
        let named = |files: [&str; 2]| Lineup::named(&files.map(|f| format!("{ONNX}{f}")));
        assert_eq!(named(["a/mine-{fold}.onnx", "a/yours-{fold}.onnx"]).unwrap().outside().len(), 2);
        let refused = named(["a/mine-{fold}.onnx", "b/mine-{fold}.onnx"]).unwrap_err().to_string();
        assert!(refused.contains("two models would stand on the board as 'mine'"), "{refused}");
    }
}
