//! The words of an answer: one sentence per reason, warning and option, with the numbers behind it.
//!
//! Nothing here instructs anybody to enter, names a side that was not given, or promises (regimes §10.2). What the caller
//! gave is written as given, everything else with the digits that matter (`digits`).

use super::Advice;
use super::context::{AdviceContext, Calibrated, Confidence};
use super::digits::{number, own, price, size};
use super::intent::Intent;
use super::options::{MoveStop, SizeOffer, Wait};
use super::stop::{Clusters, StopPlan};
use super::verdict::Judgement;
use crate::explain::capitalised;
use crate::rules::BaseRates;
use barograph_domain::advice::{Missing, ReasonCode, SizeLimit, TargetSource, Verdict, WarningCode};
use barograph_domain::thresholds::SAME_EXPOSURE;
use barograph_domain::{Level, Posture, RiskRegime, Span};

/// A fraction as percent: `0.83 %`.
pub(super) fn percent(x: f64) -> String {
    let p = x * 100.0;
    let text = if p.abs() >= 10.0 { format!("{p:.1}") } else { format!("{p:.2}") };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

const fn posture_word(posture: Posture) -> &'static str {
    posture.name()
}

/// One reason, with its numbers.
pub(super) fn reason(code: ReasonCode, ctx: Option<&AdviceContext<'_>>, stop: &StopPlan) -> String {
    use ReasonCode as R;
    let Some(c) = ctx else {
        return match code {
            R::NoData => "No snapshot of this market: nothing is known about it".to_owned(),
            _ => code.name().to_owned(),
        };
    };
    match code {
        R::DataStale => stale(c),
        R::NoData => "No reading: an input is missing or too old to judge".to_owned(),
        R::PreNewsBlackout => match c.event.flatten() {
            Some(e) => format!("{} in {:.0} min: the market before it is no guide", e.name, e.minutes),
            None => "A calendar event is near".to_owned(),
        },
        R::ExtremeVolatility => "Extreme moves: more than 10 % a day".to_owned(),
        R::SqueezeRisk => market_in(RiskRegime::SqueezeRisk, "liquidation cascade possible"),
        R::SqueezeAgainstSide => "The crowded side is the side of this trade".to_owned(),
        R::HighVolatility if c.risk.label == RiskRegime::HighVol => {
            market_in(RiskRegime::HighVol, "stop-outs and slippage more likely")
        }
        R::HighVolatility => "Explosive moves: more than 5 % a day".to_owned(),
        R::ChopRisk => market_in(RiskRegime::ChopRisk, "whipsaws likely"),
        R::RolloverSession => "Rollover session: thin books between New York and Asia".to_owned(),
        R::SessionVolAnomaly => match c.session.and_then(|s| s.vol_ratio) {
            Some(r) => format!("Volatility is {r:.1} times the usual for this session"),
            None => "Volatility is unusual for this session".to_owned(),
        },
        R::StopCluster => cluster(c, stop),
        R::AgainstTrend => match c.known_trend() {
            Some(t) => format!("Against the trend: {}", t.label.spoken()),
            None => "Against the trend".to_owned(),
        },
        R::AgainstStrongTrend => match c.known_trend() {
            Some(t) => format!("Against a {} confirmed on several timeframes", t.label.spoken()),
            None => "Against a strong trend".to_owned(),
        },
        R::UnconfirmedRegime => match c.trend.and_then(|t| t.mtf_confidence) {
            Some(m) => format!("Timeframes disagree: {} of their weight confirm the trend", percent(m)),
            None => "Timeframes disagree".to_owned(),
        },
        R::LowConfidence => match c.confidence {
            Some(Confidence { value, calibrated: Some(Calibrated { usual: Some(usual), .. }) }) => {
                format!(
                    "What the label says came true in {} of similar moments, {} of all",
                    percent(value),
                    percent(usual)
                )
            }
            Some(x) => format!("Confidence of the reading is {:.2}, by rule of thumb", x.value),
            None => "Confidence of the reading is low".to_owned(),
        },
        R::ExposureOverlap => overlap(c),
        R::LowHealth => match c.health {
            Some(h) => format!("Health of the market is {h:.0} of 100: open alerts or missing data weigh on it"),
            None => "Health of the market is low".to_owned(),
        },
        R::Ok => "Nothing in the context speaks against it".to_owned(),
    }
}

fn market_in(label: RiskRegime, what: &str) -> String {
    format!("{}: {what}", capitalised(label.spoken()))
}

fn stale(c: &AdviceContext<'_>) -> String {
    c.stale.map_or_else(|| "Data stale".to_owned(), |s| in_units(s.warning))
}

fn cluster(c: &AdviceContext<'_>, stop: &StopPlan) -> String {
    match (level_at(c, stop), stop.used) {
        (Some(l), Some(s)) => {
            let at = |x| price(x, stop.r);
            let stop = if stop.source == Some("user") { own(s) } else { at(s) };
            let how = if (l.bottom..=l.top).contains(&s) { "on" } else { "within 0.1 ATR of" };
            let (bottom, top) = (at(l.bottom), at(l.top));
            let place = if bottom == top { format!("at {top}") } else { format!("from {bottom} to {top}") };
            format!("The stop at {stop} lies {how} {} {place}", l.kind.spoken())
        }
        _ => "Stops are dense on the side of this stop".to_owned(),
    }
}

pub(super) fn level_at<'a>(c: &AdviceContext<'a>, stop: &StopPlan) -> Option<&'a Level> {
    c.levels?.get(stop.on_level?)
}

fn overlap(c: &AdviceContext<'_>) -> String {
    let same = c.overlaps.unwrap_or(&[]).iter().filter(|o| o.correlation > SAME_EXPOSURE);
    let names: Vec<String> = same.map(|o| format!("{} ({:.2})", o.symbol, o.correlation)).collect();
    format!("Correlated with an open position: {}; consider less total exposure", names.join(", "))
}

/// One warning.
pub(super) fn warning(
    code: WarningCode,
    other: Option<ReasonCode>,
    ctx: Option<&AdviceContext<'_>>,
    intent: &Intent<'_>,
    stop: &StopPlan,
) -> String {
    match (code, ctx) {
        (WarningCode::Squeeze, _) => market_in(RiskRegime::SqueezeRisk, "liquidation cascade possible"),
        (WarningCode::HighVol, _) => market_in(RiskRegime::HighVol, "stop-outs and slippage more likely"),
        (WarningCode::Chop, _) => market_in(RiskRegime::ChopRisk, "whipsaws likely"),
        (WarningCode::StopCluster, _) => "High stop clustering: consider wider stop or wait".to_owned(),
        (WarningCode::StopMedium, Some(c)) => {
            format!("Some stop clustering near {}", price(densest(c, intent, stop), stop.r))
        }
        (WarningCode::Posture, Some(c)) => format!("Recommended posture: {}", posture_word(c.posture)),
        (WarningCode::Stale, Some(c)) => stale(c),
        (WarningCode::StopTight, _) => "Stop closer than half an ATR".to_owned(),
        (WarningCode::StopMedium | WarningCode::Posture | WarningCode::Stale | WarningCode::Reasons, _) => {
            other.map_or_else(String::new, |r| reason(r, ctx, stop))
        }
    }
}

/// Strongest level of the stop's side within two ATR of the price; the stop, or the entry, where none is known.
fn densest(c: &AdviceContext<'_>, intent: &Intent<'_>, stop: &StopPlan) -> f64 {
    let from = c.price.unwrap_or(intent.entry);
    let reach = stop.atr.map_or(f64::INFINITY, |a| 2.0 * a);
    let known = Clusters { levels: c.levels.unwrap_or(&[]), weakest: c.verdict.cluster_strength, now: c.now };
    let near = known
        .of(intent.side)
        .map(|(_, l)| l)
        .filter(|l| (l.price - from).abs() <= reach)
        .reduce(|a, b| if b.strength > a.strength { b } else { a });
    near.map_or_else(|| stop.used.unwrap_or(intent.entry), |l| l.price)
}

/// The whole in one sentence; `why` is the reason that decided.
pub(super) fn summary(advice: &Advice, why: &str) -> String {
    let j: &Judgement = &advice.judgement;
    let more = j.reasons.iter().count().saturating_sub(1);
    let rest = match (more, j.verdict) {
        (0, _) | (_, Verdict::Allow) => String::new(),
        (1, _) => "; one more reason below".to_owned(),
        (n, _) => format!("; {n} more reasons below"),
    };
    format!("{}: {why}{rest}.", j.verdict.name())
}

/// How often a verdict comes out.
pub(super) fn base_rate(verdict: Verdict, share: f64) -> String {
    format!("{} in {} of hours ({})", verdict.name(), percent(share), BaseRates::OVER)
}

/// Why the target lies where it does.
pub(super) fn target(advice: &Advice, ctx: Option<&AdviceContext<'_>>) -> String {
    let (t, p) = (&advice.target, &advice.parameters);
    let nominal = p.risk_reward_ratio;
    let rr = t.effective_rr.map_or_else(String::new, |rr| format!("{rr:.2} times the risk, "));
    let level = t.level.and_then(|i| ctx?.levels?.get(i));
    match (t.source, level) {
        (None, _) => format!("no target, because {}", spoken(t.missing.unwrap_or(Missing::OutOfDomain))),
        (_, _) if t.capped && t.effective_rr.is_some_and(|e| e <= super::target::LEAST * nominal * (1.0 + 1e-6)) => {
            format!("{rr}half the ratio of {nominal}, which lies more than 10 ATR from the entry")
        }
        (_, _) if t.capped => format!("{rr}capped at 10 ATR from the entry; the ratio of {nominal} lies beyond"),
        (Some(TargetSource::Liquidity), Some(l)) => {
            format!("{rr}a tenth of an ATR before {}; the ratio alone is {nominal}", l.kind.spoken())
        }
        (Some(TargetSource::Fallback), _) => format!("{rr}3 ATR from the entry, because the context is missing"),
        (Some(TargetSource::Liquidity | TargetSource::Ratio), _) => {
            let known = ctx.is_some_and(|c| c.levels.is_some());
            let why = if known { "no strong level lies near that distance" } else { "levels are not known" };
            format!("{rr}by the ratio: {why}")
        }
    }
}

/// The smaller size.
pub(super) fn smaller(offer: &SizeOffer, advice: &Advice) -> String {
    let p = &advice.parameters;
    let kelly = advice.size.units.is_some_and(|u| u.binding == SizeLimit::Kelly);
    match offer.size {
        None => format!(
            "Smaller size: {} of the usual (volatility {}, posture {})",
            percent(p.reduction()),
            percent(p.size_factor),
            percent(p.posture_factor.min(1.0))
        ),
        Some(q) if q > 0.0 => format!("Smaller size: {}{}", size(q), loses(offer)),
        Some(_) if kelly => {
            "Smaller size: none, at the lower bound of your win rate these trades lose on average".to_owned()
        }
        Some(_) => "Smaller size: below the smallest the venue accepts".to_owned(),
    }
}

fn loses(offer: &SizeOffer) -> String {
    match (offer.risk_quote, offer.risk_fraction) {
        (Some(loss), Some(f)) => format!(", loses {} at the stop ({} of equity)", number(loss), percent(f)),
        (Some(loss), None) => format!(", loses {} at the stop", number(loss)),
        _ => String::new(),
    }
}

/// The stop off the cluster.
pub(super) fn move_stop(option: &MoveStop) -> String {
    match (option.offer.stop, option.missing) {
        (Some(stop), _) => {
            let r = option.offer.r.map(|r| format!(", {} from the entry", number(r))).unwrap_or_default();
            let kept = option.offer.size.map(|q| format!("; size {} keeps the risk", size(q))).unwrap_or_default();
            format!("Stop beyond the cluster: {}{r}{kept}{}", price(stop, option.offer.r), loses(&option.offer))
        }
        (None, Some(Missing::TooFar)) => {
            "Stop beyond the cluster: none within 1.5 times the distance; consider a smaller size or waiting".to_owned()
        }
        (None, _) => {
            "Stop beyond the cluster: stops are dense on this side, but no single level lies at the stop".to_owned()
        }
    }
}

/// Past episodes below which no range of their durations is reported.
const EPISODES_MIN: u32 = 10;

/// The sentence of an option to wait.
pub(super) fn wait(w: &Wait, label: RiskRegime) -> String {
    let until = match label {
        RiskRegime::Unknown => "Wait for a reading",
        _ => "Wait for normal risk",
    };
    let age = format!("{} for {} so far", label.spoken(), w.age.spoken());
    match w.past {
        None => format!("{until}: {age}; past durations are not known"),
        Some(p) if p.n == 1 => format!("{until}: {age}; the one past episode lasted {}", p.median.spoken()),
        // A share of few is no share.
        Some(p) if p.n < EPISODES_MIN => format!("{until}: {age}; {} past episodes: median {}", p.n, p.median.spoken()),
        Some(p) => format!(
            "{until}: {age}; {} past episodes: median {}, most between {} and {}",
            p.n,
            p.median.spoken(),
            p.low.spoken(),
            p.high.spoken()
        ),
    }
}

/// The caller's own numbers, as they were given; without a stop of theirs the computed one stands in.
pub(super) fn proceed(offer: &SizeOffer, plan: &StopPlan) -> String {
    let above = if offer.above_one_percent() == Some(true) { ": more than 1 %" } else { "" };
    let stop = offer.stop.map(|s| match plan.source {
        Some("user") => format!("stop {}", own(s)),
        _ => format!("stop {} (computed)", price(s, offer.r)),
    });
    match (offer.size, stop) {
        (Some(q), Some(stop)) => format!("As planned: size {}, {stop}{}{above}", own(q), loses(offer)),
        (None, Some(stop)) => format!("As planned: {stop}"),
        _ => "As planned".to_owned(),
    }
}

/// What holds the size down, in words.
pub(super) const fn limit(l: SizeLimit) -> &'static str {
    match l {
        SizeLimit::Kelly => "quarter Kelly",
        SizeLimit::OnePercent => "1 % of equity",
        SizeLimit::UserCap => "your own cap",
        SizeLimit::BaseRisk => "your usual risk",
        SizeLimit::MaxLeverage => "the leverage limit",
        SizeLimit::MinNotional => "the venue's smallest size",
    }
}

/// What stands in for something missing.
pub(super) fn fallback(what: &str, used: &str, why: Missing) -> String {
    format!("{}: {used}, because {}", capitalised(what), spoken(why))
}

/// Why something is missing, as a clause.
const fn spoken(why: Missing) -> &'static str {
    match why {
        Missing::NoSnapshot => "there is no reading of this market",
        Missing::AtrUndefined => "there is no average range yet",
        Missing::OutOfDomain => "the numbers do not fit together",
        Missing::SessionNotAvailable => "the session is not known",
        Missing::TrendNotAvailable => "the trend is not known",
        Missing::VolatilityNotAvailable => "the volatility class is not known",
        Missing::ContextUnusable => "the reading is missing or too old",
        Missing::NoEquity => "no equity was given",
        Missing::NoStop => "there is no stop",
        Missing::FewTrades => "fewer than 100 trades have resolved",
        Missing::NoRecord => "there is no record of trades",
        Missing::LevelsNotAvailable => "levels are not known",
        Missing::TooFar => "the far side of the cluster is too far away",
        Missing::NoLevelAtStop => "no level lies at the stop",
        Missing::ConfidenceNotAvailable => "confidence is not known",
        Missing::BelowMinNotional => "the size is smaller than the venue accepts",
    }
}

/// "Data stale (384199 minutes old)", as the API has it (R1.53), in the units people read: "Data stale (266 d 19 h old)".
pub(super) fn in_units(warning: &str) -> String {
    let aged = warning.split_once('(').and_then(|(what, age)| {
        let minutes = age.split_once(" minute")?.0.parse().ok()?;
        Some(format!("{what}({} old)", Span::mins(minutes).spoken()))
    });
    aged.unwrap_or_else(|| warning.to_owned())
}
