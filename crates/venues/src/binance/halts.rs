//! Markets that are not traded now: a halted market goes silent, and that is no gap (spot §5).
//!
//! A stream that has been silent for half of what makes it stale puts its market under suspicion: the venue's list is asked for
//! its status. Spot answers for one symbol; futures send the whole list, so they are asked less often and one answer serves all.
//! What is not `TRADING`, or not listed any more, rests: its silence is no loss until its data come again or the list says that
//! it is traded. Markets under suspicion that are traded, as thin ones are, are asked about again after five minutes.

use super::limits::WEIGHT;
use super::session::{Binance, Purpose};
use super::symbols;
use crate::session::kit::Kit;
use crate::session::registry::escape;
use crate::session::{MarketIndex, Out, Priority};
use barograph_domain::{GapReason, Span, StatusState, Ts};

/// One symbol of spot costs weight 20 (Binance.US 10): at this pace 4 % of the minute's budget.
const ONE_EVERY: Span = Span::secs(5);
/// The whole list of the futures, a megabyte; and one market's status is not asked for sooner again.
const AGAIN_AFTER: Span = Span::mins(5);

impl Kit<Binance> {
    /// Markets that the list says are not traded rest from the beginning.
    pub(super) fn rest_untraded(&mut self, now: Ts, from: usize) {
        for at in from..self.markets.len() {
            if !self.markets[at].spec.trading {
                self.desk.tracker.rest(MarketIndex::at(at), now, true);
            }
        }
    }

    /// Asks whether what has become silent is traded at all.
    pub(super) fn ask_status(&mut self, now: Ts, out: &mut Out) {
        if !self.may_ask(now) || self.state.status_due.is_some_and(|due| now < due) {
            return;
        }
        let Some(market) = self.suspect(now) else { return };
        let (path, weight, purpose, pause) = if self.venue.flavour.is_futures() {
            ("/exchangeInfo".to_owned(), 1, Purpose::Status(None), AGAIN_AFTER)
        } else {
            let symbol = self.spec(market).map_or_else(String::new, |s| escape(&s.symbol));
            (format!("/exchangeInfo?symbol={symbol}"), 20, Purpose::Status(Some(market)), ONE_EVERY)
        };
        self.state.status_due = Some(now + pause);
        if let Some(m) = self.markets.get_mut(market.index()) {
            m.status_at = Some(now);
        }
        let url = self.api(&path);
        self.request(now, purpose, url, (WEIGHT, weight), Priority::Poll, out);
    }

    /// The market under suspicion, or at rest, whose status was asked for longest ago.
    fn suspect(&self, now: Ts) -> Option<MarketIndex> {
        let asked = |market: MarketIndex| self.markets.get(market.index()).map(|m| (m.wanted, m.status_at));
        let streams = self.desk.tracker.all().iter().filter(|s| {
            let Some(limit) = s.silence else { return false };
            let stale = s.state == StatusState::Stale && s.reason == GapReason::Silent;
            let silent = s.progress.is_some_and(|last| now - last > Span(limit.0 / 2)) && s.state == StatusState::Live;
            stale || silent || s.resting
        });
        let suspects = streams.filter_map(|s| asked(s.market).map(|(wanted, at)| (wanted, at, s.market)));
        let due = suspects.filter(|(wanted, at, _)| *wanted && at.is_none_or(|t| now - t >= AGAIN_AFTER));
        due.min_by_key(|(_, at, market)| (*at, *market)).map(|(_, _, market)| market)
    }

    /// The venue's word on one market, or on all.
    pub(super) fn statuses(&mut self, now: Ts, of: Option<MarketIndex>, body: &[u8], out: &mut Out) -> Option<()> {
        let listed = symbols::statuses(body)?;
        for market in self.each(of) {
            let symbol = self.spec(market).map(|s| &*s.symbol);
            let is_traded = listed.iter().any(|(name, trading)| Some(&**name) == symbol && *trading);
            self.traded(now, market, is_traded, out);
        }
        Some(())
    }

    /// A market is traded, or not.
    pub(super) fn traded(&mut self, now: Ts, market: MarketIndex, is_traded: bool, out: &mut Out) {
        if !self.desk.tracker.rest(market, now, !is_traded) {
            return;
        }
        let why =
            if is_traded { "it is traded again" } else { "the venue does not trade it now: its silence is no gap" };
        out.fault(if is_traded { "market_trades" } else { "market_halted" }, Some(market), why, &[]);
        let silent: Vec<_> = self.desk.tracker.all().iter().filter(|s| s.market == market).copied().collect();
        for s in silent.iter().filter(|s| !is_traded && s.state == StatusState::Stale && s.reason == GapReason::Silent)
        {
            self.desk.tracker.found(market, s.metric, now, out);
        }
        // Being found is progress, which would end the rest.
        self.desk.tracker.rest(market, now, !is_traded);
    }
}
