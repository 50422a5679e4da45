//! Which receivers a fact is delivered to: the message and one delivery for each receiver that wants it.
//!
//! Asked while the fact is on its way into the store, so that both are stored together. A record of an alert makes a message even
//! if nobody wants it: the dispatcher hears of it, because it may end what others received, or say why others are not.

use super::notice;
use barograph_api::watches::{UserWatch, WatchChange};
use barograph_domain::advice::PositionNotice;
use barograph_domain::delivery::{Delivery, Message, Phase};
use barograph_domain::{KnownAlert, Pattern, Severity, Span};
use barograph_engine::explain::Minute;
use barograph_engine::rules::RuleBook;
use barograph_notify::outbox::waiting;
use barograph_notify::receiver::Receiver;
use barograph_query::render::Lens;
use barograph_store::Outgoing;
use std::collections::{BTreeMap, BTreeSet};

/// The receivers, and how long messages of the user's own rules are worth delivering.
#[derive(Debug)]
pub(crate) struct Mail {
    receivers: Vec<Receiver>,
    within: BTreeMap<String, Span>,
}

impl Mail {
    pub(crate) fn new(receivers: Vec<Receiver>, book: &RuleBook) -> Self {
        let within = book.alerts().iter().filter_map(|rule| Some((rule.id.clone(), rule.deliver_within?)));
        Self { receivers, within: within.collect() }
    }

    /// The same rules for other receivers.
    pub(crate) fn among(&self, receivers: Vec<Receiver>) -> Self {
        Self { receivers, within: self.within.clone() }
    }

    /// In the order of the settings.
    pub(crate) fn receivers(&self) -> &[Receiver] {
        &self.receivers
    }

    /// What is reported of a record of an alert.
    pub(crate) fn of_alert(&self, lens: &Lens, known: &KnownAlert, minute: Option<&Minute>) -> Option<Outgoing> {
        if self.receivers.is_empty() {
            return None;
        }
        let keep = lens.book.detectors.keep;
        let mut message = notice::of_alert(&lens.instrument.name, &lens.logic_version, known, keep, minute);
        // A gap is severe where the price is lost.
        if known.alert.pattern == Pattern::DataGap && known.alert.severity >= Severity::High {
            message.notice.venue_markets = Some(neighbours(lens));
        }
        Some(self.addressed(message))
    }

    /// What is reported of a position.
    pub(crate) fn of_position(&self, told: &PositionNotice) -> Option<Outgoing> {
        Some(self.addressed(notice::of_position(told))).filter(|outgoing| !outgoing.deliveries.is_empty())
    }

    /// What is reported of a watch that came true: to the receivers it names, or to all.
    pub(crate) fn of_watch(&self, watch: &UserWatch, turn: &WatchChange) -> Option<Outgoing> {
        let mut outgoing = self.addressed(notice::of_watch(watch, turn));
        outgoing.deliveries.retain(|d| watch.to.is_empty() || watch.to.contains(&d.endpoint));
        Some(outgoing).filter(|outgoing| !outgoing.deliveries.is_empty())
    }

    fn addressed(&self, message: Message) -> Outgoing {
        let own = message.notice.rule.as_ref().and_then(|rule| self.within.get(rule)).copied();
        let own = own.filter(|_| message.notice.phase != Phase::Resolved);
        let wants = self.receivers.iter().filter(|r| r.wants(&message.notice));
        let deliveries: Vec<Delivery> = wants
            .map(|r| {
                let usual = || r.deliver_until(&message.notice);
                waiting(&r.name, &message, own.map_or_else(usual, |within| message.known_at + within))
            })
            .collect();
        Outgoing { message, deliveries }
    }
}

/// How many markets of its venue are listened to, it included.
fn neighbours(lens: &Lens) -> u32 {
    let name = &lens.instrument.name;
    let streams = lens.streams.iter().map(|s| &s.instrument).filter(|i| i.venue == name.venue);
    let markets: BTreeSet<_> = streams.chain([name]).collect();
    u32::try_from(markets.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::alert::{Alert, AlertChange, AlertState, BaseRate, Word};
    use barograph_domain::{Instrument, InstrumentName, Kind, MarketKind, Metric, Stamp, StreamDecl, Ts};
    use barograph_notify::format::plain::JSON;
    use barograph_notify::receiver::Filter;
    use std::sync::Arc;

    fn lens(book: RuleBook) -> Lens {
        let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        Lens {
            book: Arc::new(book),
            logic_version: "v1".to_owned(),
            instrument: Instrument { name, kind: MarketKind::Perpetual, expiry: None },
            streams: Vec::new().into(),
            corrected: Arc::default(),
            held: None,
            calls: None,
        }
    }

    fn record(severity: Severity, change: AlertChange, rule: Option<&'static str>) -> KnownAlert {
        let alert = Alert {
            pattern: Pattern::FundingAnomaly,
            trigger: None,
            change,
            state: AlertState::Open,
            revision: 1,
            ts: Ts(0),
            severity,
            score: 70.0,
            opened_at: Ts(0),
            last_seen_at: Ts(0),
            closed_at: None,
            window_from: Ts(0),
            statistics: Vec::new(),
            data: Vec::new(),
            base_rate: BaseRate::default(),
            inhibited_by: None,
            other: None,
            rule: rule.map(Word::from),
        };
        KnownAlert { known_at: Ts::from_secs(60), alert }
    }

    #[test]
    fn a_record_goes_to_those_who_want_it_and_lives_as_long_as_its_rule_says() {
        let text = RuleBook::shipped_text("default").unwrap();
        let rule = "[[alert]]\nid = \"mine\"\nall = [{ feature = \"realized_vol_1h\", op = \">\", value = 0.5 }]\ndeliver_within = \"5m\"\n";
        let book = RuleBook::parse("b.toml", &format!("{text}\n{rule}")).unwrap();
        let all = Receiver::new("all", &JSON, "https://a.example/x");
        let filter = Filter { severity_min: Severity::High, ..Filter::default() };
        let high = Receiver { filter, ..Receiver::new("high", &JSON, "https://b.example/x") };
        let mail = Mail::new(vec![all, high], &book);
        let lens = lens(book);
        let to = |known: &KnownAlert| {
            let outgoing = mail.of_alert(&lens, known, None)?;
            assert!(outgoing.deliveries.iter().all(|d| d.message == outgoing.message.id));
            Some(
                outgoing
                    .deliveries
                    .into_iter()
                    .map(|d| (d.endpoint, d.deliver_until - known.known_at))
                    .collect::<Vec<_>>(),
            )
        };
        let half = Span::mins(30);
        assert_eq!(to(&record(Severity::Medium, AlertChange::Opened, None)), Some(vec![("all".to_owned(), half)]));
        let both = vec![("all".to_owned(), Span::mins(5)), ("high".to_owned(), Span::mins(5))];
        assert_eq!(to(&record(Severity::High, AlertChange::Opened, Some("mine"))), Some(both));
        let over = to(&record(Severity::High, AlertChange::Closed, Some("mine"))).unwrap();
        assert_eq!(over[0].1, Span::hours(24), "an end is worth telling for longer");
        let unheard = to(&record(Severity::Medium, AlertChange::Suspended, None));
        assert_eq!(unheard, Some(Vec::new()), "nobody asked for it, and the dispatcher hears of it");
        let nobody = Mail::new(Vec::new(), &lens.book);
        assert!(nobody.of_alert(&lens, &record(Severity::High, AlertChange::Opened, None), None).is_none());
    }

    #[test]
    fn a_lost_price_says_of_how_many_markets_it_is_one() {
        let stream = |market: &str| StreamDecl {
            instrument: InstrumentName::parse(market).unwrap(),
            metric: Metric::MarkPrice,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "test".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        };
        let markets = ["binance-usdm:BTCUSDT", "binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT", "okx:BTC-USDT"];
        let streams: Vec<_> = markets.into_iter().map(stream).collect();
        let lens = Lens { streams: streams.into(), ..lens(RuleBook::shipped("default").unwrap()) };
        let mail = Mail::new(vec![Receiver::new("a", &JSON, "https://a.example/x")], &lens.book);
        let of = |severity, pattern| {
            let mut known = record(severity, AlertChange::Opened, None);
            known.alert.pattern = pattern;
            mail.of_alert(&lens, &known, None).unwrap().message.notice.venue_markets
        };
        assert_eq!(of(Severity::High, Pattern::DataGap), Some(2));
        assert_eq!(of(Severity::Medium, Pattern::DataGap), None, "the price is there");
        assert_eq!(of(Severity::High, Pattern::FundingAnomaly), None);
    }

    #[test]
    fn the_same_record_makes_the_same_message() {
        let lens = lens(RuleBook::shipped("default").unwrap());
        let mail = Mail::new(vec![Receiver::new("a", &JSON, "https://a.example/x")], &lens.book);
        let one = record(Severity::High, AlertChange::Opened, None);
        let mut next = one.clone();
        next.alert.revision = 2;
        next.alert.change = AlertChange::Updated;
        let of = |k: &KnownAlert| mail.of_alert(&lens, k, None).unwrap().message;
        assert_eq!(of(&one), of(&one));
        assert_ne!(of(&one).id, of(&next).id);
        assert_eq!(of(&one).fingerprint, of(&next).fingerprint);
    }
}
