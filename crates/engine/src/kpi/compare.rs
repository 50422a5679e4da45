//! Several strategies side by side (R2.45): the same figures of each, over the same bars, with the same costs.
//!
//! Who looks at many strategies finds one that looks well. So each answer to "is it above zero?" stands there twice: with the 95 %
//! band of one strategy alone, and with one for all of them together (Bonferroni: what a band leaves out is divided by the number
//! of strategies). Sentences go by the second. Strategies have different entries; no band is given for one less another.

use super::bands::{KpiBand, OUTSIDE};
use super::fill::{TradeCosts, TradeExit};
use super::market::MeasuredTrade;
use super::report::{Figures, TwoArms, flag};
use super::strategy::StrategyName;
use super::words;
use barograph_domain::Span;
use serde::Serialize;

/// One strategy among others.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StrategyFigures {
    /// Which strategy it is.
    pub strategy: StrategyName,
    /// Trades measured.
    pub n: u32,
    /// UTC days with an entry.
    pub days: usize,
    /// Share of results above zero before costs.
    pub win_rate: TwoArms,
    /// Mean result after costs, R.
    pub after_costs: TwoArms,
    /// Share of trades that ended at the stop.
    pub stop_out: TwoArms,
    /// Share of trades that ended at the target, whatever it was made of.
    pub target_hit: TwoArms,
    /// Mean result after costs with a band for all strategies together, R.
    pub after_costs_of_all: TwoArms,
}

/// Strategies side by side.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StrategyComparison {
    /// How many are compared.
    pub strategies: usize,
    /// Coverage of a band of one alone.
    pub level: f64,
    /// Coverage of each band for all together.
    pub level_of_all: f64,
    /// One for each, in the order asked for.
    pub figures: Vec<StrategyFigures>,
    /// What it comes to.
    pub sentences: Vec<String>,
}

/// Compares the trades of strategies.
#[must_use]
pub fn compare(
    of: &[(StrategyName, &[MeasuredTrade])],
    costs: &TradeCosts,
    horizon: Span,
    seed: u64,
) -> StrategyComparison {
    let n = u32::try_from(of.len()).unwrap_or(u32::MAX).max(1);
    let outside = OUTSIDE / f64::from(n);
    let figures: Vec<StrategyFigures> = of
        .iter()
        .map(|(strategy, trades)| {
            let own = Figures::new(trades, costs, horizon, seed);
            let ended = |how: TradeExit| own.both(|_| true, |t, arm| flag(t.result(arm).exit == how));
            let net = |own: &Figures<'_>| own.both(|_| true, |t, arm| own.net(t, arm));
            StrategyFigures {
                strategy: *strategy,
                n: u32::try_from(trades.len()).unwrap_or(u32::MAX),
                days: own.resamples.days(),
                win_rate: own.both(|_| true, |t, arm| flag(t.result(arm).r > 0.0)),
                after_costs: net(&own),
                stop_out: ended(TradeExit::Stop),
                target_hit: ended(TradeExit::Target),
                after_costs_of_all: net(&own.leaving(outside)),
            }
        })
        .collect();
    let mut out = StrategyComparison {
        strategies: of.len(),
        level: 1.0 - OUTSIDE,
        level_of_all: 1.0 - outside,
        figures,
        sentences: Vec::new(),
    };
    out.sentences = sentences(&out);
    out
}

fn sentences(c: &StrategyComparison) -> Vec<String> {
    let level = words::percent(c.level_of_all);
    let alike = |what: &str, band: fn(&StrategyFigures) -> &KpiBand| {
        let of = |above: bool| -> Vec<&str> {
            let shown = |b: &KpiBand| if above { b.low > Some(0.0) } else { b.high.is_some_and(|high| high < 0.0) };
            c.figures.iter().filter(|f| shown(band(f))).map(|f| f.strategy.spoken()).collect()
        };
        let part =
            |sign: &str, names: Vec<&str>| (!names.is_empty()).then(|| format!("{sign} zero for {}", names.join(", ")));
        let parts: Vec<String> = [part("above", of(true)), part("below", of(false))].into_iter().flatten().collect();
        let found =
            if parts.is_empty() { "no strategy is shown to differ from zero".to_owned() } else { parts.join("; ") };
        format!("{what}: {found} ({} compared, bands of {level} each)", c.strategies)
    };
    let mut out = vec![
        alike("mean after costs with context", |f| &f.after_costs_of_all.context),
        alike("mean after costs, plain", |f| &f.after_costs_of_all.plain),
        alike("context less plain after costs", |f| &f.after_costs_of_all.difference),
    ];
    let few: Vec<&str> =
        c.figures.iter().filter(|f| f.after_costs.context.low.is_none()).map(|f| f.strategy.spoken()).collect();
    if !few.is_empty() {
        out.push(format!("too little data for a band: {}", few.join(", ")));
    }
    out
}
