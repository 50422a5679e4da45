//! A session with everything it says collected.

use barograph_domain::{GapReason, MarketKind, Metric, Payload, Span, StatusState, Ts};
use barograph_venues::session::{
    Action, CloseReason, ConnId, Decimal, Emit, Endpoints, Fault, Input, LinkId, MarketIndex, MarketSpec, Out, Request,
    Session, SessionConfig, VenueDef, venue,
};
use std::path::PathBuf;

pub(crate) const STREAMS: [Metric; 12] = [
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::Liquidation,
    Metric::Book,
    Metric::PremiumIndex,
    Metric::LongShortRatio,
];

pub(crate) fn def() -> &'static VenueDef {
    venue("coinbase").unwrap()
}

pub(crate) fn spot(symbol: &str) -> MarketSpec {
    MarketSpec { tick: Decimal::parse(b"0.01"), ..MarketSpec::bare(symbol, MarketKind::Spot) }
}

pub(crate) fn config(markets: Vec<MarketSpec>) -> SessionConfig {
    SessionConfig {
        endpoints: Endpoints { rest: "https://rest".into(), ws: "wss://ws".into() },
        markets,
        metrics: STREAMS.to_vec(),
        backfill: Span::ZERO,
        book_depth: 1_000,
        poll_every: Span::secs(15),
        polls_in_flight_max: 4,
        trade_side_is_maker: true,
    }
}

/// A session with what it said.
pub(crate) struct Rig {
    pub(crate) session: Box<dyn Session>,
    pub(crate) now: Ts,
    pub(crate) events: Vec<Emit>,
    pub(crate) actions: Vec<Action>,
    pub(crate) faults: Vec<Fault>,
}

impl Rig {
    pub(crate) fn new(config: SessionConfig) -> Self {
        let session = (def().open)(config);
        let now = Ts::parse("2026-11-19T09:00:00Z").unwrap();
        Self { session, now, events: Vec::new(), actions: Vec::new(), faults: Vec::new() }
    }

    pub(crate) fn input(&mut self, input: &Input<'_>) {
        let mut out = Out::default();
        self.session.input(self.now, input, &mut out);
        self.events.append(&mut out.events);
        self.actions.append(&mut out.actions);
        self.faults.append(&mut out.faults);
    }

    pub(crate) fn open(&mut self, link: u16, conn: u32) -> &mut Self {
        self.input(&Input::Opened { link: LinkId(link), conn: ConnId(conn) });
        self
    }

    pub(crate) fn close(&mut self, conn: u32) -> &mut Self {
        self.input(&Input::Closed { conn: ConnId(conn), reason: CloseReason::Network });
        self
    }

    pub(crate) fn frame(&mut self, conn: u32, text: &str) -> &mut Self {
        self.input(&Input::Frame { conn: ConnId(conn), bytes: text.as_bytes() });
        self
    }

    /// Ticks once a second.
    pub(crate) fn wait(&mut self, seconds: i64) -> &mut Self {
        for _ in 0..seconds {
            self.now = self.now + Span::secs(1);
            self.input(&Input::Tick);
        }
        self
    }

    /// A message of this channel, stamped now.
    pub(crate) fn say(&mut self, conn: u32, sequence: u64, channel: &str, events: &str) -> &mut Self {
        let text = format!(
            r#"{{"channel":"{channel}","client_id":"","timestamp":"{}","sequence_num":{sequence},"events":{events}}}"#,
            self.now.iso()
        );
        self.frame(conn, &text)
    }

    pub(crate) fn snapshot(&mut self, conn: u32, sequence: u64, product: &str, bid: &str, ask: &str) -> &mut Self {
        let rows = [("bid", bid, "1"), ("offer", ask, "2")];
        self.book(conn, sequence, "snapshot", product, &rows, "1970-01-01T00:00:00Z")
    }

    pub(crate) fn update(&mut self, conn: u32, sequence: u64, product: &str, rows: &[(&str, &str, &str)]) -> &mut Self {
        let time = self.now.iso();
        self.book(conn, sequence, "update", product, rows, &time)
    }

    pub(crate) fn book(
        &mut self,
        conn: u32,
        sequence: u64,
        kind: &str,
        product: &str,
        rows: &[(&str, &str, &str)],
        time: &str,
    ) -> &mut Self {
        let rows: Vec<String> = rows
            .iter()
            .map(|(side, price, qty)| {
                format!(r#"{{"side":"{side}","event_time":"{time}","price_level":"{price}","new_quantity":"{qty}"}}"#)
            })
            .collect();
        let event = format!(r#"[{{"type":"{kind}","product_id":"{product}","updates":[{}]}}]"#, rows.join(","));
        self.say(conn, sequence, "l2_data", &event)
    }

    /// Trades `(id, price, size, side)` of one message, a second old.
    pub(crate) fn trades(
        &mut self,
        conn: u32,
        sequence: u64,
        kind: &str,
        product: &str,
        rows: &[(u64, &str, &str, &str)],
    ) -> &mut Self {
        let time = (self.now - Span::millis(100)).iso();
        let rows: Vec<String> = rows.iter().map(|r| trade(product, r.0, r.1, r.2, r.3, &time)).collect();
        let event = format!(r#"[{{"type":"{kind}","trades":[{}]}}]"#, rows.join(","));
        self.say(conn, sequence, "market_trades", &event)
    }

    pub(crate) fn texts(&mut self) -> Vec<(u32, String)> {
        let mut texts = Vec::new();
        self.actions.retain(|a| match a {
            Action::Send { conn, text } => {
                texts.push((conn.0, text.clone()));
                false
            }
            _ => true,
        });
        texts
    }

    pub(crate) fn requests(&mut self) -> Vec<Request> {
        let mut requests = Vec::new();
        self.actions.retain(|a| match a {
            Action::Request(r) => {
                requests.push(r.clone());
                false
            }
            _ => true,
        });
        requests
    }

    pub(crate) fn reply(&mut self, request: &Request, status: u16, body: &str) -> &mut Self {
        self.input(&Input::Reply { request: request.id, status, body: body.as_bytes() });
        self
    }

    pub(crate) fn closes(&mut self) -> usize {
        let before = self.actions.len();
        self.actions.retain(|a| !matches!(a, Action::Close { .. }));
        before - self.actions.len()
    }

    pub(crate) fn faults(&mut self) -> Vec<&'static str> {
        core::mem::take(&mut self.faults).into_iter().map(|f| f.kind).collect()
    }

    pub(crate) fn state(&self, market: u32, metric: Metric) -> (StatusState, GapReason) {
        let c = self.session.continuity().get(MarketIndex(market), metric).unwrap();
        (c.state, c.reason)
    }

    pub(crate) fn top(&self, market: u32) -> Option<(f64, f64)> {
        self.session.book(MarketIndex(market))?.top()
    }

    pub(crate) fn take(&mut self, metric: Metric) -> Vec<Emit> {
        let all = core::mem::take(&mut self.events);
        let (taken, rest) =
            all.into_iter().partition(|e| e.metric == metric && !matches!(e.payload, Payload::Status(_)));
        self.events = rest;
        taken
    }

    pub(crate) fn statuses(&mut self, metric: Metric) -> Vec<(StatusState, GapReason)> {
        let mut said = Vec::new();
        self.events.retain(|e| match e.payload {
            Payload::Status(s) if e.metric == metric => {
                said.push((s.state, s.reason));
                false
            }
            _ => true,
        });
        said
    }
}

pub(crate) fn trade(product: &str, id: u64, price: &str, size: &str, side: &str, time: &str) -> String {
    format!(
        r#"{{"trade_id":"{id}","product_id":"{product}","price":"{price}","size":"{size}","side":"{side}","time":"{time}"}}"#
    )
}

/// Recordings are kept beside the workspace; without them a test says so and passes.
pub(crate) fn shared(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BAROGRAPH_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = root.join(below);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: recording {below} is not here; set BAROGRAPH_SHARED_DATA");
    None
}
