//! What a rule book is once it has been read: rules in order of precedence, each a conjunction of groups.
//!
//! A plain clause is a group of one; `{ any = […] }` is a group of several; a rule with a top-level `any` is one group.
//! Numbers of the shipped books are those of regimes §2, exits and scales of regimes §6 and §7; the files in `books/` are
//! the only place they stand. Reading TOML is `parse`, judging readings is `eval`.

use super::{AlertRule, BookError, Freshness, PostureRow, RuleSet, VerdictTable};
use crate::catalogue::{Feature, ValueType};
use crate::detect::{SeverityTable, Thresholds};
use crate::liquidity::TimeframeOptions;
use crate::order_flow::FlowThresholds;
use crate::sessions::SessionSet;
use barograph_domain::{Axis, HeatRegime, RiskRegime, Span, TrendRegime, VolRegime};

/// Most rules one axis of a book may hold; results are kept in 32-bit sets.
pub(super) const RULES_MAX: usize = 32;

/// A checked rule book.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleBook {
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
    /// Which session multipliers apply.
    pub session_base: SessionBase,
    /// When the sessions are.
    pub sessions: SessionSet,
    /// Base multipliers in the order of `Session::ALL`: the book's numbers, which measured ones replace where
    /// `session_base` is `default` and there is enough history.
    pub session_multipliers: [f64; 4],
    /// Numbers of the detectors (surveillance §2).
    pub detectors: Thresholds,
    /// Numbers of the detectors of books and trades (surveillance §5).
    pub order_flow: FlowThresholds,
    /// How levels are found (features §4).
    pub liquidity: TimeframeOptions,
    /// What findings about a trade in mind ask for (risk §5).
    pub verdict: VerdictTable,
    /// How severe common alerts may be (verification §5).
    pub severity: SeverityTable,
    /// Timeframe of the bars that the trend axis reads (regimes §3).
    pub trend_tf: Span,
    /// The user's switch for the AGGRESSIVE upgrade (regimes §8).
    pub allow_aggressive: bool,
    /// Personal bias: 0, or −1 for one step more careful (R1.98); never up.
    pub bias_shift: i8,
    /// What `enter` counts.
    pub dwell: DwellCounts,
    pub(super) postures: Vec<PostureRow>,
    pub(super) risk: RuleSet<RiskRegime>,
    pub(super) trend: RuleSet<TrendRegime>,
    pub(super) volatility: RuleSet<VolRegime>,
    pub(super) heat: RuleSet<HeatRegime>,
    pub(super) cuts: Vec<CutRequest>,
    pub(super) features: Vec<Feature>,
    pub(super) shown: Vec<Feature>,
    pub(super) scales: Vec<Option<f64>>,
    pub(super) alerts: Vec<AlertRule>,
    pub(super) read_at_events: Vec<Feature>,
    pub(super) drift_rules: super::DriftRules,
}

/// Where session multipliers come from (regimes §12.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionBase {
    /// Measured per market (features S11).
    Default,
    /// The original fixed numbers.
    Seed,
}

/// What counts as one more evaluation of a label that waits to be published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DwellCounts {
    /// Every minute, whether or not something new was read.
    Minutes,
    /// Only what is new: an input of the rule that decides has come since the last one that counted. Two readings of an
    /// hourly series are two hours, of a minute series two minutes.
    Readings,
    /// As readings, and a rule that reads prices by what comes of prices alone: open interest or funding that ticks within a
    /// bar is no second reading of that bar.
    Bars,
}

impl DwellCounts {
    /// Every way to count.
    pub const ALL: [Self; 3] = [Self::Minutes, Self::Readings, Self::Bars];
    /// As written in a book.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Readings => "readings",
            Self::Bars => "bars",
        }
    }
}

/// Text of the book that is meant where none is named.
const STANDARD: &str = include_str!("../../books/default.toml");
/// Upper ends of STABLE, HIGH_VOL and EXPLOSIVE, daily (R4.14).
pub(crate) const DAILY_BOUNDS: [f64; 3] = [0.01, 0.05, 0.10];

impl RuleBook {
    /// Bounds of the volatility classes, upwards: where the book's rules cut the day's volatility, else the standard ones.
    pub(crate) fn daily_bounds(&self) -> [f64; 3] {
        let mut bounds = DAILY_BOUNDS;
        for (bound, label) in bounds.iter_mut().zip([VolRegime::HighVol, VolRegime::Explosive, VolRegime::Extreme]) {
            let mut own = self.volatility.rules.iter().filter(|r| r.label == label);
            if let Some(Rule { groups, .. }) = own.next()
                && let [Group { clauses, .. }] = groups.as_slice()
                && let [Clause { feature: Feature::VolDaily, abs: false, test, .. }] = clauses.as_slice()
                && let Test::Number { op: Op::Gt, value, .. } = test
            {
                *bound = *value;
            }
        }
        bounds
    }
}

/// One rule; its place in the book is its precedence.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule<L = RiskRegime> {
    /// Unique name.
    pub id: String,
    /// Axis it belongs to.
    pub axis: Axis,
    /// Label it asserts.
    pub label: L,
    /// True when every group is.
    pub groups: Vec<Group>,
    /// How long a new label must stand before it is published.
    pub enter: Enter,
    /// Shortest stay before leaving to a calmer label.
    pub min_dwell: Span,
    /// For how long every reading must have been calmer before the label is left for a calmer one, counted in readings; zero: as
    /// the calmer label is entered.
    pub leave: Span,
    /// The rule's own fixed text (R1.46).
    pub text: String,
    /// The text where shorts are the crowded side; `None` uses `text`.
    pub text_short: Option<String>,
}

impl<L> Rule<L> {
    /// Calls `f` on every feature its clauses read, stand-ins included.
    pub(super) fn each_feature(&self, f: &mut dyn FnMut(Feature)) {
        for clause in self.groups.iter().flat_map(|g| &g.clauses) {
            f(clause.feature);
            if let Warming::Clause(stand_in) = &clause.warming {
                f(stand_in.feature);
            }
        }
    }
    /// Calls `f` on every feature by which readings of this rule are counted: stand-ins included, and with
    /// [`DwellCounts::Bars`] only what is made from prices, where the rule reads any.
    pub(crate) fn each_counted(&self, by: DwellCounts, f: &mut dyn FnMut(Feature)) {
        let mut reads_prices = false;
        if by == DwellCounts::Bars {
            self.each_feature(&mut |feature| reads_prices |= feature.reads_prices());
        }
        self.each_feature(&mut |feature| {
            if !reads_prices || feature.reads_prices() {
                f(feature);
            }
        });
    }
    /// The same rule asserting another label.
    pub(super) fn with_label<M>(self, label: M) -> Rule<M> {
        Rule {
            id: self.id,
            axis: self.axis,
            label,
            groups: self.groups,
            enter: self.enter,
            min_dwell: self.min_dwell,
            leave: self.leave,
            text: self.text,
            text_short: self.text_short,
        }
    }
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
    /// After as many as make up this time, and two at least.
    For(Span),
}

impl Enter {
    /// Consecutive evaluations needed where one comes so often.
    #[must_use]
    pub fn readings(self, every: Span) -> u32 {
        match self {
            Self::Immediate => 1,
            Self::After(n) => n,
            Self::For(span) => readings_over(span, every),
        }
    }
}

/// How many readings that come so often make up a time: whole ones, and two at least, since one is no standing.
pub(super) fn readings_over(span: Span, every: Span) -> u32 {
    let whole = -(-span.0).div_euclid(every.0.max(1));
    u32::try_from(whole).unwrap_or(u32::MAX).max(2)
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
    /// For percentiles: where the cuts at the full and at the exit threshold stand in [`RuleBook::cuts`].
    pub(super) cuts: Option<(usize, usize)>,
    /// Its place among the clauses of its axis, or of all alert rules of the book.
    pub(crate) place: usize,
}

/// A comparison.
#[derive(Clone, PartialEq, Debug)]
pub enum Test {
    /// With a number.
    Number {
        /// How the sides are compared.
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

impl RuleBook {
    /// Names of the books that come with the program.
    pub const SHIPPED: [&'static str; 6] = ["default", "absolute", "seed1-strict", "seed2", "seed3", "seed4"];

    /// The TOML text of a shipped book.
    #[must_use]
    pub fn shipped_text(name: &str) -> Option<&'static str> {
        match name {
            "default" => Some(STANDARD),
            "absolute" => Some(include_str!("../../books/absolute.toml")),
            "seed1-strict" => Some(include_str!("../../books/seed1-strict.toml")),
            "seed2" => Some(include_str!("../../books/seed2.toml")),
            "seed3" => Some(include_str!("../../books/seed3.toml")),
            "seed4" => Some(include_str!("../../books/seed4.toml")),
            _ => None,
        }
    }
    /// A shipped book; `None` for a name that is not shipped.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        Self::shipped_text(name).map(|text| Self::ours(name, text))
    }
    /// The book that is meant where none is named.
    #[must_use]
    pub fn standard() -> Self {
        Self::ours("default", STANDARD)
    }
    #[expect(clippy::expect_used, reason = "the shipped files are compiled in and every one is parsed by a test")]
    fn ours(name: &str, text: &str) -> Self {
        Self::parse(&format!("{name}.toml"), text).expect("a shipped book is a valid book")
    }
    /// Reads a book; `file` is only used in messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, BookError> {
        let mut book = super::parse::book(file, text)?;
        // A copy of the default book with other numbers is not what was measured.
        if text == STANDARD {
            book.verdict = book.verdict.measured();
        }
        Ok(book)
    }
    /// Rules of the risk axis in order of precedence.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.risk.rules()
    }
    /// Alert rules of the user's own, in the order of the file.
    #[must_use]
    pub fn alerts(&self) -> &[AlertRule] {
        &self.alerts
    }

    /// Alerts about readings that have moved and forecasts that are worse.
    #[must_use]
    pub const fn drift_rules(&self) -> &super::DriftRules {
        &self.drift_rules
    }
    /// What labels mean for entries and positions; empty where the risk label alone decides.
    #[must_use]
    pub fn postures(&self) -> &[PostureRow] {
        &self.postures
    }
    /// Is any alert rule judged at every event?
    #[must_use]
    pub fn judges_events(&self) -> bool {
        self.alerts.iter().any(AlertRule::is_at_event)
    }
    /// What the alert rules that are judged at events read of the last minute, in catalogue order, each once.
    #[must_use]
    pub fn read_at_events(&self) -> &[Feature] {
        &self.read_at_events
    }
    /// Exit bands and dwell of regimes §6; `false` publishes the raw label at once.
    #[must_use]
    pub const fn hysteresis(&self) -> bool {
        self.risk.hysteresis
    }
    /// Rules of the risk axis.
    #[must_use]
    pub const fn risk(&self) -> &RuleSet<RiskRegime> {
        &self.risk
    }
    /// Rules of the trend axis.
    #[must_use]
    pub const fn trend(&self) -> &RuleSet<TrendRegime> {
        &self.trend
    }
    /// Rules of the volatility axis.
    #[must_use]
    pub const fn volatility(&self) -> &RuleSet<VolRegime> {
        &self.volatility
    }
    /// Rules of the heat axis.
    #[must_use]
    pub const fn heat(&self) -> &RuleSet<HeatRegime> {
        &self.heat
    }
    /// What `MinuteRow::held` counts, in its order: every rule of every axis, then the resting label of every axis.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.risk.len() + self.trend.len() + self.volatility.len() + self.heat.len() + 4
    }
    /// Names of what is counted, in that order: `id` of a risk rule, `axis.id` of the others, `axis.LABEL` of what rests.
    #[must_use]
    pub fn counted_names(&self) -> Vec<String> {
        let own = |axis: &str, ids: Vec<&str>| ids.into_iter().map(|id| format!("{axis}.{id}")).collect::<Vec<_>>();
        let mut out: Vec<String> = self.risk.rules.iter().map(|r| r.id.clone()).collect();
        out.extend(own("trend", self.trend.rules.iter().map(|r| r.id.as_str()).collect()));
        out.extend(own("volatility", self.volatility.rules.iter().map(|r| r.id.as_str()).collect()));
        out.extend(own("heat", self.heat.rules.iter().map(|r| r.id.as_str()).collect()));
        out.extend(["risk.NORMAL", "trend.SIDEWAYS", "volatility.STABLE", "heat.NEUTRAL"].map(str::to_owned));
        out
    }
    /// Where an axis's rules begin in `MinuteRow::held`, and where its resting label stands.
    #[must_use]
    pub fn counted_at(&self, axis: Axis) -> (usize, usize) {
        let lengths = [self.risk.len(), self.trend.len(), self.volatility.len(), self.heat.len()];
        let before = match axis {
            Axis::Risk => 0,
            Axis::Trend => 1,
            Axis::Volatility => 2,
            Axis::Heat => 3,
        };
        (lengths[..before].iter().sum(), lengths.iter().sum::<usize>() + before)
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
    /// Readings of charts among what the axes read, in the order of the axes.
    pub fn closes(&self) -> impl Iterator<Item = Feature> {
        let sets = [&self.risk.closes, &self.trend.closes, &self.volatility.closes, &self.heat.closes];
        sets.into_iter().flatten().copied()
    }
    /// Every feature some clause of any axis reads, stand-ins and ranked features included, in catalogue order, each once.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }
    /// Those, and what the original payload and the label's direction name (R1.36): what an explanation shows.
    #[must_use]
    pub fn features_shown(&self) -> &[Feature] {
        &self.shown
    }
    pub(super) fn features_to_show(&self) -> Vec<Feature> {
        let named = [Feature::FundingZscore24h, Feature::OiDelta4h, Feature::RealizedVol1h, Feature::SqueezeDirection];
        let mut out = [self.features.as_slice(), &named].concat();
        out.sort_unstable();
        out.dedup();
        out
    }
    pub(super) fn features_read(&self) -> Vec<Feature> {
        let sets = [self.risk.features(), self.trend.features(), self.volatility.features(), self.heat.features()];
        let mut out = sets.concat();
        out.sort_unstable();
        out.dedup();
        out
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
