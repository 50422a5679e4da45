//! From what a user says about a position to a position: checked once, with an id that follows from its content.

use super::notice::name_based;
use crate::advice::intent::{Intent, IntentError, side_of};
use barograph_domain::advice::{NewPosition, Position, PositionBook};
use barograph_domain::{InstrumentName, Ts};
use core::fmt;

/// Longest id and strategy name.
const LONGEST: usize = 100;

/// Why a position cannot be registered.
#[derive(Clone, PartialEq, Debug)]
pub enum PositionError {
    /// The side is neither long nor short.
    Side(String),
    /// A number cannot be meant.
    Number(IntentError),
    /// The moment of the entry is no moment, or lies ahead.
    OpenedAt(String),
    /// Id or strategy is empty, too long, or has control characters.
    Text(&'static str, String),
}

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Side(word) => write!(f, "side is '{word}': it must be long or short"),
            Self::Number(e) => e.fmt(f),
            Self::OpenedAt(why) => write!(f, "opened_at: {why}"),
            Self::Text(field, text) => {
                write!(f, "{field} is '{text}': it must be 1 to {LONGEST} characters without control characters")
            }
        }
    }
}
impl core::error::Error for PositionError {}

impl From<IntentError> for PositionError {
    fn from(e: IntentError) -> Self {
        Self::Number(e)
    }
}

/// Checks what the user says and gives it an id; `now` is the moment of registration.
///
/// # Errors
/// Names the field, its value and what it must be.
pub fn register(
    new: &NewPosition,
    instrument: InstrumentName,
    now: Ts,
    by: PositionBook,
) -> Result<Position, PositionError> {
    let side = side_of(&new.side).ok_or_else(|| PositionError::Side(new.side.clone()))?;
    for (field, value) in [("id", &new.id), ("strategy", &new.strategy)] {
        if let Some(t) = value.as_ref().filter(|t| !is_text(t)) {
            return Err(PositionError::Text(field, t.clone()));
        }
    }
    // A stop past the entry is a trailed one and fine for a position that is held: it must be a price, no more.
    Intent { size: new.size, ..Intent::new("", side, new.entry) }.check()?;
    if let Some(stop) = new.stop.filter(|s| !(s.is_finite() && *s > 0.0)) {
        return Err(IntentError::new("stop", stop, "a number above zero").into());
    }
    let opened_at = match &new.opened_at {
        None => now,
        Some(text) => Ts::parse(text).map_err(PositionError::OpenedAt)?,
    };
    if opened_at > now {
        return Err(PositionError::OpenedAt(format!("{opened_at} lies ahead")));
    }
    let id = new.id.clone().unwrap_or_else(|| {
        let strategy = new.strategy.as_deref().unwrap_or("");
        let when = new.opened_at.as_ref().map_or_else(|| at_registration(now, by), |_| opened_at.0.to_string());
        name_based(&format!("position|{instrument}|{side:?}|{}|{when}|{strategy}", new.entry))
    });
    Ok(Position {
        id,
        instrument,
        side,
        entry: new.entry,
        stop: new.stop,
        size: new.size,
        strategy: new.strategy.clone(),
        opened_at,
        registered_by: by,
    })
}

/// An entry of the file without a moment is the same position whenever the file is read.
fn at_registration(now: Ts, by: PositionBook) -> String {
    match by {
        PositionBook::User => now.0.to_string(),
        PositionBook::File => String::new(),
    }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}
