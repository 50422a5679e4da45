//! A part of the table: the markets that somebody asks about, those at risk first.

use super::view::{BoardView, LabelsView, RowView};
use super::{Cells, Column, Value};
use barograph_domain::InstrumentName;

/// Which markets, and how many of them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BoardPart {
    /// Of this venue.
    pub venue: Option<String>,
    /// With this label on any axis.
    pub label: Option<String>,
    /// With this in their name, whatever its case.
    pub text: Option<String>,
    /// With so much open interest, USD.
    pub min_oi_usd: Option<f64>,
    /// The first so many, those with the worst risk label first.
    pub top: Option<usize>,
}

impl BoardPart {
    /// Is it all of them, as they are?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// What is asked for, ready to be held against one market after another.
    pub(super) fn fitting(&self) -> FittingMarkets<'_> {
        let labels = super::labels();
        let codes = self.label.as_ref().map(|label| {
            axes(&labels).map(|(column, words)| {
                let code = words.iter().position(|word| word == label);
                (column, code.and_then(|code| i64::try_from(code).ok()))
            })
        });
        FittingMarkets { part: self, codes, text: self.text.as_ref().map(|text| text.to_lowercase()) }
    }

    /// The part of a whole table.
    #[must_use]
    pub fn of(&self, mut view: BoardView) -> BoardView {
        let fitting = self.fitting();
        view.rows.retain(|row| fitting.has(&row.instrument, || row.symbol.clone(), &row.cells));
        view.found = Some(view.rows.len());
        view.rows.sort_by_key(|row: &RowView| core::cmp::Reverse(risk(&row.cells)));
        view.rows.truncate(self.top.unwrap_or(usize::MAX));
        view
    }
}

/// Axes with their columns and words.
fn axes(labels: &LabelsView) -> [(Column, &[&'static str]); 4] {
    [
        (Column::Risk, &labels.risk),
        (Column::Trend, &labels.trend),
        (Column::Volatility, &labels.volatility),
        (Column::Heat, &labels.heat),
    ]
}

/// A part, with its words made codes once.
#[derive(Debug)]
pub(super) struct FittingMarkets<'a> {
    part: &'a BoardPart,
    codes: Option<[(Column, Option<i64>); 4]>,
    text: Option<String>,
}

impl FittingMarkets<'_> {
    /// Is a market with these cells one of them? `symbol` is the name that people give it.
    pub(super) fn has(&self, instrument: &InstrumentName, symbol: impl FnOnce() -> String, cells: &Cells) -> bool {
        let has_text = |text: &String| {
            instrument.to_string().to_lowercase().contains(text) || symbol().to_lowercase().contains(text)
        };
        let is_large = |least: f64| match cells[Column::OiUsd as usize] {
            Value::Number(oi) => oi >= least,
            Value::Null | Value::Whole(_) | Value::Digits(_) => false,
        };
        let has_label = |codes: &[(Column, Option<i64>); 4]| {
            codes.iter().any(|(column, code)| code.is_some() && cells[*column as usize].whole() == *code)
        };
        self.part.venue.as_ref().is_none_or(|venue| instrument.venue.as_str() == venue)
            && self.part.min_oi_usd.is_none_or(is_large)
            && self.codes.as_ref().is_none_or(has_label)
            && self.text.as_ref().is_none_or(has_text)
    }
}

/// The words of all axes.
#[must_use]
pub fn label_words() -> Vec<&'static str> {
    let labels = super::labels();
    let mut all: Vec<&'static str> = axes(&labels).iter().flat_map(|(_, words)| words.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The code of the risk label; none is the least.
pub(super) fn risk(cells: &Cells) -> Option<i64> {
    cells[Column::Risk as usize].whole()
}
