//! `alerts`: what people received, silences, and having something sent again.
//!
//! Questions are read from the store. A command goes to the process that delivers, if there is one, at the address of the setting
//! `listen`; where nobody delivers, this command takes that role for a moment and writes itself.

mod deliver;
mod sample;
mod watch;

use super::advise::{refused, service};
use crate::cli::{AlertSilence, Alerts};
use crate::config::Settings;
use crate::failure::Failure;
use crate::http;
use crate::term::{fold, minute, number_of};
use barograph_api::{
    AskDeliveries as _, DeliveryFilter, DeliveryView, MessageView, NewSilence, QueryError, SilenceView,
};
use barograph_domain::delivery::{Compare, Delivery, DeliveryState, Matcher};
use barograph_domain::text::escape_control;
use barograph_domain::{Span, Ts};
use barograph_query::delivery::{DeliveryDesk, ask};
use barograph_query::service::Service;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{StdoutLock, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

/// Columns of a terminal.
const WIDTH: usize = 80;

pub(crate) fn run(command: &Alerts, settings: &Settings, json: bool) -> Result<(), Failure> {
    match command {
        Alerts::Test { name } => return sample::run(name.as_deref(), settings, json),
        Alerts::Deliver { limit } => return deliver::run(limit, settings, json),
        Alerts::Ls(_)
        | Alerts::Show { .. }
        | Alerts::Dead { .. }
        | Alerts::Replay { .. }
        | Alerts::Enable { .. }
        | Alerts::Silences { .. }
        | Alerts::Silence(_)
        | Alerts::Unsilence { .. }
        | Alerts::Watch(_)
        | Alerts::Watches
        | Alerts::Unwatch { .. } => {}
    }
    let service = service(settings)?;
    let mut out = std::io::stdout().lock();
    match command {
        Alerts::Test { .. } | Alerts::Deliver { .. } => {}
        Alerts::Ls(ls) => {
            let state = ls.state.as_deref().map(state).transpose()?;
            let filter = DeliveryFilter {
                state,
                endpoint: ls.endpoint.clone(),
                limit: ls.limit.max(1),
                ..DeliveryFilter::default()
            };
            let none = match (&ls.endpoint, state) {
                (None, None) => "nothing has been sent yet",
                (Some(_), None) => {
                    "nothing was sent to this endpoint; barograph alerts test lists those that are set up"
                }
                (_, Some(_)) => "no delivery is in that state",
            };
            list(&mut out, &service, &filter, none, json)?;
        }
        Alerts::Dead { limit } => {
            let filter = DeliveryFilter {
                state: Some(DeliveryState::Dead),
                limit: (*limit).max(1),
                ..DeliveryFilter::default()
            };
            list(&mut out, &service, &filter, "no failed deliveries", json)?;
        }
        Alerts::Show { message } => {
            let found = service.message(message).map_err(refused)?;
            if json { line(&mut out, &found)? } else { show(&mut out, &found, crate::clock::now_in(&settings.data))? }
        }
        Alerts::Replay { message, endpoint } => {
            for one in again(&service, settings, message, endpoint.as_deref())? {
                match (json, &one) {
                    (true, _) => line(&mut out, &one)?,
                    (false, one) => writeln!(out, "{message} waits again for {}", word(one, "endpoint"))?,
                }
            }
        }
        Alerts::Enable { name } => {
            let used = enable(&service, settings, name)?;
            match (json, used["disabled"].as_str()) {
                (true, _) => line(&mut out, &used)?,
                (false, None) => writeln!(out, "{name} is used again; {}", waiting(&used["waiting"]))?,
                (false, Some(why)) => writeln!(out, "{name} is not used: {why}")?,
            }
        }
        Alerts::Silences { all, as_of } => {
            let found = service.silences(*all, *as_of).map_err(refused)?;
            if found.is_empty() && !json {
                writeln!(out, "no silences")?;
            }
            for one in &found {
                if json { line(&mut out, one)? } else { silence(&mut out, one)? }
            }
        }
        Alerts::Silence(asked) => {
            let made = add(&service, settings, asked)?;
            if json {
                line(&mut out, &made)?;
            } else {
                writeln!(
                    out,
                    "silence {} holds until {}",
                    word(&made["silence"], "id"),
                    word(&made["silence"], "ends_at")
                )?;
            }
        }
        Alerts::Watch(asked) => watch::add(&mut out, &service, settings, asked, json)?,
        Alerts::Watches => {
            // The list is read from the folder: nobody has to be asked.
            service.keep_in(settings.data.clone());
            watch::list(&mut out, &service, json)?;
        }
        Alerts::Unwatch { id } => watch::remove(&mut out, &service, settings, id, json)?,
        Alerts::Unsilence { id } => {
            match desk(&service, settings)? {
                Some(listen) => drop(http::send(
                    (listen, settings.token.as_deref()),
                    "DELETE",
                    &format!("/api/v1/silences/{}", http::escaped(id)),
                    None,
                )?),
                None => service.end_silence(id).map_err(refused)?,
            }
            if !json {
                writeln!(out, "silence {id} has ended")?;
            }
        }
    }
    Ok(out.flush()?)
}

/// Who carries commands out: another process at this address, or (`None`) this one.
fn desk(service: &Service, settings: &Settings) -> Result<Option<SocketAddr>, Failure> {
    let desk = DeliveryDesk::alone(super::target(settings), ask::understand);
    if desk.claim()? {
        service.deliver_through(Arc::new(desk));
        return Ok(None);
    }
    settings.listen().map(Some)
}

fn add(service: &Service, settings: &Settings, asked: &AlertSilence) -> Result<Value, Failure> {
    let matchers: Result<Vec<Matcher>, Failure> =
        asked.matchers.iter().map(|text| ask::matcher(text).map_err(|w| Failure::usage(w.reason))).collect();
    let new = NewSilence {
        matchers: matchers?,
        author: asked.author.clone(),
        reason: asked.reason.clone(),
        ends_at: asked.until.clone(),
        duration: asked.duration.clone(),
    };
    match desk(service, settings)? {
        Some(listen) => {
            http::send((listen, settings.token.as_deref()), "POST", "/api/v1/silences", Some(&value(&new)?))
        }
        None => value(&service.put_silence(&new).map_err(refused)?),
    }
}

/// An endpoint in use again, as JSON.
fn enable(service: &Service, settings: &Settings, name: &str) -> Result<Value, Failure> {
    match desk(service, settings)? {
        Some(listen) => {
            let path = format!("/api/v1/endpoints/{}/enable", http::escaped(name));
            http::send((listen, settings.token.as_deref()), "POST", &path, Some(&json!({})))
        }
        None => match service.enable_endpoint(name) {
            Err(unknown @ QueryError::Unknown { .. }) => Err(Failure::usage(unknown)),
            used => value(&used.map_err(refused)?),
        },
    }
}

/// Deliveries that wait again, as JSON.
fn again(service: &Service, settings: &Settings, message: &str, endpoint: Option<&str>) -> Result<Vec<Value>, Failure> {
    let found = service.message(message).map_err(refused)?;
    let missed = |s: DeliveryState| s.is_final() && s != DeliveryState::Delivered;
    let to: Vec<String> = match endpoint {
        Some(one) => vec![one.to_owned()],
        None => found.deliveries.into_iter().filter(|d| missed(d.state)).map(|d| d.endpoint).collect(),
    };
    if to.is_empty() {
        return Err(Failure::usage(format!(
            "every delivery of '{message}' has been confirmed or still waits; see it with: barograph alerts show {message}"
        )));
    }
    let listen = desk(service, settings)?;
    to.iter()
        .map(|endpoint| match listen {
            Some(listen) => {
                let path = format!("/api/v1/deliveries/{}/replay", http::escaped(message));
                http::send((listen, settings.token.as_deref()), "POST", &path, Some(&json!({ "endpoint": endpoint })))
            }
            None => value(&service.replay(message, endpoint).map_err(refused)?),
        })
        .collect()
}

fn value<T: Serialize>(value: &T) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(Failure::broken)
}

fn word<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn line<T: Serialize>(out: &mut impl std::io::Write, value: &T) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

fn state(word: &str) -> Result<DeliveryState, Failure> {
    DeliveryState::from_name(&word.to_lowercase()).ok_or_else(|| {
        let known = DeliveryState::ALL.map(DeliveryState::name).join(", ");
        Failure::usage(format!("--state: there is no state '{word}'; write one of {known}"))
    })
}

fn list(
    out: &mut StdoutLock<'_>,
    service: &Service,
    filter: &DeliveryFilter,
    none: &str,
    json: bool,
) -> Result<(), Failure> {
    let found = service.deliveries(filter).map_err(refused)?;
    if found.items.is_empty() && !json {
        writeln!(out, "{none}")?;
    }
    for one in &found.items {
        if json { line(out, one)? } else { delivery(out, one)? }
    }
    if found.more && !json {
        writeln!(out, "there are more; see them with --limit {}", filter.limit * 10)?;
    }
    Ok(())
}

fn delivery(out: &mut StdoutLock<'_>, d: &DeliveryView) -> Result<(), Failure> {
    let market = d.instrument.as_ref().map_or_else(|| "several markets".to_owned(), ToString::to_string);
    let why = if d.reason.is_empty() { String::new() } else { format!(" ({})", d.reason) };
    writeln!(out, "{}  {} to {}{why}: {} {market}", minute(d.known_at), d.state.name(), d.endpoint, d.severity.name())?;
    writeln!(out, "  {}\n  {}", escape_control(&d.title), d.message)?;
    Ok(())
}

fn show(out: &mut StdoutLock<'_>, m: &MessageView, now: Ts) -> Result<(), Failure> {
    writeln!(out, "{}\n{}\n", escape_control(&m.notice.title), fold(&escape_control(&m.notice.text), WIDTH, ""))?;
    for figure in &m.notice.figures {
        writeln!(out, "  {}: {} against {}", figure.name, figure.value, figure.threshold)?;
    }
    for d in &m.deliveries {
        writeln!(out, "{}", stands(d, now))?;
        if let Some(via) = &d.via {
            writeln!(out, "  with the group's message {via}")?;
        }
    }
    for a in &m.attempts {
        let status = a.status.map_or_else(|| "no answer".to_owned(), |s| format!("status {s}"));
        let said = escape_control(&a.excerpt);
        let at = a.at.floor(Span::secs(1));
        writeln!(out, "  {at} {} {}: {status} after {} ms {said}", a.endpoint, a.outcome, a.latency_ms)?;
    }
    Ok(())
}

/// "desk: waiting, too late to deliver since 2026-02-05 12:30Z; tries: 0"
fn stands(d: &Delivery, now: Ts) -> String {
    let why = if d.reason.is_empty() { String::new() } else { format!(", {}", d.reason) };
    let until = minute(d.deliver_until);
    let when = match d.ended_at {
        Some(t) => format!(" at {}", minute(t)),
        None if d.deliver_until <= now => format!(", too late to deliver since {until}"),
        // Its moment has come: it waits for its receiver, or for a process that delivers.
        None if d.next_try <= now => format!(", next try when its turn comes, none after {until}"),
        None => format!(", next try at {}, none after {until}", minute(d.next_try)),
    };
    format!("{}: {}{why}{when}; tries: {}", d.endpoint, d.state.name(), d.attempts)
}

fn silence(out: &mut StdoutLock<'_>, s: &SilenceView) -> Result<(), Failure> {
    let is = if s.active { "active" } else { "not active" };
    let s = &s.silence;
    let sign = |op| match op {
        Compare::Is => "=",
        Compare::IsNot => "!=",
        Compare::Matches => "=~",
        Compare::DoesNotMatch => "!~",
    };
    let all: Vec<String> = s.matchers.iter().map(|m| format!("{}{}{}", m.label, sign(m.op), m.value)).collect();
    writeln!(out, "{} {is}: {} to {}", s.id, minute(s.starts_at), minute(s.ends_at))?;
    let (all, author, reason) = (all.join(" "), escape_control(&s.author), escape_control(&s.reason));
    writeln!(out, "  {}\n  {author}: {reason}", escape_control(&all))?;
    Ok(())
}

/// "3 deliveries wait for it"
fn waiting(n: &serde_json::Value) -> String {
    let n = n.as_u64().unwrap_or(0);
    format!("{} {} for it", number_of(n, "delivery"), if n == 1 { "waits" } else { "wait" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_says_when_it_is_tried_next_or_that_it_is_not() {
        let now = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let at = |minutes: i64| now + Span::mins(minutes);
        let waits = |next_try: i64, until: i64| Delivery {
            endpoint: "desk".to_owned(),
            message: "msg".to_owned(),
            state: DeliveryState::Waiting,
            via: None,
            reason: String::new(),
            deliver_until: at(until),
            attempts: 2,
            next_try: at(next_try),
            ended_at: None,
        };
        let ended = Delivery {
            state: DeliveryState::Expired,
            reason: "too_old".to_owned(),
            ended_at: Some(at(-5)),
            ..waits(-10, -5)
        };
        for (delivery, want) in [
            (waits(3, 30), "waiting, next try at 2026-02-05 12:03Z, none after 2026-02-05 12:30Z"),
            (waits(0, 30), "waiting, next try when its turn comes, none after 2026-02-05 12:30Z"),
            (waits(-3, 30), "waiting, next try when its turn comes, none after 2026-02-05 12:30Z"),
            // Nobody delivers: the listing has the present moment as its next try, the store one of before.
            (waits(0, -1), "waiting, too late to deliver since 2026-02-05 11:59Z"),
            (waits(-3, 0), "waiting, too late to deliver since 2026-02-05 12:00Z"),
            (ended, "expired, too_old at 2026-02-05 11:55Z"),
        ] {
            assert_eq!(stands(&delivery, now), format!("desk: {want}; tries: 2"));
        }
    }
}
