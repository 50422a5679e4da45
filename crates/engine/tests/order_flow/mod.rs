//! Order flow from outside: the accounting against orders. Detectors against injected truth are tested in `barograph-verify`.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "made numbers of known size, helpers outside of tests, and what was measured for who reads it"
)]

mod orders;
