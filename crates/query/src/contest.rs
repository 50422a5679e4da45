//! Contestants' records against persistence and the rules, and whose forecasts of an event are used (regimes §11, verification §4.1).
//!
//! Records are made from the ledgers each time they are asked for: nothing that was once written down stands for them.

use crate::Error;
use barograph_domain::Ts;
use barograph_domain::contest::{ContestReport, ContestRow, ContestVerdict};
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_store::{Range, Reader};
use barograph_verify::contest::{
    CONTESTANTS, CaseLoss, EVENTS, Numbering, RESOLVED_MIN, ledger_of, standing, standing_of_rules,
};
use barograph_verify::scorecard::Gather;
use barograph_verify::scores::bootstrap::SEED;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Which part of the contest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContestAsked {
    /// These events only; empty: all that contestants forecast.
    pub events: Vec<ForecastEvent>,
    /// As the ledgers were known then.
    pub as_of: Option<Ts>,
}

/// Records over the ledgers beside the rules' one of a logic version. Contestants without a ledger have no row.
///
/// # Errors
/// When the store cannot be read.
pub fn contest(reader: &dyn Reader, rules: &str, book: &str, asked: &ContestAsked) -> Result<ContestReport, Error> {
    let events: Vec<ForecastEvent> = if asked.events.is_empty() { EVENTS.to_vec() } else { asked.events.clone() };
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(events.len()) {
            scope.spawn(|| {
                while let Some(event) = events.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let part = records(reader, rules, *event, &CONTESTANTS, asked.as_of);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((*event, part));
                }
            });
        }
    });
    let mut parts = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.sort_by_key(|(event, _)| *event);
    let mut found = ContestReport {
        logic_version: rules.to_owned(),
        book: book.to_owned(),
        span: None,
        markets: Vec::new(),
        seed: SEED,
        rows: Vec::new(),
    };
    for (_, part) in parts {
        let Records { rows, span, markets } = part?;
        (found.span, found.markets) = (span, markets);
        found.rows.extend(rows);
    }
    Ok(found)
}

/// One event of it.
struct Records {
    rows: Vec<ContestRow>,
    span: Option<[Ts; 2]>,
    markets: Vec<String>,
}

/// What a ledger says of an event.
#[derive(Default)]
struct LedgerLosses {
    losses: Vec<CaseLoss>,
    abstained: u64,
    span: Option<[Ts; 2]>,
    markets: Vec<String>,
}

fn losses_of(
    reader: &dyn Reader,
    rules: &str,
    (event, who): (ForecastEvent, Forecaster),
    as_of: Option<Ts>,
    numbers: &mut Numbering,
) -> Result<LedgerLosses, Error> {
    let mut gather = Gather::of(event, who);
    let mut found = LedgerLosses::default();
    reader.ledger_scan(&ledger_of(rules, who), Range::ALL, &[event], as_of, &mut |tick| {
        found.span = Some([found.span.map_or(tick.ts, |[first, _]| first), tick.ts]);
        if found.markets.len() != tick.markets.len() {
            found.markets = tick.markets.iter().map(ToString::to_string).collect();
        }
        gather.tick(tick);
        ControlFlow::Continue(())
    })?;
    (found.losses, found.abstained) = gather.losses(numbers);
    Ok(found)
}

fn records(
    reader: &dyn Reader,
    rules: &str,
    event: ForecastEvent,
    contestants: &[Forecaster],
    as_of: Option<Ts>,
) -> Result<Records, Error> {
    let mut numbers = Numbering::default();
    let own = losses_of(reader, rules, (event, Forecaster::Rules), as_of, &mut numbers)?;
    let mut rows = vec![standing_of_rules(event, &own.losses, own.abstained)];
    for who in contestants {
        let other = losses_of(reader, rules, (event, *who), as_of, &mut numbers)?;
        if other.span.is_some() {
            rows.push(standing((event, *who), &other.losses, other.abstained, &own.losses));
        }
    }
    Ok(Records { rows, span: own.span, markets: own.markets })
}

/// Whose forecasts are used: the rules', but for events of which another was chosen and has earned it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InUse {
    rules: String,
    others: BTreeMap<ForecastEvent, Forecaster>,
}

impl InUse {
    /// The rules alone.
    #[must_use]
    pub fn rules(rules: &str) -> Self {
        Self { rules: rules.to_owned(), others: BTreeMap::new() }
    }

    /// What was chosen, held against the records.
    ///
    /// # Errors
    /// [`Error::NotEarned`] where a contestant has no ledger or its record does not stand; when the store cannot be read.
    pub fn chosen(reader: &dyn Reader, rules: &str, chosen: &[(ForecastEvent, Forecaster)]) -> Result<Self, Error> {
        let mut found = Self::rules(rules);
        for (event, who) in chosen.iter().filter(|(_, who)| *who != Forecaster::Rules) {
            let rows = records(reader, rules, *event, &[*who], None)?.rows;
            let row = rows.iter().find(|r| r.forecaster == *who);
            if row.and_then(|r| r.verdict) != Some(ContestVerdict::MayBeUsed) {
                return Err(Error::NotEarned { event: *event, forecaster: *who, why: why(row) });
            }
            found.others.insert(*event, *who);
        }
        Ok(found)
    }

    /// Events of which a contestant's forecasts are used, with the logic version of its ledger.
    pub fn contestants(&self) -> impl Iterator<Item = (ForecastEvent, Forecaster, String)> + '_ {
        self.others.iter().map(|(event, who)| (*event, *who, ledger_of(&self.rules, *who)))
    }

    /// Whose forecasts of an event are used, and the logic version of the ledger that holds them.
    #[must_use]
    pub fn of(&self, event: ForecastEvent) -> (Forecaster, String) {
        let who = self.others.get(&event).copied().unwrap_or(Forecaster::Rules);
        (who, ledger_of(&self.rules, who))
    }
}

/// Why a contestant is not used.
fn why(row: Option<&ContestRow>) -> String {
    let Some(row) = row else { return "no contest has been run here; run: barograph contest".to_owned() };
    let verdict = row.verdict.map_or("too little data", ContestVerdict::spoken);
    let low = match row.verdict {
        Some(ContestVerdict::NoBetterThanPersistence) => row.over_persistence.map(|s| s.low),
        Some(ContestVerdict::NoBetterThanRules) => row.over_rules.map(|s| s.low),
        Some(ContestVerdict::MayBeUsed | ContestVerdict::TooLittleData) | None => None,
    };
    match low {
        Some(low) => format!(
            "its record says: {verdict} (at 95 % confidence it gains at least {low:+.4} in Brier score; above 0 is needed)"
        ),
        None => format!("its record says: {verdict} ({} forecasts scored; {RESOLVED_MIN} are needed)", row.n),
    }
}
