//! `contest`: statistical forecasters beside the rules, and whether one of them has earned to be used.

use super::scores::version;
use super::{reader, target};
use crate::cli::ContestArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::ingest;
use crate::scores::contest::contest as on_paper;
use barograph_query::contest::{ContestAsked, InUse, contest as judge};
use barograph_query::service::Service;
use barograph_store::Reader;
use std::io::Write as _;

pub(crate) fn run(args: &ContestArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let (logic, book) = version(reader.as_ref(), settings)?;
    let mut writer = ingest::open_target(&target(settings))?;
    let made = crate::contest::update(reader.as_ref(), writer.as_mut(), &logic)?;
    drop(writer);
    let asked = ContestAsked { events: args.event.clone(), as_of: None };
    let found = judge(reader.as_ref(), &logic, &book, &asked)?;
    if found.span.is_none() {
        return Err(Failure::usage(format!(
            "no forecast of {logic} was registered yet, so there is nothing to contest: every import and every live minute \
             registers them; try barograph collect --source PATH"
        )));
    }
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &found).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", on_paper(&found))?;
    }
    out.flush()?;
    let mut err = std::io::stderr().lock();
    match made.from {
        Some(from) => writeln!(err, "barograph: forecasts of contestants made from {} on: {} ticks", from, made.ticks)?,
        None => writeln!(err, "barograph: contestants are up to date")?,
    }
    Ok(())
}

/// Whose forecasts are used, by the setting `contest`; refused where a record does not speak for the choice.
pub(crate) fn in_use(reader: &dyn Reader, settings: &Settings) -> Result<InUse, Failure> {
    let (logic, _) = version(reader, settings)?;
    InUse::chosen(reader, &logic, &settings.contest).map_err(|e| match e {
        barograph_query::Error::NotEarned { .. } => Failure::usage(e),
        barograph_query::Error::Store(_)
        | barograph_query::Error::Book { .. }
        | barograph_query::Error::TooManyCases { .. }
        | barograph_query::Error::NotAsKept(_) => e.into(),
    })
}

/// A service that shows what was chosen. Without a choice nothing is asked of the store.
pub(crate) fn choose(service: &Service, settings: &Settings) -> Result<(), Failure> {
    if settings.contest.is_empty() {
        return Ok(());
    }
    let in_use = in_use(reader(settings)?.as_ref(), settings)?;
    Ok(service.use_contestants(in_use)?)
}

/// Refuses to begin with a choice that is not earned. Without a choice nothing is asked of the store.
pub(crate) fn check(settings: &Settings) -> Result<(), Failure> {
    if settings.contest.is_empty() {
        return Ok(());
    }
    in_use(reader(settings)?.as_ref(), settings).map(drop)
}
