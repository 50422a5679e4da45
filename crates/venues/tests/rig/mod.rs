//! A session on a bench: inputs go in, everything that comes out is kept. And the recordings it is fed with.
#![expect(dead_code, reason = "each test binary uses its part")]

use barograph_domain::{GapReason, MarketKind, Metric, Payload, Span, Status, StatusState, Ts};
use barograph_venues::session::suite::{self, Script, Step};
use barograph_venues::session::{
    Action, BaseAddresses, CloseReason, ConnId, Decimal, Emit, FailReason, Fault, Input, LinkId, MarketIndex,
    MarketSpec, Origin, Out, Request, RequestId, Session, SessionConfig,
};
use std::io::Read as _;

/// One line of a capture.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: String,
    pub(crate) conn: String,
    pub(crate) ts: Ts,
    pub(crate) url: String,
    pub(crate) data: String,
}

/// A `cryptofeed` capture.
pub(crate) fn capture(name: &str) -> Option<Vec<Line>> {
    let bytes = std::fs::read(barograph_testkit::recorded(&format!("raw/cryptofeed/{name}.jsonl.zst"))?).unwrap();
    let text = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
    let line = |l: &str| {
        let v: serde_json::Value = serde_json::from_str(l).unwrap();
        let text = |k: &str| v[k].as_str().unwrap_or_default().to_owned();
        let url = if v["url"].is_null() { text("addr") } else { text("url") };
        #[expect(clippy::cast_possible_truncation, reason = "recorded stamps are seconds of this century")]
        let ts = Ts((v["ts"].as_f64().unwrap_or(0.0) * 1e9) as i64);
        Line { kind: text("t"), conn: text("conn"), ts, url, data: text("data") }
    };
    Some(text.lines().map(line).collect())
}

/// The files of a tarball of fixtures, by name.
pub(crate) fn fixtures(name: &str) -> Option<Vec<(String, String)>> {
    let file = std::fs::File::open(barograph_testkit::recorded(&format!("raw/fixtures/{name}.tar.gz"))?).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    let mut files = Vec::new();
    let mut at = 0;
    // Plain ustar: a block of header, then the contents in blocks of 512.
    while let Some(header) = bytes.get(at..at + 512).filter(|h| h[0] != 0) {
        let text = |r: std::ops::Range<usize>| {
            String::from_utf8_lossy(&header[r]).trim_end_matches(['\0', ' ']).trim_start().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap();
        if header[156] == b'0' || header[156] == 0 {
            let body = String::from_utf8_lossy(&bytes[at + 512..at + 512 + size]).into_owned();
            files.push((text(0..100), body));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    assert!(!files.is_empty(), "{name}");
    Some(files)
}

/// The JSON of a fixture of that name (the end of its path): what stands after request line or `= ` mark.
pub(crate) fn fixture(files: &[(String, String)], name: &str) -> String {
    let (_, text) = files.iter().find(|(n, _)| n.ends_with(name)).unwrap_or_else(|| panic!("no fixture {name}"));
    let json = if text.starts_with('>') {
        text.split_once("\n=").expect("a data mark").1
    } else {
        &text[text.find(['{', '[']).expect("JSON")..]
    };
    json.trim().to_owned()
}

pub(crate) fn config(venue: &str, markets: Vec<MarketSpec>, metrics: &[Metric]) -> SessionConfig {
    let def = barograph_venues::session::venue(venue).unwrap();
    SessionConfig {
        endpoints: (def.endpoints)(),
        markets,
        metrics: metrics.to_vec(),
        backfill: Span::ZERO,
        book_depth: 200,
        poll_every: Span::mins(1),
        polls_every: Vec::new(),
        polls_in_flight_max: 4,
        trade_side_is_maker: true,
        mcp: None,
    }
}

/// A session and all that came out of it.
pub(crate) struct Rig {
    pub(crate) session: Box<dyn Session>,
    pub(crate) now: Ts,
    pub(crate) out: Out,
    pub(crate) events: Vec<Emit>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) sent: Vec<(ConnId, String)>,
    pub(crate) requests: Vec<Request>,
    pub(crate) closes: Vec<ConnId>,
    pub(crate) replaces: Vec<ConnId>,
}

impl Rig {
    pub(crate) fn new(config: SessionConfig, venue: &str, now: Ts) -> Self {
        let session = (barograph_venues::session::venue(venue).unwrap().open)(config);
        Self {
            session,
            now,
            out: Out::default(),
            events: Vec::new(),
            faults: Vec::new(),
            sent: Vec::new(),
            requests: Vec::new(),
            closes: Vec::new(),
            replaces: Vec::new(),
        }
    }

    pub(crate) fn input(&mut self, input: &Input<'_>) {
        self.session.input(self.now, input, &mut self.out);
        self.out.events.iter().for_each(suite::is_numbered_by_the_venue);
        self.events.append(&mut self.out.events);
        self.faults.append(&mut self.out.faults);
        for action in self.out.actions.drain(..) {
            match action {
                Action::Send { conn, text } => self.sent.push((conn, text)),
                Action::Request(request) => self.requests.push(request),
                Action::Close { conn, .. } => self.closes.push(conn),
                Action::Replace { conn } => self.replaces.push(conn),
                Action::Relink => {}
            }
        }
    }

    pub(crate) fn open(&mut self, link: u16, conn: u32) {
        self.input(&Input::Opened { link: LinkId(link), conn: ConnId(conn) });
    }

    pub(crate) fn close(&mut self, conn: u32) {
        self.input(&Input::Closed { conn: ConnId(conn), reason: CloseReason::Network });
    }

    pub(crate) fn frame(&mut self, conn: u32, text: &str) {
        self.input(&Input::Frame { conn: ConnId(conn), bytes: text.as_bytes() });
    }

    pub(crate) fn reply(&mut self, request: RequestId, status: u16, body: &str) {
        self.input(&Input::Reply { request, status, body: body.as_bytes() });
    }

    pub(crate) fn fail(&mut self, request: RequestId, reason: FailReason) {
        self.input(&Input::Failed { request, reason });
    }

    /// Time passes, with a tick every second.
    pub(crate) fn wait(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now = self.now + Span::secs(1);
            self.input(&Input::Tick);
        }
    }

    /// Facts of one stream since the last look, continuity left out.
    pub(crate) fn data(&self, market: u32, metric: Metric) -> Vec<Emit> {
        let mine = |e: &&Emit| e.market == MarketIndex(market) && e.metric == metric;
        self.events.iter().filter(mine).filter(|e| !matches!(e.payload, Payload::Status(_))).copied().collect()
    }

    /// Changes of continuity of one stream.
    pub(crate) fn statuses(&self, market: u32, metric: Metric) -> Vec<(StatusState, GapReason)> {
        let mine = |e: &&Emit| e.market == MarketIndex(market) && e.metric == metric;
        let status = |e: &Emit| match e.payload {
            Payload::Status(s) => Some((s.state, s.reason)),
            _ => None,
        };
        self.events.iter().filter(mine).filter_map(status).collect()
    }

    pub(crate) fn state(&self, market: u32, metric: Metric) -> Option<StatusState> {
        self.session.continuity().get(MarketIndex(market), metric).map(|s| s.state)
    }

    /// Holes that were declared and are not a beginning.
    pub(crate) fn holes(&self) -> Vec<(u32, Metric, GapReason)> {
        let hole = |e: &Emit| match e.payload {
            Payload::Status(s @ Status { .. }) if s.is_open() => Some((e.market.0, e.metric, s.reason)),
            _ => None,
        };
        self.events.iter().filter_map(hole).collect()
    }

    pub(crate) fn forget(&mut self) {
        self.events.clear();
        self.faults.clear();
        self.sent.clear();
        self.requests.clear();
        self.closes.clear();
    }
}

pub(crate) fn linear(symbol: &str, tick: &str) -> MarketSpec {
    MarketSpec { tick: Decimal::parse(tick.as_bytes()), ..MarketSpec::bare(symbol, MarketKind::Perpetual) }
}

/// Damaged frames among good ones: whatever is said of them could have happened.
pub(crate) fn says_nothing_impossible(venue: &str, script: &Script, count: usize) {
    let (mut session, _) = script.run(barograph_venues::session::venue(venue).unwrap().open);
    let frames: Vec<(ConnId, &Vec<u8>)> = script
        .inputs
        .iter()
        .filter_map(|(_, s)| if let Step::Frame(c, b) = s { Some((*c, b)) } else { None })
        .collect();
    let bytes: Vec<&Vec<u8>> = frames.iter().map(|f| f.1).collect();
    let mut now = script.inputs.last().unwrap().0;
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 16).unwrap() % below.max(1)
    };
    let (mut out, mut facts) = (Out::default(), 0);
    for n in 0..count {
        let (conn, whole) = frames[n % frames.len()];
        let damaged = suite::mutated(&bytes, &mut next);
        now = now + Span::millis(1);
        for bytes in [whole, &damaged] {
            out.clear();
            session.input(now, &Input::Frame { conn, bytes }, &mut out);
            for e in &out.events {
                assert!(possible(e, now), "{e:?} of {}", String::from_utf8_lossy(bytes));
                facts += usize::from(!matches!(e.payload, Payload::Status(_)));
            }
        }
    }
    println!("{venue}: {facts} facts of {count} damaged frames and as many good ones");
    assert!(facts > 0);
}

fn possible(e: &Emit, now: Ts) -> bool {
    let price = |p: f64| p.is_finite() && p > 0.0 && p <= 1e18;
    let qty = |q: f64| q.is_finite() && q >= 0.0;
    let good = match e.payload {
        Payload::Bar(b) => {
            let inside = |p: f64| p >= b.low && p <= b.high;
            price(b.low) && price(b.high) && inside(b.open) && inside(b.close) && b.volume.is_none_or(qty)
        }
        Payload::Trade { price: p, qty: q, .. } | Payload::Liquidation { price: p, qty: q, .. } => {
            price(p) && qty(q) && q > 0.0
        }
        Payload::BestBidAsk { bid, ask } => price(bid) && price(ask) && bid < ask,
        Payload::Value(v) => qty(v),
        Payload::Funding { rate, interval_h, .. } => {
            rate.abs() <= 1.0 && interval_h.is_none_or(|h| (1.0..=24.0).contains(&h))
        }
        Payload::Status(_) => return true,
        Payload::Tick => false,
    };
    let plausible = e.event_ts > Ts::from_civil(2009, 1, 1, 0, 0, 0) && e.event_ts - now <= Span::mins(10);
    good && plausible
}

pub(crate) fn value(emit: &Emit) -> f64 {
    emit.payload.headline().expect("a value")
}

/// Text to compare: what came, from where, with which stamps.
pub(crate) fn shown(events: &[Emit]) -> Vec<String> {
    events.iter().map(|e| format!("{e:?}")).collect()
}

pub(crate) fn is_backfill(e: &Emit) -> bool {
    e.origin == Origin::Backfill
}

pub(crate) fn endpoints() -> BaseAddresses {
    BaseAddresses { rest: "http://127.0.0.1:1".into(), ws: "ws://127.0.0.1:1".into() }
}
