//! Labels and sessions as alerts say them: the word that people use, never the enum, and no word for two axes.

use super::fact::capital;
use barograph_domain::{Axis, Label as _, RiskRegime, Span, TradingSession, TrendRegime, VolRegime, spoken_label};

/// "Strong downtrend", "Larger moves"; a word that no axis has is written as it is.
pub(super) fn named(axis: Option<Axis>, word: &str) -> String {
    capital(axis.and_then(|axis| spoken_label(axis, word)).unwrap_or(word))
}

/// "High volatility", "Risk back to normal", "Trend turned sideways", "No heat reading".
pub(super) fn title(axis: Option<Axis>, to: &str) -> String {
    match axis {
        Some(axis) if to == RiskRegime::Unknown.word() => format!("No {} reading", axis.name()),
        Some(Axis::Risk) if to == RiskRegime::Normal.word() => "Risk back to normal".to_owned(),
        Some(Axis::Trend) if to == TrendRegime::Sideways.word() => "Trend turned sideways".to_owned(),
        Some(Axis::Heat) => format!("Heat turned {}", spoken_label(Axis::Heat, to).unwrap_or(to)),
        _ => named(axis, to),
    }
}

/// "Risk turned from normal to squeeze risk.", "Moves turned from explosive to larger."
pub(super) fn change_sentence(axis: Option<Axis>, from: &str, to: &str) -> String {
    let name = axis.map_or("label", Axis::name);
    let said = |word: &str| axis.and_then(|axis| spoken_label(axis, word)).unwrap_or("unknown").to_owned();
    let unread = VolRegime::Unknown.word();
    match axis {
        _ if from == unread => format!("First {name} reading after a break: {}.", said(to)),
        _ if to == unread => format!("No {name} reading any more; the last was {}.", said(from)),
        Some(Axis::Volatility) => {
            let class = |word| said(word).trim_end_matches(" moves").to_owned();
            format!("Moves turned from {} to {}.", class(from), class(to))
        }
        _ => format!("{} turned from {} to {}.", capital(name), said(from), said(to)),
    }
}

/// "High volatility for 7 h now."
pub(super) fn lasts(axis: Option<Axis>, label: &str, span: Span) -> String {
    let what = match axis {
        Some(Axis::Heat) => format!("Heat {}", spoken_label(Axis::Heat, label).unwrap_or(label)),
        _ => named(axis, label),
    };
    format!("{what} for {} now.", span.spoken())
}

/// "London session"
pub(super) fn session(word: &str) -> &'static str {
    TradingSession::ALL.into_iter().find(|s| s.name() == word).map_or("Another session", TradingSession::spoken)
}
