//! Every number of the detectors of order flow that may be set (R3.26), with the specification's values where nothing is
//! (surveillance §5).

use crate::number_key::NumberKey;
use serde::{Deserialize, Serialize};

macro_rules! keys {
    ($(#[doc = $meaning:literal] $field:ident = $default:literal in $lo:literal .. $hi:literal;)*) => {
        /// Numbers of the detectors of order flow.
        #[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
        pub struct FlowThresholds { $(#[doc = $meaning] pub $field: f64),* }

        impl Default for FlowThresholds {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        /// Every number that may be set.
        pub static FLOW_KEYS: &[FlowKey] = &[$(FlowKey {
            name: stringify!($field),
            range: ($lo, $hi),
            meaning: $meaning,
            get: |t| t.$field,
            set: |t, v| t.$field = v,
        }),*];
    };
}

/// A key of the `[order_flow]` table; `meaning` is its line in `docs/order-flow.md`.
pub type FlowKey = NumberKey<FlowThresholds>;

keys! {
    /// Median milliseconds between updates of a book above which its feed is too coarse for the three detectors of books.
    book_interval_ms = 250.0 in 1.0 .. 60000.0;
    /// Hours of its own past that a market needs before its quantiles decide.
    warm_hours = 6.0 in 1.0 .. 24.0;
    /// Distance from the middle, in bps, up to which levels are looked at.
    band_bps = 50.0 in 1.0 .. 1000.0;
    /// Quantile of the day's adds that a large order reaches.
    spoof_size_q = 0.99 in 0.5 .. 1.0;
    /// Median sizes of the ten best levels that a large order reaches.
    spoof_median_sizes = 5.0 in 1.0 .. 1000.0;
    /// Greatest distance of a large order from the best price of its side, in bps.
    spoof_distance_bps = 20.0 in 0.1 .. 1000.0;
    /// Share of a large order that is taken back.
    spoof_cancelled = 0.8 in 0.1 .. 1.0;
    /// Share of it that trades at most.
    spoof_traded = 0.1 in 0.0 .. 1.0;
    /// Seconds within which it is taken back; at most 10.
    spoof_life_s = 5.0 in 0.1 .. 10.0;
    /// Quantile that the trades on the other side reach meanwhile.
    spoof_opposite_q = 0.9 in 0.5 .. 1.0;
    /// Large orders of one side that came and went.
    spoof_episodes = 3.0 in 1.0 .. 100.0;
    /// Seconds within which they did.
    spoof_window_s = 60.0 in 1.0 .. 3600.0;
    /// Prices at which orders were stacked.
    layer_levels = 3.0 in 2.0 .. 50.0;
    /// Milliseconds within which they came, and within which they went.
    layer_together_ms = 500.0 in 1.0 .. 5000.0;
    /// Quantile of the day's adds that each of them reaches.
    layer_size_q = 0.95 in 0.5 .. 1.0;
    /// Greatest distance from the best price of their side, in bps.
    layer_distance_bps = 20.0 in 0.1 .. 1000.0;
    /// Share of each of them that is taken back.
    layer_cancelled = 0.9 in 0.1 .. 1.0;
    /// Seconds that they stand at most; at most 10.
    layer_life_s = 10.0 in 0.1 .. 10.0;
    /// Spreads that the middle moves away from them.
    layer_move_spreads = 0.5 in 0.01 .. 100.0;
    /// Quantile that the trades on the other side reach instead.
    layer_opposite_q = 0.8 in 0.5 .. 1.0;
    /// Stacks that came and went.
    layer_episodes = 2.0 in 1.0 .. 100.0;
    /// Seconds within which they did.
    layer_window_s = 120.0 in 1.0 .. 3600.0;
    /// Ticks that the middle moves away from an order after which it is out of date, and no sign of anything.
    stale_ticks = 5.0 in 0.5 .. 10000.0;
    /// Part of its first distance that the middle must have moved besides.
    stale_distance = 0.5 in 0.0 .. 10.0;
    /// Quantile of the day's updates per second.
    stuffing_rate_q = 0.999 in 0.5 .. 1.0;
    /// Medians of the last hour that updates per second reach.
    stuffing_medians = 10.0 in 1.0 .. 10000.0;
    /// Updates for each trade.
    stuffing_per_trade = 500.0 in 1.0 .. 1e9;
    /// Ticks that the middle moves at most within the second.
    stuffing_ticks = 1.0 in 0.0 .. 10000.0;
    /// Seconds in a row.
    stuffing_seconds = 2.0 in 1.0 .. 600.0;
    /// Seconds in a row from which on it is MEDIUM.
    stuffing_medium_s = 10.0 in 1.0 .. 3600.0;
    /// Trades that an hour needs to be judged.
    wash_trades = 200.0 in 10.0 .. 1e9;
    /// Share of an hour's volume in pairs that cancel each other out.
    wash_pairs = 0.10 in 0.001 .. 1.0;
    /// Quantile of the month's hours that this share is above.
    wash_pairs_q = 0.99 in 0.5 .. 1.0;
    /// Probability below which first digits are not those of natural sizes.
    wash_digits_p = 1e-6 in 1e-300 .. 0.5;
    /// Standard score of the hour's volume among the same hour of 30 days.
    wash_volume_z = 3.0 in 0.1 .. 100.0;
    /// Rank below which volatility and the change of open interest are calm.
    wash_calm_pct = 0.5 in 0.0 .. 1.0;
    /// Change of the share of round sizes against 30 days.
    wash_round = 0.25 in 0.001 .. 1.0;
    /// Of the four tests, how many.
    wash_tests = 2.0 in 1.0 .. 4.0;
    /// Hours in a row.
    wash_hours = 2.0 in 1.0 .. 24.0;
    /// Rise of the middle within 5 min, as a fraction.
    pump_rise = 0.10 in 0.0001 .. 10.0;
    /// Quantile of the month's rises that it reaches as well.
    pump_rise_q = 0.999 in 0.5 .. 1.0;
    /// Volume of the 5 min over the usual one of the hour.
    pump_volume = 10.0 in 1.0 .. 10000.0;
    /// Share of the volume that buyers took.
    pump_buyers = 0.7 in 0.0 .. 1.0;
    /// Share of the rise that is given back.
    pump_given_back = 0.5 in 0.01 .. 1.0;
    /// Minutes within which it is.
    pump_back_min = 60.0 in 1.0 .. 1440.0;
    /// Standard score of the signed volume in the minute before funding.
    window_z = 4.0 in 0.1 .. 100.0;
    /// Share of the premium's move that is undone within 5 min.
    window_reverted = 0.5 in 0.01 .. 10.0;
    /// Of the last nine fundings, how many make it MEDIUM.
    window_of_nine = 3.0 in 1.0 .. 9.0;
    /// Score above which it is HIGH, where a score decides.
    flow_high_score = 85.0 in 1.0 .. 100.0;
    /// Part of its threshold above which an episode goes on.
    flow_keep = 0.9 in 0.1 .. 1.0;
}

impl FlowThresholds {
    /// Sets a key.
    ///
    /// # Errors
    /// What is wrong, in words, when there is no such key or the value lies outside its range.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), String> {
        NumberKey::set_in(FLOW_KEYS, self, name, value)
    }

    /// Key and value of what differs from the defaults, for the canonical form of a book.
    pub fn changed(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        let base = Self::default();
        let differs = move |k: &&FlowKey| (k.get)(self).to_bits() != (k.get)(&base).to_bits();
        FLOW_KEYS.iter().filter(differs).map(|k| (k.name, (k.get)(self).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// docs/order-flow.md has a line for each: name, default and what it means.
    #[test]
    fn every_key_is_in_the_guide() {
        let guide = include_str!("../../../../docs/order-flow.md");
        let base = FlowThresholds::default();
        for key in FLOW_KEYS {
            let line = format!("| `{}` | {} |{}", key.name, (key.get)(&base), key.meaning.trim_end_matches('.'));
            assert!(guide.lines().any(|l| l.starts_with(&line)), "not in the guide: {line}");
        }
    }

    #[test]
    fn every_key_reads_what_it_wrote_and_only_what_was_changed_is_listed() {
        let base = FlowThresholds::default();
        assert_eq!(base.changed().count(), 0);
        for key in FLOW_KEYS {
            let (lo, hi) = key.range;
            assert!((lo..=hi).contains(&(key.get)(&base)), "{}: the value of the specification is in range", key.name);
            let mut changed = base;
            let value = if (key.get)(&base).to_bits() == lo.to_bits() { hi } else { lo };
            changed.set(key.name, value).unwrap();
            assert_eq!(changed.changed().collect::<Vec<_>>(), [(key.name, value.to_string())]);
        }
        let mut t = base;
        assert!(t.set("spoof_sise_q", 0.9).unwrap_err().contains("did you mean 'spoof_size_q'?"));
        assert!(t.set("spoof_size_q", 7.0).unwrap_err().contains("between 0.5 and 1"));
        assert!(t.set("wash_round", f64::NAN).is_err());
        assert_eq!(t, base);
    }
}
