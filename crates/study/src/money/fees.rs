//! Fees of a named tier. There is no default: a fee that nobody named would be zero, and a strategy without fees earns (research §6).

/// Taker fee of one tier.
#[derive(Clone, PartialEq, Debug)]
pub struct TakerFee {
    tier: String,
    bps: f64,
}

/// Why there is no fee.
#[derive(Clone, PartialEq, Debug)]
pub enum FeeError {
    /// No tier was named.
    Unnamed,
    /// The schedule has no such tier.
    Unknown {
        /// The tier asked for.
        tier: String,
        /// Tiers that there are.
        known: Vec<String>,
    },
    /// The fee is no number, or beyond 1 %.
    Bps {
        /// Its tier.
        tier: String,
    },
}

impl core::fmt::Display for FeeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unnamed => write!(f, "no fee tier is named; a back-test needs one"),
            Self::Unknown { tier, known } => write!(f, "no fee tier '{tier}'; there are {}", known.join(", ")),
            Self::Bps { tier } => write!(f, "the taker fee of '{tier}' is not within −100 and 100 basis points"),
        }
    }
}

impl core::error::Error for FeeError {}

/// No venue takes or pays more than this, in basis points.
const BPS_MOST: f64 = 100.0;

impl TakerFee {
    /// Fee of a named tier in basis points of the quote traded, per side; below 0 it is paid to the taker.
    ///
    /// # Errors
    /// The name is empty, or the fee cannot be one.
    pub fn new(tier: &str, bps: f64) -> Result<Self, FeeError> {
        if tier.trim().is_empty() {
            return Err(FeeError::Unnamed);
        }
        let tier = tier.to_owned();
        if bps.abs() <= BPS_MOST { Ok(Self { tier, bps }) } else { Err(FeeError::Bps { tier }) }
    }

    /// The tier called `tier` of a venue's schedule: names with their taker fees.
    ///
    /// # Errors
    /// No tier is named, or the schedule has none of that name.
    pub fn of_schedule(schedule: &[(String, f64)], tier: Option<&str>) -> Result<Self, FeeError> {
        let tier = tier.ok_or(FeeError::Unnamed)?;
        let unknown = || FeeError::Unknown {
            tier: tier.to_owned(),
            known: schedule.iter().map(|(name, _)| name.clone()).collect(),
        };
        let (name, bps) = schedule.iter().find(|(name, _)| name == tier).ok_or_else(unknown)?;
        Self::new(name, *bps)
    }

    /// Name of the tier.
    #[must_use]
    pub fn tier(&self) -> &str {
        &self.tier
    }

    /// Basis points of the quote traded, per side.
    #[must_use]
    pub const fn bps(&self) -> f64 {
        self.bps
    }

    /// Fee on this much quote.
    #[must_use]
    pub fn on(&self, quote: f64) -> f64 {
        self.bps * 1e-4 * quote
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_has_to_be_named_and_known() {
        let schedule = [("VIP 0".to_owned(), 5.0), ("VIP 9".to_owned(), 1.7)];
        let fee = TakerFee::of_schedule(&schedule, Some("VIP 0")).unwrap();
        assert_eq!((fee.tier(), fee.on(10_000.0).to_bits()), ("VIP 0", 5.0_f64.to_bits()));
        let unknown = TakerFee::of_schedule(&schedule, Some("VIP 1")).unwrap_err();
        assert_eq!(unknown.to_string(), "no fee tier 'VIP 1'; there are VIP 0, VIP 9");
        assert_eq!(TakerFee::of_schedule(&schedule, None), Err(FeeError::Unnamed));
        assert_eq!(TakerFee::new("", 5.0), Err(FeeError::Unnamed));
        for bps in [f64::NAN, 100.5, f64::NEG_INFINITY] {
            assert_eq!(TakerFee::new("x", bps), Err(FeeError::Bps { tier: "x".to_owned() }), "{bps}");
        }
    }
}
