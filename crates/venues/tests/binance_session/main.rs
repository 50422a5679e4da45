//! The Binance sessions against recordings, fixtures and the checklists of their sheets.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests: recordings are files, and a panic is the report"
)]
#![expect(clippy::float_cmp, reason = "numbers have to be the same to the bit")]

mod archiver;
mod captures;
mod checklist_spot;
mod checklist_usdm;
mod decoders;
mod fixtures;
mod halts;
mod history;
mod polls;
mod rig;
mod silent;
mod suite;
