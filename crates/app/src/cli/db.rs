//! The database: schema, retention, damage, and taking files back.

use super::DeclaredArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum Db {
    /// Create the database or bring it to this version's schema
    Migrate {
        /// A PostgreSQL server, as with --db-url
        #[arg(value_name = "URL")]
        url: Option<String>,
    },
    /// Remove what is older than it has to be kept
    Prune {
        /// Days that minute rows are kept; older ones are thinned to five minutes and label changes
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(crate::config::KEEP_DAYS_MAX)))]
        days: Option<u32>,
    },
    /// Look for damage
    Check {
        /// Also print a hash over all content
        #[arg(long)]
        hash: bool,
    },
    /// Take back the rows of a file from now on; answers as of earlier moments stay
    Forget(Forget),
}

#[derive(Args, Debug)]
pub(crate) struct Forget {
    /// The file or folder as it was imported; its rows are found by reading it again
    ///
    /// The database does not know which file a row came from: what another file said alike is taken back too, unless that file
    /// is named with --keep.
    #[arg(long = "source", value_name = "FILE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// A file or folder that stays: rows it says alike stay too
    #[arg(long = "keep", value_name = "FILE")]
    pub(crate) keep: Vec<PathBuf>,
    /// Only say what would be touched
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) declared: DeclaredArgs,
}
