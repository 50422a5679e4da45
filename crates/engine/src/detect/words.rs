//! What people read of each pattern. A detector of the table has its words in its row; here stand those of what is judged
//! elsewhere: labels, two markets, data, rules of the user's own.
//!
//! Suspected behaviour has one wording, "pattern consistent with …"; nothing here instructs anybody what to do.

use super::fact::{self, capital, listed, word};
use super::flow_words::FLOW_WORDS;
use super::labels;
use super::meaning;
use super::rarity::fixed_severity;
use super::table::DETECTORS;
use barograph_domain::pattern::Family;
use barograph_domain::{Alert, Kind, Pattern, RiskRegime, Severity, Trigger};

/// How a pattern is reported. Sentences are functions of a record.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// A heading of a few words.
    pub title: fn(&Alert) -> String,
    /// The same within the headline of a market.
    pub short: &'static str,
    /// The behaviour it is consistent with; empty for what has no behaviour behind it.
    pub behaviour: &'static str,
    /// What was measured, in one sentence: number, side, window, and the limit it is alerted at.
    pub fact: fn(&Alert) -> String,
    /// What is measured, as in "it would clear if … fell below 2.7σ".
    pub measure: &'static str,
    /// What would clear it, in one sentence, where an episode goes on above this part of its threshold.
    pub clears: fn(&Alert, f64) -> String,
    /// The risk label whose guidance fits an alert of this severity; `NORMAL` where nothing is to be careful about.
    pub risk: fn(Severity) -> RiskRegime,
    /// What a record says that was measured by a stand-in, where such a record shows no behaviour.
    pub stand_in: Option<&'static str>,
    /// Why it ended, where nothing is left that could be measured.
    pub emptied: Option<&'static str>,
}

/// What is true of most; each has a heading and a fact of its own beside.
pub(super) const PLAIN: Words = Words {
    title: |alert| alert.pattern.name().to_owned(),
    short: "",
    behaviour: "",
    fact: fact::ruled,
    measure: "",
    clears: meaning::below,
    risk: |severity| if severity >= Severity::High { RiskRegime::SqueezeRisk } else { RiskRegime::ChopRisk },
    stand_in: None,
    emptied: None,
};

/// Of a label that changed.
const LABEL: Words = Words {
    title: |alert| labels::title(alert.axis(), word(alert, "to")),
    short: "label change",
    fact: |alert| match alert.revision {
        0 | 1 => labels::change_sentence(alert.axis(), word(alert, "from"), word(alert, "to")),
        _ => labels::lasts(alert.axis(), word(alert, "to"), alert.ts - alert.window_from),
    },
    clears: |alert, _| format!("It lasts until the {} label changes again.", alert.trigger.map_or("", Trigger::name)),
    risk: |_| RiskRegime::Normal,
    ..PLAIN
};

const CONFIRMED: Words = Words {
    title: |alert| format!("{} confirmed on several timeframes", labels::named(alert.axis(), word(alert, "regime"))),
    short: "timeframes agree",
    fact: |alert| format!("{} on {}.", labels::named(alert.axis(), word(alert, "regime")), listed(alert, "timeframes")),
    clears: |_, _| "It lasts while the timeframes agree.".to_owned(),
    ..LABEL
};

const SESSION: Words = Words {
    title: |alert| capital(labels::session(word(alert, "to"))),
    short: "new session",
    fact: |alert| {
        format!(
            "{} began; before it: {}.",
            capital(labels::session(word(alert, "to"))),
            labels::session(word(alert, "from"))
        )
    },
    clears: |_, _| "It lasts until the next session begins.".to_owned(),
    ..LABEL
};

const PAIR: Words = Words {
    title: |alert| parting(alert).to_owned(),
    short: "correlation break",
    fact: fact::parted,
    clears: |_, _| "It clears when the correlation is back within its band.".to_owned(),
    ..PLAIN
};

const LOST: Words = Words {
    title: |_| "Data lost".to_owned(),
    short: "data lost",
    fact: |alert| match listed(alert, "streams") {
        none if none.is_empty() => "All streams that the rules read are back.".to_owned(),
        streams => format!("No reliable data: {streams}."),
    },
    clears: |_, _| "It clears when every stream that the rules read is back.".to_owned(),
    risk: |_| RiskRegime::Unknown,
    ..PLAIN
};

const STALE: Words = Words {
    title: |_| "Data too old".to_owned(),
    short: "data too old",
    fact: |alert| match listed(alert, "inputs") {
        none if none.is_empty() => "All inputs of the rules are within their limits again.".to_owned(),
        inputs => format!("Too old: {inputs}."),
    },
    clears: |_, _| "It clears when the input updates again.".to_owned(),
    ..LOST
};

const OWN_RULE: Words = Words {
    title: |alert| alert.rule.as_ref().map_or_else(|| "Own rule".to_owned(), |id| format!("Own rule {id}")),
    short: "own rule",
    clears: |_, _| "It would clear when its condition no longer holds at its exit thresholds.".to_owned(),
    ..PLAIN
};

const MOVED: Words = Words {
    title: |_| "Readings have shifted".to_owned(),
    short: "readings shifted",
    fact: fact::moved,
    clears: |alert, _| match alert.statistics.first() {
        Some(s) => format!("It would clear after a week with a PSI below {:.2}.", 0.8 * s.threshold),
        None => "It would clear after a week like those before.".to_owned(),
    },
    risk: |_| RiskRegime::Normal,
    ..PLAIN
};

const WORSE: Words = Words {
    title: |alert| format!("Forecasts of {} are worse than persistence", word(alert, "event")),
    short: "forecasts worse",
    fact: fact::worse,
    clears: |alert, _| match alert.statistics.first() {
        Some(s) => format!("It would clear when the skill of 30 days is {} or more.", fact::signed(s.threshold)),
        None => "It would clear when the skill of 30 days is back.".to_owned(),
    },
    risk: |_| RiskRegime::Normal,
    ..PLAIN
};

/// Patterns that no detector of the table looks for.
static OTHERS: [(Pattern, Words); 10] = [
    (Pattern::VolatilityRegimeChange, LABEL),
    (Pattern::RegimeChange, LABEL),
    (Pattern::RegimeConfirmed, CONFIRMED),
    (Pattern::SessionChanged, SESSION),
    (Pattern::CorrelationBreak, PAIR),
    (Pattern::DataGap, LOST),
    (Pattern::FeedStale, STALE),
    (Pattern::AlertRule, OWN_RULE),
    (Pattern::FeatureDrift, MOVED),
    (Pattern::SkillLost, WORSE),
];

/// Below its band is worth a look, rare for the pair is a divergence, and only a negative one is a break.
fn parting(alert: &Alert) -> &'static str {
    if fixed_severity(alert) == Severity::Info {
        "Correlation below its band"
    } else if is_divergence(alert) {
        "Correlation unusually low"
    } else {
        "Correlation break"
    }
}

/// The words of a pattern, whichever way it showed itself: of several ways those of the last.
pub(crate) fn of_pattern(pattern: Pattern) -> &'static Words {
    let judged = DETECTORS.iter().rev().find(|d| d.pattern == pattern).map(|d| &d.words);
    let other = || OTHERS.iter().chain(&FLOW_WORDS).find(|(p, _)| *p == pattern).map(|(_, words)| words);
    judged.or_else(other).unwrap_or(&PLAIN)
}

/// The words of an alert's pattern in the way it showed itself.
pub(super) fn of(alert: &Alert) -> &'static Words {
    let way = DETECTORS.iter().find(|d| d.pattern == alert.pattern && d.trigger == alert.trigger);
    way.map_or_else(|| of_pattern(alert.pattern), |d| &d.words)
}

/// What an alert itself says: a rule of the user's own speaks as one, whatever the type of its events.
pub(super) fn of_speaker(alert: &Alert) -> &'static Words {
    let own = alert.rule.is_some() && alert.pattern.family() != Family::Drift;
    if own { of_pattern(Pattern::AlertRule) } else { of(alert) }
}

/// Is what was measured a stand-in for what the venue does not publish?
pub(super) fn is_proxy(alert: &Alert) -> bool {
    alert.statistics.iter().any(|s| s.kind == Kind::Proxy)
}

/// Rare for the pair and below its band, and above the fixed threshold of a break.
pub(super) fn is_divergence(alert: &Alert) -> bool {
    let own = alert.statistics.iter().any(|s| s.name == "pair_corr_20_pct_180d" && s.decides);
    own && fixed_severity(alert) < Severity::High
}

#[cfg(test)]
mod tests {
    use super::super::meaning::sample;
    use super::*;
    use barograph_domain::alert::AlertChange;
    use std::collections::BTreeSet;

    /// Labels share theirs, and so do the two ways of a cascade.
    #[test]
    fn every_pattern_has_words_of_its_own() {
        let mut headings = BTreeSet::new();
        for pattern in Pattern::ALL {
            let words = of_pattern(*pattern);
            let axis = if *pattern == Pattern::VolatilityRegimeChange { Trigger::Volatility } else { Trigger::Risk };
            let trigger = Some(axis).filter(|_| pattern.family() == Family::Regime);
            let title = (words.title)(&sample(*pattern, trigger, AlertChange::Opened));
            assert!(title != pattern.name() && !words.short.is_empty(), "{pattern:?}");
            assert!(headings.insert(title), "{pattern:?} has the title of another");
        }
    }
}
