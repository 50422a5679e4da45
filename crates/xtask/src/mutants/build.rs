//! Compiles the tests of the copy, and finds the mutants that do not compile from what the compiler says.
//!
//! An error inside a mutant's place is that mutant's; any other error in a file is the nearest mutant's, as a changed type may show
//! only where it is used. Each round takes out at least one.

use super::copy::{Beds, Standing};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A compiled test program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Program {
    /// Folder of its crate under `crates`.
    pub(super) folder: String,
    /// `engine::properties`, or `engine::unit` for the tests beside the code.
    pub(super) name: String,
    pub(super) executable: PathBuf,
    /// Where it runs.
    pub(super) home: PathBuf,
}

/// An error of the compiler with the bytes it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Complaint {
    text: String,
    spans: Vec<(String, Range<usize>)>,
}

/// What came of compiling.
#[derive(Debug)]
pub(super) enum Built {
    Programs(Vec<Program>),
    /// Numbers of the mutants that do not compile.
    Refused(BTreeSet<u32>),
}

/// Runs cargo in the copy with these arguments.
pub(super) fn build(beds: &Beds, args: &[&str], standing: &Standing) -> Result<Built, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .current_dir(&beds.copy)
        .args(args)
        .args(["--locked", "--message-format=json", "--target-dir"])
        .arg(&beds.target)
        // A mutant may be what a lint forbids.
        .env("RUSTFLAGS", "--cap-lints=allow")
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    let (mut programs, mut complaints) = (Vec::new(), Vec::new());
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        programs.extend(program(&message));
        complaints.extend(complaint(&message));
    }
    let status = child.wait().map_err(|e| format!("cannot wait for cargo: {e}"))?;
    if status.success() {
        programs.sort();
        return Ok(Built::Programs(programs));
    }
    let refused: BTreeSet<u32> = complaints.iter().filter_map(|c| culprit(c, standing)).collect();
    if refused.is_empty() {
        let texts: Vec<_> = complaints.iter().map(|c| c.text.as_str()).collect();
        return Err(format!("the copy does not compile: {status}\n{}", texts.join("\n")));
    }
    Ok(Built::Refused(refused))
}

fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str)
}

/// The test program that a message announces.
fn program(message: &Value) -> Option<Program> {
    let executable = text(message, "/executable")?;
    message.pointer("/profile/test").and_then(Value::as_bool).filter(|test| *test)?;
    let home = PathBuf::from(text(message, "/manifest_path")?).parent()?.to_path_buf();
    let folder = home.file_name()?.to_str()?.to_owned();
    let kind = text(message, "/target/kind/0")?;
    let own = if kind == "test" { text(message, "/target/name")? } else { "unit" };
    Some(Program { name: format!("{folder}::{own}"), folder, executable: PathBuf::from(executable), home })
}

/// The error that a message reports, with every place it names: the ones it is about first.
fn complaint(message: &Value) -> Option<Complaint> {
    let message = message.get("message").filter(|m| text(m, "/level") == Some("error"))?;
    let mut spans = Vec::new();
    collect(message, &mut spans);
    let text = text(message, "/rendered").unwrap_or_default().to_owned();
    Some(Complaint { text, spans })
}

fn collect(message: &Value, spans: &mut Vec<(String, Range<usize>)>) {
    let list = |key: &str| message.get(key).and_then(Value::as_array).into_iter().flatten();
    let primary = |span: &&Value| span.get("is_primary").and_then(Value::as_bool) == Some(true);
    let (first, later): (Vec<_>, Vec<_>) = list("spans").partition(primary);
    for span in first.into_iter().chain(later) {
        let byte = |key: &str| span.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        if let (Some(file), Some(start), Some(end)) = (text(span, "/file_name"), byte("byte_start"), byte("byte_end")) {
            spans.push((file.to_owned(), start..end));
        }
    }
    for child in list("children") {
        collect(child, spans);
    }
}

/// The mutant that an error is about: one in whose place it is, else the nearest in its file.
fn culprit(complaint: &Complaint, standing: &Standing) -> Option<u32> {
    let away = |a: &Range<usize>, b: &Range<usize>| a.start.saturating_sub(b.end).max(b.start.saturating_sub(a.end));
    let near = |(file, span): &(String, Range<usize>)| {
        let all = standing.get(file).into_iter().flatten();
        all.map(|(place, number)| (away(place, span), *number)).min()
    };
    // Of equally near ones the first named: that is what the error is about.
    complaint.spans.iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        [("a.rs".to_owned(), vec![(10..20, 1), (40..60, 2)]), ("b.rs".to_owned(), vec![(0..5, 3)])].into()
    }

    fn error(spans: &[(&str, usize, usize, bool)]) -> Complaint {
        let spans: Vec<_> = spans
            .iter()
            .map(|(file, start, end, primary)| {
                serde_json::json!({"file_name": file, "byte_start": start, "byte_end": end, "is_primary": primary})
            })
            .collect();
        let message = serde_json::json!({
            "reason": "compiler-message",
            "message": {"level": "error", "rendered": "wrong", "spans": [], "children": [{"spans": spans, "children": []}]}
        });
        complaint(&message).unwrap()
    }

    #[test]
    fn an_error_is_the_mutants_in_whose_place_it_is_or_the_nearest_ones() {
        let cases = [
            (error(&[("a.rs", 12, 13, true)]), Some(1)),
            (error(&[("a.rs", 30, 31, true), ("a.rs", 45, 46, false)]), Some(2)),
            (error(&[("a.rs", 36, 37, true)]), Some(2)),
            (error(&[("c.rs", 0, 1, true), ("b.rs", 90, 91, false)]), Some(3)),
            (error(&[("c.rs", 0, 1, true)]), None),
        ];
        for (complaint, want) in cases {
            assert_eq!(culprit(&complaint, &standing()), want, "{complaint:?}");
        }
        assert_eq!(complaint(&serde_json::json!({"message": {"level": "warning"}})), None);
    }

    #[test]
    fn test_programs_are_named_after_their_crate() {
        let message = |kind: &str, test: bool| {
            program(&serde_json::json!({
                "executable": "/x/properties-1", "profile": {"test": test}, "manifest_path": "/c/crates/engine/Cargo.toml",
                "target": {"kind": [kind], "name": "properties"}
            }))
        };
        assert_eq!(message("test", true).unwrap().name, "engine::properties");
        assert_eq!(message("lib", true).unwrap().name, "engine::unit");
        assert_eq!(message("bin", false), None);
    }
}
