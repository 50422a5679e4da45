//! What a watch waits for: read from the words people write, judged minute by minute.
//!
//! A condition has a reading in each published row, or none where the row has none; it turns between two readings, whatever lies
//! between them. Nothing else is remembered of the past, so that stopping and starting changes nothing.

use super::signal::{self, SeenSignal, WatchedSignal};
use barograph_domain::regime::spoken_label;
use barograph_domain::{Axis, HeatRegime, Label, MinuteRow, RiskRegime, TrendRegime, VolRegime};
use barograph_engine::Feature;
use barograph_engine::explain::{price, significant};

const AXES: [Axis; 4] = [Axis::Risk, Axis::Trend, Axis::Volatility, Axis::Heat];
/// A fraction beyond this was meant as percent: no volatility, share or rank is 1,000 %.
pub(super) const FRACTION_MAX: f64 = 10.0;
/// How conditions are written.
pub const FORMS: &str = "write AXIS leaves LABEL, AXIS becomes LABEL, AXIS changes, or a feature, signal or price that is below, above \
                         or crosses a number, as in 'realized_vol_1h below 72 %'";

/// What a watch waits for: a label of an axis that leaves or becomes another, or a price, feature or signal on one side of a number (R4.70).
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    /// The published label of an axis.
    Label(Axis, WatchedLabel),
    /// A number against a limit.
    Level {
        /// Which number.
        of: Quantity,
        /// Which way.
        way: Way,
        /// The limit.
        limit: f64,
    },
    /// A number of a signal against a limit.
    Signal(WatchedSignal),
}

/// What a label does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchedLabel {
    /// It is this one no more.
    Leaves(&'static str),
    /// It is this one now.
    Becomes(&'static str),
    /// It is another one.
    Changes,
}

/// Which number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// The price of the row: mark, else last.
    Price,
    /// A feature.
    Feature(Feature),
}

/// Which way a number passes its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// It is lower.
    Below,
    /// It is higher.
    Above,
    /// It was lower and is not, or was not and is.
    Crosses,
}

/// What a condition sees in one row.
#[derive(Clone, PartialEq, Debug)]
pub struct WatchedReading {
    /// What is compared between rows: a label, or `yes` and `no`.
    pub word: &'static str,
    /// The number behind it.
    pub value: Option<f64>,
}

const YES: &str = "yes";
const NO: &str = "no";

impl Condition {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if signal::is_meant(text) {
            return WatchedSignal::parse(text).map(Self::Signal);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let [subject, verb, rest @ ..] = words.as_slice() else {
            return Err(format!("'{text}' is no condition; {FORMS}"));
        };
        let verb = verb.to_lowercase();
        let lower = subject.to_lowercase();
        if let Some(axis) = AXES.into_iter().find(|a| a.name() == lower) {
            return watched_label(axis, &verb, rest).map(|turn| Self::Label(axis, turn));
        }
        let of = if lower == "price" { Quantity::Price } else { Quantity::Feature(feature(&lower)?) };
        let way = Way::parse(&verb)?;
        let limit = number(&rest.concat(), of)?;
        Ok(Self::Level { of, way, limit })
    }

    /// As it can be read again.
    pub fn written(&self) -> String {
        match self {
            Self::Label(axis, WatchedLabel::Leaves(label)) => format!("{} leaves {label}", axis.name()),
            Self::Label(axis, WatchedLabel::Becomes(label)) => format!("{} becomes {label}", axis.name()),
            Self::Label(axis, WatchedLabel::Changes) => format!("{} changes", axis.name()),
            Self::Level { of, way, limit } => format!("{} {} {limit}", of.id(), way.name()),
            Self::Signal(of) => of.written(),
        }
    }

    /// As people read it: "risk is no longer high volatility", "1 h volatility falls below 72 %".
    pub fn words(&self) -> String {
        match self {
            Self::Label(axis, WatchedLabel::Leaves(label)) => {
                format!("{} is no longer {}", axis.name(), people(*axis, label))
            }
            Self::Label(axis, WatchedLabel::Becomes(label)) => {
                format!("{} turns to {}", axis.name(), people(*axis, label))
            }
            Self::Label(axis, WatchedLabel::Changes) => format!("the {} label changes", axis.name()),
            Self::Level { of, way, limit } => format!("{} {} {}", of.spoken(), way.verb(), of.shown(*limit)),
            Self::Signal(of) => of.words(),
        }
    }

    /// The signal that is watched; `None` where the condition is of market data alone.
    pub const fn signal(&self) -> Option<&WatchedSignal> {
        match self {
            Self::Signal(of) => Some(of),
            Self::Label(..) | Self::Level { .. } => None,
        }
    }

    /// What a row says; `None` where it has no reading, as for a signal, which is no part of a row.
    pub fn reading(&self, row: &MinuteRow) -> Option<WatchedReading> {
        match self {
            Self::Label(axis, _) => label_of(*axis, row).map(|word| WatchedReading { word, value: None }),
            Self::Level { of, way, limit } => Some(way.reading(of.value(row)?, *limit)),
            Self::Signal(_) => None,
        }
    }

    /// Does it come true between two readings?
    pub fn becomes_met(&self, before: &str, now: &str) -> bool {
        match self {
            Self::Label(_, WatchedLabel::Leaves(label)) => before == *label && now != *label,
            _ => before != now && self.is_met(now).unwrap_or(true),
        }
    }

    /// Is it met as it stands; `None` for what only a change can meet.
    pub fn is_met(&self, now: &str) -> Option<bool> {
        match self {
            Self::Label(_, WatchedLabel::Leaves(label)) => Some(now != *label),
            Self::Label(_, WatchedLabel::Becomes(label)) => Some(now == *label),
            Self::Level { way, .. } | Self::Signal(WatchedSignal { way, .. }) => {
                (*way != Way::Crosses).then_some(now == YES)
            }
            Self::Label(_, WatchedLabel::Changes) => None,
        }
    }

    /// Where it stands: "1 h volatility is 124 %", "risk is high volatility". Of a signal [`WatchedSignal::state`] states more.
    pub fn state(&self, reading: &WatchedReading) -> String {
        match (self, reading.value) {
            (Self::Label(axis, _), _) => format!("{} is {}", axis.name(), people(*axis, reading.word)),
            (Self::Level { of, .. }, Some(value)) => format!("{} is {}", of.spoken(), of.shown(value)),
            (Self::Level { of, .. }, None) => format!("{} is not known", of.spoken()),
            (Self::Signal(of), number) => {
                let seen = SeenSignal { number, ..SeenSignal::default() };
                of.state(&seen).unwrap_or_else(|| format!("{} is not known", of.spoken()))
            }
        }
    }

    /// What happened, for a lock screen and as a sentence with its numbers. Of a signal [`WatchedSignal::reported`] states more.
    pub fn reported(&self, before: &str, now: &WatchedReading) -> (String, String) {
        match self {
            Self::Label(axis, turn) => {
                let (from, to) = (people(*axis, before), people(*axis, now.word));
                let head = match turn {
                    WatchedLabel::Leaves(_) => format!("no longer {from}"),
                    WatchedLabel::Becomes(_) | WatchedLabel::Changes => format!("{} now {to}", axis.name()),
                };
                (head, format!("{} turned from {from} to {to}.", capital(axis.name())))
            }
            Self::Level { of, way, limit } => {
                let (value, limit) = (of.shown(now.value.unwrap_or(*limit)), of.shown(*limit));
                let head = format!("{} {} {limit}", of.spoken(), way.past(now));
                // Two numbers that read alike would contradict the sentence.
                let is = if value == limit { String::new() } else { format!(": it is {value}") };
                (head.clone(), format!("{}{is}.", capital(&head)))
            }
            Self::Signal(of) => of.reported(now, &SeenSignal::default()),
        }
    }
}

impl Quantity {
    fn id(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Feature(feature) => feature.id(),
        }
    }
    fn spoken(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Feature(feature) => feature.spec().spoken,
        }
    }
    fn value(self, row: &MinuteRow) -> Option<f64> {
        match self {
            Self::Price => row.price,
            Self::Feature(feature) => row.cells.get(feature.index())?.ready(),
        }
    }
    fn shown(self, x: f64) -> String {
        match self {
            Self::Price => price(x),
            Self::Feature(feature) => {
                let unit = feature.spec().unit;
                // The words around a distance say its side elsewhere; here it stands alone.
                let sign = if unit == "σ" && x < 0.0 { "−" } else { "" };
                format!("{sign}{}", significant(x, unit)).replace('-', "−")
            }
        }
    }
    /// In percent where people write percent.
    fn is_fraction(self) -> bool {
        matches!(self, Self::Feature(f) if f.spec().unit.contains("fraction") || f.spec().unit == "[0,1]")
    }
}

impl Way {
    pub(super) fn parse(verb: &str) -> Result<Self, String> {
        match verb.to_lowercase().as_str() {
            "below" | "<" | "<=" | "under" => Ok(Self::Below),
            "above" | ">" | ">=" | "over" => Ok(Self::Above),
            "crosses" => Ok(Self::Crosses),
            other => Err(format!("'{other}' is none of below, above and crosses; {FORMS}")),
        }
    }
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::Above => "above",
            Self::Crosses => "crosses",
        }
    }
    /// What is waited for.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Below => "falls below",
            Self::Above => "rises above",
            Self::Crosses => "crosses",
        }
    }
    /// What happened.
    pub(super) fn past(self, now: &WatchedReading) -> &'static str {
        match (self, now.word == YES) {
            (Self::Below, _) | (Self::Crosses, false) => "fell below",
            (Self::Above, _) | (Self::Crosses, true) => "rose above",
        }
    }
    pub(super) fn reading(self, value: f64, limit: f64) -> WatchedReading {
        let is = match self {
            Self::Below => value < limit,
            Self::Above => value > limit,
            Self::Crosses => value >= limit,
        };
        WatchedReading { word: if is { YES } else { NO }, value: Some(value) }
    }
}

/// The published label of an axis; `None` where a needed input is missing.
fn label_of(axis: Axis, row: &MinuteRow) -> Option<&'static str> {
    fn word<L: Label>(label: L) -> Option<&'static str> {
        (label != L::UNKNOWN).then(|| label.word())
    }
    match axis {
        Axis::Risk => word(row.risk.label),
        Axis::Trend => word(row.trend.label),
        Axis::Volatility => word(row.volatility.label),
        Axis::Heat => word(row.heat.label),
    }
}

/// A label as people say it; a word of a later version as it is written.
fn people(axis: Axis, label: &str) -> &str {
    spoken_label(axis, label).unwrap_or(label)
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn watched_label(axis: Axis, verb: &str, rest: &[&str]) -> Result<WatchedLabel, String> {
    match (verb, rest) {
        ("changes", []) => Ok(WatchedLabel::Changes),
        ("leaves", [label]) => label_word(axis, label).map(WatchedLabel::Leaves),
        ("becomes", [label]) => label_word(axis, label).map(WatchedLabel::Becomes),
        _ => Err(format!("a label leaves or becomes another one, or changes; {FORMS}")),
    }
}

fn label_word(axis: Axis, word: &str) -> Result<&'static str, String> {
    fn find<L: Label>(word: &str) -> Result<&'static str, Vec<&'static str>> {
        let known = || L::LABELS.iter().filter(|l| **l != L::UNKNOWN).map(|l| l.word());
        known().find(|w| w.eq_ignore_ascii_case(word)).ok_or_else(|| known().collect())
    }
    let found = match axis {
        Axis::Risk => find::<RiskRegime>(word),
        Axis::Trend => find::<TrendRegime>(word),
        Axis::Volatility => find::<VolRegime>(word),
        Axis::Heat => find::<HeatRegime>(word),
    };
    found.map_err(|known| format!("'{word}' is no label of {}; there are {}", axis.name(), known.join(", ")))
}

fn feature(id: &str) -> Result<Feature, String> {
    Feature::from_id(id).ok_or_else(|| {
        let known = barograph_engine::CATALOGUE.iter().map(|spec| spec.id).chain(["price"]);
        match barograph_api::nearest(id, known.chain(AXES.iter().map(|a| a.name()))) {
            Some(like) => format!("there is no feature '{id}'; did you mean '{like}'?"),
            None => format!("there is no feature '{id}'; see them with: barograph features"),
        }
    })
}

/// A number as people write it, `65,000`, `72 %`, `−2.6σ`, and whether it is in percent.
pub(super) fn written_number(text: &str) -> Result<(f64, bool), String> {
    let plain: String = text.replace(['−', '–'], "-").chars().filter(|c| *c != ',' && *c != '_').collect();
    let (plain, percent) = match plain.strip_suffix('%') {
        Some(rest) => (rest.to_owned(), true),
        None => (plain.strip_suffix('σ').unwrap_or(&plain).to_owned(), false),
    };
    let x: f64 = plain.parse().map_err(|_not_a_number| format!("'{text}' is no number; {FORMS}"))?;
    if !x.is_finite() {
        return Err(format!("'{text}' is no number that can be reached"));
    }
    Ok((x, percent))
}

fn number(text: &str, of: Quantity) -> Result<f64, String> {
    let (x, percent) = written_number(text)?;
    let what = of.id();
    match (of, percent) {
        (Quantity::Price, true) => Err(format!("'{text}': a price is no share; write it in the quote currency")),
        (Quantity::Price, false) if x <= 0.0 => Err(format!("'{text}': a price is above zero")),
        (_, true) if !of.is_fraction() => Err(format!("'{text}': {what} is not written in percent")),
        (_, true) => Ok(x / 100.0),
        (_, false) if of.is_fraction() && x.abs() > FRACTION_MAX => {
            Err(format!("{text} would be {} %; if percent is meant, write {text} %", x * 100.0))
        }
        (_, false) => Ok(x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{AxisState, Cell, Kind, Reason, Ts};

    fn row(risk: RiskRegime, price: Option<f64>, vol: Option<f64>) -> MinuteRow {
        let mut row = MinuteRow::bare(Ts(0));
        row.cells = vec![Cell::undefined(Reason::MissingInput); barograph_engine::CATALOGUE.len()];
        if let Some(x) = vol {
            row.cells[Feature::from_id("realized_vol_1h").unwrap().index()] = Cell::ready_at(x, Ts(0), Kind::Measured);
        }
        row.risk = AxisState { label: risk, ..AxisState::default() };
        row.price = price;
        row
    }

    #[test]
    fn conditions_are_read_as_people_write_them_and_can_be_read_again() {
        for (text, written, words) in [
            ("risk leaves HIGH_VOL", "risk leaves HIGH_VOL", "risk is no longer high volatility"),
            ("volatility becomes high_vol", "volatility becomes HIGH_VOL", "volatility turns to larger moves"),
            ("trend changes", "trend changes", "the trend label changes"),
            ("price crosses 65,000", "price crosses 65000", "price crosses 65,000"),
            ("realized_vol_1h below 72 %", "realized_vol_1h below 0.72", "1 h volatility falls below 72 %"),
            ("realized_vol_1h < 0.72", "realized_vol_1h below 0.72", "1 h volatility falls below 72 %"),
            ("funding_zscore_24h below −2.6σ", "funding_zscore_24h below -2.6", "falls below −2.6σ"),
        ] {
            let condition = Condition::parse(text).unwrap();
            assert_eq!(condition.written(), written, "{text}");
            assert_eq!(Condition::parse(&condition.written()), Ok(condition.clone()), "{text}");
            assert!(condition.words().ends_with(words), "{text}: {}", condition.words());
        }
    }

    #[test]
    fn what_is_no_condition_says_what_would_be_one() {
        for (text, says) in [
            ("", "is no condition"),
            ("price", "is no condition"),
            ("risk leaves HIGHVOL", "there are NORMAL"),
            ("risk becomes UNKNOWN", "is no label"),
            ("risk is HIGH_VOL", "leaves or becomes"),
            ("price near 3", "none of below, above and crosses"),
            ("price crosses", "is no number"),
            ("price crosses nan", "no number"),
            ("price below 5 %", "no share"),
            ("price below -5", "above zero"),
            ("realised_vol_1h below 3", "did you mean 'realized_vol_1h'?"),
            ("realized_vol_1h below 72", "write 72 %"),
            ("funding_zscore_24h above 3 %", "not written in percent"),
        ] {
            let refused = Condition::parse(text).unwrap_err();
            assert!(refused.contains(says), "{text}: {refused}");
        }
    }

    #[test]
    fn a_turn_is_between_two_readings_and_a_missing_one_is_none() {
        use RiskRegime as R;
        let seen = |text: &str, row: &MinuteRow| Condition::parse(text).unwrap().reading(row).map(|r| r.word);
        let calm = row(R::Normal, Some(100.0), Some(0.5));
        assert_eq!(seen("risk leaves HIGH_VOL", &calm), Some("NORMAL"));
        assert_eq!(seen("risk leaves HIGH_VOL", &row(R::Unknown, None, None)), None);
        assert_eq!(seen("realized_vol_1h below 0.5", &calm), Some("no"), "at the limit is not below it");
        assert_eq!(seen("realized_vol_1h above 0.5", &calm), Some("no"));
        assert_eq!(seen("realized_vol_1h below 0.6", &row(R::Normal, None, None)), None);
        assert_eq!(seen("price crosses 100", &calm), Some("yes"));
        for (text, before, now, want) in [
            ("risk leaves HIGH_VOL", "HIGH_VOL", "CHOP_RISK", true),
            ("risk leaves HIGH_VOL", "CHOP_RISK", "HIGH_VOL", false),
            ("risk becomes HIGH_VOL", "NORMAL", "HIGH_VOL", true),
            ("risk becomes HIGH_VOL", "NORMAL", "CHOP_RISK", false),
            ("risk changes", "NORMAL", "CHOP_RISK", true),
            ("risk changes", "NORMAL", "NORMAL", false),
            ("price below 5", "no", "yes", true),
            ("price below 5", "yes", "no", false),
            ("price crosses 5", "yes", "no", true),
        ] {
            assert_eq!(Condition::parse(text).unwrap().becomes_met(before, now), want, "{text} {before} {now}");
        }
        // What left a third label was never there.
        assert!(!Condition::parse("risk leaves HIGH_VOL").unwrap().becomes_met("NORMAL", "CHOP_RISK"));
    }

    #[test]
    fn what_happened_is_told_with_its_numbers() {
        let told = |text: &str, before: &str, row: &MinuteRow| {
            let condition = Condition::parse(text).unwrap();
            condition.reported(before, &condition.reading(row).unwrap())
        };
        let now = row(RiskRegime::ChopRisk, Some(64_990.0), Some(0.69));
        let (title, text) = told("risk leaves HIGH_VOL", "HIGH_VOL", &now);
        assert_eq!(
            (title.as_str(), text.as_str()),
            ("no longer high volatility", "Risk turned from high volatility to chop risk.")
        );
        let (title, text) = told("realized_vol_1h below 0.72", "no", &now);
        assert_eq!(
            (title.as_str(), text.as_str()),
            ("1 h volatility fell below 72 %", "1 h volatility fell below 72 %: it is 69 %.")
        );
        assert_eq!(told("price crosses 65000", "yes", &now).0, "price fell below 65,000");
    }

    fn labels_of(axis: Axis) -> Vec<&'static str> {
        fn all<L: Label>() -> Vec<&'static str> {
            L::LABELS.iter().filter(|l| **l != L::UNKNOWN).map(|l| l.word()).collect()
        }
        match axis {
            Axis::Risk => all::<RiskRegime>(),
            Axis::Trend => all::<TrendRegime>(),
            Axis::Volatility => all::<VolRegime>(),
            Axis::Heat => all::<HeatRegime>(),
        }
    }

    /// The catalogue of what watches say; with `--nocapture` it is printed.
    #[test]
    fn no_sentence_of_a_watch_has_a_private_word() {
        let mut voice = barograph_testkit::Voice::default();
        let mut all: Vec<String> =
            ["below 65000", "above 65000", "crosses 65000"].map(|way| format!("price {way}")).to_vec();
        all.extend(barograph_engine::CATALOGUE.iter().map(|spec| format!("{} above 0.5", spec.id)));
        for axis in AXES {
            all.push(format!("{} changes", axis.name()));
            all.extend(
                labels_of(axis)
                    .iter()
                    .flat_map(|l| ["leaves", "becomes"].map(|verb| format!("{} {verb} {l}", axis.name()))),
            );
        }
        let mut read = 0;
        for text in &all {
            let Ok(condition) = Condition::parse(text) else { continue };
            read += 1;
            voice.check("watch", &condition.words());
            let words: Vec<&'static str> = match &condition {
                Condition::Label(axis, _) => labels_of(*axis),
                Condition::Level { .. } | Condition::Signal(_) => vec![YES, NO],
            };
            for word in &words {
                let now = WatchedReading { word, value: Some(0.7) };
                voice.check("watch: state", &condition.state(&now));
                for before in words.iter().filter(|before| condition.becomes_met(before, word)) {
                    let (title, sentence) = condition.reported(before, &now);
                    voice.check("watch: title", &title);
                    voice.check("watch: what happened", &sentence);
                }
            }
        }
        for wrong in [
            "risk",
            "risk becomes WARM",
            "price below x",
            "price below 5 %",
            "funding_zscore_24h below 5 %",
            "realized_vol_1h below 72",
            "pirce below 5",
            "price near 5",
        ] {
            voice.check("refused", &Condition::parse(wrong).unwrap_err());
        }
        println!("{}", voice.catalogue());
        assert!(read > 80 && voice.len() > 150, "only {read} conditions, {} templates", voice.len());
        let faults: Vec<String> = voice
            .faults()
            .into_iter()
            .filter(|fault| !fault.starts_with("refused") || !fault.contains("the word of the wire"))
            .collect();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}
