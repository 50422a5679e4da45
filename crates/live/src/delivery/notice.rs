//! What people receive: a record of an alert, or a notice about a position, with everything a receiver's format is made from.
//!
//! Made once, when the fact is stored, from the fact alone. Figures are the statistics that decide; the page's address is that
//! of the market at the moment the fact was known.

use barograph_api::EventView;
use barograph_api::watches::{UserWatch, WatchChange};
use barograph_domain::advice::{NoticeLevel, NoticeTrigger, PositionNotice};
use barograph_domain::alert::{AlertChange, Datum, Statistic};
use barograph_domain::delivery::{Figure, Message, MessageKind, Notice, Phase, fingerprint, message_id};
use barograph_domain::{Alert, InstrumentName, KnownAlert, Pattern, Severity, Trigger, Ts, VolRegime};
use barograph_engine::detect::explain::story;
use barograph_engine::detect::meaning::meaning_at;
use barograph_engine::explain::{Minute, significant};
use barograph_query::events::{measured, view};

/// Characters that a lock screen shows.
const TITLE_MAX: usize = 60;

/// The message about a record; `keep` is the book's part of a threshold above which an episode goes on.
/// `minute` is what its minute says of it.
pub(crate) fn of_alert(
    instrument: &InstrumentName,
    logic_version: &str,
    known: &KnownAlert,
    keep: f64,
    minute: Option<&Minute>,
) -> Message {
    of_event(instrument, &view(instrument, logic_version, known, keep, minute), known, keep, minute)
}

/// The same, where the event is made already: a sample says in it that it is one.
pub(super) fn of_event(
    instrument: &InstrumentName,
    event: &EventView,
    known: &KnownAlert,
    keep: f64,
    minute: Option<&Minute>,
) -> Message {
    let alert = &known.alert;
    let told = meaning_at(alert, keep, minute);
    let subject = alert.subject(instrument);
    let figures: Vec<Figure> = measured(alert, minute).iter().filter(|s| s.decides).map(figure).collect();
    let seed4 = event.seed4().and_then(|e| serde_json::to_string(&e).ok()).unwrap_or_default();
    let notice = Notice {
        kind: MessageKind::Alert,
        phase: Phase::of(alert.change),
        alert_id: event.alert_id.clone(),
        revision: alert.revision,
        pattern: Some(alert.pattern),
        trigger: alert.trigger,
        rule: alert.rule.as_ref().map(ToString::to_string),
        source: alert.pattern.source().to_owned(),
        severity: alert.severity,
        instrument: Some(instrument.clone()),
        symbol: event.symbol.clone(),
        title: headline(&headed(alert, &event.title, &figures), &instrument.symbol, alert.change),
        text: story(&unmuted(alert), minute),
        headline: minute.map(|m| m.headline.clone()).unwrap_or_default(),
        figures,
        new_entries: told.new_entries,
        open_positions: told.open_positions,
        clears: told.clears,
        fired_30d: Some(alert.base_rate.fired_30d),
        known_days: Some(whole_days(alert.base_rate.recent_days())),
        inhibited_by: alert.inhibited_by,
        resumed: is_no_news(alert),
        venue_markets: None,
        ts: alert.ts,
        known_at: known.known_at,
        opened_at: alert.opened_at,
        closed_at: alert.closed_at,
        path: page(instrument, known.known_at),
        members: Vec::new(),
        more_members: 0,
        event: serde_json::to_string(event).unwrap_or_default(),
        seed4,
    };
    Message {
        id: message_id(&format!("alert|{}|{}", event.alert_id, alert.revision)),
        fingerprint: fingerprint(&subject),
        known_at: known.known_at,
        notice,
    }
}

/// The message about a registered position (R1.72).
pub(crate) fn of_position(told: &PositionNotice) -> Message {
    let severity = match told.level {
        NoticeLevel::Info => Severity::Info,
        NoticeLevel::Low => Severity::Low,
        NoticeLevel::Medium => Severity::Medium,
        NoticeLevel::High => Severity::High,
        NoticeLevel::Critical => Severity::Critical,
    };
    let title = format!("{} position: {}", told.instrument.symbol, subject(told));
    let notice = Notice {
        revision: told.repeat.saturating_add(1),
        source: "POSITION".to_owned(),
        severity,
        instrument: Some(told.instrument.clone()),
        symbol: barograph_api::alias::markets::pair_of(&told.instrument),
        title: cut(&title),
        text: told.text.clone(),
        headline: told.headline.clone(),
        new_entries: told.new_entries.clone(),
        open_positions: told.open_positions.clone(),
        clears: cleared_by(told.trigger).to_owned(),
        opened_at: told.episode,
        path: page(&told.instrument, told.timestamp),
        event: serde_json::to_string(told).unwrap_or_default(),
        ..Notice::bare(MessageKind::Position, Phase::Happened, told.notice_id.clone(), told.timestamp)
    };
    Message {
        id: message_id(&format!("position|{}", told.notice_id)),
        fingerprint: fingerprint(&format!("position|{}", told.position_id)),
        known_at: told.timestamp,
        notice,
    }
}

/// The message about a watch that came true.
pub(crate) fn of_watch(watch: &UserWatch, turn: &WatchChange) -> Message {
    let what = format!("watch|{}", watch.id);
    let notice = Notice {
        revision: watch.turns.saturating_add(1),
        source: "WATCH".to_owned(),
        severity: Severity::Medium,
        instrument: Some(watch.instrument.clone()),
        symbol: barograph_api::alias::markets::pair_of(&watch.instrument),
        title: cut(&format!("{}: {}", watch.instrument.symbol, turn.title)),
        text: turn.text.clone(),
        headline: turn.headline.clone(),
        new_entries: turn.new_entries.clone(),
        open_positions: turn.open_positions.clone(),
        known_at: turn.known_at,
        path: page(&watch.instrument, turn.known_at),
        event: serde_json::to_string(&serde_json::json!({ "watch": watch, "turn": turn })).unwrap_or_default(),
        ..Notice::bare(MessageKind::Watch, Phase::Happened, watch.id.clone(), turn.ts)
    };
    Message {
        id: message_id(&format!("{what}|{}", turn.ts.0)),
        fingerprint: fingerprint(&what),
        known_at: turn.known_at,
        notice,
    }
}

/// What a notice is about: a lock screen shows no more of it.
fn subject(told: &PositionNotice) -> String {
    match told.trigger {
        NoticeTrigger::Squeeze | NoticeTrigger::HighVol | NoticeTrigger::Chop => {
            format!("now {}", told.new.risk.spoken())
        }
        NoticeTrigger::Normal => "risk back to normal".to_owned(),
        NoticeTrigger::Unavailable => "no reading".to_owned(),
        NoticeTrigger::Conservative => "high caution".to_owned(),
        NoticeTrigger::Volatility => {
            format!("now {}", told.new.volatility.unwrap_or(VolRegime::Unknown).spoken())
        }
        NoticeTrigger::StopReached => "stop reached".to_owned(),
        NoticeTrigger::StopOnLevel => "new level near the stop".to_owned(),
        NoticeTrigger::Cascade => "liquidation cascade".to_owned(),
    }
}

/// Nothing new for whoever heard of it: it can be seen again, or a burst has gone on. Its end says what it was made of.
fn is_no_news(alert: &Alert) -> bool {
    let burst = alert.trigger == Some(Trigger::Burst) && alert.change == AlertChange::Updated;
    burst || alert.change == AlertChange::Resumed
}

/// What a lock screen says of it: of a burst how many, how much and on which side; else what was found with the number that decides.
fn headed(alert: &Alert, title: &str, figures: &[Figure]) -> String {
    let goes_on = matches!(alert.change, AlertChange::Opened | AlertChange::Updated | AlertChange::Resumed);
    if let Some(burst) = burst(alert, goes_on) {
        return burst;
    }
    // Only where title and number say one thing; elsewhere the sentence names what was measured.
    let says = matches!(alert.pattern, Pattern::FundingAnomaly | Pattern::PremiumDeviation);
    match figures.first().filter(|f| says && goes_on && f.number.is_some()) {
        Some(f) => format!("{title}, {}", f.value),
        None => title.to_owned(),
    }
}

/// "21 liquidations in 1 min, 70 K USD, mostly shorts"
fn burst(alert: &Alert, goes_on: bool) -> Option<String> {
    if alert.trigger != Some(Trigger::Burst) {
        return None;
    }
    let number = |name: &str| {
        let found = alert.data.iter().find(|(known, _)| *known == *name)?;
        if let Datum::Number(x) = found.1 { Some(x) } else { None }
    };
    let (count, usd) = (number("count")?, number("total_liquidated_usd")?);
    let (long, short) = (number("liquidated_long_usd")?, number("liquidated_short_usd")?);
    let side = match (long / usd, short / usd) {
        (l, _) if l >= 0.995 => "all longs",
        (_, s) if s >= 0.995 => "all shorts",
        (l, _) if l > 0.6 => "mostly longs",
        (_, s) if s > 0.6 => "mostly shorts",
        _ => "both sides",
    };
    let over = number("span_s").filter(|_| goes_on).map(|s| format!(" in {}", lasted(s))).unwrap_or_default();
    let noun = if count > 1.0 { "liquidations" } else { "liquidation" };
    // " ended" follows.
    let then = if alert.change == AlertChange::Closed { "," } else { "" };
    Some(format!("{count} {noun}{over}, {} USD, {side}{then}", significant(usd, "USD")))
}

fn lasted(seconds: f64) -> String {
    if seconds < 100.0 { format!("{:.0} s", seconds.max(1.0)) } else { format!("{:.0} min", seconds / 60.0) }
}

/// "BTCUSDT: Extreme moves", "BTCUSDT: Funding anomaly ended".
fn headline(title: &str, symbol: &str, change: AlertChange) -> String {
    let ended = match change {
        AlertChange::Closed => " ended",
        AlertChange::Suspended => ": no data",
        AlertChange::Opened | AlertChange::Updated | AlertChange::Resumed | AlertChange::Happened => "",
    };
    cut(&format!("{symbol}: {title}{ended}"))
}

fn cut(title: &str) -> String {
    if title.chars().count() <= TITLE_MAX {
        return title.to_owned();
    }
    title.chars().take(TITLE_MAX - 1).chain(['…']).collect()
}

fn figure(statistic: &Statistic) -> Figure {
    let value = match (statistic.value, statistic.reason) {
        (Some(x), _) => significant(x, &statistic.unit),
        (None, reason) => reason.map_or("not known", barograph_domain::Reason::name).to_owned(),
    };
    Figure {
        name: statistic.name.to_string(),
        value,
        threshold: significant(statistic.threshold, &statistic.unit),
        number: statistic.value,
        limit: statistic.threshold,
    }
}

/// Of the last 30.
fn whole_days(days: f64) -> u32 {
    (0..30).rev().find(|n| days >= f64::from(n + 1)).map_or(0, |n| n + 1)
}

/// Whoever is sent a weaker alert is not sent the stronger one, or that one has ended meanwhile: a message does not refer to it.
fn unmuted(alert: &Alert) -> Alert {
    Alert { inhibited_by: None, ..alert.clone() }
}

/// The page of a market as it was known at a moment. The instant that is kept is no earlier than the fact.
fn page(instrument: &InstrumentName, known_at: Ts) -> String {
    format!("/m/{instrument}?as_of={}", known_at.ceil(barograph_domain::Span::secs(1)))
}

const fn cleared_by(trigger: NoticeTrigger) -> &'static str {
    match trigger {
        NoticeTrigger::Unavailable => "It would clear when there is a usable reading again.",
        NoticeTrigger::StopReached => "It would clear when the price is well clear of the stop or the stop is moved.",
        NoticeTrigger::StopOnLevel => "It would clear when the level is traded through or the stop is moved.",
        NoticeTrigger::Cascade => "It would clear when the cascade is over.",
        NoticeTrigger::Normal => "Nothing is left to clear.",
        NoticeTrigger::Squeeze
        | NoticeTrigger::HighVol
        | NoticeTrigger::Chop
        | NoticeTrigger::Conservative
        | NoticeTrigger::Volatility => "It would clear when the label of its market changes back.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::advice::{ContextBrief, PositionFlag};
    use barograph_domain::alert::{AlertState, BaseRate, Word};
    use barograph_domain::{Posture, RiskBias, RiskRegime};
    use barograph_engine::explain::{AxisMoment, Care};

    fn of_event(trigger: NoticeTrigger, risk: RiskRegime) -> PositionNotice {
        PositionNotice {
            notice_id: "n".to_owned(),
            position_id: "p".to_owned(),
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            timestamp: Ts(0),
            trigger,
            level: NoticeLevel::Medium,
            flag: PositionFlag::Yellow,
            text: String::new(),
            headline: String::new(),
            open_positions: String::new(),
            new_entries: String::new(),
            episode: Ts(0),
            repeat: 0,
            old: None,
            new: ContextBrief {
                timestamp: Ts(0),
                snapshot_id: String::new(),
                risk,
                since: Ts(0),
                risk_bias: RiskBias::Conservative,
                posture: Posture::Hold,
                volatility: Some(VolRegime::Explosive),
                price: None,
                price_at: None,
                stale: false,
            },
        }
    }

    /// A lock screen shows the title alone: it says what happened, whatever the risk label is.
    #[test]
    fn the_title_of_a_position_notice_says_what_it_is_about() {
        use NoticeTrigger as T;
        let cases = [
            (T::Squeeze, RiskRegime::SqueezeRisk, "now squeeze risk"),
            (T::HighVol, RiskRegime::HighVol, "now high volatility"),
            (T::Chop, RiskRegime::ChopRisk, "now chop risk"),
            (T::Normal, RiskRegime::Normal, "risk back to normal"),
            (T::Unavailable, RiskRegime::Unknown, "no reading"),
            (T::Conservative, RiskRegime::Normal, "high caution"),
            (T::Volatility, RiskRegime::Normal, "now explosive moves"),
            (T::StopReached, RiskRegime::Normal, "stop reached"),
            (T::StopOnLevel, RiskRegime::Normal, "new level near the stop"),
            (T::Cascade, RiskRegime::Normal, "liquidation cascade"),
        ];
        assert!(cases.iter().map(|(trigger, ..)| trigger).eq(T::ALL), "every trigger, in order");
        for (trigger, risk, want) in cases {
            let title = of_position(&of_event(trigger, risk)).notice.title;
            assert_eq!(title, format!("BTCUSDT position: {want}"), "{}", trigger.name());
        }
    }

    fn squeeze() -> KnownAlert {
        let alert = Alert {
            pattern: Pattern::RegimeChange,
            trigger: Some(Trigger::Risk),
            change: AlertChange::Happened,
            state: AlertState::Closed,
            revision: 1,
            ts: Ts(0),
            severity: Severity::High,
            score: 70.0,
            opened_at: Ts(0),
            last_seen_at: Ts(0),
            closed_at: None,
            window_from: Ts(0),
            statistics: Vec::new(),
            data: vec![(Word::from("to"), Datum::Word(Word::from("SQUEEZE_RISK")))],
            base_rate: BaseRate::default(),
            inhibited_by: None,
            other: None,
            rule: None,
        };
        KnownAlert { known_at: Ts::from_secs(60), alert }
    }

    #[test]
    fn a_burst_says_on_the_lock_screen_how_many_how_much_and_on_which_side() {
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let titled = |change, facts: &[(&'static str, f64)]| {
            let mut known = squeeze();
            (known.alert.pattern, known.alert.trigger, known.alert.change) =
                (Pattern::LiquidationCascade, Some(Trigger::Burst), change);
            known.alert.data = facts.iter().map(|(name, x)| (Word::from(*name), Datum::Number(*x))).collect();
            of_alert(&market, "v1", &known, 0.9, None).notice.title
        };
        let of = |long: f64, short: f64| {
            [
                ("count", 21.0),
                ("span_s", 93.6),
                ("total_liquidated_usd", long + short),
                ("liquidated_long_usd", long),
                ("liquidated_short_usd", short),
            ]
        };
        let title = titled(AlertChange::Opened, &of(9_000.0, 61_110.0));
        assert_eq!(title, "BTCUSDT: 21 liquidations in 94 s, 70.11 K USD, mostly shorts");
        assert!(title.chars().count() <= TITLE_MAX);
        let title = titled(AlertChange::Closed, &of(70_110.0, 0.0));
        assert_eq!(title, "BTCUSDT: 21 liquidations, 70.11 K USD, all longs, ended");
        // Without its numbers it says what it is.
        assert_eq!(titled(AlertChange::Opened, &[]), "BTCUSDT: Burst of liquidations");
    }

    #[test]
    fn a_watch_that_came_true_says_what_turned() {
        let turn = WatchChange {
            ts: Ts::from_secs(60),
            known_at: Ts::from_secs(60),
            title: "1 h volatility fell below 72 %".to_owned(),
            text: "1 h volatility fell below 72 %: it is 69 %. Price 62,868. This watch has ended.".to_owned(),
            headline: "High volatility.".to_owned(),
            new_entries: String::new(),
            open_positions: String::new(),
        };
        let watch = UserWatch {
            id: "wat_1".to_owned(),
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            when: "realized_vol_1h below 0.72".to_owned(),
            words: String::new(),
            repeat: false,
            note: None,
            to: Vec::new(),
            created_at: Ts(0),
            ended_at: None,
            turns: 0,
            fired: Vec::new(),
        };
        let message = of_watch(&watch, &turn);
        assert_eq!(message.notice.title, "BTCUSDT: 1 h volatility fell below 72 %");
        assert_eq!((message.notice.kind, message.notice.phase), (MessageKind::Watch, Phase::Happened));
        assert_eq!(message.id, of_watch(&watch, &turn).id, "found again after a restart it is the same message");
        let later = WatchChange { ts: Ts::from_secs(120), ..turn };
        assert_ne!(message.id, of_watch(&watch, &later).id);
        assert_eq!(message.fingerprint, of_watch(&watch, &later).fingerprint);
    }

    /// One message a burst: what a receiver knows already is marked as no news, which it is sent only where it became more severe.
    #[test]
    fn growth_of_a_burst_is_no_news_and_its_beginning_and_end_are() {
        use AlertChange as C;
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let marked = |trigger, change| {
            let mut known = squeeze();
            (known.alert.pattern, known.alert.trigger, known.alert.change) =
                (Pattern::LiquidationCascade, Some(trigger), change);
            of_alert(&market, "v1", &known, 0.9, None).notice.resumed
        };
        let cases = [
            (Trigger::Burst, C::Opened, false),
            (Trigger::Burst, C::Updated, true),
            (Trigger::Burst, C::Resumed, true),
            (Trigger::Burst, C::Closed, false),
            (Trigger::Sustained, C::Updated, false),
            (Trigger::Sustained, C::Resumed, true),
        ];
        for (trigger, change, no_news) in cases {
            assert_eq!(marked(trigger, change), no_news, "{trigger:?} {change:?}");
        }
    }

    /// Headline, squeezed side and guidance of a message are those of the alert's minute; without one nothing is made up.
    #[test]
    fn a_message_carries_what_its_minute_says() {
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let minute = Minute {
            headline: "Squeeze risk, longs crowded. Uptrend, +0.3 % in 24 h.".to_owned(),
            care: Care {
                by_table: true,
                bias: RiskBias::Conservative,
                posture: Posture::Reduce,
                new_entries: "entries of the minute".to_owned(),
                open_positions: "positions of the minute".to_owned(),
            },
            label: Some(AxisMoment {
                told: true,
                price: Some(63_120.0),
                side: Some("LONG_SQUEEZE"),
                why: "Squeeze risk, longs crowded.".to_owned(),
                clears: "It would clear some day.".to_owned(),
                flip: None,
                exit: None,
                statistics: Vec::new(),
            }),
            told: None,
        };
        let told = of_alert(&market, "v1", &squeeze(), 0.9, Some(&minute)).notice;
        let mut muted = squeeze();
        muted.alert.inhibited_by = Some(Pattern::FundingManipulation);
        let weaker = of_alert(&market, "v1", &muted, 0.9, Some(&minute)).notice;
        assert_eq!((weaker.text, weaker.inhibited_by), (told.text.clone(), Some(Pattern::FundingManipulation)));
        assert_eq!((told.title.as_str(), &told.headline), ("BTCUSDT: Squeeze risk, longs crowded", &minute.headline));
        assert_eq!((told.new_entries, told.open_positions), (minute.care.new_entries, minute.care.open_positions));
        assert_eq!((told.clears.as_str(), told.text.contains("63,120")), ("It would clear some day.", true));
        let alone = of_alert(&market, "v1", &squeeze(), 0.9, None).notice;
        assert_eq!((alone.title.as_str(), alone.headline.as_str()), ("BTCUSDT: Squeeze risk", ""));
    }
}
