//! Many markets at once: three or more symbols, one family of detectors, within 60 s, are one storm (surveillance §4).
//!
//! Markets do not see each other while they are judged; a storm is made of their records afterwards, in order of time, so
//! that the number of processes that share the work changes nothing.

use barograph_domain::alert::{Change, Family};
use barograph_domain::{Alert, InstrumentName, Pattern, Severity, Span, Ts};
use serde::{Deserialize, Serialize};

/// Symbols that are a storm.
pub const SYMBOLS_MIN: usize = 3;
/// Time between the first and the last of them.
pub const WITHIN: Span = Span::secs(60);
/// Openings looked back at; a market-wide minute has fewer.
const RECENT_MAX: usize = 4_096;

/// A parent of alerts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Storm {
    /// What its children have in common.
    pub family: Family,
    /// Greatest severity among them.
    pub severity: Severity,
    /// When the first of them began.
    pub opened_at: Ts,
    /// When the last of them came in.
    pub last_seen_at: Ts,
    /// Market, pattern and beginning of each, in order of time.
    pub children: Vec<(InstrumentName, Pattern, Ts)>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Opening {
    instrument: InstrumentName,
    pattern: Pattern,
    severity: Severity,
    at: Ts,
}

/// Looks for storms among the records of all markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Storms {
    recent: Vec<Opening>,
    /// The newest storm of each family.
    last: Vec<Storm>,
}

impl Storms {
    /// Takes a record; records come in order of time. Returns the storm it made or joined, as it is now.
    pub fn push(&mut self, instrument: &InstrumentName, alert: &Alert) -> Option<&Storm> {
        let family = alert.pattern.family();
        // Labels and sessions change everywhere at once because the clock does.
        if alert.change != Change::Opened || matches!(family, Family::Session | Family::Regime) {
            return None;
        }
        let at = alert.ts;
        self.recent.retain(|o| at - o.at <= WITHIN);
        if self.recent.len() == RECENT_MAX {
            self.recent.remove(0);
        }
        self.recent.push(Opening {
            instrument: instrument.clone(),
            pattern: alert.pattern,
            severity: alert.severity,
            at,
        });
        let going_on = self.last.iter().position(|s| s.family == family && at - s.last_seen_at <= WITHIN);
        if let Some(place) = going_on {
            let storm = &mut self.last[place];
            storm.last_seen_at = at;
            storm.severity = storm.severity.max(alert.severity);
            storm.children.push((instrument.clone(), alert.pattern, at));
            return self.last.get(place);
        }
        let of_family = || self.recent.iter().filter(|o| o.pattern.family() == family);
        let mut symbols: Vec<&InstrumentName> = of_family().map(|o| &o.instrument).collect();
        symbols.sort_unstable();
        symbols.dedup();
        if symbols.len() < SYMBOLS_MIN {
            return None;
        }
        let storm = Storm {
            family,
            severity: of_family().map(|o| o.severity).max().unwrap_or(alert.severity),
            opened_at: of_family().map(|o| o.at).min().unwrap_or(at),
            last_seen_at: at,
            children: of_family().map(|o| (o.instrument.clone(), o.pattern, o.at)).collect(),
        };
        self.last.retain(|s| s.family != family);
        self.last.push(storm);
        self.last.last()
    }
}
