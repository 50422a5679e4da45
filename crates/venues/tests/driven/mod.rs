//! A session with everything it says collected: what the tests of Coinbase and Hyperliquid share.

#![allow(dead_code, clippy::allow_attributes, reason = "each venue's tests use their own part")]

use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use barograph_venues::session::{
    Action, CloseReason, ConnId, Emit, Fault, Input, LinkId, MarketIndex, Out, Request, Session, suite,
};

/// A session with what it said.
pub(crate) struct Rig {
    pub(crate) session: Box<dyn Session>,
    pub(crate) now: Ts,
    pub(crate) events: Vec<Emit>,
    pub(crate) actions: Vec<Action>,
    pub(crate) faults: Vec<Fault>,
}

impl Rig {
    /// A session that has seen nothing, at this moment.
    pub(crate) fn of(session: Box<dyn Session>, now: Ts) -> Self {
        Self { session, now, events: Vec::new(), actions: Vec::new(), faults: Vec::new() }
    }

    pub(crate) fn input(&mut self, input: &Input<'_>) {
        let mut out = Out::default();
        self.session.input(self.now, input, &mut out);
        out.events.iter().for_each(suite::is_numbered_by_the_venue);
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

    /// Texts to be sent, with their connections.
    pub(crate) fn sent(&mut self) -> Vec<(u32, String)> {
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
