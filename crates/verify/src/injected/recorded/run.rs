//! One run over a recording: episodes of one kind and strength, or look-alikes, with detectors of their own.

use super::book::RecordedBook;
use super::{Around, SECOND};
use crate::injected::acts::{LaidActs, LaidTrade, PlannedEpisode, changes_of, flood, lay_over};
use crate::injected::plan::{EpisodePlanner, Ground};
use crate::injected::score::Injection;
use crate::injected::synthetic::is_of_books;
use barograph_domain::random::SplitMix;
use barograph_domain::{Alert, Pattern, Side, Span, Ts};
use barograph_engine::order_flow::{BookState, FlowInput, FlowLevel, FlowThresholds, OrderFlow, RestingSide};

/// From the end of one episode to the next, at least.
pub(super) const APART: Span = Span::mins(10);
/// A look-alike waits so long for the market to do its part.
pub(super) const PATIENCE: Span = Span::mins(2);
/// Ticks that the middle moves within a second, at least, before a flood is one of a price that moves; a flood of a still price
/// stays within one.
const MOVES_TICKS: i64 = 2;

/// What a run is of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct RunKind {
    pub(super) pattern: Pattern,
    pub(super) intensity: f64,
    pub(super) look_alikes: bool,
    /// Episodes, at most.
    pub(super) episodes: usize,
}

/// The episode under way.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    laid: Injection,
    side: RestingSide,
    /// It counts once the market has done its part.
    waits: bool,
    made: bool,
    /// Orders that were left behind before it.
    left_behind: usize,
}

/// Counts of what could not be as it was drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunShortfall {
    /// Episodes during which the recording broke off: no episodes.
    pub interrupted: usize,
    /// Look-alikes that waited for a move that did not come: none.
    pub not_made: usize,
    /// Orders that were shown, and how many of them lay behind the last level that the recording knows.
    pub posts: usize,
    /// See `posts`.
    pub out_of_sight: usize,
}

#[derive(Debug)]
pub(super) struct LaidRun {
    pub(super) kind: RunKind,
    pub(super) flow: OrderFlow,
    pub(super) alerts: Vec<Alert>,
    pub(super) injections: Vec<Injection>,
    pub(super) shortfall: RunShortfall,
    pub(super) acts: LaidActs,
    random: SplitMix,
    ids: u64,
    attempts: u64,
    /// Counted episodes of bids and of asks.
    pub(super) sides: [usize; 2],
    next: Ts,
    now: Option<UnderWay>,
    small: f64,
    last_state: Option<Ts>,
    /// The second under way, the middle at its beginning, and whether it was flooded.
    second: (i64, i64, bool),
    trades: Vec<LaidTrade>,
    shown: (Vec<FlowLevel>, Vec<FlowLevel>),
}

impl LaidRun {
    pub(super) fn new(kind: RunKind, seed: u64, scale: u8) -> Self {
        Self {
            kind,
            flow: OrderFlow::new(scale),
            alerts: Vec::new(),
            injections: Vec::new(),
            shortfall: RunShortfall::default(),
            acts: LaidActs::default(),
            random: SplitMix::new(seed),
            ids: 0,
            attempts: 0,
            sides: [0; 2],
            next: Ts::MIN,
            now: None,
            small: 0.0,
            last_state: None,
            second: (i64::MIN, 0, false),
            trades: Vec::new(),
            shown: (Vec::new(), Vec::new()),
        }
    }

    /// Something of the recording that is no state of the book.
    pub(super) fn input(&mut self, at: Ts, input: FlowInput<'_>, book: &mut RecordedBook, t: &FlowThresholds) {
        if !self.is_of_books() {
            self.lay_trades(at, book, t);
        }
        self.flow.step(at, input, t, &mut self.alerts);
    }

    /// Is its detector one of books?
    pub(super) fn is_of_books(&self) -> bool {
        is_of_books(self.kind.pattern)
    }

    /// Could another episode begin?
    pub(super) fn wants(&self, at: Ts) -> bool {
        self.now.is_none() && at >= self.next && self.sides[0] + self.sides[1] < self.kind.episodes
    }

    /// The recording breaks off: what is under way is no episode.
    pub(super) fn break_off(&mut self, at: Ts) {
        self.acts.clear();
        (self.last_state, self.second) = (None, (i64::MIN, 0, false));
        if let Some(under) = self.now.take() {
            self.shortfall.interrupted += 1;
            let to = at.min(under.laid.to).max(under.laid.from);
            self.injections.push(Injection { to, counts: false, ..under.laid });
            self.next = at + APART;
        }
    }

    /// A state of the book, with what is laid over it.
    pub(super) fn book(&mut self, at: Ts, book: &mut RecordedBook, around: &Around<'_>, t: &FlowThresholds) {
        self.end(at);
        if self.wants(at) {
            self.begin(at, around);
        }
        self.lay_trades(at, book, t);
        // Detectors of hours want the price alone.
        if !self.is_of_books() && self.last_state.is_some_and(|last| at - last < SECOND) {
            return;
        }
        let since = self.last_state.replace(at).map_or(Span::ZERO, |last| (at - last).min(SECOND));
        let orders = core::mem::take(&mut self.acts.orders);
        lay_over(book.state(), &orders, &mut self.shown);
        self.acts.orders = orders;
        let (bids, asks) = (&self.shown.0, &self.shown.1);
        self.flow.step(at, FlowInput::Book(BookState { bids, asks }), t, &mut self.alerts);
        if !self.acts.floods.is_empty() {
            self.flood((at, since), book, t);
        }
    }

    /// What is due of trades beside the recorded ones, before what was recorded at this moment. Those of hours come to the moment, because
    /// a pair is one by its time; those beside orders come with the state that shows the orders.
    fn lay_trades(&mut self, at: Ts, book: &mut RecordedBook, t: &FlowThresholds) {
        if self.is_of_books() {
            return self.lay_due(at, book, t);
        }
        while let Some(due) = self.acts.due().filter(|due| *due <= at) {
            self.lay_due(due, book, t);
        }
    }

    fn lay_due(&mut self, at: Ts, book: &mut RecordedBook, t: &FlowThresholds) {
        let mut trades = core::mem::take(&mut self.trades);
        trades.clear();
        self.acts.step(at, book, &mut trades);
        for trade in &trades {
            let side = if trade.took == RestingSide::Ask { Side::Long } else { Side::Short };
            let (price, qty) = (book.price(trade.units), trade.qty);
            let input = FlowInput::Trade { price, qty, aggressor_side: Some(side) };
            self.flow.step(at, input, t, &mut self.alerts);
        }
        self.trades = trades;
    }

    fn flood(&mut self, (at, since): (Ts, Span), book: &RecordedBook, t: &FlowThresholds) {
        let (second, mid2) = (at.0.div_euclid(SECOND.0), book.mid2());
        if self.second.0 != second {
            self.second = (second, mid2, false);
        }
        let Some(flooding) = self.acts.floods.iter().copied().find(|f| at >= f.from && at < f.to) else { return };
        let waits = self.now.is_some_and(|now| now.waits);
        let changes = if !waits {
            changes_of(flooding.rate * since.min(at - flooding.from).as_secs_f64())
        } else if !self.second.2 && (mid2 - self.second.1).abs() >= 2 * MOVES_TICKS * book.tick {
            self.second.2 = true;
            changes_of(flooding.rate)
        } else {
            0
        };
        let (flow, alerts) = (&mut self.flow, &mut self.alerts);
        let mut to = |at: Ts, input: FlowInput<'_>| flow.step(at, input, t, alerts);
        let made = flood(changes, (at + Span(10_000), self.small), book.state(), &mut self.shown, &mut to);
        if let Some(now) = self.now.as_mut().filter(|_| made > 0) {
            now.made = true;
        }
    }

    fn begin(&mut self, at: Ts, around: &Around<'_>) {
        let side = if self.sides[0] <= self.sides[1] { RestingSide::Bid } else { RestingSide::Ask };
        let like = self.kind.look_alikes.then_some(self.attempts / 2 % 3);
        let Some(planned) = self.plan(at, side, like, around) else { return };
        self.attempts += 1;
        let waits = like == Some(1) || like.is_some() && self.kind.pattern == Pattern::QuoteStuffing && like != Some(0);
        let made = !waits && self.kind.pattern != Pattern::QuoteStuffing;
        self.now = Some(UnderWay { laid: planned.laid, side, waits, made, left_behind: self.acts.left_behind });
        self.acts.add(planned.acts, planned.floods);
    }

    fn plan(&mut self, at: Ts, side: RestingSide, like: Option<u64>, around: &Around<'_>) -> Option<PlannedEpisode> {
        if !around.judged {
            return None;
        }
        if !self.is_of_books() {
            return super::wash::plan(at, (self.kind.intensity, like), around.hours, &mut self.random);
        }
        let usual = around.usual?.clone();
        self.small = usual.small;
        let jitter = Span::secs(i64::try_from(self.random.below(20)).unwrap_or(0));
        let (random, ground) = (self.random.clone(), Ground::Recorded(PATIENCE));
        let mut planner = EpisodePlanner {
            random,
            usual,
            intensity: self.kind.intensity,
            ground,
            acts: Vec::new(),
            floods: Vec::new(),
            ids: self.ids,
        };
        let planned = planner.planned(self.kind.pattern, at + jitter, side, like);
        (self.random, self.ids) = (planner.random, planner.ids);
        Some(planned)
    }

    /// Ends the episode whose time is over.
    fn end(&mut self, at: Ts) {
        let Some(under) = self.now.filter(|now| at > now.laid.to) else { return };
        self.now = None;
        self.acts.clear();
        let left = self.acts.left_behind > under.left_behind;
        let counts = under.made || under.waits && left;
        if counts {
            self.sides[usize::from(under.side == RestingSide::Ask)] += 1;
        } else {
            self.shortfall.not_made += 1;
        }
        self.injections.push(Injection { counts, ..under.laid });
        self.next = under.laid.to + APART;
    }

    /// The recording is over.
    pub(super) fn finish(&mut self, at: Ts) {
        self.end(at);
        self.break_off(at);
        (self.shortfall.posts, self.shortfall.out_of_sight) = (self.acts.posts, self.acts.out_of_sight);
    }
}
