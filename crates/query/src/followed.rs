//! What followed an alert, in the words that a terminal and a printed case share: moves, or why there is none. The numbers are made in
//! [`crate::outcomes`]; the page words them by itself.

use barograph_api::cases::SimilarCase;
use barograph_api::outcome::{AlertOutcome, AlertOutcomeSpan};
use barograph_engine::detect::explain::money;

/// A fraction as signed percent with a true minus, three significant digits at most.
#[must_use]
pub fn percent(x: f64) -> String {
    let p = 100.0 * x;
    let decimals = usize::from(p.abs() < 99.95);
    // What rounds to nothing has no direction.
    let sign = match p {
        p if p.abs() < 0.05 => "",
        p if p < 0.0 => "−",
        _ => "+",
    };
    format!("{sign}{:.decimals$} %", p.abs())
}

/// A stretch after an alert.
#[must_use]
pub fn horizon(word: &str) -> &str {
    match word {
        "5m" => "5 min",
        "1h" => "1 h",
        "4h" => "4 h",
        other => other,
    }
}

/// Why something that followed is not known.
#[must_use]
pub fn why(reason: Option<&str>) -> &'static str {
    match reason {
        Some("not_over") => "not over yet",
        Some("gap") => "too few minutes are recorded",
        Some("too_coarse") => "prices are too far apart here",
        Some("not_offered") => "the venue does not publish it",
        Some("not_stored") => "no minute of that time is stored",
        _ => "not known",
    }
}

/// How far the price went, "−1.2 % (0.8 ATR)", or why that is not known.
#[must_use]
pub fn moved(span: &AlertOutcomeSpan) -> String {
    let Some(moved) = span.max_move else { return why(span.reason).to_owned() };
    let atr = span.max_move_atr.map_or_else(String::new, |atr| format!(" ({atr:.1} ATR)"));
    percent(moved) + &atr
}

/// What was liquidated in the hour after it, "1.50 M USD", or why that is not known.
#[must_use]
pub fn liquidated(outcome: &AlertOutcome) -> String {
    match outcome.liquidated_usd_1h {
        Some(usd) => format!("{} USD", money(usd)),
        None => why(outcome.liquidated_usd_1h_reason).to_owned(),
    }
}

/// What followed a similar case, in one line: "farthest price after 5 min: −0.4 % (0.3 ATR); …".
#[must_use]
pub fn line(case: &SimilarCase) -> String {
    let Some(outcome) = &case.outcome else { return format!("what followed: {}", why(case.outcome_reason)) };
    let moves = outcome.spans.iter().map(|span| format!("{} {}", horizon(span.horizon), moved(span)));
    let moves: Vec<String> = moves.collect();
    format!("farthest price after {}; liquidated in 1 h: {}", moves.join(", "), liquidated(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    fn span(horizon: &'static str, max_move: Option<f64>, reason: Option<&'static str>) -> AlertOutcomeSpan {
        let max_move_atr = max_move.map(|m| m.abs() * 100.0);
        AlertOutcomeSpan { horizon, max_move, max_move_atr, vol_change: None, reason }
    }

    #[test]
    fn moves_have_their_sign_and_what_is_missing_its_reason() {
        let spans = vec![
            span("5m", Some(-0.004), None),
            AlertOutcomeSpan { max_move_atr: None, ..span("1h", Some(0.012), None) },
            span("4h", None, Some("not_over")),
        ];
        let outcome = AlertOutcome {
            from: Ts(0),
            price: Some(100.0),
            atr: None,
            spans,
            liquidated_usd_1h: Some(1_500_000.0),
            liquidated_usd_1h_reason: None,
        };
        let moves: Vec<String> = outcome.spans.iter().map(moved).collect();
        assert_eq!(moves, ["−0.4 % (0.4 ATR)", "+1.2 %", "not over yet"]);
        assert_eq!(liquidated(&outcome), "1.50 M USD");
        let silent = AlertOutcome { liquidated_usd_1h: None, liquidated_usd_1h_reason: Some("not_offered"), ..outcome };
        assert_eq!(liquidated(&silent), "the venue does not publish it");
    }

    /// What has no words of its own is never empty.
    #[test]
    fn every_reason_has_words() {
        for reason in [None, Some("warming"), Some("gap"), Some("too_coarse"), Some("not_stored")] {
            assert!(!why(reason).is_empty());
        }
    }
}
