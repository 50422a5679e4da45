//! Chooses one mutant after the other and runs the tests that reach it.
//!
//! First every test program runs once with none chosen: it has to pass, says how long it takes, and notes which mutants it reaches.
//! A mutant then meets the programs that reach it only, the shortest first, up to the first failure.

use super::build::Program;
use super::copy::Beds;
use super::product::Mutant;
use super::programs::{self, Ended};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A test program, how long it takes, and the mutants it reaches.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    program: Program,
    took: Duration,
    reaches: BTreeSet<u32>,
}

/// What the tests said of a mutant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// This program noticed it, by this test.
    Killed(String, String),
    /// This program did not come to its end.
    TimedOut(String),
    /// These many programs ran it and passed.
    Survived(usize),
}

/// No program takes this long by itself.
const WHOLE_LIMIT: Duration = Duration::from_secs(3_600);
/// A mutant may take four times as long as the original, and this much more: machines are not always equally fast.
const GRACE: Duration = Duration::from_secs(30);

/// A folder for temporary files: short, as names of sockets have to be.
pub(super) fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("barograph-mutants-{}", std::process::id()))
}

/// Runs each program with no mutant chosen.
pub(super) fn first_runs(beds: &Beds, scratch: &Path, programs: Vec<Program>) -> Result<Vec<Tried>, String> {
    let mut tried = Vec::new();
    for program in programs {
        choose(beds, "note")?;
        write(&beds.reached, "")?;
        let took = match programs::run(&program, scratch, WHOLE_LIMIT)? {
            Ended::Passed(took) => took,
            Ended::Failed(test) => return Err(format!("{} fails by itself: {test}", program.name)),
            Ended::TimedOut => return Err(format!("{} takes longer than an hour by itself", program.name)),
        };
        let reached =
            std::fs::read_to_string(&beds.reached).map_err(|e| format!("cannot read what was reached: {e}"))?;
        let reaches: BTreeSet<u32> = reached.lines().filter_map(|l| l.parse().ok()).collect();
        eprintln!("{:<32} {:>6.1} s, reaches {}", program.name, took.as_secs_f64(), reaches.len());
        tried.push(Tried { program, took, reaches });
    }
    tried.sort_by_key(|t| t.took);
    Ok(tried)
}

/// Runs the programs that reach this mutant with it chosen.
pub(super) fn outcome(beds: &Beds, scratch: &Path, tried: &[Tried], mutant: &Mutant) -> Result<Outcome, String> {
    choose(beds, &mutant.number.to_string())?;
    let mut passed = 0;
    for t in tried.iter().filter(|t| t.reaches.contains(&mutant.number)) {
        let name = t.program.name.clone();
        match programs::run(&t.program, scratch, t.took * 4 + GRACE)? {
            Ended::Passed(_) => passed += 1,
            Ended::Failed(test) => return Ok(Outcome::Killed(name, test)),
            Ended::TimedOut => return Ok(Outcome::TimedOut(name)),
        }
    }
    Ok(Outcome::Survived(passed))
}

fn choose(beds: &Beds, what: &str) -> Result<(), String> {
    write(&beds.chosen, what)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
