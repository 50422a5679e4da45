//! Recordings, and a session with its inputs written short.

use barograph_domain::{MarketKind, Metric, Payload, Span, Status, Ts};
use barograph_venues::session::suite::{Did, Step, give};
use barograph_venues::session::{
    Action, CloseReason, ConnId, Emit, Fault, LinkId, MarketIndex, MarketSpec, Request, RequestId, Session,
    SessionConfig, venue,
};
use std::io::Read;

/// What a recorded file holds, unpacked.
pub(crate) fn shared(below: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(barograph_testkit::recorded(below)?).expect("a recording");
    if below.ends_with(".zst") {
        return Some(zstd::decode_all(&bytes[..]).expect("zstd"));
    }
    if below.ends_with(".gz") {
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).expect("gzip");
        return Some(text);
    }
    Some(bytes)
}

/// What a recording holds, in order of receipt.
pub(crate) enum Line {
    /// A WebSocket message.
    Frame(Ts, Vec<u8>),
    /// The answer to a request whose address contains this.
    Rest(Ts, String, Vec<u8>),
}

impl Line {
    pub(crate) fn at(&self) -> Ts {
        match self {
            Self::Frame(at, _) | Self::Rest(at, _, _) => *at,
        }
    }
}

/// A capture of cryptofeed: JSON lines.
pub(crate) fn cryptofeed(below: &str) -> Option<Vec<Line>> {
    let text = shared(below)?;
    let mut lines = Vec::new();
    for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let v: serde_json::Value = serde_json::from_slice(line).expect("a line of the capture");
        let field = |name: &str| v[name].as_str().unwrap_or_default().to_owned();
        let at = || {
            // Seconds with six decimals at most, as text: exact.
            let text = v["ts"].to_string();
            let (secs, part) = text.split_once('.').unwrap_or((&text, "0"));
            let nanos: i64 = format!("{:0<9.9}", part).parse().expect("decimals");
            Ts(secs.parse::<i64>().expect("seconds") * 1_000_000_000 + nanos)
        };
        match &*field("t") {
            "http" => lines.push(Line::Rest(at(), field("url"), field("data").into_bytes())),
            "recv" => lines.push(Line::Frame(at(), field("data").into_bytes())),
            _ => {}
        }
    }
    lines.sort_by_key(Line::at);
    Some(lines)
}

/// A recording of hftbacktest: receive nanoseconds and the message; REST snapshots stand between the frames.
pub(crate) fn hftbacktest(files: &[&str]) -> Option<Vec<Line>> {
    let mut lines = Vec::new();
    for file in files {
        let text = shared(&format!("raw/hftbacktest/{file}"))?;
        for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let space = line.iter().position(|b| *b == b' ').expect("a stamp");
            let at = Ts(std::str::from_utf8(&line[..space]).unwrap().parse().expect("nanoseconds"));
            let body = line[space + 1..].to_vec();
            let rest = body.starts_with(b"{\"lastUpdateId\"");
            lines.push(if rest { Line::Rest(at, "/depth?".to_owned(), body) } else { Line::Frame(at, body) });
        }
    }
    Some(lines)
}

pub(crate) const FUTURES: [Metric; 10] = [
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
];

pub(crate) fn config(id: &str, markets: Vec<MarketSpec>, metrics: &[Metric]) -> SessionConfig {
    SessionConfig {
        endpoints: (venue(id).expect("listed").endpoints)(),
        markets,
        metrics: metrics.to_vec(),
        backfill: Span::ZERO,
        book_depth: 1_000,
        poll_every: Span::secs(60),
        polls_every: Vec::new(),
        polls_in_flight_max: 10,
        trade_side_is_maker: true,
        mcp: None,
    }
}

pub(crate) fn perpetual(symbol: &str) -> MarketSpec {
    MarketSpec::bare(symbol, MarketKind::Perpetual)
}

/// A session under test; keeps what it asked for.
pub(crate) struct Rig {
    pub(crate) session: Box<dyn Session>,
    pub(crate) now: Ts,
    pub(crate) asked: Vec<Request>,
    pub(crate) sent: Vec<(ConnId, String)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) replaced: Vec<ConnId>,
}

pub(crate) const START: Ts = Ts::from_civil(2026, 10, 7, 12, 0, 0);

impl Rig {
    pub(crate) fn new(id: &str, config: SessionConfig) -> Self {
        let session = (venue(id).expect("listed").open)(config);
        Self { session, now: START, asked: vec![], sent: vec![], faults: vec![], replaced: vec![] }
    }

    pub(crate) fn give(&mut self, step: &Step) -> Vec<Emit> {
        let Did { events, actions, faults } = give(&mut *self.session, self.now, step);
        for action in actions {
            match action {
                Action::Request(r) => self.asked.push(r),
                Action::Send { conn, text } => self.sent.push((conn, text)),
                Action::Replace { conn } => self.replaced.push(conn),
                Action::Close { .. } | Action::Relink => {}
            }
        }
        self.faults.extend(faults);
        events
    }

    pub(crate) fn open_all(&mut self, first: u32) -> Vec<Emit> {
        let links: Vec<LinkId> = self.session.links().iter().map(|l| l.id).collect();
        (first..).zip(links).flat_map(|(n, link)| self.give(&Step::Opened(link, ConnId(n)))).collect()
    }

    pub(crate) fn close(&mut self, conn: u32, reason: CloseReason) -> Vec<Emit> {
        self.give(&Step::Closed(ConnId(conn), reason))
    }

    /// On the connection whose address has this in it.
    pub(crate) fn on(&mut self, conn: u32, text: &str) -> Vec<Emit> {
        self.give(&Step::Frame(ConnId(conn), text.as_bytes().to_vec()))
    }

    pub(crate) fn tick(&mut self, seconds: i64) -> Vec<Emit> {
        self.now = self.now + Span::secs(seconds);
        self.give(&Step::Tick)
    }

    /// Takes the oldest request whose address has this in it.
    pub(crate) fn request(&mut self, part: &str) -> Option<Request> {
        let at = self.asked.iter().position(|r| r.url.contains(part))?;
        Some(self.asked.remove(at))
    }

    pub(crate) fn answer(&mut self, request: RequestId, status: u16, body: &str) -> Vec<Emit> {
        self.give(&Step::Reply(request, status, body.as_bytes().to_vec()))
    }

    pub(crate) fn kinds(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.faults).iter().map(|f| f.kind).collect()
    }

    pub(crate) fn live(&self, market: u32) -> bool {
        self.session.book(MarketIndex(market)).is_some()
    }
}

pub(crate) fn status_of(events: &[Emit], metric: Metric) -> Vec<Status> {
    let of = events.iter().filter(|e| e.metric == metric);
    of.filter_map(|e| if let Payload::Status(s) = e.payload { Some(s) } else { None }).collect()
}

pub(crate) fn data_of(events: &[Emit], metric: Metric) -> Vec<Emit> {
    let of = events.iter().filter(|e| e.metric == metric);
    of.filter(|e| !matches!(e.payload, Payload::Status(_))).copied().collect()
}

/// Plays a recording: opens what is wanted with the first line, ticks, answers requests from the REST bodies as they come by.
/// `seen` is called after every frame.
pub(crate) fn play(rig: &mut Rig, lines: &[Line], mut seen: impl FnMut(&Rig, &[u8], &[Emit])) -> Vec<Emit> {
    let mut all = Vec::new();
    let mut bodies: Vec<(String, Vec<u8>)> = Vec::new();
    let mut ticked: Option<Ts> = None;
    for line in lines {
        rig.now = rig.now.max(line.at());
        if ticked.is_none() {
            rig.now = line.at();
            all.extend(rig.open_all(0));
        }
        if ticked.is_none_or(|t| rig.now - t >= Span::secs(1)) {
            ticked = Some(rig.now);
            all.extend(rig.give(&Step::Tick));
        }
        match line {
            Line::Rest(_, url, body) => bodies.push((url.clone(), body.clone())),
            Line::Frame(_, bytes) => {
                let events = rig.give(&Step::Frame(ConnId(conn_of(rig, bytes)), bytes.clone()));
                seen(rig, bytes, &events);
                all.extend(events);
            }
        }
        while let Some(found) = answerable(rig, &bodies) {
            let (request, body) = (rig.asked.remove(found.0).id, bodies.remove(found.1).1);
            all.extend(rig.give(&Step::Reply(request, 200, body)));
        }
    }
    all
}

/// Book streams come over the public tier where tiers differ.
fn conn_of(rig: &Rig, bytes: &[u8]) -> u32 {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    let public = head.contains("@depth") || head.contains("@bookTicker");
    let tier = if public { "/public/" } else { "/market/" };
    let at = rig.session.links().iter().position(|l| l.url.contains(tier)).unwrap_or(0);
    u32::try_from(at).unwrap()
}

fn answerable(rig: &Rig, bodies: &[(String, Vec<u8>)]) -> Option<(usize, usize)> {
    rig.asked.iter().enumerate().find_map(|(r, request)| {
        let symbol = request.url.split("symbol=").nth(1).and_then(|s| s.split('&').next()).unwrap_or("?");
        let fits = |url: &str| {
            url.contains("/depth?") && (url.ends_with("/depth?") || url.contains(&format!("symbol={symbol}&")))
        };
        let body = bodies.iter().position(|(url, _)| request.url.contains("/depth?") && fits(url))?;
        Some((r, body))
    })
}
