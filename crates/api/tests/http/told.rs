//! What people of the small world received: a message every ten minutes to two endpoints, one of which refuses for good.

use super::world::{World, minute, name};
use barograph_api::watches::{NewWatch, UserWatch, WatchChange, WatchPast, WatchView, Watches};
use barograph_api::{
    AskDeliveries, AskMarkets as _, AskWatches, DeliveryFilter, DeliveryName as Kind, DeliveryView, EndpointView,
    GroupView, MessageView, NewReceiver, NewSilence, Page, QueryError, SampleView, SilenceView,
};
use barograph_domain::delivery::{
    Attempt, Delivery, DeliveryState, Figure, Member, Message, MessageKind, Notice, Phase, Silence,
};
use barograph_domain::whatif::SignalMinutes;
use barograph_domain::{InstrumentName, Pattern, Severity, Span, Trigger, Ts};

/// Messages of the small world.
const MESSAGES: i64 = 12;

/// Deliveries, silences and endpoints that the tests ask for.
pub(crate) struct Told {
    messages: Vec<Message>,
    deliveries: Vec<Delivery>,
    silences: Vec<Silence>,
    watches: Vec<UserWatch>,
    /// Why the endpoint `gone` is not used; `None`: it is.
    disabled: Option<String>,
    /// Only another process delivers.
    pub(crate) elsewhere: bool,
}

/// Every fourth is of a group.
fn message(n: i64) -> Message {
    let known_at = minute(n * 10);
    let of_group = n % 4 == 3;
    let instrument = (!of_group).then(|| name("binance-usdm:BTCUSDT"));
    let member = Member {
        instrument: name("bybit:BTCUSDT"),
        pattern: None,
        opened_at: None,
        closed_at: None,
        figures: Vec::new(),
        clears: String::new(),
        fired_30d: None,
        known_days: None,
        title: "Burst of liquidations".to_owned(),
        severity: Severity::High,
        phase: Phase::Firing,
        alert_id: "a".to_owned(),
        fingerprint: "9c1f2a77d0b54e31".to_owned(),
        times: Some(1),
    };
    let notice = Notice {
        kind: if of_group { MessageKind::Group } else { MessageKind::Alert },
        phase: if n % 2 == 0 { Phase::Resolved } else { Phase::Firing },
        alert_id: format!("0f8fad5b-d9cb-569f-a165-{n:012x}"),
        revision: 1,
        pattern: Some(Pattern::LiquidationCascade),
        trigger: Some(Trigger::Burst),
        rule: None,
        source: "liquidations".to_owned(),
        severity: Severity::High,
        symbol: instrument.as_ref().map(|_| "BTC/USDT".to_owned()).unwrap_or_default(),
        instrument,
        title: "Burst of liquidations".to_owned(),
        text: "7 liquidations within 60 s.".to_owned(),
        headline: String::new(),
        figures: vec![Figure {
            name: "liq_count_60s".to_owned(),
            value: "7".to_owned(),
            threshold: "5".to_owned(),
            number: Some(7.0),
            limit: 5.0,
        }],
        new_entries: "wait".to_owned(),
        open_positions: "review".to_owned(),
        clears: "ten quiet minutes".to_owned(),
        fired_30d: Some(2),
        known_days: None,
        inhibited_by: None,
        resumed: false,
        venue_markets: None,
        ts: known_at,
        known_at,
        opened_at: known_at,
        closed_at: None,
        path: "/m/binance-usdm:BTCUSDT".to_owned(),
        members: if of_group { vec![member] } else { Vec::new() },
        more_members: 0,
        event: String::new(),
        seed4: String::new(),
    };
    Message { id: format!("msg_{n:026}"), fingerprint: format!("{n:016x}"), known_at, notice }
}

impl Default for Told {
    fn default() -> Self {
        let messages: Vec<Message> = (0..MESSAGES).map(message).collect();
        let of = |m: &Message, endpoint: &str, state: DeliveryState| Delivery {
            endpoint: endpoint.to_owned(),
            message: m.id.clone(),
            state,
            via: None,
            reason: if state == DeliveryState::Dead { "refused".to_owned() } else { String::new() },
            deliver_until: m.known_at + Span::mins(30),
            attempts: 1,
            next_try: m.known_at,
            ended_at: Some(m.known_at + Span::secs(1)),
        };
        let both = |m| [of(m, "phone", DeliveryState::Delivered), of(m, "gone.example", DeliveryState::Dead)];
        let mut deliveries: Vec<Delivery> = messages.iter().flat_map(both).collect();
        deliveries.reverse();
        Self {
            messages,
            deliveries,
            silences: Vec::new(),
            watches: Vec::new(),
            disabled: Some("answered 410".to_owned()),
            elsewhere: false,
        }
    }
}

impl Told {
    fn of(&self, id: &str) -> Result<&Message, QueryError> {
        let found = self.messages.iter().find(|m| m.id == id);
        found.ok_or_else(|| QueryError::Unknown { what: Kind::Message, id: id.to_owned() })
    }

    fn view(&self, d: &Delivery) -> DeliveryView {
        DeliveryView::new(d.clone(), self.of(&d.message).unwrap())
    }

    fn here(&self) -> Result<(), QueryError> {
        if self.elsewhere { Err(QueryError::NotDelivering) } else { Ok(()) }
    }

    pub(crate) fn page(&self, f: &DeliveryFilter) -> Page<DeliveryView> {
        let all = self.deliveries.iter().map(|d| self.view(d));
        let wanted = all.filter(|d| {
            f.state.is_none_or(|s| s == d.state)
                && f.endpoint.as_ref().is_none_or(|e| *e == d.endpoint)
                && f.kind.is_none_or(|k| k == d.kind)
                && f.instrument.as_ref().is_none_or(|i| Some(i) == d.instrument.as_ref())
                && f.as_of.is_none_or(|t| d.known_at <= t)
        });
        let mut wanted: Vec<DeliveryView> = match &f.after {
            Some(place) => wanted.skip_while(|d| d.place() != *place).skip(1).collect(),
            None => wanted.collect(),
        };
        let more = wanted.len() > f.limit;
        wanted.truncate(f.limit);
        Page { items: wanted, more }
    }

    pub(crate) fn message(&self, id: &str) -> Result<MessageView, QueryError> {
        let m = self.of(id)?;
        let attempt = Attempt {
            endpoint: "phone".to_owned(),
            message: id.to_owned(),
            at: m.known_at,
            status: Some(200),
            latency_ms: 12,
            outcome: "delivered".to_owned(),
            excerpt: "ok".to_owned(),
        };
        Ok(MessageView {
            message: m.id.clone(),
            fingerprint: m.fingerprint.clone(),
            known_at: m.known_at,
            notice: m.notice.clone(),
            deliveries: self.deliveries.iter().filter(|d| d.message == id).cloned().collect(),
            attempts: vec![attempt],
        })
    }

    pub(crate) fn replay(&mut self, id: &str, endpoint: &str) -> Result<DeliveryView, QueryError> {
        self.here()?;
        self.of(id)?;
        let found = self.deliveries.iter_mut().find(|d| d.message == id && d.endpoint == endpoint);
        let found = found.ok_or_else(|| QueryError::Unknown { what: Kind::Endpoint, id: endpoint.to_owned() })?;
        if found.state != DeliveryState::Dead {
            let (reason, hint) = ("it has been confirmed".to_owned(), "leave it".to_owned());
            return Err(QueryError::Conflict { reason, hint });
        }
        (found.state, found.ended_at) = (DeliveryState::Waiting, None);
        let found = found.clone();
        Ok(self.view(&found))
    }

    pub(crate) fn endpoints(&self) -> Vec<EndpointView> {
        let of = |name: &str, disabled: Option<String>| EndpointView {
            name: name.to_owned(),
            format: Some("standard".to_owned()),
            address: Some("hooks.example …9f3a".to_owned()),
            disabled,
            failing_since: None,
            waiting: 0,
            delivered_24h: 12,
            budget: Some("3/day".to_owned()),
            budget_most: Some(3),
            budget_used: 3,
            budget_next_at: Some(Ts::from_civil(2026, 2, 5, 14, 5, 0)),
            held_back_now: 2,
            made_here: false,
            held_back_24h: 2,
            latency_ms_p50: Some(12),
            latency_ms_p99: Some(40),
        };
        vec![of("gone.example", self.disabled.clone()), of("phone", None)]
    }

    pub(crate) fn enable(&mut self, name: &str) -> Result<EndpointView, QueryError> {
        self.here()?;
        if name == "gone.example" {
            self.disabled = None;
        }
        let found = self.endpoints().into_iter().find(|e| e.name == name);
        found.ok_or_else(|| QueryError::Unknown { what: Kind::Endpoint, id: name.to_owned() })
    }

    pub(crate) fn why_not(&self) -> Option<String> {
        self.elsewhere.then(|| "this process only serves".to_owned())
    }

    pub(crate) fn try_out(&self, name: &str) -> Result<SampleView, QueryError> {
        self.here()?;
        if !self.endpoints().iter().any(|e| e.name == name) {
            return Err(QueryError::Unknown { what: Kind::Endpoint, id: name.to_owned() });
        }
        Ok(SampleView {
            request: "POST hooks.example…9f3a".to_owned(),
            status: Some(200),
            reply: "ok".to_owned(),
            latency_ms: 12,
            delivered: true,
            body: "{}".to_owned(),
        })
    }

    pub(crate) fn make(&self, new: &NewReceiver) -> Result<EndpointView, QueryError> {
        self.here()?;
        if self.endpoints().iter().any(|e| e.name == new.name) {
            return Err(QueryError::BadField {
                field: "name".to_owned(),
                value: new.name.clone(),
                reason: "there is one already".to_owned(),
            });
        }
        let made = self.endpoints().into_iter().next();
        let made = made.ok_or_else(|| QueryError::Unknown { what: Kind::Endpoint, id: new.name.clone() })?;
        Ok(EndpointView { name: new.name.clone(), made_here: true, disabled: None, ..made })
    }

    pub(crate) fn unmake(&self, name: &str) -> Result<(), QueryError> {
        self.here()?;
        match name {
            "made" => Ok(()),
            "phone" => Err(QueryError::Conflict {
                reason: "it stands in the settings".to_owned(),
                hint: "take it out there".to_owned(),
            }),
            other => Err(QueryError::Unknown { what: Kind::Endpoint, id: other.to_owned() }),
        }
    }

    pub(crate) fn watches(&self) -> Watches {
        // Of signals nothing is known yet.
        let is_known = |watch: &UserWatch| !watch.when.contains("x.");
        let items = self.watches.iter().map(|watch| WatchView {
            watch: watch.clone(),
            now: is_known(watch).then(|| "price is 63,120".to_owned()),
            why_not_now: (!is_known(watch)).then(|| "no value of x.mood is known yet".to_owned()),
            judged: Some(watch.created_at),
        });
        Watches { items: items.collect(), judged_here: !self.elsewhere, why_not: self.why_not(), most: 200 }
    }

    pub(crate) fn watch(&mut self, new: &NewWatch, now: Ts) -> Result<WatchView, QueryError> {
        self.here()?;
        if new.when.is_empty() {
            let reason = "'' is no condition".to_owned();
            return Err(QueryError::BadField { field: "when".to_owned(), value: String::new(), reason });
        }
        let turn = WatchChange {
            ts: now,
            known_at: now,
            title: "price rose above 63,000".to_owned(),
            text: "Price rose above 63,000: it is 63,120.".to_owned(),
            headline: String::new(),
            new_entries: String::new(),
            open_positions: String::new(),
        };
        self.watches.push(UserWatch {
            id: format!("wat {}", self.watches.len()),
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            when: new.when.clone(),
            words: new.when.clone(),
            repeat: new.repeat,
            note: new.note.clone(),
            to: new.to.clone(),
            created_at: now,
            ended_at: None,
            turns: 1,
            fired: vec![turn],
        });
        let last = self.watches().items.pop();
        last.ok_or_else(|| QueryError::Unknown { what: Kind::Watch, id: String::new() })
    }

    pub(crate) fn unwatch(&mut self, id: &str) -> Result<(), QueryError> {
        self.here()?;
        let before = self.watches.len();
        self.watches.retain(|w| w.id != id);
        if self.watches.len() < before {
            return Ok(());
        }
        Err(QueryError::Unknown { what: Kind::Watch, id: id.to_owned() })
    }

    pub(crate) fn groups(&self, as_of: Option<Ts>) -> Vec<GroupView> {
        let known = |m: &&Message| m.notice.kind == MessageKind::Group && as_of.is_none_or(|t| m.known_at <= t);
        let view = |m: &Message| GroupView { message: m.id.clone(), known_at: m.known_at, notice: m.notice.clone() };
        self.messages.iter().rev().filter(known).map(view).collect()
    }

    pub(crate) fn silences(&self, all: bool, moment: Ts) -> Vec<SilenceView> {
        let known = self.silences.iter().filter(|s| s.created_at <= moment && (all || s.ends_at > moment));
        known.map(|s| SilenceView::at(s.clone(), moment)).collect()
    }

    pub(crate) fn silence(&mut self, new: &NewSilence, now: Ts) -> Result<SilenceView, QueryError> {
        self.here()?;
        let text = new.duration.clone().unwrap_or_default();
        let ends_at = now
            + Span::parse(&text).map_err(|e| QueryError::BadField {
                field: "duration".to_owned(),
                value: text,
                reason: e.to_string(),
            })?;
        let silence = Silence {
            id: format!("sil {}", self.silences.len()),
            matchers: new.matchers.clone(),
            author: new.author.clone(),
            reason: new.reason.clone(),
            starts_at: now,
            ends_at,
            created_at: now,
        };
        self.silences.push(silence.clone());
        Ok(SilenceView::at(silence, now))
    }

    pub(crate) fn end_silence(&mut self, id: &str, now: Ts) -> Result<(), QueryError> {
        self.here()?;
        let found = self.silences.iter_mut().find(|s| s.id == id && s.ends_at > now);
        let found = found.ok_or_else(|| QueryError::Unknown { what: Kind::Silence, id: id.to_owned() })?;
        found.ends_at = now;
        Ok(())
    }
}

impl AskDeliveries for World {
    fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryView>, QueryError> {
        self.disk()?;
        Ok(self.told.lock().unwrap().page(filter))
    }
    fn message(&self, id: &str) -> Result<MessageView, QueryError> {
        self.told.lock().unwrap().message(id)
    }
    fn replay(&self, message: &str, endpoint: &str) -> Result<DeliveryView, QueryError> {
        self.told.lock().unwrap().replay(message, endpoint)
    }
    fn endpoints(&self) -> Result<Vec<EndpointView>, QueryError> {
        self.disk()?;
        Ok(self.told.lock().unwrap().endpoints())
    }
    fn enable_endpoint(&self, name: &str) -> Result<EndpointView, QueryError> {
        self.told.lock().unwrap().enable(name)
    }
    fn why_not_delivering(&self) -> Option<String> {
        self.told.lock().unwrap().why_not()
    }
    fn try_endpoint(&self, name: &str) -> Result<SampleView, QueryError> {
        self.told.lock().unwrap().try_out(name)
    }
    fn make_receiver(&self, new: &NewReceiver) -> Result<EndpointView, QueryError> {
        self.told.lock().unwrap().make(new)
    }
    fn remove_receiver(&self, name: &str) -> Result<(), QueryError> {
        self.told.lock().unwrap().unmake(name)
    }
    fn groups(&self, as_of: Option<Ts>) -> Result<Vec<GroupView>, QueryError> {
        self.disk()?;
        Ok(self.told.lock().unwrap().groups(as_of))
    }
    fn silences(&self, all: bool, as_of: Option<Ts>) -> Result<Vec<SilenceView>, QueryError> {
        Ok(self.told.lock().unwrap().silences(all, as_of.unwrap_or_else(|| self.now())))
    }
    fn put_silence(&self, new: &NewSilence) -> Result<SilenceView, QueryError> {
        self.told.lock().unwrap().silence(new, self.now())
    }
    fn end_silence(&self, id: &str) -> Result<(), QueryError> {
        self.told.lock().unwrap().end_silence(id, self.now())
    }
}

impl AskWatches for World {
    fn watches(&self) -> Result<Watches, QueryError> {
        self.disk()?;
        Ok(self.told.lock().unwrap().watches())
    }
    fn watch_past(&self, _: &str, when: &str) -> Result<WatchPast, QueryError> {
        let instrument = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let used = SignalMinutes {
            instrument: instrument.clone(),
            name: "x.mood".to_owned(),
            scope: "*".to_owned(),
            source: "news".to_owned(),
            within_s: 7_200,
            revisions: 9,
            stated: 2,
            assumed: 4,
            minutes: 1,
            digest: "0".repeat(64),
        };
        let is_of_signal = when.contains("x.");
        Ok(WatchPast {
            instrument,
            when: when.to_owned(),
            words: when.to_owned(),
            since: Some(self.now()),
            until: Some(self.now()),
            minutes: 1,
            turns: 1,
            recent: vec![self.now()],
            signals: if is_of_signal { vec![used] } else { Vec::new() },
            unit: is_of_signal.then(|| "points".to_owned()),
        })
    }
    fn put_watch(&self, new: &NewWatch) -> Result<WatchView, QueryError> {
        self.told.lock().unwrap().watch(new, self.now())
    }
    fn remove_watch(&self, id: &str) -> Result<(), QueryError> {
        self.told.lock().unwrap().unwatch(id)
    }
}
