//! From what a user says about a position to a position: checked once, with an id that follows from its content.

use super::notice::name_based;
use crate::advice::intent::{Intent, IntentError, price, side_of};
use crate::advice::sign;
use barograph_domain::advice::{NewPosition, Position, PositionBook, SeenPrice};
use barograph_domain::{InstrumentName, Side, Span, Ts, math};
use core::fmt;

/// Longest id and strategy name.
const LONGEST: usize = 100;

/// Farthest from the market an entry may be without confirmation, as a difference of logarithms: a fifth at least, …
const FAR_MIN: f64 = 0.20;
/// … and a factor of three and a half at most, however long it is held.
const FAR_MAX: f64 = 1.25;

/// Why a position cannot be registered.
#[derive(Clone, PartialEq, Debug)]
pub enum PositionError {
    /// The side is neither long nor short.
    Side(String),
    /// A number cannot be meant.
    Number(IntentError),
    /// The stop lies where no stop of a new trade lies.
    WrongSide {
        /// The side that is held.
        side: Side,
        /// Entry price.
        entry: f64,
        /// The stop.
        stop: f64,
    },
    /// The entry is farther from the market than it moves.
    Far(FarEntry),
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
            Self::WrongSide { side, entry, stop } => {
                let (is, name, wants) = match side {
                    Side::Long => ("above", "long", "below"),
                    Side::Short => ("below", "short", "above"),
                };
                let is = if stop.total_cmp(entry).is_eq() { "at" } else { is };
                write!(
                    f,
                    "stop {stop} is {is} the entry {entry} of a {name}: it must be {wants} it; a stop that was trailed past \
                     the entry is registered with confirm"
                )
            }
            Self::Far(far) => write!(f, "{far}; if it is meant, register it with confirm"),
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

/// An entry that lies farther from the market than the market moves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FarEntry {
    /// Entry price.
    pub entry: f64,
    /// Price of the market.
    pub price: f64,
}

impl FarEntry {
    /// Whether an entry of a moment is one; `None` where it could be meant.
    #[must_use]
    pub fn of(entry: f64, at: Ts, market: &SeenPrice) -> Option<Self> {
        is_far(entry, at, market).then_some(Self { entry, price: market.price })
    }
}

impl fmt::Display for FarEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, price } = *self;
        write!(f, "entry {entry} is {} the market price of {price}: check symbol and price", apart(entry, price))
    }
}

/// How far apart two prices are, in words that stay short for the price of another market.
fn apart(entry: f64, price: f64) -> String {
    let ratio = entry / price;
    if ratio >= 3.0 {
        format!("{ratio:.0} times")
    } else {
        let way = if ratio > 1.0 { "above" } else { "below" };
        format!("{:.0} % {way}", (ratio - 1.0).abs() * 100.0)
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
    market: Option<SeenPrice>,
) -> Result<Position, PositionError> {
    let side = side_of(&new.side).ok_or_else(|| PositionError::Side(new.side.clone()))?;
    for (field, value) in [("id", &new.id), ("strategy", &new.strategy)] {
        if let Some(t) = value.as_ref().filter(|t| !is_text(t)) {
            return Err(PositionError::Text(field, t.clone()));
        }
    }
    Intent { size: new.size, ..Intent::new("", side, new.entry) }.check()?;
    price("stop", new.stop)?;
    if let Some(stop) = new.stop.filter(|s| !new.confirm && (new.entry - s) * sign(side) <= 0.0) {
        return Err(PositionError::WrongSide { side, entry: new.entry, stop });
    }
    let opened_at = match &new.opened_at {
        None => now,
        Some(text) => Ts::parse(text).map_err(PositionError::OpenedAt)?,
    };
    if opened_at > now {
        return Err(PositionError::OpenedAt(format!("{opened_at} lies ahead")));
    }
    if let Some(far) = market.filter(|_| !new.confirm).and_then(|m| FarEntry::of(new.entry, opened_at, &m)) {
        return Err(PositionError::Far(far));
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

/// Farther than the market moves in the time between: five of its standard deviations, at least a fifth, and never more than
/// a factor of three and a half.
fn is_far(entry: f64, opened_at: Ts, market: &SeenPrice) -> bool {
    let apart = market.at.map_or(Span::ZERO, |at| Span((at.0 - opened_at.0).abs()));
    let days = apart.as_days_f64().max(1.0);
    let hourly = market.atr.filter(|a| a.is_finite() && *a > 0.0).map_or(0.0, |a| a / market.price);
    let limit = (5.0 * hourly * (24.0 * days).sqrt()).clamp(FAR_MIN, FAR_MAX);
    math::ln(entry / market.price).abs() > limit
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
