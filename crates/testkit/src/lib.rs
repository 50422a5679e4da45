//! What tests share: where recordings lie, how a test says that it was skipped, how golden vectors are read.
//!
//! Beside the product, for development only: crates name it under `[dev-dependencies]`, and nothing of it is in the program. It
//! leaves out what only one crate's tests need; that stands in their own `support`.

mod calm;
mod golden;
mod recorded;
mod skipped;
mod voice;

pub use calm::{CALM, is_calm};
pub use golden::{GoldenRow, GoldenTable};
pub use recorded::recorded;
pub use skipped::{LIST, skipped, skipped_part};
pub use voice::{Voice, faults, template};
