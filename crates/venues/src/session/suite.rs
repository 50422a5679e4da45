//! The behaviour every session owes, as functions over a constructor and a recorded script. Each venue's tests run them.
//!
//! A [`Script`] is a list of inputs. [`Script::record`] makes one from frames and REST bodies of a recording: it runs a session,
//! opens the links it wants, answers its requests from the bodies, ticks once a second, and writes down what it gave. Functions
//! panic with what is wrong: they are for tests.

use crate::session::{
    Action, CloseReason, ConnId, Emit, FailReason, Fault, Input, LinkId, MarketIndex, MarketSpec, Out, Request,
    RequestId, Session, SessionConfig,
};
use barograph_domain::{GapReason, Metric, Payload, Span, Status, StatusState, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// Constructor of a session, as in `VenueDef::open`.
pub type Open = fn(SessionConfig) -> Box<dyn Session>;

/// [`Input`] that owns its bytes.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// As [`Input::Opened`].
    Opened(LinkId, ConnId),
    /// As [`Input::Closed`].
    Closed(ConnId, CloseReason),
    /// As [`Input::Frame`].
    Frame(ConnId, Vec<u8>),
    /// As [`Input::Reply`].
    Reply(RequestId, u16, Vec<u8>),
    /// As [`Input::Failed`].
    Failed(RequestId, FailReason),
    /// As [`Input::Tick`].
    Tick,
    /// As [`Input::Markets`].
    Markets(Vec<MarketSpec>),
}

impl Step {
    /// As the session takes it.
    #[must_use]
    pub fn input(&self) -> Input<'_> {
        match self {
            Self::Opened(link, conn) => Input::Opened { link: *link, conn: *conn },
            Self::Closed(conn, reason) => Input::Closed { conn: *conn, reason: *reason },
            Self::Frame(conn, bytes) => Input::Frame { conn: *conn, bytes },
            Self::Reply(request, status, body) => Input::Reply { request: *request, status: *status, body },
            Self::Failed(request, reason) => Input::Failed { request: *request, reason: *reason },
            Self::Tick => Input::Tick,
            Self::Markets(markets) => Input::Markets(markets),
        }
    }
}

/// What one input led to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Did {
    /// Facts that came out.
    pub events: Vec<Emit>,
    /// Things to do.
    pub actions: Vec<Action>,
    /// What was refused of the input.
    pub faults: Vec<Fault>,
}

/// A recorded run: configuration and inputs with their receive times.
#[derive(Clone, Debug)]
pub struct Script {
    /// Of the session.
    pub config: SessionConfig,
    /// In order of time.
    pub inputs: Vec<(Ts, Step)>,
}

/// Runs one input and takes what came out.
pub fn give(session: &mut dyn Session, now: Ts, step: &Step) -> Did {
    let mut out = Out::default();
    session.input(now, &step.input(), &mut out);
    out.events.iter().for_each(is_numbered_by_the_venue);
    Did { events: out.events, actions: out.actions, faults: out.faults }
}

/// Only trades, best prices and books have numbers of the venue's own; everything else has none, which is 0.
pub fn is_numbered_by_the_venue(emit: &Emit) {
    let may_be = matches!(emit.metric, Metric::Trade | Metric::BestBidAsk | Metric::Book);
    let status = matches!(emit.payload, Payload::Status(_));
    assert!(emit.seq == 0 || (may_be && !status), "a number the venue did not give: {emit:?}");
}

impl Script {
    /// Plays frames to a session and writes down every input. `link_of` says to which wanted connection a frame belongs, given
    /// the addresses of the links; `answer` gives status and body for a request, or `None` for no answer. Requests are answered
    /// before the next frame.
    pub fn record(
        open: Open,
        config: SessionConfig,
        frames: impl IntoIterator<Item = (Ts, Vec<u8>)>,
        link_of: impl Fn(&[String], &[u8]) -> usize,
        mut answer: impl FnMut(&Request) -> Option<(u16, Vec<u8>)>,
    ) -> Self {
        let mut session = open(config.clone());
        let mut inputs: Vec<(Ts, Step)> = Vec::new();
        let urls: Vec<String> = session.links().iter().map(|l| l.url.clone()).collect();
        let ids: Vec<LinkId> = session.links().iter().map(|l| l.id).collect();
        assert!(ids.iter().all(|id| session.carried(*id) > 0), "a link that carries nothing");
        let mut ticked: Option<Ts> = None;
        let mut feed = |session: &mut dyn Session, inputs: &mut Vec<(Ts, Step)>, now: Ts, step: Step| {
            let mut queue = vec![step];
            while let Some(step) = queue.pop() {
                let did = give(session, now, &step);
                inputs.push((now, step));
                for action in did.actions {
                    if let Action::Request(request) = action {
                        let step = match answer(&request) {
                            Some((status, body)) => Step::Reply(request.id, status, body),
                            None => Step::Failed(request.id, FailReason::Timeout),
                        };
                        queue.insert(0, step);
                    }
                }
            }
        };
        for (now, bytes) in frames {
            if ticked.is_none() {
                for (n, id) in (0..).zip(&ids) {
                    feed(&mut *session, &mut inputs, now, Step::Opened(*id, ConnId(n)));
                }
            }
            if ticked.is_none_or(|t| now - t >= Span::secs(1)) {
                feed(&mut *session, &mut inputs, now, Step::Tick);
                ticked = Some(now);
            }
            let conn = ConnId(u32::try_from(link_of(&urls, &bytes)).unwrap_or(0));
            feed(&mut *session, &mut inputs, now, Step::Frame(conn, bytes));
        }
        Self { config, inputs }
    }

    /// The whole run.
    #[must_use]
    pub fn run(&self, open: Open) -> (Box<dyn Session>, Vec<Did>) {
        let mut session = open(self.config.clone());
        let did = self.inputs.iter().map(|(now, step)| give(&mut *session, *now, step)).collect();
        (session, did)
    }

    fn last(&self) -> Ts {
        self.inputs.last().map_or(Ts(0), |(now, _)| *now)
    }
}

fn statuses(did: &[Did]) -> impl Iterator<Item = ((MarketIndex, Metric), Status)> + '_ {
    did.iter().flat_map(|d| &d.events).filter_map(|e| match e.payload {
        Payload::Status(s) => Some(((e.market, e.metric), s)),
        _ => None,
    })
}

/// The same inputs give the same outputs.
pub fn is_deterministic(open: Open, script: &Script) {
    let (_, first) = script.run(open);
    let (_, second) = script.run(open);
    assert!(first.iter().any(|d| !d.events.is_empty()), "the script produces nothing");
    for (n, (a, b)) in first.iter().zip(&second).enumerate() {
        assert_eq!(a, b, "input {n} {:?}", script.inputs[n]);
    }
}

/// Saving and restoring after every `every`-th input equals never stopping, also in state.
pub fn survives_restarts(open: Open, script: &Script, every: usize) {
    let (whole, expected) = script.run(open);
    let mut session = open(script.config.clone());
    for (n, (now, step)) in script.inputs.iter().enumerate() {
        assert_eq!(give(&mut *session, *now, step), expected[n], "input {n} at {now}: {step:?}");
        if n % every == every - 1 {
            let saved = session.save();
            session = open(script.config.clone());
            session.restore(&saved).expect("what was saved is restored");
            assert!(session.save() == saved, "input {n}: what was restored is saved again alike");
        }
    }
    assert_eq!(session.links(), whole.links());
    assert_eq!(session.streams(), whole.streams());
    let books = |s: &dyn Session| {
        let markets: BTreeSet<u32> = s.streams().iter().map(|x| x.market.0).collect();
        markets.into_iter().map(|m| s.book(MarketIndex(m)).cloned()).collect::<Vec<_>>()
    };
    assert_eq!(books(&*session), books(&*whole));
    let mut damaged = session.save();
    damaged.truncate(damaged.len() / 2);
    assert!(open(script.config.clone()).restore(&damaged).is_err(), "half a state is refused");
    assert!(open(script.config.clone()).restore(b"").is_err(), "nothing is refused");
}

/// A list that changes while the session runs: the state saved afterwards is restored under the grown list, and goes on as if
/// nothing had been. `more` is the venue's name of a market that is not in the script.
pub fn survives_a_new_list(open: Open, script: &Script, more: &str) {
    let half = script.inputs.len() / 2;
    let (head, tail) = script.inputs.split_at(half);
    let first = Script { config: script.config.clone(), inputs: head.to_vec() };
    let mut added = script.config.markets.first().expect("a market").clone();
    more.clone_into(&mut added.symbol);
    let grown = SessionConfig {
        markets: script.config.markets.iter().cloned().chain([added.clone()]).collect(),
        ..script.config.clone()
    };
    // The market is added to the others, or takes their place: the list that is remembered has grown either way.
    for wanted in [grown.markets.clone(), vec![added]] {
        let (mut session, _) = first.run(open);
        let now = first.last();
        give(&mut *session, now, &Step::Markets(wanted));
        let saved = session.save();
        let mut back = open(grown.clone());
        back.restore(&saved).expect("the grown list is that of the state");
        assert_eq!((back.links(), back.streams()), (session.links(), session.streams()));
        for (n, (at, step)) in tail.iter().enumerate() {
            let expected = give(&mut *session, *at, step);
            assert_eq!(give(&mut *back, *at, step), expected, "input {n} after the change, at {at}: {step:?}");
        }
        let mut other = grown.clone();
        other.markets.reverse();
        assert!(open(other).restore(&saved).is_err(), "another order is another list");
        let mut longer = grown.clone();
        longer.markets.push(MarketSpec { symbol: format!("{more}2"), ..grown.markets[0].clone() });
        assert!(open(longer).restore(&saved).is_err(), "a market that the state does not know");
    }
}

/// A market was added while `session` ran. Restarted under the list of its beginning, it goes on as if it had never stopped:
/// `frame` brings data of that market.
pub fn knows_what_was_added(
    open: Open,
    beginning: SessionConfig,
    session: &mut dyn Session,
    now: Ts,
    conn: ConnId,
    frame: &[u8],
) {
    let mut back = open(beginning);
    back.restore(&session.save()).expect("the state's list begins like that");
    let step = Step::Frame(conn, frame.to_vec());
    let heard = give(session, now, &step);
    assert!(heard.events.iter().any(|e| !matches!(e.payload, Payload::Status(_))), "no data: {heard:?}");
    assert_eq!(give(&mut *back, now, &step), heard);
}

/// For two hours nothing comes but what `answer` says to each text the session sends: whatever names one of the `words` is
/// subscribed again and again, never in a loop, and a connection that brings nothing is replaced.
pub fn asks_again_for_what_does_not_come(
    open: Open,
    config: &SessionConfig,
    words: &[&str],
    mut answer: impl FnMut(Ts, ConnId, &str) -> Vec<Vec<u8>>,
) {
    const HOURS: i64 = 2;
    let mut session = open(config.clone());
    let start = Ts::from_civil(2026, 11, 19, 9, 0, 0);
    let (mut conns, mut next) = (Vec::new(), 0_u32);
    let mut queue: Vec<Step> = Vec::new();
    for link in session.links() {
        conns.push((ConnId(next), link.id));
        queue.push(Step::Opened(link.id, ConnId(next)));
        next += 1;
    }
    let (links, mut closed) = (conns.len(), 0);
    let mut asked: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for second in 0..HOURS * 3_600 {
        let now = start + Span::secs(second);
        queue.push(Step::Tick);
        while !queue.is_empty() {
            for action in give(&mut *session, now, &queue.remove(0)).actions {
                match action {
                    Action::Send { conn, text } => {
                        let lower = text.to_ascii_lowercase();
                        let subscribes =
                            ["\"subscribe\"", "/subscribe\"", ".subscribe\""].iter().any(|verb| lower.contains(verb));
                        for word in words.iter().filter(|w| subscribes && text.contains(**w)) {
                            asked.entry(word).or_default().push(second);
                        }
                        queue.extend(answer(now, conn, &text).into_iter().map(|bytes| Step::Frame(conn, bytes)));
                    }
                    Action::Close { conn, .. } => {
                        let at = conns.iter().position(|c| c.0 == conn).expect("an open connection");
                        let link = conns[at].1;
                        closed += 1;
                        conns[at].0 = ConnId(next);
                        queue.push(Step::Closed(conn, CloseReason::Asked));
                        queue.push(Step::Opened(link, ConnId(next)));
                        next += 1;
                    }
                    Action::Request(request) => queue.push(Step::Failed(request.id, FailReason::Timeout)),
                    Action::Replace { .. } | Action::Relink => {}
                }
            }
        }
    }
    for word in words {
        let times = asked.get(word).map_or(&[][..], |t| t);
        let most = 20 * config.markets.len();
        assert!((4..=most).contains(&times.len()), "{word} is subscribed at {times:?}");
        assert!(times.iter().any(|t| *t > 3_600), "{word} is given up: {times:?}");
    }
    assert!(closed <= 3 * links, "{closed} closings of {links} connections in {HOURS} hours");
}

/// Ticks that come twice change nothing but requests that became due.
pub fn takes_any_ticks(open: Open, script: &Script) {
    let facts = |did: &[Did]| did.iter().flat_map(|d| d.events.clone()).collect::<Vec<_>>();
    let (_, once) = script.run(open);
    let mut doubled = script.clone();
    doubled.inputs = script
        .inputs
        .iter()
        .flat_map(|input| if input.1 == Step::Tick { vec![input.clone(); 2] } else { vec![input.clone()] })
        .collect();
    let (_, twice) = doubled.run(open);
    assert_eq!(facts(&once), facts(&twice));
}

/// Wanted streams that the venue does not have are declared once, and never have data.
pub fn declares_what_is_not_offered(open: Open, script: &Script) {
    let (session, did) = script.run(open);
    for stream in session.streams() {
        let key = (stream.market, stream.metric);
        let said = statuses(&did).filter(|(k, s)| *k == key && s.state == StatusState::NotOffered).count();
        assert_eq!(said, usize::from(!stream.offered), "{stream:?}");
        if !stream.offered {
            let data = did.iter().flat_map(|d| &d.events).filter(|e| (e.market, e.metric) == key).count();
            assert_eq!(data, said, "{stream:?} has data");
        }
    }
    let declared: BTreeSet<_> = session.streams().iter().map(|s| (s.market, s.metric)).collect();
    for event in did.iter().flat_map(|d| &d.events) {
        assert!(declared.contains(&(event.market, event.metric)), "not declared: {event:?}");
    }
}

/// A disconnect in the middle of the script: every live stream that a connection carries is lost once, at that moment, and what
/// has data afterwards is found once, before its data.
pub fn loses_and_finds_once(open: Open, script: &Script, is_polled: impl Fn(Metric) -> bool) {
    let half = script.inputs.len() / 2;
    let (head, tail) = script.inputs.split_at(half);
    let first = Script { config: script.config.clone(), inputs: head.to_vec() };
    let (mut session, _) = first.run(open);
    let now = first.last();
    let live: BTreeSet<_> = session
        .continuity()
        .all()
        .iter()
        .filter(|c| c.state == StatusState::Live && !is_polled(c.metric))
        .map(|c| (c.market, c.metric))
        .collect();
    assert!(!live.is_empty(), "nothing is live in the middle of the script");
    let links: Vec<LinkId> = session.links().iter().map(|l| l.id).collect();
    let mut lost = Vec::new();
    for n in 0..links.len() {
        let conn = ConnId(u32::try_from(n).unwrap_or(0));
        lost.push(give(&mut *session, now, &Step::Closed(conn, CloseReason::Network)));
    }
    let mut count = BTreeMap::new();
    for (key, status) in statuses(&lost) {
        assert_eq!((status.until, status.reason), (Status::OPEN, GapReason::Disconnected), "{key:?}");
        *count.entry(key).or_insert(0) += 1;
    }
    assert!(count.values().all(|n| *n == 1), "a stream is lost once: {count:?}");
    assert_eq!(count.keys().copied().collect::<BTreeSet<_>>(), live, "all that was live is lost, and nothing else");
    let mut after = Vec::new();
    for (n, id) in (0_u32..).zip(&links) {
        after.push(give(&mut *session, now, &Step::Opened(*id, ConnId(1_000 + n))));
    }
    for (at, step) in tail {
        let moved = match step {
            Step::Frame(conn, bytes) => Step::Frame(ConnId(1_000 + conn.0), bytes.clone()),
            other => other.clone(),
        };
        after.push(give(&mut *session, *at, &moved));
    }
    let mut found: BTreeSet<(MarketIndex, Metric)> = BTreeSet::new();
    for event in after.iter().flat_map(|d| &d.events).filter(|e| live.contains(&(e.market, e.metric))) {
        let key = (event.market, event.metric);
        match event.payload {
            Payload::Status(s) if s.state == StatusState::Live && s.reason == GapReason::Disconnected => {
                assert!(found.insert(key), "{key:?} is found twice");
            }
            Payload::Status(_) => {}
            _ if event.origin == crate::session::Origin::Live => {
                assert!(found.contains(&key), "data before found: {event:?}")
            }
            _ => {}
        }
    }
    assert!(!found.is_empty(), "nothing comes back");
}

/// Frames that no venue sends.
pub const GARBAGE: &[&[u8]] = &[
    b"",
    b"not json",
    b"{",
    b"\xff\xfe\x00",
    b"[[[[[[[[",
    b"{\"e\":\"depthUpdate\"",
    b"null",
    b"12",
    b"\"text\"",
    b"[1,2,3]",
    b"{\"unheard\":\"of\"}",
];

/// Unknown and broken frames are faults, never panics, never facts, never silent.
pub fn refuses_garbage(open: Open, script: &Script) {
    let (mut session, _) = script.run(open);
    let now = script.last();
    for bytes in GARBAGE {
        let did = give(&mut *session, now, &Step::Frame(ConnId(0), bytes.to_vec()));
        assert!(!did.faults.is_empty(), "silent about {:?}", String::from_utf8_lossy(bytes));
        assert!(did.events.is_empty(), "{:?} is a fact: {:?}", String::from_utf8_lossy(bytes), did.events);
        assert!(did.faults.iter().all(|f| f.detail.len() <= 600), "a fault shows a little of the message");
    }
    let unknown = Step::Reply(RequestId(u64::MAX), 200, b"[]".to_vec());
    let did = give(&mut *session, now, &unknown);
    assert!(did.events.is_empty(), "an answer nobody asked for");
}

/// `count` damaged copies of recorded frames: no panic, and the state does not grow past `bytes_max`. Returns how large it was.
pub fn stays_bounded(open: Open, script: &Script, count: usize, bytes_max: usize) -> usize {
    let (mut session, _) = script.run(open);
    let frames: Vec<&Vec<u8>> =
        script.inputs.iter().filter_map(|(_, s)| if let Step::Frame(_, b) = s { Some(b) } else { None }).collect();
    let mut now = script.last();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 16).unwrap_or(0) % below.max(1)
    };
    let mut out = Out::default();
    let mut largest = 0;
    for n in 0..count {
        let bytes = mutated(&frames, &mut next);
        out.clear();
        now = now + Span::millis(1);
        session.input(now, &Input::Frame { conn: ConnId(0), bytes: &bytes }, &mut out);
        if n % 1_000 == 0 {
            session.input(now, &Input::Tick, &mut out);
        }
        if n % 10_000 == 0 {
            largest = largest.max(session.save().len());
        }
    }
    largest = largest.max(session.save().len());
    assert!(largest <= bytes_max, "state grew to {largest} bytes");
    largest
}

/// A recorded frame with a bit flipped, cut, joined with another, or with other digits.
pub fn mutated(frames: &[&Vec<u8>], next: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = frames.get(next(frames.len())).map_or_else(Vec::new, |b| (*b).clone());
    for _ in 0..=next(3) {
        if bytes.is_empty() {
            break;
        }
        let at = next(bytes.len());
        match next(6) {
            0 => bytes[at] ^= 1 << next(8),
            1 => bytes.truncate(at),
            2 => {
                if let Some(other) = frames.get(next(frames.len())) {
                    let from = next(other.len().max(1)).min(other.len());
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
            }
            3 => {
                // Wild numbers where digits are.
                if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    let wild: [&[u8]; 6] =
                        [b"0", b"-1", b"99999999999999999999", b"1e308", b"0.000000000000000000001", b"NaN"];
                    let spot = at + digit;
                    bytes.splice(spot..=spot, wild[next(wild.len())].iter().copied());
                }
            }
            4 => bytes[at] = u8::try_from(next(256)).unwrap_or(0),
            _ => {
                let to = next(bytes.len());
                bytes.swap(at, to);
            }
        }
    }
    bytes
}

/// The frames of the script's second half that `is_hot` picks allocate nothing. `measure` counts the allocations of what it is
/// given to run.
pub fn allocates_nothing(
    open: Open,
    script: &Script,
    is_hot: impl Fn(&[u8]) -> bool,
    measure: impl Fn(&mut dyn FnMut()) -> u64,
) {
    let mut session = open(script.config.clone());
    let mut out = Out::default();
    let mut measured = 0;
    for (n, (now, step)) in script.inputs.iter().enumerate() {
        out.clear();
        let hot = n > script.inputs.len() / 2 && matches!(step, Step::Frame(_, bytes) if is_hot(bytes));
        if hot {
            let allocations = measure(&mut || session.input(*now, &step.input(), &mut out));
            let quiet = out.actions.is_empty() && out.faults.is_empty();
            let Step::Frame(_, bytes) = step else { continue };
            let text = String::from_utf8_lossy(bytes);
            assert!(allocations == 0 || !quiet, "input {n}: {allocations} allocations, {:?} for {text}", out.events);
            measured += 1;
        } else {
            session.input(*now, &step.input(), &mut out);
        }
    }
    assert!(measured > 0, "no frame was measured");
}
