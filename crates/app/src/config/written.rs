//! Settings as written: defaults < file (TOML or YAML) < environment (`BAROGRAPH_*`) < flags, each with its origin.
//!
//! Nothing is judged here but keys and whether a file's value is of the right shape; what values mean is `read`.

use super::declared::{KEYS, Key, Shape};
use super::file::{self, Node, Value};
use super::original::{self, Noted};
use super::thresholds::Over;
use super::{SettingOrigin, receivers, sources};
use crate::cli::Common;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Settings given on the command line, by their keys.
pub(crate) type Flags = Vec<(&'static str, Option<String>)>;

/// What was written, and where.
#[derive(Clone)]
pub(crate) struct Written {
    values: BTreeMap<&'static str, (String, SettingOrigin)>,
    /// Keys of the original configurations that were given.
    pub(crate) noted: Vec<Noted>,
    /// Thresholds among them: they go over the rule book's own.
    pub(crate) thresholds: Vec<Over>,
    /// Who receives alerts: checked where something is to be delivered.
    pub(super) receivers: Vec<receivers::Table>,
    /// Servers of tools that may be listened to: checked where one is.
    pub(super) sources: Vec<receivers::Table>,
    /// What it was made from, to be read again.
    pub(super) common: Common,
    pub(super) flags: Flags,
}

/// A variable of the environment; an empty one is how shells unset one for a command.
pub(super) fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

impl Written {
    /// Reads file, environment and flags.
    pub(super) fn load(common: &Common, flags: Flags) -> Result<Self, Failure> {
        let mut out = Self {
            values: KEYS.iter().map(|k| (k.name, ((k.default)(), SettingOrigin::Default))).collect(),
            noted: Vec::new(),
            thresholds: Vec::new(),
            receivers: Vec::new(),
            sources: Vec::new(),
            common: common.clone(),
            flags,
        };
        if let Some(path) = config_file(common)? {
            out.take_file(&path)?;
        }
        out.take_environment()?;
        out.take_flags();
        Ok(out)
    }

    /// A setting's text, and where it comes from.
    pub(super) fn of(&self, name: &str) -> (&str, &SettingOrigin) {
        self.values.get(name).map_or(("", &SettingOrigin::Default), |(text, origin)| (text, origin))
    }

    /// Refuses a setting.
    pub(super) fn wrong(&self, name: &str, why: impl core::fmt::Display) -> Failure {
        let placed = KEYS.iter().any(|key| key.name == name && key.placed);
        let place = if placed { format!(" ({})", self.of(name).1) } else { String::new() };
        Failure::usage(format!("{name}{place}: {why}"))
    }

    fn take_file(&mut self, path: &Path) -> Result<(), Failure> {
        let origin = |line| SettingOrigin::File { path: path.to_owned(), line };
        let wrong = |line, why| Failure::usage(format!("{}: {why}", origin(line)));
        let (mut own, mut originals) = (Vec::new(), Vec::new());
        for (name, line, node) in file::read(path)? {
            if name == receivers::KEY {
                self.receivers = receivers::tables(receivers::KEY, path, line, &node)?;
            } else if name == sources::KEY {
                self.sources = receivers::tables(sources::KEY, path, line, &node)?;
            } else if original::is_root(&name) {
                original::take(&name, line, &node, &mut originals).map_err(|e| match e {
                    original::Wrong::Unknown { key, line, near } => unknown_key(&key, &origin(line), near),
                    original::Wrong::Value { line, why } => wrong(line, why),
                })?;
            } else {
                let key = known(&name).map_err(|near| unknown_key(&name, &origin(line), near))?;
                own.push((key.name, plain(key, &node).map_err(|why| wrong(line, why))?, line));
            }
        }
        // A key of ours says it more exactly than an original one.
        let all = original::settings(&originals).map_err(|(line, why)| wrong(line, why))?.into_iter().chain(own);
        self.values.extend(all.map(|(key, value, line)| (key, (value, origin(line)))));
        self.thresholds = originals.iter().filter_map(|g| g.over(origin)).collect();
        self.noted = originals.into_iter().map(|g| Noted::of(g, origin)).collect();
        Ok(())
    }

    fn take_environment(&mut self) -> Result<(), Failure> {
        let mut set = |key: &Key, variable: String, value: String| {
            self.values.insert(key.name, (value, SettingOrigin::Environment(variable)));
        };
        // R4.44: two variables have had their names before there was a barograph.
        for key in KEYS {
            if let Some((variable, value)) = key.also.and_then(|name| Some((name, given(name)?))) {
                set(key, variable.to_owned(), value);
            }
        }
        for (name, value) in std::env::vars() {
            // An empty variable is how shells unset one for a command.
            let Some(rest) = name.strip_prefix("BAROGRAPH_").filter(|_| !value.is_empty()) else { continue };
            // Where this workspace's tests find their recordings; a program that is not a test has no such setting.
            if cfg!(test) && rest == "SHARED_DATA" {
                continue;
            }
            let key = known(&rest.to_lowercase()).map_err(|near| {
                Failure::usage(format!(
                    "unknown environment variable {name}{}",
                    near.map_or(String::new(), |n| format!(" — did you mean BAROGRAPH_{}?", n.to_uppercase()))
                ))
            })?;
            set(key, name, value);
        }
        Ok(())
    }

    fn take_flags(&mut self) {
        let common = [
            ("data", self.common.data.as_ref().map(|p| p.display().to_string())),
            ("book", self.common.book.clone()),
            ("db_url", self.common.db_url.clone()),
        ];
        for (key, value) in common.into_iter().chain(self.flags.iter().cloned()) {
            if let Some(value) = value {
                self.values.insert(key, (value, SettingOrigin::Flag(key)));
            }
        }
    }
}

/// Files looked for in the current folder.
const FILES: [&str; 3] = ["barograph.toml", "barograph.yaml", "barograph.yml"];

/// The named file, else the one of the current folder, if there is one.
pub(super) fn config_file(common: &Common) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = &common.config {
        if path.is_file() {
            return Ok(Some(path.clone()));
        }
        return Err(Failure::usage(format!("there is no configuration file {}", path.display())));
    }
    let found: Vec<&str> = FILES.into_iter().filter(|f| Path::new(f).is_file()).collect();
    if let [first, second, ..] = found[..] {
        return Err(Failure::usage(format!(
            "both {first} and {second} are here; name one with --config, or remove one"
        )));
    }
    Ok(found.first().map(PathBuf::from))
}

fn unknown_key(key: &str, at: &SettingOrigin, near: Option<&str>) -> Failure {
    let hint = near.map_or(String::new(), |n| format!(" — did you mean `{n}`?"));
    Failure::usage(format!("unknown key `{key}` in {at}{hint}"))
}

/// The value of one of our keys, as a variable would have it.
fn plain(key: &Key, node: &Node) -> Result<String, String> {
    let name = key.name;
    match node {
        Node { value: Value::Text(text), .. } => Ok(text.clone()),
        Node { value: Value::Number(text), .. } if text.parse::<i64>().is_ok() => Ok(text.clone()),
        Node { value: Value::List(items), .. } if key.shape == Shape::List => {
            let text = |n: &Node| match &n.value {
                Value::Text(text) => Ok(text.clone()),
                _ => Err(format!("`{name}` must be a list of texts")),
            };
            Ok(items.iter().map(text).collect::<Result<Vec<_>, _>>()?.join(","))
        }
        Node { value: Value::Table(entries), .. } if key.shape == Shape::Table => {
            let entry = |(key, _, node): &(String, usize, Node)| match &node.value {
                Value::Text(text) => Ok(format!("{key}={text}")),
                _ => Err(format!("`{name}.{key}` must be a text")),
            };
            Ok(entries.iter().map(entry).collect::<Result<Vec<_>, _>>()?.join(","))
        }
        _ => Err(format!("`{name}` must be a text or a whole number")),
    }
}

/// The key of this name, else the nearest one.
pub(super) fn known(name: &str) -> Result<&'static Key, Option<&'static str>> {
    let near =
        || nearest(name, KEYS.iter().map(|k| k.name).chain(original::roots()).chain([receivers::KEY, sources::KEY]));
    KEYS.iter().find(|k| k.name == name).ok_or_else(near)
}

/// The most alike of some names, if any is alike at all.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|n| (strsim::jaro_winkler(n, name), n))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_told_the_nearest_one() {
        let told = |name| known(name).map(|key| key.name);
        assert_eq!(told("listen"), Ok("listen"));
        assert_eq!(told("listn"), Err(Some("listen")));
        assert_eq!(told("zzz"), Err(None));
    }

    #[test]
    fn what_flags_set_is_a_setting() {
        for (name, _) in crate::cli::Up::default().settings() {
            assert!(known(name).is_ok(), "{name}");
        }
    }
}
