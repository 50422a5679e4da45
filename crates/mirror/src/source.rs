//! What a mirror asks of the program around it, and the keys under which the answers are written.

use barograph_domain::{InstrumentName, Ts};
use bytes::Bytes;
use core::time::Duration;

/// The key of a market's newest snapshot. `v1` is the version of the layout of keys and of what is in them.
#[must_use]
pub fn snapshot_key(instrument: &InstrumentName) -> String {
    format!("barograph:v1:snapshot:{instrument}")
}

/// The key of a market's row of the board.
#[must_use]
pub fn board_key(instrument: &InstrumentName) -> String {
    format!("barograph:v1:board:{instrument}")
}

/// A text to be written, and for how long it can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mirrored {
    /// One JSON document in UTF-8, whole.
    pub json: Bytes,
    /// From the moment it is written; at least a millisecond.
    pub for_time: Duration,
}

/// What there is to be mirrored. Asked on the mirror's own thread; answers come from memory.
pub trait MirrorSource: Send {
    /// Each market that is listened to and whose newest minute is not too old to be shown, with that minute.
    fn newest(&self) -> Vec<(InstrumentName, Ts)>;

    /// The snapshot of a market's newest minute; `None` where that has become too old meanwhile.
    fn snapshot(&self, instrument: &InstrumentName) -> Option<Mirrored>;

    /// The rows of the board of these markets, as JSON.
    fn rows(&self, of: &[InstrumentName]) -> Vec<(InstrumentName, Bytes)>;

    /// The present moment, by the clock of the markets.
    fn now(&self) -> Ts;

    /// Who writes, by what logic, and when: the JSON of [`crate::VERSION_KEY`].
    fn version(&self) -> Bytes;
}
