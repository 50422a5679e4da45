//! Tests of the lake from outside, as one program: twelve would link the same crates as often.

#[path = "archives/main.rs"]
mod archives;
mod common;
#[path = "flutter/main.rs"]
mod flutter;
mod formats;
mod frames;
mod fuzz;
#[path = "journal/main.rs"]
mod journal;
#[path = "layers/main.rs"]
mod layers;
mod order;
mod real;
mod recorded;
mod rejections;
mod typed;
