//! `alerts watch`, `watches` and `unwatch`: what somebody wants to hear of once it turns.
//!
//! The process that listens keeps and judges them; where none runs, this command writes the file itself and the next
//! `barograph up` judges them.

use crate::cli::AlertWatchArgs;
use crate::commands::advise::refused;
use crate::config::Settings;
use crate::failure::Failure;
use crate::http;
use crate::signal_words::UsedValues;
use crate::term::{fold, minute};
use barograph_api::watches::{NewWatch, WatchPast, WatchView};
use barograph_api::{AskWatches as _, QueryError};
use barograph_domain::text::{escape_control, number_of};
use barograph_query::service::Service;
use barograph_query::watch::{DeskError, WatchDesk};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Who keeps them: another process at this address, or (`None`) this one.
fn keeper(service: &Service, settings: &Settings) -> Result<Option<SocketAddr>, Failure> {
    match WatchDesk::open(&settings.data) {
        Ok(desk) => {
            service.keep_watches(Arc::new(desk));
            Ok(None)
        }
        Err(DeskError::Held) => settings.listen().map(Some),
        Err(e @ (DeskError::Io(..) | DeskError::Unreadable(..))) => Err(Failure::broken(e)),
    }
}

pub(super) fn add(
    out: &mut impl Write,
    service: &Service,
    settings: &Settings,
    asked: &AlertWatchArgs,
    json: bool,
) -> Result<(), Failure> {
    let when = asked.when.join(" ");
    let past = service.watch_past(&asked.market, &when).map_err(refused)?;
    if asked.only_tried {
        return if json { super::line(out, &past) } else { print_tried(out, &past) };
    }
    let new = NewWatch {
        market: asked.market.clone(),
        when,
        repeat: asked.repeat,
        note: asked.note.clone(),
        to: asked.to.clone(),
    };
    let listen = keeper(service, settings)?;
    let made = match listen {
        Some(listen) => {
            let body = super::value(&new)?;
            http::send((listen, settings.token.as_deref()), "POST", "/api/v1/watches", Some(&body))?
        }
        None => super::value(&service.put_watch(&new).map_err(refused)?)?,
    };
    if json {
        return super::line(out, &made);
    }
    let watch = &made["watch"];
    let (market, words) = (super::word(watch, "instrument"), super::word(watch, "words"));
    let how = if asked.repeat { "every time" } else { "once" };
    writeln!(out, "{}", fold(&format!("watching {market}: {words}, {how}"), WIDTH, ""))?;
    if let Some(now) = made["now"].as_str() {
        writeln!(out, "{}", fold(&format!("now {}", escape_control(now)), WIDTH, ""))?;
    } else if let Some(why) = made["why_not_now"].as_str() {
        writeln!(out, "{}", fold(&format!("no reading: {}", escape_control(why)), WIDTH, ""))?;
    }
    print_tried(out, &past)?;
    writeln!(out, "remove it with: barograph alerts unwatch {}", super::word(watch, "id"))?;
    if listen.is_none() {
        let none = "nothing is listening on this data folder: it is judged from the next barograph up on";
        writeln!(out, "{}", fold(none, WIDTH, ""))?;
    }
    Ok(())
}

/// How often it came true before, and for a signal which values that is of.
fn print_tried(out: &mut impl Write, past: &WatchPast) -> Result<(), Failure> {
    writeln!(out, "{}", fold(&tried(past), WIDTH, ""))?;
    if let Some(unit) = &past.unit {
        writeln!(out, "{}", fold(&format!("its values are in {}", escape_control(unit)), WIDTH, ""))?;
    }
    for of in &past.signals {
        let (name, source) = (escape_control(&of.name), escape_control(&of.source));
        let used = UsedValues {
            name: &name,
            source: &source,
            scope: &of.scope,
            revisions: of.revisions,
            stated: of.stated,
            assumed: of.assumed,
            digest: &of.digest,
        };
        let on = format!("a value on {}", number_of(of.minutes, "minute"));
        writeln!(out, "{}", fold(&used.sentence(&on), WIDTH, ""))?;
    }
    Ok(())
}

/// How often it came true before: a watch that turns ten times a day is no news.
fn tried(past: &WatchPast) -> String {
    let WatchPast { words, since, until, turns, recent, .. } = past;
    let (Some(since), Some(until)) = (*since, *until) else {
        return format!("{words}: no reading of it is stored yet");
    };
    let over = (until - since).spoken();
    match (*turns, recent.first()) {
        (1, Some(last)) => format!("{words}: once in the last {over}, {}", minute(*last)),
        (n, Some(last)) => format!("{words}: {n} times in the last {over}, last {}", minute(*last)),
        (_, None) => format!("{words}: not once in the last {over}"),
    }
}

pub(super) fn list(out: &mut impl Write, service: &Service, json: bool) -> Result<(), Failure> {
    let found = service.watches().map_err(refused)?;
    if found.items.is_empty() && !json {
        writeln!(out, "no watches; make one with: barograph alerts watch BTCUSDT risk leaves HIGH_VOL")?;
    }
    for one in &found.items {
        if json { super::line(out, one)? } else { show(out, one)? }
    }
    Ok(())
}

fn show(out: &mut impl Write, one: &WatchView) -> Result<(), Failure> {
    let watch = &one.watch;
    let state = match (watch.ended_at, watch.repeat, watch.turns) {
        (Some(at), ..) => format!("came true {}", minute(at)),
        (None, true, n) if n > 0 => format!("waits again, came true {n}×"),
        (None, ..) => "waits".to_owned(),
    };
    writeln!(out, "{} {state}", watch.id)?;
    writeln!(out, "{}", fold(&format!("{}: {}", watch.instrument, watch.words), WIDTH - 2, "  "))?;
    if let Some(note) = &watch.note {
        writeln!(out, "{}", fold(&escape_control(note), WIDTH - 2, "  "))?;
    }
    match (watch.fired.first(), &one.now) {
        (Some(turn), _) => writeln!(out, "{}", fold(&format!("{} {}", minute(turn.ts), turn.text), WIDTH - 2, "  "))?,
        (None, Some(now)) => {
            writeln!(out, "{}", fold(&format!("now {}", escape_control(now)), WIDTH - 2, "  "))?;
        }
        (None, None) => {
            if let Some(why) = &one.why_not_now {
                writeln!(out, "{}", fold(&format!("no reading: {}", escape_control(why)), WIDTH - 2, "  "))?;
            }
        }
    }
    Ok(())
}

pub(super) fn remove(
    out: &mut impl Write,
    service: &Service,
    settings: &Settings,
    id: &str,
    json: bool,
) -> Result<(), Failure> {
    match keeper(service, settings)? {
        Some(listen) => {
            let path = format!("/api/v1/watches/{}", http::escaped(id));
            drop(http::send((listen, settings.token.as_deref()), "DELETE", &path, None)?);
        }
        None => service.remove_watch(id).map_err(|e| match e {
            unknown @ QueryError::Unknown { .. } => {
                Failure::usage(format!("{unknown}; see them with: barograph alerts watches"))
            }
            other => refused(other),
        })?,
    }
    if !json {
        writeln!(out, "watch {id} is removed")?;
    }
    Ok(())
}
