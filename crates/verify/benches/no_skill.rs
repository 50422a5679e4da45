//! A thousand simulated years without skill: how many ever activate. A count, not a speed; its seed is fixed.
//!
//! Prints `figure <name> <number>` lines.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use barograph_verify::scores::no_skill::{Skill, activated, false_activations};

const YEARS: usize = 1_000;
const SEED: u64 = 20_260_101;

fn main() {
    let percent = |years: usize| 100.0 * years as f64 / YEARS as f64;
    println!("figure no_skill_activated_percent {:.1}", percent(false_activations(YEARS, SEED)));
    println!("figure noise_activated_percent {:.1}", percent(activated(YEARS, SEED, Skill::Noise)));
    println!("figure skill_activated_percent {:.1}", percent(activated(YEARS, SEED, Skill::Informed)));
}
