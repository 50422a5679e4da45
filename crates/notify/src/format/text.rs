//! The words of a notice, laid out as UX §5 has them, for every format that people read.

use barograph_domain::delivery::{MessageKind, Notice, Phase};

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
        Phase::Resolved => format!("Over: {}", notice.title),
        Phase::NoData => format!("No data: {}", notice.title),
    };
    let mut lines = vec![notice.text.clone()];
    lines.extend(notice.members.iter().map(|m| {
        let state = match m.phase {
            Phase::Firing => "going on",
            Phase::Resolved => "over",
            Phase::NoData => "no data",
            Phase::Happened => "happened",
        };
        format!("· {} ({}, {}, {state})", m.title, m.instrument.venue, m.severity.name())
    }));
    if notice.more_members > 0 {
        lines.push(format!("and {} more", notice.more_members));
    }
    lines.push(meaning(notice));
    lines.push(outlook(notice));
    lines.retain(|line| !line.is_empty());
    let link = (!dashboard.is_empty() && !notice.path.is_empty()).then(|| format!("{dashboard}{}", notice.path));
    Words { title, severity: notice.severity.name(), lines, link }
}

fn meaning(notice: &Notice) -> String {
    let parts = [labelled("New entries", &notice.new_entries), labelled("Open positions", &notice.open_positions)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn outlook(notice: &Notice) -> String {
    let clears = match notice.phase {
        Phase::Firing | Phase::NoData if !notice.clears.is_empty() => {
            let begins = notice.clears.to_lowercase().starts_with("would clear");
            Some(ended(&if begins { notice.clears.clone() } else { format!("Would clear if {}", notice.clears) }))
        }
        Phase::Firing | Phase::NoData | Phase::Resolved | Phase::Happened => None,
    };
    let fired = notice.fired_30d.map(|n| match n {
        0 => "First time in 30 days.".to_owned(),
        1 => "Fired once in 30 days.".to_owned(),
        n => format!("Fired {n} times in 30 days."),
    });
    clears.into_iter().chain(fired).collect::<Vec<_>>().join(" ")
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
        let told = with(&n, |n| n.clears = "Would clear if it rained.".into());
        assert!(super::words(&told, "").body().contains("\nWould clear if it rained. Fired"));
    }

    #[test]
    fn ends_and_groups_say_so() {
        let over = words(&notice("okx:BTC-USDT", Phase::Resolved), "");
        assert!(over.title.starts_with("Over: ") && !over.body().contains("Would clear") && over.link.is_none());
        let words = words(&group(), "");
        assert_eq!(words.lines.iter().filter(|l| l.starts_with('·')).count(), 10);
        assert!(words.lines.contains(&"and 41 more".to_owned()));
        assert_eq!(cut("añb", 2), "a…");
    }
}
