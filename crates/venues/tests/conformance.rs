//! The conformance tables in the READMEs of the venues: no line of a sheet's checklist is left out, and every test they name is
//! there.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and reads the sources and READMEs of the workspace"
)]

use std::collections::BTreeSet;
use std::path::Path;

/// Names of all functions in the sources below these folders of the workspace.
fn functions(folders: &[&str]) -> BTreeSet<String> {
    fn walk(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, names);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let found = text.lines().filter_map(|l| l.trim_start().strip_prefix("fn "));
                names.extend(found.map(|l| l.split(['(', '<']).next().unwrap_or_default().to_owned()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = BTreeSet::new();
    folders.iter().for_each(|f| walk(&root.join(f), &mut names));
    names
}

/// The checklists have so many lines, in the order of the tables of a README.
fn check(venue: &str, lines: &[usize]) {
    check_but(venue, lines, &[]);
}

/// The same without the lines that cannot be tested, which the README explains below its table.
fn check_but(venue: &str, lines: &[usize], untested: &[usize]) {
    let known = functions(&["venues/src", "venues/tests", "net/src", "net/tests", "live/src", "query/src/live"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(venue).join("README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let part = text.split("\n## ").find(|p| p.starts_with("Conformance\n")).expect("a conformance part");
    let rows = part.lines().filter_map(|l| l.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let mut numbers = Vec::new();
    for (line, tests) in rows {
        let Ok(number) = line.split(' ').next().unwrap().parse::<usize>() else { continue };
        numbers.push(number);
        for test in tests.split(", ") {
            let name = test.trim_matches('`');
            assert!(known.contains(name), "{venue} line {number}: there is no test '{name}'");
        }
    }
    let want: Vec<usize> = lines.iter().flat_map(|n| 1..=*n).filter(|n| !untested.contains(n)).collect();
    assert_eq!(numbers, want, "{venue}");
}

#[test]
fn every_line_of_every_sheet_is_a_test() {
    check("binance", &[15, 18]);
    check("bybit", &[18]);
    check("coinbase", &[18]);
    check_but("coinex", &[18], &[14, 15, 16, 17, 18]);
    check_but("deribit", &[18], &[17, 18]);
    check("hyperliquid", &[18]);
    check("okx", &[18]);
}
