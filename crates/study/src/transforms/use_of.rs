//! How a column enters, by its name.

use super::fit::DropReason;
use crate::targets::TargetId;

/// The mid, from which price levels are measured.
pub(super) const MID: &str = "mid_price";

/// Columns beside the 197 that say what a row is (features §7).
const META: [&str; 6] = ["ts", "known_ts", "venue", "symbol", "row_valid", "reason_mask"];

/// Sizes and depths that are not of one level; never negative, and of another order of magnitude in each market.
const SIZES: [&str; 10] = [
    "bid_depth_L5",
    "ask_depth_L5",
    "bid_depth_L10",
    "ask_depth_L10",
    "bid_depth_L20",
    "ask_depth_L20",
    "bid_depth_10bps",
    "ask_depth_10bps",
    "mean_depth_L5_300s",
    "tf_mean_size_300s",
];

/// How a column enters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ColumnUse {
    /// A price, as its distance from the mid.
    Price,
    /// An amount, as the logarithm of one and its multiple of the median.
    Size,
    /// As it is.
    Plain,
    /// Not at all.
    Never(DropReason),
}

pub(super) fn use_of(name: &str) -> ColumnUse {
    if META.contains(&name) {
        return ColumnUse::Never(DropReason::Meta);
    }
    if TargetId::parse(name).is_ok() || name.starts_with("risk_event_") {
        return ColumnUse::Never(DropReason::Target);
    }
    match name {
        MID | "microprice" => ColumnUse::Price,
        _ if is_level(name, "price") => ColumnUse::Price,
        _ if is_level(name, "size") || SIZES.contains(&name) => ColumnUse::Size,
        _ => ColumnUse::Plain,
    }
}

/// `bid_price_L7` and the like.
fn is_level(name: &str, what: &str) -> bool {
    let side = name.strip_prefix("bid_").or_else(|| name.strip_prefix("ask_"));
    let level = side.and_then(|n| n.strip_prefix(what)).and_then(|n| n.strip_prefix("_L"));
    level.is_some_and(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the table of the 197 columns: its units say what is a price and what an amount.
    #[test]
    fn columns_enter_by_their_unit() {
        let table = include_str!("../../../columns/src/columns.tsv");
        let mut counted = [0; 3];
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let (name, unit) = (cells[0], cells[3]);
            // The spread is a difference of prices, and has a column in basis points beside it.
            match use_of(name) {
                ColumnUse::Price => assert_eq!(unit, "price", "{name}"),
                ColumnUse::Size => assert!(["base", "quote"].contains(&unit), "{name}"),
                ColumnUse::Plain => assert!(unit != "price" || name == "spread_abs", "{name}"),
                ColumnUse::Never(_) => panic!("{name} is no input"),
            }
            counted[match use_of(name) {
                ColumnUse::Price => 0,
                ColumnUse::Size => 1,
                _ => 2,
            }] += 1;
        }
        assert_eq!(counted, [42, 50, 105]);
    }

    #[test]
    fn what_is_predicted_and_what_a_row_is_never_enter() {
        for name in ["ret_1s", "dir3_5m", "vol_regime_fwd", "risk_event_1h"] {
            assert_eq!(use_of(name), ColumnUse::Never(DropReason::Target), "{name}");
        }
        assert_eq!(use_of("known_ts"), ColumnUse::Never(DropReason::Meta));
        assert_eq!(use_of("bid_price_Lx"), ColumnUse::Plain);
    }
}
