//! A trading rule as a person writes it, for the simulator (research §7, R4.71).
//!
//! One decision a line, read from the top; the first line whose condition holds decides, `otherwise` decides where none does:
//!
//! ```text
//! long when ofi > 2 and risk is NORMAL      # columns of the data set, labels of the axes
//! short when ofi < -2 and trend is not (UPTREND, STRONG_UPTREND)
//! keep when abs(ofi) > 0.5                  # whatever is held stays
//! otherwise flat
//! ```
//!
//! Signals of one's own are declared above the line that names them: `signal x.desk_flow within 2h`, and then
//! `long when x.desk_flow.z_7d > 2`.
//!
//! A comparison with a number that is absent is neither true nor false, and neither is what is made of it (Kleene's logic): a line of
//! which that is so does not decide. A rule sees one row and the labels as known then, so it cannot see a later one.

mod fault;
mod parse;
mod signal;
mod term;
mod word;

pub use fault::RuleFault;
pub use parse::alike;
pub use signal::DeclaredSignal;
pub use term::{RuleOrder, RuleSign, RuleTerm, RuleTest};

use super::blotter::Stance;
use super::simulator::RuleRow;
use barograph_domain::SignalNumber;

/// What a rule may name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleVocabulary {
    /// Columns of the data set.
    pub columns: Vec<String>,
    /// Axes with the labels that each can have.
    pub axes: Vec<(String, Vec<String>)>,
}

/// What a line wants where it decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleRequest {
    /// This position.
    Hold(Stance),
    /// Whatever is held.
    Keep,
}

impl RuleRequest {
    fn stance(self, row: &RuleRow<'_>) -> Stance {
        match self {
            Self::Hold(stance) => stance,
            Self::Keep => row.held(),
        }
    }
}

/// One decision.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleLine {
    /// What it wants.
    pub request: RuleRequest,
    /// The condition under which it decides.
    pub when: RuleTest,
}

/// A condition without a decision, as a line of a rule has one behind `when`, with the signals declared above it.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleCondition {
    /// The signals that it declares.
    pub signals: Vec<DeclaredSignal>,
    /// What is asked.
    pub when: RuleTest,
}

impl RuleCondition {
    /// Reads one: `signal x.desk_flow; x.desk_flow.z_7d > 2`.
    ///
    /// # Errors
    /// Everything that could not be read, each with its place.
    pub fn parse(text: &str, known: &RuleVocabulary) -> Result<Self, Vec<RuleFault>> {
        parse::condition(text, known)
    }

    /// Does it name this number of a signal?
    #[must_use]
    pub fn asks_for(&self, signal: &DeclaredSignal, number: SignalNumber) -> bool {
        self.when.names(&number.of(&signal.name))
    }
}

/// Lines in their order.
#[derive(Clone, PartialEq, Debug)]
pub struct TradingRule {
    signals: Vec<DeclaredSignal>,
    lines: Vec<RuleLine>,
    otherwise: RuleRequest,
}

impl TradingRule {
    /// Reads a rule: lines, or parts between semicolons; what follows `#` is a remark. Without `otherwise` nothing is held where no
    /// line decides.
    ///
    /// # Errors
    /// Everything that could not be read, each with its place.
    pub fn parse(text: &str, known: &RuleVocabulary) -> Result<Self, Vec<RuleFault>> {
        parse::rule(text, known)
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[RuleLine] {
        &self.lines
    }

    /// The signals that it declares.
    #[must_use]
    pub fn signals(&self) -> &[DeclaredSignal] {
        &self.signals
    }

    /// Does any line name this number of a signal?
    #[must_use]
    pub fn asks_for(&self, signal: &DeclaredSignal, number: SignalNumber) -> bool {
        let name = number.of(&signal.name);
        self.lines.iter().any(|line| line.when.names(&name))
    }

    /// What is wanted on a row.
    #[must_use]
    pub fn wants(&self, row: &RuleRow<'_>) -> Stance {
        let decides = |line: &&RuleLine| line.when.holds(row) == Some(true);
        self.lines.iter().find(decides).map_or(self.otherwise, |line| line.request).stance(row)
    }

    /// Axes that it asks about, each once, in the order of their first mention.
    #[must_use]
    pub fn axes(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.lines.iter().for_each(|line| line.when.axes(&mut found));
        found
    }
}

#[cfg(test)]
mod tests;
