//! `cargo x bench`: measures the figures the project promises and prints what | measured | target | ok.
//!
//! Two kinds of measurement. Inside the program: `cargo bench` targets print lines `figure <name> <number>`, which are
//! collected. From outside: the release binary runs as a child and its wall time, peak memory, disk use and answers over
//! HTTP are watched. Nothing is averaged away: one run, one number. A figure that could not be measured is not ok.

mod alerts;
mod board;
mod figures;
mod http;
mod lists;
mod live;
mod process;
mod stored;

use crate::{Args, Failure, tree};
use figures::{ALL, Bench, LONG};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One line of the table.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    what: &'static str,
    measured: String,
    target: &'static str,
    ok: bool,
}

/// What every benchmark may use.
#[derive(Debug)]
pub(crate) struct Bed {
    root: PathBuf,
    /// Build output; scratch data lies in its `bench` folder.
    target: PathBuf,
    /// What the benches of each package printed in this run.
    printed: RefCell<BTreeMap<String, String>>,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let names = args.names()?;
    let chosen = choose(&names)?;
    let root = tree::root();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let bed = Bed { root, target, printed: RefCell::default() };
    let mut rows = Vec::new();
    for bench in chosen {
        eprintln!("measuring {} …", bench.name);
        rows.extend((bench.measure)(&bed).unwrap_or_else(|why| bench.unmeasured(&why)));
    }
    print!("{}", table(&rows));
    if rows.iter().all(|r| r.ok) { Ok(()) } else { Err(Failure::Refused) }
}

fn choose(names: &[String]) -> Result<Vec<&'static Bench>, Failure> {
    if names.is_empty() {
        return Ok(ALL.iter().filter(|b| !LONG.contains(&b.name)).collect());
    }
    let known: Vec<&str> = ALL.iter().map(|b| b.name).collect();
    let find = |name: &String| {
        ALL.iter().find(|b| b.name == name).ok_or_else(|| {
            let guess = crate::args::did_you_mean(name, &known);
            Failure::Usage(format!("no benchmark '{name}'{guess}; there are {}", known.join(", ")))
        })
    };
    names.iter().map(find).collect()
}

/// The table, columns aligned, readable as Markdown.
fn table(rows: &[Row]) -> String {
    let cells = |r: &Row| [r.what.to_owned(), r.measured.clone(), r.target.to_owned(), mark(r.ok).to_owned()];
    let head = ["what", "measured", "target", "ok"].map(str::to_owned);
    let all: Vec<[String; 4]> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| all.iter().map(|r| r[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    for (n, row) in all.iter().enumerate() {
        let padded: Vec<_> = row.iter().zip(widths).map(|(cell, w)| format!("{cell:<w$}")).collect();
        text.push_str(&format!("| {} |\n", padded.join(" | ")));
        if n == 0 {
            let rule: Vec<_> = widths.iter().map(|w| "-".repeat(*w)).collect();
            text.push_str(&format!("| {} |\n", rule.join(" | ")));
        }
    }
    text
}

const fn mark(ok: bool) -> &'static str {
    if ok { "yes" } else { "NO" }
}

impl Bed {
    /// Builds the release binary and says where it is.
    fn binary(&self) -> Result<PathBuf, String> {
        self.cargo(&["build", "--release", "--locked", "--package", "barograph"])?;
        Ok(self.target.join("release").join("barograph"))
    }

    /// Runs cargo in the workspace; what it printed.
    fn cargo(&self, args: &[&str]) -> Result<String, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let out = Command::new(cargo).current_dir(&self.root).args(args).output();
        let out = out.map_err(|e| format!("cannot start cargo: {e}"))?;
        if !out.status.success() {
            let text = String::from_utf8_lossy(&out.stderr);
            let last = text.lines().rfind(|l| l.starts_with("error")).unwrap_or_default().to_owned();
            return Err(format!("cargo {} failed: {last}", args.join(" ")));
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// Runs a script of the page's folder against a program and a data folder; what it printed.
    fn node(&self, script: &str, binary: &Path, data: &Path) -> Result<String, String> {
        let mut command = Command::new("node");
        command.current_dir(&self.root).arg(script).env("BAROGRAPH_BIN", binary).env("PAGE_DATA", data);
        let out = command.output().map_err(|e| format!("cannot start node: {e}"))?;
        if !out.status.success() {
            let text = String::from_utf8_lossy(&out.stderr);
            return Err(format!("{script} failed: {}", text.lines().next().unwrap_or("it says nothing")));
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// The number a `cargo bench` target printed as `figure <name> <number>`. The benches of a package run once.
    fn figure(&self, package: &str, name: &str) -> Result<f64, String> {
        let mut printed = self.printed.borrow_mut();
        if !printed.contains_key(package) {
            printed.insert(package.to_owned(), self.cargo(&["bench", "--locked", "--package", package])?);
        }
        let said = printed.get(package).map_or("", String::as_str);
        figure(said, name).ok_or_else(|| format!("no bench of {package} prints 'figure {name} …'"))
    }

    /// What a target of the Makefile prints.
    fn made(&self, target: &str) -> Result<String, String> {
        let out = Command::new("make").current_dir(&self.root).args(["--no-print-directory", target]).output();
        let out = out.map_err(|e| format!("cannot start make: {e}"))?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        match text.lines().find(|l| l.starts_with("skipped:")) {
            Some(why) => Err(why.to_owned()),
            None if out.status.success() => Ok(text),
            None => Err(format!("make {target} failed")),
        }
    }

    /// An empty scratch folder.
    fn scratch(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.target.join("bench").join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|e| format!("cannot empty {}: {e}", path.display()))?;
        }
        std::fs::create_dir_all(&path).map_err(|e| format!("cannot make {}: {e}", path.display()))?;
        Ok(path)
    }

    /// A synthetic market of so many days; made once and kept for the next run.
    fn synthetic(&self, symbol: &str, seed: u64, days: u64) -> Result<PathBuf, String> {
        let folder = self.target.join("bench").join(format!("synth-{symbol}-{seed}-{days}"));
        let done = folder.with_extension("done");
        if !done.exists() {
            let options = crate::synth::Options {
                out: folder.clone(),
                seed,
                days,
                from: barograph_domain::Ts::from_civil(2025, 1, 1, 0, 0, 0),
                symbol: symbol.to_owned(),
                plain: false,
            };
            let made = crate::synth::write(&options)?;
            std::fs::write(&done, made.rows.to_string())
                .map_err(|e| format!("cannot write {}: {e}", done.display()))?;
        }
        Ok(folder)
    }

    fn history(&self) -> PathBuf {
        self.root.join("testdata/history")
    }
}

fn figure(printed: &str, name: &str) -> Option<f64> {
    let words = printed.lines().map(|l| l.split_whitespace().collect::<Vec<_>>());
    words.rev().find_map(|w| match w[..] {
        ["figure", n, value] if n == name => value.parse().ok(),
        _ => None,
    })
}

/// Bytes of all files below `path`.
fn size_of(path: &Path) -> Result<u64, String> {
    let entries = std::fs::read_dir(path).map_err(|e| format!("cannot list {}: {e}", path.display()))?;
    let mut sum = 0;
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        sum += if path.is_dir() { size_of(&path)? } else { std::fs::metadata(&path).map_err(|e| e.to_string())?.len() };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_figure_of_a_name_counts() {
        let printed =
            "running\nfigure engine_events_per_s 1200000\nfigure other 3\nfigure engine_events_per_s 1300000.5\n";
        assert_eq!(figure(printed, "engine_events_per_s"), Some(1_300_000.5));
        assert_eq!(figure(printed, "missing"), None);
    }

    #[test]
    fn a_missed_target_stands_out() {
        let row = |what, ok| Row { what, measured: "1 s".into(), target: "under 2 s", ok };
        let text = table(&[row("a", true), row("longer name", false)]);
        assert_eq!(
            text,
            "| what        | measured | target    | ok  |\n| ----------- | -------- | --------- | --- |\n\
             | a           | 1 s      | under 2 s | yes |\n| longer name | 1 s      | under 2 s | NO  |\n"
        );
    }

    #[test]
    fn unknown_names_are_refused_with_a_guess() {
        let Err(Failure::Usage(text)) = choose(&["enigne".to_owned()]) else { panic!("accepted") };
        assert!(text.contains("did you mean 'engine'?"), "{text}");
        assert_eq!(
            choose(&[]).unwrap().len(),
            ALL.len() - LONG.len(),
            "what takes half an hour is run when it is named"
        );
    }
}
