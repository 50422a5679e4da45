//! Why a read has no answer: split by what the client does next.

use barograph_domain::{InstrumentName, Metric, Ts};
use core::fmt;

/// Why a read has no answer.
#[derive(Debug)]
pub enum QueryError {
    /// No instrument of that name.
    UnknownSymbol {
        /// As asked.
        name: String,
        /// Names that look alike, best first.
        nearest: Vec<String>,
    },
    /// Several instruments answer to that bare symbol.
    Ambiguous {
        /// As asked.
        name: String,
        /// All that match.
        candidates: Vec<InstrumentName>,
    },
    /// No stored rule book of that name.
    UnknownBook {
        /// As asked.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// What is stored was computed with other rule books than the configured one.
    OtherBook {
        /// Whose rows; `None`: all markets'.
        instrument: Option<InstrumentName>,
        /// The configured book.
        wanted: String,
        /// The books there are rows of. The configured name among them: of another text than the one at hand.
        known: Vec<String>,
    },
    /// The instrument has no such metric.
    UnknownMetric {
        /// As asked.
        name: String,
        /// Those it has.
        known: Vec<String>,
    },
    /// The instrument has no snapshot (or row) yet, or none known at `as_of`.
    NothingYet {
        /// Market asked about.
        instrument: InstrumentName,
        /// The moment asked about.
        as_of: Option<Ts>,
        /// When its first snapshot was known, where there is one.
        first: Option<Ts>,
    },
    /// No hour between the markets is known, or none was at `as_of`; or only one that is too old.
    NotCompared {
        /// The moment asked about.
        as_of: Option<Ts>,
        /// The hour that is too old to judge by, where there is one.
        newest: Option<Ts>,
    },
    /// No forecast is registered, or none was at `as_of`.
    NoForecasts {
        /// The moment asked about.
        as_of: Option<Ts>,
    },
    /// This process does not listen to venues, or not to this market.
    NotLive {
        /// Which market was asked about; `None`: any.
        instrument: Option<InstrumentName>,
    },
    /// The venue does not have this metric.
    NotOffered {
        /// What was asked for.
        metric: Metric,
        /// Venue that was asked.
        venue: String,
    },
    /// A field of a request whose value cannot be meant.
    BadField {
        /// Name of the field.
        field: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such position is registered.
    UnknownPosition {
        /// As asked.
        id: String,
    },
    /// No such message, endpoint, silence, watch, case or alert.
    Unknown {
        /// Which kind of thing.
        what: DeliveryName,
        /// As asked.
        id: String,
    },
    /// Only the process that delivers can do this, and this is none.
    NotDelivering,
    /// It cannot be changed from here.
    Conflict {
        /// Reason, for people.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// More than one answer of this process may hold; less of it can be asked.
    TooMuch {
        /// Reason, for people.
        reason: String,
        /// How to ask less.
        hint: String,
    },
    /// The database is away (restarting, or its connection was lost) and expected back by itself.
    Away {
        /// Why, for the client.
        reason: String,
        /// When asking again makes sense, seconds; `None`: soon.
        retry_after_s: Option<u32>,
    },
    /// Not now: the store is busy or not open. Asking again later may help.
    Unavailable {
        /// Why, for the client.
        reason: String,
    },
    /// A failure that only the operator can act on; the client hears nothing but that.
    Internal {
        /// What failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What a name can mean where deliveries and cases are asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryName {
    /// A message, or its delivery to one endpoint.
    Message,
    /// A receiver.
    Endpoint,
    /// A silence that holds.
    Silence,
    /// A watch.
    Watch,
    /// A case.
    Case,
    /// An alert.
    Alert,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSymbol { name, .. } => write!(f, "'{name}' is no symbol known here"),
            Self::Ambiguous { name, candidates } => {
                let all: Vec<String> = candidates.iter().map(InstrumentName::to_string).collect();
                write!(f, "'{name}' is traded on {} venues: {}; say one", all.len(), all.join(", "))
            }
            Self::UnknownBook { name, known } => {
                write!(f, "no stored rule book is called '{name}'; there are {}", known.join(", "))
            }
            Self::OtherBook { instrument, wanted, known } => {
                match instrument {
                    Some(id) => write!(f, "{id} is")?,
                    None => f.write_str("what is stored is")?,
                }
                let which = if known.contains(wanted) { "this text of " } else { "" };
                write!(f, " computed with rule book {}, not with {which}'{wanted}'", known.join(", "))
            }
            Self::UnknownMetric { name, known } => {
                write!(f, "there is no metric '{name}' here; there are {}", known.join(", "))
            }
            Self::NothingYet { instrument, as_of: None, .. } => write!(
                f,
                "{instrument} has no snapshot: no minute of it has been computed, or its rows were taken back"
            ),
            Self::NothingYet { instrument, as_of: Some(t), first: None } => {
                write!(f, "{instrument} had no snapshot at {t}")
            }
            Self::NothingYet { instrument, as_of: Some(t), first: Some(first) } => {
                write!(f, "{instrument} had no snapshot at {t}; its first was known at {first}")
            }
            Self::NotCompared { newest: Some(t), .. } => {
                write!(f, "correlations end at {t}; ask for a moment up to 2 hours later, or record newer data")
            }
            Self::NotCompared { as_of: None, .. } => f.write_str("no correlations are known yet"),
            Self::NotCompared { as_of: Some(t), .. } => write!(f, "no correlations were known at {t}"),
            Self::NoForecasts { as_of: None } => f.write_str("no forecast is registered yet"),
            Self::NoForecasts { as_of: Some(t) } => write!(f, "no forecast was registered at {t}"),
            Self::NotLive { instrument: Some(id) } => write!(f, "{id} is not recorded live by this process"),
            Self::NotLive { instrument: None } => f.write_str("this process is connected to no venue"),
            Self::NotOffered { metric, venue } => write!(f, "'{}' is not offered by {venue}", metric.name()),
            Self::BadField { reason, .. } | Self::Conflict { reason, .. } | Self::TooMuch { reason, .. } => {
                f.write_str(reason)
            }
            Self::UnknownPosition { id } => write!(f, "no position '{id}' is registered"),
            Self::Unknown { what: DeliveryName::Message, id } => write!(f, "no message '{id}' is stored"),
            Self::Unknown { what: DeliveryName::Endpoint, id } => write!(f, "there is no endpoint '{id}'"),
            Self::Unknown { what: DeliveryName::Silence, id } => write!(f, "no silence '{id}' is active or scheduled"),
            Self::Unknown { what: DeliveryName::Watch, id } => write!(f, "there is no watch '{id}'"),
            Self::Unknown { what: DeliveryName::Case, id } => write!(f, "no case '{id}' is filed"),
            Self::Unknown { what: DeliveryName::Alert, id } => write!(f, "no alert '{id}' is stored"),
            Self::NotDelivering => {
                f.write_str("this process delivers no alerts: it only serves, or no receivers are set up")
            }
            Self::Unavailable { reason } | Self::Away { reason, .. } => f.write_str(reason),
            Self::Internal { source } => write!(f, "the read failed: {source}"),
        }
    }
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Internal { source } => Some(&**source),
            Self::UnknownSymbol { .. }
            | Self::Ambiguous { .. }
            | Self::UnknownBook { .. }
            | Self::OtherBook { .. }
            | Self::UnknownMetric { .. }
            | Self::NothingYet { .. }
            | Self::NotCompared { .. }
            | Self::NoForecasts { .. }
            | Self::NotLive { .. }
            | Self::NotOffered { .. }
            | Self::BadField { .. }
            | Self::TooMuch { .. }
            | Self::UnknownPosition { .. }
            | Self::Unknown { .. }
            | Self::NotDelivering
            | Self::Conflict { .. }
            | Self::Away { .. }
            | Self::Unavailable { .. } => None,
        }
    }
}
