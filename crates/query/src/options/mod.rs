//! Options: asked for at the venue, kept as values that stand beside with the moment they were known, read as of a moment (R4.66).
//!
//! [`fetch`] asks, [`record`] turns answers into values of the program's own names (`deribit.…`), [`view`] reads them. What the numbers
//! are is `barograph_engine::options`. They enter no label, alert or forecast.

mod fetch;
mod record;
mod view;

pub use fetch::{FetchedOptions, OptionsSource};
pub(crate) use record::is_of_expiry;
pub use record::{OptionPoints, points};
pub(crate) use view::{MISSING, absent, age_s};
pub use view::{RealizedVol, options};
