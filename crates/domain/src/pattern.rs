//! Patterns: what detectors look for, one row each (surveillance §2). What people read about them stands in the engine, beside
//! what is judged; here is what every other part needs: words of the wire, logs, variables, the fourth original's event.

use serde::{Deserialize, Serialize};

/// What is known of a pattern wherever it is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PatternRow {
    /// The word on the wire.
    pub name: &'static str,
    /// Short name of the part that speaks (payloads §5, `source`).
    pub source: &'static str,
    /// Detectors that see the same thing at several markets at once are one storm.
    pub family: Family,
    /// Tag of its log lines (R4.55); without one it has none.
    pub log_tag: Option<&'static str>,
    /// Variable of the environment whose receivers hear of it (R4.30), beside the one for everything.
    pub variable: Option<&'static str>,
    /// Its event in the fourth original; `None` where that knows none.
    pub seed4: Option<Seed4>,
}

/// An event of the fourth original (R4.28, payloads §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed4 {
    /// Place in its list of types, from 0.
    pub place: usize,
    /// Its facts, by the names they have here.
    pub facts: &'static [&'static str],
}

impl Seed4 {
    /// The name it has for a fact (A23).
    #[must_use]
    pub fn name_of(fact: &'static str) -> &'static str {
        if fact == "severity_ratio" { "severity" } else { fact }
    }
}

impl PatternRow {
    const fn new(name: &'static str, source: &'static str, family: Family) -> Self {
        Self { name, source, family, log_tag: None, variable: None, seed4: None }
    }
    const fn logged(self, tag: &'static str) -> Self {
        Self { log_tag: Some(tag), ..self }
    }
    const fn listed(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }
    const fn seed4(self, place: usize, facts: &'static [&'static str]) -> Self {
        Self { seed4: Some(Seed4 { place, facts }), ..self }
    }
}

macro_rules! patterns {
    ($($(#[$doc:meta])* $variant:ident $word:literal $source:literal $family:ident $(.$more:ident($($given:expr),*))*;)*) => {
        /// What a detector looks for; the detector's name in code, store and API (surveillance §2).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum Pattern { $($(#[$doc])* $variant),* }

        impl Pattern {
            /// Every pattern, in the order of their stored codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        /// In the order of [`Pattern::ALL`].
        static ROWS: [PatternRow; Pattern::ALL.len()] =
            [$(PatternRow::new($word, $source, Family::$family)$(.$more($($given),*))*),*];
    };
}

patterns! {
    /// Funding beyond 3 σ of its day (R3.18).
    FundingManipulation "FUNDING_MANIPULATION" "FUNDING" Funding .logged("[FUND]");
    /// Funding beyond 2 σ of its day, or moved fast (R4.10).
    FundingAnomaly "FUNDING_ANOMALY" "FUNDING" Funding .logged("[FUND]") .listed("WEBHOOKS_FUNDING")
        .seed4(1, &["funding_rate", "funding_z_score", "anomaly_score", "reasons"]);
    /// Funding changed its sign fast (R4.9).
    FundingReversal "FUNDING_REVERSAL" "FUNDING" Funding .logged("[FUND]") .listed("WEBHOOKS_FUNDING")
        .seed4(2, &["funding_rate", "previous_rate", "change"]);
    /// Most settlement blocks of a week beyond the threshold, one way (R3.19).
    FundingFarming "FUNDING_FARMING" "FUNDING" Funding .logged("[FUND]") .listed("WEBHOOKS_FUNDING");
    /// Liquidations fast (burst) or much (sustained) (R3.20, R4.3).
    LiquidationCascade "LIQUIDATION_CASCADE" "CASCADE" Liquidation .logged("[CASCADE]") .listed("WEBHOOKS_CASCADE")
        .seed4(0, &["total_liquidated_usd", "velocity_usd_per_hour", "side_bias", "severity_ratio", "trigger"]);
    /// Nearly all liquidations on one side (R3.23).
    ForcedLiquidations "FORCED_LIQUIDATIONS" "CASCADE" Liquidation .logged("[CASCADE]") .listed("WEBHOOKS_CASCADE");
    /// Futures far from spot (R3.21).
    BasisManipulation "BASIS_MANIPULATION" "BASIS" Basis;
    /// Mark far from index (R3.24).
    PremiumDeviation "PREMIUM_DEVIATION" "BASIS" Basis;
    /// Positions in few hands (R3.22).
    PositionConcentration "POSITION_CONCENTRATION" "POSITION" Position;
    /// The volatility axis changed its label (R4.28).
    VolatilityRegimeChange "VOLATILITY_REGIME_CHANGE" "VOLATILITY" Regime .logged("[VOL]") .listed("WEBHOOKS_VOLATILITY")
        .seed4(3, &["from", "to", "volatility", "risk_multiplier"]);
    /// Another axis changed its label (R1.72).
    RegimeChange "REGIME_CHANGE" "REGIME" Regime .listed("WEBHOOKS_REGIME");
    /// Several timeframes agree (R4.28).
    RegimeConfirmed "REGIME_CONFIRMED" "REGIME" Regime .listed("WEBHOOKS_REGIME")
        .seed4(5, &["axis", "regime", "confidence", "timeframes"]);
    /// Another trading session began.
    SessionChanged "SESSION_CHANGED" "SESSION" Session;
    /// Two markets part that usually move together (R4.24).
    CorrelationBreak "CORRELATION_BREAK" "CORRELATION" Correlation .listed("WEBHOOKS_CORRELATION")
        .seed4(4, &["return_correlation", "divergence_strength", "signal"]);
    /// A stream that the rule book reads is lost.
    DataGap "DATA_GAP" "DATA" Data;
    /// An input of the rule book is older than its limit.
    FeedStale "FEED_STALE" "DATA" Data;
    /// A rule of the user's own book holds.
    AlertRule "ALERT_RULE" "RULE" Rule;
    /// An input of the rule book is spread otherwise than it was.
    FeatureDrift "FEATURE_DRIFT" "DRIFT" Drift;
    /// Forecasts of an event have been worse than persistence.
    SkillLost "SKILL_LOST" "DRIFT" Drift;
    /// Large orders of one side are taken back while the other side trades.
    Spoofing "SPOOFING" "ORDER_FLOW" OrderFlow;
    /// Orders stacked at several prices of one side are taken back together.
    Layering "LAYERING" "ORDER_FLOW" OrderFlow;
    /// A flood of changes of the book without trades.
    QuoteStuffing "QUOTE_STUFFING" "ORDER_FLOW" OrderFlow;
    /// Trades that look made by one hand on both sides.
    WashTrading "WASH_TRADING" "ORDER_FLOW" OrderFlow;
    /// A sharp rise on heavy buying, then its fall.
    PumpAndDump "PUMP_AND_DUMP" "ORDER_FLOW" OrderFlow;
    /// Heavy trading in the last minute before funding, undone after it.
    FundingWindowPressure "FUNDING_WINDOW_PRESSURE" "ORDER_FLOW" OrderFlow;
}

/// Groups of patterns that speak of one thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Family {
    /// Funding rates.
    Funding,
    /// Patterns of liquidations.
    Liquidation,
    /// Distances between prices of one asset.
    Basis,
    /// Who holds positions.
    Position,
    /// Changes of labels.
    Regime,
    /// The clock.
    Session,
    /// Two markets.
    Correlation,
    /// What is heard of a market.
    Data,
    /// Rules of the user's own.
    Rule,
    /// Inputs that have moved, forecasts that are worse.
    Drift,
    /// Books and trades.
    OrderFlow,
}

impl Family {
    /// The word in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Funding => "funding",
            Self::Liquidation => "liquidation",
            Self::Basis => "basis",
            Self::Position => "position",
            Self::Regime => "regime",
            Self::Session => "session",
            Self::Correlation => "correlation",
            Self::Data => "data",
            Self::Rule => "rule",
            Self::Drift => "drift",
            Self::OrderFlow => "order_flow",
        }
    }
}

impl Pattern {
    /// Those that the fourth original knows, in its order (R4.28).
    pub const SEED4: [Self; 6] = {
        let mut out = [Self::AlertRule; 6];
        let mut at = 0;
        while at < Self::ALL.len() {
            if let Some(event) = &ROWS[at].seed4 {
                out[event.place] = Self::ALL[at];
            }
            at += 1;
        }
        out
    };

    /// All that is known of it here.
    #[must_use]
    pub const fn row(self) -> &'static PatternRow {
        &ROWS[self as usize]
    }
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }
    /// Short name of the part that speaks (payloads §5, `source`).
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.row().source
    }
    /// Detectors that see the same thing at several markets at once are one storm.
    #[must_use]
    pub const fn family(self) -> Family {
        self.row().family
    }
    /// Is it not known how often it is a false alarm on a real market? So far that is so of all patterns in books and trades, because
    /// the markets that their episodes were injected into are made by a seed (surveillance §9; the tables are in `docs/order-flow.md`).
    /// `QUOTE_STUFFING` misses what is asked for on those too, where the tick is small. They are shown, counted and named apart, and go
    /// to no receiver.
    #[must_use]
    pub const fn is_experimental(self) -> bool {
        matches!(self.family(), Family::OrderFlow)
    }
    /// Its event in the fourth original; `None` where that knows none.
    #[must_use]
    pub const fn seed4(self) -> Option<&'static Seed4> {
        self.row().seed4.as_ref()
    }
    /// Has its event a score of its own under the short name? The one from 0 to 100 stands beside it as `score_100` then (S01).
    #[must_use]
    pub fn has_own_score(self) -> bool {
        self.seed4().is_some_and(|event| event.facts.contains(&"anomaly_score"))
    }
    /// The pattern of a word; CASCADE of the originals is understood (C18).
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        if word == "CASCADE" {
            return Some(Self::LiquidationCascade);
        }
        Self::ALL.iter().copied().find(|p| p.name() == word)
    }
    /// Stored code: position in [`Self::ALL`].
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
    /// The pattern of a stored code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_the_originals_word_is_understood() {
        for p in Pattern::ALL {
            assert_eq!(Pattern::from_name(p.name()), Some(*p));
            assert_eq!(Pattern::from_code(p.code()), Some(*p));
            assert_eq!(serde_json::to_string(p).unwrap(), format!("\"{}\"", p.name()));
        }
        assert_eq!(Pattern::from_name("CASCADE"), Some(Pattern::LiquidationCascade));
    }

    #[test]
    fn the_fourth_originals_types_are_those_with_an_event_of_it() {
        assert_eq!(
            Pattern::SEED4.map(Pattern::name),
            [
                "LIQUIDATION_CASCADE",
                "FUNDING_ANOMALY",
                "FUNDING_REVERSAL",
                "VOLATILITY_REGIME_CHANGE",
                "CORRELATION_BREAK",
                "REGIME_CONFIRMED"
            ]
        );
        assert_eq!(Pattern::ALL.iter().filter(|p| p.seed4().is_some()).count(), Pattern::SEED4.len());
        let own: Vec<_> = Pattern::ALL.iter().filter(|p| p.has_own_score()).collect();
        assert_eq!(own, [&Pattern::FundingAnomaly]);
    }
}
