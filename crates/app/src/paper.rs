//! Paper trading (R2.44–R2.47): the strategy of `kpi` followed live at a running process, every decision logged with its outcome.
//!
//! No order exists anywhere: a decision is a line in a file. [`log`] writes that file, [`watcher`] asks the API and decides; what a
//! week amounts to says `barograph_query::paper`, here it is printed. Bars, advice and snapshots are the process's; strategy and fills are the engine's, the same as over files.

pub(crate) mod log;
pub(crate) mod review_print;
pub(crate) mod watcher;
