//! The four axes of a snapshot and its session (regimes §1, §7, §10; features §3).

use super::calls::{self, Asserted};
use super::facts::Facts;
use super::flips::timed;
use super::views;
use crate::assemble::BLACKOUT_MINUTES;
use crate::catalogue::Feature;
use crate::rules::{Ruled, Scene, Staleness, evaluate, judge, margin_of, nearest_changes};
use crate::sessions::{self, adjust};
use barograph_domain::snapshot::{AxisView, ConfirmationView, Flip, Regimes, SessionView, TimeframeLabels};
use barograph_domain::time::DAY_MINUTES;
use barograph_domain::{AxisState, Confirmation, Kind, Label, TradingSession};

/// Confidence lost per input that is partial, sampled or stood in for; and what is left at least (regimes §7).
const LOST_PER_INPUT: f64 = 0.1;
const LEFT_AT_LEAST: f64 = 0.5;
/// Minutes below which a share of the last 90 days says nothing: a day.
const JUDGED_MIN: u32 = DAY_MINUTES;

pub(super) fn regimes(facts: &Facts<'_>) -> Regimes {
    let (row, axes) = (facts.row, &facts.axes);
    let of_risk = (facts.flip.clone(), facts.exit.clone());
    let mut risk = axis_view(facts, &axes.risk, &row.timeframes.risk, of_risk);
    risk.direction = facts.direction();
    Regimes {
        risk,
        trend: axis_view(facts, &axes.trend, &row.timeframes.trend, changes(facts, &axes.trend)),
        volatility: axis_view(facts, &axes.volatility, &row.timeframes.volatility, changes(facts, &axes.volatility)),
        heat: axis_view(facts, &axes.heat, &row.timeframes.heat, changes(facts, &axes.heat)),
    }
}

/// The smallest changes that turn the raw label, and that make the published one leave.
type Changes<L> = (Option<Flip<L>>, Option<Flip<L>>);

fn changes<L: Ruled>(facts: &Facts<'_>, axis: &AxisState<L>) -> Changes<L> {
    let (book, cells) = (facts.ctx.book, facts.cells);
    let staleness = Staleness::of_axis::<L>(book, facts.moment, cells, &facts.row.inputs, facts.ctx.streams);
    let nearest = nearest_changes(
        &Scene { book, cells, cuts: &facts.row.cuts, streams: facts.ctx.streams },
        axis,
        facts.moment,
        staleness,
    );
    timed(facts, axis, nearest)
}

fn axis_view<L: Ruled>(
    facts: &Facts<'_>,
    axis: &AxisState<L>,
    timeframes: &[L; 4],
    (nearest_flip, nearest_exit): Changes<L>,
) -> AxisView<L> {
    let (book, cells) = (facts.ctx.book, facts.cells);
    let now = evaluate::<L>(book, cells);
    #[expect(clippy::cast_precision_loss, reason = "at most 32 rules")]
    let rules = L::of(book).len() as f64;
    // Closes that are too old confirm nothing, nor do labels of what was never judged.
    let unread = axis.stale && axis.raw_label == L::UNKNOWN || now.is_left_out(L::of(book));
    let timeframes = if unread { &[L::UNKNOWN; 4] } else { timeframes };
    let confirmation = Confirmation::of(timeframes);
    let asserted = Asserted::of(facts, axis);
    let chance = asserted.and_then(|a| a.chance).filter(|_| axis.label != L::UNKNOWN);
    AxisView {
        label: axis.label,
        raw_label: axis.raw_label,
        held_by: axis.held_by,
        since: axis.since,
        age_s: (facts.moment - axis.since).as_secs(),
        margin: margin_of(book, cells, &now),
        stale: axis.stale,
        axis_coverage: views::four_decimals(
            (1.0 - f64::from(now.not_applicable.count_ones()) / rules) * views::continuous_share(facts),
        ),
        held_share_90d: held_share::<L>(facts, now.fired, axis.label),
        nearest_flip,
        nearest_exit,
        confirmation: ConfirmationView {
            timeframes: labels(timeframes),
            primary: confirmation.primary,
            confidence: confirmation.confidence.map(views::four_decimals),
            confirmed: confirmation.confirmed,
        },
        direction: None,
        probability: chance,
        calibration: calls::calibration(asserted),
        event_id: asserted.map(|a| a.event.id()),
        confidence: chance.or_else(|| {
            (axis.label != L::UNKNOWN).then(|| views::four_decimals(quality::<L>(facts) * confirmation.agreement()))
        }),
        confidence_kind: if chance.is_some() { calls::CALIBRATED } else { "heuristic" },
    }
}

fn labels<L: Label>(timeframes: &[L; 4]) -> TimeframeLabels<L> {
    let [h1, h4, d1, w1] = timeframes.map(|l| (l != L::UNKNOWN).then_some(l));
    TimeframeLabels { h1, h4, d1, w1 }
}

/// Share of the judged minutes in which the rule behind the published label held: the one that fires now where it is that
/// label's, else the first of the label that is kept; or the resting label's own count.
fn held_share<L: Ruled>(facts: &Facts<'_>, fired: Option<usize>, label: L) -> Option<f64> {
    let (first, resting) = facts.ctx.book.counted_at(L::AXIS);
    let rules = L::of(facts.ctx.book).rules();
    let of_label = |i: &usize| rules[*i].label == label;
    let place = match fired.filter(of_label).or_else(|| (0..rules.len()).find(of_label)) {
        Some(rule) => first + rule,
        None if label == L::RESTING => resting,
        None => return None,
    };
    let count = facts.row.held.get(place).filter(|c| c.known >= JUDGED_MIN)?;
    views::held_share(*count).map(views::four_decimals)
}

/// One less a tenth for every input of the axis that is partial, sampled or judged by a stand-in.
fn quality<L: Ruled>(facts: &Facts<'_>) -> f64 {
    let mut doubtful: Vec<Feature> = Vec::new();
    L::of(facts.ctx.book).each_clause(&mut |clause| {
        let cell = facts.cell(clause.feature);
        let ready = cell.ready().is_some();
        let lacking = ready && (cell.partial || cell.kind == Kind::Sampled);
        if (lacking || judge(facts.ctx.book, facts.cells, clause).by_default) && !doubtful.contains(&clause.feature) {
            doubtful.push(clause.feature);
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "a handful of inputs")]
    let lost = LOST_PER_INPUT * doubtful.len() as f64;
    (1.0 - lost).max(LEFT_AT_LEAST)
}

/// What the session says of stops and volatility.
struct Conditions {
    base: Option<f64>,
    adaptive: Option<f64>,
    vol_ratio: Option<f64>,
    volume_ratio: Option<f64>,
}

/// Of the row at its own moment. Later, over readings that have grown old: what still counts of it, and of another session
/// only the book's own number.
fn conditions(facts: &Facts<'_>) -> Conditions {
    use Feature as F;
    let book = facts.ctx.book;
    let [base, adaptive, vol_ratio, volume_ratio] =
        [F::SessionBaseMult, F::AdaptiveMult, F::SessionVolRatio, F::SessionVolumeRatio].map(|f| facts.value(f));
    if facts.moment <= facts.row.ts {
        return Conditions { base, adaptive, vol_ratio, volume_ratio };
    }
    let session = book.sessions.session(facts.moment);
    let same = book.sessions.start(facts.moment) <= facts.row.ts;
    let (vol_ratio, volume_ratio) = (vol_ratio.filter(|_| same), volume_ratio.filter(|_| same));
    let base = if session == book.sessions.session(facts.row.ts) {
        base
    } else {
        Some(book.session_multipliers[session.index()])
    };
    let adaptive = base.map(|base| adjust(&sessions::Conditions { base, vol_ratio, volume_ratio }).adaptive_mult);
    Conditions { base, adaptive, vol_ratio, volume_ratio }
}

/// An event is at most two hours away at the moment, counted on from the row.
fn event_is_near(facts: &Facts<'_>) -> bool {
    let since = (facts.moment - facts.row.ts).as_secs_f64() / 60.0;
    facts.value(Feature::MinutesToEvent).is_some_and(|m| (0.0..=BLACKOUT_MINUTES).contains(&(m - since)))
}

pub(super) fn session(facts: &Facts<'_>) -> SessionView {
    use Feature as F;
    let set = &facts.ctx.book.sessions;
    let name = set.session(facts.moment);
    // The row's share of its own session; a moment of another has none, so that an answer changes only when something in it
    // does.
    let elapsed = facts.value(F::SessionElapsedFrac).filter(|_| set.start(facts.moment) <= facts.row.ts);
    let Conditions { base, adaptive, vol_ratio: ratio, volume_ratio } = conditions(facts);
    let mut bad_period = Vec::new();
    if name == TradingSession::Rollover {
        bad_period.push("rollover_session");
    }
    if ratio.is_some_and(|r| r > 2.0) {
        bad_period.push("session_vol_anomaly");
    }
    if event_is_near(facts) {
        bad_period.push(crate::calendar::BLACKOUT_REASON);
    }
    let mut defaults_used = Vec::new();
    if ratio.is_none() {
        defaults_used.push("vol_adjustment_default");
    }
    if volume_ratio.is_none() {
        defaults_used.push("volume_adjustment_default");
    }
    SessionView {
        name,
        elapsed_frac: elapsed.map(views::four_decimals),
        base_multiplier: base,
        adaptive_multiplier: adaptive,
        vol_ratio: ratio,
        bad_period,
        defaults_used,
    }
}
