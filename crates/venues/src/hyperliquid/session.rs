//! The Hyperliquid session: coins and their places on connections, what is said on them, which of it was refused, what is silent.

use super::limits::{self, ACK_WAIT, PER_LINK, SUBSCRIPTIONS_MAX};
use super::map::Trade;
use super::market::{self, Channel, Market};
use crate::session::facts::RunningBar;
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::link::Links;
use crate::session::protocol::{Channel as _, Protocol, Terms, Verb, WantedChannels};
use crate::session::{
    Action, CloseReason, ConnId, Input, Link, LinkId, MarketIndex, MarketSpec, OrderBook, Out, RequestId, Session as _,
};
use barograph_domain::{GapReason, Metric, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// A busy quote that does not move for this long is stale.
const QUOTE_SILENCE: Span = Span::secs(10);
/// A book that does not come for this long is subscribed again, this often at most.
const REFRESH_AFTER: Span = Span::mins(1);
const REFRESH_EVERY: Span = Span::mins(5);

/// What is saved besides desk and coins.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    links: Links,
    /// Connections whose subscriptions are not compared yet, with when they were sent.
    asked: Vec<(ConnId, Ts)>,
    /// Newest stamp of the venue.
    pub(super) venue_now: Option<Ts>,
    pub(super) contexts_asked: Option<RequestId>,
    pub(super) contexts_due: Ts,
    /// Present time at the last input.
    now: Ts,
}

impl Default for State {
    fn default() -> Self {
        let (links, asked, never) = (Links::default(), Vec::new(), Ts::MIN);
        Self { links, asked, venue_now: None, contexts_asked: None, contexts_due: never, now: never }
    }
}

/// What is not saved.
#[derive(Debug, Default)]
pub(super) struct Hyperliquid {
    /// Trades of one message, kept for its memory.
    pub(super) rows: Vec<(MarketIndex, usize, Trade)>,
}

impl Protocol for Hyperliquid {
    const FORMAT: u8 = 3;
    const SEALED: bool = false;
    const PAGES_MAX: u32 = 2;
    const DELAY: Span = Span::millis(500);

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        Terms { id: "hyperliquid", limits: limits::limits, streams: &market::STREAMS }
    }

    fn market(_: &mut Kit<Self>, spec: MarketSpec) -> Market {
        Market::new(&spec)
    }

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        kit.state.links.all().to_vec()
    }

    fn begin(kit: &mut Kit<Self>) {
        kit.place();
    }

    fn send(kit: &mut Kit<Self>, _: Ts, conn: ConnId, verb: Verb, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
        for (market, channel) in wanted {
            let more = match channel {
                // Five levels twice a second; without it twenty every five seconds.
                Channel::Book => r#","fast":true"#,
                Channel::Candle => r#","interval":"1m""#,
                _ => "",
            };
            let (method, kind, coin) = (verb.word(), channel.word(), &kit.markets[market.index()].coin);
            let what = format!(r#"{{"type":"{kind}","coin":"{coin}"{more}}}"#);
            out.actions.push(Action::Send { conn, text: format!(r#"{{"method":"{method}","subscription":{what}}}"#) });
        }
    }

    fn book<'a>(kit: &'a Kit<Self>, market: &'a Market) -> Option<&'a OrderBook> {
        let shape = market.shape(kit.state.now);
        shape.book.as_ref().filter(|_| shape.sound)
    }

    fn before(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        if core::mem::replace(&mut kit.state.now, now) == Ts::MIN {
            kit.floors(now);
            kit.unplaced(now, out);
        }
    }

    fn asks(input: &Input<'_>) -> bool {
        matches!(input, Input::Tick)
    }

    fn opened(kit: &mut Kit<Self>, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        kit.state.asked.push((conn, now));
        kit.conn_opened(now, link, conn, out);
    }

    fn closed(kit: &mut Kit<Self>, now: Ts, conn: ConnId, _: CloseReason, out: &mut Out) {
        kit.state.asked.retain(|(id, _)| *id != conn);
        let Some(gone) = kit.desk.close(conn) else { return };
        for (n, m) in (0_u32..).zip(&mut kit.markets) {
            let market = MarketIndex(n);
            for channel in Channel::ALL {
                if !gone.covers(market, channel.bit()) || kit.desk.covered(market, channel.bit()) {
                    continue;
                }
                for metric in channel.metrics() {
                    kit.desk.lost(market, *metric, now, GapReason::Disconnected, out);
                }
                if *channel == Channel::Candle {
                    // Its last state is not known: history has it.
                    m.held = RunningBar::default();
                }
            }
        }
    }

    /// A book that has come sees to itself.
    fn revives(channel: Channel) -> Option<&'static [Metric]> {
        Some(if channel == Channel::Book { &[] } else { channel.metrics() })
    }

    fn again(kit: &mut Kit<Self>, now: Ts, conn: ConnId, wanted: &WantedChannels<Self>, out: &mut Out) {
        for one in wanted {
            Self::send(kit, now, conn, Verb::Unsubscribe, &[*one], out);
            Self::send(kit, now, conn, Verb::Subscribe, &[*one], out);
        }
        if !wanted.is_empty() && !kit.state.asked.iter().any(|(id, _)| *id == conn) {
            kit.state.asked.push((conn, now));
        }
    }

    fn before_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.close_candles(now, out);
        kit.judge_silence(now, out);
        kit.compare(now, out);
    }

    fn given_up(_: &mut Kit<Self>, job: &Job, why: &str) -> String {
        format!("{} history: {why}", job.metric.name())
    }

    fn change(kit: &mut Kit<Self>, now: Ts, specs: &[MarketSpec], out: &mut Out) {
        for at in 0..kit.markets.len() {
            let wanted = specs.iter().any(|s| s.symbol == kit.markets[at].coin);
            if !wanted && kit.markets[at].wanted {
                kit.left_coin(now, at, out);
            }
            kit.markets[at].wanted = wanted;
        }
        for spec in specs {
            if !kit.markets.iter().any(|m| m.coin == spec.symbol) {
                kit.add(spec.clone());
            }
        }
        Self::index(kit);
        kit.declare(now, out);
        kit.floors(now);
        let placed = kit.place();
        if kit.relink() {
            out.actions.push(Action::Relink);
        }
        let open: Vec<(ConnId, LinkId)> = kit.desk.conns.iter().map(|c| (c.id, c.link)).collect();
        for (conn, link) in open {
            let here = placed.iter().filter(|at| kit.markets[**at].link == Some(link));
            let wanted: WantedChannels<Self> = here.flat_map(|at| kit.subscriptions(*at)).collect();
            if !wanted.is_empty() {
                Self::send(kit, now, conn, Verb::Subscribe, &wanted, out);
                kit.state.asked.retain(|(id, _)| *id != conn);
                kit.state.asked.push((conn, now));
            }
        }
        kit.unplaced(now, out);
    }

    fn resume(kit: &mut Kit<Self>, now: Ts) {
        kit.state.contexts_due = now;
    }
}

impl Kit<Hyperliquid> {
    /// Subscriptions of a coin.
    fn subscriptions(&self, at: usize) -> WantedChannels<Hyperliquid> {
        let (market, bits) = (MarketIndex::at(at), self.markets[at].channels);
        Channel::ALL.iter().filter(|c| bits & c.bit() != 0).map(|c| (market, *c)).collect()
    }

    fn subscribed(&self) -> usize {
        let of = |m: &&Market| m.link.is_some();
        self.markets.iter().filter(of).map(|m| m.channels.count_ones() as usize).sum()
    }

    /// Finds a link for every wanted coin without one. Contexts are polled where the venue's bound on subscriptions leaves no
    /// room; coins for which there is none at all stay without. Returns the positions placed.
    fn place(&mut self) -> Vec<usize> {
        let all = market::channels(&self.config);
        let mut placed = Vec::new();
        for at in 0..self.markets.len() {
            if !self.markets[at].wanted || self.markets[at].link.is_some() {
                continue;
            }
            let room = SUBSCRIPTIONS_MAX.saturating_sub(self.subscribed());
            let fits = |bits: u16| bits.count_ones() as usize <= room;
            let Some(bits) = [all, all & !Channel::Context.bit()].into_iter().find(|b| fits(*b)) else { continue };
            let size = bits.count_ones() as usize;
            let free = self.state.links.all().iter().map(|l| l.id).find(|id| self.carried(*id) + size <= PER_LINK);
            let id = free.unwrap_or_else(|| {
                let url = format!("{}/ws", self.config.endpoints.ws);
                self.state.links.open(url, Some(r#"{"method":"ping"}"#))
            });
            let market = &mut self.markets[at];
            (market.link, market.channels) = (Some(id), bits);
            placed.push(at);
        }
        self.state.links.keep(|id| self.markets.iter().any(|m| m.link == Some(id)));
        placed
    }

    /// Books that do not come and busy quotes that do not move are stale; the next message makes them live again.
    fn judge_silence(&mut self, now: Ts, out: &mut Out) {
        for at in 0..self.markets.len() {
            let (market, m) = (MarketIndex::at(at), &mut self.markets[at]);
            let quote = m.quote_pace.silence(now).filter(|_| m.quote_pace.is_busy());
            let tracker = &mut self.desk.tracker;
            if quote.is_some_and(|s| s > QUOTE_SILENCE) {
                tracker.lost(market, Metric::BestBidAsk, now, StatusState::Stale, GapReason::Silent, out);
            }
            let Some((silent, limit)) = m.book_silence(now) else { continue };
            if silent > limit {
                tracker.lost(market, Metric::Book, now, StatusState::Stale, GapReason::Silent, out);
            }
            let again = m.refreshed.is_none_or(|r| now - r >= REFRESH_EVERY);
            let to = m.link.and_then(|l| self.desk.newest(l));
            if let Some(conn) = to.filter(|_| silent > REFRESH_AFTER && again) {
                m.refreshed = Some(now);
                let book = [(market, Channel::Book)];
                let book = if m.channels & Channel::Book.bit() != 0 { &book[..] } else { &[] };
                Hyperliquid::send(self, now, conn, Verb::Unsubscribe, book, out);
                Hyperliquid::send(self, now, conn, Verb::Subscribe, book, out);
            }
        }
    }

    /// Subscriptions that were neither confirmed nor brought data were refused.
    fn compare(&mut self, now: Ts, out: &mut Out) {
        while let Some(at) = self.state.asked.iter().position(|(_, t)| now - *t >= ACK_WAIT) {
            let (conn, _) = self.state.asked.swap_remove(at);
            let Some(link) = self.desk.link_of(conn) else { continue };
            for at in (0..self.markets.len()).filter(|at| self.markets[*at].link == Some(link)).collect::<Vec<_>>() {
                for (market, channel) in self.subscriptions(at) {
                    if self.desk.covered(market, channel.bit()) {
                        continue;
                    }
                    let why = format!("the venue did not confirm {}", channel.word());
                    out.fault("not_subscribed", Some(market), &why, &[]);
                    self.gone(now, market, channel.metrics(), GapReason::Refused, out);
                }
            }
        }
    }

    /// These streams of a coin end.
    fn gone(&mut self, now: Ts, market: MarketIndex, metrics: &[Metric], why: GapReason, out: &mut Out) {
        for metric in metrics {
            self.desk.tracker.lost(market, *metric, now, StatusState::Gap, why, out);
        }
    }

    fn left_coin(&mut self, now: Ts, at: usize, out: &mut Out) {
        let (market, Some(link)) = (MarketIndex::at(at), self.markets[at].link) else { return };
        let open: Vec<ConnId> = self.desk.conns.iter().filter(|c| c.link == link).map(|c| c.id).collect();
        let all = self.subscriptions(at);
        for conn in open {
            Hyperliquid::send(self, now, conn, Verb::Unsubscribe, &all, out);
        }
        self.desk.uncover(market, u16::MAX);
        self.desk.history.remove(market);
        let m = &mut self.markets[at];
        (m.link, m.channels, m.held, m.books) = (None, 0, RunningBar::default(), Default::default());
        self.gone(now, market, &Metric::ALL, GapReason::NotRunning, out);
    }

    /// Coins beyond the venue's bound say so.
    fn unplaced(&mut self, now: Ts, out: &mut Out) {
        for at in 0..self.markets.len() {
            if self.markets[at].wanted && self.markets[at].link.is_none() {
                let why = format!("{SUBSCRIPTIONS_MAX} subscriptions are all the venue allows: this coin is left out");
                out.fault("too_many_subscriptions", Some(MarketIndex::at(at)), &why, &[]);
                self.gone(now, MarketIndex::at(at), &Metric::ALL, GapReason::Refused, out);
            }
        }
    }

    /// Trades from here on are wanted as history.
    fn floors(&mut self, now: Ts) {
        let floor = now - self.config.backfill;
        for market in &mut self.markets {
            market.floor.get_or_insert(floor);
        }
    }
}
