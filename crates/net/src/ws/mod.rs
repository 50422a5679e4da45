//! The client's half of WebSocket (RFC 6455) with permessage-deflate (RFC 7692), as state machines over bytes.
//!
//! Left out on purpose: compressing what we send (a few subscriptions), fragmenting it, and checking that text is UTF-8:
//! the payload is journalled as it came, and a decoder that cannot read it says so with the evidence at hand.
//!
//! Why not a library: of the maintained ones that run on tokio, `tungstenite` 0.30 and `fastwebsockets` 0.10 have no
//! permessage-deflate; `yawc` 0.5 has it and brings 60 further crates, among them a second SHA-1, a second random
//! generator and the Unicode tables of `url`, and reports a refused handshake without its headers, of which `Retry-After`
//! is needed here.

pub(crate) mod deflate;
pub(crate) mod handshake;
pub(crate) mod read;
pub(crate) mod write;
