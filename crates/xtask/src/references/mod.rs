//! `cargo x gen`: references made from the code, so that a changed promise shows up as a changed file.
//!
//! Each reference is a file in the repository and a function that gives its text, from the present one where only a part of it
//! is written. `gen` writes what differs; `gen --check` writes nothing, shows where a file differs and says no.

mod board;
mod columns;
mod diff;
mod features;
mod pages;
mod rules;

use crate::{Args, Failure, tree};

type Make = fn(present: &str) -> String;

const REFERENCES: [(&str, Make); 7] = [
    ("crates/api/openapi.json", |_| openapi()),
    ("crates/api/src/routes/views.rs", |_| pages::module()),
    ("docs/board.md", board::document),
    ("docs/columns.md", |_| columns::document()),
    ("docs/features.md", |_| features::document()),
    ("docs/rules.md", rules::document),
    ("web/src/board/columns.ts", |_| board::module()),
];

pub(crate) fn run(mut args: Args) -> Result<(), Failure> {
    let check = args.flag("--check");
    args.finish()?;
    let root = tree::root();
    let mut stale = 0;
    for (name, make) in REFERENCES {
        let path = root.join(name);
        let present = std::fs::read_to_string(&path).unwrap_or_default();
        let fresh = make(&present);
        if present == fresh {
            println!("{name}: up to date");
        } else if check {
            stale += 1;
            println!("{name}: differs from the code; `cargo x gen` writes it anew");
            print!("{}", diff::lines(&present, &fresh));
        } else {
            std::fs::write(&path, fresh).map_err(|e| format!("cannot write {name}: {e}"))?;
            println!("{name}: written");
        }
    }
    if stale == 0 { Ok(()) } else { Err(Failure::Refused) }
}

fn openapi() -> String {
    let mut text = barograph_api::openapi_json();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
