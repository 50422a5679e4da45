//! Records of alerts as events: words and sentences made from the numbers when somebody reads them.
//!
//! The store has them by run; several markets are merged here by the moment a record was known and by name, a bounded page at a
//! time: each further market is asked only for what could still come onto the page.

use crate::render::{Books, Lens, align};
use barograph_api::alias::{events::asset_pair, markets::pair_of};
use barograph_api::events::{
    BaseRateView, Data, DatumView, EvidenceView, EvidenceWindow, MomentView, SmallestChangeView,
};
use barograph_api::{EventFilter, EventView, Page, SeriesWindow};
use barograph_domain::alert::{BaseRate, Datum, Statistic};
use barograph_domain::{Alert, InstrumentName, KnownAlert, Ts};
use barograph_engine::detect::explain;
use barograph_engine::detect::meaning::meaning_at;
use barograph_engine::explain::{AxisMoment, Minute, SmallestChange};
use barograph_store::run::GRID;
use barograph_store::{AlertQuery, Range, Reader, Result, RowQuery, RunInfo, RunKey};

/// A record as it goes over the wire.
/// `keep`: part of a threshold above which an episode goes on. `minute`: what its minute says of it.
pub fn view(
    instrument: &InstrumentName,
    logic_version: &str,
    known: &KnownAlert,
    keep: f64,
    minute: Option<&Minute>,
) -> EventView {
    let KnownAlert { known_at, alert } = known;
    let description = explain::description_at(alert, minute);
    let told = meaning_at(alert, keep, minute);
    EventView {
        alert_id: alert.id(instrument, logic_version),
        revision: alert.revision,
        event_type: alert.pattern,
        pattern_type: alert.pattern,
        trigger: alert.trigger,
        source: alert.pattern.source(),
        experimental: alert.pattern.is_experimental(),
        change: alert.change,
        state: alert.state,
        timestamp: alert.ts,
        known_at: *known_at,
        instrument: instrument.clone(),
        symbol: pair_of(instrument),
        asset_pair: alert.other.as_ref().map(|other| asset_pair(instrument, other)),
        severity: alert.severity,
        risk_level: alert.severity.risk_level(),
        anomaly_score: alert.score,
        title: explain::title_at(alert, minute),
        explanation: description.clone(),
        description,
        new_entries: told.new_entries,
        open_positions: told.open_positions,
        clears: told.clears,
        rule: alert.rule.as_ref().map(ToString::to_string),
        opened_at: alert.opened_at,
        last_seen_at: alert.last_seen_at,
        closed_at: alert.closed_at,
        inhibited_by: alert.inhibited_by,
        data: data(alert),
        moment: minute.and_then(|m| m.label.as_ref()).map(moment_view),
        evidence: EvidenceView {
            window: EvidenceWindow { from: alert.window_from, to: alert.ts },
            statistics: measured(alert, minute).to_vec(),
            base_rate: base_rate(&alert.base_rate),
            limits: explain::limits(alert).into_iter().map(str::to_owned).collect(),
            similar: None,
            similar_reason: EvidenceView::ASK_BY_ID,
            outcome: None,
        },
        logic_version: logic_version.to_owned(),
    }
}

/// What was measured: by the detector, or behind the label that changed.
pub fn measured<'a>(alert: &'a Alert, minute: Option<&'a Minute>) -> &'a [Statistic] {
    match minute.and_then(|m| m.label.as_ref()) {
        Some(moment) if alert.statistics.is_empty() => &moment.statistics,
        _ => &alert.statistics,
    }
}

fn moment_view(m: &AxisMoment) -> MomentView {
    let turn = |t: &SmallestChange| SmallestChangeView {
        feature: t.feature,
        value: t.value,
        threshold: t.threshold,
        direction: t.direction,
        label: t.label,
        readings: t.readings,
    };
    MomentView {
        price: m.price,
        side: m.side,
        why: m.why.clone(),
        flip: m.flip.as_ref().map(turn),
        exit: m.exit.as_ref().map(turn),
    }
}

/// The facts, and the reasons of those that are not there.
fn data(alert: &Alert) -> Data {
    let mut out = Data::new();
    for (name, datum) in &alert.data {
        let value = match datum {
            Datum::Number(x) => DatumView::Number(*x),
            Datum::Word(word) => DatumView::Word(word.to_string()),
            Datum::Words(words) => DatumView::Words(words.iter().map(ToString::to_string).collect()),
            Datum::Flag(is) => DatumView::Flag(*is),
            Datum::Missing(reason) => {
                out.insert(format!("{name}_reason"), DatumView::Word(reason.name().to_owned()));
                DatumView::Null
            }
        };
        out.insert(name.to_string(), value);
    }
    // Under its short name funding's own score is another number (S01).
    if alert.pattern.has_own_score() {
        out.insert("score_100".to_owned(), DatumView::Number(alert.score));
    }
    if let Some(ratio) = out.get("severity_ratio").cloned() {
        // The fourth original's name for it (A23).
        out.insert("severity".to_owned(), ratio);
    }
    out
}

pub(crate) fn base_rate(rate: &BaseRate) -> BaseRateView {
    let days = rate.recent_days();
    BaseRateView {
        per_day_30d: (days >= 1.0).then(|| f64::from(rate.fired_30d) / days),
        fired_30d: rate.fired_30d,
        fired_90d: rate.fired_90d,
        known_days: rate.known_days,
        known_days_30d: days,
        held_share_90d: rate.held_share_90d,
    }
}

/// A run with what its records are read with.
#[derive(Debug)]
pub struct Kept<'a> {
    /// Which run.
    pub key: &'a RunKey,
    /// Part of a threshold above which its episodes go on.
    keep: f64,
    /// `None`: this build cannot read its book any more.
    lens: Option<Lens>,
}

impl<'a> Kept<'a> {
    /// A run with its own rule book, read once.
    pub fn of(books: &mut Books, info: &'a RunInfo) -> Self {
        let key = &info.spec.key;
        let lens = Lens::stored(books, info, &crate::render::instrument(&key.instrument));
        Self { key, keep: books.keep(info), lens }
    }

    /// The same of a run whose rows this lens explains.
    pub fn seen_by(key: &'a RunKey, lens: &Lens) -> Self {
        let instrument = crate::render::instrument(&key.instrument);
        let lens = Lens { instrument, held: None, calls: None, ..lens.clone() };
        Self { key, keep: lens.book.detectors.keep, lens: Some(lens) }
    }

    /// A record as it goes over the wire, with what its minute says of it.
    pub fn view(&self, reader: &dyn Reader, known: &KnownAlert, as_of: Option<Ts>) -> Result<EventView> {
        let minute =
            self.lens.as_ref().map(|lens| minute_of(reader, self.key, lens, &known.alert, as_of)).transpose()?;
        Ok(view(&self.key.instrument, &self.key.logic_version, known, self.keep, minute.flatten().as_ref()))
    }
}

/// What the stored minute of a record says of it; `None` where it came between two minutes, or its minute is not kept.
pub fn minute_of(
    reader: &dyn Reader,
    key: &RunKey,
    lens: &Lens,
    alert: &Alert,
    as_of: Option<Ts>,
) -> Result<Option<Minute>> {
    if alert.ts.floor(GRID) != alert.ts {
        return Ok(None);
    }
    let range = Range { start: alert.ts, end: Ts(alert.ts.0.saturating_add(1)) };
    let mut rows = reader.history(key, &RowQuery { range, every: None, after: None, limit: 1, as_of })?;
    align(&mut rows.rows, &rows.columns);
    let lens = lens.over(&rows);
    Ok(rows.rows.first().and_then(|row| lens.minute(alert, row)))
}

/// A run that may have events.
#[derive(Clone, Copy, Debug)]
pub struct RunWithEvents<'a> {
    /// Market and logic version.
    pub key: &'a RunKey,
    /// No record of it is known later; the end of time where nobody has looked.
    pub until: Ts,
}

/// Records of some runs, by their place among those, and whether there are more. Runs that come behind all that was found, and cannot
/// have anything newer, are not asked: with the newest first, those whose records reach furthest come first.
pub fn records(
    reader: &dyn Reader,
    runs: &[RunWithEvents<'_>],
    filter: &EventFilter,
    window: &SeriesWindow,
) -> Result<(Vec<(usize, KnownAlert)>, bool)> {
    let wanted = window.skip.saturating_add(window.limit).saturating_add(1);
    let mut found: Vec<(usize, KnownAlert)> = Vec::new();
    let mut query = AlertQuery {
        episode: String::new(),
        range: Range { start: window.start.unwrap_or(Ts::MIN), end: window.end.unwrap_or(Ts::MAX) },
        patterns: filter.patterns.clone(),
        changes: filter.changes.clone(),
        severity: filter.severity,
        open: filter.open,
        newest_first: filter.newest_first,
        limit: wanted,
        as_of: window.as_of,
    };
    for (at, run) in runs.iter().enumerate() {
        let is_full = found.len() == wanted;
        if filter.newest_first && is_full && found.last().is_some_and(|(_, last)| last.known_at > run.until) {
            break;
        }
        found.extend(reader.alerts(run.key, &query)?.items.into_iter().map(|alert| (at, alert)));
        // Stable: records of one market keep their order.
        if filter.newest_first {
            found.sort_by(|a, b| b.1.known_at.cmp(&a.1.known_at).then_with(|| runs[b.0].key.cmp(runs[a.0].key)));
        } else {
            found.sort_by(|a, b| a.1.known_at.cmp(&b.1.known_at).then_with(|| runs[a.0].key.cmp(runs[b.0].key)));
        }
        if found.len() > wanted {
            found.truncate(wanted);
            // An open episode is found by all that is known of it, so its end may not be cut off.
            if let Some((_, last)) = found.last().filter(|_| !filter.open) {
                let at = last.known_at;
                if filter.newest_first {
                    query.range.start = at;
                } else {
                    query.range.end = Ts(at.0.saturating_add(1));
                }
            }
        }
    }
    let more = found.len() == wanted;
    Ok((found.into_iter().skip(window.skip).take(window.limit).collect(), more))
}

/// A page of the events of some runs.
pub fn page(
    reader: &dyn Reader,
    runs: &[Kept<'_>],
    filter: &EventFilter,
    window: &SeriesWindow,
) -> Result<Page<EventView>> {
    let all: Vec<RunWithEvents<'_>> = runs.iter().map(|kept| RunWithEvents { key: kept.key, until: Ts::MAX }).collect();
    let (found, more) = records(reader, &all, filter, window)?;
    let items = found.iter().map(|(at, alert)| runs[*at].view(reader, alert, window.as_of)).collect::<Result<_>>()?;
    Ok(Page { items, more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::alert::{AlertChange, AlertState, Word};
    use barograph_domain::{Pattern, Reason, Severity, Trigger};

    fn record(pattern: Pattern, change: AlertChange) -> KnownAlert {
        let word = |name: &'static str, word: &'static str| (Word::from(name), Datum::Word(Word::from(word)));
        let alert = Alert {
            pattern,
            trigger: Some(Trigger::Risk),
            change,
            state: AlertState::Open,
            revision: 1,
            ts: Ts(60_000_000_000),
            severity: Severity::High,
            score: 90.0,
            opened_at: Ts(0),
            last_seen_at: Ts(60_000_000_000),
            closed_at: Some(Ts(60_000_000_000)),
            window_from: Ts(0),
            statistics: Vec::new(),
            data: vec![
                word("from", "NORMAL"),
                word("to", "HIGH_VOL"),
                (Word::from("severity_ratio"), Datum::Missing(Reason::Warming)),
                (Word::from("reasons"), Datum::Words(vec![Word::from("Z-score anomaly: 2.30σ")])),
            ],
            base_rate: BaseRate {
                fired_90d: 9,
                fired_30d: 3,
                known_days: 60.0,
                known_days_30d: Some(30.0),
                held_share_90d: Some(0.1),
            },
            inhibited_by: Some(Pattern::FundingManipulation),
            other: None,
            rule: None,
        };
        KnownAlert { known_at: Ts(60_200_000_000), alert }
    }

    /// No text of any event says that something was found out, or what to do about it (surveillance, first lines).
    #[test]
    fn no_event_says_detected_or_tells_anybody_to_trade() {
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        for pattern in Pattern::ALL {
            for change in AlertChange::ALL {
                let event = view(&market, "v1", &record(*pattern, change), 0.9, None);
                assert!(!event.title.is_empty() && !event.description.is_empty(), "{pattern:?}");
                assert!(event.title.chars().count() <= 60, "{}", event.title);
                let sentences = serde_json::to_string(&event.evidence.limits).unwrap();
                let texts = format!("{} {} {sentences}", event.title, event.description).to_lowercase();
                for word in ["detected", "manipulation was", "manipulated", "!"] {
                    assert!(!texts.contains(word), "{pattern:?}: {texts}");
                }
                let words: Vec<&str> = texts.split(|c: char| !c.is_alphanumeric()).collect();
                for word in ["buy", "sell", "should", "must"] {
                    assert!(!words.contains(&word), "{pattern:?}: {texts}");
                }
            }
        }
    }

    #[test]
    fn facts_that_are_missing_say_why_and_scores_have_two_names() {
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let event = view(&market, "v1", &record(Pattern::FundingAnomaly, AlertChange::Opened), 0.9, None);
        let json = serde_json::to_value(&event).unwrap();
        let data = &json["data"];
        assert_eq!((&data["severity_ratio"], &data["severity"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        assert_eq!((&data["severity_ratio_reason"], &data["score_100"]), (&"warming".into(), &90.0.into()));
        assert_eq!(json["evidence"]["base_rate"]["per_day_30d"], 0.1);
        assert_eq!((&json["symbol"], &json["risk_level"]), (&"BTC/USDT".into(), &"HIGH".into()));
        assert_eq!(json["known_at"], "1970-01-01T00:01:00.200Z");
    }
}
