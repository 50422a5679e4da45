//! The smallest change of one feature that changes the label, exactly (regimes §10.1).
//!
//! A label as a function of one feature x is piecewise constant; it can only change at a threshold on x, at its mirror
//! image where the absolute value is compared, or at a percentile's cut. The nearest point of another piece is therefore a
//! threshold or one of its two neighbouring floats, so those are tried in order of distance until one changes the label.
//! A percentile and the feature it ranks are one feature. Flags and words are not varied: they have no distance. Nor are
//! values outside a feature's domain considered (a negative volatility).

use super::axis::{AxisMemory, advance, step_of};
use super::book::{Clause, Op, RuleBook, Test, Warming};
use super::eval::{
    AsRead, ClauseSource, Dated, Evaluation, Reading, Truth, evaluate_with, held_by_exit_band, truth_of,
};
use super::fresh::Staleness;
use super::readers::Readers;
use super::set::{RuleSet, Ruled};
use crate::catalogue::Feature;
use barograph_domain::snapshot::Flip;
use barograph_domain::{AxisState, Cell, InputAge, Span, StreamDecl, Ts};
use core::cmp::Ordering;

/// What a flip or exit is computed from: one row under one book.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The rules.
    pub book: &'a RuleBook,
    /// Readings in catalogue order.
    pub cells: &'a [Cell],
    /// Answers to [`RuleBook::cuts`], in that order.
    pub cuts: &'a [Option<f64>],
    /// Where readings come from, by which those are counted that a time is made up of.
    pub streams: &'a [StreamDecl],
}

/// The row with one feature set to `x` and its percentiles following.
#[derive(Clone, Copy)]
struct Varied<'a> {
    base: AsRead<'a>,
    cuts: &'a [Option<f64>],
    feature: Feature,
    x: f64,
}

impl ClauseSource for Varied<'_> {
    fn truth(&self, clause: &Clause, relaxed: bool) -> Truth {
        if clause.feature == self.feature {
            return Truth::of(clause.holds(self.x, relaxed));
        }
        let reading = self.base.read(clause.feature);
        if clause.ranks() == Some(self.feature)
            && let (Reading::Value(_), Some((full, exit))) = (reading, clause.cuts)
        {
            let cut = self.cuts.get(if relaxed { exit } else { full }).copied().flatten();
            return Truth::of(cut.is_some_and(|c| beyond(clause, self.x, c)));
        }
        truth_of(reading, clause, relaxed, self)
    }
}

/// Is `x` on the side of the cut on which the percentile clause holds?
fn beyond(clause: &Clause, x: f64, cut: f64) -> bool {
    match clause.test {
        Test::Number { op, .. } if op.is_above() => x >= cut,
        Test::Number { op, .. } if op.is_below() => x <= cut,
        Test::Number { .. } | Test::Codes { .. } => false,
    }
}

/// Points there is room for at once: those of most axes; features; and outcomes that led nowhere. Each room is below the kilobyte up to which
/// allocators keep freed memory at hand.
const POINTS_ROOM: usize = 40;
const VARIABLES_ROOM: usize = 12;
const TRIED_ROOM: usize = 24;

/// Clauses on one feature whose outcomes fit into a [`Pattern`].
const PATTERN_CLAUSES: usize = 21;

/// Outcomes of every clause that follows one feature, three bits each at full thresholds and three at exit thresholds. Judging
/// an axis reads a varied feature through these clauses alone, so where they say the same the axis is judged the same.
type Pattern = u128;

/// Outcomes of the written clauses of an axis by their places, each at its full and at its exit threshold.
#[derive(Clone)]
struct Outcomes(Vec<[Truth; 2]>);

impl Outcomes {
    /// Puts what `readings` say of these clauses in their places, and returns it; `None` where it is too much for a pattern.
    fn put<R: ClauseSource>(&mut self, clauses: &[Clause], readings: &R) -> Option<Pattern> {
        let mut pattern = 0;
        for clause in clauses {
            let [full, exit] = [false, true].map(|relaxed| readings.truth(clause, relaxed));
            self.0[clause.place] = [full, exit];
            pattern = pattern << 6 | (exit as Pattern) << 3 | full as Pattern;
        }
        (clauses.len() <= PATTERN_CLAUSES).then_some(pattern)
    }
}

impl ClauseSource for Outcomes {
    #[inline]
    fn truth(&self, clause: &Clause, relaxed: bool) -> Truth {
        self.0[clause.place][usize::from(relaxed)]
    }
}

/// A feature that can be varied.
struct Variable<'a> {
    readers: &'a Readers,
    value: f64,
    /// What its clauses say as it is read.
    unchanged: Option<Pattern>,
}

/// A value worth trying.
#[derive(Clone, Copy, Debug)]
struct Point {
    distance: f64,
    needed: f64,
    /// Which of the features.
    of: u16,
    /// Its place in the scale table.
    place: u16,
    up: bool,
    /// At an exit threshold.
    relaxed: bool,
}

impl Point {
    /// Nearest first; ties by the table of regimes §7, then downwards before upwards.
    fn order(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| {
            self.place.cmp(&other.place).then_with(|| self.up.cmp(&other.up)).then_with(|| {
                // Equal distance after rounding: the float nearer to x first.
                if self.up { self.needed.total_cmp(&other.needed) } else { other.needed.total_cmp(&self.needed) }
            })
        })
    }
}

/// Where a clause turns from true to false.
#[derive(Clone, Copy)]
struct Breakpoint {
    threshold: f64,
    /// The threshold itself belongs to the values below it, to those above it, or to neither.
    with_lower: bool,
    with_upper: bool,
    /// The percentile whose cut it is.
    percentile: Option<Feature>,
}

impl Breakpoint {
    /// The first values beyond it, seen from `x`.
    fn entries(&self, x: f64) -> [Option<f64>; 2] {
        let t = self.threshold;
        let above = (!self.with_upper).then(|| if x <= t { t.next_up() } else { t });
        let below = (!self.with_lower).then(|| if x < t { t } else { t.next_down() });
        [above, below]
    }
}

/// Where a label goes: which one, after how many readings and seconds of dwell; `None`: it stays.
type Goes<L> = Option<(L, u32, i64)>;

/// A change that is looked for.
struct Sought<L> {
    /// There may be one.
    open: bool,
    /// Also at exit thresholds.
    relaxed_too: bool,
    /// What led nowhere.
    tried: Vec<(u16, Pattern)>,
    found: Option<Flip<L>>,
}

impl<L> Sought<L> {
    fn new(open: bool, relaxed_too: bool) -> Self {
        let tried = if open { Vec::with_capacity(TRIED_ROOM) } else { Vec::new() };
        Self { open, relaxed_too, tried, found: None }
    }
    const fn nothing() -> Self {
        Self { open: false, relaxed_too: false, tried: Vec::new(), found: None }
    }
    const fn seeks(&self) -> bool {
        self.open && self.found.is_none()
    }
    const fn may_be_at(&self, p: &Point) -> bool {
        self.seeks() && (self.relaxed_too || !p.relaxed)
    }
    /// Is what is said at a point worth judging? What is said as it is leads nowhere, nor does what led nowhere before.
    fn asks(&mut self, p: &Point, said: Option<Pattern>, unchanged: Option<Pattern>) -> bool {
        let Some(pattern) = said else { return self.may_be_at(p) };
        let asks = self.may_be_at(p) && said != unchanged && !self.tried.contains(&(p.of, pattern));
        if asks {
            self.tried.push((p.of, pattern));
        }
        asks
    }
}

/// Everything the search for a flip and for an exit have in common.
struct Search<'a, L> {
    scene: Scene<'a>,
    set: &'a RuleSet<L>,
    now: Evaluation<L>,
    /// As read, and with one feature varied.
    read: Outcomes,
    trial: Outcomes,
    variables: Vec<Variable<'a>>,
    /// Nearest first.
    points: Vec<Point>,
}

impl<'a> Scene<'a> {
    const fn as_read(&self) -> AsRead<'a> {
        AsRead::new(self.book, self.cells)
    }
    const fn varied(&self, feature: Feature, x: f64) -> Varied<'a> {
        Varied { base: self.as_read(), cuts: self.cuts, feature, x }
    }
    fn search<L: Ruled>(&self, relaxed_too: bool) -> Search<'a, L> {
        let (set, readings) = (L::of(self.book), self.as_read());
        let read = Outcomes(set.written().map(|c| [false, true].map(|relaxed| readings.truth(c, relaxed))).collect());
        let (now, trial) = (evaluate_with(set, &read), read.clone());
        let (variables, points) = (Vec::with_capacity(VARIABLES_ROOM), Vec::with_capacity(POINTS_ROOM));
        let mut search = Search { scene: *self, set, now, read, trial, variables, points };
        for readers in &set.readers {
            search.add(readers);
        }
        for of in 0..u16::try_from(search.variables.len()).unwrap_or(u16::MAX) {
            search.add_points(of, relaxed_too);
        }
        search.points.sort_unstable_by(Point::order);
        search
    }
    /// Thresholds of a clause on the feature with their mirror images, or the cut of one on its percentile.
    fn breakpoints(&self, clause: &Clause, feature: Feature, relaxed: bool) -> [Option<Breakpoint>; 2] {
        let (Test::Number { op, .. }, Some(theta)) = (&clause.test, clause.threshold(relaxed)) else {
            return [None, None];
        };
        let (with_lower, with_upper) = (matches!(op, Op::Gt | Op::Le), matches!(op, Op::Ge | Op::Lt));
        if clause.feature == feature {
            let own = Breakpoint { threshold: theta, with_lower, with_upper, percentile: None };
            let mirrored =
                Breakpoint { threshold: -theta, with_lower: with_upper, with_upper: with_lower, percentile: None };
            return [Some(own), clause.abs.then_some(mirrored)];
        }
        let cut = clause
            .cuts
            .filter(|_| clause.ranks() == Some(feature))
            .and_then(|(full, exit)| self.cuts.get(if relaxed { exit } else { full }).copied().flatten());
        // The value at the cut satisfies the clause, whatever its operator.
        let (with_lower, with_upper) = (op.is_below(), op.is_above());
        let of_cut = |threshold| Breakpoint { threshold, with_lower, with_upper, percentile: Some(clause.feature) };
        [cut.map(of_cut), None]
    }
}

impl<'a, L: Ruled> Search<'a, L> {
    /// Takes a feature in, unless it has no reading or its cuts do not agree with the readings at the value it has: then it
    /// cannot be varied honestly.
    fn add(&mut self, readers: &'a Readers) {
        let readings = self.scene.as_read();
        let Reading::Value(value) = readings.read(readers.feature) else { return };
        let unchanged = self.trial.put(&readers.clauses, &readings);
        let here = self.trial.put(&readers.clauses, &self.scene.varied(readers.feature, value));
        let agrees = (here.is_some() && here == unchanged) || evaluate_with(self.set, &self.trial) == self.now;
        self.restore(readers);
        if agrees {
            self.variables.push(Variable { readers, value, unchanged });
        }
    }
    /// The first values beyond every threshold, mirror image and cut of a feature's clauses.
    fn add_points(&mut self, of: u16, relaxed_too: bool) {
        let Variable { readers, value, .. } = self.variables[usize::from(of)];
        for clause in &readers.clauses {
            let warming = matches!(self.scene.as_read().read(clause.feature), Reading::Warming);
            let judged = match &clause.warming {
                Warming::Clause(stand_in) if warming => stand_in,
                Warming::Clause(_) | Warming::Always(_) | Warming::Unknown => clause,
            };
            for relaxed in if relaxed_too { &[false, true][..] } else { &[false] } {
                let breakpoints = self.scene.breakpoints(judged, readers.feature, *relaxed);
                for needed in breakpoints.into_iter().flatten().flat_map(|b| b.entries(value)).flatten() {
                    let distance = (needed - value).abs() / readers.scale;
                    if distance > 0.0 && distance.is_finite() && readers.possible.contains(needed) {
                        let (place, up) = (readers.order, needed > value);
                        self.points.push(Point { distance, needed, of, place, up, relaxed: *relaxed });
                    }
                }
            }
        }
    }
    fn restore(&mut self, readers: &Readers) {
        for clause in &readers.clauses {
            self.trial.0[clause.place] = self.read.0[clause.place];
        }
    }
    /// Goes to the points in turn, once for all that is sought. What the axis says there is judged once for both.
    fn run(
        &mut self,
        flip: &mut Sought<L>,
        exit: &mut Sought<L>,
        leaves: impl Fn(&Outcomes, &Evaluation<L>) -> Goes<L>,
    ) {
        let raw = self.now.raw;
        for i in 0..self.points.len() {
            let p = self.points[i];
            if !flip.seeks() && !exit.seeks() {
                break;
            }
            if !flip.may_be_at(&p) && !exit.may_be_at(&p) {
                continue;
            }
            let Variable { readers, unchanged, .. } = self.variables[usize::from(p.of)];
            let said = self.trial.put(&readers.clauses, &self.scene.varied(readers.feature, p.needed));
            let (asks_flip, asks_exit) = (flip.asks(&p, said, unchanged), exit.asks(&p, said, unchanged));
            if asks_flip || asks_exit {
                let there = evaluate_with(self.set, &self.trial);
                let to = (asks_flip && there.raw != raw).then_some((there.raw, 1, 0));
                flip.found = to.map(|to| self.flip_at(&p, flip.relaxed_too, to)).or(flip.found.take());
                let to = if asks_exit { leaves(&self.trial, &there) } else { None };
                exit.found = to.map(|to| self.flip_at(&p, exit.relaxed_too, to)).or(exit.found.take());
            }
            self.restore(readers);
        }
    }
    fn flip_at(&self, p: &Point, relaxed_too: bool, (label, readings, dwell_left_s): (L, u32, i64)) -> Flip<L> {
        let Variable { readers, value, .. } = self.variables[usize::from(p.of)];
        let (threshold, percentile) = self.threshold_at(readers, p.needed, relaxed_too);
        Flip {
            feature: readers.feature.id(),
            value,
            needed: p.needed,
            direction: if p.up { "above" } else { "below" },
            threshold,
            delta: p.needed - value,
            distance: p.distance,
            label,
            readings,
            // Of every minute, for those who know no more than rules and readings.
            cadence_s: 60,
            dwell_left_s,
            percentile: percentile.map(Feature::id),
            exact: true,
        }
    }
    /// The threshold that a value stands at or next to, and whose cut it is: in document order the first one.
    fn threshold_at(&self, readers: &Readers, needed: f64, relaxed_too: bool) -> (f64, Option<Feature>) {
        let at = |b: &Breakpoint| {
            let t = b.threshold;
            [t.next_down(), t, t.next_up()].iter().any(|x| x.total_cmp(&needed).is_eq())
        };
        for clause in readers.clauses.iter().flat_map(with_stand_in) {
            for relaxed in [false, relaxed_too] {
                let mut all = self.scene.breakpoints(clause, readers.feature, relaxed).into_iter().flatten();
                if let Some(b) = all.find(at) {
                    return (b.threshold, b.percentile);
                }
            }
        }
        (needed, None)
    }
    /// A flip is at full thresholds.
    fn flip(&self) -> Sought<L> {
        Sought::new(self.now.raw != L::UNKNOWN, false)
    }
    fn exit(&self, state: &AxisState<L>, leaves: impl Fn(&Outcomes, &Evaluation<L>) -> Goes<L>) -> Sought<L> {
        Sought::new(may_leave(state) && leaves(&self.read, &self.now).is_none(), has_band(self.scene.book, state))
    }
}

/// A written clause, then what stands in for it.
fn with_stand_in(clause: &Clause) -> impl Iterator<Item = &Clause> {
    let stand_in = match &clause.warming {
        Warming::Clause(stand_in) => Some(&**stand_in),
        Warming::Always(_) | Warming::Unknown => None,
    };
    core::iter::once(clause).chain(stand_in)
}

/// There is a label, and a reading beside it.
fn may_leave<L: Ruled>(state: &AxisState<L>) -> bool {
    state.label != L::UNKNOWN && state.raw_label != L::UNKNOWN
}

/// The resting label has no exit band: only full thresholds lead out of it.
fn has_band<L: Ruled>(book: &RuleBook, state: &AxisState<L>) -> bool {
    L::of(book).hysteresis && state.label != L::RESTING
}

/// Smallest single-feature change that changes the raw label at full thresholds; `None` for UNKNOWN or when none does.
#[must_use]
pub fn nearest_flip<L: Ruled>(scene: &Scene<'_>) -> Option<Flip<L>> {
    let mut search = scene.search(false);
    let mut flip = search.flip();
    search.run(&mut flip, &mut Sought::nothing(), |_, _| None);
    flip.found
}

/// Smallest single-feature change that makes the published label leave, with the readings it must stand and the dwell
/// still to pass. `None` for UNKNOWN, while the last label is shown for staleness, and while the label is only kept by
/// dwell: then it leaves with nothing changed.
#[must_use]
pub fn nearest_exit<L: Ruled>(
    scene: &Scene<'_>,
    state: &AxisState<L>,
    ts: Ts,
    staleness: Staleness,
) -> Option<Flip<L>> {
    let leaves = |said: &Outcomes, there: &Evaluation<L>| leaves_to(scene, state, said, there, ts, staleness);
    let mut search = scene.search(has_band(scene.book, state));
    let mut exit = search.exit(state, leaves);
    search.run(&mut Sought::nothing(), &mut exit, leaves);
    exit.found
}

/// Both at once, [`nearest_flip`] and [`nearest_exit`]: they try the same values.
#[must_use]
pub fn nearest_changes<L: Ruled>(
    scene: &Scene<'_>,
    state: &AxisState<L>,
    ts: Ts,
    staleness: Staleness,
) -> (Option<Flip<L>>, Option<Flip<L>>) {
    let leaves = |said: &Outcomes, there: &Evaluation<L>| leaves_to(scene, state, said, there, ts, staleness);
    let mut search = scene.search(has_band(scene.book, state));
    let (mut flip, mut exit) = (search.flip(), search.exit(state, leaves));
    search.run(&mut flip, &mut exit, leaves);
    (flip.found, exit.found)
}

/// Where the label goes if readings that are judged like this last: label, readings, seconds of dwell left.
fn leaves_to<L: Ruled, R: ClauseSource>(
    scene: &Scene<'_>,
    state: &AxisState<L>,
    readings: &R,
    there: &Evaluation<L>,
    ts: Ts,
    staleness: Staleness,
) -> Goes<L> {
    let set = L::of(scene.book);
    // Time enough for every dwell: what is still published then is kept by the rules alone.
    let patient = AxisState { candidate: Some(there.raw), candidate_count: u32::MAX, since: Ts(0), ..*state };
    let band_holds = || held_by_exit_band(set, readings, state.label, there.holds);
    let later = advance(set, patient, Ts(i64::MAX), there, staleness, (true, || 1), band_holds);
    if later.label == state.label {
        return None;
    }
    if there.raw == L::UNKNOWN {
        return Some((there.raw, 1, 0));
    }
    let read = Dated::new(scene.book, scene.cells, scene.streams);
    let step = step_of(scene.book, &read, there.fired, state.label);
    let needed = set.readings(state.label, there.raw, there.fired, step);
    let readings_left = needed.saturating_sub(set.waited(state, there.raw)).max(1);
    let calmer = there.raw.severity() < state.label.severity();
    let dwell = if calmer { (state.since + set.min_dwell(state.label)) - ts } else { Span::ZERO };
    Some((there.raw, readings_left, -(-dwell.0.max(0)).div_euclid(1_000_000_000)))
}

/// The row with one feature set to `value` and each percentile of it at a rank on the same side of every threshold of the
/// book as the true rank would be. For tests and what-if: judging these cells needs no cuts.
#[must_use]
pub fn with_override(scene: &Scene<'_>, feature: Feature, value: f64) -> Vec<Cell> {
    let mut cells = scene.cells.to_vec();
    cells[feature.index()].value = value;
    for (percentile, _) in Feature::percentiles().filter(|(_, ranked)| *ranked == feature) {
        let asked: Vec<(Op, f64, bool)> = scene
            .book
            .cuts()
            .iter()
            .zip(scene.cuts)
            .filter(|(request, _)| request.percentile == percentile)
            .map(|(r, cut)| (r.op, r.theta, cut.is_some_and(|c| if r.op.is_above() { value >= c } else { value <= c })))
            .collect();
        let mut ranks: Vec<f64> = asked.iter().map(|(_, theta, _)| *theta).chain([0.0, 1.0]).collect();
        ranks.sort_by(f64::total_cmp);
        let between: Vec<f64> = ranks.windows(2).map(|w| f64::midpoint(w[0], w[1])).collect();
        let fits = |p: &f64| asked.iter().all(|(op, theta, holds)| op.holds(*p, *theta) == *holds);
        if let Some(p) = between.into_iter().chain(ranks).find(fits) {
            cells[percentile.index()].value = p;
        }
    }
    cells
}

/// The raw label after setting one feature to `value`: what a reported flip promises.
#[must_use]
pub fn apply_flip<L: Ruled>(scene: &Scene<'_>, feature: Feature, value: f64) -> L {
    super::evaluate(scene.book, &with_override(scene, feature, value)).raw
}

/// The published labels of the minutes after `ts` while an exit's value stands, up to the minute it promises to leave in:
/// the last one is `exit.label`, all before are the label left. Ages stay as they are. For tests and what-if.
#[must_use]
pub fn apply_exit<L: Ruled>(
    scene: &Scene<'_>,
    axis: &AxisMemory<L>,
    exit: &Flip<L>,
    ts: Ts,
    inputs: &[InputAge],
    streams: &[StreamDecl],
) -> Vec<L> {
    let Some(feature) = Feature::from_id(exit.feature) else { return Vec::new() };
    let cells = with_override(scene, feature, exit.needed);
    let mut axis = axis.clone();
    let minutes = i64::from(exit.readings).max((exit.dwell_left_s + 59).div_euclid(60));
    let step = |n: i64| {
        let later = Span::mins(n);
        let inputs: Vec<InputAge> = inputs.iter().map(|i| InputAge { anchor: i.anchor + later, ..*i }).collect();
        let cells: Vec<Cell> = cells.iter().map(|c| Cell { anchor: c.anchor + later, ..*c }).collect();
        axis.step(scene.book, ts + later, &cells, &inputs, streams).label
    };
    (1..=minutes).map(step).collect()
}
