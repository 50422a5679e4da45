//! Everything the views and sentences of one snapshot are made from, computed once.

use super::flips;
use super::headline::Held;
use crate::catalogue::Feature;
use crate::rules::{
    AxisStates, Close, Evaluation, Rule, RuleBook, Scene, Staleness, evaluate, holds_relaxed, input_digest,
    nearest_changes, snapshot_id,
};
use barograph_domain::forecast::Calls;
use barograph_domain::snapshot::Flip;
use barograph_domain::{
    AxisState, Cell, HeatRegime, InputAge, Instrument, MinuteRow, RiskRegime, Span, StopVulnerability, StreamDecl,
    StreamIndex, Ts, Venue,
};

/// What a row needs besides itself to be explained.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The book the row was judged by.
    pub book: &'a RuleBook,
    /// Its logic version.
    pub logic_version: &'a str,
    /// The market.
    pub instrument: &'a Instrument,
    /// The run's streams; rows name them by position.
    pub streams: &'a [StreamDecl],
    /// A position in this market whose stop is reached or near, where the reader has one.
    pub held: Option<Held>,
    /// What the ledger had stated of this market before the row's minute, where that is known.
    pub calls: Option<&'a Calls>,
}

impl<'a> Context<'a> {
    pub(super) fn decl(&self, stream: Option<StreamIndex>) -> Option<&'a StreamDecl> {
        self.streams.get(stream?.index())
    }
}

/// Source word of a stream (payloads §1): `binance_futures` for the venue `binance-usdm`, else the source itself.
pub(super) fn source_word(decl: &StreamDecl) -> &str {
    Venue::source_word_of(&decl.source)
}

/// An input that is too old, oldest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct StaleInput<'a> {
    pub(super) input: InputAge,
    pub(super) decl: &'a StreamDecl,
    pub(super) age_s: i64,
    pub(super) limit: Span,
}

/// One row under its book at one moment.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) ctx: Context<'a>,
    pub(super) row: &'a MinuteRow,
    /// Readings and axis state at the moment: the row's own, or the overlay of the present.
    pub(super) cells: &'a [Cell],
    pub(super) axis: AxisState,
    /// All four, the risk axis among them.
    pub(super) axes: AxisStates,
    pub(super) moment: Ts,
    pub(super) now: Evaluation,
    pub(super) stale: Vec<StaleInput<'a>>,
    pub(super) flip: Option<Flip>,
    pub(super) exit: Option<Flip>,
    pub(super) input_digest: String,
    pub(super) snapshot_id: String,
}

impl<'a> Facts<'a> {
    pub(super) fn new(ctx: Context<'a>, row: &'a MinuteRow, cells: &'a [Cell], axes: AxisStates, moment: Ts) -> Self {
        let scene = Scene { book: ctx.book, cells, cuts: &row.cuts, streams: ctx.streams };
        let axis = axes.risk;
        let staleness = Staleness::of_axis::<RiskRegime>(ctx.book, moment, cells, &row.inputs, ctx.streams);
        let digest = input_digest(&row.cells);
        let nearest = nearest_changes(&scene, &axis, moment, staleness);
        let mut facts = Self {
            ctx,
            row,
            cells,
            axis,
            axes,
            moment,
            now: evaluate(ctx.book, cells),
            stale: stale_inputs(ctx, row, cells, moment),
            flip: None,
            exit: None,
            snapshot_id: snapshot_id(&ctx.instrument.name, row.ts, ctx.logic_version, &digest),
            input_digest: digest,
        };
        (facts.flip, facts.exit) = flips::timed(&facts, &axis, nearest);
        facts
    }
    /// Some axis reads an input that is too old: the snapshot is stale (regimes §9).
    pub(super) fn is_stale(&self) -> bool {
        let a = &self.axes;
        a.risk.stale || a.trend.stale || a.volatility.stale || a.heat.stale
    }
    pub(super) fn cell(&self, feature: Feature) -> &Cell {
        &self.cells[feature.index()]
    }
    /// The reading as the book uses it: last values count where the book goes on from them.
    pub(super) fn value(&self, feature: Feature) -> Option<f64> {
        let cell = self.cell(feature);
        match cell.state {
            barograph_domain::State::Stale if self.ctx.book.uses_last_values() => Some(cell.value),
            _ => cell.ready(),
        }
    }
    /// Nothing can be said now: the rules give UNKNOWN, whether or not the last label is still shown.
    pub(super) fn is_unread(&self) -> bool {
        self.axis.raw_label == RiskRegime::Unknown
    }
    /// The market lacks what heat is made of.
    pub(super) fn heat_is_left_out(&self) -> bool {
        evaluate::<HeatRegime>(self.ctx.book, self.cells).is_left_out(self.ctx.book.heat())
    }
    /// The rule behind the published label, with `true` where only its relaxed clauses hold.
    pub(super) fn speaking_rule(&self) -> Option<(usize, &'a Rule, bool)> {
        let rules = self.ctx.book.rules();
        if let Some(i) = self.now.fired.filter(|i| rules[*i].label == self.axis.label) {
            return Some((i, &rules[i], false));
        }
        let of_label = rules.iter().enumerate().filter(|(_, r)| r.label == self.axis.label);
        of_label.map(|(i, r)| (i, r, true)).find(|(_, r, _)| holds_relaxed(self.ctx.book, self.cells, r))
    }
    /// The squeezed side while the label is SQUEEZE_RISK.
    pub(super) fn direction(&self) -> Option<&'static str> {
        let side = self.word(Feature::SqueezeDirection)?;
        (self.axis.label == RiskRegime::SqueezeRisk).then_some(side)
    }
    pub(super) fn word(&self, feature: Feature) -> Option<&'static str> {
        crate::rules::word_of(feature, self.value(feature)?)
    }
    /// Stop vulnerability by its feature.
    pub(super) fn stops(&self, feature: Feature) -> Option<StopVulnerability> {
        let word = self.word(feature)?;
        StopVulnerability::ALL.into_iter().find(|level| level.name() == word)
    }
}

pub(super) fn stale_inputs<'a>(ctx: Context<'a>, row: &MinuteRow, cells: &[Cell], moment: Ts) -> Vec<StaleInput<'a>> {
    let freshness = ctx.book.freshness;
    let age_s = |anchor: Ts| (moment - anchor).as_secs();
    let mut out: Vec<StaleInput<'a>> = row
        .inputs
        .iter()
        .filter(|i| freshness.is_stale(moment, i, ctx.streams))
        .filter_map(|i| {
            let decl = ctx.decl(i.stream)?;
            Some(StaleInput { input: *i, decl, age_s: age_s(i.anchor), limit: freshness.max_age(decl) })
        })
        .collect();
    // Charts whose candles speak for no input: reported once per stream, at least as old as the next close is late.
    for &feature in ctx.book.features() {
        let Some(close) = Close::of(ctx.book, feature, cells, ctx.streams).filter(|c| c.is_stale(moment)) else {
            continue;
        };
        if !out.iter().any(|s| s.input.stream == Some(close.stream)) {
            let (metric, anchor, decl) = (close.decl.metric, close.due, close.decl);
            let input = InputAge { metric, stream: Some(close.stream), anchor, gap: None };
            out.push(StaleInput { input, decl, age_s: age_s(anchor), limit: close.max_age });
        }
    }
    out.sort_by(|a, b| b.age_s.cmp(&a.age_s).then(a.input.metric.cmp(&b.input.metric)));
    out
}
