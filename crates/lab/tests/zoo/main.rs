//! What every model of the zoo owes: it finds what was planted, the control does not, the same rows give the same bits, and a model that
//! was kept and read back predicts as before. And of what explains it: parts add up, and name the columns that were planted.

#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "helpers of tests may panic")]

mod explained;
mod models;
mod ranked;
mod world;
