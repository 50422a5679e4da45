//! Which models enter a board, by their names on it.

use super::external::OutsideFiles;
use crate::ResearchError;
use barograph_models::{LIGHTGBM_BUILT, LightGbmFault};

/// Every model of the zoo that this program fits itself (research §4), in the order in which they are fitted; [`LIGHTGBM`] only where it
/// was built in.
pub const MODELS: [&str; 10] =
    ["prior", "persistence", "har", "linear", "gbm", LIGHTGBM, "mlp", "ensemble", "regime_gbm", "shuffled"];

/// The model that wants a library which the usual build does not have.
pub const LIGHTGBM: &str = "lightgbm";

/// Baselines and the control, without which a board says nothing.
pub(super) const ALWAYS: [&str; 3] = ["prior", "persistence", "shuffled"];

/// Before the file of a model that somebody else has fitted.
const ONNX: &str = "onnx=";

/// The models of a study.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lineup {
    own: Vec<&'static str>,
    outside: Vec<OutsideFiles>,
}

impl Lineup {
    /// All of the program's own that this build can fit.
    #[must_use]
    pub fn all() -> Self {
        Self { own: MODELS.into_iter().filter(|m| is_built(m)).collect(), outside: Vec::new() }
    }

    /// Those that are named, with the control and the baselines, without which a board says nothing. `onnx=FILE` is a model of somebody
    /// else; where no other is named, all of the program's own stand beside it.
    ///
    /// # Errors
    /// There is no such model, or not in this build, the files of an outside one are not named fold by fold, or two outside ones have one name.
    pub fn named(names: &[String]) -> Result<Self, ResearchError> {
        let (files, names): (Vec<&str>, Vec<&str>) =
            names.iter().map(String::as_str).partition(|name| name.starts_with(ONNX));
        if let Some(unknown) = names.iter().find(|n| !MODELS.contains(n)) {
            let known = MODELS.join(", ");
            return Err(ResearchError::Refused(format!(
                "there is no model '{unknown}'; there are {known}, and onnx=FILE"
            )));
        }
        if let Some(absent) = names.iter().find(|n| !is_built(n)) {
            return Err(ResearchError::Refused(format!("{absent}: {}", LightGbmFault::NotBuilt)));
        }
        let of = |file: &&str| OutsideFiles::new(&file[ONNX.len()..], &MODELS);
        let outside = files.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        for (n, files) in outside.iter().enumerate() {
            if outside[..n].iter().any(|before| before.name == files.name) {
                return Err(ResearchError::Refused(format!(
                    "two models would appear on the board as '{}'; rename the files of one of them",
                    files.name
                )));
            }
        }
        let wanted = |m: &&str| (names.is_empty() && is_built(m)) || ALWAYS.contains(m) || names.contains(m);
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

fn is_built(model: &str) -> bool {
    LIGHTGBM_BUILT || model != LIGHTGBM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_built_in_is_refused_by_name_and_left_out_of_all() {
        let named = Lineup::named(&[LIGHTGBM.to_owned()]);
        assert_eq!((named.is_ok(), Lineup::all().names().contains(&LIGHTGBM)), (LIGHTGBM_BUILT, LIGHTGBM_BUILT));
        if let Err(refused) = named {
            assert!(refused.to_string().ends_with("cargo build --release --features lightgbm"), "{refused}");
        }
    }

    #[test]
    fn two_models_of_one_name_are_refused() {
        let named = |files: [&str; 2]| Lineup::named(&files.map(|f| format!("{ONNX}{f}")));
        assert_eq!(named(["a/mine-{fold}.onnx", "a/yours-{fold}.onnx"]).unwrap().outside().len(), 2);
        let refused = named(["a/mine-{fold}.onnx", "b/mine-{fold}.onnx"]).unwrap_err().to_string();
        assert!(refused.contains("two models would appear on the board as 'mine'"), "{refused}");
    }
}
