//! One episode: run, compare with what is frozen, or freeze.

use crate::by_hand;
use crate::frozen::{Frozen, folder};
use crate::input::Inputs;
use crate::rows;
use crate::said::Said;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

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
        // Hourly lines are wanted only for moments; a history of months is asked for its label changes alone.
        let every = if self.rows.is_some() { "3650d" } else { "1h" };
        let run = self.replay(&path, home.path(), self.shown, every);
        let mut hourly = run.features;
        let mut now = run.frozen;
        eprintln!("{}: what was said, {:?}", self.name, run.said);
        if let Some(days) = self.rows {
            let rows = self.replay(&path, home.path(), days, "1h");
            rows::check(self.name, &rows.features);
            assert!(rows.said.top > 0, "{}: no axis at its top, {:?}", self.name, rows.said);
            hourly = rows.features;
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

    fn replay(&self, path: &Path, home: &Path, days: (&str, &str), every: &str) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_barograph"))
            .args(["replay", "--json", "--hash", "--every", every, "--from", days.0, "--until", days.1])
            .args(self.flags)
            .arg(path)
            .env_clear()
            .current_dir(home)
            .output()
            .unwrap();
        let Output { status, stdout, stderr } = output;
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(status.success(), "{}: {status}\n{stderr}", self.name);
        Run::read(&String::from_utf8(stdout).unwrap(), &stderr)
    }
}

/// What a replay said.
struct Run {
    frozen: Frozen,
    features: Vec<Value>,
    said: Said,
}

impl Run {
    fn read(stdout: &str, stderr: &str) -> Self {
        let mut frozen = Frozen::default();
        let mut features = Vec::new();
        let mut said = Said::default();
        let told = |head: &str| stderr.lines().find_map(|l| l.strip_prefix(head)).unwrap_or_default().to_owned();
        frozen.add(&["logic", &told("book default, ")]);
        frozen.add(&["read", &told("read ")]);
        for line in stdout.lines() {
            if !line.starts_with('{') {
                frozen.add(&["hash", line]);
                continue;
            }
            // Nothing of a snapshot is frozen; what it says is held against its labels.
            if line.starts_with(r#"{"type":"snapshot""#) {
                said.check(line);
                continue;
            }
            let value: Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| value[field].as_str().unwrap_or_default();
            match text("type") {
                "label_change" => {
                    let axis = if text("axis") == "risk" { "label" } else { text("axis") };
                    frozen.add(&[axis, text("instrument"), text("ts"), text("from"), "to", text("to")]);
                }
                "event" => said.event(&value),
                "features" => features.push(value),
                _ => {}
            }
        }
        Self { frozen, features, said }
    }
}
