//! The rules of one axis behind the interface of classifiers: what is in force and what runs in shadow can be held side by side.

use super::classify::{Calibration, Classification, Classifier};
use crate::rules::{AxisMemory, Rule, RuleBook, Ruled, evaluate, logic_version, rule_margin};
use barograph_domain::{Cell, InputAge, StreamDecl, Ts};
use core::marker::PhantomData;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::sync::Arc;

/// One minute as rules read it.
#[derive(Clone, Copy, Debug)]
pub struct RuleInputs<'a> {
    /// Readings in catalogue order.
    pub cells: &'a [Cell],
    /// Ages of the inputs the book reads.
    pub inputs: &'a [InputAge],
}

/// The axis whose labels are `L`, under one book, over the streams that ages speak of.
#[derive(Clone, Debug)]
pub struct RuleAxis<L> {
    book: Arc<RuleBook>,
    streams: Arc<[StreamDecl]>,
    axis: PhantomData<L>,
}

impl<L> RuleAxis<L> {
    /// The axis of a book.
    #[must_use]
    pub const fn new(book: Arc<RuleBook>, streams: Arc<[StreamDecl]>) -> Self {
        Self { book, streams, axis: PhantomData }
    }
}

impl<L: Ruled + Serialize + DeserializeOwned> Classifier for RuleAxis<L> {
    type Features<'a> = RuleInputs<'a>;
    type State = AxisMemory<L>;

    fn id(&self) -> &'static str {
        "rules"
    }

    fn digest(&self) -> String {
        logic_version(&self.book, "")
    }

    fn begin(&self) -> AxisMemory<L> {
        AxisMemory::new()
    }

    fn classify(&self, at: Ts, features: RuleInputs<'_>, state: &mut AxisMemory<L>) -> Option<Classification> {
        let RuleInputs { cells, inputs } = features;
        let now = evaluate::<L>(&self.book, cells);
        let published = state.step(&self.book, at, cells, inputs, &self.streams);
        let rules = (0_u32..).zip(L::of(&self.book).rules()).filter(|(i, _)| now.holds >> i & 1 == 1);
        let margin =
            |(_, rule): (u32, &Rule<L>)| Some((Cow::Owned(rule.id.clone()), rule_margin(&self.book, cells, rule)?));
        Some(Classification {
            label: Cow::Borrowed(published.label.word()),
            probabilities: Vec::new(),
            since: published.since,
            expected_remaining: None,
            recent_change: None,
            calibration: Calibration::Uncalibrated,
            trace: rules.filter_map(margin).collect(),
        })
    }
}
