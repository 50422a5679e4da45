//! Watches: a condition on one market that somebody wants to hear of once it turns. What is asked for, and what became of it.

use barograph_domain::whatif::SignalMinutes;
use barograph_domain::{InstrumentName, Ts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A watch somebody asks for; it begins at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWatch {
    /// `venue:symbol`, or a bare symbol where only one instrument answers to it.
    #[schema(example = "binance-usdm:BTCUSDT")]
    pub market: String,
    /// `AXIS leaves LABEL`, `AXIS becomes LABEL`, `AXIS changes`, or a feature, `price` or a number of a signal that is `below`, `above` or
    /// `crosses` a number. A signal is named as in `when` of a what-if: `x.mood above 0.6`, or with its source and age
    /// `signal x.mood from news within 2h; x.mood.z_7d above 2`.
    #[schema(example = "realized_vol_1h below 72 %")]
    pub when: String,
    /// `true`: every time it turns. `false`, the usual: once.
    #[serde(default)]
    pub repeat: bool,
    /// What the reader is to be reminded of, sent with the message.
    #[serde(default)]
    pub note: Option<String>,
    /// Names of the receivers that are to hear of it; none: all.
    #[serde(default)]
    pub to: Vec<String>,
}

/// A watch as it is kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserWatch {
    /// Its id.
    pub id: String,
    /// Which market.
    #[schema(value_type = String)]
    pub instrument: InstrumentName,
    /// The condition, as it can be asked for again.
    pub when: String,
    /// The condition as people read it.
    pub words: String,
    /// Every time it turns; else once.
    pub repeat: bool,
    /// What the reader is to be reminded of.
    pub note: Option<String>,
    /// Names of the receivers that are to hear of it; none: all.
    pub to: Vec<String>,
    /// When it was asked for. Minutes before are not judged.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When it came true for the last time and ended; null while it goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Ts>,
    /// How often it came true.
    pub turns: u32,
    /// The newest times it came true, newest first.
    pub fired: Vec<WatchChange>,
}

/// One time a watch came true.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WatchChange {
    /// The minute.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Ts,
    /// When that minute was published.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Ts,
    /// What happened, in at most 60 characters.
    pub title: String,
    /// The same with its numbers.
    pub text: String,
    /// Most important thing of everything known in that minute; empty where its row was not at hand.
    pub headline: String,
    /// What that minute means for new entries.
    pub new_entries: String,
    /// What it means for open positions.
    pub open_positions: String,
}

/// A watch, and where its condition is now.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct WatchView {
    /// What was asked for.
    pub watch: UserWatch,
    /// Where it stands, such as `1 h volatility is 124 %`; null while there is no reading, and for one that has ended.
    pub now: Option<String>,
    /// Why a watch on a signal has no reading, such as `no value of x.mood is known yet`; null where it has one, and for all others.
    pub why_not_now: Option<String>,
    /// The newest minute that was judged; null before the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub judged: Option<Ts>,
}

/// How often a condition came true within the newest 30 days that are stored: what a watch of it would have been.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct WatchPast {
    /// Which market.
    #[schema(value_type = String)]
    pub instrument: InstrumentName,
    /// The condition, as it can be asked for.
    pub when: String,
    /// The condition as people read it.
    pub words: String,
    /// The first minute with a reading; null where there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Ts>,
    /// The newest minute with a reading; null where there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Ts>,
    /// Published minutes with a reading.
    pub minutes: u64,
    /// How often it came true between two of them.
    pub turns: u64,
    /// The newest minutes it came true in, newest first, at most ten.
    #[schema(value_type = Vec<String>)]
    pub recent: Vec<Ts>,
    /// For a condition on a signal, the values that those minutes could know of, by scope and source, and of how many it is assumed or stated
    /// since when they were known; empty for all others.
    pub signals: Vec<SignalMinutes>,
    /// What the newest of these values are in; null where that is not known.
    pub unit: Option<String>,
}

/// Watches, and whether this process judges them.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Watches {
    /// Those that go on, then those that have ended; newest first.
    pub items: Vec<WatchView>,
    /// This process judges them, and can be asked for more.
    pub judged_here: bool,
    /// Where it does not: why, and what to do.
    pub why_not: Option<String>,
    /// Most that go on at a time.
    pub most: usize,
}
