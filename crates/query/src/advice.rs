//! Advice from a request and a market: the same for the command line and for HTTP. Arithmetic and words are the engine's.

use barograph_domain::advice::{AdviceRequest, AdviceView};
use barograph_domain::{RiskRegime, Span};
use barograph_engine::advice::{
    AdviceBasis, CallerLimits, Costs, Intent, IntentError, MarketRules, OperatorSettings as Rules, Trades, advise,
    render, side_of,
};
use barograph_store::LabelChange;

/// Longest name of a strategy.
const STRATEGY_MAX: usize = 100;
/// How far back episodes are counted for how long they last.
pub(crate) const EPISODES_WITHIN: Span = Span::days(365);
/// Most changes of label that are read for that.
pub(crate) const CHANGES_MAX: usize = 20_000;

/// A field that cannot be meant.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) reason: String,
}

impl From<IntentError> for Wrong {
    fn from(e: IntentError) -> Self {
        Self { field: e.field.to_owned(), value: e.shown(), reason: e.to_string() }
    }
}

/// The trade in mind, checked field by field; `market` is what its symbol means.
fn intent<'a>(request: &'a AdviceRequest, market: &'a str) -> Result<Intent<'a>, Wrong> {
    let side = side_of(&request.side).ok_or_else(|| Wrong {
        field: "side".to_owned(),
        value: request.side.clone(),
        reason: format!("side is '{}': it must be long or short", request.side),
    })?;
    let text = |t: &str| t.chars().count() <= STRATEGY_MAX && !t.chars().any(char::is_control);
    if let Some(strategy) = request.strategy.as_ref().filter(|t| !text(t)) {
        return Err(Wrong {
            field: "strategy".to_owned(),
            value: strategy.chars().take(STRATEGY_MAX).collect(),
            reason: format!("strategy has more than {STRATEGY_MAX} characters, or control characters"),
        });
    }
    let (limits, costs) = (CallerLimits::default(), Costs::default());
    let intent = Intent {
        stop: request.stop,
        strategy: request.strategy.as_deref(),
        equity: request.equity,
        size: request.size,
        atr: request.atr,
        limits: CallerLimits {
            user_cap: request.user_cap.unwrap_or(limits.user_cap),
            base_risk: request.base_risk,
            max_leverage: request.max_leverage.unwrap_or(limits.max_leverage),
        },
        costs: Costs {
            taker_fee: request.taker_fee.unwrap_or(costs.taker_fee),
            half_spread: request.half_spread.unwrap_or(costs.half_spread),
        },
        rules: MarketRules { tick: request.tick, lot: request.lot, min_notional: request.min_notional },
        trades: request.trades.map(|t| Trades {
            wins: t.wins,
            n: t.n,
            average_win: t.average_win,
            average_loss: t.average_loss,
        }),
        ..Intent::new(market, side, request.entry)
    };
    intent.check()?;
    Ok(intent)
}

/// Refuses what cannot be meant, before anything is read.
pub(crate) fn check(request: &AdviceRequest) -> Result<(), Wrong> {
    intent(request, "").map(drop)
}

/// The advice; without a basis AVOID for want of data.
pub(crate) fn answer(
    request: &AdviceRequest,
    market: &str,
    basis: Option<&AdviceBasis>,
    rules: &Rules,
) -> Result<AdviceView, Wrong> {
    let intent = intent(request, market)?;
    let ctx = basis.map(AdviceBasis::context);
    let advice = advise(ctx.as_ref(), &intent, rules)?;
    Ok(render(&advice, ctx.as_ref(), &intent))
}

/// How long past episodes of a label lasted; the one that still lasts is none of them.
pub(crate) fn durations(changes: &[LabelChange], label: RiskRegime) -> Vec<Span> {
    changes.windows(2).filter(|pair| pair[0].to == label).map(|pair| pair[1].ts - pair[0].ts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    #[test]
    fn episodes_that_ended_have_a_length() {
        let change = |m, to| LabelChange { ts: Ts(0) + Span::mins(m), from: None, to };
        use RiskRegime as R;
        let changes = [
            change(0, R::Normal),
            change(10, R::HighVol),
            change(25, R::Normal),
            change(60, R::HighVol),
            change(61, R::ChopRisk),
            change(70, R::HighVol),
        ];
        assert_eq!(durations(&changes, R::HighVol), [Span::mins(15), Span::mins(1)]);
        assert_eq!(durations(&changes, R::SqueezeRisk), []);
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let good = AdviceRequest { symbol: "x".into(), side: "LONG".into(), entry: 100.0, ..AdviceRequest::default() };
        assert!(check(&good).is_ok());
        for (bad, field) in [
            (AdviceRequest { side: "up".into(), ..good.clone() }, "side"),
            (AdviceRequest { entry: -1.0, ..good.clone() }, "entry"),
            (AdviceRequest { stop: Some(101.0), ..good.clone() }, "stop"),
            (AdviceRequest { equity: Some(0.0), ..good.clone() }, "equity"),
            (AdviceRequest { strategy: Some("a\nb".into()), ..good.clone() }, "strategy"),
        ] {
            let wrong = check(&bad).unwrap_err();
            assert_eq!(wrong.field, field);
            assert!(wrong.reason.starts_with(field), "{}", wrong.reason);
        }
    }
}
