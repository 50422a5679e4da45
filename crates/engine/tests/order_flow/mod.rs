//! Order flow from outside: the accounting against orders, the detectors against injected truth, restore, split, memory.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "made numbers of known size, helpers outside of tests, and what was measured for who reads it"
)]

mod cases;
mod injected;
pub(crate) mod market;
mod orders;
mod restore;
mod sparse;
mod texts;
pub(crate) mod truth;

use barograph_domain::Ts;

/// A Monday at midnight.
pub(crate) const START: Ts = Ts(1_767_571_200_000_000_000);
