//! Why an answer cannot be given at all: what has no place among the answers of [`barograph_api::QueryError`].

use barograph_domain::forecast::{ForecastEvent, Forecaster};
use core::error::Error as Cause;
use core::fmt;

/// What failed.
#[derive(Debug)]
pub enum Error {
    /// The store did not answer.
    Store(barograph_store::Error),
    /// This build cannot read the rule book that rows were made by.
    Book {
        /// The book's name.
        name: String,
        /// Logic version of the rows.
        logic_version: String,
    },
    /// An event has more cases than may be held at once.
    TooManyCases {
        /// The event.
        event: ForecastEvent,
        /// How many may be.
        most: usize,
    },
    /// A forecaster was chosen for an event that its record does not speak for.
    NotEarned {
        /// The event.
        event: ForecastEvent,
        /// Who was chosen.
        forecaster: Forecaster,
        /// What its record says.
        why: String,
    },
    /// A stored value of the program is not what it writes.
    NotAsKept(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(e) => e.fmt(f),
            Self::Book { name, logic_version } => {
                write!(f, "the rule book '{name}' stored with {logic_version} cannot be read by this version")
            }
            Self::TooManyCases { event, most } => write!(
                f,
                "{} has more than {most} cases here, which is what one answer may hold of an event",
                event.id()
            ),
            Self::NotEarned { event, forecaster, why } => {
                write!(f, "contest.{} = \"{}\" is refused: {why}", event.id(), forecaster.id())
            }
            Self::NotAsKept(why) => f.write_str(why),
        }
    }
}

impl Cause for Error {
    fn source(&self) -> Option<&(dyn Cause + 'static)> {
        match self {
            Self::Store(e) => e.source(),
            Self::Book { .. } | Self::TooManyCases { .. } | Self::NotEarned { .. } | Self::NotAsKept(_) => None,
        }
    }
}

impl From<barograph_store::Error> for Error {
    fn from(e: barograph_store::Error) -> Self {
        Self::Store(e)
    }
}

/// The error and its causes, joined by colons; a cause already in the text is not said twice.
pub fn chain(e: &dyn Cause) -> String {
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
