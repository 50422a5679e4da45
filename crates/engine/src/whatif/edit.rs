//! One threshold of a book, by name: found, and changed in the book's text, whose comments stay.
//!
//! A name is `RULE.feature`, as in `HIGH_VOL.realized_vol_1h`: the first clause of the rule on that feature. `#2` behind the
//! feature means the second one, `.exit` behind that the exit threshold, and an axis or `alert` before the rule tells rules of
//! one name apart. A new threshold takes its exit along: percentiles at the same distance, others at the same ratio.

use crate::catalogue::{CATALOGUE, Feature};
use crate::rules::{AlertRule, BookError, Clause, RuleBook, Ruled, Test, did_you_mean};
use barograph_domain::{HeatRegime, RiskRegime, TrendRegime, VolRegime};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

/// Rules of the axes that a book says nothing about.
const STANDARD_AXES: &str = include_str!("../../books/axes.toml");

/// A threshold of a book.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// Axis of the rule, or `alert`.
    pub axis: &'static str,
    /// Its id.
    pub rule: String,
    /// What the clause compares.
    pub feature: Feature,
    /// Which of the rule's clauses on that feature, from 1.
    pub nth: usize,
    /// The comparison's sign.
    pub op: &'static str,
    /// Whether the absolute value is compared.
    pub abs: bool,
    /// Full threshold.
    pub value: f64,
    /// Exit threshold.
    pub exit: f64,
}

impl Place {
    /// The name that finds it again.
    #[must_use]
    pub fn name(&self) -> String {
        let axis = if self.axis == "risk" { String::new() } else { format!("{}.", self.axis) };
        let nth = if self.nth > 1 { format!("#{}", self.nth) } else { String::new() };
        format!("{axis}{}.{}{nth}", self.rule, self.feature.id())
    }
    /// Where the exit threshold goes when the full one becomes `value`.
    #[must_use]
    pub fn exit_beside(&self, value: f64) -> f64 {
        let of_own_range = self.feature.spec().ranks.is_some() || self.feature.spec().unit == "[0,1]";
        // Across zero a ratio would lie on the wrong side.
        let exit = if of_own_range || self.value * value <= 0.0 {
            value + (self.exit - self.value)
        } else {
            value * (self.exit / self.value)
        };
        // Twelve digits, as defaults are rounded.
        format!("{exit:.11e}").parse().unwrap_or(exit)
    }
    /// Every threshold of a book, rule by rule.
    #[must_use]
    pub fn all(book: &RuleBook) -> Vec<Self> {
        let mut out = Vec::new();
        of_axis::<RiskRegime>(book, "risk", &mut out);
        of_axis::<TrendRegime>(book, "trend", &mut out);
        of_axis::<VolRegime>(book, "volatility", &mut out);
        of_axis::<HeatRegime>(book, "heat", &mut out);
        for rule in book.alerts() {
            take("alert", &rule.id, AlertRule::clauses(rule), &mut out);
        }
        out
    }
}

fn of_axis<L: Ruled>(book: &RuleBook, axis: &'static str, out: &mut Vec<Place>) {
    for rule in L::of(book).rules() {
        take(axis, &rule.id, rule.groups.iter().flat_map(|g| &g.clauses), out);
    }
}

fn take<'a>(axis: &'static str, rule: &str, clauses: impl Iterator<Item = &'a Clause>, out: &mut Vec<Place>) {
    for clause in clauses {
        let Test::Number { op, value, exit } = clause.test else { continue };
        let of_feature = |p: &&Place| p.axis == axis && p.rule == rule && p.feature == clause.feature;
        let nth = out.iter().filter(of_feature).count() + 1;
        let (rule, feature, op, abs) = (rule.to_owned(), clause.feature, op.sign(), clause.abs);
        out.push(Place { axis, rule, feature, nth, op, abs, value, exit });
    }
}

/// A threshold and what it is to be.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// Name of the threshold; see the head of this file.
    pub name: String,
    /// The new number.
    pub value: f64,
}

impl Setting {
    /// Reads `NAME=NUMBER`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, EditError> {
        let (name, number) = text
            .split_once('=')
            .ok_or_else(|| EditError(format!("'{text}' names no number; write it as HIGH_VOL.realized_vol_1h=0.85")))?;
        let value: Option<f64> = number.trim().parse().ok().filter(|x: &f64| x.is_finite());
        let value = value.ok_or_else(|| EditError(format!("'{}' is no number for {}", number.trim(), name.trim())))?;
        Ok(Self { name: name.trim().to_owned(), value })
    }
}

/// What is wrong with a name, a number or a text, and what was probably meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EditError(pub String);

impl core::fmt::Display for EditError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for EditError {}

/// The threshold of a name; and whether the exit is meant.
///
/// # Errors
/// No such rule, or none of its clauses compares that feature; with the nearest name there is.
pub fn place_of(book: &RuleBook, name: &str) -> Result<(Place, bool), EditError> {
    let all = Place::all(book);
    let (stem, is_exit) = name.strip_suffix(".exit").map_or((name, false), |stem| (stem, true));
    let mut parts = stem.split('.');
    let (mut rule, mut feature) = (parts.next().unwrap_or_default(), parts.next());
    let axis = ["risk", "trend", "volatility", "heat", "alert"].into_iter().find(|a| *a == rule);
    if axis.is_some() {
        (rule, feature) = (feature.unwrap_or_default(), parts.next());
    }
    let Some(feature) = feature.filter(|f| !f.is_empty()) else {
        return Err(EditError(format!("'{name}' names no feature; write it as HIGH_VOL.realized_vol_1h")));
    };
    let of_rule: Vec<&Place> = all.iter().filter(|p| p.rule == rule && axis.is_none_or(|a| a == p.axis)).collect();
    if of_rule.is_empty() {
        let near = did_you_mean(rule, all.iter().map(|p| p.rule.as_str()));
        return Err(EditError(format!("there is no rule '{rule}' with a threshold{near}")));
    }
    let (id, nth) = match feature.split_once('#') {
        None => (feature, Some(1)),
        Some((id, n)) => (id, n.parse().ok().filter(|n: &usize| *n > 0)),
    };
    let found = of_rule.iter().find(|p| p.feature.id() == id && Some(p.nth) == nth);
    let Some(found) = found else {
        let own = of_rule.iter().map(|p| p.name()).collect::<Vec<_>>().join(", ");
        let known = CATALOGUE.iter().any(|s| s.id == id);
        let near = did_you_mean(id, of_rule.iter().map(|p| p.feature.id()));
        let what = if known { "does not compare" } else { "knows no feature" };
        return Err(EditError(format!("rule '{rule}' {what} '{feature}'{near}; its thresholds are {own}")));
    };
    Ok(((*found).clone(), is_exit))
}

/// A rule book beside the text that it was read from.
#[derive(Clone, Debug)]
pub struct WrittenBook {
    /// With its comments.
    pub text: String,
    /// What it says.
    pub book: RuleBook,
}

impl WrittenBook {
    /// Reads a text; `file` is how errors name it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, text: String) -> Result<Self, BookError> {
        let book = RuleBook::parse(file, &text)?;
        Ok(Self { text, book })
    }

    /// The same with one threshold changed; comments and everything else stay as they are. Of an axis that the text says nothing
    /// about the standard rules are written out first.
    ///
    /// # Errors
    /// The name leads nowhere, or the changed text would be no book.
    pub fn with(&self, file: &str, setting: &Setting) -> Result<Self, EditError> {
        let (place, is_exit) = place_of(&self.book, &setting.name)?;
        let mut document = self.document(file)?;
        if !has_rule(&document, &place) {
            let axes: DocumentMut = STANDARD_AXES.parse().map_err(|e| EditError(format!("axes.toml: {e}")))?;
            write_axis(&mut document, &axes, place.axis);
        }
        let mut clauses = Vec::new();
        for table in rules_mut(&mut document, &place) {
            let key = if table.contains_key("all") { "all" } else { "any" };
            if let Some(list) = table.get_mut(key).and_then(Item::as_array_mut) {
                each_clause(list, place.feature.id(), &mut clauses);
            }
        }
        let lost =
            || EditError(format!("{file}: '{}' is not where its rule says; write its clause as a table", setting.name));
        let clause = clauses.into_iter().nth(place.nth - 1).ok_or_else(lost)?;
        if is_exit {
            put(clause, "exit", setting.value);
        } else {
            put(clause, "value", setting.value);
            if clause.contains_key("exit") {
                put(clause, "exit", place.exit_beside(setting.value));
            }
        }
        Self::changed(file, &document)
    }

    /// The same under another name; everything else stays as it is.
    ///
    /// # Errors
    /// The name is none that a book can have.
    pub fn named(&self, file: &str, name: &str) -> Result<Self, EditError> {
        let mut document = self.document(file)?;
        let Some(old) = document.get_mut("name").and_then(Item::as_value_mut) else {
            return Err(EditError(format!("{file}: a rule book needs a name")));
        };
        let mut value = Value::from(name);
        *value.decor_mut() = old.decor().clone();
        *old = value;
        Self::changed(file, &document)
    }

    fn document(&self, file: &str) -> Result<DocumentMut, EditError> {
        self.text.parse().map_err(|e| EditError(format!("{file}: {e}")))
    }

    fn changed(file: &str, document: &DocumentMut) -> Result<Self, EditError> {
        Self::read(file, document.to_string()).map_err(|e| EditError(e.to_string()))
    }
}

fn is_of(table: &Table, place: &Place) -> bool {
    let word = |key: &str| table.get(key).and_then(Item::as_str);
    let axis = place.axis == "alert" || word("axis").unwrap_or("risk") == place.axis;
    axis && word("id") == Some(place.rule.as_str())
}

const fn list_of(place: &Place) -> &'static str {
    if matches!(place.axis.as_bytes(), b"alert") { "alert" } else { "rule" }
}

fn has_rule(document: &DocumentMut, place: &Place) -> bool {
    let tables = document.get(list_of(place)).and_then(Item::as_array_of_tables);
    tables.is_some_and(|all| all.iter().any(|t| is_of(t, place)))
}

fn rules_mut<'a>(document: &'a mut DocumentMut, place: &'a Place) -> impl Iterator<Item = &'a mut Table> {
    let tables = document.get_mut(list_of(place)).and_then(Item::as_array_of_tables_mut);
    tables.into_iter().flat_map(ArrayOfTables::iter_mut).filter(|t| is_of(t, place))
}

/// Appends the standard rules of an axis.
fn write_axis(document: &mut DocumentMut, axes: &DocumentMut, axis: &str) {
    let standard = axes.get("rule").and_then(Item::as_array_of_tables);
    let own = standard.into_iter().flatten().filter(|t| t.get("axis").and_then(Item::as_str) == Some(axis));
    let own: Vec<Table> = own.cloned().collect();
    if let Some(rules) = document.get_mut("rule").and_then(Item::as_array_of_tables_mut) {
        for mut table in own {
            table.set_position(None);
            rules.push(table);
        }
    }
}

/// Tables of a list that compare a feature, alternatives included, in the order of the text.
fn each_clause<'a>(list: &'a mut Array, feature: &str, out: &mut Vec<&'a mut InlineTable>) {
    for member in list.iter_mut() {
        let Some(table) = member.as_inline_table_mut() else { continue };
        if table.contains_key("any") {
            if let Some(inner) = table.get_mut("any").and_then(Value::as_array_mut) {
                each_clause(inner, feature, out);
            }
        } else if table.get("feature").and_then(Value::as_str) == Some(feature) {
            out.push(table);
        }
    }
}

/// A number in place of another, with the blanks and comments around it.
fn put(table: &mut InlineTable, key: &str, number: f64) {
    let mut value = Value::from(number);
    match table.get_mut(key) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(table.insert(key, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default() -> WrittenBook {
        WrittenBook::read("default.toml", RuleBook::shipped_text("default").unwrap().to_owned()).unwrap()
    }

    fn changed(name: &str, value: f64) -> Result<String, String> {
        let changed = default().with("default.toml", &Setting { name: name.to_owned(), value });
        changed.map(|c| c.text).map_err(|e| e.to_string())
    }

    #[test]
    fn one_number_changes_and_nothing_else() {
        let text = RuleBook::shipped_text("default").unwrap();
        for (name, value, from, to) in [
            ("HIGH_VOL.realized_vol_1h", 1.0, "value = 0.80, exit = 0.48", "value = 1.0, exit = 0.6"),
            ("HIGH_VOL.realized_vol_1h#2", 2.0, "value = 1.60, exit = 1.44", "value = 2.0, exit = 1.8"),
            ("HIGH_VOL.realized_vol_1h.exit", 0.5, "exit = 0.48", "exit = 0.5"),
            ("risk.SQUEEZE_RISK.funding_pct_30d#2", 0.01, "value = 0.05, exit = 0.10", "value = 0.01, exit = 0.06"),
            ("HIGH_VOL.realized_vol_1h_pct_90d", 0.95, "value = 0.90, exit = 0.60", "value = 0.95, exit = 0.65"),
        ] {
            assert_eq!(changed(name, value).unwrap(), text.replacen(from, to, 1), "{name}");
        }
    }

    #[test]
    fn another_name_changes_the_name_alone() {
        let changed = default().named("b.toml", "mine").unwrap();
        assert_eq!(changed.text, default().text.replacen("name = \"default\"", "name = \"mine\"", 1));
        assert_eq!(changed.book, RuleBook::parse("b.toml", &changed.text).unwrap());
        assert!(default().named("b.toml", "").is_err());
    }

    #[test]
    fn standard_rules_are_written_out_where_one_of_them_changes() {
        let text = changed("volatility.HIGH_VOL.vol_daily", 0.02).unwrap();
        let lines = RuleBook::shipped_text("default").unwrap().lines();
        assert!(lines.clone().count() > 100 && lines.into_iter().all(|line| text.contains(line)));
        let book = RuleBook::parse("b.toml", &text).unwrap();
        assert_eq!((book.volatility().len(), book.trend().len()), (3, 4));
        let (place, _) = place_of(&book, "volatility.HIGH_VOL.vol_daily").unwrap();
        assert_eq!((place.value, place.exit), (0.02, 0.019));
    }

    #[test]
    fn every_threshold_has_a_name_that_finds_it() {
        for name in RuleBook::SHIPPED {
            let book = RuleBook::shipped(name).unwrap();
            for place in Place::all(&book) {
                assert_eq!(place_of(&book, &place.name()).unwrap(), (place, false));
            }
        }
    }

    #[test]
    fn what_is_misspelt_is_named_with_what_was_meant() {
        for (name, says) in [
            ("HIGH_VOLL.realized_vol_1h", "no rule 'HIGH_VOLL' with a threshold — did you mean 'HIGH_VOL'?"),
            ("HIGH_VOL.realised_vol_1h", "knows no feature 'realised_vol_1h' — did you mean 'realized_vol_1h'?"),
            ("HIGH_VOL.basis", "does not compare 'basis'; its thresholds are HIGH_VOL.realized_vol_1h"),
            ("HIGH_VOL.realized_vol_1h#3", "does not compare 'realized_vol_1h#3'"),
            ("HIGH_VOL", "names no feature"),
        ] {
            let why = changed(name, 1.0).unwrap_err();
            assert!(why.contains(says), "{name}: {why}");
        }
        assert!(changed("HIGH_VOL.realized_vol_1h.exit", 0.9).unwrap_err().contains("exit 0.9 lies above"));
        for (text, says) in [("HIGH_VOL", "names no number"), ("A.b=x", "'x' is no number"), ("A.b=inf", "no number")] {
            assert!(Setting::parse(text).unwrap_err().to_string().contains(says), "{text}");
        }
    }
}
