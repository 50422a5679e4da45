//! What the caller has in mind, and what the caller has set. Side, entry and stop are the caller's alone.

use barograph_domain::{Price, Side};
use core::fmt;

/// One trade in mind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Intent<'a> {
    /// The market, as the answer names it.
    pub symbol: &'a str,
    /// The side the caller chose.
    pub side: Side,
    /// Entry price.
    pub entry: f64,
    /// The caller's stop.
    pub stop: Option<f64>,
    /// The caller's name of the strategy.
    pub strategy: Option<&'a str>,
    /// Account value, quote units.
    pub equity: Option<f64>,
    /// Size the caller has in mind, base units.
    pub size: Option<f64>,
    /// ATR of the caller's timeframe; `None`: the context's.
    pub atr: Option<f64>,
    /// The caller's limits.
    pub limits: CallerLimits,
    /// What an execution costs.
    pub costs: Costs,
    /// Steps of the venue.
    pub rules: MarketRules,
    /// How trades of this strategy ended.
    pub trades: Option<Trades>,
}

impl<'a> Intent<'a> {
    /// An intent with nothing but market, side and entry.
    #[must_use]
    pub fn new(symbol: &'a str, side: Side, entry: f64) -> Self {
        Self {
            symbol,
            side,
            entry,
            stop: None,
            strategy: None,
            equity: None,
            size: None,
            atr: None,
            limits: CallerLimits::default(),
            costs: Costs::default(),
            rules: MarketRules::default(),
            trades: None,
        }
    }
    /// Can this be meant?
    ///
    /// # Errors
    /// Names the field, its value and its range.
    pub fn check(&self) -> Result<(), IntentError> {
        price("entry", Some(self.entry))?;
        price("stop", self.stop)?;
        positive("equity", self.equity)?;
        positive("size", self.size)?;
        positive("atr", self.atr)?;
        positive("tick", self.rules.tick)?;
        positive("lot", self.rules.lot)?;
        not_negative("min_notional", self.rules.min_notional.unwrap_or(0.0))?;
        not_negative("half_spread", self.costs.half_spread)?;
        share("user_cap", self.limits.user_cap, 1.0)?;
        share("base_risk", self.limits.base_risk.unwrap_or(1.0), 1.0)?;
        positive("max_leverage", Some(self.limits.max_leverage))?;
        if !(0.0..0.5).contains(&self.costs.taker_fee) {
            return Err(IntentError::new("taker_fee", self.costs.taker_fee, "a fraction from 0 to below 0.5"));
        }
        if let Some(t) = self.trades {
            t.check()?;
        }
        match (self.side, self.stop) {
            (Side::Long, Some(stop)) if stop >= self.entry => {
                Err(IntentError::new("stop", stop, "below the entry of a long"))
            }
            (Side::Short, Some(stop)) if stop <= self.entry => {
                Err(IntentError::new("stop", stop, "above the entry of a short"))
            }
            _ => Ok(()),
        }
    }
}

fn positive(field: &'static str, value: Option<f64>) -> Result<(), IntentError> {
    match value {
        Some(v) if !(v.is_finite() && v > 0.0) => Err(IntentError::new(field, v, "a number above zero")),
        _ => Ok(()),
    }
}

/// A price that a market can have: [`Price::LEAST`] to [`Price::MOST`].
pub(super) fn price(field: &'static str, value: Option<f64>) -> Result<(), IntentError> {
    positive(field, value)?;
    match value {
        Some(v) if Price::new(v).is_none() => Err(IntentError::new(field, v, "a price between 1e-15 and 1e12")),
        _ => Ok(()),
    }
}

fn not_negative(field: &'static str, v: f64) -> Result<(), IntentError> {
    if v.is_finite() && v >= 0.0 { Ok(()) } else { Err(IntentError::new(field, v, "zero or a number above it")) }
}

fn share(field: &'static str, v: f64, most: f64) -> Result<(), IntentError> {
    if v > 0.0 && v <= most { Ok(()) } else { Err(IntentError::new(field, v, "a share above 0 and up to 1")) }
}

/// The caller's limits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CallerLimits {
    /// Largest share of equity at risk; above 0.01 it changes nothing.
    pub user_cap: f64,
    /// Usual share of equity at risk; `None`: the cap.
    pub base_risk: Option<f64>,
    /// Notional over equity.
    pub max_leverage: f64,
}

impl Default for CallerLimits {
    fn default() -> Self {
        Self { user_cap: 0.01, base_risk: None, max_leverage: 3.0 }
    }
}

/// What one unit costs to trade.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Costs {
    /// Fee of one execution, fraction of notional.
    pub taker_fee: f64,
    /// Half the spread, quote units.
    pub half_spread: f64,
}

impl Default for Costs {
    /// A usual taker fee of the larger venues; the spread is not known.
    fn default() -> Self {
        Self { taker_fee: 0.0005, half_spread: 0.0 }
    }
}

impl Costs {
    /// Both executions and half the spread, quote units per base unit (risk §4).
    #[must_use]
    pub fn per_unit(self, entry: f64) -> f64 {
        entry * (2.0 * self.taker_fee) + self.half_spread
    }
}

/// Steps of the venue.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct MarketRules {
    /// Price step.
    pub tick: Option<f64>,
    /// Size step.
    pub lot: Option<f64>,
    /// Smallest notional.
    pub min_notional: Option<f64>,
}

/// How trades of a strategy ended, sizes in units of risk.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trades {
    /// Trades that ended above zero.
    pub wins: u32,
    /// All resolved trades.
    pub n: u32,
    /// Mean win.
    pub average_win: f64,
    /// Mean loss, positive.
    pub average_loss: f64,
}

impl Trades {
    fn check(self) -> Result<(), IntentError> {
        if self.wins > self.n {
            return Err(IntentError::new("wins", f64::from(self.wins), "at most the number of trades"));
        }
        not_negative("average_win", self.average_win)?;
        not_negative("average_loss", self.average_loss)
    }
}

/// What the operator has set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OperatorSettings {
    /// Which stop is used when the caller gave none.
    pub stop_mode: StopMode,
    /// The volatility class widens the stop once more; off, because the session multiplier has it already.
    pub stop_uses_vol_multiplier: bool,
    /// What a calendar event does.
    pub blackout: Blackout,
}

/// Which computed stop is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StopMode {
    /// The base stop, whether or not it lies on a cluster.
    #[default]
    Base,
    /// The one beyond the cluster, where there is one.
    BeyondCluster,
}

/// What a calendar event two hours away does (R2.55).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Blackout {
    /// An event near makes the verdict AVOID.
    #[default]
    Avoid,
    /// An event near makes the verdict CAUTION.
    Warn,
}

/// A field that cannot be meant.
#[derive(Clone, PartialEq, Debug)]
pub struct IntentError {
    /// The field.
    pub field: &'static str,
    /// What was given.
    pub value: f64,
    /// What it must be.
    pub wanted: &'static str,
}

impl IntentError {
    pub(super) const fn new(field: &'static str, value: f64, wanted: &'static str) -> Self {
        Self { field, value, wanted }
    }
    /// The value in few digits, however large or small it is.
    #[must_use]
    pub fn shown(&self) -> String {
        let size = self.value.abs();
        let is_long = size.is_finite() && (size >= 1e15 || (size > 0.0 && size < 1e-9));
        if is_long { format!("{:e}", self.value) } else { self.value.to_string() }
    }
}
impl fmt::Display for IntentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: it must be {}", self.field, self.shown(), self.wanted)
    }
}
impl core::error::Error for IntentError {}

/// The side of a word: `long` or `short` in any case, as well as the forms other tools use for the same.
#[must_use]
pub fn side_of(word: &str) -> Option<Side> {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    if is("long") || is("buy") || word == "1" {
        Some(Side::Long)
    } else if is("short") || is("sell") || word == "-1" {
        Some(Side::Short)
    } else {
        None
    }
}
