//! Journals as a live process writes them, from recorded messages: a session says what it wants, and what it is given is written down
//! before it gets it.

use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_lake::journal::{ControlRecord, FileKey, JournalConfig, JournalWriter, REST};
use barograph_venues::session::{
    Action, ConnId, FailReason, Input, LinkId, MarketSpec, Out, RequestId, Session, SessionConfig, venue,
};
use flate2::read::MultiGzDecoder;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// One recorded message, and whose.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) at: Ts,
    pub(crate) symbol: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Stamps are this far apart at least: what a process notes besides has room between them.
const ROOM: i64 = 16;
/// A process starts this long before its first message.
pub(crate) const BEFORE: Span = Span::millis(5);

/// The first messages of recordings of hftbacktest, merged, no two with the same stamp.
pub(crate) fn messages(files: &[(&'static str, &Path)], each: usize) -> Vec<Message> {
    let mut all = Vec::new();
    // All go as far as the shortest: a market that says nothing more is lost, and rightly so.
    let mut end = Ts::MAX;
    for (symbol, path) in files {
        let text = BufReader::new(MultiGzDecoder::new(std::fs::File::open(path).unwrap()));
        for line in text.split(b'\n').take(each) {
            let Ok(line) = line else { break };
            let (at, bytes) = line.split_at(19);
            let at = Ts(std::str::from_utf8(at).unwrap().parse().unwrap());
            all.push(Message { at, symbol, bytes: bytes[1..].to_vec() });
        }
        end = end.min(all.last().map_or(end, |m: &Message| m.at));
    }
    all.retain(|m| m.at <= end);
    all.sort_by_key(|m| m.at);
    let mut last = Ts::MIN;
    for message in &mut all {
        message.at = message.at.max(Ts(last.0.saturating_add(ROOM)));
        last = message.at;
    }
    all
}

/// Messages of a second process: those that come behind a pause after the first.
pub(crate) fn behind(messages: &[Message], at: usize, pause: Span) -> &[Message] {
    let from = messages[at].at + pause + BEFORE;
    &messages[messages.partition_point(|m| m.at < from)..]
}

/// The same as a recording of one market, for the way without a journal.
pub(crate) fn recording(path: &Path, messages: &[Message], symbol: &str) {
    let mut out = std::fs::File::create(path).unwrap();
    for m in messages.iter().filter(|m| m.symbol == symbol) {
        out.write_all(format!("{} ", m.at.0).as_bytes()).unwrap();
        out.write_all(&m.bytes).unwrap();
        out.write_all(b"\n").unwrap();
    }
}

/// What a process listens to.
pub(crate) fn config(id: &str, symbols: &[&str]) -> SessionConfig {
    let def = venue(id).unwrap();
    SessionConfig {
        endpoints: (def.endpoints)(),
        markets: symbols.iter().map(|s| MarketSpec::bare(s, MarketKind::Perpetual)).collect(),
        metrics: vec![Metric::Trade, Metric::BestBidAsk, Metric::Book],
        backfill: Span::ZERO,
        book_depth: 1_000,
        poll_every: Span::mins(1),
        polls_every: Vec::new(),
        polls_in_flight_max: 1,
        trade_side_is_maker: true,
        mcp: None,
    }
}

/// How a process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    InOrder,
    Killed,
}

/// One venue's live process, and the journal it writes. The same goes on after a restart, as its checkpoint makes it.
pub(crate) struct Recorder {
    id: &'static str,
    config: SessionConfig,
    session: Box<dyn Session>,
    conns: Vec<(LinkId, ConnId, String)>,
    next_conn: u32,
    asked: Vec<(RequestId, String, Ts)>,
    bodies: Vec<Message>,
    /// The newest stamp that was used.
    at: Ts,
    runs: u32,
    change: Option<Vec<MarketSpec>>,
}

/// The files of a running process.
struct Files {
    writer: JournalWriter,
    rest: FileKey,
    conns: Vec<(ConnId, FileKey)>,
}

impl Recorder {
    pub(crate) fn new(id: &str, config: SessionConfig) -> Self {
        let def = venue(id).unwrap();
        let session = (def.open)(config.clone());
        let (conns, asked, bodies) = (Vec::new(), Vec::new(), Vec::new());
        Self { id: def.id, config, session, conns, next_conn: 1, asked, bodies, at: Ts::MIN, runs: 0, change: None }
    }

    /// Runs one process over these messages.
    pub(crate) fn run(&mut self, root: &Path, messages: &[Message], end: End) {
        let begin = messages[0].at - BEFORE;
        let resumed_from = (self.runs > 0).then_some(self.at);
        let (mut writer, _) = JournalWriter::open(JournalConfig::new(root), begin).unwrap();
        self.at = begin;
        self.runs += 1;
        let value = serde_json::json!({ "venues": [{ "id": self.id, "session": self.config }], "book": "x" });
        writer.control(begin, &ControlRecord::Start { release: "t".into(), config: value, resumed_from }).unwrap();
        let rest = writer.connection(self.id, REST, 0, begin).unwrap();
        let mut files = Files { writer, rest, conns: Vec::new() };
        if self.runs > 1 {
            // Nothing of this is written down: whoever reads the journal does it when it meets the start.
            for (_, conn, _) in std::mem::take(&mut self.conns) {
                let reason = barograph_venues::session::CloseReason::Stopping;
                self.give(&mut files, begin, &Input::Closed { conn, reason });
            }
            for (request, ..) in std::mem::take(&mut self.asked) {
                self.give(&mut files, begin, &Input::Failed { request, reason: FailReason::Dropped });
            }
            self.session.resume(begin);
        }
        if let Some(markets) = self.change.take() {
            let at = self.stamp();
            let value = serde_json::json!({ "venue": self.id, "markets": markets });
            files.writer.control(at, &ControlRecord::Config { value }).unwrap();
            self.give(&mut files, at, &Input::Markets(&markets));
        }
        let mut ticked = begin;
        for m in messages {
            self.open_links(&mut files);
            while ticked + Span::secs(1) < m.at {
                ticked = (ticked + Span::secs(1)).max(self.at + Span(1));
                self.tick(&mut files, ticked);
            }
            self.message(&mut files, m);
        }
        match end {
            End::InOrder => {
                let at = self.stamp();
                files.writer.control(at, &ControlRecord::Stop).unwrap();
                files.writer.close().unwrap();
            }
            End::Killed => {
                let ticket = files.writer.flush().unwrap();
                files.writer.wait(&ticket).unwrap();
                files.writer.abandon();
            }
        }
    }

    /// The list of markets changes while the next process runs, before its first message.
    pub(crate) fn then_lists(&mut self, symbols: &[&str]) {
        self.change = Some(config(self.id, symbols).markets);
    }

    fn stamp(&mut self) -> Ts {
        self.at = self.at + Span(1);
        self.at
    }

    fn tick(&mut self, files: &mut Files, at: Ts) {
        self.at = at;
        files.writer.control(at, &ControlRecord::Tick).unwrap();
        self.give(files, at, &Input::Tick);
        let due = |(_, _, since): &(RequestId, String, Ts)| at - *since >= Span::secs(10);
        while let Some(late) = self.asked.iter().position(due) {
            let (request, ..) = self.asked.remove(late);
            let (at, reason) = (self.stamp(), FailReason::Timeout);
            let record = ControlRecord::Failed { venue: self.id.into(), id: request, reason };
            files.writer.control(at, &record).unwrap();
            self.give(files, at, &Input::Failed { request, reason });
        }
    }

    fn open_links(&mut self, files: &mut Files) {
        let known: Vec<LinkId> = self.conns.iter().map(|(link, ..)| *link).collect();
        let new: Vec<(LinkId, String)> =
            self.session.links().iter().filter(|l| !known.contains(&l.id)).map(|l| (l.id, l.url.clone())).collect();
        for (link, url) in new {
            let conn = ConnId(self.next_conn);
            self.next_conn += 1;
            let at = self.stamp();
            let key = files.writer.connection(self.id, &format!("c{}", conn.0), 0, at).unwrap();
            files.conns.push((conn, key));
            let record = ControlRecord::Open { venue: self.id.into(), link, conn, url: url.clone() };
            files.writer.control(at, &record).unwrap();
            self.conns.push((link, conn, url));
            self.give(files, at, &Input::Opened { link, conn });
        }
    }

    fn message(&mut self, files: &mut Files, m: &Message) {
        self.at = m.at;
        if m.bytes.starts_with(b"{\"lastUpdateId\"") {
            self.bodies.push(m.clone());
            // It is what has this stamp, where it was asked for already.
            self.at = m.at - Span(1);
            self.answer(files);
            self.at = self.at.max(m.at);
            return;
        }
        let has = |part: &[u8]| m.bytes.windows(part.len()).take(120).any(|w| w == part);
        let tier = if has(b"@depth") || has(b"@bookTicker") { "/public/" } else { "/market/" };
        let fits = self.conns.iter().find(|(_, _, url)| url.contains(tier)).or(self.conns.first());
        let conn = fits.unwrap().1;
        let key = files.conns.iter().find(|(c, _)| *c == conn).unwrap().1;
        files.writer.frame(key, m.at, &m.bytes).unwrap();
        self.give(files, m.at, &Input::Frame { conn, bytes: &m.bytes });
        self.answer(files);
    }

    /// As soon as a body and a request that it fits are there.
    fn answer(&mut self, files: &mut Files) {
        let fits = |url: &String, m: &Message| url.contains("/depth?") && url.contains(&format!("symbol={}", m.symbol));
        while let Some((body, asked)) = (0..self.bodies.len()).find_map(|b| {
            let at = self.asked.iter().position(|(_, url, _)| fits(url, &self.bodies[b]))?;
            Some((b, at))
        }) {
            let (body, (request, ..)) = (self.bodies.remove(body), self.asked.remove(asked));
            let at = self.stamp();
            files.writer.reply(files.rest, at, request, 200, &body.bytes).unwrap();
            self.give(files, at, &Input::Reply { request, status: 200, body: &body.bytes });
        }
    }

    fn give(&mut self, files: &mut Files, at: Ts, input: &Input<'_>) {
        let mut out = Out::default();
        self.session.input(at, input, &mut out);
        for action in out.actions {
            let Action::Request(request) = action else { continue };
            let at = self.stamp();
            let (venue, purpose) = (self.id.to_owned(), "sync".to_owned());
            let record = ControlRecord::Request { venue, id: request.id, url: request.url.clone(), purpose };
            files.writer.control(at, &record).unwrap();
            self.asked.push((request.id, request.url, at));
        }
    }
}
