//! Developer commands, run as `cargo x <command>` from anywhere in the workspace.
//!
//! `tidy` checks the house, `synth` writes a made-up market in an exchange's archive format, `gen` writes the generated
//! references (or checks them), `bench` measures what is promised and prints it beside its limits, `mutants` makes the code
//! wrong in many places and asks whether the tests notice. Everything here is for people who work on barograph; nothing of it
//! ships. Exit codes are those of the product: 0 fine, 1 the check said no, 2 usage, 3 failure.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod args;
mod bench;
#[cfg(feature = "mutants")]
mod mutants;
#[cfg(feature = "gen")]
mod references;
mod synth;
mod tidy;
mod tree;

use args::Args;
use std::process::ExitCode;

/// Why a command ended without success.
#[derive(Debug)]
enum Failure {
    /// The check ran and said no; what it found has been printed.
    Refused,
    /// The command line was wrong.
    Usage(String),
    /// Something else went wrong.
    Runtime(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Runtime(text)
    }
}

const USAGE: &str = "\
usage: cargo x <command>

  tidy                     checks crate edges, lints, file sizes, test data, words, links and what refers to docs/spec
  synth --out DIR          writes a synthetic year of minutes in the Binance archive layout
        [--seed N] [--days 365] [--from 2025-01-01] [--symbol SYNTHUSDT] [--plain]
  gen [--check]            writes the generated references, or shows where they differ
  bench [--write] [NAME…]  measures and prints each figure beside its limit in bench/targets.toml; ends with 1 where one
                           is missed by more than a tenth; --write puts what was measured into the table of docs/trust.md
  mutants [--seed 1] [--count 100] [--only CRATE] [--own] [--list] [ID…]
                           makes the code of engine, venues, store and notify wrong in so many places, one at a time, and
                           ends with 1 where the tests notice less than 95 in 100; --own asks the tests of the same crate
                           only, --list shows the draw, an ID (engine-7) chooses from it
";

const COMMANDS: [&str; 5] = ["tidy", "synth", "gen", "bench", "mutants"];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let result = run(&command, Args::new(words));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused) => ExitCode::from(1),
        Err(Failure::Usage(text)) => {
            eprintln!("error: {text}");
            ExitCode::from(2)
        }
        Err(Failure::Runtime(text)) => {
            eprintln!("error: {text}");
            ExitCode::from(3)
        }
    }
}

fn run(command: &str, args: Args) -> Result<(), Failure> {
    match command {
        "tidy" => tidy::run(args),
        "synth" => synth::run(args),
        "gen" => generate(args),
        "bench" => bench::run(args),
        "mutants" => mutate(args),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(Failure::Usage(format!("unknown command '{other}'{}", args::did_you_mean(other, &COMMANDS)))),
    }
}

#[cfg(feature = "gen")]
fn generate(args: Args) -> Result<(), Failure> {
    references::run(args)
}

#[cfg(not(feature = "gen"))]
fn generate(args: Args) -> Result<(), Failure> {
    again("gen", args)
}

#[cfg(feature = "mutants")]
fn mutate(args: Args) -> Result<(), Failure> {
    mutants::run(args)
}

#[cfg(not(feature = "mutants"))]
fn mutate(args: Args) -> Result<(), Failure> {
    again("mutants", args)
}

/// Without its feature the crates behind a command are not linked: start again with it. Both have the same name.
#[cfg(not(all(feature = "gen", feature = "mutants")))]
fn again(command: &str, args: Args) -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .current_dir(tree::root())
        .args(["run", "--quiet", "--package", "xtask", "--features", command, "--", command])
        .args(args.rest())
        .status()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(Failure::Refused),
        Some(2) => Err(Failure::Usage(format!("'{command}' refused its arguments"))),
        _ => Err(Failure::Runtime(format!("building or running '{command}' failed: {status}"))),
    }
}
