//! What a summary may speak of: a list of facts, each with its name, its value, the value's unit and a text as people write it.
//!
//! From the snapshot of one minute and from the alerts of the 24 hours before it. The user's own positions are no part of it.

use barograph_api::{EventView, FeatureRowView};
use barograph_domain::alert::AlertChange;
use barograph_domain::snapshot::{AxisView, WireValue};
use barograph_domain::text::number_of;
use barograph_domain::{Label, Pattern, Severity, Snapshot, Span, Ts};
use barograph_engine::CATALOGUE;
use barograph_engine::explain::{price, significant};
use serde::Serialize;

/// Unit of a change: a fraction of what it was, with its sign.
pub const CHANGE: &str = "fraction, a change";
/// Unit of a share or a rate: a fraction.
pub const SHARE: &str = "fraction";
/// Unit of a stretch of time.
pub const SECONDS: &str = "seconds";
/// Unit of a count.
const COUNT: &str = "count";
/// The day that is summed up.
const DAY: Span = Span::days(1);
/// Alerts that are listed one by one; the others are in the counts.
const ALERTS_MAX: usize = 6;

/// Readings that are facts, with what people call the time they are of. Changes say by how much something moved.
const READINGS: [(&str, bool); 10] = [
    ("realized_vol_1h", false),
    ("realized_vol_24h", false),
    ("vol_pct_rank", false),
    ("funding_rate_8h", false),
    ("funding_mean_24h", false),
    ("oi_delta_4h", true),
    ("oi_delta_24h", true),
    ("oi_usd", false),
    ("liq_long_usd_24h", false),
    ("liq_short_usd_24h", false),
];

/// What a fact's value is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum NarrativeValue {
    /// A number in the fact's unit.
    Number(f64),
    /// A moment.
    Moment(Ts),
    /// Words, which are the fact's text.
    Word,
}

/// One fact.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NarrativeFact {
    /// What it is about: `price`, `risk_label`, `alert_1`.
    pub name: String,
    /// Its value; null where the text is all of it.
    pub value: NarrativeValue,
    /// The value's unit; empty where it has none.
    pub unit: &'static str,
    /// As people write it.
    pub text: String,
}

/// All of them, in the order in which they stand in a summary.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct NarrativeFacts {
    /// Each once.
    pub items: Vec<NarrativeFact>,
}

/// What a summary is made from.
#[derive(Clone, Copy, Debug)]
pub struct NarrativeDay<'a> {
    /// The minute it ends with; rendered without the user's positions.
    pub snapshot: &'a Snapshot,
    /// The readings of that minute.
    pub readings: &'a FeatureRowView,
    /// Records of alerts of the 24 hours before it, the oldest first.
    pub events: &'a [EventView],
}

impl NarrativeDay<'_> {
    /// Where the day of a minute begins.
    #[must_use]
    pub fn begins(minute: Ts) -> Ts {
        minute - DAY
    }
}

impl NarrativeFacts {
    /// The facts of a day.
    #[must_use]
    pub fn of(day: &NarrativeDay<'_>) -> Self {
        let NarrativeDay { snapshot: s, .. } = *day;
        let mut facts = Self::default();
        facts.word("market", s.instrument.to_string());
        facts.moment("until", s.timestamp, format!("as of {}", minute(s.timestamp)));
        facts.number("window", DAY.as_secs_f64(), SECONDS, "the last 24 h".to_owned());
        facts.word("headline", s.headline.clone());
        if let Some(p) = s.price {
            facts.number("price", p, "quote units", format!("price {}", price(p)));
        }
        facts.axis("risk", &s.regimes.risk);
        facts.axis("trend", &s.regimes.trend);
        facts.axis("volatility", &s.regimes.volatility);
        facts.axis("heat", &s.regimes.heat);
        facts.word("session", s.session.name.spoken().to_owned());
        for (id, is_change) in READINGS {
            facts.reading(day.readings, id, is_change);
        }
        facts.alerts(day.events);
        facts
    }

    /// Everything that a text may repeat: texts, and units, which say how a number is to be written.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|fact| fact.text.as_str())
    }

    /// The text of the fact of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.items.iter().find(|fact| fact.name == name).map(|fact| fact.text.as_str())
    }

    fn push(&mut self, name: &str, value: NarrativeValue, unit: &'static str, text: String) {
        self.items.push(NarrativeFact { name: name.to_owned(), value, unit, text });
    }

    fn word(&mut self, name: &str, text: String) {
        self.push(name, NarrativeValue::Word, "", text);
    }

    fn moment(&mut self, name: &str, at: Ts, text: String) {
        self.push(name, NarrativeValue::Moment(at), "", text);
    }

    fn number(&mut self, name: &str, value: f64, unit: &'static str, text: String) {
        self.push(name, NarrativeValue::Number(value), unit, text);
    }

    fn axis<L: Label>(&mut self, name: &str, view: &AxisView<L>) {
        if view.label == L::UNKNOWN {
            return self.word(&format!("{name}_label"), format!("{name}: no reading"));
        }
        self.word(&format!("{name}_label"), format!("{name}: {}", view.label.spoken()));
        self.moment(&format!("{name}_since"), view.since, format!("{name} since {}", minute(view.since)));
    }

    fn reading(&mut self, row: &FeatureRowView, id: &'static str, is_change: bool) {
        let Some(spec) = CATALOGUE.iter().find(|spec| spec.id == id) else { return };
        let Some(WireValue::Number(value)) = row.values.get(id).cloned() else { return };
        let unit = match spec.unit {
            _ if is_change => CHANGE,
            unit if unit.contains("fraction") || unit == "[0,1]" => SHARE,
            unit => unit,
        };
        self.number(id, value, unit, format!("{}: {}", spec.spoken, significant(value, spec.unit)));
    }

    fn alerts(&mut self, events: &[EventView]) {
        let begun: Vec<&EventView> = events.iter().filter(|e| e.change == AlertChange::Opened).collect();
        let is_open = |e: &&&EventView| {
            let closed = |other: &&EventView| other.alert_id == e.alert_id && other.change == AlertChange::Closed;
            !events.iter().any(|other| closed(&other))
        };
        let open = begun.iter().filter(is_open).count();
        // Sessions begin by the clock: they are no labels of the market.
        let is_label =
            |e: &&EventView| matches!(e.pattern_type, Pattern::RegimeChange | Pattern::VolatilityRegimeChange);
        let labels: Vec<&EventView> =
            events.iter().filter(|e| e.change == AlertChange::Happened).filter(is_label).collect();
        let is_worse = |e: &EventView| e.severity >= Severity::Medium;
        // What is worth reading: a label that turned for the worse is as much as an alert.
        let is_listed = |e: &&EventView| {
            e.change == AlertChange::Opened || labels.iter().any(|l| is_worse(l) && l.alert_id == e.alert_id)
        };
        let listed: Vec<&EventView> = events.iter().filter(is_listed).collect();
        let opened = match begun.len() {
            0 => "no alert opened".to_owned(),
            n => format!("{} opened", number_of(n, "alert")),
        };
        let still = if open == 0 { "none of them still open".to_owned() } else { format!("{open} of them still open") };
        for (name, n, text) in [
            ("alerts_opened", begun.len(), opened),
            ("alerts_open", open, still),
            ("label_changes", labels.len(), number_of(labels.len(), "label change")),
        ] {
            // Of no alert none is open; and nobody reads "no alert" beside a label that turned for the worse.
            let is_empty = name == "alerts_open" || (name == "alerts_opened" && !listed.is_empty());
            if begun.is_empty() && is_empty {
                continue;
            }
            self.number(name, f64::from(u32::try_from(n).unwrap_or(u32::MAX)), COUNT, text);
        }
        for (n, event) in listed.iter().rev().take(ALERTS_MAX).rev().enumerate() {
            let severity =
                if event.experimental { "experimental".to_owned() } else { event.severity.name().to_lowercase() };
            let text = format!("{} ({severity}) at {}", event.title, minute(event.opened_at));
            self.moment(&format!("alert_{}", n + 1), event.opened_at, text);
        }
    }
}

/// `2026-11-28 14:30 UTC`.
fn minute(at: Ts) -> String {
    let text = at.to_string();
    let (day, time) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
    format!("{day} {time} UTC")
}
