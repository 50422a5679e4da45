//! What the core receives: the same things a session takes as input, with the venue they belong to.

use barograph_venues::session::{CloseReason, ConnId, FailReason, LinkId, RequestId};
use bytes::Bytes;

/// Number of a venue, as given by [`crate::Net::add_venue`].
pub type VenueIndex = u8;

/// One thing that happened on the network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// A connection is open.
    Opened {
        /// Venue that it concerns.
        venue: VenueIndex,
        /// Which wanted connection.
        link: LinkId,
        /// This instance of it.
        conn: ConnId,
        /// Its address.
        url: String,
    },
    /// A connection is gone. Comes exactly once for every `Opened`, after its last frame.
    Closed {
        /// Venue that it concerns.
        venue: VenueIndex,
        /// Which instance.
        conn: ConnId,
        /// Reason of the closing, as the session and the journal have it.
        reason: CloseReason,
        /// The same for people: close code, error text.
        detail: String,
    },
    /// A whole text or binary message.
    Frame {
        /// Venue that it concerns.
        venue: VenueIndex,
        /// On which connection.
        conn: ConnId,
        /// The untouched payload, decompressed.
        bytes: Bytes,
    },
    /// The answer to a request.
    Reply {
        /// Venue that it concerns.
        venue: VenueIndex,
        /// To which request.
        request: RequestId,
        /// HTTP status.
        status: u16,
        /// The body, decompressed.
        body: Bytes,
    },
    /// A request that got no answer and will not be tried again.
    Failed {
        /// Venue that it concerns.
        venue: VenueIndex,
        /// Which request.
        request: RequestId,
        /// Reason of the failure, as the session and the journal have it.
        reason: FailReason,
        /// The same for people.
        detail: String,
    },
}

impl Incoming {
    /// Bytes of payload it holds, for the bound of the inbox.
    #[must_use]
    pub const fn payload_bytes(&self) -> usize {
        match self {
            Self::Frame { bytes, .. } | Self::Reply { body: bytes, .. } => bytes.len(),
            Self::Opened { .. } | Self::Closed { .. } | Self::Failed { .. } => 0,
        }
    }
}
