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

/// Sources whose texts people see: the program's own and the page's.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "tsx" || e == "ts") {
            found.push(path);
        }
    }
}

/// Commands within texts: from the program's name to where the sentence goes on. What is put in between is `X`.
fn hints(text: &str, known: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    for line in lines.map(|line| line.trim_end_matches('\\')) {
        for (at, _) in line.match_indices("barograph ") {
            let rest = &line[at + "barograph ".len()..];
            let mut plain = String::new();
            let mut chars = rest.chars().peekable();
            while let Some(c) = chars.next() {
                let ends = matches!(c, '"' | '`' | '<' | ';' | ',' | ')' | '\'' | '|' | ':')
                    || c == '.' && chars.peek().is_none_or(|next| !next.is_alphanumeric());
                if ends {
                    break;
                }
                match c {
                    '$' if chars.peek() == Some(&'{') => {}
                    '{' => {
                        chars.by_ref().find(|c| *c == '}');
                        plain.push('X');
                    }
                    '…' => plain.push('X'),
                    c => plain.push(c),
                }
            }
            // Only what begins as a command does, and of a sentence that goes on without a sign its words.
            let words: Vec<&str> = plain.split_whitespace().collect();
            if words.first().is_some_and(|first| known.iter().any(|k| k == first)) {
                found.push(words.join(" "));
            }
        }
    }
    found
}

/// A hint that is printed is one that can be typed: its command and its flags are there.
#[test]
fn hints_in_messages_are_commands() {
    let place = Place::new();
    let help = |words: &[&str]| {
        let args = words.iter().map(|w| (*w).to_owned()).chain(["--help".to_owned()]);
        crate::support::Outcome::of(&words.join(" "), place.command(args))
    };
    let all = help(&[]);
    let listed = all.out.lines().skip_while(|line| !line.contains("Commands:")).skip(1);
    let known: Vec<String> =
        listed.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next().map(str::to_owned)).collect();
    assert!(known.iter().any(|k| k == "context") && known.len() > 20, "{known:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in
        ["crates/app/src", "crates/query/src", "crates/api/src", "crates/live/src", "crates/lab/src", "web/src"]
    {
        sources(&root.join(folder), &mut files);
    }
    let (mut asked, mut wrong) = (0, Vec::new());
    for file in files {
        for hint in hints(&std::fs::read_to_string(&file).unwrap(), &known) {
            asked += 1;
            let words: Vec<&str> = hint.split(' ').collect();
            // The words up to the first flag or value choose a command; every flag has to be one that its help lists.
            let steps = words
                .iter()
                .take_while(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !w.starts_with('-'));
            let mut chosen: Vec<&str> = Vec::new();
            for step in steps {
                let deeper = help(&[chosen.as_slice(), &[*step]].concat());
                if deeper.code != Some(0) {
                    break;
                }
                chosen.push(step);
            }
            let text = help(&chosen).out;
            // Which command it is depends on what is put in.
            if text.contains("Commands:") && words.get(chosen.len()).is_some_and(|word| word.starts_with('X')) {
                continue;
            }
            let flags = words.iter().filter(|w| w.starts_with("--") && **w != "--help");
            let gone: Vec<_> = flags.filter(|flag| !text.contains(*flag)).collect();
            if chosen.is_empty() || !gone.is_empty() {
                wrong.push(format!("{}: barograph {hint}: {gone:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 40, "only {asked} hints were found");
}

#[test]
fn a_command_ends_where_the_shell_goes_on() {
    let text = "x\n```sh\nbarograph a --b 'c d'   # why\n$ barograph e \\\n    --f | jq .\n```\nbarograph not this\n```\nbarograph g …\n```\n";
    let found = commands(text);
    assert_eq!(found.iter().map(|c| words(c).join("|")).collect::<Vec<_>>(), ["a|--b|c d", "e|--f", "g"]);
}
