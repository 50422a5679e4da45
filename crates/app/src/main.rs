//! The `barograph` binary: configuration, wiring and subcommands.
//!
//! Nothing is computed here. Commands read files through `lake`, step the `engine`, keep rows in the `store` and show them on
//! the terminal or through `api`. Exit codes: 0 fine, 1 the check said no, 2 usage or configuration, 3 failure at run time.

mod advice;
mod builtin;
mod causality;
mod cli;
mod clock;
mod commands;
mod config;
mod contest;
mod determinism;
mod failure;
mod http;
mod ingest;
mod input;
mod json_lines;
mod kpi;
mod lab;
mod ledger;
mod paper;
mod positions;
mod progress;
mod reload;
mod report;
mod run;
mod scores;
#[cfg(test)]
mod sentences;
mod setup;
mod term;
mod tokens;
mod universe;
mod views;
mod watch;
mod wiring;

use clap::Parser as _;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => {
            return failure::of_command_line(&refused, std::env::args_os())
                .map_or_else(Failure::report, |()| ExitCode::SUCCESS);
        }
    };
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
