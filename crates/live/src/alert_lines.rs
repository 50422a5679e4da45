//! Log lines about alerts: one for each that opens, under the tag of its family (R4.55).
//!
//! What goes on, rises or closes is no line, nor is what a stronger alert says already: the events have all of it. Patterns
//! without a tag have no line either.

use crate::tags::TAGS;
use barograph_domain::alert::AlertChange;
use barograph_domain::text::escape_control;
use barograph_domain::{Alert, InstrumentName};
use barograph_engine::detect::explain;
use barograph_engine::explain::Minute;

/// Lines of one tag between two ticks; in a storm the others are counted.
const REPORTED_MAX: u32 = 3;

/// Counts what was reported since the last tick.
#[derive(Debug, Default)]
pub(crate) struct AlertLines([u32; TAGS.len()]);

impl AlertLines {
    /// The line for a record, if it is reported.
    pub(crate) fn line(
        &mut self,
        instrument: &InstrumentName,
        alert: &Alert,
        minute: Option<&Minute>,
    ) -> Option<String> {
        if !matches!(alert.change, AlertChange::Opened | AlertChange::Happened) || alert.inhibited_by.is_some() {
            return None;
        }
        let tag = alert.pattern.row().log_tag?;
        let told = TAGS.iter().position(|(t, _)| *t == tag).map(|at| &mut self.0[at])?;
        *told = told.saturating_add(1);
        if *told > REPORTED_MAX {
            return None;
        }
        let (severity, title) = (alert.severity.name(), explain::title_at(alert, minute));
        let line = format!("{tag} {instrument} {severity}: {title}. {}", explain::description_at(alert, minute));
        Some(escape_control(&line).into_owned())
    }

    /// A tick: what was not reported for want of room, one line a tag.
    pub(crate) fn rest(&mut self) -> impl Iterator<Item = String> + use<> {
        let counts = core::mem::take(&mut self.0);
        TAGS.into_iter().zip(counts).filter(|(_, n)| *n > REPORTED_MAX).map(|((tag, _), n)| {
            let more = n - REPORTED_MAX;
            format!("{tag} and {more} more in the same second; see them with: barograph events")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::alert::{AlertState, BaseRate, Datum, Word};
    use barograph_domain::{Pattern, Severity, Trigger, Ts};

    fn alert(pattern: Pattern, trigger: Option<Trigger>, change: AlertChange) -> Alert {
        let at = Ts::from_civil(2026, 2, 5, 15, 0, 0);
        Alert {
            pattern,
            trigger,
            change,
            state: AlertState::Open,
            revision: 1,
            ts: at,
            severity: Severity::High,
            score: 70.0,
            opened_at: at,
            last_seen_at: at,
            closed_at: None,
            window_from: at,
            statistics: Vec::new(),
            data: [("from", "HIGH_VOL"), ("to", "EXTREME")]
                .map(|(name, word)| (Word::from(name), Datum::Word(Word::from(word))))
                .to_vec(),
            base_rate: BaseRate::default(),
            inhibited_by: None,
            other: None,
            rule: None,
        }
    }

    #[test]
    fn what_opens_is_told_under_the_tag_of_its_family() {
        let market: InstrumentName = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let burst = Some(Trigger::Burst);
        for (pattern, trigger, change, begins) in [
            (
                Pattern::LiquidationCascade,
                burst,
                AlertChange::Opened,
                "[CASCADE] binance-usdm:BTCUSDT HIGH: Burst of liquidations. ",
            ),
            (Pattern::ForcedLiquidations, None, AlertChange::Opened, "[CASCADE] binance-usdm:BTCUSDT HIGH: One-sided "),
            (Pattern::FundingAnomaly, None, AlertChange::Opened, "[FUND] binance-usdm:BTCUSDT HIGH: Funding anomaly. "),
            (
                Pattern::FundingReversal,
                None,
                AlertChange::Opened,
                "[FUND] binance-usdm:BTCUSDT HIGH: Funding reversal. ",
            ),
            (
                Pattern::VolatilityRegimeChange,
                Some(Trigger::Volatility),
                AlertChange::Happened,
                "[VOL] binance-usdm:BTCUSDT HIGH: Extreme moves. ",
            ),
            (Pattern::LiquidationCascade, burst, AlertChange::Updated, ""),
            (Pattern::FundingAnomaly, None, AlertChange::Closed, ""),
            (Pattern::SessionChanged, None, AlertChange::Happened, ""),
            (Pattern::BasisManipulation, None, AlertChange::Opened, ""),
        ] {
            let line = AlertLines::default().line(&market, &alert(pattern, trigger, change), None).unwrap_or_default();
            assert!(line.starts_with(begins) && line.is_empty() == begins.is_empty(), "{pattern:?} {change:?}: {line}");
        }
        let said_already = Alert {
            inhibited_by: Some(Pattern::FundingManipulation),
            ..alert(Pattern::FundingAnomaly, None, AlertChange::Opened)
        };
        assert_eq!(AlertLines::default().line(&market, &said_already, None), None);
    }

    #[test]
    fn a_storm_is_a_few_lines_and_a_count_and_the_next_tick_begins_anew() {
        let market: InstrumentName = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let mut lines = AlertLines::default();
        let opened = alert(Pattern::LiquidationCascade, Some(Trigger::Burst), AlertChange::Opened);
        let told = (0..10).filter_map(|_| lines.line(&market, &opened, None)).count();
        assert_eq!(told, 3);
        let funding = alert(Pattern::FundingAnomaly, None, AlertChange::Opened);
        assert!(lines.line(&market, &funding, None).is_some(), "another tag has room of its own");
        let rest: Vec<_> = lines.rest().collect();
        assert_eq!(rest, ["[CASCADE] and 7 more in the same second; see them with: barograph events"]);
        assert_eq!(lines.rest().count(), 0);
        assert!(lines.line(&market, &opened, None).is_some());
    }
}
