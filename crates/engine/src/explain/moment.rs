//! What the minute of a changed label says of it: why, price, side, what would change it, what would end it.
//!
//! An alert of a label holds the change; everything else about it is in the row of its minute, which is kept for ever. So the
//! sentences are made from that row when somebody reads the alert, by the functions that explain any row. Where timeframes
//! confirm another label than the axis shows, they are about the axis's own, and say so.

use super::evidence;
use super::facts::{Context, Facts};
use super::flips::{condition, stands, timed};
use super::numbers::{Style, price, written, written_apart};
use super::waiting;
use crate::detect::ruled;
use crate::rules::{
    AxisStates, Clause, Rule, Ruled, Scene, Staleness, Test, clause_holds, evaluate, holds_relaxed, judge,
    nearest_changes,
};
use barograph_domain::alert::Statistic;
use barograph_domain::snapshot::Flip;
use barograph_domain::{Axis, AxisState, HeatRegime, MinuteRow, RiskRegime, Span, TrendRegime, VolRegime};

/// The smallest change of one feature that turns a label, whatever its axis.
#[derive(Clone, PartialEq, Debug)]
pub struct SmallestChange {
    /// Feature id.
    pub feature: &'static str,
    /// Its value in that minute.
    pub value: f64,
    /// The threshold, in the feature's own unit.
    pub threshold: f64,
    /// `above` or `below`.
    pub direction: &'static str,
    /// The label reached.
    pub label: &'static str,
    /// Consecutive readings it must stand.
    pub readings: u32,
}

/// One axis at one minute.
#[derive(Clone, PartialEq, Debug)]
pub struct AxisMoment {
    /// It is about the label that the alert reports; else about the axis's own beside it.
    pub told: bool,
    /// Price of that minute.
    pub price: Option<f64>,
    /// `LONG_SQUEEZE` or `SHORT_SQUEEZE`, while the risk label is SQUEEZE_RISK.
    pub side: Option<&'static str>,
    /// Why the label holds: number against threshold.
    pub why: String,
    /// What would end it, as a sentence.
    pub clears: String,
    /// What would turn the raw label.
    pub flip: Option<SmallestChange>,
    /// What would end the published one.
    pub exit: Option<SmallestChange>,
    /// The numbers behind `why`, against their thresholds; none where that is another label than the reported one.
    pub statistics: Vec<Statistic>,
}

impl AxisMoment {
    /// "High volatility: 1 h volatility is 124 % annualised, limit 80 %. Price 62,868."
    #[must_use]
    pub fn text(&self) -> String {
        match self.price {
            Some(at) => format!("{} Price {}.", self.why, price(at)),
            None => self.why.clone(),
        }
    }
}

/// What a row says of one of its axes.
#[must_use]
pub fn moment(ctx: &Context<'_>, row: &MinuteRow, axis: Axis) -> AxisMoment {
    moment_of(&Facts::new(*ctx, row, &row.cells, AxisStates::of(row), row.ts), axis, Reported::Label { from: None })
}

/// What an alert reports of the axis it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reported<'a> {
    /// The label that the axis shows, and the one it turned from where it changed.
    Label { from: Option<&'a str> },
    /// Another label.
    Another,
}

/// The same of a row's facts.
pub(super) fn moment_of(facts: &Facts<'_>, axis: Axis, told: Reported<'_>) -> AxisMoment {
    let row = facts.row;
    match axis {
        Axis::Risk => of_axis::<RiskRegime>(facts, &row.risk, axis, told),
        Axis::Trend => of_axis::<TrendRegime>(facts, &row.trend, axis, told),
        Axis::Volatility => of_axis::<VolRegime>(facts, &row.volatility, axis, told),
        Axis::Heat => of_axis::<HeatRegime>(facts, &row.heat, axis, told),
    }
}

fn of_axis<L: Ruled>(facts: &Facts<'_>, state: &AxisState<L>, axis: Axis, told: Reported<'_>) -> AxisMoment {
    let (book, cells) = (facts.ctx.book, facts.cells);
    let scene = Scene { book, cells, cuts: &facts.row.cuts, streams: facts.ctx.streams };
    let staleness = Staleness::of_axis::<L>(book, facts.moment, cells, &facts.row.inputs, facts.ctx.streams);
    let rule = speaking::<L>(facts, state.label);
    let (flip, exit) = timed(facts, state, nearest_changes(&scene, state, facts.moment, staleness));
    let side = facts.direction().filter(|_| axis == Axis::Risk);
    let left = match told {
        Reported::Label { from: Some(from) } if axis == Axis::Volatility => Left::of(facts, state.label, from),
        Reported::Label { .. } | Reported::Another => None,
    };
    let head = match told {
        Reported::Label { from } => head(axis, state.label.word(), side, from).to_owned(),
        Reported::Another => format!("The {} label itself: {}", axis.name(), state.label.spoken()),
    };
    let of_rule = || rule.map(|(rule, relaxed)| statistics(facts, rule, relaxed)).unwrap_or_default();
    let statistics = match (&left, told) {
        (Some(left), _) => vec![ruled::statistic(left.clause, facts.cell(left.clause.feature), left.limit)],
        (None, Reported::Label { .. }) => of_rule(),
        (None, Reported::Another) => Vec::new(),
    };
    AxisMoment {
        told: told != Reported::Another,
        price: facts.row.price,
        side,
        why: left.map_or_else(|| why(facts, axis, &head, rule), |left| left.sentence()),
        clears: clears(facts, state, exit.as_ref()),
        flip: flip.as_ref().map(smallest_change),
        exit: exit.as_ref().map(smallest_change),
        statistics,
    }
}

/// A class of moves that was left for a calmer one: the limit that ended it says more than the one that the calmer begins at.
struct Left<'a> {
    clause: &'a Clause,
    class: &'static str,
    value: f64,
    limit: f64,
    verb: &'static str,
}

impl<'a> Left<'a> {
    /// `None` where the label did not get calmer, or its number is not below the limit.
    fn of<L: Ruled>(facts: &Facts<'a>, label: L, from: &str) -> Option<Self> {
        let set = L::of(facts.ctx.book);
        let calmer = |r: &&Rule<L>| r.label.word() == from && label.severity() < r.label.severity();
        let rule = set.rules().iter().find(calmer).filter(|_| label != L::UNKNOWN)?;
        let number = |clause: &'a Clause| match clause.test {
            Test::Number { value: begins, exit, .. } => {
                let value = facts.value(clause.feature).filter(|x| *x <= begins)?;
                // What came back from UNKNOWN was judged without the exit band.
                let ends = set.has_hysteresis() && value <= exit;
                let (limit, verb) = if ends { (exit, "end") } else { (begins, "begin") };
                Some(Self { clause, class: rule.label.spoken(), value, limit, verb })
            }
            Test::Codes { .. } => None,
        };
        rule.groups.iter().flat_map(|g| &g.clauses).find_map(number)
    }

    /// "Smaller moves: daily volatility is 4.12 %, below the 4.75 % at which explosive moves end."
    fn sentence(&self) -> String {
        let feature = self.clause.feature;
        let style = Style::of(feature);
        let (value, limit) = (written(style, self.value), written_apart(style, self.limit, self.value));
        let (name, class, verb) = (feature.spec().spoken, self.class, self.verb);
        format!("Smaller moves: {name} is {value}, below the {limit} at which {class} {verb}.")
    }
}

fn smallest_change<L: Ruled>(flip: &Flip<L>) -> SmallestChange {
    SmallestChange {
        feature: flip.feature,
        value: flip.value,
        threshold: flip.threshold,
        direction: flip.direction,
        label: flip.label.word(),
        readings: flip.readings,
    }
}

/// The rule behind a label, with `true` where only its exit thresholds hold.
fn speaking<'a, L: Ruled>(facts: &Facts<'a>, label: L) -> Option<(&'a Rule<L>, bool)> {
    let (book, cells) = (facts.ctx.book, facts.cells);
    let rules = L::of(book).rules();
    let fired = evaluate::<L>(book, cells).fired.and_then(|i| rules.get(i)).filter(|r| r.label == label);
    let relaxed = || rules.iter().find(|r| r.label == label && holds_relaxed(book, cells, r));
    fired.map(|r| (r, false)).or_else(|| relaxed().map(|r| (r, true)))
}

fn why<L: Ruled>(facts: &Facts<'_>, axis: Axis, head: &str, rule: Option<(&Rule<L>, bool)>) -> String {
    if axis == Axis::Risk && facts.is_unread() {
        return waiting::sentence(facts);
    }
    match rule.and_then(|(rule, relaxed)| evidence::sentence(facts, rule, relaxed)) {
        Some(evidence) => format!("{head}: {}", uncapitalised(&evidence)),
        None => format!("{head}."),
    }
}

/// A label in words.
fn head(axis: Axis, label: &'static str, side: Option<&str>, from: Option<&str>) -> &'static str {
    match (axis, label) {
        (Axis::Risk, "SQUEEZE_RISK") => match side {
            Some("LONG_SQUEEZE") => "Squeeze risk, longs crowded",
            Some(_) => "Squeeze risk, shorts crowded",
            None => "Squeeze risk",
        },
        (Axis::Risk, "HIGH_VOL") => "High volatility",
        (Axis::Risk, "CHOP_RISK") => "Chop risk",
        (Axis::Risk, "NORMAL") => match from {
            // Nothing had fired that anybody knows of.
            None | Some("UNKNOWN") => "No risk rule fires",
            Some(_) => "No risk rule fires any more",
        },
        (Axis::Trend, "STRONG_UPTREND") => "Strong uptrend",
        (Axis::Trend, "UPTREND") => "Uptrend",
        (Axis::Trend, "SIDEWAYS") => "No trend",
        (Axis::Trend, "DOWNTREND") => "Downtrend",
        (Axis::Trend, "STRONG_DOWNTREND") => "Strong downtrend",
        (Axis::Volatility, "STABLE") => "Steady moves",
        (Axis::Volatility, "HIGH_VOL") => "Larger moves",
        (Axis::Volatility, "EXPLOSIVE") => "Explosive moves",
        (Axis::Volatility, "EXTREME") => "Extreme moves",
        (Axis::Heat, "COLD") => "Activity is cold",
        (Axis::Heat, "COOL") => "Activity is cool",
        (Axis::Heat, "NEUTRAL") => "Activity is neutral",
        (Axis::Heat, "HOT") => "Activity is hot",
        (Axis::Heat, "SUPER_HOT") => "Activity is super hot",
        _ => "No reading",
    }
}

/// "It would clear to chop risk if 1 h volatility fell below 72 % and stayed there for two readings."
fn clears<L: Ruled>(facts: &Facts<'_>, state: &AxisState<L>, exit: Option<&Flip<L>>) -> String {
    if state.label == L::UNKNOWN {
        return "It clears when the missing input is back.".to_owned();
    }
    let Some(exit) = exit else { return "No single reading alone would change it.".to_owned() };
    let (if_so, a_move) = condition(facts, exit);
    let stands = stands(exit.readings, a_move, Span::secs(exit.cadence_s));
    let verb = match (exit.label == L::UNKNOWN, exit.label.severity() < state.label.severity()) {
        (true, _) => return format!("There would be no reading if {if_so}."),
        (false, true) => "clear to",
        (false, false) => "turn to",
    };
    format!("It would {verb} {} if {if_so}{stands}.", exit.label.spoken())
}

/// The numbers of a rule that hold, against their thresholds.
fn statistics<L>(facts: &Facts<'_>, rule: &Rule<L>, relaxed: bool) -> Vec<Statistic> {
    let (book, cells) = (facts.ctx.book, facts.cells);
    let holding = rule.groups.iter().filter_map(|group| {
        let clause = group.clauses.iter().find(|c| clause_holds(book, cells, c, relaxed))?;
        Some(judge(book, cells, clause).clause)
    });
    let numbers = holding.filter_map(|clause| match clause.test {
        Test::Number { value, .. } => Some(ruled::statistic(clause, facts.cell(clause.feature), value)),
        Test::Codes { .. } => None,
    });
    numbers.collect()
}

fn uncapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
