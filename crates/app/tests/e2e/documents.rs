//! Commands that README.md and the documents print: each is one that the program has, with the flags that it has. What they do is
//! tested where they belong; a document that names a flag that is gone fails here.

use crate::support::Place;
use std::path::{Path, PathBuf};

/// README.md and the documents for readers; decisions and the specification speak of commands that were.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![root.join("README.md")];
    for folder in ["docs", "docs/lab", "docs/scorecard"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Lines of fenced blocks that begin with the program's name, what continues them joined, without comment, pipe and what is left out.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in text.split("```").skip(1).step_by(2) {
        let joined = block.replace("\\\n", " ");
        for line in joined.lines().map(|line| line.trim_start_matches("$ ")) {
            let Some(rest) = line.strip_prefix("barograph ") else { continue };
            let end = [" #", " |", " >", " &", " &&", "; "].iter().filter_map(|mark| rest.find(mark)).min();
            found.push(rest[..end.unwrap_or(rest.len())].replace('…', " "));
        }
    }
    found
}

/// Words as a shell makes them of a line, quotes taken off.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            Some(mark) if c == mark => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(core::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    words.extend(Some(word).filter(|w| !w.is_empty()));
    words
}

#[test]
fn printed_commands_are_commands() {
    let place = Place::new();
    let (mut asked, mut wrong) = (0, Vec::new());
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for command in commands(&text) {
            asked += 1;
            // Help is printed once everything before it has been understood.
            let outcome = crate::support::Outcome::of(
                &command,
                place.command(words(&command).into_iter().chain(["--help".to_owned()])),
            );
            if outcome.code != Some(0) {
                wrong.push(format!("{}: barograph {command}: {}", document.display(), outcome.err));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 60, "only {asked} commands were found");
}

#[test]
fn a_command_ends_where_the_shell_goes_on() {
    let text = "x\n```sh\nbarograph a --b 'c d'   # why\n$ barograph e \\\n    --f | jq .\n```\nbarograph not this\n```\nbarograph g …\n```\n";
    let found = commands(text);
    assert_eq!(found.iter().map(|c| words(c).join("|")).collect::<Vec<_>>(), ["a|--b|c d", "e|--f", "g"]);
}
