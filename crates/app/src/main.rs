//! The `barograph` binary: configuration, wiring and subcommands.
//!
//! Nothing is computed here. Commands read files through `lake`, step the `engine`, keep rows in the `store` and show them on
//! the terminal or through `api`. Exit codes: 0 fine, 1 the check said no, 2 usage or configuration, 3 failure at run time.

mod advice;
#[cfg(feature = "mcp")]
mod agent_sessions;
mod builtin;
mod cases;
mod causality;
mod cli;
mod clock;
#[cfg(feature = "cluster")]
mod cluster;
mod commands;
mod config;
#[cfg_attr(not(feature = "lab"), path = "contest_absent.rs")]
mod contest;
mod determinism;
mod failure;
mod http;
mod ingest;
mod input;
mod json_lines;
mod kpi;
#[cfg(feature = "lab")]
mod lab;
mod ledger;
mod narrative_log;
mod network_folder;
#[cfg_attr(
    not(any(feature = "lab", feature = "cluster")),
    expect(dead_code, reason = "the lake's copies are the first to go there")
)]
mod objects;
mod paper;
mod positions;
mod progress;
mod reload;
mod report;
mod role;
mod run;
mod scores;
#[cfg(test)]
mod sentences;
mod setup;
mod signal_words;
mod term;
mod tokens;
mod truth;
mod universe;
mod views;
mod watch;
mod wiring;

use barograph_domain::Ts;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use failure::Failure;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Commands of the originals that packages install as names of the program: links, and entry points of the container image.
const NAMES: [&str; 4] =
    ["collect_derivatives_metrics", "generate_market_context", "monitor_context_freshness", "analyze_futures_market"];

fn main() -> ExitCode {
    let typed = typed(std::env::args_os());
    let matches = cli::Cli::command().try_get_matches_from(&typed);
    let read = matches.and_then(|matches| Ok((cli::Cli::from_arg_matches(&matches)?, moment(&matches))));
    let (cli, asked) = match read {
        Ok(read) => read,
        Err(refused) => {
            return failure::of_command_line(&refused, typed.into_iter())
                .map_or_else(Failure::report, |()| ExitCode::SUCCESS);
        }
    };
    match commands::run(cli, asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What was typed; where the program's own name is one of [`NAMES`], as if its command had been typed.
fn typed(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut typed: Vec<OsString> = args.collect();
    let name = typed.first().and_then(|first| Path::new(first).file_name()).map(|name| name.to_string_lossy());
    let command = name.and_then(|name| NAMES.into_iter().find(|known| *known == name.replace('-', "_")));
    if let Some(command) = command {
        typed.splice(..1, ["barograph".into(), command.into()]);
    }
    typed
}

/// The moment that any command is asked about.
fn moment(matches: &ArgMatches) -> Option<Ts> {
    let here = matches.try_get_one::<Ts>("as_of").ok().flatten().copied();
    here.or_else(|| moment(matches.subcommand()?.1))
}
