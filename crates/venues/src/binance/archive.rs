//! Shapes of the public archive: column orders for files without a header row, and the label shift of `metrics`.
//! Source: venue sheet of USD-M section 7, of spot section 7.

use barograph_domain::{Span, Ts};

/// Header of `klines` and its three siblings.
pub const KLINES: [&str; 12] = [
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
];
/// Header of `aggTrades`; spot files carry an eighth column, `is_best_match`.
pub const AGG_TRADES: [&str; 8] = [
    "agg_trade_id",
    "price",
    "quantity",
    "first_trade_id",
    "last_trade_id",
    "transact_time",
    "is_buyer_maker",
    "is_best_match",
];
/// Header of `trades`; spot files carry a seventh column, `is_best_match`.
pub const TRADES: [&str; 7] = ["id", "price", "qty", "quote_qty", "time", "is_buyer_maker", "is_best_match"];
/// Header of `fundingRate`.
pub const FUNDING_RATE: [&str; 3] = ["calc_time", "funding_interval_hours", "last_funding_rate"];
/// Header of `metrics`.
pub const METRICS: [&str; 8] = [
    "create_time",
    "symbol",
    "sum_open_interest",
    "sum_open_interest_value",
    "count_toptrader_long_short_ratio",
    "sum_toptrader_long_short_ratio",
    "count_long_short_ratio",
    "sum_taker_long_short_vol_ratio",
];
/// Header of `liquidationSnapshot`.
pub const LIQUIDATIONS: [&str; 10] = [
    "time",
    "side",
    "order_type",
    "time_in_force",
    "original_quantity",
    "price",
    "average_price",
    "order_status",
    "last_fill_quantity",
    "accumulated_fill_quantity",
];
/// Time between rows of `metrics`.
pub const METRICS_CADENCE: Span = Span::mins(5);

/// From this label on, `metrics` names the beginning of its five minutes.
pub const LABEL_SWITCH: Ts = Ts::from_civil(2026, 6, 25, 0, 0, 0);

/// Whether, and how, labels are moved to the moment their value was true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LabelShift {
    /// Labels are what they say.
    None,
    /// A `metrics` file of this day: all its labels follow the rule of the day, the midnight after it among them.
    MetricsOfDay(Ts),
    /// `metrics` rows of no known day, as in a joined file: the first row labelled with the switch itself that follows
    /// earlier rows is the last of the old rule.
    MetricsJoined {
        /// The next row at the switch is the old one.
        old_switch_row_due: bool,
    },
}

impl LabelShift {
    /// How far the value lies behind its label.
    pub fn of(&mut self, label: Ts) -> Span {
        let new_rule = match self {
            Self::None => false,
            Self::MetricsOfDay(day) => *day >= LABEL_SWITCH,
            Self::MetricsJoined { old_switch_row_due } => {
                if label < LABEL_SWITCH {
                    *old_switch_row_due = true;
                }
                let is_old = label < LABEL_SWITCH || (label == LABEL_SWITCH && *old_switch_row_due);
                if label >= LABEL_SWITCH {
                    *old_switch_row_due = false;
                }
                !is_old
            }
        };
        if new_rule { METRICS_CADENCE } else { Span::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64, hour: i64, minute: i64) -> Ts {
        Ts::from_civil(2026, 6, day, hour, minute, 0)
    }

    #[test]
    fn a_dated_file_follows_the_rule_of_its_day() {
        let mut old = LabelShift::MetricsOfDay(at(24, 0, 0));
        let mut new = LabelShift::MetricsOfDay(at(25, 0, 0));
        assert_eq!(old.of(at(24, 23, 55)), Span::ZERO);
        assert_eq!(old.of(at(25, 0, 0)), Span::ZERO, "the midnight that ends the old day");
        assert_eq!(new.of(at(25, 0, 0)), METRICS_CADENCE, "the same label again, five minutes later");
        assert_eq!(new.of(at(25, 23, 55)), METRICS_CADENCE);
    }

    #[test]
    fn a_joined_file_has_the_switch_label_twice() {
        let mut shift = LabelShift::MetricsJoined { old_switch_row_due: false };
        let labels = [at(24, 23, 55), at(25, 0, 0), at(25, 0, 0), at(25, 0, 5)];
        let got: Vec<i64> = labels.into_iter().map(|l| shift.of(l).as_secs()).collect();
        assert_eq!(got, [0, 0, 300, 300]);
        let mut later = LabelShift::MetricsJoined { old_switch_row_due: false };
        assert_eq!(later.of(at(25, 0, 0)), METRICS_CADENCE, "a file that begins at the switch is new");
    }
}
