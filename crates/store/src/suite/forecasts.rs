//! A ledger as markets make one: every event of every tick at every grid instant, resolved when its window ends.
//!
//! Probabilities take some forty values a day, labels and states change seldom, decisive numbers are noise, counts of references
//! grow by what was resolved. Density and speed are measured on it, so what it does is stated here and not drawn elsewhere.

use super::sample::Random;
use barograph_domain::forecast::{
    Abstention, CalibrationScope, FeatureDrift, ForecastEvent, Forecaster, GroupSkill, Issue, LedgerTick, MoveBase,
    NotIssued, NotIssuedReason, ReferenceCounts, Resolution, Stated, SymbolGroup, WindowOutcome,
};
use barograph_domain::{InstrumentName, Span, Ts};
use std::sync::Arc;

/// From one tick to the next.
pub const STEP: Span = Span::mins(5);
/// Probabilities that each event takes in a day.
const VALUES: u64 = 40;
/// A label stays for so many ticks in the middle.
const STAYS: u64 = 50;

/// Markets of all three groups.
#[must_use]
pub fn markets(count: usize) -> Arc<[InstrumentName]> {
    let symbol = |n: usize| match n {
        0 => "BTCUSDT".to_owned(),
        1 => "ETHUSDT".to_owned(),
        n => format!("ALT{n}USDT"),
    };
    (0..count).map(|n| InstrumentName::new("binance-usdm", &symbol(n)).unwrap()).collect()
}

/// Ticks of so many markets, from a grid instant on.
#[must_use]
pub fn ticks(start: Ts, count: usize, markets: &Arc<[InstrumentName]>, seed: u64) -> Vec<LedgerTick> {
    let mut world = World::new(markets, seed);
    (0..count).map(|n| world.tick(start + Span(STEP.0 * i64::try_from(n).unwrap()), n == 0)).collect()
}

struct World {
    markets: Arc<[InstrumentName]>,
    random: Random,
    references: Vec<ReferenceCounts>,
    /// Label and state of each market and event.
    moods: Vec<(u8, u8)>,
    values: Vec<f64>,
}

impl World {
    fn new(markets: &Arc<[InstrumentName]>, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut groups: Vec<SymbolGroup> = markets.iter().map(SymbolGroup::of).collect();
        groups.sort();
        groups.dedup();
        let counts = |event, group, random: &mut Random| {
            let mut found = ReferenceCounts::none(event, group);
            // After unknown states there were hardly any.
            let known = found.counts.len() - ReferenceCounts::outcomes(event);
            found.counts[..known].iter_mut().for_each(|n| *n = u32::try_from(random.below(20_000)).unwrap());
            found
        };
        let references = ForecastEvent::EVERY_TICK
            .iter()
            .flat_map(|e| groups.iter().map(|g| counts(*e, *g, &mut random)).collect::<Vec<_>>())
            .collect();
        let values = (0..VALUES * 8).map(|_| random.unit()).collect();
        let moods = vec![(1, 0); markets.len() * 8];
        Self { markets: Arc::clone(markets), random, references, moods, values }
    }

    fn tick(&mut self, ts: Ts, begins: bool) -> LedgerTick {
        let markets = Arc::clone(&self.markets);
        let mut tick = LedgerTick { ts, markets: Arc::clone(&markets), begins, ..LedgerTick::default() };
        let digests: Vec<u64> = markets.iter().map(|_| self.random.bits()).collect();
        for (nth, event) in ForecastEvent::EVERY_TICK.into_iter().enumerate() {
            for (market, input_digest) in (0_u16..).zip(&digests) {
                let issue = self.issue(event, nth, market, ts, *input_digest);
                tick.issues.push(issue);
                tick.resolutions.push(self.resolution(event, nth, market, ts));
            }
        }
        for one in &mut self.references {
            for _ in 0..3 {
                let at = usize::try_from(self.random.below(one.counts.len() as u64 - 2)).unwrap();
                one.counts[at] += 1;
            }
        }
        tick.references.clone_from(&self.references);
        tick
    }

    fn issue(&mut self, event: ForecastEvent, nth: usize, market: u16, ts: Ts, input_digest: u64) -> Issue {
        let mood = &mut self.moods[usize::from(market) * 8 + nth];
        if self.random.below(STAYS) == 0 {
            *mood = (u8::try_from(self.random.below(4)).unwrap() + 1, u8::try_from(self.random.below(2)).unwrap());
        }
        let (label, state) = *mood;
        let value = self.random.below(VALUES);
        let p = self.values[usize::try_from(value).unwrap() + nth * usize::try_from(VALUES).unwrap()];
        let stated = match event {
            ForecastEvent::VolClass24h => Stated::Classes([p / 2.0, p / 3.0, 1.0 - p, p / 6.0]),
            _ => Stated::Probability(p),
        };
        let cases = u32::try_from(value).unwrap() * 37 + 100;
        Issue {
            event,
            market,
            subject: None,
            forecaster: Forecaster::Rules,
            resolve_after: ts + event.horizon().unwrap_or(STEP),
            label,
            raw_label: label,
            state: Some(state),
            stated,
            scope: Some(CalibrationScope::Group),
            cases,
            separate: cases / 12,
            input_digest,
        }
    }

    fn resolution(&mut self, event: ForecastEvent, nth: usize, market: u16, ts: Ts) -> Resolution {
        let outcome = match event {
            ForecastEvent::VolClass24h => WindowOutcome::Class(u8::try_from(self.random.below(4)).unwrap()),
            _ if self.random.below(8) == 0 => WindowOutcome::Happened,
            _ => WindowOutcome::Missed,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a number of single precision is wanted")]
        let mut noise = || Some(self.random.unit() as f32);
        let evidence = match nth {
            0..4 => [noise(), noise()],
            4..6 => [noise(), None],
            _ => [None, None],
        };
        let issued_ts = ts - event.horizon().unwrap_or(STEP);
        Resolution { event, market, subject: None, issued_ts, outcome, evidence }
    }
}

/// A tick with one of everything that is rare, beside a little of what is not; `x` makes it another content.
#[must_use]
pub fn odd(ts: Ts, x: f64) -> LedgerTick {
    let markets = markets(3);
    let issue = |event, market, subject: Option<&str>, stated| Issue {
        event,
        market,
        subject: subject.map(Into::into),
        forecaster: Forecaster::Boosting,
        resolve_after: ts + Span(7),
        label: 255,
        raw_label: 0,
        state: None,
        stated,
        scope: None,
        cases: 0,
        separate: u32::MAX,
        input_digest: u64::MAX,
    };
    let resolution = |event, market, subject: Option<&str>, outcome| Resolution {
        event,
        market,
        subject: subject.map(Into::into),
        issued_ts: ts - Span(3),
        outcome,
        evidence: [None, Some(-0.0)],
    };
    LedgerTick {
        ts,
        markets,
        issues: vec![
            issue(ForecastEvent::HighVol1h, 2, None, Stated::Probability(x)),
            issue(ForecastEvent::VolClass24h, 0, None, Stated::Classes([f64::NAN, -0.0, x, 5e-324])),
            issue(ForecastEvent::LevelReact, 1, Some("level — “4”"), Stated::Abstained(Abstention::NotModelled)),
            issue(ForecastEvent::LevelReact, 1, Some(""), Stated::Probability(-0.0)),
        ],
        not_issued: vec![NotIssued { event: ForecastEvent::Squeeze4h, market: 1, reason: NotIssuedReason::NoSide }],
        resolutions: vec![
            resolution(ForecastEvent::HighVol1h, 0, None, WindowOutcome::Gap),
            resolution(ForecastEvent::VolClass24h, 0, None, WindowOutcome::Class(255)),
            resolution(ForecastEvent::LevelReact, 1, Some("other"), WindowOutcome::Void),
        ],
        references: vec![ReferenceCounts {
            event: ForecastEvent::PostFundRev8h,
            group: SymbolGroup::Eth,
            counts: Box::new([]),
        }],
        begins: false,
        drift: vec![
            FeatureDrift {
                market: 0,
                feature: "realized_vol_1h".into(),
                psi: x,
                by_chance: 5e-324,
                n: u32::MAX,
                reference: 0,
                weeks: 25,
                p80: None,
                p95: Some(-0.0),
            },
            FeatureDrift {
                market: 2,
                feature: "".into(),
                psi: 0.0,
                by_chance: x,
                n: 1,
                reference: u32::MAX,
                weeks: 0,
                p80: Some(x),
                p95: None,
            },
        ],
        skills: vec![
            GroupSkill {
                event: ForecastEvent::VolUp24h,
                group: SymbolGroup::Other,
                skill: -x,
                band: Some([f64::MIN, x]),
                n: 8_640,
                separate: 30,
            },
            GroupSkill {
                event: ForecastEvent::Chop4h,
                group: SymbolGroup::Btc,
                skill: 1.0,
                band: None,
                n: u32::MAX,
                separate: 0,
            },
        ],
        bases: vec![MoveBase { market: 1, windows: 288, moved: u32::MAX }],
    }
}
