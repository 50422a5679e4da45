//! From numbers and codes to the payload: all texts are made here, on demand.

use super::context::AdviceContext;
use super::intent::Intent;
use super::kelly::expected_value;
use super::options::SizeOffer;
use super::parameters::Parameters;
use super::{Advice, text};
use crate::explain::guidance::with_stops;
use barograph_domain::advice::{
    AdviceOption, AdviceView, ExpectedValue, KellyView, MarketPrice, Missing, NearbyLevel, OptionKind, ParameterView,
    SizeView, SnapshotRef, StopView, TargetView, VerdictReason, WarningView,
};
use barograph_domain::guidance::{new_entries, open_positions};
use barograph_domain::{Level, Posture, RiskRegime};

/// The payload of one answer; `ctx` and `intent` are those it was computed from.
#[must_use]
pub fn render(advice: &Advice, ctx: Option<&AdviceContext<'_>>, intent: &Intent<'_>) -> AdviceView {
    let label = ctx.map_or(RiskRegime::Unknown, |c| c.risk.label);
    let posture = ctx.map_or(Posture::Hold, |c| c.posture);
    let stop = &advice.stop;
    let reason =
        |code| VerdictReason { code, verdict: advice.judgement.asks(code), text: text::reason(code, ctx, stop) };
    let warning = |(code, level, other)| WarningView {
        code,
        level,
        text: text::warning(code, other, ctx, intent, stop),
        reason: other,
    };
    let reasons: Vec<VerdictReason> = advice.judgement.reasons.iter().map(reason).collect();
    let decided_by = advice.judgement.decided_by;
    let told = reasons.iter().find(|r| r.code == decided_by).map(|r| r.text.as_str());
    let summary = match told {
        Some(why) => text::summary(advice, why),
        None => text::summary(advice, &text::reason(decided_by, ctx, stop)),
    };
    let record = intent.trades.and_then(|t| Some((t, expected_value(t)?)));
    AdviceView {
        instrument: intent.symbol.to_owned(),
        side: intent.side,
        entry: intent.entry,
        market: ctx.and_then(market),
        strategy: intent.strategy.map(str::to_owned),
        snapshot: ctx.and_then(snapshot),
        error: advice.error,
        verdict: advice.judgement.verdict,
        verdict_base_rate: base_rate(advice, ctx),
        verdict_base_rate_text: base_rate(advice, ctx).map(|share| text::base_rate(advice.judgement.verdict, share)),
        decided_by,
        summary,
        reasons,
        not_evaluated: advice.judgement.not_evaluated.iter().collect(),
        warnings: advice.warnings.iter().map(warning).collect(),
        options: options(advice, label),
        parameters: parameter_view(&advice.parameters),
        stop: stop_view(advice, ctx),
        target: target_view(advice, ctx),
        size: size_view(advice),
        expected_value: record.map(|(t, (value_r, win_rate, payoff))| ExpectedValue {
            value_r,
            win_rate,
            payoff,
            n: t.n,
        }),
        new_entries: entries(ctx, intent, label, posture),
        open_positions: ctx.and_then(|c| c.words).map_or(open_positions(label), |w| w.open_positions).to_owned(),
        defaults_used: defaults(advice, ctx),
    }
    .completed()
}

fn base_rate(advice: &Advice, ctx: Option<&AdviceContext<'_>>) -> Option<f64> {
    ctx.and_then(|c| Some(c.verdict.base_rates?.of(advice.judgement.verdict, c.inputs)))
}

fn market(c: &AdviceContext<'_>) -> Option<MarketPrice> {
    let at = c.snapshot?.timestamp;
    Some(MarketPrice { price: c.price?, at, age_s: (c.now - at).as_secs().max(0) })
}

fn snapshot(c: &AdviceContext<'_>) -> Option<SnapshotRef> {
    let s = c.snapshot?;
    Some(SnapshotRef {
        snapshot_id: s.id.to_owned(),
        timestamp: s.timestamp,
        logic_version: s.logic_version.to_owned(),
        risk: c.risk.label,
        trend: c.known_trend().map(|t| t.label),
        volatility: c.known_volatility(),
        session: c.session.map(|s| s.session),
        risk_bias: c.bias,
        posture: c.posture,
    })
}

fn entries(ctx: Option<&AdviceContext<'_>>, intent: &Intent<'_>, label: RiskRegime, posture: Posture) -> String {
    let unread = ctx.is_none_or(|c| c.stale.is_some() && label == RiskRegime::Normal);
    let of_label = new_entries(if unread { RiskRegime::Unknown } else { label }, posture);
    let base = ctx.and_then(|c| c.words).filter(|_| !unread).map_or(of_label, |w| w.new_entries);
    with_stops(base.to_owned(), ctx.and_then(|c| c.stops.of(intent.side)))
}

fn options(advice: &Advice, label: RiskRegime) -> Vec<AdviceOption> {
    let o = &advice.options;
    let mut out = Vec::with_capacity(4);
    out.extend(o.smaller.map(|s| option(OptionKind::SmallerSize, text::smaller(&s, advice), &s)));
    out.extend(
        o.move_stop.map(|m| AdviceOption {
            missing: m.missing,
            ..option(OptionKind::MoveStop, text::move_stop(&m), &m.offer)
        }),
    );
    out.extend(o.wait.map(|w| AdviceOption {
        regime_age_s: Some(w.age.as_secs()),
        median_s: w.past.map(|p| p.median.as_secs()),
        low_s: w.past.map(|p| p.low.as_secs()),
        high_s: w.past.map(|p| p.high.as_secs()),
        episodes: w.past.map(|p| p.n),
        ..option(OptionKind::Wait, text::wait(&w, label), &SizeOffer::default())
    }));
    out.push(option(OptionKind::ProceedUnchanged, text::proceed(&o.proceed, &advice.stop), &o.proceed));
    out
}

fn option(kind: OptionKind, text: String, offer: &SizeOffer) -> AdviceOption {
    AdviceOption {
        option: kind,
        text,
        size: offer.size,
        stop: offer.stop,
        r: offer.r,
        risk_quote: offer.risk_quote,
        risk_fraction: offer.risk_fraction,
        above_one_percent: offer.above_one_percent(),
        regime_age_s: None,
        median_s: None,
        low_s: None,
        high_s: None,
        episodes: None,
        missing: None,
    }
}

const fn parameter_view(p: &Parameters) -> ParameterView {
    ParameterView {
        stop_loss_atr_mult: p.stop_loss_atr_mult,
        stop_loss_atr_mult_fallback: p.mult_fallback,
        risk_reward_ratio: p.risk_reward_ratio,
        risk_reward_ratio_fallback: p.ratio_fallback,
        market_regime: p.market_regime,
        confidence: p.confidence,
        confidence_kind: p.confidence_kind,
        confidence_reason: p.confidence_reason,
        size_factor: p.size_factor,
        size_factor_fallback: p.size_fallback,
        posture_factor: p.posture_factor,
        posture_factor_fallback: p.posture_fallback,
        fallback: p.any_fallback(),
    }
}

fn nearby(ctx: Option<&AdviceContext<'_>>, index: Option<usize>) -> Option<NearbyLevel> {
    let level: &Level = ctx?.levels?.get(index?)?;
    Some(NearbyLevel {
        level_id: level.level_id.clone(),
        level_type: level.kind,
        timeframe: level.timeframe.compact(),
        price: level.price,
        top: level.top,
        bottom: level.bottom,
        strength: level.strength,
        known_at: level.known_at,
    })
}

fn stop_view(advice: &Advice, ctx: Option<&AdviceContext<'_>>) -> StopView {
    let s = &advice.stop;
    let unknown = (!s.clusters_known && s.atr.is_some()).then_some(Missing::LevelsNotAvailable);
    StopView {
        used: s.used,
        source: s.source,
        base: s.base,
        atr: s.atr,
        on_cluster: nearby(ctx, s.on_level),
        stop_alternative: s.alternative,
        missing: s.missing.or(s.alternative_missing).or(unknown),
        // What follows from these and the entry.
        ..StopView::default()
    }
}

fn target_view(advice: &Advice, ctx: Option<&AdviceContext<'_>>) -> TargetView {
    let t = &advice.target;
    TargetView {
        price: t.price,
        target_source: t.source,
        level: nearby(ctx, t.level),
        effective_rr: t.effective_rr,
        text: text::target(advice, ctx),
        capped: t.capped,
        missing: t.missing,
    }
}

fn size_view(advice: &Advice) -> SizeView {
    let (s, k) = (&advice.size, &advice.size.kelly);
    SizeView {
        risk_fraction: s.fraction.map(|f| f.value),
        fraction_limit: s.fraction.map(|f| f.limit),
        binding_limit: s.units.map(|u| u.binding),
        binding_limit_text: s.units.map(|u| text::limit(u.binding)),
        risk_quote: s.units.map(|u| u.budget),
        cost_per_unit: s.cost_per_unit,
        size_base_units: s.units.map(|u| u.size),
        notional: s.units.map(|u| u.notional),
        loss_at_stop: s.units.map(|u| u.loss),
        loss_fraction: s.units.map(|u| u.loss_fraction),
        kelly: KellyView {
            kelly_full: k.full,
            p_used: k.p_used,
            kelly_fraction: k.fraction,
            n: k.n,
            missing: k.missing,
        },
        missing: s.missing,
    }
}

fn defaults(advice: &Advice, ctx: Option<&AdviceContext<'_>>) -> Vec<String> {
    let p = &advice.parameters;
    let mut out = Vec::new();
    let mut add = |what, used: String, why: Option<Missing>| out.extend(why.map(|w| text::fallback(what, &used, w)));
    add("stop distance", format!("{} ATR", p.stop_loss_atr_mult), p.mult_fallback);
    add("reward/risk ratio", format!("{}", p.risk_reward_ratio), p.ratio_fallback);
    add("size factor", format!("{}", p.size_factor), p.size_fallback);
    add("posture factor", format!("{}", p.posture_factor), p.posture_fallback);
    if let Some(s) = ctx.and_then(|c| c.session) {
        let why = if ctx.is_some_and(|c| c.stale.is_some()) { "the reading is too old" } else { "for want of history" };
        for (what, is_default) in [("Volatility", s.vol_adjustment_default), ("Volume", s.volume_adjustment_default)] {
            if is_default {
                out.push(format!("{what} adjustment of the session: 1.0, {why}"));
            }
        }
    }
    out
}
