//! The message of a group.

use super::storm::{Part, Storm, phase_of, source_of};
use barograph_domain::delivery::{Member, Message, MessageKind, Notice, Phase, fingerprint, message_id};
use barograph_domain::{Pattern, Ts};
use core::cmp::Reverse;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Members that a message names: as many as a program can be sent in one request.
const NAMED_MAX: usize = 100;
/// Members that are reported with their numbers: as many as a person reads.
const DETAILED_MAX: usize = 10;
/// Characters of a title, so that a lock screen shows it whole.
const TITLE_MAX: usize = 60;

/// Name of a group: the same in every replay.
pub(super) fn id(endpoint: &str, cause: &str, began: Ts) -> String {
    format!("group|{endpoint}|{cause}|{}", began.0)
}

/// What is reported of a storm now, but for some members.
pub(super) fn message(storm: &Storm, cause: &str, but: &BTreeSet<String>, now: Ts) -> Message {
    let parts: Vec<&Part> = storm.members.iter().filter(|(f, _)| !but.contains(*f)).map(|(_, p)| p).collect();
    made(storm, cause, parts, now)
}

/// That a storm is over, whatever its members do.
pub(super) fn closing(storm: &Storm, cause: &str, now: Ts) -> Message {
    let mut message = made(storm, cause, storm.members.values().collect(), now);
    let notice = &mut message.notice;
    if notice.phase != Phase::Resolved {
        notice.text.push_str(" What is still active is reported on its own from here.");
    }
    (notice.phase, notice.closed_at) = (Phase::Resolved, Some(now));
    message
}

/// What is news comes first, what goes on before what is over, the severest before others.
fn made(storm: &Storm, cause: &str, mut parts: Vec<&Part>, now: Ts) -> Message {
    parts.sort_by(|a, b| {
        let rank = |p: &Part| (!p.fresh, place_of(p.message.notice.phase), Reverse(p.message.notice.severity));
        rank(a).cmp(&rank(b)).then_with(|| a.message.notice.instrument.cmp(&b.message.notice.instrument))
    });
    let phase = phase_of(parts.iter().copied());
    let news = parts.iter().filter(|p| p.fresh).count();
    let members: Vec<&Arc<Message>> = parts.iter().map(|p| &p.message).collect();
    let first = members.first().map(|m| &m.notice);
    let pattern = first.and_then(|n| n.pattern).filter(|p| members.iter().all(|m| m.notice.pattern == Some(*p)));
    let rule = cause.strip_prefix("rule|").map(str::to_owned);
    let title = title(&members, pattern, rule.as_deref());
    let text = text(&members, phase, news);
    let mut notice = Notice {
        revision: storm.update,
        pattern,
        rule,
        source: source_of(&members).to_owned(),
        severity: members.iter().map(|m| m.notice.severity).max().unwrap_or(barograph_domain::Severity::Info),
        title,
        text,
        new_entries: first.map(|n| n.new_entries.clone()).unwrap_or_default(),
        open_positions: first.map(|n| n.open_positions.clone()).unwrap_or_default(),
        ts: members.iter().map(|m| m.notice.ts).max().unwrap_or(now),
        opened_at: storm.began,
        closed_at: (phase == Phase::Resolved).then_some(now),
        path: format!("/alerts?as_of={now}"),
        members: members.iter().take(NAMED_MAX).enumerate().filter_map(|(i, m)| member(i, m)).collect(),
        more_members: u32::try_from(members.len().saturating_sub(NAMED_MAX)).unwrap_or(u32::MAX),
        ..Notice::bare(MessageKind::Group, phase, storm.id.clone(), now)
    };
    notice.seed4 = seed4(&notice, &members);
    Message {
        id: message_id(&format!("{}|{}", storm.id, storm.update)),
        fingerprint: fingerprint(&storm.id),
        known_at: now,
        notice,
    }
}

const fn place_of(phase: Phase) -> u8 {
    match phase {
        Phase::Firing | Phase::Happened => 0,
        Phase::NoData => 1,
        Phase::Resolved => 2,
    }
}

fn member(place: usize, message: &Message) -> Option<Member> {
    let notice = &message.notice;
    let detailed = place < DETAILED_MAX;
    Some(Member {
        instrument: notice.instrument.clone()?,
        pattern: notice.pattern,
        opened_at: Some(notice.opened_at),
        closed_at: notice.closed_at,
        figures: if detailed { notice.figures.clone() } else { Vec::new() },
        clears: if detailed { notice.clears.clone() } else { String::new() },
        fired_30d: notice.fired_30d.filter(|_| detailed),
        known_days: notice.known_days.filter(|_| detailed),
        title: notice.title.clone(),
        severity: notice.severity,
        phase: notice.phase,
        alert_id: notice.alert_id.clone(),
        fingerprint: message.fingerprint.clone(),
    })
}

fn title(members: &[&Arc<Message>], pattern: Option<Pattern>, rule: Option<&str>) -> String {
    let what = rule.or_else(|| pattern.map(Pattern::name)).unwrap_or("Several alerts");
    let mut markets: Vec<_> = members.iter().map(|m| &m.notice.instrument).collect();
    markets.sort_unstable();
    markets.dedup();
    let whole = match (members.len(), markets.len()) {
        (1, _) => format!("{what} repeatedly on one market"),
        (n, 1) => format!("{what}: {n} alerts on one market"),
        (_, n) => format!("{what} on {n} markets"),
    };
    whole.chars().take(TITLE_MAX).collect()
}

fn text(members: &[&Arc<Message>], phase: Phase, news: usize) -> String {
    let count = |p| members.iter().filter(|m| m.notice.phase == p).count();
    let parts = [
        // A label that changed has no length: how many there are is said already.
        (count(Phase::Firing), "active"),
        (count(Phase::NoData), "without data"),
        (count(Phase::Resolved), "ended"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let markets: BTreeSet<_> = members.iter().map(|m| &m.notice.instrument).collect();
    let whole = match (members.len(), markets.len()) {
        (1, 1) => "Repeated on one market".to_owned(),
        (n, 1) => format!("Same cause, {n} alerts on one market"),
        (n, m) if n == m => format!("Same cause on {m} markets"),
        (n, m) => format!("Same cause on {m} markets, {n} alerts"),
    };
    let phases = if parts.is_empty() || members.len() == 1 { String::new() } else { format!(": {}", parts.join(", ")) };
    let end = match (phase, news) {
        (Phase::Resolved, _) => ". All have ended.".to_owned(),
        (_, n) if n > 0 && n < members.len() => format!("; {n} new since the last message."),
        _ => ".".to_owned(),
    };
    format!("{whole}{phases}{end}")
}

/// The first member's event with the group's words, so that programs of the fourth original hear of the storm as well.
fn seed4(notice: &Notice, members: &[&Arc<Message>]) -> String {
    let known: Vec<(&Arc<Message>, Value)> = members
        .iter()
        .filter_map(|m| Some((*m, serde_json::from_str::<Value>(&m.notice.seed4).ok().filter(Value::is_object)?)))
        .collect();
    let Some((_, first)) = known.first() else { return String::new() };
    let mut event = first.clone();
    event["title"] = json!(notice.title);
    event["description"] = json!(notice.text);
    event["severity"] = json!(notice.severity.seed4());
    event["timestamp"] = json!(notice.ts.iso_millis());
    if event.get("data").is_none_or(|d| !d.is_object()) {
        event["data"] = json!({});
    }
    event["data"]["symbols"] = known.iter().map(|(m, _)| json!(m.notice.symbol)).collect();
    event.to_string()
}
