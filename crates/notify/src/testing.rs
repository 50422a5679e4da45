//! Material for tests: notices, messages, an outbox in memory.

use crate::outbox::{Change, Join, Outbox, OutboxError, Outgoing, Recovered, waiting};
use barograph_domain::delivery::{
    Attempt, Delivery, DeliveryState, EndpointState, Figure, Message, MessageKind, Notice, Phase, Silence, fingerprint,
    message_id,
};
use barograph_domain::{InstrumentName, Pattern, Severity, Span, Ts};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// The moment at which tests begin.
pub const T0: Ts = Ts::from_civil(2026, 2, 5, 14, 35, 0);

/// An alert about a market.
pub fn notice(instrument: &str, phase: Phase) -> Notice {
    let instrument = InstrumentName::parse(instrument).unwrap();
    Notice {
        kind: MessageKind::Alert,
        phase,
        alert_id: format!("alert of {instrument}"),
        revision: 1,
        pattern: Some(Pattern::FundingAnomaly),
        trigger: None,
        rule: None,
        source: "FUNDING".into(),
        severity: Severity::High,
        symbol: instrument.base_quote().map(|(b, q)| format!("{b}/{q}")).unwrap_or_default(),
        title: format!("FUNDING_ANOMALY {}", instrument.symbol),
        text: "Longs pay 2.6σ above their day.".into(),
        headline: String::new(),
        figures: vec![Figure {
            name: "funding_zscore_24h".into(),
            value: "2.60σ".into(),
            threshold: "2.00σ".into(),
            number: Some(2.6),
            limit: 2.0,
        }],
        new_entries: "smaller size, wider stop or wait".into(),
        open_positions: "review, reduce or trail stop".into(),
        clears: "funding fell below 1.5σ".into(),
        fired_30d: Some(3),
        known_days: Some(30),
        inhibited_by: None,
        resumed: false,
        venue_markets: None,
        ts: T0,
        known_at: T0 + Span::millis(200),
        opened_at: T0,
        closed_at: (phase == Phase::Resolved).then_some(T0),
        path: format!("/m/{instrument}?as_of=2026-02-05T14:35:00Z"),
        members: Vec::new(),
        more_members: 0,
        event: format!(r#"{{"event_type":"FUNDING_ANOMALY","instrument":"{instrument}"}}"#),
        seed4: r#"{"event_type":"FUNDING_ANOMALY","timestamp":"2026-02-05T14:35:00.000Z","symbol":"BTC/USDT","severity":"CRITICAL","title":"t","description":"d","source":"FUNDING","data":{"funding_rate":0.0012}}"#.into(),
        instrument: Some(instrument),
    }
}

/// The same with a change.
pub fn with(notice: &Notice, change: impl FnOnce(&mut Notice)) -> Notice {
    let mut notice = notice.clone();
    change(&mut notice);
    notice
}

/// A message of a notice at a moment; `nth` tells the records of one alert apart.
pub fn message(notice: Notice, nth: u32, at: Ts) -> Message {
    let what = notice.instrument.as_ref().map_or_else(|| notice.alert_id.clone(), ToString::to_string);
    let pattern = notice.pattern.map_or("", Pattern::name);
    Message {
        id: message_id(&format!("{what}|{pattern}|{nth}|{}", at.0)),
        fingerprint: fingerprint(&format!("{what}|{pattern}")),
        known_at: at,
        notice: Notice { revision: nth, known_at: at, ..notice },
    }
}

/// A message with one delivery per endpoint.
pub fn outgoing(message: Message, endpoints: &[&str]) -> Outgoing {
    let within = if message.notice.phase == Phase::Resolved { Span::hours(24) } else { Span::mins(30) };
    let deliveries = endpoints.iter().map(|endpoint| waiting(endpoint, &message, message.known_at + within)).collect();
    Outgoing { message, deliveries }
}

/// What a store would hold.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// By id.
    pub messages: BTreeMap<String, Message>,
    /// By endpoint and message.
    pub rows: BTreeMap<(String, String), Delivery>,
    /// Every try.
    pub attempts: Vec<Attempt>,
    /// By name.
    pub states: BTreeMap<String, EndpointState>,
    /// All silences stored.
    pub silences: Vec<Silence>,
    /// Calls fail.
    pub away: bool,
    /// Results are lost, as if the process were killed before they were written.
    pub forgets: bool,
}

impl Shelf {
    /// Stores a message with its rows.
    pub fn put(&mut self, outgoing: &Outgoing) {
        self.messages.entry(outgoing.message.id.clone()).or_insert_with(|| outgoing.message.clone());
        for row in &outgoing.deliveries {
            assert_eq!(row.message, outgoing.message.id);
            self.rows.entry((row.endpoint.clone(), row.message.clone())).or_insert_with(|| row.clone());
        }
    }
    /// Stores joins; what has ended stays.
    pub fn join(&mut self, joins: &[Join]) {
        for join in joins {
            let row = self.rows.get_mut(&(join.endpoint.clone(), join.message.clone())).expect("a known row joins");
            if !row.state.is_final() {
                (row.state, row.via) = (DeliveryState::Grouped, Some(join.via.clone()));
            }
        }
    }
    /// Stores changes; ends are shared with what is joined.
    pub fn change(&mut self, change: &Change) {
        assert_ne!(change.state, DeliveryState::Grouped);
        let key = (change.endpoint.clone(), change.message.clone());
        let row = self.rows.get_mut(&key).unwrap_or_else(|| panic!("a change of an unknown row {key:?}"));
        if row.state.is_final() {
            return;
        }
        (row.state, row.reason, row.attempts) = (change.state, change.reason.clone(), change.attempts);
        (row.next_try, row.via) = (change.next_try, None);
        if change.state.is_final() {
            row.ended_at = Some(change.at);
            for other in self.rows.values_mut() {
                if other.endpoint == change.endpoint && other.via.as_deref() == Some(&change.message) {
                    assert_ne!(other.state, DeliveryState::Waiting, "what goes with a group waits for it");
                    if !other.state.is_final() {
                        (other.state, other.reason) = (change.state, change.reason.clone());
                        other.ended_at = Some(change.at);
                    }
                }
            }
        }
    }
    /// What another process would find: the store's own questions (`store/src/sql/outbox_read.rs`), asked of this one.
    pub fn recovered(&self, now: Ts) -> Recovered {
        let of = |m: &Message, keep: &dyn Fn(&Delivery) -> bool| Outgoing {
            message: m.clone(),
            deliveries: self.rows.values().filter(|d| d.message == m.id && keep(d)).cloned().collect(),
        };
        let mut by_time: Vec<&Message> = self.messages.values().collect();
        by_time.sort_by_key(|m| (m.known_at, m.notice.revision, &m.id));
        let unfinished = by_time.iter().map(|m| of(m, &|d| !d.state.is_final())).filter(|o| !o.deliveries.is_empty());
        let recent = by_time.iter().filter(|m| m.known_at >= now - Span::mins(10)).map(|m| of(m, &|_| true));
        let mut newest_of: BTreeMap<&str, &Message> = BTreeMap::new();
        for m in &by_time {
            newest_of.insert(&m.fingerprint, m);
        }
        let mut firing: Vec<&Message> = newest_of.into_values().collect();
        firing.retain(|m| m.notice.phase == Phase::Firing && m.notice.kind != MessageKind::Sample);
        firing.sort_by_key(|m| (m.known_at, m.notice.revision, &m.id));
        let since = |d: &Delivery, m: &Message| {
            let of = &self.messages[&d.message];
            of.fingerprint == m.fingerprint && of.known_at >= m.notice.opened_at
        };
        let told = |m: &Message| {
            let all = self.rows.values().filter(|d| d.state == DeliveryState::Delivered && since(d, m));
            all.map(|d| d.endpoint.clone()).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let firing = firing.into_iter().map(|m| crate::outbox::Firing { message: m.clone(), told: told(m) });
        Recovered {
            unfinished: unfinished.collect(),
            recent: recent.collect(),
            firing: firing.collect(),
            endpoints: self.states.values().cloned().collect(),
            silences: self.silences.iter().filter(|s| s.ends_at > now).cloned().collect(),
            ended: self.silences.iter().filter(|s| s.ends_at <= now).cloned().collect(),
            more: false,
        }
    }
    /// How many rows are in a state.
    pub fn count(&self, state: DeliveryState) -> usize {
        self.rows.values().filter(|d| d.state == state).count()
    }
}

/// An outbox in memory that tests can look into.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub Arc<Mutex<Shelf>>);

impl Memory {
    fn open(&self) -> Result<std::sync::MutexGuard<'_, Shelf>, OutboxError> {
        let shelf = self.0.lock().unwrap();
        if shelf.away { Err(OutboxError::Unavailable("the test says so".into())) } else { Ok(shelf) }
    }
}

impl Outbox for Memory {
    fn recover(&mut self) -> Result<Recovered, OutboxError> {
        let shelf = self.open()?;
        let newest = shelf.messages.values().map(|m| m.known_at).max();
        Ok(shelf.recovered(newest.unwrap_or(T0)))
    }
    fn unfinished_after(&mut self, last: &Message) -> Result<(Vec<Outgoing>, bool), OutboxError> {
        let place = |m: &Message| (m.known_at, m.notice.revision, m.id.clone());
        let mut all = self.open()?.recovered(T0).unfinished;
        all.retain(|o| place(&o.message) > place(last));
        Ok((all, false))
    }
    fn enqueue(&mut self, messages: &[Outgoing], joins: &[Join]) -> Result<(), OutboxError> {
        let mut shelf = self.open()?;
        messages.iter().for_each(|m| shelf.put(m));
        shelf.join(joins);
        Ok(())
    }
    fn record(&mut self, changes: &[Change], tries: &[Attempt], states: &[EndpointState]) -> Result<(), OutboxError> {
        let mut shelf = self.open()?;
        if shelf.forgets {
            return Ok(());
        }
        changes.iter().for_each(|c| shelf.change(c));
        shelf.attempts.extend_from_slice(tries);
        for state in states {
            shelf.states.insert(state.endpoint.clone(), state.clone());
        }
        Ok(())
    }
    fn silences(&mut self) -> Result<Vec<Silence>, OutboxError> {
        Ok(self.open()?.silences.clone())
    }
}
