//! Gaussian hidden Markov model: parameters, the causal filter, and the fit on a window of the past (regimes §11).
//!
//! The fit sees its whole window and leaves parameters only; the filter sees the past only and leaves what is shown.

pub mod em;
pub mod filter;
pub mod fit;
pub mod params;
pub mod window;

pub use filter::HmmFilter;
pub use fit::{FitError, Fitted, fit};
pub use params::{HmmParams, Raw, stationary};
pub use window::Window;
