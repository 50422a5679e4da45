//! What the contest owes: later data change nothing that was said, a restart leaves no trace, planted skill is found and earns its use,
//! chance does not, and a label that slips by one hour is noticed.

#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "helpers of tests may panic")]

use barograph_domain::contest::ContestVerdict;
use barograph_domain::forecast::{
    ForecastEvent, Forecaster, Issue, LedgerTick, ReferenceCounts, Resolution, Stated, SymbolGroup, WindowOutcome,
};
use barograph_domain::math::exp;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::models::HourReadings;
use barograph_lab::contest::{Contest, ModelInputs, Sighting};
use barograph_verify::contest::{CONTESTANTS, Numbering, standing};
use barograph_verify::scorecard::Gather;
use barograph_verify::scores::random::SplitMix;

const EVENT: ForecastEvent = ForecastEvent::HighVol1h;
const MARKETS: [&str; 2] = ["binance-usdm:BTCUSDT", "binance-usdm:SOLUSDT"];
/// A Thursday.
const FIRST_H: i64 = 24 * 20_000;

/// One market of a world: what is read at each hour, and what the hour after it brings.
struct Hours {
    seen: Vec<Sighting>,
    came: Vec<bool>,
}

/// What outcomes hang on.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Plant {
    /// The first input of the moment: whoever looks can know.
    Skill,
    /// Nothing.
    Chance,
    /// Nothing; but the first input is what the hour that has just ended brought.
    Echo,
}

fn unit(random: &mut SplitMix) -> f64 {
    f64::from(u32::try_from(random.below(1 << 24)).unwrap()) / f64::from(1_u32 << 24)
}

fn hours(plant: Plant, n: usize, seed: u64) -> Hours {
    let mut random = SplitMix::new(seed);
    let (mut seen, mut came) = (Vec::new(), Vec::new());
    let (mut price, mut rv, mut before) = (100.0, 0.3, false);
    for _ in 0..n {
        if unit(&mut random) < 0.03 {
            rv = if unit(&mut random) < 0.5 { 0.25 } else { 0.9 };
        }
        price *= exp((unit(&mut random) + unit(&mut random) - 1.0) * rv / 60.0);
        let x = match plant {
            Plant::Skill | Plant::Chance => unit(&mut random) * 2.0 - 1.0,
            Plant::Echo => f64::from(u8::from(before)) + unit(&mut random) * 0.1,
        };
        let p = match plant {
            Plant::Skill if x > 0.0 => 0.85,
            Plant::Skill => 0.05,
            Plant::Chance | Plant::Echo => 0.4,
        };
        let happens = unit(&mut random) < p;
        let other = unit(&mut random);
        let inputs = ModelInputs::of(core::array::from_fn(|at| match at {
            0 => Some(x),
            2 => Some(other),
            9 => Some(rv),
            _ => None,
        }));
        let hour = HourReadings { price: Some(price), rv_1h: Some(rv * (0.8 + 0.4 * other)), rv_24h: Some(0.5) };
        seen.push(Sighting { inputs, hour });
        came.push(happens);
        before = happens;
    }
    Hours { seen, came }
}

/// A world with the rules' ledger over it: they state 0.4 whatever is.
struct World {
    names: Vec<InstrumentName>,
    markets: Vec<Hours>,
    ticks: Vec<LedgerTick>,
}

impl World {
    fn new(plant: Plant, n: usize) -> Self {
        let names: Vec<InstrumentName> = MARKETS.iter().map(|m| InstrumentName::parse(m).unwrap()).collect();
        let markets: Vec<Hours> = (5..).take(names.len()).map(|seed| hours(plant, n, seed)).collect();
        let mut counts = [SymbolGroup::Btc, SymbolGroup::Other].map(|g| ReferenceCounts::none(EVENT, g));
        let mut ticks = Vec::new();
        for at in 0..n {
            let ts = Ts(0) + Span::hours(FIRST_H + i64::try_from(at).unwrap());
            let mut tick = LedgerTick { ts, markets: names.clone().into(), begins: at == 0, ..LedgerTick::default() };
            for (market, hours) in (0_u16..).zip(&markets) {
                let happened = |at: usize| usize::from(hours.came[at]);
                if at > 0 {
                    let outcome = if hours.came[at - 1] { WindowOutcome::Happened } else { WindowOutcome::Missed };
                    let issued_ts = ts - Span::hours(1);
                    let (subject, evidence) = (None, [None; 2]);
                    tick.resolutions.push(Resolution { event: EVENT, market, subject, issued_ts, outcome, evidence });
                    if at > 1 {
                        counts[usize::from(market)].counts[happened(at - 2) * 2 + happened(at - 1)] += 1;
                    }
                }
                tick.issues.push(Issue {
                    event: EVENT,
                    market,
                    subject: None,
                    forecaster: Forecaster::Rules,
                    resolve_after: ts + Span::hours(1),
                    label: 0,
                    raw_label: 0,
                    state: (at > 0).then(|| u8::from(hours.came[at - 1])),
                    stated: Stated::Probability(0.4),
                    scope: None,
                    cases: 100,
                    separate: 100,
                    input_digest: ts.0.unsigned_abs(),
                });
            }
            tick.references = counts.to_vec();
            ticks.push(tick);
        }
        Self { names, markets, ticks }
    }

    /// Through the contest; what is seen at a tick is that of `ahead` hours later; the state goes through its bytes at `restart`.
    fn contested(&self, until: usize, ahead: usize, restart: &[usize]) -> Vec<Vec<LedgerTick>> {
        let mut contest = Contest::default();
        let mut out = vec![Vec::new(); CONTESTANTS.len()];
        for (at, tick) in self.ticks[..until].iter().enumerate() {
            if restart.contains(&at) {
                contest = Contest::restore(&contest.save()).unwrap();
            }
            let sighting = |m: &Hours| m.seen.get(at + ahead).copied();
            let seen: Vec<(InstrumentName, Sighting)> =
                self.names.iter().zip(&self.markets).filter_map(|(n, m)| Some((n.clone(), sighting(m)?))).collect();
            for (ticks, tick) in out.iter_mut().zip(contest.tick(tick, &seen)) {
                ticks.push(tick);
            }
        }
        out
    }

    fn verdicts(&self, ahead: usize) -> Vec<(Forecaster, ContestVerdict)> {
        let mut numbers = Numbering::default();
        let mut losses = |who, ticks: &[LedgerTick]| {
            let mut gather = Gather::of(EVENT, who);
            ticks.iter().for_each(|t| gather.tick(t));
            gather.losses(&mut numbers)
        };
        let rules = losses(Forecaster::Rules, &self.ticks).0;
        let said = self.contested(self.ticks.len(), ahead, &[]);
        let judge = |(who, ticks): (Forecaster, &Vec<LedgerTick>)| {
            let (own, abstained) = losses(who, ticks);
            (who, standing((EVENT, who), &own, abstained, &rules).verdict.unwrap())
        };
        CONTESTANTS.into_iter().zip(&said).map(judge).collect()
    }
}

#[test]
fn later_data_change_nothing_that_was_said_and_a_restart_leaves_no_trace() {
    let world = World::new(Plant::Skill, 2_000);
    let whole = world.contested(2_000, 0, &[]);
    let stated = |ticks: &[LedgerTick]| {
        ticks.iter().flat_map(|t| &t.issues).filter(|i| matches!(i.stated, Stated::Probability(_))).count()
    };
    for (who, ticks) in CONTESTANTS.into_iter().zip(&whole) {
        assert!(stated(ticks) > 1_500, "{} states {} probabilities", who.id(), stated(ticks));
    }
    for cut in [333, 1_201, 1_777] {
        let prefix = world.contested(cut, 0, &[150, 1_000, 1_200]);
        for ((who, whole), prefix) in CONTESTANTS.into_iter().zip(&whole).zip(&prefix) {
            assert!(whole[..cut] == prefix[..], "{} over the first {cut} hours", who.id());
        }
    }
}

#[test]
fn planted_skill_earns_its_use_and_chance_does_not() {
    for (who, verdict) in World::new(Plant::Skill, 2_600).verdicts(0) {
        let want = match who {
            Forecaster::Logistic | Forecaster::Boosting => ContestVerdict::MayBeUsed,
            // They do not see the input that decides.
            Forecaster::Rules | Forecaster::Hmm | Forecaster::Bocpd => ContestVerdict::NoBetterThanPersistence,
        };
        assert_eq!(verdict, want, "{}", who.id());
    }
    for (who, verdict) in World::new(Plant::Chance, 2_600).verdicts(0) {
        assert_eq!(verdict, ContestVerdict::NoBetterThanPersistence, "{} on chance", who.id());
    }
}

/// The first input is what the hour before it brought. Whoever is shown it an hour early, or is taught with labels of the hour
/// before, knows the future.
#[test]
fn what_leaks_from_the_next_hour_is_noticed() {
    let world = World::new(Plant::Echo, 1_800);
    let of = |verdicts: Vec<(Forecaster, ContestVerdict)>| {
        verdicts.into_iter().find(|(who, _)| *who == Forecaster::Boosting).unwrap().1
    };
    assert_eq!(of(world.verdicts(0)), ContestVerdict::NoBetterThanPersistence);
    assert_eq!(of(world.verdicts(1)), ContestVerdict::MayBeUsed, "a leak of one hour shows");
}

/// Every contestant repeats what the rules asked and what came, so that its denominators add up like theirs.
#[test]
fn a_contestants_ledger_asks_and_resolves_what_the_rules_do() {
    let world = World::new(Plant::Chance, 900);
    for (who, ticks) in CONTESTANTS.into_iter().zip(world.contested(900, 0, &[])) {
        for (own, rules) in ticks.iter().zip(&world.ticks) {
            assert_eq!((own.ts, &own.resolutions, &own.references), (rules.ts, &rules.resolutions, &rules.references));
            let asked = |t: &LedgerTick| t.issues.iter().map(|i| (i.event, i.market, i.state)).collect::<Vec<_>>();
            assert_eq!(asked(own), asked(rules));
            assert!(own.issues.iter().all(|i| i.forecaster == who));
        }
    }
}
