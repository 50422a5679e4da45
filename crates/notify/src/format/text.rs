//! The words of a notice, laid out as UX §5 has them, for every format that people read.

use barograph_domain::delivery::{Member, MessageKind, Notice, Phase};
use barograph_domain::text::escape_control;

/// Members of a group that people read of.
const MEMBERS_MAX: usize = 10;
/// Characters about one of them: ten fit into every service's limit.
const MEMBER_MAX: usize = 200;

/// What people read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Words {
    /// With what became of it, without its severity.
    pub(super) title: String,
    /// Severity, as a word.
    pub(super) severity: &'static str,
    /// Paragraphs, in order.
    pub(super) lines: Vec<String>,
    /// Where more is to be seen.
    pub(super) link: Option<String>,
}

impl Words {
    /// Everything but the title.
    pub(super) fn body(&self) -> String {
        let mut lines = self.lines.clone();
        if let Some(link) = &self.link {
            lines.push(format!("Open at that moment: {link}"));
        }
        lines.join("\n")
    }
    /// Title and severity.
    pub(super) fn head(&self) -> String {
        format!("{}  {}", self.title, self.severity)
    }
}

/// The words of a notice.
pub(super) fn words(notice: &Notice, dashboard: &str) -> Words {
    let title = match notice.phase {
        Phase::Firing | Phase::Happened => notice.title.clone(),
        Phase::Resolved if notice.kind == MessageKind::Delivery => notice.title.clone(),
        // Titles of our own alerts say it themselves.
        Phase::Resolved if notice.title.ends_with(" ended") => notice.title.clone(),
        Phase::NoData if notice.title.ends_with(": no data") => notice.title.clone(),
        Phase::Resolved => format!("Ended: {}", notice.title),
        Phase::NoData => format!("No data: {}", notice.title),
    };
    let title = escape_control(&title).into_owned();
    let mut lines = vec![notice.text.clone()];
    let unnamed = notice.members.len().saturating_sub(MEMBERS_MAX);
    let more = u64::from(notice.more_members) + u64::try_from(unnamed).unwrap_or(u64::MAX);
    // A group of one says of it what its own message would.
    let listed = if more == 0 && notice.members.len() == 1 { 0 } else { MEMBERS_MAX };
    lines.extend(notice.members.iter().take(listed).map(member));
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.extend(labelled("Market", &notice.headline));
    lines.push(meaning(notice));
    lines.push(outlook(notice));
    lines.retain(|line| !line.is_empty());
    // One line each, whatever others wrote into them.
    lines.iter_mut().for_each(|line| *line = escape_control(line).into_owned());
    let link = (!dashboard.is_empty() && !notice.path.is_empty()).then(|| format!("{dashboard}{}", notice.path));
    Words { title, severity: notice.severity.name(), lines, link }
}

fn meaning(notice: &Notice) -> String {
    let parts = [labelled("New entries", &notice.new_entries), labelled("Open positions", &notice.open_positions)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn outlook(notice: &Notice) -> String {
    let fired = notice.fired_30d.map(|n| fired(n, notice.known_days));
    // What happened and has no length is a label that changed: its end is the next change.
    let of_alerts = matches!(notice.kind, MessageKind::Alert | MessageKind::Group);
    let clears = if of_alerts { notice.clears.as_str() } else { "" };
    clearing(notice.phase, if notice.phase == Phase::Happened { clears } else { &notice.clears })
        .into_iter()
        .chain(fired)
        .collect::<Vec<_>>()
        .join(" ")
}

/// One alert of a group, with its first number, what would clear it and how often it fired before.
fn member(m: &Member) -> String {
    let state = match m.phase {
        Phase::Firing => "active",
        Phase::Resolved => "ended",
        Phase::NoData => "no data",
        Phase::Happened => "happened",
    };
    let head = format!("· {} ({}, {}, {state})", m.title, m.instrument.venue, m.severity.name());
    let figure = m.figures.first().map(|f| format!("{} {}, limit {}.", f.name.replace('_', " "), f.value, f.threshold));
    let fired = m.fired_30d.map(|n| fired(n, m.known_days));
    let parts: Vec<String> = match m.phase {
        Phase::Resolved => Vec::new(),
        phase => figure.into_iter().chain(clearing(phase, &m.clears)).chain(fired).collect(),
    };
    if parts.is_empty() { head } else { format!("{head}: {}", cut(&parts.join(" "), MEMBER_MAX)) }
}

fn clearing(phase: Phase, clears: &str) -> Option<String> {
    match phase {
        Phase::Firing | Phase::NoData | Phase::Happened if !clears.is_empty() => {
            // Detectors write whole sentences; what a condition would have to do is a clause.
            let begins = ["It ", "Would ", "No ", "There "].iter().any(|word| clears.starts_with(word));
            Some(ended(&if begins { clears.to_owned() } else { format!("Would clear if {clears}") }))
        }
        Phase::Firing | Phase::NoData | Phase::Resolved | Phase::Happened => None,
    }
}

/// How often it fired before, and over which days: those on which it could be judged, recorded or imported. Nothing is
/// claimed about others.
fn fired(times: u32, known_days: Option<u32>) -> String {
    let of = match known_days {
        Some(0) => "in less than a day of data".to_owned(),
        Some(1) => "in one day of data".to_owned(),
        Some(n) if n < 30 => format!("in {n} days of data"),
        None | Some(_) => "in 30 days".to_owned(),
    };
    match times {
        0 => format!("First time {of}."),
        1 => format!("Fired once {of}."),
        n => format!("Fired {n} times {of}."),
    }
}

/// `Label: text.`, unless the text says its label itself.
fn labelled(label: &str, text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let says = text.to_lowercase().starts_with(&label.to_lowercase());
    Some(ended(&if says { text.to_owned() } else { format!("{label}: {text}") }))
}

fn ended(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// At most so many characters, with `…` where something was cut.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::group;
    use crate::testing::{notice, with};

    #[test]
    fn an_alert_reads_as_the_house_has_it() {
        let n = notice("binance-usdm:SOLUSDT", Phase::Firing);
        let words = words(&n, "http://127.0.0.1:8600");
        assert_eq!(words.head(), "FUNDING_ANOMALY SOLUSDT  HIGH");
        let want = "Longs pay 2.6σ above their day.\n\
            New entries: smaller size, wider stop or wait. Open positions: review, reduce or trail stop.\n\
            Would clear if funding fell below 1.5σ. Fired 3 times in 30 days.\n\
            Open at that moment: http://127.0.0.1:8600/m/binance-usdm:SOLUSDT?as_of=2026-02-05T14:35:00Z";
        assert_eq!(words.body(), want);
        let told = with(&n, |n| n.headline = "Strong downtrend, −6.1 % in 24 h. No risk rule fires.".into());
        let told = super::words(&told, "").body();
        assert!(told.contains("day.\nMarket: Strong downtrend, −6.1 % in 24 h. No risk rule fires.\nNew"), "{told}");
        let told = with(&n, |n| n.clears = "It would clear when the input speaks again.".into());
        assert!(super::words(&told, "").body().contains("\nIt would clear when the input speaks again. Fired"));
        let told = with(&n, |n| n.clears = "Would clear if it rained.".into());
        assert!(super::words(&told, "").body().contains("\nWould clear if it rained. Fired"));
    }

    #[test]
    fn ends_and_groups_say_so() {
        let over = words(&notice("okx:BTC-USDT", Phase::Resolved), "");
        assert!(over.title.starts_with("Ended: ") && !over.body().contains("Would clear") && over.link.is_none());
        let words = words(&group(), "");
        assert_eq!(words.lines.iter().filter(|l| l.starts_with('·')).count(), 10);
        assert!(words.lines.contains(&"and 41 more".to_owned()));
        let of = notice("okx:BTC-USDT", Phase::Firing);
        let told = with(&group(), |n| {
            let m = Member {
                figures: of.figures,
                clears: of.clears,
                fired_30d: Some(0),
                known_days: Some(4),
                ..n.members[0].clone()
            };
            n.members = vec![m; 12];
        });
        let lines = super::words(&told, "").lines;
        let want = "· FUNDING_ANOMALY C0-USDT (okx, HIGH, active): funding zscore 24h 2.60σ, limit 2.00σ. \
            Would clear if funding fell below 1.5σ. First time in 4 days of data.";
        assert_eq!((lines[1].as_str(), lines[11].as_str()), (want, "and 43 more"));
        assert_eq!(cut("añb", 2), "a…");
    }

    #[test]
    fn a_changed_label_says_what_would_end_it_and_foreign_text_stays_on_its_line() {
        let n = with(&notice("okx:BTC-USDT", Phase::Happened), |n| {
            n.clears = "It would clear to CHOP_RISK if 1 h volatility fell below 72 %.".into();
            n.text = "Venue said 404\n[CASCADE] forged".into();
        });
        let told = words(&n, "");
        assert!(told.body().contains("It would clear to CHOP_RISK"), "{}", told.body());
        assert_eq!(told.lines[0], "Venue said 404\\n[CASCADE] forged");
    }

    #[test]
    fn nothing_is_claimed_of_days_on_which_nobody_looked() {
        for (times, known_days, want) in [
            (0, Some(30), "First time in 30 days."),
            (3, Some(30), "Fired 3 times in 30 days."),
            (1, None, "Fired once in 30 days."),
            (0, Some(12), "First time in 12 days of data."),
            (2, Some(1), "Fired 2 times in one day of data."),
            (0, Some(0), "First time in less than a day of data."),
        ] {
            assert_eq!(fired(times, known_days), want);
        }
    }
}
