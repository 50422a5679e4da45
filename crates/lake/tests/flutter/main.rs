//! How often labels change, and what that costs: the default book over everything recorded.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a measurement that people read"
)]

mod books;
mod choose;
mod events;
mod replay;
mod report;
mod runs;
mod sets;
