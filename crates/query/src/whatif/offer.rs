//! What a book has to turn: every threshold with its ends, what it means, and whether stored readings can show another value.

use super::ask::{AT_EVENT, bad, base_of};
use crate::service::BookId;
use barograph_api::QueryError;
use barograph_domain::whatif::{BookThresholds, ThresholdView};
use barograph_domain::{HeatRegime, RiskRegime, TrendRegime, VolRegime};
use barograph_engine::rules::{RuleBook, Ruled};
use barograph_engine::whatif::{Control, Place, Setting, WrittenBook, check};

/// What stands in a book beside thresholds, and why it is not turned here.
const BESIDE: [&str; 2] = [
    "[detectors], such as the sizes of cascades and bursts: stored minutes do not hold the single liquidations that they \
     count. Change them in the book's text and replay the recordings",
    "enter, min_dwell and leave are lengths, not thresholds. Change them in the book's text and compare it with: barograph \
     rules whatif FILE",
];

/// The thresholds of the base of a question.
///
/// # Errors
/// [`QueryError::BadField`] for a base that does not come with the program.
pub fn thresholds(book: &BookId, base: Option<&str>) -> Result<BookThresholds, QueryError> {
    let written = base_of(book, base)?;
    let book = &written.book;
    let view = |place: Place| {
        let spec = place.feature.spec();
        let scale = book.scale(place.feature);
        let control = Control::of(&place, scale);
        let (label, said) = of_rule(book, &place);
        let what = label.as_ref().map_or_else(|| "fewer alerts".to_owned(), |label| format!("less time in {label}"));
        Ok(ThresholdView {
            name: place.name(),
            axis: place.axis.to_owned(),
            rule: place.rule.clone(),
            feature: spec.id.to_owned(),
            spoken: spec.spoken.to_owned(),
            unit: spec.unit.to_owned(),
            abs: place.abs,
            op: place.op.to_owned(),
            value: place.value,
            exit: place.exit,
            scale,
            label,
            text: said,
            meaning: place.meaning(&what),
            low: control.low,
            high: control.high,
            step: control.step,
            refused: refused(&written, &place, control.step)?,
        })
    };
    let items = Place::all(book).into_iter().map(view).collect::<Result<_, QueryError>>()?;
    Ok(BookThresholds {
        book: book.name.clone(),
        items,
        shipped: RuleBook::SHIPPED.map(str::to_owned).to_vec(),
        left_out: BESIDE.map(str::to_owned).to_vec(),
    })
}

/// The label that a rule asserts, where it is one of an axis, and its own text.
fn of_rule(book: &RuleBook, place: &Place) -> (Option<String>, String) {
    fn of<L: Ruled>(book: &RuleBook, place: &Place) -> (Option<String>, String) {
        let found = L::of(book).rules().iter().find(|r| r.id == place.rule);
        found.map_or_else(Default::default, |r| (Some(r.label.word().to_owned()), r.text.clone()))
    }
    match place.axis {
        "risk" => of::<RiskRegime>(book, place),
        "trend" => of::<TrendRegime>(book, place),
        "volatility" => of::<VolRegime>(book, place),
        "heat" => of::<HeatRegime>(book, place),
        _ => {
            let found = book.alerts().iter().find(|r| r.id == place.rule);
            (None, found.map(|r| r.text.clone()).unwrap_or_default())
        }
    }
}

/// Why another value cannot be shown. Readings that are cut by thresholds are cut by those of the volatility axis alone.
fn refused(written: &WrittenBook, place: &Place, step: f64) -> Result<Option<String>, QueryError> {
    if place.axis == "alert" {
        let rule = written.book.alerts().iter().find(|r| r.id == place.rule);
        return Ok(rule.filter(|r| r.is_at_event()).map(|_| AT_EVENT.to_owned()));
    }
    if place.axis != "volatility" {
        return Ok(None);
    }
    let setting = Setting { name: place.name(), value: place.value + step };
    let other = written.with("book", &setting).map_err(|e| bad("base", &setting.name, &e))?;
    Ok(check(&written.book, &other.book).err().and_then(|keys| keys.first().map(ToString::to_string)))
}
