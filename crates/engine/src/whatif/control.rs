//! A threshold as people turn it: between which ends, by which step, and which way it moves what.

use super::edit::Place;
use crate::catalogue::Feature;

/// Ends and step of a threshold. Values beyond the ends can be meant; these are where looking is worth while.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Control {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// One step; the book's own value lies a whole number of them from zero.
    pub step: f64,
}

/// How far beyond the book's value the ends lie.
const REACH: f64 = 3.0;
/// Steps between zero and an end, at least.
const STEPS_MIN: f64 = 60.0;

impl Control {
    /// Of a threshold; `scale` is the margin unit of its feature.
    #[must_use]
    pub fn of(place: &Place, scale: Option<f64>) -> Self {
        if place.is_share() {
            return Self { low: 0.0, high: 1.0, step: step_for(0.6, place.value) };
        }
        let size = place.value.abs();
        let reach = if size > 0.0 { size * REACH } else { scale.unwrap_or(1.0) * REACH };
        let step = step_for(reach, place.value);
        // What is a whole number of steps but for the last digit is one.
        let end = (reach / step - 1e-6).ceil() * step;
        // Twelve digits: a multiple of a decimal step is none to a computer.
        let end = format!("{end:.11e}").parse().unwrap_or(end);
        Self {
            low: if place.abs || place.value > 0.0 { 0.0 } else { -end },
            high: if place.value < 0.0 { 0.0 } else { end },
            step,
        }
    }
}

/// The largest of 1, 2, 5 times a power of ten that leaves enough steps and of which the value is a multiple.
fn step_for(reach: f64, value: f64) -> f64 {
    let all = (-9..=9).rev().flat_map(|e| [5, 2, 1].map(|m| format!("{m}e{e}")));
    let whole = |step: f64| {
        let times = value / step;
        (times - times.round()).abs() < 1e-6
    };
    let fits = |step: &f64| reach / step >= STEPS_MIN && whole(*step);
    all.filter_map(|text| text.parse().ok()).find(fits).unwrap_or(reach / STEPS_MIN)
}

impl Place {
    /// Does it lie between 0 and 1 by its nature?
    #[must_use]
    pub fn is_share(&self) -> bool {
        self.feature.spec().ranks.is_some() || self.feature.spec().unit == "[0,1]"
    }

    /// What it asks for, and what follows when it asks for more: `what`, as in "less time in HIGH_VOL".
    #[must_use]
    pub fn meaning(&self, what: &str) -> String {
        let spoken = spoken(self.feature);
        let asked = match (self.feature.spec().ranks, self.abs) {
            (Some(_), _) => {
                let days = days_of(self.feature).unwrap_or("past");
                format!("How {spoken} ranks within its {days} has to be {} this.", side(self.op))
            }
            (None, true) => format!("{}, up or down, has to be {} this.", first_upper(spoken), side(self.op)),
            (None, false) => format!("{} has to be {} this.", first_upper(spoken), side(self.op)),
        };
        match self.op.as_bytes().first() {
            Some(b'>') => format!("{asked} A higher value means {what}."),
            Some(b'<') => format!("{asked} A lower value means {what}."),
            _ => asked,
        }
    }
}

fn spoken(feature: Feature) -> &'static str {
    feature.spec().spoken
}

/// `last 90 days` of `…_pct_90d`.
fn days_of(feature: Feature) -> Option<&'static str> {
    let (_, window) = feature.id().rsplit_once("_pct_")?;
    match window {
        "90d" => Some("last 90 days"),
        "30d" => Some("last 30 days"),
        _ => None,
    }
}

fn side(op: &str) -> &'static str {
    match op {
        ">" => "above",
        ">=" => "at or above",
        "<" => "below",
        "<=" => "at or below",
        _ => "exactly",
    }
}

fn first_upper(text: &str) -> String {
    crate::explain::capitalised(text)
}

#[cfg(test)]
mod tests {
    use super::super::place_of;
    use super::*;
    use crate::rules::RuleBook;

    fn of(name: &str) -> (Place, Control) {
        let book = RuleBook::shipped("default").unwrap();
        let (place, _) = place_of(&book, name).unwrap();
        let control = Control::of(&place, book.scale(place.feature));
        (place, control)
    }

    #[test]
    fn ends_hold_the_value_and_steps_meet_it() {
        for (name, low, high, step) in [
            ("HIGH_VOL.realized_vol_1h", 0.0, 2.4, 0.02),
            ("HIGH_VOL.realized_vol_1h_pct_90d", 0.0, 1.0, 0.01),
            ("SQUEEZE_RISK.funding_zscore_24h", 0.0, 6.0, 0.1),
            ("SQUEEZE_RISK.oi_delta_4h", -0.15, 0.15, 0.002),
            ("CHOP_RISK.oi_delta_1h", 0.0, 0.06, 0.001),
            ("trend.DOWNTREND.slope_pct", -0.15, 0.0, 0.002),
            ("volatility.HIGH_VOL.vol_daily", 0.0, 0.03, 0.0005),
            ("heat.COLD.vol_z_30d", -3.0, 3.0, 0.05),
        ] {
            let (_, control) = of(name);
            assert_eq!(control, Control { low, high, step }, "{name}");
        }
    }

    #[test]
    fn every_shipped_value_lies_within_its_ends_on_a_step() {
        for name in RuleBook::SHIPPED {
            let book = RuleBook::shipped(name).unwrap();
            for place in Place::all(&book) {
                let c = Control::of(&place, book.scale(place.feature));
                let steps = place.value / c.step;
                assert!(c.low <= place.value && place.value <= c.high, "{name} {}: {c:?}", place.name());
                assert!((steps - steps.round()).abs() < 1e-6, "{name} {}: {c:?}", place.name());
            }
        }
    }

    #[test]
    fn what_a_threshold_asks_for_is_said_with_the_way_it_moves() {
        for (name, want) in [
            ("HIGH_VOL.realized_vol_1h", "1 h volatility has to be above this. A higher value means less HIGH_VOL."),
            (
                "HIGH_VOL.realized_vol_1h_pct_90d",
                "How 1 h volatility ranks within its last 90 days has to be above this. A higher value means less HIGH_VOL.",
            ),
            (
                "CHOP_RISK.oi_delta_1h",
                "Open interest in 1 h, up or down, has to be below this. A lower value means less CHOP_RISK.",
            ),
        ] {
            let (place, _) = of(name);
            assert_eq!(place.meaning(&format!("less {}", place.rule)), want);
        }
    }
}
