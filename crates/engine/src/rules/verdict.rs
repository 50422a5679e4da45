//! `[verdict]` of a rule book: what each finding about a trade in mind asks for (risk §5).
//!
//! A book says which findings ask for AVOID and which for CAUTION; a list of findings asks only while all of them hold. A book
//! without the table has the originals': every finding asks for itself. How often each verdict comes out on real hours is
//! measured for the default book and stands beside every verdict it gives ([`BaseRates`]).

use super::parse::{find, flag, unknown_keys};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind};
use barograph_domain::advice::{ReasonCode, Verdict};

/// Least and farthest distance of a computed stop, ATR (risk §1).
pub const STOP_MULT: (f64, f64) = (0.5, 4.0);
/// Demands one table may hold.
const DEMANDS_MAX: usize = 32;
const KEYS: [&str; 9] = [
    "avoid",
    "caution",
    "cluster_strength",
    "stop_mult_min",
    "early_trend",
    "session_vol_ratio",
    "confidence_min",
    "agreement_min",
    "health_min",
];

/// Findings that ask for a verdict together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Demand {
    /// Bit n stands for finding n.
    all: u32,
    /// The finding that is named as the reason.
    first: ReasonCode,
    verdict: Verdict,
}

/// What findings ask for, and the numbers some of them go by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct VerdictTable {
    demands: [Option<Demand>; DEMANDS_MAX],
    /// Strength from which a level counts as a cluster of stops.
    pub cluster_strength: f64,
    /// Nearest computed stop, ATR.
    pub stop_mult_min: f64,
    /// While fewer than three timeframes are ready, a strong trend counts as confirmed once two or more agree in direction.
    pub early_trend: bool,
    /// Volatility over what the session usually has, above which it is unusual.
    pub session_vol_ratio: f64,
    /// Confidence below which it is low.
    pub confidence_min: f64,
    /// Share of the timeframes below which they disagree.
    pub agreement_min: f64,
    /// Health of the market below which it is low.
    pub health_min: f64,
    /// How often each verdict comes out; `None` for a book nobody has measured.
    pub base_rates: Option<BaseRates>,
}

/// How often each verdict comes out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BaseRates {
    /// With every input of a perpetual: ALLOW, CAUTION, AVOID.
    pub market: [f64; 3],
    /// With the bars alone.
    pub bars: [f64; 3],
}

impl BaseRates {
    /// What they were measured on.
    pub const OVER: &'static str = "BTC, ETH and SOL, December 2025 to March 2026, every hour, both sides";
    /// Of the default book over the built-in history; the tests of the verdict measure them again.
    const DEFAULT: Self = Self { market: [0.195, 0.599, 0.206], bars: [0.211, 0.599, 0.190] };

    /// Share of the hours that gave this verdict.
    #[must_use]
    pub const fn of(&self, verdict: Verdict, inputs: Inputs) -> f64 {
        let rates = match inputs {
            Inputs::Market => &self.market,
            Inputs::Bars => &self.bars,
        };
        match verdict {
            Verdict::Allow => rates[0],
            Verdict::Caution => rates[1],
            Verdict::Avoid => rates[2],
        }
    }
}

/// What a context was made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inputs {
    /// Everything of a market.
    Market,
    /// A frame of bars.
    Bars,
}

impl VerdictTable {
    /// Every finding by itself, as the originals have it.
    pub const SEED: Self = Self {
        demands: seed_demands(),
        cluster_strength: 0.0,
        stop_mult_min: STOP_MULT.0,
        early_trend: false,
        session_vol_ratio: 2.0,
        confidence_min: 0.4,
        agreement_min: 0.5,
        health_min: 50.0,
        base_rates: None,
    };

    /// Findings that ask for this verdict, given all that hold; and the one that is named first.
    #[must_use]
    pub fn asking(&self, verdict: Verdict, found: u32) -> (u32, Option<ReasonCode>) {
        let asks = |d: &&Demand| d.verdict == verdict && d.all & found == d.all;
        let holding = || self.demands.iter().flatten().filter(asks);
        (holding().fold(0, |set, d| set | d.all), holding().map(|d| d.first).next())
    }

    /// Does anything depend on this finding?
    #[must_use]
    pub fn reads(&self, code: ReasonCode) -> bool {
        self.demands.iter().flatten().any(|d| d.all >> code as u32 & 1 == 1)
    }

    /// Measured over the built-in history with the default book as it is shipped.
    pub(super) const fn measured(mut self) -> Self {
        self.base_rates = Some(BaseRates::DEFAULT);
        self
    }

    /// One line per demand and number, for the logic version.
    pub(super) fn lines(&self) -> Vec<(String, String)> {
        let names = |set: u32| {
            let all = ReasonCode::ALL.iter().filter(|c| set >> **c as u32 & 1 == 1).map(|c| c.name());
            all.collect::<Vec<_>>().join("+")
        };
        let demand = |d: &Demand| (format!("{}.{}", d.verdict.name(), names(d.all)), d.first.name().to_owned());
        let demands = self.demands.iter().flatten().map(demand);
        let numbers = [
            ("cluster_strength", self.cluster_strength),
            ("session_vol_ratio", self.session_vol_ratio),
            ("confidence_min", self.confidence_min),
            ("agreement_min", self.agreement_min),
            ("health_min", self.health_min),
        ];
        // Where it changes nothing a book without it keeps its logic version, and what was computed by it.
        let nearest = (self.stop_mult_min > STOP_MULT.0).then_some(("stop_mult_min", self.stop_mult_min));
        let numbers = numbers.into_iter().chain(nearest).map(|(k, v)| (k.to_owned(), v.to_string()));
        demands.chain(numbers).chain([("early_trend".to_owned(), self.early_trend.to_string())]).collect()
    }
}

const fn seed_demands() -> [Option<Demand>; DEMANDS_MAX] {
    use ReasonCode as R;
    const AVOID: [R; 5] = [R::DataStale, R::NoData, R::PreNewsBlackout, R::ExtremeVolatility, R::SqueezeAgainstSide];
    const CAUTION: [R; 11] = [
        R::SqueezeRisk,
        R::HighVolatility,
        R::ChopRisk,
        R::RolloverSession,
        R::SessionVolAnomaly,
        R::StopCluster,
        R::AgainstStrongTrend,
        R::UnconfirmedRegime,
        R::LowConfidence,
        R::ExposureOverlap,
        R::LowHealth,
    ];
    let mut out = [None; DEMANDS_MAX];
    let mut n = 0;
    while n < AVOID.len() + CAUTION.len() {
        let (code, verdict) =
            if n < AVOID.len() { (AVOID[n], Verdict::Avoid) } else { (CAUTION[n - AVOID.len()], Verdict::Caution) };
        out[n] = Some(Demand { all: 1 << code as u32, first: code, verdict });
        n += 1;
    }
    out
}

pub(super) fn table(entries: &[Entry], problems: &mut Problems<'_>) -> VerdictTable {
    let mut out = VerdictTable::SEED;
    let Some(entry) = find(entries, "verdict") else { return out };
    let NodeKind::Table(table) = &entry.value.kind else {
        problems.add(
            entry.value.at,
            "'verdict' is a table such as { avoid = [\"data_stale\"], caution = [\"chop_risk\"] }",
        );
        return out;
    };
    unknown_keys(table, &KEYS, "verdict", problems);
    let mut demands = Vec::new();
    for (key, verdict) in [("avoid", Verdict::Avoid), ("caution", Verdict::Caution)] {
        match find(table, key).map(|e| (&e.value.kind, e.value.at)) {
            Some((NodeKind::List(items), _)) => {
                demands.extend(items.iter().filter_map(|item| demand(item, verdict, problems)));
            }
            Some((other, at)) => problems.add(at, format!("'{key}' is a list of findings, not {}", other.name())),
            None => problems.add(entry.at, format!("a verdict table needs '{key}', a list of findings")),
        }
    }
    // Without these an unread or outdated market would be allowed.
    for code in [ReasonCode::DataStale, ReasonCode::NoData] {
        if !demands.iter().any(|d| d.verdict == Verdict::Avoid && d.all == 1 << code as u32) {
            problems.add(entry.at, format!("'avoid' must hold \"{}\" by itself", code.name()));
        }
    }
    if demands.len() > DEMANDS_MAX {
        problems.add(entry.at, format!("{} demands are too many; the limit is {DEMANDS_MAX}", demands.len()));
    }
    out.demands = [None; DEMANDS_MAX];
    out.demands.iter_mut().zip(demands).for_each(|(slot, demand)| *slot = Some(demand));
    let mut within = |key: &str, (least, most): (f64, f64), into: &mut f64| {
        let Some(e) = find(table, key) else { return };
        match e.value.kind {
            NodeKind::Number(x) if (least..=most).contains(&x) => *into = x,
            _ => problems.add(e.value.at, format!("'{key}' is a number from {least} to {most}")),
        }
    };
    within("stop_mult_min", STOP_MULT, &mut out.stop_mult_min);
    let mut number = |key: &str, most: f64, into: &mut f64| within(key, (0.0, most), into);
    number("cluster_strength", 1.0, &mut out.cluster_strength);
    number("session_vol_ratio", 100.0, &mut out.session_vol_ratio);
    number("confidence_min", 1.0, &mut out.confidence_min);
    number("agreement_min", 1.0, &mut out.agreement_min);
    number("health_min", 100.0, &mut out.health_min);
    out.early_trend = flag(table, "early_trend", problems).unwrap_or(out.early_trend);
    out
}

fn demand(node: &Node, verdict: Verdict, problems: &mut Problems<'_>) -> Option<Demand> {
    let alone = core::slice::from_ref(node);
    let nodes = if let NodeKind::List(nodes) = &node.kind { nodes.as_slice() } else { alone };
    let codes: Vec<ReasonCode> = nodes.iter().filter_map(|n| code(n, problems)).collect();
    let first = *codes.first()?;
    (codes.len() == nodes.len()).then(|| Demand {
        all: codes.iter().fold(0, |set, c| set | 1 << *c as u32),
        first,
        verdict,
    })
}

fn code(node: &Node, problems: &mut Problems<'_>) -> Option<ReasonCode> {
    let NodeKind::Text(word) = &node.kind else {
        problems.add(node.at, format!("a finding is a text such as \"chop_risk\", not {}", node.kind.name()));
        return None;
    };
    let known = || ReasonCode::ALL.iter().filter(|c| **c != ReasonCode::Ok);
    let found = known().find(|c| c.name() == word).copied();
    if found.is_none() {
        problems.add(node.at, format!("unknown finding '{word}'{}", did_you_mean(word, known().map(|c| c.name()))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleBook;

    fn set(codes: &[ReasonCode]) -> u32 {
        codes.iter().fold(0, |set, c| set | 1 << *c as u32)
    }

    #[test]
    fn a_list_asks_only_while_all_of_it_holds() {
        use ReasonCode as R;
        let text = RuleBook::shipped_text("seed2").unwrap();
        let with = |table: &str| RuleBook::parse("b.toml", &format!("{text}\n[verdict]\n{table}"));
        let book = with(
            "avoid = [\"data_stale\", \"no_data\", [\"against_trend\", \"chop_risk\"]]\ncaution = [\"chop_risk\"]\n\
             cluster_strength = 0.25\nearly_trend = true\nstop_mult_min = 1.25",
        )
        .unwrap();
        let t = &book.verdict;
        assert_eq!(t.asking(Verdict::Avoid, set(&[R::AgainstTrend])), (0, None));
        let both = set(&[R::AgainstTrend, R::ChopRisk, R::LowHealth]);
        assert_eq!(t.asking(Verdict::Avoid, both), (set(&[R::AgainstTrend, R::ChopRisk]), Some(R::AgainstTrend)));
        assert_eq!(t.asking(Verdict::Caution, both), (set(&[R::ChopRisk]), Some(R::ChopRisk)));
        assert!(t.reads(R::AgainstTrend) && !t.reads(R::LowHealth));
        assert_eq!((t.cluster_strength, t.early_trend, t.base_rates), (0.25, true, None));
        let named = |t: &VerdictTable| t.lines().iter().any(|(key, _)| key == "stop_mult_min");
        assert!(t.stop_mult_min > 1.2 && named(t) && !named(&VerdictTable::SEED), "the logic version covers it");
        let wrong = with("avoid = [\"data_stal\"]\ncaution = 3\nhealth_min = -1\nstop_mult_min = 5\nextra = 1");
        let wrong = wrong.unwrap_err().to_string();
        for words in [
            "unknown finding 'data_stal' — did you mean 'data_stale'",
            "'caution' is a list",
            "health_min",
            "'stop_mult_min' is a number from 0.5 to 4",
            "extra",
            "must hold \"no_data\"",
        ] {
            assert!(
                wrong.contains(words) || wrong.contains(&words.replace(" — ", "; ")),
                "'{words}' is not in {wrong}"
            );
        }
    }

    #[test]
    fn seed_books_have_the_originals_table_and_the_default_book_is_measured() {
        for name in RuleBook::SHIPPED {
            let table = RuleBook::shipped(name).unwrap().verdict;
            assert_eq!(table == VerdictTable::SEED, name != "default", "{name}");
            assert_eq!(table.base_rates.is_some(), name == "default", "{name}");
            for rates in table.base_rates.iter().flat_map(|rates| [rates.market, rates.bars]) {
                let sum: f64 = rates.iter().sum();
                assert!((sum - 1.0).abs() < 1e-9, "{name}: {sum}");
            }
            // What the book says of itself is what its verdicts say.
            let [allow, caution, avoid] = table.base_rates.map_or([0.0; 3], |r| r.market.map(|share| share * 100.0));
            let said = format!("{allow:.1}, {caution:.1} and {avoid:.1} %");
            let text = include_str!("../../books/default.toml");
            assert!(name != "default" || text.contains(&said), "the book does not say {said}");
        }
    }
}
