//! `doctor`: everything a live process needs, looked at one after another; each line says what to do.
//!
//! Nothing is changed and nothing is kept. `bad` is what would stop a live process or make its data wrong, and ends the command
//! with code 1; `warn` is what will or may.

mod folder;
mod venue;

use crate::cli::Doctor;
use crate::commands::{reader, target, up};
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::{book_id, configured};
use crate::term::fold;
use barograph_store::StoreTarget;
use serde::Serialize;
use std::io::Write as _;

/// Width of a verdict.
const HANG: &str = "      ";

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warn,
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    /// What: `settings`, `clock`, `disk` …
    check: &'static str,
    /// Whose, where it is a venue's.
    #[serde(skip_serializing_if = "Option::is_none")]
    venue: Option<&'static str>,
    verdict: Verdict,
    text: String,
    /// What to do about it.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, venue: None, verdict: Verdict::Ok, text: text.into(), todo: None }
    }
    fn warn(check: &'static str, text: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, todo: Some(todo.into()), ..Self::ok(check, text) }
    }
    fn bad(check: &'static str, text: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, todo: Some(todo.into()), ..Self::ok(check, text) }
    }
    const fn of(mut self, venue: &'static str) -> Self {
        self.venue = Some(venue);
        self
    }

    fn print(&self, json: bool) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        if json {
            let line = serde_json::to_string(self).map_err(Failure::broken)?;
            return Ok(writeln!(out, "{line}")?);
        }
        let word = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Bad => "bad",
        };
        let what = self.venue.map_or_else(|| self.check.to_owned(), |venue| format!("{venue} {}", self.check));
        // The verdict stands in front, everything else hangs behind it.
        let body = fold(&format!("{what}: {}", self.text), 80, HANG);
        writeln!(out, "{word:<6}{}", body.strip_prefix(HANG).unwrap_or(&body))?;
        if let Some(todo) = &self.todo {
            writeln!(out, "{}", fold(&format!("→ {todo}"), 80, HANG))?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Doctor, settings: &Settings, json: bool) -> Result<(), Failure> {
    let mut bad = 0;
    let mut say = |findings: Vec<Finding>| -> Result<(), Failure> {
        bad += findings.iter().filter(|f| f.verdict == Verdict::Bad).count();
        findings.iter().try_for_each(|f| f.print(json))
    };
    say(settings_of(settings))?;
    say(folder::inspect(settings)?)?;
    say(vec![database(settings)])?;
    say(unfinished(settings).into_iter().collect())?;
    say(redis(settings).into_iter().collect())?;
    match up::asked(&args.up(), settings) {
        Ok(asked) => asked.iter().try_for_each(|one| say(venue::inspect(one)?))?,
        Err(failure) => {
            let text = failure.text().unwrap_or_default();
            say(vec![Finding::bad("venues", text, "correct the setting; see barograph config show")])?;
        }
    }
    match bad {
        0 => Ok(()),
        n => Err(Failure::No(format!("{n} of the above must be put right before listening"))),
    }
}

fn settings_of(settings: &Settings) -> Vec<Finding> {
    let file = settings.file().map_or_else(|| "no file".to_owned(), |f| f.display().to_string());
    let mut out = vec![Finding::ok("settings", format!("{file}, environment and flags are understood"))];
    let unused: Vec<&str> = settings.written.noted.iter().filter(|n| n.sets.is_none()).map(|n| n.key).collect();
    if !unused.is_empty() {
        let text = format!("kept but without effect: {}", unused.join(", "));
        out.push(Finding::warn("settings", text, "see why with barograph config show"));
    }
    if let Err(failure) = settings.must_monitor() {
        out.push(Finding::warn("settings", failure.text().unwrap_or_default(), "`up` and `collect` will refuse"));
    }
    if let Err(failure) = settings.receivers() {
        let text = failure.text().unwrap_or_default();
        out.push(Finding::warn(
            "receivers",
            text,
            "until it is mended no alert is delivered; then try it with barograph alerts test NAME",
        ));
    }
    out.push(match book_id(settings) {
        Ok(book) => Finding::ok("rule book", format!("'{}' is sound", book.name)),
        Err(failure) => Finding::bad(
            "rule book",
            failure.text().unwrap_or_default(),
            "every mistake with its line: barograph rules check FILE",
        ),
    });
    out
}

/// Minutes that an import was stopped before making: until the next one, points say the new and minutes the old. What cannot be
/// asked here has been reported with the database or the rule book.
fn unfinished(settings: &Settings) -> Option<Finding> {
    let dirty = reader(settings).ok()?.dirty(&configured(settings, String::new()).ok()?.logic_version).ok()?;
    // A market without any minutes under this rule book is not half done.
    let markets: Vec<String> =
        dirty.iter().filter_map(|d| d.since.map(|since| format!("{} from {since}", d.instrument))).collect();
    let text = format!("not up to date, because an import was stopped half-way: {}", markets.join(", "));
    let todo = "import the files again, which brings them up to date: barograph replay FILES --data FOLDER";
    (!markets.is_empty()).then(|| Finding::warn("minutes", text, todo))
}

fn database(settings: &Settings) -> Finding {
    let target = target(settings);
    if let StoreTarget::Folder(data) = &target
        && !data.exists()
    {
        return Finding::ok("database", "none yet; SQLite in the data folder will be made");
    }
    let markets = reader(settings).and_then(|reader| Ok(reader.instruments(None)?.len()));
    match (markets, &target) {
        (Ok(n), _) => Finding::ok("database", format!("{target} answers; markets in it: {n}")),
        (Err(failure), StoreTarget::Postgres(_)) => Finding::bad(
            "database",
            failure.text().unwrap_or_default(),
            "is the server running, and are name, password and address in db_url right? then: barograph db migrate",
        ),
        (Err(failure), StoreTarget::Folder(_)) => Finding::bad(
            "database",
            failure.text().unwrap_or_default(),
            "make it with barograph db migrate, or look for damage with barograph db check",
        ),
    }
}

/// The mirror; a live process goes on without it.
fn redis(settings: &Settings) -> Option<Finding> {
    let address = settings.redis.as_ref()?;
    Some(match barograph_mirror::probe(address) {
        Ok(()) => Finding::ok("redis", format!("{address} answers")),
        Err(why) => Finding::warn(
            "redis",
            format!("{address}: {why}"),
            "`up` will run and mirror nothing until the server is back; is it running, and are address and password in the setting \
             redis right?",
        ),
    })
}
