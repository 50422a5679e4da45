//! Labels of an alert, what silences compare them with, and what one alert has to share with another to mute it.
//!
//! The rules are Alertmanager's (delivery §6.4, §6.5), because people know them: a missing label is an empty value, regular
//! expressions match the whole value, an alert that is a source of a rule is never its target.

use crate::receiver::axis_of;
use barograph_domain::Axis;
use barograph_domain::delivery::{Compare, Matcher, Notice, Silence};
use regex_lite::Regex;
use std::collections::BTreeMap;

/// Names of labels, in the order in which they are shown.
pub const LABELS: [&str; 7] = ["event_type", "instrument", "venue", "symbol", "severity", "axis", "rule"];

/// Labels that have a value.
pub type Labels = BTreeMap<&'static str, String>;

/// The labels of a notice.
#[must_use]
pub fn labels(notice: &Notice) -> Labels {
    let mut out = Labels::new();
    let mut put = |name, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            out.insert(name, value);
        }
    };
    put("event_type", notice.pattern.map(|p| p.name().to_owned()));
    put("instrument", notice.instrument.as_ref().map(ToString::to_string));
    put("venue", notice.instrument.as_ref().map(|i| i.venue.to_string()));
    put("symbol", notice.instrument.as_ref().map(|i| i.symbol.clone()));
    put("severity", Some(notice.severity.name().to_owned()));
    put("axis", axis_of(notice).map(|a| axis_word(a).to_owned()));
    put("rule", notice.rule.clone());
    out
}

const fn axis_word(axis: Axis) -> &'static str {
    match axis {
        Axis::Risk => "risk",
        Axis::Trend => "trend",
        Axis::Volatility => "volatility",
        Axis::Heat => "heat",
    }
}

#[derive(Debug)]
enum Test {
    Is(String),
    IsNot(String),
    Matches(Regex),
    DoesNotMatch(Regex),
}

/// Matchers made ready; all must hold.
#[derive(Debug, Default)]
pub struct Matchers(Vec<(String, Test)>);

impl Matchers {
    /// From a silence's or a rule's matchers.
    ///
    /// # Errors
    /// When a label is not known or a regular expression cannot be read, or when there is no matcher at all, which would mute
    /// everything.
    pub fn new(matchers: &[Matcher]) -> Result<Self, String> {
        if matchers.is_empty() {
            return Err("a silence needs at least one matcher, as in event_type=FEED_STALE".to_owned());
        }
        matchers.iter().map(ready).collect::<Result<_, _>>().map(Self)
    }
    /// Do all hold?
    #[must_use]
    pub fn hold(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(name, test)| {
            let value = labels.get(name.as_str()).map_or("", String::as_str);
            match test {
                Test::Is(want) => value == want,
                Test::IsNot(want) => value != want,
                Test::Matches(pattern) => pattern.is_match(value),
                Test::DoesNotMatch(pattern) => !pattern.is_match(value),
            }
        })
    }
}

fn ready(matcher: &Matcher) -> Result<(String, Test), String> {
    let Matcher { label, op, value } = matcher;
    if !LABELS.contains(&label.as_str()) {
        return Err(format!("'{label}' is no label; write one of {}", LABELS.join(", ")));
    }
    let pattern = || {
        let wrong = |e| format!("'{value}' is not a regular expression: {e}");
        // Alone first: one that closes a bracket it did not open would escape from the anchors.
        Regex::new(value).map_err(wrong)?;
        Regex::new(&format!("^(?:{value})$")).map_err(wrong)
    };
    let test = match op {
        Compare::Is => Test::Is(value.clone()),
        Compare::IsNot => Test::IsNot(value.clone()),
        Compare::Matches => Test::Matches(pattern()?),
        Compare::DoesNotMatch => Test::DoesNotMatch(pattern()?),
    };
    Ok((label.clone(), test))
}

/// Says what is wrong with a silence before it is stored.
///
/// # Errors
/// See [`Matchers::new`]; also when it ends before it begins.
pub fn check_silence(silence: &Silence) -> Result<(), String> {
    if silence.ends_at <= silence.starts_at {
        return Err(format!("a silence from {} cannot end at {}", silence.starts_at, silence.ends_at));
    }
    Matchers::new(&silence.matchers).map(drop)
}

/// While an alert of the sources fires, alerts of the targets with equal values of all `equal` labels are muted.
#[derive(Debug)]
pub struct Inhibition {
    /// What mutes.
    pub source: Matchers,
    /// What is muted.
    pub target: Matchers,
    /// What both have to share; a label missing on both sides is shared.
    pub equal: &'static [&'static str],
}

impl Inhibition {
    /// Does the first mute the second?
    #[must_use]
    pub fn mutes(&self, source: &Labels, target: &Labels) -> bool {
        self.source.hold(source)
            && self.target.hold(target)
            && !self.source.hold(target)
            && self.equal.iter().all(|name| source.get(name) == target.get(name))
    }
    /// A venue that is not heard mutes what is said of its markets.
    #[must_use]
    pub fn by_outage() -> Self {
        let data = |test: fn(Regex) -> Test| {
            // A constant that is tested below; an unreadable one would mute nothing.
            Regex::new("^(?:FEED_STALE|DATA_GAP)$").map_or_else(
                |_unreadable| Matchers(vec![("event_type".to_owned(), Test::Is("?".to_owned()))]),
                |r| Matchers(vec![("event_type".to_owned(), test(r))]),
            )
        };
        Self { source: data(Test::Matches), target: data(Test::DoesNotMatch), equal: &["venue"] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{notice, with};
    use barograph_domain::Pattern;
    use barograph_domain::delivery::Phase;

    type Written<'a> = &'a [(&'a str, Compare, &'a str)];

    fn matchers(of: Written<'_>) -> Result<Matchers, String> {
        let list: Vec<_> = of
            .iter()
            .map(|(label, op, value)| Matcher { label: (*label).into(), op: *op, value: (*value).into() })
            .collect();
        Matchers::new(&list)
    }

    #[test]
    fn silences_compare_whole_values_and_need_every_matcher() {
        let n = labels(&notice("binance-usdm:BTCUSDT", Phase::Firing));
        let cases: [(Written<'_>, bool); 8] = [
            (&[("venue", Compare::Is, "binance-usdm")], true),
            (&[("venue", Compare::Matches, "binance")], false),
            (&[("venue", Compare::Matches, "binance.*")], true),
            (&[("venue", Compare::Matches, "x|binance-usdm")], true),
            (&[("venue", Compare::DoesNotMatch, "okx.*")], true),
            (&[("rule", Compare::Is, "")], true),
            (&[("rule", Compare::IsNot, "")], false),
            (&[("venue", Compare::Is, "binance-usdm"), ("symbol", Compare::Is, "ETHUSDT")], false),
        ];
        for (of, want) in cases {
            assert_eq!(matchers(of).unwrap().hold(&n), want, "{of:?}");
        }
        assert!(matchers(&[]).is_err());
        assert!(matchers(&[("colour", Compare::Is, "red")]).unwrap_err().contains("colour"));
        for unbalanced in ["(", "okx)|(binance", ")"] {
            assert!(matchers(&[("venue", Compare::Matches, unbalanced)]).is_err(), "{unbalanced}");
        }
    }

    #[test]
    fn labels_missing_on_both_sides_are_equal_and_nothing_mutes_itself() {
        let rule = Inhibition {
            source: matchers(&[("event_type", Compare::Is, "FEED_STALE")]).unwrap(),
            target: matchers(&[("severity", Compare::Matches, ".*")]).unwrap(),
            equal: &["axis", "rule"],
        };
        let stale = labels(&with(&notice("okx:BTC-USDT", Phase::Firing), |n| n.pattern = Some(Pattern::FeedStale)));
        let funding = labels(&notice("okx:BTC-USDT", Phase::Firing));
        let ruled = labels(&with(&notice("okx:BTC-USDT", Phase::Firing), |n| n.rule = Some("r".into())));
        assert!(rule.mutes(&stale, &funding));
        assert!(!rule.mutes(&stale, &ruled));
        assert!(!rule.mutes(&stale, &stale));
        let outage = Inhibition::by_outage();
        assert!(outage.mutes(&stale, &funding));
        assert!(!outage.mutes(&stale, &labels(&notice("bybit:BTCUSDT", Phase::Firing))));
        assert!(!outage.mutes(&stale, &stale) && !outage.mutes(&funding, &funding));
    }
}
