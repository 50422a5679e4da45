//! A watch on a signal: a value of somebody's own, or one that is fetched, on one side of a number (R1.19, R4.70).
//!
//! It names readings and declares signals as a rule of the lab and `rules whatif --when` do (`signal x.mood from news within 2h; x.mood.z_7d
//! above 2`); a declaration without source and age may be left out. What does not belong here: which values count in a minute
//! ([`super::minutes`]).

use super::condition::{FRACTION_MAX, WatchedReading, Way, capital, written_number};
use barograph_domain::{SignalName, SignalNumber, Span};
use barograph_engine::explain::significant;
use barograph_study::money::rule::DeclaredSignal;
use barograph_venues::onchain::series::unit_of;

const SHAPE: &str =
    "write 'x.mood above 0.6', or with source and age 'signal x.mood from news within 2h; x.mood.z_7d above 2'";

/// What a watch on a signal waits for.
#[derive(Clone, PartialEq, Debug)]
pub struct WatchedSignal {
    /// Whose values, and how old they may be.
    pub declared: DeclaredSignal,
    /// Which number of it.
    pub number: SignalNumber,
    /// Which way.
    pub way: Way,
    /// The limit: in the unit of the signal, as a fraction, in standard deviations or as a rank of 0 to 1.
    pub limit: f64,
}

/// What is known of a signal in one minute.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SeenSignal {
    /// The number that is watched; `None` where the minute has none.
    pub number: Option<f64>,
    /// The value that it ends at.
    pub value: Option<SeenValue>,
    /// Why there is no number, in a sentence without its end.
    pub why_none: Option<String>,
}

/// One value of a signal, as it stood in a minute.
#[derive(Clone, PartialEq, Debug)]
pub struct SeenValue {
    /// In its unit.
    pub value: f64,
    /// What it is in, where that is known.
    pub unit: Option<String>,
    /// How old it was.
    pub age: Span,
    /// Who measured it.
    pub source: String,
}

/// Is a condition on a signal meant?
pub(super) fn is_meant(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default().to_lowercase();
    first == "signal" || first.starts_with(barograph_domain::signal::SIGNAL_PREFIX) || SignalName::is_fetched(&first)
}

impl WatchedSignal {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut signals, others) = DeclaredSignal::split(text)
            .map_err(|faults| faults.into_iter().next().map_or_else(|| SHAPE.to_owned(), |fault| fault.why))?;
        if signals.len() > 1 {
            return Err("a watch is on one signal; declare the one that it names".to_owned());
        }
        let [condition] = others[..] else {
            return Err(format!("one condition follows the signal; {SHAPE}"));
        };
        let words: Vec<&str> = condition.split_whitespace().collect();
        let [subject, verb, rest @ ..] = words.as_slice() else {
            return Err(format!("'{condition}' is no condition; {SHAPE}"));
        };
        let subject = subject.to_lowercase();
        let (declared, number) = match signals.pop() {
            Some(declared) => {
                let number = SignalNumber::ALL.into_iter().find(|number| number.of(&declared.name) == subject);
                let number = number.ok_or_else(|| undeclared(&subject, &declared.name))?;
                (declared, number)
            }
            None => bare(&subject)?,
        };
        let way = Way::parse(verb)?;
        let limit = limit(&rest.concat(), &declared.name, number)?;
        Ok(Self { declared, number, way, limit })
    }

    /// As it can be read again.
    pub fn written(&self) -> String {
        let Self { declared, number, way, limit } = self;
        let reading = number.of(&declared.name);
        let condition = format!("{reading} {} {limit}", way.name());
        match bare(&reading) {
            Ok(meant) if meant == (declared.clone(), *number) => condition,
            _ => format!("{}; {condition}", declared.written()),
        }
    }

    /// As people read it: "7 d score of x.mood (from news, at most 2 h old) rises above 2σ".
    pub fn words(&self) -> String {
        let from = self.declared.source.as_ref().map(|source| format!("from {source}"));
        let within = self.declared.within.map(|within| format!("at most {} old", within.spoken()));
        let more: Vec<String> = from.into_iter().chain(within).collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
        format!("{}{more} {} {}", self.spoken(), self.way.verb(), self.shown(self.limit, self.unit()))
    }

    /// What a number of it reads as: on its side of the limit or not.
    pub fn reading(&self, number: f64) -> WatchedReading {
        self.way.reading(number, self.limit)
    }

    /// Where it stands: "7 d score of x.mood is 2.4σ, its value 0.71 USD, 12 min old, from news".
    pub fn state(&self, seen: &SeenSignal) -> Option<String> {
        let unit = seen.value.as_ref().and_then(|value| value.unit.as_deref()).or(self.unit());
        let number = self.shown(seen.number?, unit);
        Some(format!("{} is {number}{}", self.spoken(), self.details(seen)))
    }

    /// What happened, for a lock screen and as a sentence with value, unit, age and source.
    pub fn reported(&self, now: &WatchedReading, seen: &SeenSignal) -> (String, String) {
        let unit = seen.value.as_ref().and_then(|value| value.unit.as_deref()).or(self.unit());
        let head = format!("{} {} {}", self.spoken(), self.way.past(now), self.shown(self.limit, unit));
        let is = now.value.map_or_else(String::new, |number| format!(": it is {}", self.shown(number, unit)));
        // A name is written as it is.
        let begins = if self.number == SignalNumber::Value { head.clone() } else { capital(&head) };
        (head, format!("{begins}{is}{}.", self.details(seen)))
    }

    /// What stands behind a number: of a reading its value, then age and source.
    fn details(&self, seen: &SeenSignal) -> String {
        let Some(SeenValue { value, unit, age, source }) = &seen.value else { return String::new() };
        let of = match self.number {
            SignalNumber::Value => String::new(),
            SignalNumber::Delta24h | SignalNumber::Z7d | SignalNumber::Percentile30d => {
                format!(", its value {}", in_unit(*value, unit.as_deref().or(self.unit())))
            }
        };
        format!("{of}, {} old, from {source}", age.spoken())
    }

    /// What the number is called.
    pub fn spoken(&self) -> String {
        let name = &self.declared.name;
        match self.number {
            SignalNumber::Value => name.to_string(),
            SignalNumber::Delta24h => format!("24 h change of {name}"),
            SignalNumber::Z7d => format!("7 d score of {name}"),
            SignalNumber::Percentile30d => format!("30 d rank of {name}"),
        }
    }

    fn shown(&self, x: f64, unit: Option<&str>) -> String {
        match self.number {
            SignalNumber::Value => in_unit(x, unit),
            SignalNumber::Delta24h | SignalNumber::Percentile30d => in_unit(x, Some("fraction")),
            SignalNumber::Z7d => in_unit(x, Some("σ")),
        }
    }

    /// The unit of what is fetched in one only.
    fn unit(&self) -> Option<&'static str> {
        unit_of(&self.declared.name)
    }
}

/// A number in a unit, as people read it.
fn in_unit(x: f64, unit: Option<&str>) -> String {
    match unit {
        // Written elsewhere beside a word that gives its side; here it stands alone.
        Some("σ") => format!("{}{}", if x < 0.0 { "−" } else { "" }, significant(x, "σ")),
        Some("fraction") => significant(x, "fraction"),
        Some(unit) => format!("{} {unit}", significant(x, "")),
        None => significant(x, ""),
    }
}

/// The signal and the number that a word without a declaration means.
fn bare(word: &str) -> Result<(DeclaredSignal, SignalNumber), String> {
    let of = |name: SignalName| DeclaredSignal { name, source: None, within: None };
    let reading = SignalNumber::ALL.into_iter().filter(|number| *number != SignalNumber::Value).find_map(|number| {
        let name = word.strip_suffix(number.ending())?;
        Some((of(SignalName::any(name).ok()?), number))
    });
    match reading {
        Some(found) => Ok(found),
        None => SignalName::any(word).map(|name| (of(name), SignalNumber::Value)).map_err(|e| e.to_string()),
    }
}

fn undeclared(word: &str, name: &SignalName) -> String {
    format!("'{word}' is not declared; of {name} there are {}", SignalNumber::ALL.map(|n| n.of(name)).join(", "))
}

/// The limit as people write it, of a number of a signal.
fn limit(text: &str, name: &SignalName, number: SignalNumber) -> Result<f64, String> {
    let (x, is_percent) = written_number(text)?;
    let what = number.of(name);
    match number {
        SignalNumber::Delta24h if !is_percent && x.abs() > FRACTION_MAX => {
            Err(format!("{text} would be {} %; if percent is meant, write {text} %", x * 100.0))
        }
        SignalNumber::Percentile30d if !(0.0..=1.0).contains(&if is_percent { x / 100.0 } else { x }) => {
            Err(format!("'{text}': a rank lies between 0 and 1; in percent write it as in 95 %"))
        }
        SignalNumber::Delta24h | SignalNumber::Percentile30d => Ok(if is_percent { x / 100.0 } else { x }),
        SignalNumber::Value | SignalNumber::Z7d if is_percent => {
            Err(format!("'{text}': {what} is not written in percent; write the number as it is stored"))
        }
        SignalNumber::Value | SignalNumber::Z7d => Ok(x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_on_signals_are_written_as_rules_declare_them_and_can_be_read_again() {
        for (text, written, words) in [
            ("x.mood above 0.6", "x.mood above 0.6", "x.mood rises above 0.6"),
            ("X.mood > 0.6", "x.mood above 0.6", "x.mood rises above 0.6"),
            ("signal x.mood; x.mood.z_7d below −2σ", "x.mood.z_7d below -2", "7 d score of x.mood falls below −2.0σ"),
            (
                "signal x.mood from 'my desk' within 120m; x.mood.delta_24h crosses -10 %",
                "signal x.mood from 'my desk' within 2h; x.mood.delta_24h crosses -0.1",
                "24 h change of x.mood (from my desk, at most 2 h old) crosses −10.0 %",
            ),
            (
                "fng.value.percentile_30d above 95%",
                "fng.value.percentile_30d above 0.95",
                "30 d rank of fng.value rises above 95.0 %",
            ),
            (
                "defillama.tvl.all below 1,000,000",
                "defillama.tvl.all below 1000000",
                "defillama.tvl.all falls below 1 M USD",
            ),
            // A name that ends as a reading does is one where it is declared.
            ("signal x.a.z_7d; x.a.z_7d above 1", "signal x.a.z_7d; x.a.z_7d above 1", "x.a.z_7d rises above 1"),
        ] {
            assert!(is_meant(text), "{text}");
            let condition = WatchedSignal::parse(text).unwrap();
            assert_eq!(condition.written(), written, "{text}");
            assert_eq!(WatchedSignal::parse(&condition.written()), Ok(condition.clone()), "{text}");
            assert!(condition.words().starts_with(words), "{text}: {}", condition.words());
        }
        assert!(!["price below 5", "risk changes", "realized_vol_1h below 5 %", ""].into_iter().any(is_meant));
    }

    #[test]
    fn what_is_no_condition_on_a_signal_says_what_would_be_one() {
        for (text, wanted) in [
            ("x.mood", "is no condition"),
            ("signal x.mood", "one condition follows"),
            ("signal x.mood for 2h; x.mood above 1", "write 'signal NAME'"),
            ("signal x.mood within 31d; x.mood above 1", "30d at most"),
            ("signal x.mood; signal x.b; x.b above 1", "on one signal"),
            ("signal x.mood; x.moo above 1", "'x.moo' is not declared; of x.mood there are x.mood, x.mood.delta_24h"),
            ("signal x.mood; x.mood.z7 above 1", "x.mood.z_7d"),
            ("x.Mood! above 1", "cannot be the name"),
            ("x.mood near 1", "none of below, above and crosses"),
            ("x.mood above many", "is no number"),
            ("x.mood above 5 %", "not written in percent"),
            ("x.mood.delta_24h above 50", "write 50 %"),
            ("x.mood.percentile_30d above 95", "between 0 and 1"),
            ("x.mood above 1; x.mood above 2", "one condition"),
        ] {
            let refused = WatchedSignal::parse(text).unwrap_err();
            assert!(refused.contains(wanted), "{text}: {refused}");
        }
    }

    #[test]
    fn what_happened_has_value_unit_age_and_source() {
        let seen = |number, unit: Option<&str>| SeenSignal {
            number: Some(number),
            value: Some(SeenValue {
                value: 61.5,
                unit: unit.map(str::to_owned),
                age: Span::mins(12),
                source: "news".to_owned(),
            }),
            why_none: None,
        };
        for (text, number, unit, wanted) in [
            ("x.mood above 60", 61.5, Some("USD"), "x.mood rose above 60 USD: it is 61.5 USD, 12 min old, from news."),
            ("x.mood crosses 62", 61.5, None, "x.mood fell below 62: it is 61.5, 12 min old, from news."),
            (
                "x.mood.z_7d below -2",
                -2.4,
                Some("USD"),
                "7 d score of x.mood fell below −2.0σ: it is −2.4σ, its value 61.5 USD, 12 min old, from news.",
            ),
            (
                "x.mood.delta_24h above 10 %",
                0.125,
                None,
                "24 h change of x.mood rose above 10.0 %: it is 12.5 %, its value 61.5, 12 min old, from news.",
            ),
        ] {
            let condition = WatchedSignal::parse(text).unwrap();
            let seen = seen(number, unit);
            assert_eq!(condition.reported(&condition.reading(number), &seen).1, wanted);
            assert!(condition.state(&seen).unwrap().ends_with("12 min old, from news"));
            assert_eq!(condition.state(&SeenSignal::default()), None);
        }
    }

    /// Every sentence that a watch on a signal makes; with `--nocapture` they are printed.
    #[test]
    fn no_sentence_of_a_watch_on_a_signal_has_a_private_word() {
        let mut voice = barograph_testkit::Voice::default();
        let value =
            SeenValue { value: 0.7, unit: Some("USD".to_owned()), age: Span::hours(3), source: "news".to_owned() };
        let seen = SeenSignal { number: Some(0.7), value: Some(value), why_none: None };
        for number in SignalNumber::ALL {
            for way in ["below", "above", "crosses"] {
                let text = format!("signal x.mood from news within 2h; x.mood{} {way} 0.5", number.ending());
                let condition = WatchedSignal::parse(&text).unwrap();
                voice.check("watch", &condition.words());
                voice.check("watch: state", &condition.state(&seen).unwrap());
                for number in [0.4, 0.7] {
                    let (title, sentence) = condition.reported(&condition.reading(number), &seen);
                    voice.check("watch: title", &title);
                    voice.check("watch: what happened", &sentence);
                }
            }
        }
        for wrong in ["x.mood", "signal x.mood", "x.mood near 1", "x.mood above 5 %", "x.mood.percentile_30d above 95"]
        {
            voice.check("refused", &WatchedSignal::parse(wrong).unwrap_err());
        }
        println!("{}", voice.catalogue());
        let faults: Vec<String> =
            voice.faults().into_iter().filter(|fault| !fault.contains("the word of the wire")).collect();
        assert!(voice.len() > 25 && faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}
