//! Numbers and conditions of a rule, and what they are on a row.

use super::super::simulator::RuleRow;

/// A number of a row.
#[derive(Clone, PartialEq, Debug)]
pub enum RuleTerm {
    /// As it was written.
    Number(f64),
    /// Of a column.
    Column(String),
    /// Its negative.
    Negative(Box<Self>),
    /// Its size.
    Absolute(Box<Self>),
    /// Of two numbers.
    Of(RuleSign, Box<Self>, Box<Self>),
}

/// How two numbers are joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleSign {
    /// `a + b`.
    Plus,
    /// `a - b`.
    Minus,
    /// `a * b`.
    Times,
    /// `a / b`; absent where b is 0.
    Over,
}

impl RuleTerm {
    /// Does it name this column?
    fn names(&self, column: &str) -> bool {
        match self {
            Self::Number(_) => false,
            Self::Column(name) => name == column,
            Self::Negative(of) | Self::Absolute(of) => of.names(column),
            Self::Of(_, a, b) => a.names(column) || b.names(column),
        }
    }

    /// Its number on a row; `None` where one that it is made of is absent.
    #[must_use]
    pub fn value(&self, row: &RuleRow<'_>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Column(name) => row.value(name),
            Self::Negative(of) => Some(-of.value(row)?),
            Self::Absolute(of) => Some(of.value(row)?.abs()),
            Self::Of(sign, a, b) => {
                let (a, b) = (a.value(row)?, b.value(row)?);
                let number = match sign {
                    RuleSign::Plus => a + b,
                    RuleSign::Minus => a - b,
                    RuleSign::Times => a * b,
                    RuleSign::Over => a / b,
                };
                Some(number).filter(|n| n.is_finite())
            }
        }
    }
}

/// How two numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleOrder {
    /// `a < b`.
    Below,
    /// `a <= b`.
    AtMost,
    /// `a > b`.
    Above,
    /// `a >= b`.
    AtLeast,
    /// `a == b`.
    Equal,
    /// `a != b`.
    Unequal,
}

impl RuleOrder {
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Below => a < b,
            Self::AtMost => a <= b,
            Self::Above => a > b,
            Self::AtLeast => a >= b,
            Self::Equal => a.partial_cmp(&b).is_some_and(core::cmp::Ordering::is_eq),
            Self::Unequal => a.partial_cmp(&b).is_some_and(core::cmp::Ordering::is_ne),
        }
    }
}

/// A condition.
#[derive(Clone, PartialEq, Debug)]
pub enum RuleTest {
    /// Two numbers compared.
    Compare(RuleTerm, RuleOrder, RuleTerm),
    /// The label of an axis is one of these.
    Labelled {
        /// The axis.
        axis: String,
        /// Labels, any of which will do.
        labels: Vec<String>,
    },
    /// A number is absent.
    NoNumber(RuleTerm),
    /// An axis has no label.
    NoLabel(String),
    /// It does not hold.
    Not(Box<Self>),
    /// Both hold.
    Both(Box<Self>, Box<Self>),
    /// One of them holds, or both do.
    Either(Box<Self>, Box<Self>),
}

impl RuleTest {
    /// Does it hold on a row? `None` where that depends on what is absent.
    #[must_use]
    pub fn holds(&self, row: &RuleRow<'_>) -> Option<bool> {
        match self {
            Self::Compare(a, order, b) => Some(order.holds(a.value(row)?, b.value(row)?)),
            Self::Labelled { axis, labels } => {
                let label = row.label(axis)?;
                Some(labels.iter().any(|l| l == label))
            }
            Self::NoNumber(of) => Some(of.value(row).is_none()),
            Self::NoLabel(axis) => Some(row.label(axis).is_none()),
            Self::Not(of) => Some(!of.holds(row)?),
            Self::Both(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Either(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }

    /// Does it name this column?
    pub(super) fn names(&self, column: &str) -> bool {
        match self {
            Self::Compare(a, _, b) => a.names(column) || b.names(column),
            Self::NoNumber(of) => of.names(column),
            Self::Not(of) => of.names(column),
            Self::Both(a, b) | Self::Either(a, b) => a.names(column) || b.names(column),
            Self::Labelled { .. } | Self::NoLabel(_) => false,
        }
    }

    pub(super) fn axes<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Labelled { axis, .. } | Self::NoLabel(axis) => {
                if !found.contains(&axis.as_str()) {
                    found.push(axis);
                }
            }
            Self::Not(of) => of.axes(found),
            Self::Both(a, b) | Self::Either(a, b) => [a, b].into_iter().for_each(|t| t.axes(found)),
            Self::Compare(..) | Self::NoNumber(_) => {}
        }
    }
}
