//! A session with everything it says collected.

use barograph_domain::{GapReason, MarketKind, Metric, Payload, Span, StatusState, Ts};
use barograph_venues::session::{
    Action, CloseReason, ConnId, Emit, Endpoints, Fault, Input, LinkId, MarketIndex, MarketSpec, Out, Request, Session,
    SessionConfig, VenueDef, venue,
};
use std::path::PathBuf;

pub(crate) fn def() -> &'static VenueDef {
    venue("hyperliquid").unwrap()
}

pub(crate) fn perp(symbol: &str) -> MarketSpec {
    MarketSpec::bare(symbol, MarketKind::Perpetual)
}

pub(crate) fn config(coins: &[&str]) -> SessionConfig {
    SessionConfig {
        endpoints: Endpoints { rest: "https://rest".into(), ws: "wss://ws".into() },
        markets: coins.iter().map(|c| perp(c)).collect(),
        metrics: Metric::ALL.to_vec(),
        backfill: Span::ZERO,
        book_depth: 100,
        poll_every: Span::secs(15),
        polls_in_flight_max: 4,
        trade_side_is_maker: true,
    }
}

pub(crate) struct Rig {
    pub(crate) session: Box<dyn Session>,
    pub(crate) now: Ts,
    pub(crate) events: Vec<Emit>,
    pub(crate) actions: Vec<Action>,
    pub(crate) faults: Vec<Fault>,
}

impl Rig {
    pub(crate) fn new(config: SessionConfig) -> Self {
        Self::at(Ts::parse("2026-11-19T09:00:00Z").unwrap(), config)
    }

    pub(crate) fn at(now: Ts, config: SessionConfig) -> Self {
        let mut rig =
            Self { session: (def().open)(config), now, events: Vec::new(), actions: Vec::new(), faults: Vec::new() };
        for (n, link) in (1..).zip(rig.session.links().to_vec()) {
            rig.open(link.id.0, n);
        }
        rig
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

    pub(crate) fn say(&mut self, channel: &str, data: &str) -> &mut Self {
        self.frame(1, &format!(r#"{{"channel":"{channel}","data":{data}}}"#))
    }

    pub(crate) fn book(&mut self, coin: &str, bid: &str, ask: &str, more: &str) -> &mut Self {
        let time = self.now.as_millis();
        let level = |px: &str| format!(r#"[{{"px":"{px}","sz":"1.5","n":2}}]"#);
        let data = format!(r#"{{"coin":"{coin}","time":{time},"levels":[{},{}]{more}}}"#, level(bid), level(ask));
        self.say("l2Book", &data)
    }

    /// Trades `(tid, milliseconds ago, price)`.
    pub(crate) fn trades(&mut self, conn: u32, coin: &str, rows: &[(u64, i64, &str)]) -> &mut Self {
        let rows: Vec<String> = rows
            .iter()
            .map(|(tid, ago, px)| {
                let time = self.now.as_millis() - ago;
                format!(
                    r#"{{"coin":"{coin}","side":"B","px":"{px}","sz":"0.5","time":{time},"hash":"0x0","tid":{tid},"users":["0xa","0xb"]}}"#
                )
            })
            .collect();
        self.frame(conn, &format!(r#"{{"channel":"trades","data":[{}]}}"#, rows.join(",")))
    }

    pub(crate) fn candle(&mut self, coin: &str, start: Ts, close: &str, volume: &str) -> &mut Self {
        let data = candle(coin, start, close, volume);
        self.say("candle", &data)
    }

    pub(crate) fn wait(&mut self, seconds: i64) -> &mut Self {
        for _ in 0..seconds {
            self.now = self.now + Span::secs(1);
            self.input(&Input::Tick);
        }
        self
    }

    pub(crate) fn texts(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        self.actions.retain(|a| match a {
            Action::Send { text, .. } => {
                texts.push(text.clone());
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

    /// Requests whose body has this word.
    pub(crate) fn asked(&mut self, word: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|r| r.body.as_ref().unwrap().contains(word)).collect()
    }

    pub(crate) fn reply(&mut self, request: &Request, status: u16, body: &str) -> &mut Self {
        self.input(&Input::Reply { request: request.id, status, body: body.as_bytes() });
        self
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

pub(crate) fn candle(coin: &str, start: Ts, close: &str, volume: &str) -> String {
    let t = start.as_millis();
    format!(
        r#"{{"t":{t},"T":{},"s":"{coin}","i":"1m","o":"10.0","c":"{close}","h":"99.0","l":"1.0","v":"{volume}","n":3}}"#,
        t + 59_999
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
