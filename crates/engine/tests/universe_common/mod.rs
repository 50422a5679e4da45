//! Watch-lists and samples for tests of the universe.
#![allow(dead_code, clippy::allow_attributes, clippy::unwrap_used, reason = "each test binary uses another part")]

use barograph_domain::{InstrumentName, RiskRegime, Span, Ts, VolRegime};
use barograph_engine::universe::{UniverseSample, Watch};

/// Perpetuals of these assets.
pub(crate) fn watch(assets: &[&str]) -> Vec<Watch> {
    let of = |a: &&str| Watch::of(&InstrumentName::parse(&format!("binance-usdm:{a}USDT")).unwrap());
    assets.iter().map(of).collect()
}

/// The whole hour of this number.
pub(crate) fn hour(n: i64) -> Ts {
    Ts(0) + Span::hours(n)
}

/// The minute of this number.
pub(crate) fn minute(n: i64) -> Ts {
    Ts(0) + Span::mins(n)
}

/// A sample in time with a price and calm labels.
pub(crate) fn sample(market: usize, ts: Ts, price: f64) -> UniverseSample {
    UniverseSample {
        market,
        ts,
        known_ts: ts + Span::millis(200),
        price: Some(price),
        vol_annual: Some(0.5),
        risk: RiskRegime::Normal,
        volatility: VolRegime::HighVol,
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014): the seed says everything.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// Roughly normal, with unit variance.
    pub(crate) fn normal(&mut self) -> f64 {
        (self.unit() + self.unit() + self.unit() + self.unit() - 2.0) * 3.0_f64.sqrt()
    }
}
