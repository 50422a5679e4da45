//! Ranges of history as requests, and their pages as facts. Which ranges: everything wanted at the first start, and every hole
//! from its beginning.
//!
//! Trades of a first start are those of the minute that runs and of the one before: older ones are in the candles, and a
//! hundred pages of each busy market would keep everybody's candles waiting.

use super::archive::{LABEL_SWITCH, METRICS_CADENCE};
use super::flavour::Class;
use super::history::{Piece, TRADE_PAGES_MAX, Task};
use super::limits::{self, FUNDING, WEIGHT};
use super::session::{Binance, Purpose, TradeIds, base_quantity, contract_size};
use super::{quarter, rest};
use crate::session::kit::Kit;
use crate::session::registry::escape;
use crate::session::{MarketIndex, MarketSpec, Out, Priority, RequestId};
use barograph_domain::{MarketKind, Metric, Payload, Span, Ts};

/// The futures hosts keep aggregated trades this long, and open interest a month.
const TRADES_KEPT: Span = Span::hours(48);
const OPEN_INTEREST_KEPT: Span = Span::days(30);
/// Trades of a first start reach back this far before the running minute.
const TRADES_AT_START: Span = MINUTE;
const TRADES_PAGE: u64 = 1_000;
/// Rows of open interest in a page: the most there may be.
const OPEN_INTEREST_PAGE: u32 = 500;
const MINUTE: Span = Span::mins(1);

impl Kit<Binance> {
    pub(super) fn task(&self, now: Ts, market: MarketIndex, piece: Piece, from: Ts, until: Ts) -> Task {
        Task { market, piece, from, until, repair: false, pages: 0, attempts: 0, due: now, asked: None }
    }

    /// First data of a market, stamped `there` by the venue: its past is fetched.
    pub(super) fn begin(&mut self, now: Ts, market: MarketIndex, there: Ts) {
        let first = self.markets.get_mut(market.index()).is_some_and(|m| !core::mem::replace(&mut m.begun, true));
        if !first || self.config.backfill <= Span::ZERO {
            return;
        }
        let from = now - self.config.backfill;
        if self.desk.wants(market, Metric::Bar) {
            // Whether a minute is over is for the venue's clock to say: with ours ahead, a running candle would look closed. With
            // ours behind, the last one is found missing by the next, and fetched.
            let until = there.min(now).floor(MINUTE);
            // From here on a candle that is missing is a hole.
            if let Some(m) = self.markets.get_mut(market.index()) {
                m.bar_ts = m.bar_ts.max(Some(until));
            }
            self.state.history.add(self.task(now, market, Piece::Klines, from, until));
        }
        if self.desk.wants(market, Metric::FundingRateSettled) {
            self.state.history.add(self.task(now, market, Piece::Funding, from, now));
        }
        if self.desk.wants(market, Metric::OpenInterest) {
            self.fetch_open_interest(now, market, from, now, false);
        }
    }

    /// The first trade of a market: those before it are fetched.
    pub(super) fn begin_trades(
        &mut self,
        now: Ts,
        market: MarketIndex,
        kind: TradeIds,
        id: u64,
        at: Ts,
        _out: &mut Out,
    ) {
        self.begin(now, market, at);
        if self.config.backfill <= Span::ZERO || kind != TradeIds::Aggregated || !self.has(Metric::Trade) {
            return;
        }
        let from = (now - self.config.backfill).max(at.floor(MINUTE) - TRADES_AT_START);
        self.state.history.add(self.task(now, market, Piece::Trades { lo: 0, hi: id }, from, at));
    }

    /// Ids are missing between two trades.
    #[expect(clippy::too_many_arguments, reason = "both ends of the hole, as ids and as stamps")]
    pub(super) fn repair_trades(
        &mut self,
        now: Ts,
        market: MarketIndex,
        kind: TradeIds,
        lo: u64,
        hi: u64,
        from: Ts,
        until: Ts,
        out: &mut Out,
    ) {
        // Single trades have ids of their own, and their history needs a key.
        if kind != TradeIds::Aggregated {
            return;
        }
        let task = self.task(now, market, Piece::Trades { lo, hi }, from.max(now - TRADES_KEPT), until);
        if !self.state.history.add(Task { repair: true, ..task }) {
            let why = format!("trades {lo} to {hi} stay missing: too many holes wait to be filled");
            out.fault("history_cut", Some(market), &why, &[]);
        }
        self.ask_history(now, out);
    }

    /// Settlements `from ≤ at ≤ until` were missed; the newest one is polled.
    pub(super) fn repair_settled(&mut self, now: Ts, market: MarketIndex, (from, until): (Ts, Ts)) {
        let task = self.task(now, market, Piece::Funding, from, until);
        self.state.history.add(Task { repair: true, ..task });
    }

    /// Fetches open interest as far as it is kept, and as far back as a dated contract has a name for it.
    pub(super) fn fetch_open_interest(&mut self, now: Ts, market: MarketIndex, from: Ts, until: Ts, repair: bool) {
        let mut from = from.max(now - OPEN_INTEREST_KEPT);
        if let Some(spec) = self.dated(market) {
            let Some(expiry) = spec.expiry.filter(|e| *e > from) else { return };
            while quarter::named(expiry, from).is_none() {
                from = quarter::expiry_after(from);
                if from >= until {
                    return;
                }
            }
        }
        let task = self.task(now, market, Piece::OpenInterest, from, until);
        self.state.history.add(Task { repair, ..task });
    }

    /// A COIN-M contract that expires: its statistics go by the name of its quarter.
    fn dated(&self, market: MarketIndex) -> Option<&MarketSpec> {
        let coin_m = self.venue.flavour.class == Class::CoinM;
        self.spec(market).filter(|spec| coin_m && spec.kind == MarketKind::DatedFuture)
    }

    /// Whose open interest, and the end of the page: never more rows than one page holds, because which of them would come
    /// is not documented, and never across a change of name.
    fn open_interest_range(&self, task: &Task) -> (String, Ts) {
        let end = task.until.min(task.from + METRICS_CADENCE.times(i64::from(OPEN_INTEREST_PAGE) - 1));
        let spec = self.spec(task.market);
        let symbol = spec.map_or("", |s| &s.symbol);
        if self.venue.flavour.class != Class::CoinM {
            return (format!("symbol={}", escape(symbol)), end);
        }
        let expiry = self.dated(task.market).and_then(|s| s.expiry);
        let named = expiry.and_then(|e| quarter::named(e, task.from));
        let (contract, end) = named.map_or(("PERPETUAL", end), |n| (n.name, end.min(n.until - Span::millis(1))));
        let pair = symbol.split_once('_').map_or(symbol, |(pair, _)| pair);
        (format!("pair={}&contractType={contract}", escape(pair)), end)
    }

    pub(super) fn ask_history(&mut self, now: Ts, out: &mut Out) {
        while self.may_ask(now) {
            let mut due = None;
            self.state.history.next(now, |task| {
                let id = self.desk.request_id();
                due = Some((id, *task));
                id
            });
            let Some((id, task)) = due else { return };
            let (url, cost) = self.page(&task);
            let priority = if task.repair { Priority::Repair } else { Priority::Backfill };
            self.request_as(now, id, Purpose::History, url, cost, priority, out);
        }
    }

    /// Address and cost of a task's next page.
    fn page(&self, task: &Task) -> (String, (crate::session::PoolId, u32)) {
        let spec = self.spec(task.market);
        let symbol = spec.map_or(String::new(), |s| escape(&s.symbol));
        let (from, until) = (task.from.as_millis(), task.until.as_millis());
        match task.piece {
            Piece::Klines => {
                let (limit, weight) = limits::klines(self.venue.flavour);
                // Candles are asked for by their opening: the first one opens where the one before closed.
                let last = until - 1;
                let path = format!("/klines?symbol={symbol}&interval=1m&startTime={from}&endTime={last}&limit={limit}");
                (self.api(&path), (WEIGHT, weight))
            }
            Piece::Funding => {
                let path = format!("/fundingRate?symbol={symbol}&startTime={from}&endTime={until}&limit=1000");
                (self.api(&path), (FUNDING, 1))
            }
            Piece::OpenInterest => {
                let (whose, end) = self.open_interest_range(task);
                let (base, until) = (&self.config.endpoints.rest, end.as_millis());
                let url = format!(
                    "{base}/futures/data/openInterestHist?{whose}&period=5m&startTime={from}&endTime={until}&limit={OPEN_INTEREST_PAGE}"
                );
                (url, (self.data_pool(), 1))
            }
            Piece::Trades { lo, hi } => {
                let first = hi.saturating_sub(TRADES_PAGE).max(lo);
                let limit = (hi - first).min(TRADES_PAGE);
                let path = format!("/aggTrades?symbol={symbol}&fromId={first}&limit={limit}");
                (self.api(&path), (WEIGHT, limits::trades(self.venue.flavour)))
            }
        }
    }

    /// A page came: its facts, and where the next one begins. `None`: it cannot be read.
    pub(super) fn history_page(&mut self, now: Ts, request: RequestId, body: &[u8], out: &mut Out) -> Option<()> {
        let mut history = core::mem::take(&mut self.state.history);
        let outcome = history.peek(request).copied().and_then(|task| {
            let next = match task.piece {
                Piece::Klines => self.klines_page(&task, body, out)?,
                Piece::Funding => self.funding_page(&task, body, out)?,
                Piece::OpenInterest => self.open_interest_page(now, &task, body, out)?,
                Piece::Trades { lo, hi } => self.trades_page(&task, lo, hi, body, out)?,
            };
            Some(next)
        });
        if let Some(next) = outcome {
            history.advance(request, now, next);
        }
        self.state.history = history;
        outcome.map(|_| ())
    }

    fn klines_page(&mut self, task: &Task, body: &[u8], out: &mut Out) -> Option<Option<Task>> {
        let rows = rest::klines(body)?;
        let full = rows.len() >= limits::klines(self.venue.flavour).0 as usize;
        let size = self.spec(task.market).map_or(1.0, contract_size);
        let mut newest = task.from;
        for row in rows {
            // The open candle is never one: a range ends where the venue's clock had been. A range before the listing returns
            // the first rows there are.
            if row.close_ts <= task.from || row.close_ts > task.until || row.close_ts - row.open_ts != MINUTE {
                continue;
            }
            let mut bar = row.bar;
            if self.venue.flavour.class == Class::CoinM {
                (bar.volume, bar.quote_volume) = (bar.quote_volume, bar.volume.map(|contracts| contracts * size));
            }
            newest = newest.max(row.close_ts);
            out.backfilled(task.market, Metric::Bar, row.close_ts, 0, Payload::Bar(bar));
        }
        Some((full && newest > task.from && newest < task.until).then_some(Task { from: newest, ..*task }))
    }

    fn funding_page(&mut self, task: &Task, body: &[u8], out: &mut Out) -> Option<Option<Task>> {
        let rows = rest::funding(body)?;
        let full = rows.len() >= 1_000;
        let newest = rows.iter().map(|r| r.at).max();
        let mut intervals = crate::funding::Intervals::new(Span::hours(8));
        for row in rows.into_iter().filter(|r| r.at >= task.from && r.at <= task.until) {
            let interval_h = if row.special { None } else { Some(intervals.settle(row.at)) };
            let payload = Payload::Funding { rate: row.rate, interval_h, next_ts: None, special: row.special };
            out.backfilled(task.market, Metric::FundingRateSettled, row.at, 0, payload);
        }
        Some(newest.filter(|n| full && *n < task.until).map(|n| Task { from: n + Span::millis(1), ..*task }))
    }

    fn open_interest_page(&mut self, now: Ts, task: &Task, body: &[u8], out: &mut Out) -> Option<Option<Task>> {
        let rows = rest::open_interest_history(body)?;
        let (_, end) = self.open_interest_range(task);
        for (label, amount, value) in rows {
            // Since the switch labels name the beginning of their five minutes; the value is that of the end.
            let at = if label >= LABEL_SWITCH { label + METRICS_CADENCE } else { label };
            if at > now || label < task.from || label > end {
                continue;
            }
            // COIN-M: contracts, and their value in the base asset.
            let amount = if self.venue.flavour.class == Class::CoinM { value } else { amount };
            out.backfilled(task.market, Metric::OpenInterest, at, 0, Payload::Value(amount));
        }
        Some((end < task.until).then(|| Task { from: end + Span::millis(1), ..*task }))
    }

    fn trades_page(&mut self, task: &Task, lo: u64, hi: u64, body: &[u8], out: &mut Out) -> Option<Option<Task>> {
        let rows = rest::agg_trades(body)?;
        let spec = self.spec(task.market)?;
        let (mut first, mut reached) = (hi, false);
        for row in rows.iter().filter(|r| r.id >= lo && r.id < hi) {
            first = first.min(row.id);
            if row.at < task.from {
                reached = true;
                continue;
            }
            let qty = base_quantity(self.venue.flavour.class, spec, row.qty, row.price);
            out.backfilled(task.market, Metric::Trade, row.at, row.id, row.payload(qty));
        }
        let pages = task.pages + 1;
        let more = first > lo && first < hi && !reached;
        if more && pages >= TRADE_PAGES_MAX {
            out.fault("history_cut", Some(task.market), &format!("trades {lo} to {first} are too many to fetch"), &[]);
            return Some(None);
        }
        Some(more.then_some(Task { piece: Piece::Trades { lo, hi: first }, ..*task }))
    }
}
