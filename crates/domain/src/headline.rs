//! The headline: the most important thing of everything known about a market, in at most two sentences (UX §1).
//!
//! Made by the engine only; whoever shows a market shows this text or builds its own from the parts, in their order.

use crate::Axis;
use serde::Serialize;

/// What a part of a headline speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeadlineKind {
    /// There is no reading, or an input is too old.
    Data,
    /// A position's stop is reached or near.
    Position,
    /// The risk label.
    Risk,
    /// The volatility class.
    Volatility,
    /// The trend.
    Trend,
    /// The 24 h move.
    Move,
    /// Activity.
    Heat,
    /// Open alerts.
    Alerts,
    /// Everything known is as usual.
    Quiet,
    /// What cannot be said yet, for want of history.
    History,
}

/// One part of a headline.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HeadlinePart {
    /// Place in the text, from 1.
    pub nth: u8,
    /// In which sentence, from 1.
    pub sentence: u8,
    /// What it speaks of.
    pub kind: HeadlineKind,
    /// The axis, where it is one's label.
    pub axis: Option<Axis>,
    /// The label, severity or stop state as a word; `EXPERIMENTAL` of alerts that all are.
    pub word: Option<&'static str>,
    /// Id of the feature whose number it names.
    pub metric: Option<&'static str>,
    /// That number.
    pub value: Option<f64>,
    /// Its unit, as in the catalogue.
    pub unit: Option<&'static str>,
    /// Over which time the number is meant.
    pub horizon: Option<&'static str>,
    /// How severe, 0 (as usual) to 4 (the top of its scale).
    pub severity: u8,
    /// Its words in the headline.
    pub text: String,
}

/// Text and parts.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Headline {
    /// One or two sentences.
    pub text: String,
    /// What they are made of, in order.
    pub parts: Vec<HeadlinePart>,
}
