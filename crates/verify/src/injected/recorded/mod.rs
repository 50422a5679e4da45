//! Injected truth over a recording (surveillance §9). The recording is played once: to detectors that see it untouched, and to those of
//! every run with something laid over. An episode is sized by what the untouched detectors compare with at that moment, so nothing is
//! known of it before it could have been.
//!
//! The clock is that of receipt, as live. A recording has neither premiums nor fundings: FUNDING_WINDOW_PRESSURE cannot be judged, and over
//! PUMP_AND_DUMP nothing is laid, because a recorded price is not moved.

mod book;
mod run;
mod wash;

pub use run::RunShortfall;

use super::score::{Injection, TruthScore, opened};
use super::table::TruthRow;
use super::usual::{UsualSizes, quantile};
use barograph_domain::depth::DepthLevel;
use barograph_domain::{Alert, Pattern, Side, Span, Ts};
use barograph_engine::order_flow::{FLOW_PATTERNS, FlowInput, FlowStream, FlowThresholds, OrderFlow};
use book::RecordedBook;
use run::{LaidRun, RunKind};
use std::collections::VecDeque;

const SECOND: Span = Span::secs(1);
const MINUTE: Span = Span::mins(1);
/// Without a state for longer than this, nobody knows the book between.
const HOLE: Span = Span::mins(1);
/// Levels are looked at to twice the band of the detectors, as live.
const BANDS: f64 = 2.0;
/// Of a recording this much of books and trades is asked for.
pub const RECORDED_MIN: Span = Span::hours(24);
/// Detectors that episodes are laid over for.
pub const LAID_PATTERNS: [Pattern; 4] =
    [Pattern::Spoofing, Pattern::Layering, Pattern::QuoteStuffing, Pattern::WashTrading];

/// What is to be laid over a recording.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedPlan {
    /// Detectors, of [`LAID_PATTERNS`].
    pub patterns: Vec<Pattern>,
    /// Rows of each.
    pub intensities: Vec<f64>,
    /// Episodes of each run, at most.
    pub episodes: usize,
    /// Everything that is drawn follows from it.
    pub seed: u64,
}

/// What is known around an episode that is to begin.
struct Around<'a> {
    /// The detector can judge now.
    judged: bool,
    usual: Option<&'a UsualSizes>,
    hours: &'a HourVolumes,
}

/// Volumes of the last day's whole hours.
#[derive(Clone, Debug, Default)]
struct HourVolumes {
    /// Of whole hours: base volume, trades.
    whole: VecDeque<(f64, f64)>,
    open: Option<(i64, f64, f64)>,
}

impl HourVolumes {
    fn trade(&mut self, at: Ts, qty: f64) {
        let hour = at.0.div_euclid(Span::hours(1).0);
        match &mut self.open {
            Some((of, volume, n)) if *of == hour => (*volume, *n) = (*volume + qty, *n + 1.0),
            open => {
                if let Some((_, volume, n)) = open.replace((hour, qty, 1.0)) {
                    self.whole.push_back((volume, n));
                }
                if self.whole.len() > 24 {
                    self.whole.pop_front();
                }
            }
        }
    }

    /// An hour's mean volume and a trade's mean size, once a day is known.
    fn usual(&self) -> Option<(f64, f64)> {
        if self.whole.len() < 24 {
            return None;
        }
        let (volume, trades) = self.whole.iter().fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        Some((volume / self.whole.len() as f64, volume / trades.max(1.0)))
    }
}

/// Trades of the seconds of the last hour.
#[derive(Clone, Debug, Default)]
struct TradeSeconds {
    seconds: VecDeque<f64>,
    open: Option<i64>,
}

impl TradeSeconds {
    fn reach(&mut self, at: Ts) {
        let second = at.0.div_euclid(SECOND.0);
        let from = *self.open.get_or_insert(second);
        for _ in from..second.min(from + 3_600) {
            self.seconds.push_back(0.0);
            if self.seconds.len() > 3_600 {
                self.seconds.pop_front();
            }
        }
        self.open = Some(second.max(from));
    }
    fn trade(&mut self, at: Ts) {
        self.reach(at);
        if let Some(last) = self.seconds.back_mut() {
            *last += 1.0;
        }
    }
    fn busy(&self) -> f64 {
        quantile(self.seconds.iter().copied().collect(), 0.95)
    }
}

/// What the untouched recording gives of one detector.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DetectorBackground {
    /// The detector.
    pub pattern: Pattern,
    /// How long it could judge.
    pub judged: Span,
    /// Alerts that it opened meanwhile.
    pub alerts: usize,
}

impl DetectorBackground {
    /// Alerts a day of judging.
    #[must_use]
    pub fn per_day(&self) -> f64 {
        self.alerts as f64 / self.judged.as_days_f64()
    }
}

/// A row of the table, and what could not be as it was drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedRow {
    /// The row.
    pub row: TruthRow,
    /// When episodes were laid over it.
    pub injections: Vec<Injection>,
    /// How many of bids and of asks count.
    pub sides: [usize; 2],
    /// Of its episodes.
    pub shortfall: RunShortfall,
    /// Of the look-alikes.
    pub like_shortfall: RunShortfall,
}

/// Everything that came of a recording.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedReport {
    /// First and last receipt of a state or a trade.
    pub span: Option<(Ts, Ts)>,
    /// States of the book, and trades.
    pub states: u64,
    /// See `states`.
    pub trades: u64,
    /// How long the book was known.
    pub known: Span,
    /// Share of the times between two states that are longer than the detectors of books allow as a median.
    pub slow: f64,
    /// The untouched recording, detector by detector.
    pub background: Vec<DetectorBackground>,
    /// What was laid over it.
    pub rows: Vec<RecordedRow>,
}

/// A recording on its way.
#[derive(Debug)]
pub struct RecordedTruth {
    t: FlowThresholds,
    plan: RecordedPlan,
    name: String,
    book: RecordedBook,
    flow: Option<OrderFlow>,
    alerts: Vec<Alert>,
    runs: Vec<LaidRun>,
    hours: HourVolumes,
    busy: TradeSeconds,
    whole: bool,
    /// Trades are listened to.
    listening: bool,
    now: Ts,
    span: Option<(Ts, Ts)>,
    last_state: Option<Ts>,
    known: Span,
    /// States, trades, times between two states, and how many of those are too long.
    counts: [u64; 4],
    minute: i64,
    /// Minutes in which each detector could judge, and whether it can now.
    judged: [u64; FLOW_PATTERNS.len()],
    judges: [(Pattern, bool); FLOW_PATTERNS.len()],
}

impl RecordedTruth {
    /// Of a market of this name, before anything was played.
    #[must_use]
    pub fn new(name: &str, plan: RecordedPlan, t: FlowThresholds) -> Self {
        Self {
            t,
            plan,
            name: name.to_owned(),
            book: RecordedBook::default(),
            flow: None,
            alerts: Vec::new(),
            runs: Vec::new(),
            hours: HourVolumes::default(),
            busy: TradeSeconds::default(),
            whole: false,
            listening: false,
            now: Ts::MIN,
            span: None,
            last_state: None,
            known: Span::ZERO,
            counts: [0; 4],
            minute: i64::MIN,
            judged: [0; FLOW_PATTERNS.len()],
            judges: FLOW_PATTERNS.map(|pattern| (pattern, false)),
        }
    }

    fn reach(&mut self, at: Ts) -> Ts {
        self.now = self.now.max(at);
        self.span = Some((self.span.map_or(self.now, |(from, _)| from), self.now));
        self.now
    }

    fn all(&mut self, at: Ts, input: FlowInput<'_>) {
        if let Some(flow) = &mut self.flow {
            flow.step(at, input, &self.t, &mut self.alerts);
        }
        let (runs, book) = (&mut self.runs, &mut self.book);
        runs.iter_mut().for_each(|run| run.input(at, input, book, &self.t));
    }

    /// A state of the book was received.
    pub fn book(&mut self, at: Ts, bids: &[DepthLevel], asks: &[DepthLevel]) {
        let at = self.reach(at);
        if !self.book.take(bids, asks, BANDS * self.t.band_bps / 1e4) {
            return self.lost(FlowStream::Book);
        }
        // A state that cannot be is passed over, as nothing is to be laid over it.
        if self.book.is_crossed() {
            return;
        }
        if self.last_state.is_some_and(|last| at - last > HOLE) {
            self.break_off(at);
        }
        let interval = self.last_state.replace(at).map(|last| at - last);
        if let Some(interval) = interval {
            self.known = self.known + interval;
            self.counts[2] += 1;
            self.counts[3] += u64::from(interval.as_secs_f64() * 1e3 > self.t.book_interval_ms);
        }
        self.counts[0] += 1;
        if self.flow.is_none() {
            self.begin();
        }
        let Some(flow) = &mut self.flow else { return };
        flow.step(at, FlowInput::Book(self.book.state()), &self.t, &mut self.alerts);
        self.whole = true;
        self.minutes(at);
        self.lay(at);
    }

    /// The runs, once prices are known.
    fn begin(&mut self) {
        let Some(scale) = self.book.scale() else { return };
        self.flow = Some(OrderFlow::new(scale));
        let (episodes, seed, at) = (self.plan.episodes, self.plan.seed, self.now);
        for pattern in &self.plan.patterns {
            let kind = |intensity, look_alikes| RunKind { pattern: *pattern, intensity, look_alikes, episodes };
            let mut kinds = vec![kind(2.0, true)];
            kinds.extend(self.plan.intensities.iter().map(|intensity| kind(*intensity, false)));
            self.runs.extend(kinds.into_iter().map(|kind| LaidRun::new(kind, seed, scale)));
        }
        if self.listening {
            self.all(at, FlowInput::Begins(FlowStream::Trades));
        }
    }

    /// Once a minute: which detectors can judge.
    fn minutes(&mut self, at: Ts) {
        let minute = at.0.div_euclid(MINUTE.0);
        if minute == self.minute {
            return;
        }
        self.minute = minute;
        if let Some(flow) = &mut self.flow {
            self.judges = flow.judges(&self.t);
        }
        for (count, (_, judges)) in self.judged.iter_mut().zip(&self.judges) {
            *count += u64::from(*judges);
        }
    }

    fn lay(&mut self, at: Ts) {
        let (judges, whole) = (self.judges, self.whole);
        let judged = |of: Pattern| whole && judges.iter().any(|(pattern, judges)| *pattern == of && *judges);
        // What is usual is measured only for an episode that is to begin now.
        let begins = self.runs.iter().any(|run| run.wants(at) && run.is_of_books() && judged(run.kind.pattern));
        let limits = self.flow.as_ref().filter(|_| begins).and_then(|flow| flow.limits(&self.t));
        let usual = limits.map(|limits| {
            self.book.tick = limits.tick;
            UsualSizes::of_limits(&limits, self.busy.busy())
        });
        for run in &mut self.runs {
            let judged = judged(run.kind.pattern);
            run.book(at, &mut self.book, &Around { judged, usual: usual.as_ref(), hours: &self.hours }, &self.t);
        }
    }

    /// A trade was received.
    pub fn trade(&mut self, at: Ts, price: f64, qty: f64, is_buy: bool) {
        let at = self.reach(at);
        self.counts[1] += 1;
        self.hours.trade(at, qty);
        self.busy.trade(at);
        let side = if is_buy { Side::Long } else { Side::Short };
        self.all(at, FlowInput::Trade { price, qty, aggressor_side: Some(side) });
    }

    /// Nothing is known of a stream any more.
    pub fn lost(&mut self, stream: FlowStream) {
        let at = self.now;
        match stream {
            FlowStream::Book => (self.whole, self.last_state) = (false, None),
            FlowStream::Trades => self.listening = false,
        }
        self.judges = FLOW_PATTERNS.map(|pattern| (pattern, false));
        self.break_off(at);
        self.all(at, FlowInput::Lost(stream));
    }

    /// Trades are listened to from now on.
    pub fn trades_begin(&mut self) {
        self.listening = true;
        self.all(self.now, FlowInput::Begins(FlowStream::Trades));
    }

    fn break_off(&mut self, at: Ts) {
        self.last_state = None;
        self.runs.iter_mut().for_each(|run| run.break_off(at));
    }

    /// Time passed without anything.
    pub fn passed(&mut self, at: Ts) {
        if at.0.div_euclid(SECOND.0) > self.now.0.div_euclid(SECOND.0) && self.span.is_some() {
            self.now = at;
            self.busy.reach(at);
            self.all(at, FlowInput::Tick);
        }
    }

    /// How much was played so far, from the first receipt to the last.
    #[must_use]
    pub fn played(&self) -> Span {
        self.span.map_or(Span::ZERO, |(from, to)| to - from)
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> RecordedReport {
        let at = self.now;
        self.all(at + SECOND, FlowInput::Tick);
        self.runs.iter_mut().for_each(|run| run.finish(at));
        let minutes = |n: u64| MINUTE.times(i64::try_from(n).unwrap_or(i64::MAX));
        let background = FLOW_PATTERNS.iter().zip(self.judged).map(|(pattern, n)| DetectorBackground {
            pattern: *pattern,
            judged: minutes(n),
            alerts: opened(*pattern, &self.alerts).len(),
        });
        let (background, rows) = (background.collect(), self.rows());
        let [states, trades, intervals, slow] = self.counts;
        let slow = slow as f64 / intervals.max(1) as f64;
        RecordedReport { span: self.span, states, trades, known: self.known, slow, background, rows }
    }

    fn rows(&self) -> Vec<RecordedRow> {
        let score = |run: &LaidRun| TruthScore::of(run.kind.pattern, &run.injections, &run.alerts, &self.alerts);
        let mut rows = Vec::new();
        for like in self.runs.iter().filter(|run| run.kind.look_alikes) {
            let of_like = score(like);
            let pattern = like.kind.pattern;
            for run in self.runs.iter().filter(|run| run.kind.pattern == pattern && !run.kind.look_alikes) {
                let row = TruthRow {
                    pattern,
                    class: self.name.clone(),
                    intensity: run.kind.intensity,
                    score: score(run),
                    look_alikes: [of_like.matched, of_like.injections],
                };
                rows.push(RecordedRow {
                    row,
                    injections: run.injections.clone(),
                    sides: run.sides,
                    shortfall: run.shortfall,
                    like_shortfall: like.shortfall,
                });
            }
        }
        rows
    }
}
