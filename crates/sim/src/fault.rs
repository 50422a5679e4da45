//! Faults on purpose: what can go wrong, when, for whom, and the record of what did.
//!
//! A rule fires once at a moment, or on a share of all occasions, decided by a seed. An occasion is a message to one
//! connection, a REST request, or a second of a connection, market or venue, depending on the kind. Every fault that
//! happened is on record, so that a checker can ask for the declaration of every hole.

use crate::Venue;
use crate::rng::Random;
use barograph_domain::{Span, Ts};
use std::collections::VecDeque;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InjectedFault {
    /// A message is not sent.
    Drop,
    /// A message is sent twice.
    Duplicate,
    /// A message changes places with the next one of its connection.
    Reorder,
    /// The connection stands still this long; then everything comes, in order.
    Delay(Span),
    /// A whole frame with half a text in it; on CoinEx half a packed one.
    TruncatedText,
    /// Half a frame, then the end of the connection without a word.
    TruncatedFrame,
    /// The venue's ids jump by so many: update ids, trade ids (where the rule's stream is a trade stream), or on Coinbase
    /// the numbering of the connection. CoinEx has no numbers that anybody could miss.
    SequenceJump(u64),
    /// The connection stays open and silent for ever; pings are not answered either.
    HalfOpen,
    /// Connections are closed, as at the end of their 24 hours.
    Cut,
    /// Spot announces the end of a connection; it is cut two seconds later.
    ServerShutdown,
    /// New sockets are refused with 503 this long.
    RefuseSockets(Span),
    /// A message whose check is wrong: what the receiver is to verify the order of a book by (`pu` or `U` on Binance, the
    /// number of the message on Coinbase, the checksum on CoinEx) is not what it should be.
    WrongCheck,
    /// A request on a socket is refused with this code (CoinEx).
    RefuseRequest(u32),
    /// Changes of a book stop this long; everything else goes on.
    StaleBook(Span),
    /// The venue's clock is wrong by the first span for the length of the second.
    ClockSkew(Span, Span),
    /// REST answers 429, with or without `Retry-After`; CoinEx without it its code for that, with status 200.
    TooManyRequests(Option<Span>),
    /// REST answers 418, with or without `Retry-After`; CoinEx 403 with it, and without it its code for that, with status 200.
    Banned(Option<Span>),
    /// REST answers this status.
    ServerError(u16),
    /// REST answers late by this much.
    SlowRest(Span),
    /// REST sends half of a body and breaks the connection.
    CutBody,
}

/// What a fault happens to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    Message,
    Sequence,
    Request,
    Connection,
    Sockets,
    Market,
    Venue,
    Rest,
}

/// How many scopes there are.
const SCOPES: usize = 8;

impl InjectedFault {
    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::Drop
            | Self::Duplicate
            | Self::Reorder
            | Self::Delay(_)
            | Self::TruncatedText
            | Self::TruncatedFrame
            | Self::WrongCheck => Scope::Message,
            Self::SequenceJump(_) => Scope::Sequence,
            Self::RefuseRequest(_) => Scope::Request,
            Self::HalfOpen | Self::Cut | Self::ServerShutdown => Scope::Connection,
            Self::RefuseSockets(_) => Scope::Sockets,
            Self::StaleBook(_) => Scope::Market,
            Self::ClockSkew(..) => Scope::Venue,
            Self::TooManyRequests(_) | Self::Banned(_) | Self::ServerError(_) | Self::SlowRest(_) | Self::CutBody => {
                Scope::Rest
            }
        }
    }
}

/// When a rule fires.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum When {
    /// At the first occasion from now on, once.
    Now,
    /// At the first occasion this long after the origin of the world, once.
    At(Span),
    /// On this share of all occasions, between these times after the origin (no end where absent).
    Share {
        /// From 0 to 1.
        share: f64,
        /// First moment.
        from: Span,
        /// Last moment.
        to: Option<Span>,
    },
}

impl When {
    /// On this share of all occasions, always.
    #[must_use]
    pub const fn share(share: f64) -> Self {
        Self::Share { share, from: Span::ZERO, to: None }
    }
}

/// Whom a rule concerns; what is absent concerns all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FaultTarget {
    /// One venue.
    pub venue: Option<Venue>,
    /// One market, in the venue's spelling, any case.
    pub market: Option<String>,
    /// Streams, or REST paths, whose name contains this.
    pub stream: Option<String>,
}

impl FaultTarget {
    fn fits(&self, venue: Venue, market: Option<&str>, stream: Option<&str>) -> bool {
        self.venue.is_none_or(|v| v == venue)
            && self.market.as_ref().is_none_or(|m| market.is_some_and(|x| x.eq_ignore_ascii_case(m)))
            && self.stream.as_ref().is_none_or(|s| stream.is_some_and(|x| x.contains(s.as_str())))
    }
}

/// One line of a plan.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: InjectedFault,
    /// Moment or chance at which it strikes.
    pub when: When,
    /// For whom.
    pub target: FaultTarget,
}

impl FaultRule {
    /// A fault for everybody.
    #[must_use]
    pub fn new(fault: InjectedFault, when: When) -> Self {
        Self { fault, when, target: FaultTarget::default() }
    }
    /// Only this market.
    #[must_use]
    pub fn market(mut self, market: &str) -> Self {
        self.target.market = Some(market.to_owned());
        self
    }
    /// Only this venue.
    #[must_use]
    pub const fn venue(mut self, venue: Venue) -> Self {
        self.target.venue = Some(venue);
        self
    }
    /// Only streams, or REST paths, whose name contains this.
    #[must_use]
    pub fn stream(mut self, part: &str) -> Self {
        self.target.stream = Some(part.to_owned());
        self
    }
}

/// A fault that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Injected {
    /// When, in the world.
    pub at: Ts,
    /// Fault that was made.
    pub fault: InjectedFault,
    /// Venue it was made at.
    pub venue: Venue,
    /// The market, where it concerned one.
    pub market: Option<String>,
    /// The stream or REST path, where it concerned one.
    pub stream: Option<String>,
    /// The connection, numbered from 1 in order of opening, where it concerned one.
    pub connection: Option<u64>,
    /// The message or ids that were hit, shortened.
    pub detail: String,
}

/// Records kept; older ones are forgotten and counted.
const RECORDS_MAX: usize = 200_000;

/// The rules, their dice, and the record.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    origin: Ts,
    rules: Vec<(FaultRule, bool)>,
    rng: Random,
    record: VecDeque<Injected>,
    pub(crate) total: u64,
    /// Which scopes have a rule that can still fire: one test on the way of every message.
    scopes: [bool; SCOPES],
}

impl FaultPlan {
    pub(crate) fn new(seed: u64, origin: Ts, rules: Vec<FaultRule>) -> Self {
        let rules = rules.into_iter().map(|r| (r, false)).collect();
        let rng = Random::new(seed, 90, 0);
        let mut plan = Self { origin, rules, rng, record: VecDeque::new(), total: 0, scopes: [false; SCOPES] };
        plan.count();
        plan
    }

    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push((rule, false));
        self.count();
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.count();
    }

    /// Whether anything of this scope can happen.
    pub(crate) const fn concerns(&self, scope: Scope) -> bool {
        self.scopes[scope as usize]
    }

    /// The faults that this occasion meets. `second` says whether shares are asked too, for scopes that are asked often.
    pub(crate) fn draw(
        &mut self,
        scope: Scope,
        now: Ts,
        shares: bool,
        (venue, market, stream): (Venue, Option<&str>, Option<&str>),
    ) -> Option<InjectedFault> {
        let mut drawn = None;
        for (rule, fired) in &mut self.rules {
            if rule.fault.scope() != scope || *fired || !rule.target.fits(venue, market, stream) {
                continue;
            }
            let hit = match rule.when {
                When::Now => true,
                When::At(after) => self.origin + after <= now,
                When::Share { share, from, to } => {
                    let inside = self.origin + from <= now && to.is_none_or(|to| now <= self.origin + to);
                    shares && inside && self.rng.chance(share)
                }
            };
            if hit {
                // Connections, markets and venues are asked one after the other: those rules end after the round.
                let once = matches!(rule.when, When::Now | When::At(_));
                *fired = once
                    && matches!(
                        scope,
                        Scope::Message | Scope::Sequence | Scope::Request | Scope::Rest | Scope::Sockets
                    );
                drawn = Some(rule.fault);
                break;
            }
        }
        drawn
    }

    /// Ends the rules that fire once and concern everything at a moment. Call after all were asked.
    pub(crate) fn end_round(&mut self, scope: Scope, now: Ts) {
        for (rule, fired) in &mut self.rules {
            let due = match rule.when {
                When::Now => true,
                When::At(after) => self.origin + after <= now,
                When::Share { .. } => false,
            };
            *fired |= due && rule.fault.scope() == scope;
        }
        self.count();
    }

    pub(crate) fn record(&mut self, injected: Injected) {
        self.total += 1;
        self.record.push_back(injected);
        if self.record.len() > RECORDS_MAX {
            self.record.pop_front();
        }
        self.count();
    }

    pub(crate) fn records(&self) -> Vec<Injected> {
        self.record.iter().cloned().collect()
    }

    fn count(&mut self) {
        self.scopes = [false; SCOPES];
        for (rule, fired) in &self.rules {
            self.scopes[rule.fault.scope() as usize] |= !fired;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHERE: (Venue, Option<&str>, Option<&str>) = (Venue::BinanceUsdm, Some("BTCUSDT"), Some("btcusdt@depth"));

    #[test]
    fn a_moment_fires_once_and_a_share_as_often_as_it_says() {
        let origin = Ts::from_secs(100);
        let once = FaultRule::new(InjectedFault::Drop, When::At(Span::secs(5))).market("btcusdt").stream("depth");
        let mut plan = FaultPlan::new(1, origin, vec![once]);
        let mut draw = |s| plan.draw(Scope::Message, origin + Span::secs(s), true, WHERE);
        assert_eq!((draw(4), draw(5), draw(6)), (None, Some(InjectedFault::Drop), None));
        let mut plan = FaultPlan::new(1, origin, vec![FaultRule::new(InjectedFault::Duplicate, When::share(0.1))]);
        let hits = (0..10_000).filter(|_| plan.draw(Scope::Message, origin, true, WHERE).is_some()).count();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert_eq!(plan.draw(Scope::Rest, origin, true, WHERE), None);
    }

    #[test]
    fn a_rule_concerns_whom_it_names() {
        let now = Ts::from_secs(1);
        let rule = FaultRule::new(InjectedFault::Drop, When::share(1.0)).venue(Venue::BinanceSpot);
        for (rule, want) in [(rule.clone(), false), (rule.venue(Venue::BinanceUsdm).stream("depth"), true)] {
            let mut plan = FaultPlan::new(1, now, vec![rule.clone()]);
            assert_eq!(plan.draw(Scope::Message, now, true, WHERE).is_some(), want);
            let mut plan = FaultPlan::new(1, now, vec![rule.market("ETHUSDT")]);
            assert_eq!(plan.draw(Scope::Message, now, true, WHERE), None);
        }
    }
}
