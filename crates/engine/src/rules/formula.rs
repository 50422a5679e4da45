//! Formulas with the numbers of a rule book in them.

use super::RuleBook;
use crate::catalogue::FeatureSpec;
use barograph_domain::{Label as _, VolRegime};

impl FeatureSpec {
    /// Definition in one line, with the numbers that a rule book states: `{key}` stands for one of its `[detectors]`, `{1 - key}`
    /// for what it leaves of one, `{LABEL}` for where a class of the day's volatility begins. What names no
    /// number stays as it stands: an exponent.
    #[must_use]
    pub fn formula(&self, book: &RuleBook) -> String {
        let (first, rest) = self.definition.split_once('{').unwrap_or((self.definition, ""));
        rest.split('{').filter_map(|part| part.split_once('}')).fold(first.to_owned(), |text, (key, after)| {
            text + &number_of(key, book).map_or_else(|| format!("{{{key}}}"), shown) + after
        })
    }
}

/// The number of a name in a formula.
fn number_of(key: &str, book: &RuleBook) -> Option<f64> {
    if let Some(key) = key.strip_prefix("1 - ") {
        return book.detectors.get(key).map(|share| 1.0 - share);
    }
    let class = || [VolRegime::HighVol, VolRegime::Explosive, VolRegime::Extreme].iter().position(|l| l.word() == key);
    book.detectors.get(key).or_else(|| class().map(|at| book.daily_bounds()[at]))
}

/// Whole numbers in groups of three, fractions with two digits or as many as there are.
fn shown(value: f64) -> String {
    let text = format!("{value:.9}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let grouped: Vec<&str> = {
        let first = whole.len() % 3;
        let (head, tail) = whole.split_at(first);
        let threes = (0..tail.len() / 3).map(|i| &tail[3 * i..3 * i + 3]);
        core::iter::once(head).filter(|h| !h.is_empty()).chain(threes).collect()
    };
    match fraction.trim_end_matches('0') {
        "" => grouped.join(" "),
        digits => format!("{}.{digits:0<2}", grouped.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{CATALOGUE, Feature};

    #[test]
    fn every_number_that_a_formula_names_is_one_of_the_book() {
        let book = RuleBook::standard();
        for spec in CATALOGUE {
            for part in spec.definition.split('{').skip(1) {
                let (key, _) = part.split_once('}').unwrap();
                let named = key.contains(char::is_alphabetic);
                assert_eq!(number_of(key, &book).is_some(), named, "{}: {key}", spec.id);
            }
        }
    }

    #[test]
    fn a_formula_states_the_numbers_of_its_book() {
        let mut book = RuleBook::standard();
        let of = |feature: Feature, book: &RuleBook| feature.spec().formula(book);
        let side = "long share of 4 h > 0.80 LONG, < 0.20 SHORT, else BALANCED";
        assert_eq!(of(Feature::LiqSideBias, &book), side);
        assert_eq!(
            of(Feature::LiqCascadeFlag, &book),
            "velocity within the cascade window > 200 000 and its total > 500 000"
        );
        assert_eq!(
            of(Feature::VolClass, &book),
            "vol_daily ≤ 0.01 STABLE, ≤ 0.05 HIGH_VOL, ≤ 0.10 EXPLOSIVE, else EXTREME"
        );
        book.detectors.set("burst_count", 12.0).unwrap();
        book.detectors.set("funding_change", 0.001).unwrap();
        assert_eq!(of(Feature::LiqBurstFlag, &book), "liq_count_60s ≥ 12");
        assert!(of(Feature::FundingReversalFlag, &book).ends_with("> 0.001"));
    }
}
