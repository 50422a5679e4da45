//! `cargo x bench`: measures the figures the project promises (`bench/targets.toml`) and prints each beside its limit.
//!
//! Two kinds of measurement. Inside the program: `cargo bench` targets print lines `figure <name> <number>`, which are
//! collected. From outside: the release binary runs as a child and its wall time, peak memory, disk use and answers over
//! HTTP are watched. A benchmark of seconds is run in rounds, of which the one in the middle counts, a longer one once. A figure
//! that could not be measured is missed.
//!
//! Limits hold on one machine, and others are slower or faster, the same one from minute to minute: how fast this one was is
//! measured beside each benchmark ([`pace`]), and a figure that depends on it is judged as it would be on that one (ADR 29).

mod agents;
mod alerts;
mod board;
mod figures;
mod http;
mod lists;
mod live;
mod pace;
mod process;
mod stored;
pub(crate) mod targets;
mod waits;
pub(crate) mod written;

use crate::{Args, Failure, tree};
use figures::{ALL, Bench, LONG};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use targets::{MeasuredFigure, Promise, Standing};

/// What a benchmark found: figures of its own, each a number or why there is none.
pub(crate) type Measured = Vec<(&'static str, Result<f64, String>)>;

/// One line of the table.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct TableLine {
    what: String,
    measured: String,
    /// The same at the pace of the machine of the limits; empty where it is no matter of pace.
    there: String,
    limit: String,
    verdict: Standing,
}

/// What every benchmark may use.
#[derive(Debug)]
pub(crate) struct Bed {
    root: PathBuf,
    /// Build output; scratch data lies in its `bench` folder.
    target: PathBuf,
    sampler: pace::Sampler,
}

pub(crate) fn run(mut args: Args) -> Result<(), Failure> {
    let write = args.flag("--write");
    let names = args.names()?;
    let chosen = choose(&names)?;
    let root = tree::root();
    let promised = tree::text(&root, targets::FILE)?.ok_or_else(|| format!("{} is not text", targets::FILE))?;
    let (promised, yardstick_us) = (targets::read(&promised)?, targets::yardstick_us(&promised)?);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let bed = Bed { root, target, sampler: pace::Sampler::start() };
    let (mut rows, mut numbers) = (Vec::new(), BTreeMap::new());
    for bench in chosen {
        eprintln!("measuring {} …", bench.name);
        let rounds: Vec<_> = (0..bench.rounds).map(|_| bed.sampler.over(|| (bench.measure)(&bed))).collect();
        for figure in promised.iter().filter(|f| f.bench() == bench.name) {
            let of = |(measured, readings): &(Result<Measured, String>, pace::Readings)| {
                value_of(figure, measured).map(|number| figure.paced(number, readings, yardstick_us))
            };
            let value = rounds.iter().map(of).collect::<Result<Vec<_>, _>>().and_then(middle);
            if let Ok(number) = value {
                numbers.insert(figure.id.clone(), number);
            }
            rows.push(row(figure, value));
        }
        // A run takes long: what is known is not lost when it is cut short.
        if write {
            write_table(&bed, &promised, &numbers)?;
        }
    }
    print!("{}", table(&rows));
    if rows.iter().all(|r| r.verdict != Standing::Missed) { Ok(()) } else { Err(Failure::Refused) }
}

/// The number of one promise among what its benchmark found.
fn value_of(figure: &Promise, measured: &Result<Measured, String>) -> Result<f64, String> {
    let found = measured.as_ref().map_err(Clone::clone)?;
    let own = found.iter().find(|(name, _)| figure.id.split_once('.').is_some_and(|(_, n)| n == *name));
    own.map_or_else(|| Err("its benchmark says nothing of it".to_owned()), |(_, value)| value.clone())
}

/// The round in the middle by what is judged; of two, the lower number.
fn middle(mut rounds: Vec<MeasuredFigure>) -> Result<MeasuredFigure, String> {
    rounds.sort_by(|a, b| a.judged().total_cmp(&b.judged()));
    let middle = rounds.len().saturating_sub(1) / 2;
    rounds.get(middle).copied().ok_or_else(|| "no round was measured".to_owned())
}

fn row(figure: &Promise, value: Result<MeasuredFigure, String>) -> TableLine {
    let (measured, there, verdict) = match value {
        Ok(number) => (figure.show(number.here), figure.show_there(number), figure.judge(number.judged())),
        Err(why) => (format!("not measured: {why}"), String::new(), Standing::Missed),
    };
    TableLine { what: figure.what.clone(), measured, there, limit: figure.limit_text(), verdict }
}

/// Puts what was measured into the table of figures, with the commit it was measured at.
fn write_table(bed: &Bed, promised: &[Promise], numbers: &BTreeMap<String, MeasuredFigure>) -> Result<(), String> {
    let git = Command::new("git").current_dir(&bed.root).args(["rev-parse", "--short=9", "HEAD"]).output();
    let commit = git.ok().filter(|o| o.status.success()).map_or_else(
        || concat!("v", env!("CARGO_PKG_VERSION")).to_owned(),
        |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
    );
    let path = bed.root.join("docs/trust.md");
    let document = std::fs::read_to_string(&path).map_err(|e| format!("cannot read docs/trust.md: {e}"))?;
    let text = written::rewrite(&document, promised, numbers, &commit)?;
    std::fs::write(&path, text).map_err(|e| format!("cannot write docs/trust.md: {e}"))
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
fn table(rows: &[TableLine]) -> String {
    let cells = |r: &TableLine| {
        [r.what.clone(), r.measured.clone(), r.there.clone(), r.limit.clone(), mark(r.verdict).to_owned()]
    };
    let head = ["what", "measured", written::THERE, "limit", "ok"].map(str::to_owned);
    let all: Vec<[String; 5]> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let widths = [0, 1, 2, 3, 4].map(|n: usize| all.iter().map(|r| r[n].chars().count()).max().unwrap_or_default());
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

const fn mark(verdict: Standing) -> &'static str {
    match verdict {
        Standing::Met => "yes",
        Standing::Near => "within a tenth",
        Standing::Missed => "NO",
    }
}

impl Bed {
    /// Builds the release binary and says where it is.
    fn binary(&self) -> Result<PathBuf, String> {
        self.sampler.without(|| self.cargo(&["build", "--release", "--locked", "--package", "barograph"]))?;
        Ok(self.target.join("release").join("barograph"))
    }

    /// Runs cargo in the workspace; what it printed.
    fn cargo(&self, args: &[&str]) -> Result<String, String> {
        self.output(&cargo(), args)
    }

    /// Runs a program in the workspace; what it printed.
    fn output(&self, program: &str, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        command.current_dir(&self.root).args(args);
        // What cargo sets for the package it runs is not of the one that is built: build scripts (of ring) would run anew each
        // time, and all that rests on them be compiled.
        for (name, _) in std::env::vars_os() {
            let said = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
            if name.to_str().is_some_and(|name| said.iter().any(|s| name.starts_with(s))) {
                command.env_remove(&name);
            }
        }
        let out = command.output();
        let out = out.map_err(|e| format!("cannot start {program}: {e}"))?;
        if !out.status.success() {
            let text = String::from_utf8_lossy(&out.stderr);
            let last = text.lines().rfind(|l| l.starts_with("error")).unwrap_or_default().to_owned();
            return Err(format!("{program} {} failed: {last}", args.join(" ")));
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

    /// What a `cargo bench` target prints whose figures are of one thread: compiled first, then run on one core with the
    /// yardstick.
    fn bench(&self, package: &str, target: &str, args: &[&str]) -> Result<String, String> {
        let command = ["bench", "--locked", "--package", package, "--bench", target];
        self.sampler.without(|| self.cargo(&[&command[..], &["--no-run"]].concat()))?;
        let command = [&command[..], &["--"], args].concat();
        self.sampler.on_one_core(|core| match core {
            Some(core) => self.output("taskset", &[&["-c", core, &cargo()][..], &command].concat()),
            None => self.cargo(&command),
        })
    }

    /// The same for figures of work that is spread over all cores.
    fn bench_on_all_cores(&self, package: &str, target: &str) -> Result<String, String> {
        let command = ["bench", "--locked", "--package", package, "--bench", target];
        self.sampler.without(|| self.cargo(&[&command[..], &["--no-run"]].concat()))?;
        self.cargo(&command)
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
            let options = crate::synth::SynthOptions {
                out: folder.clone(),
                seed,
                days,
                from: barograph_domain::Ts::from_civil(2025, 1, 1, 0, 0, 0),
                symbol: symbol.to_owned(),
                plain: false,
            };
            let made = self.sampler.without(|| crate::synth::write(&options))?;
            std::fs::write(&done, made.rows.to_string())
                .map_err(|e| format!("cannot write {}: {e}", done.display()))?;
        }
        Ok(folder)
    }

    fn history(&self) -> PathBuf {
        self.root.join("testdata/history")
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_none| "cargo".into())
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
    fn a_missed_limit_is_seen_in_the_table_and_nothing_measured_is_missed() {
        let promised =
            targets::read("[[figure]]\nid = \"a.b\"\nwhat = \"a\"\nlimit = \"at most 2 s\"\npace = \"around\"\n");
        let figure = &promised.unwrap()[0];
        // Twice as slow as the reference, as the figure asks.
        let slow = pace::Readings { around: vec![2.0], beside: Vec::new() };
        let of = |measured: Result<Measured, String>| {
            row(figure, value_of(figure, &measured).map(|number| figure.paced(number, &slow, 1.0)))
        };
        let rows = [
            of(Ok(vec![("c", Ok(9.0)), ("b", Ok(3.0))])),
            of(Ok(vec![("b", Ok(4.2))])),
            of(Ok(vec![("b", Ok(6.0))])),
            of(Ok(vec![("b", Err("no disk".to_owned()))])),
            of(Ok(vec![])),
            of(Err("no binary".to_owned())),
        ];
        let verdicts = rows.clone().map(|r| r.verdict);
        use Standing::{Met, Missed, Near};
        assert_eq!(verdicts, [Met, Near, Missed, Missed, Missed, Missed]);
        assert_eq!(
            table(&rows[..4]),
            "| what | measured              | on the reference machine | limit       | ok             |\n\
             | ---- | --------------------- | ------------------------ | ----------- | -------------- |\n\
             | a    | 3 s                   | 1.5 s                    | at most 2 s | yes            |\n\
             | a    | 4.2 s                 | 2.1 s                    | at most 2 s | within a tenth |\n\
             | a    | 6 s                   | 3 s                      | at most 2 s | NO             |\n\
             | a    | not measured: no disk |                          | at most 2 s | NO             |\n"
        );
    }

    #[test]
    fn the_round_in_the_middle_of_what_is_judged_counts() {
        let round = |here, there| MeasuredFigure { here, there: Some(there) };
        let rounds = vec![round(9.0, 2.0), round(1.0, 5.0), round(5.0, 3.0)];
        assert_eq!(middle(rounds), Ok(round(5.0, 3.0)), "the machine's mood is taken out first");
        let plain = |here| MeasuredFigure { here, there: None };
        assert_eq!(middle(vec![plain(7.0), plain(4.0)]), Ok(plain(4.0)));
        assert!(middle(Vec::new()).is_err());
    }

    #[test]
    fn every_promise_has_a_benchmark_and_every_benchmark_a_promise() {
        let text = std::fs::read_to_string(tree::root().join(targets::FILE)).unwrap();
        let promised = targets::read(&text).unwrap();
        for figure in &promised {
            assert!(ALL.iter().any(|b| b.name == figure.bench()), "nobody measures '{}'", figure.id);
        }
        for bench in &ALL {
            assert!(promised.iter().any(|f| f.bench() == bench.name), "'{}' measures nothing promised", bench.name);
        }
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
