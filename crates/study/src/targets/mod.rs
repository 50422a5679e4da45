//! What is to be predicted at a row (research §1): the number, and from when to when it takes to become known.
//!
//! A [`Labeller`] reads a [`ResearchFrame`](crate::ResearchFrame) and gives [`LabelledRows`]: only rows that have a label, each with its span. A row has
//! none where the book could not be used at the row, at the end of the span or anywhere between, where a second is missing, or where the
//! data ends first. The specification allows a mid one second old; rows are a second apart and carry the book as it stands then, so
//! the mid of a row is that row's, and no other row's is taken in its place. Events of the ledger (`risk_event_*`) are labelled by
//! `verify`, not here.

mod id;
mod labelled;
mod labeller;
mod span;
mod terciles;
mod window;

pub use id::{ReturnHorizon, TargetId, TargetKind, UnknownTarget};
pub use labelled::{LabelledRows, Unlabelled, ZeroShare};
pub use labeller::{Labeller, TargetError};
pub use span::{LabelSpan, LabelSpans, SpanError};
pub use terciles::{VolTercile, VolTerciles};
