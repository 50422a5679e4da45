//! `rules`: show and check rule books, and replay changed ones over what is stored.

mod whatif;

use crate::cli::Rules;
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::{book_text, configured_book};
use crate::term::{fold, number_of};
use barograph_engine::rules::RuleBook;
use barograph_live::setup::Setup;
use std::io::Write as _;

pub(crate) fn run(command: &Rules, settings: &Settings, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match command {
        Rules::Whatif(args) => {
            drop(out);
            return whatif::run(args, settings, json);
        }
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
            let parsed = RuleBook::parse(&file, &text).map_err(Failure::usage)?;
            let setup = Setup::of(parsed, text, barograph_venues::policy::text());
            let alerts: Vec<&str> = setup.book.alerts().iter().map(|a| a.id.as_str()).collect();
            let features: Vec<&str> = setup.book.features().iter().map(|f| f.id()).collect();
            if json {
                let value = serde_json::json!({ "book": setup.book.name, "rules": setup.book.rules().len(), "alert_rules": alerts, "postures": setup.book.postures().len(), "features": features, "logic_version": setup.logic_version });
                writeln!(out, "{value}")?;
            } else {
                let sound = format!(
                    "{file} is sound: book '{}', {} over {}",
                    setup.book.name,
                    number_of(setup.book.rules().len(), "rule"),
                    features.join(", ")
                );
                writeln!(out, "{}", fold(&sound, 80, ""))?;
                writeln!(out, "{}", beside(&setup.book, &alerts))?;
                writeln!(out, "logic version {}", setup.logic_version)?;
            }
        }
    }
    Ok(())
}

/// What else was read and is sound: rules of one's own, and the posture table.
fn beside(book: &RuleBook, alerts: &[&str]) -> String {
    let own = match alerts {
        [] => "no alert rules of your own".to_owned(),
        names => format!("{}: {}", number_of(names.len(), "alert rule"), names.join(", ")),
    };
    let postures = match book.postures().len() {
        0 => "no posture table".to_owned(),
        n => format!("posture table of {}", number_of(n, "row")),
    };
    format!("{own}; {postures}")
}
