//! `rules`: show and check rule books.

use crate::cli::Rules;
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::{book_text, configured_book};
use barograph_engine::rules::Book;
use barograph_live::setup::Setup;
use std::io::Write as _;

pub(crate) fn run(command: &Rules, settings: &Settings, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match command {
        Rules::Show { book } => {
            let text = match book {
                Some(name) => book_text(name)?.1,
                None => configured_book(settings)?.1,
            };
            if json {
                let value = serde_json::json!({ "text": text });
                writeln!(out, "{value}")?;
            } else {
                write!(out, "{text}")?;
            }
        }
        Rules::Check { book } => {
            let (file, text) = book_text(book)?;
            let parsed = Book::parse(&file, &text).map_err(Failure::usage)?;
            let setup = Setup::of(parsed, text, barograph_venues::policy::text());
            let features: Vec<&str> = setup.book.features().iter().map(|f| f.id()).collect();
            if json {
                let value = serde_json::json!({ "book": setup.book.name, "rules": setup.book.rules().len(), "features": features, "logic_version": setup.logic_version });
                writeln!(out, "{value}")?;
            } else {
                writeln!(
                    out,
                    "{file} is sound: book '{}', {} rules over {}",
                    setup.book.name,
                    setup.book.rules().len(),
                    features.join(", ")
                )?;
                writeln!(out, "logic version {}", setup.logic_version)?;
            }
        }
    }
    Ok(())
}
