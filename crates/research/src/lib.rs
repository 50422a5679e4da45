//! The lab's machine: recordings into the lake, data sets into models, models into boards.
//!
//! Ring 3: it reads and writes files, and joins what is pure (`columns`, `study`, `lab`) with what holds them (`lake`). It knows no
//! command line and no terminal; what takes long says how far it is through a function it is given.
#![warn(missing_docs)]

mod books;
mod clock;
pub mod dataset;
mod due;
mod error;
pub mod execution;
pub mod goals;
pub mod leadlag;
mod load;
mod pair;
mod parts;
mod prices;
pub mod signal_columns;
pub mod simulation;
pub mod train;
mod typed;

pub use error::ResearchError;
pub use load::{LoadedRows, load};
pub use pair::{LoadedPair, load_pair};
pub use typed::{placed, shell_word};
