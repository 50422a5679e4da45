//! Which models enter a board, by their names on it.

use crate::ResearchError;

/// Every model of the zoo that this program fits itself (research §4), in the order in which they are fitted.
pub const MODELS: [&str; 9] =
    ["prior", "persistence", "har", "linear", "gbm", "mlp", "ensemble", "regime_gbm", "shuffled"];

/// The models of a study.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lineup(Vec<&'static str>);

impl Lineup {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self(MODELS.to_vec())
    }

    /// Those that are named, with the control and the baselines, without which a board says nothing.
    ///
    /// # Errors
    /// There is no such model.
    pub fn named(names: &[String]) -> Result<Self, ResearchError> {
        if let Some(unknown) = names.iter().find(|n| !MODELS.contains(&n.as_str())) {
            let known = MODELS.join(", ");
            return Err(ResearchError::Refused(format!("there is no model '{unknown}'; there are {known}")));
        }
        let always = ["prior", "persistence", "shuffled"];
        let wanted = |m: &&str| always.contains(m) || names.iter().any(|n| n == m);
        Ok(Self(MODELS.into_iter().filter(wanted).collect()))
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> &[&'static str] {
        &self.0
    }
}
