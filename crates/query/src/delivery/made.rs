//! Receivers that people make on the page: kept beside the settings, in `receivers.json` of the data folder, which only its owner
//! may read.
//!
//! Less can be said of them than in a `[[receiver]]` table, and nothing that would let a page reach addresses at home: plain http and
//! private addresses are permitted by whoever starts the process, in the same variables as for `WEBHOOKS_…` lists.

use super::ask::Wrong;
use barograph_api::NewReceiver;
use barograph_notify::receiver::{Permitted, Receiver, ReceiverConfig};
use serde_json::{Map, Value, json};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const FILE: &str = "receivers.json";
/// Receivers made on the page, at most: each has a queue and a clock of its own.
const MOST: usize = 50;

/// The file, and what is said of all of them.
#[derive(Clone, Debug)]
pub struct MadeReceivers {
    file: PathBuf,
    dashboard: String,
    permitted: Permitted,
}

fn wrong(field: &'static str, value: &str, reason: impl Into<String>) -> Wrong {
    Wrong { field, value: value.to_owned(), reason: reason.into() }
}

impl MadeReceivers {
    /// Those of a data folder. `dashboard`: where links of messages lead.
    pub fn of(folder: &Path, dashboard: &str, permitted: Permitted) -> Self {
        Self { file: folder.join(FILE), dashboard: dashboard.to_owned(), permitted }
    }

    /// All of them, checked.
    ///
    /// # Errors
    /// The file and what is wrong with it, without secrets.
    pub fn read(&self) -> Result<Vec<Receiver>, String> {
        let named = |why: String| format!("{}: {why}", self.file.display());
        self.stored()?.iter().map(|new| self.receiver(new).map_err(|w| named(w.reason))).collect()
    }

    fn stored(&self) -> Result<Vec<NewReceiver>, String> {
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(format!("{}: {e}", self.file.display())),
        };
        // What was written is never repeated: it holds secrets.
        serde_json::from_str(&text).map_err(|e| format!("{} cannot be read, line {}", self.file.display(), e.line()))
    }

    /// The receiver that is meant.
    ///
    /// # Errors
    /// The field that is wrong, and why; never a secret.
    pub fn receiver(&self, new: &NewReceiver) -> Result<Receiver, Wrong> {
        let mut table = Map::new();
        let texts = [
            ("url", Some(&new.url)),
            ("secrets", new.secret.as_ref()),
            ("token", new.token.as_ref()),
            ("chat_id", new.chat_id.as_ref()),
            ("budget", new.budget.as_ref()),
        ];
        for (key, text) in texts {
            if let Some(text) = text.map(|t| t.trim()).filter(|t| !t.is_empty()) {
                table.insert(key.to_owned(), json!(text));
            }
        }
        table.insert("name".to_owned(), json!(new.name.trim()));
        table.insert("format".to_owned(), json!(new.format.trim()));
        let unread = |_| wrong("name", &new.name, "the receiver cannot be read");
        let mut config: ReceiverConfig = serde_json::from_value(Value::Object(table)).map_err(unread)?;
        config.severity = new.severity;
        (config.allow_http, config.allow_private) = (self.permitted.http, self.permitted.private.clone());
        let made = config.receiver(&self.dashboard).map_err(|why| {
            let why = self.permitted.named(&why);
            wrong(field_of(&why), "", why)
        })?;
        Ok(Receiver { made: true, from_variable: true, ..made })
    }

    /// Keeps one more.
    ///
    /// # Errors
    /// The field that is wrong; or the file cannot be written.
    pub fn add(&self, new: &NewReceiver, taken: &[String]) -> Result<(), Wrong> {
        let receiver = self.receiver(new)?;
        if taken.contains(&receiver.name) {
            let why = format!("there is a receiver '{}' already; names tell them apart", receiver.name);
            return Err(wrong("name", &new.name, why));
        }
        let mut all = self.stored().map_err(|why| wrong("name", &new.name, why))?;
        if all.len() >= MOST {
            return Err(wrong("name", &new.name, format!("{MOST} receivers have been made here already; remove one")));
        }
        all.push(new.clone());
        self.write(&all).map_err(|why| wrong("name", &new.name, why))
    }

    /// Keeps one no more; false where none of this name was made here.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn remove(&self, name: &str) -> Result<bool, String> {
        let mut all = self.stored()?;
        let before = all.len();
        all.retain(|new| new.name.trim() != name);
        if all.len() == before {
            return Ok(false);
        }
        self.write(&all).map(|()| true)
    }

    fn write(&self, all: &[NewReceiver]) -> Result<(), String> {
        let beside = self.file.with_extension("json.new");
        let write = || {
            let mut options = OpenOptions::new();
            options.create(true).write(true).truncate(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o600);
            }
            let mut out = options.open(&beside)?;
            out.write_all(&serde_json::to_vec_pretty(all)?)?;
            out.sync_all()?;
            std::fs::rename(&beside, &self.file)
        };
        write().map_err(|e| format!("{}: {e}", self.file.display()))
    }
}

/// The field of the form that a reason is about.
fn field_of(why: &str) -> &'static str {
    let of = [
        ("budget", "budget"),
        ("no format", "format"),
        ("secret", "secret"),
        ("chat_id", "chat_id"),
        ("token", "token"),
        ("url", "url"),
        ("address", "url"),
        ("port", "url"),
    ];
    of.into_iter().find(|(word, _)| why.contains(word)).map_or("name", |(_, field)| field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Severity;

    fn new(name: &str, url: &str) -> NewReceiver {
        NewReceiver {
            name: name.to_owned(),
            format: "json".to_owned(),
            url: url.to_owned(),
            secret: None,
            token: None,
            chat_id: None,
            severity: Some(Severity::High),
            budget: Some("3/day".to_owned()),
        }
    }

    fn at(folder: &Path) -> MadeReceivers {
        MadeReceivers::of(folder, "http://127.0.0.1:8600", Permitted::default())
    }

    #[test]
    fn what_is_made_is_there_after_a_restart_and_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        at(dir.path()).add(&new("phone", "https://hooks.example/s3cret"), &[]).unwrap();
        let found = at(dir.path()).read().unwrap();
        assert_eq!((found.len(), found[0].name.as_str(), found[0].made), (1, "phone", true));
        assert_eq!(
            (found[0].filter.severity_min, found[0].budget.map(|b| b.to_string())),
            (Severity::High, Some("3/day".into()))
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(at(dir.path()).remove("desk"), Ok(false));
        assert_eq!((at(dir.path()).remove("phone"), at(dir.path()).read().unwrap().len()), (Ok(true), 0));
    }

    #[test]
    fn what_cannot_be_used_names_the_field_and_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let taken = ["desk".to_owned()];
        let refused = |change: &dyn Fn(&mut NewReceiver)| {
            let mut one = new("phone", "https://hooks.example/s3cret");
            change(&mut one);
            let w = at(dir.path()).add(&one, &taken).unwrap_err();
            assert!(!w.reason.contains("s3cret") && !w.value.contains("s3cret"), "{w:?}");
            (w.field, w.reason)
        };
        type Case<'a> = (&'a dyn Fn(&mut NewReceiver), &'a str, &'a str);
        let cases: [Case<'_>; 7] = [
            (&|n| n.name = "desk".into(), "name", "already"),
            (&|n| n.name = "My Phone".into(), "name", "lower-case"),
            (&|n| n.format = "fax".into(), "format", "'fax' is no format"),
            (&|n| n.url = "http://hooks.example/s3cret".into(), "url", "WEBHOOKS_ALLOW_HTTP"),
            (&|n| n.url = "https://127.0.0.1/s3cret".into(), "url", "WEBHOOKS_ALLOW_PRIVATE"),
            (&|n| n.budget = Some("3 a day".into()), "budget", "write 3/day"),
            (&|n| n.format = "standard".into(), "secret", "signing secret"),
        ];
        for (change, field, says) in cases {
            let (found, reason) = refused(change);
            assert!(found == field && reason.contains(says), "{found}: {reason}");
        }
        assert!(!dir.path().join(FILE).exists(), "nothing was kept");
    }

    #[test]
    fn a_damaged_file_is_named_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "[{\"url\": \"s3cret\"}]").unwrap();
        let why = at(dir.path()).read().unwrap_err();
        assert!(why.contains("receivers.json cannot be read, line 1") && !why.contains("s3cret"), "{why}");
        assert!(at(dir.path()).add(&new("phone", "https://hooks.example/x"), &[]).is_err(), "it is not overwritten");
    }
}
