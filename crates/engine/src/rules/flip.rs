//! The smallest change of one feature that changes the label, exactly (regimes §10.1).
//!
//! A label as a function of one feature x is piecewise constant; it can only change at a threshold on x, at its mirror
//! image where the absolute value is compared, or at a percentile's cut. The nearest point of another piece is therefore a
//! threshold or one of its two neighbouring floats, so those are tried in order of distance until one changes the label.
//! A percentile and the feature it ranks are one feature. Flags and words are not varied: they have no distance. Nor are
//! values outside a feature's domain considered (a negative volatility).

use super::axis::{AxisMemory, advance};
use super::book::{Book, Clause, Op, Test};
use super::eval::{AsRead, Evaluation, Reading, Readings, Truth, evaluate_with, held_by_exit_band, truth_of};
use super::fresh::Staleness;
use super::range::domain;
use super::set::Ruled;
use crate::catalogue::Feature;
use barograph_domain::snapshot::Flip;
use barograph_domain::{AxisState, Cell, InputAge, Span, StreamDecl, Ts};
use core::cmp::Ordering;

/// What a flip or exit is computed from: one row under one book.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The rules.
    pub book: &'a Book,
    /// Readings in catalogue order.
    pub cells: &'a [Cell],
    /// Answers to [`Book::cuts`], in that order.
    pub cuts: &'a [Option<f64>],
}

/// The row with one feature set to `x` and its percentiles following.
#[derive(Clone, Copy)]
struct Varied<'a> {
    base: AsRead<'a>,
    cuts: &'a [Option<f64>],
    feature: Feature,
    x: f64,
}

impl Readings for Varied<'_> {
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

/// Points there is room for at once: those of a long axis; and features.
const POINTS_ROOM: usize = 128;
const VARIABLES_ROOM: usize = 12;

/// Clauses on one feature whose outcomes fit into a [`Pattern`].
const PATTERN_CLAUSES: usize = 21;

/// Outcomes of every clause on one feature, three bits each at full thresholds and three at exit thresholds. Judging an axis
/// reads a varied feature through these clauses alone, so where they say the same the axis is judged the same.
type Pattern = u128;

/// The clauses that read one feature, itself or a percentile of it.
struct Readers<'a>(Vec<&'a Clause>);

impl Readers<'_> {
    /// Their outcomes; `None` where there are too many to compare at once.
    fn pattern<R: Readings>(&self, readings: &R, bands: bool) -> Option<Pattern> {
        (self.0.len() <= PATTERN_CLAUSES).then(|| {
            self.0.iter().fold(0, |pattern, clause| {
                let full = readings.truth(clause, false) as Pattern;
                let exit = if bands { readings.truth(clause, true) as Pattern } else { 0 };
                pattern << 6 | exit << 3 | full
            })
        })
    }
}

/// A feature that can be varied.
struct Variable<'a> {
    feature: Feature,
    value: f64,
    /// Place in the scale table.
    place: usize,
    readers: Readers<'a>,
    /// What the clauses on it say as it is read.
    unchanged: Option<Pattern>,
    /// Whether the cuts and the readings agree at the value it has; `None` before it was asked.
    agrees: Option<bool>,
    /// Outcomes that led nowhere.
    tried: Vec<Pattern>,
}

/// A value worth trying.
#[derive(Clone, Copy, Debug)]
struct Point {
    distance: f64,
    needed: f64,
    /// Which of the features.
    of: usize,
    /// Which of its clauses, and whether its threshold is that of the exit and mirrored.
    clause: usize,
    relaxed: bool,
    mirrored: bool,
}

impl Point {
    /// Nearest first; ties by the table of regimes §7, then downwards before upwards.
    fn order(&self, other: &Self, variables: &[Variable<'_>]) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| {
            let up = |p: &Self| p.needed > variables[p.of].value;
            let places = variables[self.of].place.cmp(&variables[other.of].place);
            places.then_with(|| up(self).cmp(&up(other))).then_with(|| {
                // Equal distance after rounding: the float nearer to x first.
                if up(self) { self.needed.total_cmp(&other.needed) } else { other.needed.total_cmp(&self.needed) }
            })
        })
    }
}

/// Place in the scale table of regimes §7; features it does not name follow in catalogue order.
fn table_order(feature: Feature) -> usize {
    const TABLE: [Feature; 11] = [
        Feature::FundingZscore24h,
        Feature::OiDelta4h,
        Feature::OiDelta1h,
        Feature::RealizedVol1h,
        Feature::RealizedVol4h,
        Feature::SlopePct,
        Feature::TrendP,
        Feature::VolDaily,
        Feature::Heat,
        Feature::FundingRate8h,
        Feature::Efficiency12h,
    ];
    TABLE.iter().position(|f| *f == feature).unwrap_or(TABLE.len() + feature.index())
}

impl<'a> Scene<'a> {
    const fn as_read(&self) -> AsRead<'a> {
        AsRead::new(self.book, self.cells)
    }
    const fn varied(&self, feature: Feature, x: f64) -> Varied<'a> {
        Varied { base: self.as_read(), cuts: self.cuts, feature, x }
    }
    /// Every feature that can be varied, with the clauses that read it.
    fn variables<L: Ruled>(&self, bands: bool) -> Vec<Variable<'a>> {
        let mut out: Vec<Variable<'a>> = Vec::with_capacity(VARIABLES_ROOM);
        let (readings, set) = (self.as_read(), L::of(self.book));
        set.each_clause(&mut |clause| {
            let feature = clause.ranks().unwrap_or(clause.feature);
            if out.iter().any(|v| v.feature == feature) || self.book.scale(feature).is_none() {
                return;
            }
            if let Reading::Value(value) = readings.read(feature) {
                let (place, readers) = (table_order(feature), Readers(Vec::with_capacity(PATTERN_CLAUSES)));
                out.push(Variable { feature, value, place, readers, unchanged: None, agrees: None, tried: Vec::new() });
            }
        });
        set.each_clause(&mut |clause| {
            for v in &mut out {
                if clause.feature == v.feature || clause.ranks() == Some(v.feature) {
                    v.readers.0.push(clause);
                }
            }
        });
        for v in &mut out {
            v.unchanged = v.readers.pattern(&readings, bands);
        }
        out
    }
    /// Thresholds, their mirror images and cuts of every clause, each with its neighbours, nearest first.
    fn points(&self, variables: &[Variable<'_>], relaxed_too: bool) -> Vec<Point> {
        let mut out = Vec::with_capacity(POINTS_ROOM);
        for (of, v) in variables.iter().enumerate() {
            let Some(scale) = self.book.scale(v.feature) else { continue };
            let possible = domain(v.feature);
            for (clause, written) in v.readers.0.iter().enumerate() {
                for relaxed in [false, true] {
                    if relaxed && !relaxed_too {
                        continue;
                    }
                    let breakpoints = self.breakpoints(written, v.feature, relaxed);
                    for (threshold, mirrored) in breakpoints.into_iter().zip([false, true]) {
                        let Some((threshold, _)) = threshold else { continue };
                        for needed in [threshold.next_down(), threshold, threshold.next_up()] {
                            let distance = (needed - v.value).abs() / scale;
                            if distance > 0.0 && distance.is_finite() && possible.contains(needed) {
                                out.push(Point { distance, needed, of, clause, relaxed, mirrored });
                            }
                        }
                    }
                }
            }
        }
        out.sort_by(|a, b| a.order(b, variables));
        out
    }
    fn breakpoints(&self, clause: &Clause, feature: Feature, relaxed: bool) -> [Option<(f64, Option<Feature>)>; 2] {
        let Some(theta) = clause.threshold(relaxed) else { return [None, None] };
        if clause.feature == feature {
            return [Some((theta, None)), clause.abs.then_some((-theta, None))];
        }
        let cut = clause
            .cuts
            .filter(|_| clause.ranks() == Some(feature))
            .and_then(|(full, exit)| self.cuts.get(if relaxed { exit } else { full }).copied().flatten());
        [cut.map(|c| (c, Some(clause.feature))), None]
    }
    /// Do the cuts agree with the readings at the value the feature has? If not, the feature cannot be varied honestly.
    fn consistent<L: Ruled>(&self, feature: Feature, x: f64, now: &Evaluation<L>) -> bool {
        evaluate_with(L::of(self.book), &self.varied(feature, x)) == *now
    }
    /// The nearest point at which `reached` names a label; `bands`: it asks for exit thresholds too.
    fn nearest<L: Ruled>(
        &self,
        relaxed_too: bool,
        bands: bool,
        reached: impl Fn(&Varied<'_>) -> Option<(L, u32, i64)>,
    ) -> Option<Flip<L>> {
        let now = evaluate_with(L::of(self.book), &self.as_read());
        let mut variables = self.variables::<L>(bands);
        for p in self.points(&variables, relaxed_too) {
            let v = &mut variables[p.of];
            let varied = self.varied(v.feature, p.needed);
            let pattern = v.readers.pattern(&varied, bands);
            // What is said now leads nowhere, nor does what led nowhere before.
            if let Some(said) = pattern {
                if pattern == v.unchanged || v.tried.contains(&said) {
                    continue;
                }
                v.tried.push(said);
            }
            if !*v.agrees.get_or_insert_with(|| self.consistent(v.feature, v.value, &now)) {
                continue;
            }
            if let Some((label, readings, dwell_left_s)) = reached(&varied) {
                let written = self.breakpoints(v.readers.0[p.clause], v.feature, p.relaxed)[usize::from(p.mirrored)];
                let (threshold, percentile) = written.unwrap_or((p.needed, None));
                return Some(Flip {
                    feature: v.feature.id(),
                    value: v.value,
                    needed: p.needed,
                    direction: if p.needed > v.value { "above" } else { "below" },
                    threshold,
                    delta: p.needed - v.value,
                    distance: p.distance,
                    label,
                    readings,
                    dwell_left_s,
                    percentile: percentile.map(Feature::id),
                    exact: true,
                });
            }
        }
        None
    }
}

/// Smallest single-feature change that changes the raw label at full thresholds; `None` for UNKNOWN or when none does.
#[must_use]
pub fn nearest_flip<L: Ruled>(scene: &Scene<'_>) -> Option<Flip<L>> {
    let set = L::of(scene.book);
    let now = evaluate_with(set, &scene.as_read());
    if now.raw == L::UNKNOWN {
        return None;
    }
    scene.nearest(false, false, |varied| {
        let there = evaluate_with(set, varied).raw;
        (there != now.raw).then_some((there, 1, 0))
    })
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
    if state.label == L::UNKNOWN || state.raw_label == L::UNKNOWN {
        return None;
    }
    if leaves_to(scene.book, state, &scene.as_read(), ts, staleness).is_some() {
        return None;
    }
    // The resting label has no exit band: only full thresholds lead out of it.
    let has_band = L::of(scene.book).hysteresis && state.label != L::RESTING;
    scene.nearest(has_band, true, |varied| leaves_to(scene.book, state, varied, ts, staleness))
}

/// Where the label goes if these readings last: label, readings, seconds of dwell left.
fn leaves_to<L: Ruled, R: Readings>(
    book: &Book,
    state: &AxisState<L>,
    readings: &R,
    ts: Ts,
    staleness: Staleness,
) -> Option<(L, u32, i64)> {
    let set = L::of(book);
    let there = evaluate_with(set, readings);
    // Time enough for every dwell: what is still published then is kept by the rules alone.
    let patient = AxisState { candidate: Some(there.raw), candidate_count: u32::MAX, since: Ts(0), ..*state };
    let band_holds = || held_by_exit_band(set, readings, state.label, there.holds);
    let later = advance(set, patient, Ts(i64::MAX), &there, staleness, true, band_holds);
    if later.label == state.label {
        return None;
    }
    if there.raw == L::UNKNOWN {
        return Some((there.raw, 1, 0));
    }
    let counted = if state.candidate == Some(there.raw) { state.candidate_count } else { 0 };
    let readings_left = set.enter(there.fired).saturating_sub(counted).max(1);
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
