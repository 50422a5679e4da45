//! Why there are no folds.

use barograph_domain::{Span, Ts};

/// Why rows cannot be divided as planned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FoldError {
    /// The plan itself makes no sense; a sentence that names the field.
    Plan(String),
    /// No row has a label.
    NoRows,
    /// Nothing is left before the hold-out.
    HoldOut {
        /// Where it begins.
        begins: Ts,
        /// What has to be known before it.
        embargo: Span,
        /// How long the longest label takes to become known.
        lasting: Span,
        /// About as much data as the plan needs.
        length_min: Span,
    },
    /// The time that is tested has fewer rows than blocks are asked for.
    Blocks {
        /// Its rows.
        rows: usize,
        /// The blocks asked for.
        folds: usize,
    },
    /// Purge and embargo leave too few rows to learn from.
    Training {
        /// Which part: of a fold with its number from 1, or of all that is not held out.
        part: String,
        /// Rows left.
        rows: usize,
        /// Rows needed.
        needed: usize,
        /// What lies between the first row and the block that they are kept away from.
        reach: Span,
        /// The embargo before the block.
        embargo: Span,
        /// How long the longest label takes to become known.
        lasting: Span,
        /// About as much data as the plan needs.
        length_min: Span,
    },
}

impl core::fmt::Display for FoldError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Plan(why) => f.write_str(why),
            Self::NoRows => f.write_str("no row has a label, so there is nothing to divide into folds"),
            Self::HoldOut { begins, embargo, lasting, length_min } => write!(
                f,
                "the data is too short: the hold-out begins at {begins}, and no label is known {embargo} before that, which is the \
                 embargo{}. Evenly spread rows over about {} would do, or a shorter embargo where features look back less",
                besides(*lasting),
                length_min.spoken()
            ),
            Self::Blocks { rows, folds } => write!(
                f,
                "{folds} test blocks need at least as many labelled rows, and the time that is tested has {rows}: record longer or \
                 ask for fewer folds"
            ),
            Self::Training { part, rows, needed, reach, embargo, lasting, length_min } => write!(
                f,
                "{part} has {rows} rows to learn from and needs {needed}: {} lie before the rows it is judged by, of which the \
                 embargo takes {embargo}{}. Evenly spread rows over about {} would do; else ask for fewer rows, a shorter memory or \
                 another share of tested time",
                reach.spoken(),
                besides(*lasting),
                length_min.spoken()
            ),
        }
    }
}

/// Labels of less than a minute are not worth a word beside embargoes.
fn besides(lasting: Span) -> String {
    if lasting < Span::mins(1) {
        return String::new();
    }
    format!(", and a label is known {} after its row", lasting.spoken())
}

impl core::error::Error for FoldError {}
