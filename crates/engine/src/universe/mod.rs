//! Between the markets: correlation, who leads, and the portfolio as one (features §5, §6; regimes §13; R4.23–R4.27, R1.94, R1.95).
//!
//! [`Universe`] is fed one [`UniverseSample`] per market and minute, made from minute rows, and gives one row per whole hour. Samples of
//! a minute may come in any order; the row of an hour uses what was known 200 ms after it. Correlations read hourly returns,
//! lead and lag read one-minute returns; both are returns of the row's price (mark, else last), so a minute without a price has no
//! return and nothing is filled over it.
//!
//! Returns are kept once per market and shared by all its pairs; what a pair keeps beside them is derived and made again on restore,
//! bit for bit, except its bands and past states, which were published. A watch-list of 12 markets (66 pairs) is the most: about
//! 0.3 MB per market and 0.2 MB per pair.
//!
//! Absent on purpose: lags of one second and `book_divergence`, because rows have no seconds and no book.

mod hour;
mod leaders;
mod pair;
mod portfolio;
mod returns;
mod state;
mod watch;

pub use pair::PairRule;
pub use portfolio::{Asset, portfolio};
pub use state::{RestoreError, Universe, UniverseSample};
pub use watch::{WATCH_MAX, Watch, default_watch, ordered};
