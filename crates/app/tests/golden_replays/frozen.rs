//! The frozen text of an episode: sorted lines that a person can read, with comments that survive being blessed.
//!
//! A line begins with what it is (`logic`, `read`, `hash`, `label`, `reading`) and where; a comment (`#`) belongs to the
//! line that follows it. When an episode is blessed a comment stays with its line, or, where that line is gone, goes to the
//! next one that is left.

use crate::episode::blessing;
use std::path::{Path, PathBuf};

/// Folder of the frozen files.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/replays")
}

/// Order of the kinds of lines.
const KINDS: [&str; 5] = ["logic", "read", "hash", "label", "reading"];

/// Differences shown before the rest is only counted.
const SHOWN: usize = 40;

/// Lines of one episode.
#[derive(Default)]
pub(crate) struct Frozen(Vec<String>);

impl Frozen {
    pub(crate) fn add(&mut self, words: &[&str]) {
        self.0.push(words.join(" "));
    }
    pub(crate) fn sort(&mut self) {
        self.0.sort_by_key(|line| order(line));
        self.0.dedup();
    }
    /// Compares with the frozen file, or writes it.
    pub(crate) fn hold(&self, path: &Path) {
        let before = std::fs::read_to_string(path).unwrap_or_default();
        let frozen: Vec<&str> = before.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
        if frozen == self.0 {
            return;
        }
        if blessing() {
            std::fs::write(path, blessed(&before, &self.0)).unwrap();
            return;
        }
        panic!(
            "{} is not what the replay says now:\n{}\nRight as it is now? BAROGRAPH_BLESS=1 writes it down.",
            path.display(),
            difference(&frozen, &self.0)
        );
    }
}

/// Kind, then market, instant and feature.
fn order(line: &str) -> (usize, String) {
    let kind = line.split(' ').next().unwrap_or_default();
    (KINDS.iter().position(|k| *k == kind).unwrap_or(KINDS.len()), line.to_owned())
}

/// What makes two lines the same line with another value.
fn key(line: &str) -> String {
    let words = match line.split(' ').next() {
        Some("label") => 3,
        Some("reading") => 4,
        _ => 1,
    };
    line.split(' ').take(words).collect::<Vec<_>>().join(" ")
}

/// The lines only one side has, in order.
pub(crate) fn difference(frozen: &[&str], now: &[String]) -> String {
    let gone = frozen.iter().filter(|l| !now.iter().any(|n| n == *l)).map(|l| (order(l), '-'));
    let new = now.iter().filter(|l| !frozen.contains(&l.as_str())).map(|l| (order(l), '+'));
    let mut all: Vec<_> = gone.chain(new).collect();
    all.sort();
    let mut text: Vec<String> = all.iter().take(SHOWN).map(|((_, line), sign)| format!("{sign} {line}")).collect();
    if all.len() > SHOWN {
        text.push(format!("… and {} more", all.len() - SHOWN));
    }
    if all.is_empty() {
        text.push("the same lines in another order".to_owned());
    }
    text.join("\n")
}

/// New lines under old comments.
fn blessed(before: &str, now: &[String]) -> String {
    let mut waiting: Vec<&str> = Vec::new();
    let mut comments: Vec<(String, Vec<&str>)> = Vec::new();
    for line in before.lines() {
        if line.is_empty() || line.starts_with('#') {
            waiting.push(line);
        } else if now.iter().any(|n| key(n) == key(line)) && !waiting.is_empty() {
            comments.push((key(line), std::mem::take(&mut waiting)));
        }
    }
    let mut out = String::new();
    for line in now {
        if let Some(at) = comments.iter().position(|(k, _)| *k == key(line)) {
            for comment in comments.remove(at).1 {
                out.push_str(comment);
                out.push('\n');
            }
        }
        out.push_str(line);
        out.push('\n');
    }
    for comment in waiting {
        out.push_str(comment);
        out.push('\n');
    }
    out
}

#[test]
fn comments_stay_with_their_line_or_move_on() {
    let now = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
    let before =
        "# head\nlogic a\nhash b\n\n# fall\nlabel m 1 X to Y\n# back\nlabel m 2 Y to X\nreading m 1 f 0.5\n# end\n";
    let same = now(&["logic c", "hash d", "label m 1 X to Z", "label m 2 Z to X", "reading m 1 f 0.6"]);
    assert_eq!(
        blessed(before, &same),
        "# head\nlogic c\nhash d\n\n# fall\nlabel m 1 X to Z\n# back\nlabel m 2 Z to X\nreading m 1 f 0.6\n# end\n"
    );
    let fewer = now(&["logic c", "label m 2 Y to X"]);
    assert_eq!(blessed(before, &fewer), "# head\nlogic c\n\n# fall\n# back\nlabel m 2 Y to X\n# end\n");
}

#[test]
fn a_difference_names_both_sides() {
    let text = difference(&["hash a", "label m 1 X to Y"], &["hash b".to_owned(), "label m 1 X to Y".to_owned()]);
    assert_eq!(text, "- hash a\n+ hash b");
}
