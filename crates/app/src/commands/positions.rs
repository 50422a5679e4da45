//! `positions`: register, list, take out, and what was reported. A live process beside it takes notice within a minute.

use super::advise::{refused, service};
use crate::advice::print;
use crate::cli::PositionsCommand;
use crate::config::Settings;
use crate::failure::Failure;
use crate::positions::file;
use crate::term::Paint;
use barograph_api::AskPositions as _;
use barograph_domain::advice::PositionCard;
use barograph_query::service::Service;
use serde::Serialize;
use std::io::{StdoutLock, Write as _};

/// Fewest characters of an id that are taken for its beginning.
const PREFIX_MIN: usize = 4;

pub(crate) fn run(command: &PositionsCommand, settings: &Settings, json: bool) -> Result<(), Failure> {
    let service = service(settings)?;
    let mut out = std::io::stdout().lock();
    match command {
        PositionsCommand::Add(add) => {
            let card = service.register(&add.new_position()).map_err(refused)?;
            if json {
                line(&mut out, &card)?;
            } else {
                write!(out, "registered {}\n{}", card.position.id, print::card(&card, Paint::detect()))?;
            }
        }
        PositionsCommand::Ls { as_of } => {
            let mut cards = service.positions(*as_of).map_err(refused)?;
            let (listed, problems) = match as_of {
                None => of_file(&service, settings)?,
                Some(_) => (Vec::new(), Vec::new()),
            };
            let fresh = listed.len();
            cards.extend(listed);
            for card in &cards {
                if json {
                    line(&mut out, card)?;
                } else {
                    writeln!(out, "{}", print::card(card, Paint::detect()))?;
                }
            }
            if fresh > 0 && !json {
                writeln!(out, "{fresh} of positions_file not watched yet: a running barograph (up) takes them up")?;
            }
            out.flush()?;
            for problem in &problems {
                // Standard error may be closed; there is nobody left to report to.
                drop(writeln!(std::io::stderr(), "barograph: {problem}"));
            }
            if cards.is_empty() && problems.is_empty() && !json {
                let add = "add one with: barograph positions add SYMBOL --side … --entry …";
                match as_of {
                    Some(t) => writeln!(out, "no positions were registered at {t}")?,
                    None => writeln!(out, "no positions are registered\n{add}")?,
                }
            }
        }
        PositionsCommand::Rm { id } => {
            let id = whole(&service, id)?;
            service.unregister(&id).map_err(refused)?;
            if !json {
                writeln!(out, "{id} is watched no more")?;
            }
        }
        PositionsCommand::Notices { id, limit } => {
            let id = id.as_ref().map(|id| whole(&service, id)).transpose()?;
            let notices = service.notices(id.as_deref(), None, *limit).map_err(refused)?;
            if notices.is_empty() && !json {
                writeln!(out, "no notices: nothing has changed for the registered positions while they were watched")?;
            }
            for n in notices {
                if json {
                    line(&mut out, &n)?;
                } else {
                    writeln!(out, "{}", print::notice(&n))?;
                }
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// What the settings' positions file lists and nobody has taken up yet, and what is wrong with the rest of it.
fn of_file(service: &Service, settings: &Settings) -> Result<(Vec<PositionCard>, Vec<String>), Failure> {
    let Some(path) = &settings.positions_file else { return Ok((Vec::new(), Vec::new())) };
    let entries = file::read(path).map_err(Failure::usage)?;
    let (cards, problems) = service.listed_positions(&entries).map_err(refused)?;
    Ok((cards, problems.into_iter().map(|p| format!("{}: {p}", path.display())).collect()))
}

fn line<T: Serialize>(out: &mut StdoutLock<'_>, value: &T) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The id that begins like this; what begins no registered one is taken as it is.
fn whole(service: &Service, id: &str) -> Result<String, Failure> {
    let known = service.positions(None).map_err(refused)?;
    let ids: Vec<&str> = known.iter().map(|c| c.position.id.as_str()).collect();
    if ids.contains(&id) || id.len() < PREFIX_MIN {
        return Ok(id.to_owned());
    }
    match ids.iter().filter(|known| known.starts_with(id)).collect::<Vec<_>>()[..] {
        [] => Ok(id.to_owned()),
        [one] => Ok((*one).to_owned()),
        [..] => Err(Failure::usage(format!("several ids begin with '{id}'; write more of it"))),
    }
}
