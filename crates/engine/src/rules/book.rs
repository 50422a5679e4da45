//! What a rule book is once it has been read: rules in order of precedence, each a conjunction of groups.
//!
//! A plain clause is a group of one; `{ any = […] }` is a group of several; a rule with a top-level `any` is one group.
//! Numbers of the shipped books are those of regimes §2, exits and scales those of §6 and §7; the files in `books/` are
//! the only place they stand. Reading TOML is `parse`, judging readings is `eval`.

use super::{BookError, Freshness};
use crate::catalogue::{Feature, ValueType};
use barograph_domain::{Axis, RiskRegime, Span};

/// Most rules one book may hold; results are kept in 32-bit sets.
pub(super) const RULES_MAX: usize = 32;

/// A checked rule book.
#[derive(Clone, PartialEq, Debug)]
pub struct Book {
    /// Name people see.
    pub name: String,
    /// Whether readings of kind proxy or modelled may enter rules (features §2.7).
    pub allow_proxy: bool,
    /// Freshness profile (features §9).
    pub freshness: Freshness,
    /// Share of a window that must have been seen before it may be judged (features §1, coverage).
    pub span_min: f64,
    /// Share of the samples that must be present (features §1, coverage).
    pub coverage_min: f64,
    /// Exit bands and dwell of regimes §6; `false` publishes the raw label at once.
    pub hysteresis: bool,
    /// Which session multipliers apply; kept and hashed, sessions themselves are not built yet.
    pub session_base: SessionBase,
    /// The user's switch for the AGGRESSIVE upgrade (regimes §8).
    pub allow_aggressive: bool,
    /// Personal bias: 0, or −1 for one step more careful (R1.98); never up.
    pub bias_shift: i8,
    pub(super) rules: Vec<Rule>,
    pub(super) cuts: Vec<CutRequest>,
    pub(super) scales: Vec<Option<f64>>,
}

/// Where session multipliers come from (regimes §12.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionBase {
    /// Measured per market (features S11).
    Default,
    /// The original fixed numbers.
    Seed,
}

/// One rule; its place in the book is its precedence.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// Unique name.
    pub id: String,
    /// Axis it belongs to.
    pub axis: Axis,
    /// Label it asserts.
    pub label: RiskRegime,
    /// True when every group is.
    pub groups: Vec<Group>,
    /// How long a new label must stand before it is published.
    pub enter: Enter,
    /// Shortest stay before leaving to a calmer label.
    pub min_dwell: Span,
    /// The rule's own fixed text (R1.46).
    pub text: String,
    /// The text where shorts are the crowded side; `None` uses `text`.
    pub text_short: Option<String>,
}

/// Clauses of which one must hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// Written as `any`; a plain clause is not.
    pub any: bool,
    /// At least one.
    pub clauses: Vec<Clause>,
}

/// How a label is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Enter {
    /// At the first reading.
    Immediate,
    /// After this many consecutive evaluations.
    After(u32),
}

impl Enter {
    /// Consecutive evaluations needed.
    #[must_use]
    pub const fn readings(self) -> u32 {
        match self {
            Self::Immediate => 1,
            Self::After(n) => n,
        }
    }
}

/// Evaluations a label must be raw before it is published unless the rule says otherwise (regimes §6).
pub(super) const ENTER_DEFAULT: Enter = Enter::After(2);
/// Shortest stay unless the rule says otherwise (regimes §6).
pub(super) const MIN_DWELL_DEFAULT: Span = Span::mins(15);

/// One feature compared with a constant.
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    /// What is read.
    pub feature: Feature,
    /// Whether its absolute value is compared.
    pub abs: bool,
    /// The comparison.
    pub test: Test,
    /// Margin unit (regimes §7); `None` for flags and words.
    pub scale: Option<f64>,
    /// What stands in while a percentile has too little history (regimes §2).
    pub warming: Warming,
    /// For percentiles: where the cuts at the full and at the exit threshold stand in [`Book::cuts`].
    pub(super) cuts: Option<(usize, usize)>,
}

/// A comparison.
#[derive(Clone, PartialEq, Debug)]
pub enum Test {
    /// With a number.
    Number {
        /// Operator.
        op: Op,
        /// Full threshold.
        value: f64,
        /// Relaxed threshold that keeps a published label; equal to `value` where the book has no hysteresis.
        exit: f64,
    },
    /// With a flag or words: a set of catalogue codes.
    Codes {
        /// Bit n stands for code n.
        mask: u64,
        /// Written as `in`.
        list: bool,
    },
}

/// Comparison operators on numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Op {
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `==`
    Eq,
}

impl Op {
    /// As written in a book.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Eq => "==",
        }
    }
    /// The operator of this sign.
    #[must_use]
    pub fn from_sign(sign: &str) -> Option<Self> {
        [Self::Gt, Self::Ge, Self::Lt, Self::Le, Self::Eq].into_iter().find(|o| o.sign() == sign)
    }
    /// Exactly as written: no tolerance, no rounding (regimes §2, strictness).
    #[must_use]
    #[expect(clippy::float_cmp, reason = "a rule book's == means equality")]
    pub fn holds(self, x: f64, threshold: f64) -> bool {
        match self {
            Self::Gt => x > threshold,
            Self::Ge => x >= threshold,
            Self::Lt => x < threshold,
            Self::Le => x <= threshold,
            Self::Eq => x == threshold,
        }
    }
    /// `>` and `>=`.
    #[must_use]
    pub const fn is_above(self) -> bool {
        matches!(self, Self::Gt | Self::Ge)
    }
    /// `<` and `<=`.
    #[must_use]
    pub const fn is_below(self) -> bool {
        matches!(self, Self::Lt | Self::Le)
    }
}

/// What a percentile clause takes while its percentile is warming.
#[derive(Clone, PartialEq, Debug)]
pub enum Warming {
    /// Nothing: the clause is unknown.
    Unknown,
    /// A constant.
    Always(bool),
    /// A fixed clause over another feature.
    Clause(Box<Clause>),
}

/// A percentile boundary the engine computes each minute: for which values of the ranked feature does the clause hold?
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CutRequest {
    /// The percentile feature.
    pub percentile: Feature,
    /// Operator of the clause.
    pub op: Op,
    /// Its threshold in [0, 1].
    pub theta: f64,
}

impl Book {
    /// Names of the books that come with the program.
    pub const SHIPPED: [&'static str; 3] = ["default", "absolute", "seed1-strict"];

    /// The TOML text of a shipped book.
    #[must_use]
    pub fn shipped_text(name: &str) -> Option<&'static str> {
        match name {
            "default" => Some(include_str!("../../books/default.toml")),
            "absolute" => Some(include_str!("../../books/absolute.toml")),
            "seed1-strict" => Some(include_str!("../../books/seed1-strict.toml")),
            _ => None,
        }
    }
    /// A shipped book; `None` for a name that is not shipped.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        let text = Self::shipped_text(name)?;
        #[expect(clippy::expect_used, reason = "the shipped files are compiled in and every one is parsed by a test")]
        Some(Self::parse(&format!("{name}.toml"), text).expect("a shipped book is a valid book"))
    }
    /// Reads a book; `file` is only used in messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, BookError> {
        super::parse::book(file, text)
    }
    /// Rules in order of precedence.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    /// Percentile boundaries this book needs, in the order of `MinuteRow::cuts`.
    #[must_use]
    pub fn cuts(&self) -> &[CutRequest] {
        &self.cuts
    }
    /// Margin unit of a feature in this book: stated by a clause, else the catalogue's.
    #[must_use]
    pub fn scale(&self, feature: Feature) -> Option<f64> {
        self.scales.get(feature.index()).copied().flatten()
    }
    /// Original profile (regimes §9): the label goes on from last values while inputs are stale, and posture is HOLD.
    #[must_use]
    pub const fn uses_last_values(&self) -> bool {
        matches!(self.freshness, Freshness::Seed1)
    }
    /// Every feature some clause reads, stand-ins and ranked features included, in catalogue order, each once.
    #[must_use]
    pub fn features(&self) -> Vec<Feature> {
        let mut out: Vec<Feature> = Vec::new();
        self.each_clause(&mut |clause| {
            out.push(clause.feature);
            out.extend(clause.feature.spec().ranks);
        });
        out.sort_unstable();
        out.dedup();
        out
    }
    /// Calls `f` on every clause in document order, a stand-in right after its percentile clause.
    pub(super) fn each_clause<'a>(&'a self, f: &mut dyn FnMut(&'a Clause)) {
        for clause in self.rules.iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses) {
            f(clause);
            if let Warming::Clause(stand_in) = &clause.warming {
                f(stand_in);
            }
        }
    }
    /// Shortest stay of a published label: the longest any of its rules asks for.
    #[must_use]
    pub fn min_dwell(&self, label: RiskRegime) -> Span {
        if !self.hysteresis {
            return Span::ZERO;
        }
        self.rules.iter().filter(|r| r.label == label).map(|r| r.min_dwell).max().unwrap_or(Span::ZERO)
    }
    /// Consecutive readings needed to enter a label by this rule; `None` is NORMAL, which no rule asserts.
    #[must_use]
    pub fn enter(&self, fired: Option<usize>) -> u32 {
        if !self.hysteresis {
            return 1;
        }
        fired.and_then(|i| self.rules.get(i)).map_or(ENTER_DEFAULT, |r| r.enter).readings()
    }
}

/// The catalogue codes of a flag or enumeration, as words; `None` for numbers.
#[must_use]
pub fn words_of(feature: Feature) -> Option<&'static [&'static str]> {
    match feature.spec().value {
        ValueType::Number => None,
        ValueType::Bool => Some(&["false", "true"]),
        ValueType::Enum(words) => Some(words),
    }
}

impl Clause {
    /// The percentile this clause reads ranks another feature.
    #[must_use]
    pub fn ranks(&self) -> Option<Feature> {
        self.feature.spec().ranks
    }
    /// Full or relaxed threshold of a number clause.
    #[must_use]
    pub fn threshold(&self, relaxed: bool) -> Option<f64> {
        match self.test {
            Test::Number { value, exit, .. } => Some(if relaxed { exit } else { value }),
            Test::Codes { .. } => None,
        }
    }
    /// Does this reading satisfy the clause?
    #[must_use]
    pub fn holds(&self, x: f64, relaxed: bool) -> bool {
        match self.test {
            Test::Number { op, value, exit } => {
                op.holds(if self.abs { x.abs() } else { x }, if relaxed { exit } else { value })
            }
            Test::Codes { mask, .. } => code_of(x).is_some_and(|code| mask >> code & 1 == 1),
        }
    }
}

/// The word a reading of a flag or enumeration stands for; `None` for numbers.
#[must_use]
pub fn word_of(feature: Feature, x: f64) -> Option<&'static str> {
    words_of(feature)?.get(usize::from(code_of(x)?)).copied()
}

/// The catalogue code a reading of a flag or word stands for.
pub(super) fn code_of(x: f64) -> Option<u8> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number below 64"
    )]
    let code = x as u8;
    (code < 64 && f64::from(code).total_cmp(&x).is_eq()).then_some(code)
}
