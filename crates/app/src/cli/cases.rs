//! Arguments of `cases`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Cases, or what is done with one.
#[derive(Args, Debug)]
pub(crate) struct CasesArgs {
    /// Only in this state: open, acknowledged or closed
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// At most so many, those filed last
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) limit: u32,
    #[command(subcommand)]
    pub(crate) command: Option<CasesCommand>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum CasesCommand {
    /// File a case from one alert or several that belong together
    File {
        /// Ids of alerts, or the beginning of each, as `events --long` shows them
        #[arg(required = true, value_name = "EVENT_ID")]
        events: Vec<String>,
        #[command(flatten)]
        words: EntryWords,
    },
    /// One case: evidence, entries, what came of it
    Show {
        /// Its id, or the beginning of it
        id: String,
    },
    /// Add a note
    Note {
        /// Its id, or the beginning of it
        id: String,
        /// The note
        text: String,
        #[command(flatten)]
        by: EntryAuthor,
    },
    /// Say that you are looking into it
    Ack {
        /// Its id, or the beginning of it
        id: String,
        #[command(flatten)]
        words: EntryWords,
    },
    /// Close it as true, false or unclear
    Close {
        /// Its id, or the beginning of it
        id: String,
        /// true: the pattern was there; false: it was something else; unclear: the evidence does not decide it
        disposition: String,
        #[command(flatten)]
        words: EntryWords,
    },
    /// A case as a document: JSON with its attachments, or a page to print
    Export {
        /// Its id, or the beginning of it
        id: String,
        /// json or html
        #[arg(long, default_value = "json")]
        format: String,
        /// Into this file; without it on standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Books and trades around its alerts, step by step
    Replay {
        /// Its id, or the beginning of it
        id: String,
        /// Books of each alert
        #[arg(long, default_value = "20", value_parser = clap::value_parser!(u32).range(1..=200))]
        books: u32,
        /// Trades of each alert
        #[arg(long, default_value = "200", value_parser = clap::value_parser!(u32).range(1..=2_000))]
        trades: u32,
    },
    /// Keep the books and trades around its alerts that the journal still has, however long playing it takes
    Record {
        /// Its id, or the beginning of it
        id: String,
    },
}

/// Who writes an entry.
#[derive(Args, Debug, Clone)]
pub(crate) struct EntryAuthor {
    /// Your name, kept with the entry; without it the name you are logged in by
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
}

/// Who writes an entry, and words to it.
#[derive(Args, Debug, Clone)]
pub(crate) struct EntryWords {
    /// Words to it
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) by: EntryAuthor,
}
