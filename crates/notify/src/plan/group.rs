//! The message of a group.

use super::storm::{Part, Storm, phase_of, source_of};
use barograph_domain::delivery::{Member, Message, MessageKind, Notice, Phase, fingerprint, message_id};
use barograph_domain::{InstrumentName, Pattern, Span, Ts};
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
    let members: Vec<&Arc<Message>> = parts.iter().map(|p| &p.message).collect();
    let first = members.first().map(|m| &m.notice);
    let pattern = first.and_then(|n| n.pattern).filter(|p| members.iter().all(|m| m.notice.pattern == Some(*p)));
    let rule = cause.strip_prefix("rule|").map(str::to_owned);
    let said = GroupText::of(&parts, pattern, rule.as_deref(), phase);
    let alone = first.filter(|_| members.len() == 1);
    let mut notice = Notice {
        revision: storm.update,
        pattern,
        rule,
        source: source_of(&members).to_owned(),
        severity: members.iter().map(|m| m.notice.severity).max().unwrap_or(barograph_domain::Severity::Info),
        instrument: alone.and_then(|n| n.instrument.clone()),
        symbol: alone.map(|n| n.symbol.clone()).unwrap_or_default(),
        title: said.title,
        text: said.text,
        headline: said.headline,
        figures: alone.map(|n| n.figures.clone()).unwrap_or_default(),
        new_entries: first.map(|n| n.new_entries.clone()).unwrap_or_default(),
        open_positions: first.map(|n| n.open_positions.clone()).unwrap_or_default(),
        clears: alone.map(|n| n.clears.clone()).unwrap_or_default(),
        fired_30d: alone.and_then(|n| n.fired_30d),
        known_days: alone.and_then(|n| n.known_days),
        ts: members.iter().map(|m| m.notice.ts).max().unwrap_or(now),
        opened_at: storm.began,
        closed_at: (phase == Phase::Resolved).then_some(now),
        path: alone.map_or_else(|| format!("/alerts?as_of={now}"), |n| n.path.clone()),
        members: parts.iter().take(NAMED_MAX).enumerate().filter_map(|(i, p)| member(i, p)).collect(),
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

fn member(place: usize, part: &Part) -> Option<Member> {
    let (message, notice) = (&part.message, &part.message.notice);
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
        times: Some(part.tally.times()),
    })
}

/// What a group says in words: which markets, how many alerts, and the numbers of the first of them.
struct GroupText {
    title: String,
    text: String,
    headline: String,
}

impl GroupText {
    /// Of parts in the order in which they are named. One that is alone reads as its own message would, and how often it came.
    fn of(parts: &[&Part], pattern: Option<Pattern>, rule: Option<&str>, phase: Phase) -> Self {
        let Some(first) = parts.first() else {
            return Self { title: String::new(), text: String::new(), headline: String::new() };
        };
        let names = Names::of(parts);
        let lead = &first.message.notice;
        let own = |n: &Notice| if n.headline.is_empty() { n.title.clone() } else { n.headline.clone() };
        let what = rule.map(str::to_owned).or_else(|| pattern.map(spoken));
        let liquidated = Liquidated::of(parts, pattern);
        let (title, text, headline) = match (parts.len(), names.markets.len(), first.tally.times()) {
            (1, _, 0 | 1) if first.came_and_went() => {
                (lead.title.clone(), format!("Came and went. {}", lead.text), own(lead))
            }
            (1, _, 0 | 1) => (lead.title.clone(), lead.text.clone(), own(lead)),
            (1, _, times) => {
                let what = what.unwrap_or_else(|| "Alert".to_owned());
                let text = format!("{times} times on {}. The last: {}", names.first(), lead.text);
                (format!("{what} {times} times on {}", names.first()), text, own(lead))
            }
            (n, 1, _) => {
                let what = what.map(|what| format!("{what}: ")).unwrap_or_default();
                let text = format!("Same cause, {n} alerts on {}", names.first());
                (format!("{what}{n} alerts on {}", names.first()), text, own(lead))
            }
            (n, m, _) => {
                let alerts = if n == m { String::new() } else { format!(", {n} alerts") };
                let text = format!("Same cause on {m} markets ({}){alerts}", names.listed());
                let speaks = parts.iter().map(|p| &p.message.notice).find(|n| !n.headline.is_empty()).unwrap_or(lead);
                let headline = if speaks.headline.is_empty() {
                    speaks.title.clone()
                } else {
                    format!("{}: {}", names.of_notice(speaks), speaks.headline)
                };
                let title = match &liquidated {
                    Some(all) => format!("Liquidations on {m} markets: {}", all.amount()),
                    None => format!("{} on {m} markets", what.unwrap_or_else(|| "Several alerts".to_owned())),
                };
                (title, text, headline)
            }
        };
        let text = if parts.len() == 1 {
            text
        } else {
            let all = liquidated.map(|all| format!(" {}", all.sentence())).unwrap_or_default();
            format!("{text}{}{all} {}: {}", stand(parts, phase), names.of_notice(lead), lead.text)
        };
        Self { title: title.chars().take(TITLE_MAX).collect(), text, headline }
    }
}

/// An event type as people read it: "Funding anomaly".
fn spoken(pattern: Pattern) -> String {
    let lower = pattern.name().to_lowercase().replace('_', " ");
    let mut chars = lower.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// What the bursts of a group were made of, all together.
struct Liquidated {
    count: f64,
    long_usd: f64,
    short_usd: f64,
    /// From the beginning of the first to the newest record.
    over: Span,
}

impl Liquidated {
    /// `None` where a part is no burst, or does not say.
    fn of(parts: &[&Part], pattern: Option<Pattern>) -> Option<Self> {
        if pattern != Some(Pattern::LiquidationCascade) {
            return None;
        }
        let mut all = Self { count: 0.0, long_usd: 0.0, short_usd: 0.0, over: Span::ZERO };
        for part in parts {
            let event: Value = serde_json::from_str(&part.message.notice.event).ok()?;
            let number = |name: &str| event["data"][name].as_f64();
            all.count += number("count")?;
            all.long_usd += number("liquidated_long_usd")?;
            all.short_usd += number("liquidated_short_usd")?;
        }
        let began = parts.iter().map(|p| p.message.notice.opened_at).min()?;
        let newest = parts.iter().map(|p| p.message.notice.ts).max()?;
        all.over = newest - began;
        Some(all)
    }

    /// "152 K USD, mostly shorts"
    fn amount(&self) -> String {
        let usd = self.long_usd + self.short_usd;
        let side = |share: f64, name: &str| match share {
            s if s >= 0.995 => Some(format!("all {name}")),
            s if s > 0.6 => Some(format!("mostly {name}")),
            _ => None,
        };
        let of = |part: f64| if usd > 0.0 { part / usd } else { 0.0 };
        let which = side(of(self.long_usd), "longs").or_else(|| side(of(self.short_usd), "shorts"));
        format!("{} USD, {}", compact(usd), which.unwrap_or_else(|| "both sides".to_owned()))
    }

    fn sentence(&self) -> String {
        format!("Together {} liquidations in {}: {}.", self.count, long(self.over), self.amount())
    }
}

/// Money as people read it: `950`, `77 K`, `1.2 M`.
fn compact(x: f64) -> String {
    let (x, unit) = match x {
        x if x >= 999_500_000.0 => (x / 1e9, " B"),
        x if x >= 999_500.0 => (x / 1e6, " M"),
        x if x >= 10_000.0 => (x / 1e3, " K"),
        x => (x, ""),
    };
    if x < 10.0 && !unit.is_empty() { format!("{x:.1}{unit}") } else { format!("{x:.0}{unit}") }
}

/// `40 s`, `7 min`, `2 h`.
fn long(span: Span) -> String {
    match span.as_secs().max(1) {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

/// Markets that a sentence names.
const LISTED_MAX: usize = 5;

/// How the markets of a group are called: by symbol, with their venue where there are several.
struct Names<'a> {
    /// Each once, in the order in which they are named.
    markets: Vec<&'a InstrumentName>,
    several_venues: bool,
}

impl<'a> Names<'a> {
    fn of(parts: &[&'a Part]) -> Self {
        let mut markets: Vec<&InstrumentName> = Vec::new();
        let mut seen = BTreeSet::new();
        for market in parts.iter().filter_map(|p| p.message.notice.instrument.as_ref()) {
            if seen.insert(market) {
                markets.push(market);
            }
        }
        let venues: BTreeSet<_> = markets.iter().map(|m| &m.venue).collect();
        let several_venues = venues.len() > 1;
        Self { markets, several_venues }
    }

    fn name(&self, market: &InstrumentName) -> String {
        if self.several_venues { market.to_string() } else { market.symbol.to_string() }
    }

    fn of_notice(&self, notice: &Notice) -> String {
        notice.instrument.as_ref().map_or_else(|| notice.title.clone(), |market| self.name(market))
    }

    fn first(&self) -> String {
        self.markets.first().map_or_else(|| "one market".to_owned(), |market| self.name(market))
    }

    fn listed(&self) -> String {
        let mut named: Vec<String> = self.markets.iter().take(LISTED_MAX).map(|market| self.name(market)).collect();
        let more = self.markets.len().saturating_sub(LISTED_MAX);
        if more > 0 {
            named.push(format!("{more} more"));
        }
        match named.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => named.concat(),
        }
    }
}

/// ": 6 active, 13 ended, 1 came and went; 15 new since the last message."
fn stand(parts: &[&Part], phase: Phase) -> String {
    let count = |p| parts.iter().filter(|part| part.message.notice.phase == p).count();
    let passed = parts.iter().filter(|part| part.came_and_went()).count();
    let counts = [
        // A label that changed has no length: how many there are is said already.
        (count(Phase::Firing), "active"),
        (count(Phase::NoData), "without data"),
        (count(Phase::Resolved) - passed, "ended"),
        // Nobody heard these begin: they are no end of anything.
        (passed, "came and went"),
    ];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let phases = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let news = parts.iter().filter(|p| p.fresh).count();
    let end = match (phase, news) {
        (Phase::Resolved, _) if passed < parts.len() => ". All have ended.".to_owned(),
        (_, n) if n > 0 && n < parts.len() => format!("; {n} new since the last message."),
        _ => ".".to_owned(),
    };
    format!("{phases}{end}")
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
