//! What snapshots say agrees with their labels, on real data (UX §1): an axis at the top of its scale never reads as calm, and
//! "nothing unusual" stands only where every axis, the 24 h move and the alerts are quiet, and nothing is asked for twice.

use barograph_testkit::{CALM, is_calm};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked for once is not asked for again in other words.
const PHRASES: [&str; 6] = ["trail stop", "no adding", "smaller size", "wider stop", "review", "keep"];

fn asked_once(text: &str, at: &str) {
    for phrase in PHRASES {
        assert!(text.matches(phrase).count() <= 1, "{at}: '{phrase}' twice: {text}");
    }
}

/// Labels at the top of their axes, as alerts have them.
const TOP: [&str; 5] = ["HIGH_VOL", "EXTREME", "STRONG_UPTREND", "STRONG_DOWNTREND", "SUPER_HOT"];

/// From this percentile of its own 90 days on a move, or a day's volatility, is unusual for its market (UX §1).
const UNUSUAL_FROM: f64 = 0.80;

/// Snapshots seen, those with an axis at its top, and those that say "nothing unusual".
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) all: usize,
    pub(crate) top: usize,
    pub(crate) quiet: usize,
    /// Episodes reported that are not over, by market; those of two markets are no single market's.
    open: BTreeMap<String, BTreeSet<String>>,
    /// Market and minute of the last snapshot that says "nothing unusual", and whether its volatility class is HIGH_VOL.
    quiet_at: Option<(String, String, bool)>,
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
        let text = |field: &str| e[field].as_str().unwrap_or_default();
        let open = self.open.entry(text("instrument").to_owned()).or_default();
        if text("state") == "CLOSED" || text("change") == "HAPPENED" {
            open.remove(text("alert_id"));
        } else if e["asset_pair"].is_null() {
            open.insert(text("alert_id").to_owned());
        }
    }

    /// Judges the readings of a minute; they come behind its snapshot.
    pub(crate) fn readings(&mut self, line: &Value) {
        let Some((instrument, ts, larger)) = self.quiet_at.take() else { return };
        assert!(line["instrument"] == *instrument && line["ts"] == *ts, "readings of {instrument} {ts} are not there");
        let rank = |feature: &str| line["values"][feature].as_f64().unwrap_or(1.0);
        let moved = rank("price_move_24h_pct_90d");
        assert!(moved < UNUSUAL_FROM, "{instrument} {ts} nothing unusual, and a 24 h move of rank {moved}");
        let wild = rank("vol_pct_rank");
        assert!(
            !larger || wild < UNUSUAL_FROM,
            "{instrument} {ts} nothing unusual, and 24 h volatility of rank {wild}"
        );
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
                assert!(!is_calm(text), "{at} {risk} {volatility} {trend} {heat}: {text}");
            }
        }
        said[2..4].iter().for_each(|text| asked_once(text, &at));
        let quiet = said[0].contains("nothing unusual");
        if quiet {
            let calm_labels = risk == "NORMAL"
                && matches!(volatility.as_str(), "STABLE" | "HIGH_VOL")
                && matches!(trend.as_str(), "UPTREND" | "SIDEWAYS" | "DOWNTREND")
                && matches!(
                    (heat.as_str(), said[0].contains("nothing unusual in risk, volatility or trend: ")),
                    ("COLD" | "COOL" | "NEUTRAL", false) | ("UNKNOWN", true)
                );
            assert!(calm_labels, "{at} {risk} {volatility} {trend} {heat}: {}", said[0]);
            let text = |field: &str| s[field].as_str().unwrap().to_owned();
            let open = self.open.get(&text("instrument")).filter(|open| !open.is_empty());
            assert!(open.is_none(), "{at} {}, and open are {open:?}", said[0]);
            self.quiet_at = Some((text("instrument"), text("ts"), volatility == "HIGH_VOL"));
        }
        assert!(!said[0].is_empty() && said[0].matches(". ").count() <= 1, "{at}: {}", said[0]);
        self.all += 1;
        self.top += usize::from(top);
        self.quiet += usize::from(quiet);
    }
}
