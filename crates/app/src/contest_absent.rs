//! The contest in a program that was built without the lab, whose models it fits: it holds none, and checks none. The same names as in
//! `contest.rs`.

use crate::failure::Failure;
use barograph_domain::Ts;
use barograph_domain::forecast::Forecaster;
use barograph_lake::WHOLE_PROGRAM;
use barograph_store::{Reader, Writer};
use barograph_verify::contest::state_of;
use std::io::Write as _;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Contested {
    /// Ticks of contestants that were stored.
    pub(crate) ticks: u64,
    /// The first day that was made; `None` where there was nothing to do.
    pub(crate) from: Option<Ts>,
}

/// Heads of a contestant's chains, made again.
pub(crate) struct Again {
    /// The contestant whose ledger it is.
    pub(crate) who: Forecaster,
    /// Heads that are stored.
    pub(crate) heads: usize,
    /// Of them those that came out the same.
    pub(crate) equal: usize,
}

/// Refuses to hold a contest.
pub(crate) fn update(_reader: &dyn Reader, _writer: &mut dyn Writer, _rules: &str) -> Result<Contested, Failure> {
    Err(Failure::usage(format!(
        "the contest fits models of the lab, which this program was built without: {WHOLE_PROGRAM}"
    )))
}

/// Checks nothing, and says so where a contest has been held.
pub(crate) fn check(reader: &dyn Reader, rules: &str) -> Result<Vec<Again>, Failure> {
    if reader.ledger_progress(&state_of(rules))?.is_some() {
        writeln!(
            std::io::stderr(),
            "barograph: the forecasts of contestants are not checked, since this program was built without the lab: {WHOLE_PROGRAM}"
        )?;
    }
    Ok(Vec::new())
}
