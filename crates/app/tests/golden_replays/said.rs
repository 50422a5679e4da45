//! What snapshots say agrees with their labels, on real data (UX §1): an axis at the top of its scale never reads as calm, and
//! "nothing unusual" stands only where every axis, the 24 h move and the alerts are quiet, and nothing is asked for twice.

use serde_json::Value;

const CALM: [&str; 3] = ["no action needed", "nothing unusual", "nothing to do now"];

/// What is asked for once is not asked for again in other words.
const PHRASES: [&str; 6] = ["trail stop", "no adding", "smaller size", "wider stop", "review", "keep"];

fn asked_once(text: &str, at: &str) {
    for phrase in PHRASES {
        assert!(text.matches(phrase).count() <= 1, "{at}: '{phrase}' twice: {text}");
    }
}

/// Labels at the top of their axes, as alerts have them.
const TOP: [&str; 5] = ["HIGH_VOL", "EXTREME", "STRONG_UPTREND", "STRONG_DOWNTREND", "SUPER_HOT"];

/// Snapshots seen, those with an axis at its top, and those that say "nothing unusual".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Said {
    pub(crate) all: usize,
    pub(crate) top: usize,
    pub(crate) quiet: usize,
}

impl Said {
    /// Judges one alert of a replay under the default book: about a label at its top, it never reads as calm.
    pub(crate) fn event(&mut self, e: &Value) {
        let told = ["to", "regime"].into_iter().find_map(|name| e["data"][name].as_str()).unwrap_or_default();
        // HIGH_VOL is the top of the risk axis and an everyday class of volatility.
        let top = TOP.contains(&told) && (told != "HIGH_VOL" || e["data"]["axis"] == "risk");
        for text in ["new_entries", "open_positions"].map(|field| e[field].as_str().unwrap()) {
            assert!(
                !(text.is_empty() || top && CALM.contains(&text)),
                "{} {} {told}: {text}",
                e["instrument"],
                e["ts"]
            );
            asked_once(text, &format!("{} {}", e["instrument"], e["ts"]));
        }
    }

    /// Judges one snapshot of a replay under the default book.
    pub(crate) fn check(&mut self, line: &str) {
        let s: Value = serde_json::from_str(line).unwrap();
        let label = |axis: &str| s["regimes"][axis]["label"].as_str().unwrap().to_owned();
        let (risk, trend, volatility, heat) = (label("risk"), label("trend"), label("volatility"), label("heat"));
        let (g, at) = (&s["guidance"], format!("{} {}", s["instrument"], s["timestamp"]));
        let said = [
            &s["headline"],
            &s["explanation"]["reasoning"],
            &g["new_entries"],
            &g["open_positions"],
            &g["posture_action"],
        ]
        .map(|text| text.as_str().unwrap().to_lowercase());
        let top = risk == "HIGH_VOL" || volatility == "EXTREME" || trend.starts_with("STRONG_") || heat == "SUPER_HOT";
        if top {
            for text in &said {
                assert!(
                    CALM.iter().all(|calm| !text.contains(calm)),
                    "{at} {risk} {volatility} {trend} {heat}: {text}"
                );
            }
        }
        said[2..4].iter().for_each(|text| asked_once(text, &at));
        let quiet = said[0].contains("nothing unusual");
        if quiet {
            let calm_labels = risk == "NORMAL"
                && matches!(volatility.as_str(), "STABLE" | "HIGH_VOL")
                && matches!(trend.as_str(), "UPTREND" | "SIDEWAYS" | "DOWNTREND")
                && matches!(heat.as_str(), "COLD" | "COOL" | "NEUTRAL");
            assert!(calm_labels, "{at} {risk} {volatility} {trend} {heat}: {}", said[0]);
        }
        assert!(!said[0].is_empty() && said[0].matches(". ").count() <= 1, "{at}: {}", said[0]);
        self.all += 1;
        self.top += usize::from(top);
        self.quiet += usize::from(quiet);
    }
}
