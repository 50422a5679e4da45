//! `token` as written.

use clap::{Subcommand, ValueEnum};

/// What to do with access tokens.
#[derive(Subcommand, Debug)]
pub(crate) enum Token {
    /// Make a token and print it, once
    Add {
        /// Name by which it is listed and revoked
        name: String,
        /// What it allows: read, or operate as well (positions, silences, deliveries)
        #[arg(long, value_enum)]
        role: TokenRole,
    },
    /// List the tokens; what they are is not stored
    Ls,
    /// Refuse a token from now on
    Revoke {
        /// Its name
        name: String,
    },
}

/// What a token allows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TokenRole {
    /// Reads only
    Read,
    /// Reads, and what changes something
    Operate,
}
