//! A market known by its bars alone: what a frame of open, high, low, close and volume says, and the context that advice
//! asks for (R2.26, C15).
//!
//! [`Frame`] takes closed bars of one step, one after another; a whole frame is the same pushes in a row. Everything in it
//! is the part that also works inside a market: charts, liquidity, session history, rule books. What bars cannot say
//! (funding, open interest, liquidations, a calendar) is not offered here, and rules that need it are left out by name.
//!
//! Reading order: this file, `run` (the same pushes part by part), `days` (volume nodes), `windows` (volatility of the last hours), `reading`
//! (everything at one moment), `known` (levels and the advice context).

mod days;
mod known;
mod reading;
mod run;
mod windows;

pub use known::KnownLevels;
pub use reading::{FrameReading, FrameVolatility, SessionReading, TrendReading};

use crate::chart::{Chart, Charts, offset_of};
use crate::features::bars::{BarSample, BuiltBar};
use crate::features::volatility::{realized, yearly};
use crate::liquidity::extremes::{Extremes, Period, PeriodExtremes};
use crate::liquidity::{Liquidity, TimeframeOptions};
use crate::rules::{RuleBook, SessionBase};
use crate::sessions::{SessionHistory, SessionSet, Stretch};
use barograph_domain::time::DAY;
use barograph_domain::{LevelType, Span, TradingSession, Ts};
use days::Day;
use serde::{Deserialize, Serialize};
use windows::Windows;

/// Least share of a session's bars that must be there for it to count as seen.
const SEEN: (i64, i64) = (4, 5);
/// Returns below which a session says nothing.
const RETURNS_MIN: i64 = 3;

/// What may be chosen about a frame.
#[derive(Clone, PartialEq, Debug)]
pub struct FrameOptions {
    /// Hours of the sessions.
    pub sessions: SessionSet,
    /// Base multipliers in the order of [`TradingSession::ALL`]; `None`: as the book says, measured once there is enough history.
    pub base: Option<[f64; 4]>,
    /// Choices about levels.
    pub liquidity: TimeframeOptions,
}

impl FrameOptions {
    /// As this book has it. Touches are not followed up: nobody asks a frame whether they held.
    #[must_use]
    pub fn of(book: &RuleBook) -> Self {
        Self {
            sessions: book.sessions,
            base: (book.session_base == SessionBase::Seed).then_some(book.session_multipliers),
            liquidity: TimeframeOptions { reactions: false, ..book.liquidity },
        }
    }
}

/// Closed bars of one step, and everything kept of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    step: Span,
    /// Bars close at whole multiples of the step after this.
    phase: Span,
    /// Bars of the step itself; `None` where `charts` has them.
    own: Option<Chart>,
    charts: Option<Charts>,
    liquidity: Liquidity,
    windows: Windows,
    sessions: SessionSet,
    base: Option<[f64; 4]>,
    volatility: SessionHistory,
    volume: SessionHistory,
    stretch: Option<Running>,
    extremes: [Extremes; 2],
    day: Option<Day>,
    newest: Option<BuiltBar>,
    bars: u64,
}

/// Sums of the session under way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Running {
    session: TradingSession,
    from: Ts,
    until: Ts,
    squared: f64,
    returns: i64,
    quote: f64,
    bars: i64,
}

impl Running {
    fn of(s: Stretch) -> Self {
        Self { session: s.session, from: s.from, until: s.until, squared: 0.0, returns: 0, quote: 0.0, bars: 0 }
    }
    const fn expected(&self, step: Span) -> i64 {
        (self.until.0 - self.from.0) / step.0
    }
    /// Annualised volatility, where enough was seen.
    fn volatility(&self, step: Span) -> Option<f64> {
        let expected = self.expected(step);
        if expected < RETURNS_MIN || SEEN.1 * self.returns < SEEN.0 * expected || self.is_long() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 1,440 returns")]
        let n = self.returns as f64;
        Some(realized(self.squared, n, yearly(step)))
    }
    /// Quote volume a minute, where enough was seen.
    fn volume(&self, step: Span) -> Option<f64> {
        let expected = self.expected(step);
        if expected < 1 || SEEN.1 * self.bars < SEEN.0 * expected || self.is_long() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 1,440 bars")]
        let minutes = self.bars as f64 * step.as_secs_f64() / 60.0;
        Some(self.quote / minutes)
    }
    /// A weekend is no session.
    fn is_long(&self) -> bool {
        self.until - self.from > DAY
    }
}

impl Frame {
    /// For bars of `step` that close at whole multiples of it after `phase`.
    #[must_use]
    pub fn new(step: Span, phase: Span, options: &FrameOptions) -> Self {
        let aligned = phase == offset_of(step) && (phase == Span::ZERO || step == Span::days(7));
        let charts = aligned.then(|| Charts::new(step)).flatten();
        let own = charts.as_ref().is_none_or(|c| c.of(step).is_none()).then(|| Chart::new(step));
        Self {
            step,
            phase,
            own,
            charts,
            liquidity: Liquidity::new(options.liquidity),
            windows: Windows::new(step),
            sessions: options.sessions,
            base: options.base,
            volatility: SessionHistory::default(),
            volume: SessionHistory::default(),
            stretch: None,
            extremes: [Extremes::default(); 2],
            day: None,
            newest: None,
            bars: 0,
        }
    }

    /// Length of its bars.
    #[must_use]
    pub const fn step(&self) -> Span {
        self.step
    }

    /// Where bars close within the step.
    #[must_use]
    pub const fn phase(&self) -> Span {
        self.phase
    }

    /// Close of the newest bar.
    #[must_use]
    pub fn anchor(&self) -> Option<Ts> {
        self.newest.map(|b| self.close_of(b.index))
    }

    /// The newest bar.
    #[must_use]
    pub const fn newest(&self) -> Option<&BuiltBar> {
        self.newest.as_ref()
    }

    /// Bars taken.
    #[must_use]
    pub const fn bars(&self) -> u64 {
        self.bars
    }

    /// Levels of the frame.
    #[must_use]
    pub const fn liquidity(&self) -> &Liquidity {
        &self.liquidity
    }

    /// Bars of the step.
    #[must_use]
    pub fn chart(&self) -> Option<&Chart> {
        self.own.as_ref().or_else(|| self.charts.as_ref()?.of(self.step))
    }

    /// Charts of the timeframes that can be built from the step.
    #[must_use]
    pub const fn charts(&self) -> Option<&Charts> {
        self.charts.as_ref()
    }

    /// Nobody will ask before `t`: measured base multipliers of earlier midnights need not be made. For a frame that is
    /// read once, at its end; it changes no reading from `t` on.
    pub fn will_not_ask_before(&mut self, t: Ts) {
        self.volatility.will_not_ask_before(t);
        self.volume.will_not_ask_before(Ts::MAX);
    }

    /// From now on it is read after every bar: what readings would work out each time is worked out once.
    pub fn will_be_asked_often(&mut self) {
        self.liquidity.take_ranks();
        self.volatility.work_ahead();
        self.volume.work_ahead();
        if let Some(own) = &mut self.own {
            own.work_ahead();
        }
        if let Some(charts) = &mut self.charts {
            charts.work_ahead();
        }
    }

    fn close_of(&self, index: i64) -> Ts {
        Ts(index * self.step.0) + self.phase
    }

    /// Takes the closed bar that closes at `close`; one that is not newer than the last, or not on the grid, is left out
    /// and gives `false`.
    pub fn push(&mut self, close: Ts, bar: &BarSample) -> bool {
        let shifted = close - self.phase;
        // The bar that follows is found without a division.
        let follows = self.newest.map(|n| n.index + 1).filter(|i| i * self.step.0 == shifted.0);
        let index = follows.unwrap_or_else(|| shifted.0.div_euclid(self.step.0));
        if index * self.step.0 != shifted.0 || self.newest.is_some_and(|n| index <= n.index) {
            return false;
        }
        let built = BuiltBar {
            index,
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            volume: bar.volume,
            quote_volume: bar.quote(),
        };
        let squared = self.windows.push(close, &built, self.newest.as_ref());
        self.add_to_session(close, squared, built.quote_volume);
        if let Some(chart) = &mut self.own {
            chart.push(&built);
        }
        match &mut self.charts {
            Some(charts) if charts.shortest() == self.step => charts.push_whole(close, &built),
            Some(charts) => {
                charts.push(close, bar, |_| {});
            }
            None => {}
        }
        self.newest = Some(built);
        self.bars += 1;
        self.end_day_before(close);
        self.liquidity.push(&built, close, &mut ());
        self.add_to_extremes(close, &built);
        self.add_to_day(close, &built);
        true
    }

    /// Sums of the session; what is over is recorded.
    fn add_to_session(&mut self, close: Ts, squared: Option<f64>, quote: Option<f64>) {
        if self.step > Span::hours(8) {
            return;
        }
        let late = self.stretch.is_none_or(|r| close > r.until);
        if late {
            self.close_session(close);
        }
        if let Some(r) = &mut self.stretch {
            if let Some(s) = squared {
                r.squared += s;
                r.returns += 1;
            }
            if let Some(q) = quote {
                r.quote += q;
                r.bars += 1;
            }
            if close == r.until {
                self.close_session(close);
            }
        }
    }

    fn close_session(&mut self, close: Ts) {
        let (set, step, running) = (self.sessions, self.step, self.stretch);
        // Nearly always the bar ends the stretch that both histories are in.
        if let Some(r) = running
            && r.until == close
            && [&self.volatility, &self.volume].iter().all(|h| h.now().is_some_and(|s| s.until == close))
        {
            let next = set.stretch(close);
            self.volatility.end(next, r.volatility(step));
            self.volume.end(next, r.volume(step));
            self.stretch = Some(Running::of(next));
            return;
        }
        let of = |s: &Stretch| running.filter(|r| r.until == s.until);
        self.volatility.reach(close, &set, |s| of(s).and_then(|r| r.volatility(step)));
        self.volume.reach(close, &set, |s| of(s).and_then(|r| r.volume(step)));
        // The bar that closes now belongs to the stretch that holds the instant before its close, unless that is over.
        let inside = if running.is_some_and(|r| r.until == close) { close } else { close - Span(1) };
        let known = self.volatility.now().filter(|s| s.from <= inside && inside < s.until);
        self.stretch = Some(Running::of(known.unwrap_or_else(|| set.stretch(inside))));
    }

    /// Extremes of the day and of the session, which become levels when they are complete.
    fn add_to_extremes(&mut self, close: Ts, bar: &BuiltBar) {
        if self.step >= DAY {
            return;
        }
        for at in 0..self.extremes.len() {
            // Nearly every bar lies within the day and the session that are under way.
            if self.extremes[at].goes_on(close, bar.low, bar.high) {
                continue;
            }
            let period = if at == 0 { day_of(close) } else { self.session_of(close) };
            if period.end - period.start < self.step + self.step {
                continue;
            }
            for range in self.extremes[at].push(period, close, bar.low, bar.high).into_iter().flatten() {
                self.add_extremes(&range, close);
            }
        }
    }

    /// The session that holds the instant before `close`.
    fn session_of(&self, close: Ts) -> Period {
        let inside = close - Span(1);
        let (session, start, end) = self
            .stretch
            .filter(|r| r.from <= inside && inside < r.until)
            .map(|r| (r.session, r.from, r.until))
            .unwrap_or_else(|| {
                let s = self.sessions.stretch(inside);
                (s.session, s.from, s.until)
            });
        Period { session: Some(session), start, end }
    }

    fn add_extremes(&mut self, range: &PeriodExtremes, known_at: Ts) {
        for (kind, extreme) in range.period.kinds().into_iter().zip([range.low, range.high]) {
            let formed = (extreme.close_ts - self.phase).0.div_euclid(self.step.0);
            self.liquidity.add_extreme(kind, &extreme, (formed, None), known_at, &mut ());
        }
    }
}

/// The UTC day that holds the instant before `close`.
fn day_of(close: Ts) -> Period {
    let start = (close - Span(1)).floor(DAY);
    Period { session: None, start, end: start + DAY }
}

/// Types that a frame can show; volume nodes where a day has sixty bars or more.
#[must_use]
pub const fn is_built(kind: LevelType) -> bool {
    !matches!(kind, LevelType::LiquidationZone)
}
