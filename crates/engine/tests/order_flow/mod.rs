//! Order flow from outside: the accounting against orders. Detectors against injected truth are tested in `barograph-verify`.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "recorded numbers of known size, and what was measured for who reads it"
)]

mod orders;
