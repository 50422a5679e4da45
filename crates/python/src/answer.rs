//! Context and advice for one price and one side: everything of it that needs no Python.

use crate::shared::{Analysis, PricedFrame};
use barograph_domain::advice::{ReasonCode, Verdict};
use barograph_domain::{Side, Ts};
use barograph_engine::advice::{
    Advice, AdviceContext, Intent, IntentError, MarketSnapshot, OperatorSettings, Parameters, Staleness, UpcomingEvent,
    advise, parameters, take_stop, take_target,
};
use barograph_engine::context::Frame;
use barograph_engine::rules::RuleBook;
use std::sync::Arc;

/// What stands beside a frame and comes from the caller.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Beside {
    /// Set while the newest bar is too old: how that is said.
    pub stale: Option<String>,
    /// Next high-impact event: name and minutes; outer `None` without a calendar.
    pub event: Option<Option<(String, f64)>>,
    /// Stands in for the computed multiplier and ratio, from the caller's own calculator.
    pub own_mult: Option<f64>,
    /// As above.
    pub own_ratio: Option<f64>,
    /// Price step.
    pub tick: Option<f64>,
}

/// A context at a price.
#[derive(Clone, Debug)]
pub struct PricedContext {
    /// Levels of the whole frame, for those who want to see them.
    pub analysis: Option<Arc<Analysis>>,
    /// What the frame says; `None`: nothing is known.
    pub said: Option<Arc<PricedFrame>>,
    /// What the caller added.
    pub beside: Beside,
    /// Name of the market.
    pub symbol: String,
    /// The caller's side.
    pub side: Option<Side>,
    /// The price.
    pub price: Option<f64>,
    /// Logic version.
    pub version: Arc<str>,
    /// There is a frame, of too few bars to say anything: that is a refusal. Without a frame, or after an error, the caller's
    /// legacy parameters hold instead (R2.31).
    pub too_few: bool,
}

/// The reason of `should_trade` where the legacy parameters stand in.
pub const FALLBACK: &str = "fallback_no_data";

/// Verdict, the reason that decided, and every reason with what it asks for.
pub type JudgedReasons = (Verdict, ReasonCode, Vec<(ReasonCode, Verdict)>);

/// Reads a frame at a price.
#[must_use]
pub fn priced(frame: &Frame, book: &RuleBook, price: f64) -> Option<PricedFrame> {
    let (reading, levels) = frame.read_with_levels(book, price)?;
    Some(PricedFrame { reading, levels })
}

impl PricedContext {
    /// Calls `f` with the context as advice takes it.
    pub fn with_context<T>(&self, f: impl FnOnce(Option<&AdviceContext<'_>>) -> T) -> T {
        let Some(said) = &self.said else { return f(None) };
        let snapshot = MarketSnapshot { id: "", timestamp: said.reading.now, logic_version: &self.version };
        let stale = self.beside.stale.as_deref().map(|warning| Staleness { warning });
        let event = self.beside.event.as_ref();
        let event = event.map(|e| e.as_ref().map(|(name, minutes)| UpcomingEvent { name, minutes: *minutes }));
        f(Some(&said.reading.advice(&said.levels, Some(snapshot), stale, event)))
    }

    /// Parameters for a side; the smaller ratio of both where none is given.
    #[must_use]
    pub fn parameters(&self, side: Option<Side>) -> Parameters {
        let mut p = self.with_context(|c| {
            let of = |side| parameters(c, side, &OperatorSettings::default());
            match side {
                Some(side) => of(side),
                None => {
                    let (long, short) = (of(Side::Long), of(Side::Short));
                    if short.risk_reward_ratio < long.risk_reward_ratio { short } else { long }
                }
            }
        });
        if self.falls_back() {
            // As if there were no engine: the size is the caller's own.
            (p.size_factor, p.posture_factor) = (1.0, 1.0);
        }
        if let Some(mult) = self.beside.own_mult {
            (p.stop_loss_atr_mult, p.mult_fallback) = (mult, None);
        }
        if let Some(ratio) = self.beside.own_ratio {
            (p.risk_reward_ratio, p.ratio_fallback) = (ratio, None);
        }
        p
    }

    /// Nothing is known because there is no frame or it could not be read: the legacy parameters stand in.
    #[must_use]
    pub const fn falls_back(&self) -> bool {
        self.said.is_none() && !self.too_few
    }

    /// The original's alias: false for AVOID, and true with the reason where the caller is to fall back (R2.27, R2.31).
    ///
    /// # Errors
    /// When the price is none.
    pub fn should_trade(&self) -> Result<(bool, &'static str), IntentError> {
        if self.falls_back() {
            return Ok((true, FALLBACK));
        }
        self.judgement().map(|(verdict, why, _)| (verdict != Verdict::Avoid, why.name()))
    }

    /// How often this verdict comes out on hours of the built-in history; `None` without a side or with another book.
    #[must_use]
    pub fn base_rate(&self) -> Option<f64> {
        let verdict = self.advice(self.side?, self.price?).ok()?.judgement.verdict;
        self.with_context(|c| c.and_then(|c| Some(c.verdict.base_rates?.of(verdict, c.inputs))))
    }

    fn intent(&self, side: Side, entry: f64) -> Intent<'_> {
        let mut intent = Intent::new(&self.symbol, side, entry);
        intent.rules.tick = self.beside.tick;
        intent
    }

    /// Everything for a side at an entry.
    ///
    /// # Errors
    /// When the entry is no price.
    pub fn advice(&self, side: Side, entry: f64) -> Result<Advice, IntentError> {
        let mut intent = self.intent(side, entry);
        // The caller's own multiplier moves the stop that is judged.
        if let (Some(mult), Some(atr)) = (self.beside.own_mult, self.said.as_ref().and_then(|s| s.reading.atr)) {
            intent.stop = take_stop(entry, atr, side, mult, self.beside.tick);
        }
        self.with_context(|c| advise(c, &intent, &OperatorSettings::default()))
    }

    /// The payload of [`PricedContext::advice`], with texts.
    ///
    /// # Errors
    /// As there.
    pub fn view(&self, side: Side, entry: f64) -> Result<barograph_domain::advice::AdviceView, IntentError> {
        let advice = self.advice(side, entry)?;
        let intent = self.intent(side, entry);
        Ok(self.with_context(|c| barograph_engine::advice::render(&advice, c, &intent)))
    }

    /// Verdict, what decided, and all reasons with what each asks for. Without a side: what holds for both.
    ///
    /// # Errors
    /// When the price is none.
    pub fn judgement(&self) -> Result<JudgedReasons, IntentError> {
        let price = self.price.unwrap_or(1.0);
        let of = |side| self.advice(side, price).map(|a| a.judgement);
        let pick =
            |j: barograph_engine::advice::Judgement| j.reasons.iter().map(|c| (c, j.asks(c))).collect::<Vec<_>>();
        match self.side {
            Some(side) => of(side).map(|j| (j.verdict, j.decided_by, pick(j))),
            None => {
                let (long, short) = (of(Side::Long)?, of(Side::Short)?);
                // The milder of what either side makes of it: what is asked of one side alone is not asked of both.
                let shared = long.reasons.iter().filter(|c| short.reasons.has(*c));
                let mut both: Vec<_> = shared.map(|c| (c, long.asks(c).min(short.asks(c)))).collect();
                if both.is_empty() {
                    both.push((ReasonCode::Ok, Verdict::Allow));
                }
                let mut worst = both[0];
                for reason in &both {
                    if reason.1 > worst.1 {
                        worst = *reason;
                    }
                }
                Ok((worst.1, worst.0, both))
            }
        }
    }

    /// Stop for the caller's entry, range and side.
    #[must_use]
    pub fn stop(&self, entry: f64, atr: f64, side: Side) -> Option<f64> {
        take_stop(entry, atr, side, self.parameters(Some(side)).stop_loss_atr_mult, self.beside.tick)
    }

    /// Target for the caller's entry, range and side, with where it comes from.
    #[must_use]
    pub fn target(&self, entry: f64, atr: f64, side: Side) -> barograph_engine::advice::Target {
        let p = self.parameters(Some(side));
        let r = self.stop(entry, atr, side).map(|s| (entry - s).abs());
        let levels = self.said.as_ref().map(|s| (s.levels.0.as_slice(), s.reading.now));
        take_target(&self.intent(side, entry), &p, r, Some(atr), levels)
    }

    /// Why [`PricedContext::target`] lies where it does, in words.
    ///
    /// # Errors
    /// When the entry is no price.
    pub fn target_text(&self, entry: f64, atr: f64, side: Side) -> Result<String, IntentError> {
        let mut advice = self.advice(side, entry)?;
        // The caller's own range and ratio are what is explained.
        advice.target = self.target(entry, atr, side);
        advice.parameters = self.parameters(Some(side));
        let intent = self.intent(side, entry);
        Ok(self.with_context(|c| barograph_engine::advice::render(&advice, c, &intent)).target.text)
    }

    /// The market in one or two sentences, as far as bars reach; `None` when nothing is known.
    #[must_use]
    pub fn headline(&self) -> Option<String> {
        let (analysis, said) = self.analysis.as_ref().zip(self.said.as_ref())?;
        Some(analysis.frame.headline(&said.reading).text)
    }

    /// Moment of the reading.
    #[must_use]
    pub fn now(&self) -> Option<Ts> {
        self.said.as_ref().map(|s| s.reading.now)
    }
}
