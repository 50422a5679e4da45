//! What goes into a session.

use crate::session::{ConnId, LinkId, MarketSpec, RequestId};
use serde::{Deserialize, Serialize};

/// One input. All of them are journalled, so that a session can be run again.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A connection of this link is open: subscribe now.
    Opened {
        /// Which wanted connection.
        link: LinkId,
        /// This instance of it; never used twice in one process.
        conn: ConnId,
    },
    /// A connection is gone.
    Closed {
        /// Which instance.
        conn: ConnId,
        /// Reason of the closing.
        reason: CloseReason,
    },
    /// A text or binary message, whole.
    Frame {
        /// On which connection.
        conn: ConnId,
        /// The untouched payload.
        bytes: &'a [u8],
    },
    /// The answer to a request, whatever its status.
    Reply {
        /// Which request.
        request: RequestId,
        /// HTTP status.
        status: u16,
        /// The untouched body.
        body: &'a [u8],
    },
    /// A request that got no answer and will not be tried again by the driver.
    Failed {
        /// Which request.
        request: RequestId,
        /// Reason of the failure.
        reason: FailReason,
    },
    /// Time passed; about once a second.
    Tick,
    /// The complete new list of wanted markets (hot change). Markets already known keep their index; new ones are appended
    /// in this order.
    Markets(&'a [MarketSpec]),
}

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The venue closed it.
    ByVenue,
    /// The network failed, or a frame could not be read off the wire.
    Network,
    /// Nothing arrived although pings were sent.
    Dead,
    /// A newer instance of the same link has taken over (planned rotation).
    Replaced,
    /// The session asked for it.
    Asked,
    /// The program stops.
    Stopping,
}

/// Why a request got no answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// No complete answer in time.
    Timeout,
    /// No connection to the venue.
    Network,
    /// The venue refuses requests for now (429, 418, ban); the driver waits as long as the venue said.
    Refused,
    /// The venue is not available from here (451), or the address is wrong: asking again is no use.
    Forbidden,
    /// Dropped by the driver: the queue of its priority was full, or the program stops.
    Dropped,
}
