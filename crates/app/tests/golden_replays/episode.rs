//! One episode: run, compare with what is frozen, or freeze.

use crate::by_hand;
use crate::frozen::{Frozen, folder};
use crate::input::Inputs;
use crate::rows;
use crate::said::Said;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// A moment at which readings are compared to the last digit: market, a whole hour inside the days shown, features.
pub(crate) type Moment = (&'static str, &'static str, &'static [&'static str]);

/// Real files and the days of them that are frozen.
pub(crate) struct Episode {
    /// Name of the frozen file.
    pub(crate) name: &'static str,
    pub(crate) inputs: Inputs,
    pub(crate) flags: &'static [&'static str],
    /// Label changes frozen, from and until.
    pub(crate) shown: (&'static str, &'static str),
    /// Whole feature rows frozen, one an hour: only where the data's licence allows it.
    pub(crate) rows: Option<(&'static str, &'static str)>,
    pub(crate) moments: &'static [Moment],
}

/// Is the environment asking for the frozen files to be written?
pub(crate) fn blessing() -> bool {
    std::env::var_os("BAROGRAPH_BLESS").is_some_and(|v| v == "1")
}

impl Episode {
    /// Runs the episode and holds it against everything that is known about it.
    pub(crate) fn check(&self) {
        let home = tempfile::tempdir().unwrap();
        let Some(path) = self.inputs.path(home.path()) else { return };
        let Run { features: hourly, frozen: mut now, said } = self.replay(&path, home.path());
        let Said { all, top, quiet, .. } = said;
        eprintln!("{}: of {all} snapshots {top} with an axis at its top, {quiet} quiet", self.name);
        assert!(top > 0 && quiet < all, "{}: {top} of {all} with an axis at its top, {quiet} quiet", self.name);
        if self.rows.is_some() {
            rows::check(self.name, &hourly);
        }
        for (market, ts, features) in self.moments {
            let line = hourly.iter().find(|l| l["instrument"] == *market && l["ts"] == *ts);
            let line = line.unwrap_or_else(|| panic!("{}: no row of {market} at {ts}", self.name));
            for feature in *features {
                now.add(&["reading", market, ts, feature, &rows::text(line, feature)]);
            }
        }
        by_hand::check(self.name, &hourly);
        now.sort();
        now.hold(&folder().join(format!("{}.txt", self.name)));
    }

    fn replay(&self, path: &Path, home: &Path) -> Run {
        let told = home.join("told.txt");
        let mut replay = Command::new(env!("CARGO_BIN_EXE_barograph"))
            .args(["replay", "--json", "--hash", "--every", "1h", "--from", self.shown.0, "--until", self.shown.1])
            .args(self.flags)
            .arg(path)
            .env_clear()
            .current_dir(home)
            .stdout(Stdio::piped())
            .stderr(File::create(&told).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(replay.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut run = Run::read(lines, self.rows.unwrap_or(self.shown));
        let (status, told) = (replay.wait().unwrap(), std::fs::read_to_string(told).unwrap());
        assert!(status.success(), "{}: {status}\n{told}", self.name);
        for (name, head) in [("logic", "book default, "), ("read", "read ")] {
            let rest = told.lines().find_map(|line| line.strip_prefix(head));
            run.frozen.add(&[name, rest.unwrap_or_default()]);
        }
        run
    }
}

/// What a replay said.
struct Run {
    frozen: Frozen,
    features: Vec<Value>,
    said: Said,
}

impl Run {
    /// Lines as they come, those of months are a third of a gigabyte; readings are kept of the days that are wanted.
    fn read(lines: impl Iterator<Item = String>, kept: (&str, &str)) -> Self {
        let mut frozen = Frozen::default();
        let mut features = Vec::new();
        let mut said = Said::default();
        for line in lines {
            if !line.starts_with('{') {
                frozen.add(&["hash", &line]);
                continue;
            }
            // Nothing of a snapshot is frozen; what it says is held against its labels.
            if line.starts_with(r#"{"type":"snapshot""#) {
                said.check(&line);
                continue;
            }
            let value: Value = serde_json::from_str(&line).unwrap();
            let text = |field: &str| value[field].as_str().unwrap_or_default();
            match text("type") {
                "label_change" => {
                    let axis = if text("axis") == "risk" { "label" } else { text("axis") };
                    frozen.add(&[axis, text("instrument"), text("ts"), text("from"), "to", text("to")]);
                }
                "event" => said.event(&value),
                "features" => {
                    said.readings(&value);
                    if (kept.0..kept.1).contains(&text("ts")) {
                        features.push(value);
                    }
                }
                _ => {}
            }
        }
        Self { frozen, features, said }
    }
}
