//! Blobs of the ledger give back what they were given, bit for bit, whatever it was; damage is an error, never a panic or a
//! silently different tick; and a blob is as small as was promised.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::forecast::{
    Abstention, CalibrationScope, FeatureDrift, ForecastEvent, Forecaster, GroupSkill, Issue, LedgerTick, MoveBase,
    NotIssued, NotIssuedReason, ReferenceCounts, Resolution, Stated, SymbolGroup, WindowOutcome,
};
use barograph_domain::{Span, Ts};
use barograph_store::codec::ledger::{LedgerBuilder, canonical, decode, encode, scan, times};
use barograph_store::suite::forecasts::{STEP, markets, odd, ticks};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::ops::ControlFlow;

const T0: Ts = Ts::from_civil(2026, 3, 1, 0, 0, 0);
const MARKETS: usize = 5;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => any::<u64>().prop_map(f64::from_bits),
        2 => select(vec![0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, 5e-324]),
        4 => (0_u32..3).prop_map(|n| f64::from(n) / 7.0),
    ]
}

fn stated() -> impl Strategy<Value = Stated> {
    prop_oneof![
        select(Abstention::ALL.to_vec()).prop_map(Stated::Abstained),
        number().prop_map(Stated::Probability),
        [number(), number(), number(), number()].prop_map(Stated::Classes),
        number().prop_map(|p| Stated::Classes([p / 2.0, p / 4.0, p / 8.0, 1.0 - (p / 2.0 + p / 4.0 + p / 8.0)])),
    ]
}

fn event() -> impl Strategy<Value = ForecastEvent> {
    select(ForecastEvent::ALL.to_vec())
}

fn market() -> impl Strategy<Value = u16> {
    0..u16::try_from(MARKETS).unwrap()
}

fn subject() -> impl Strategy<Value = Option<Box<str>>> {
    option::weighted(0.2, select(vec!["", "a", "level 7", "binance-usdm:ÄÖ"]).prop_map(Into::into))
}

/// Where `expected` is, or near it, or anywhere.
fn moment(expected: Ts) -> impl Strategy<Value = Ts> {
    prop_oneof![6 => Just(expected), 1 => (-9_i64..9).prop_map(move |n| Ts(expected.0.wrapping_add(n))), 1 => any::<i64>().prop_map(Ts)]
}

fn issue(ts: Ts) -> impl Strategy<Value = Issue> {
    let cases = || prop_oneof![Just(0), 100_u32..103, any::<u32>()];
    let digest = prop_oneof![3 => Just(9_u64), 1 => any::<u64>()];
    let who = (event(), market(), subject(), select(Forecaster::ALL.to_vec()));
    let scope = option::of(select(CalibrationScope::ALL.to_vec()));
    (who, any::<(u8, u8)>(), option::of(any::<u8>()), stated(), scope, cases(), cases(), digest).prop_flat_map(
        move |(
            (event, market, subject, forecaster),
            (label, raw_label),
            state,
            stated,
            scope,
            cases,
            separate,
            digest,
        )| {
            moment(Ts(ts.0.wrapping_add(event.horizon().unwrap_or(Span(0)).0))).prop_map(move |resolve_after| Issue {
                event,
                market,
                subject: subject.clone(),
                forecaster,
                resolve_after,
                label: label % 5,
                raw_label,
                state,
                stated,
                scope,
                cases,
                separate,
                input_digest: digest,
            })
        },
    )
}

fn resolution(ts: Ts) -> impl Strategy<Value = Resolution> {
    let outcome = prop_oneof![
        select(vec![WindowOutcome::Missed, WindowOutcome::Happened, WindowOutcome::Gap, WindowOutcome::Void]),
        any::<u8>().prop_map(WindowOutcome::Class),
    ];
    let number = || option::of(any::<u32>().prop_map(f32::from_bits));
    (event(), market(), subject(), outcome, [number(), number()]).prop_flat_map(
        move |(event, market, subject, outcome, evidence)| {
            moment(Ts(ts.0.wrapping_sub(event.horizon().unwrap_or(Span(0)).0))).prop_map(move |issued_ts| Resolution {
                event,
                market,
                subject: subject.clone(),
                issued_ts,
                outcome,
                evidence,
            })
        },
    )
}

fn references() -> impl Strategy<Value = ReferenceCounts> {
    let counts = prop_oneof![vec(0_u32..5, 6), vec(any::<u32>(), 0..21)];
    (event(), select(SymbolGroup::ALL.to_vec()), counts).prop_map(|(event, group, counts)| ReferenceCounts {
        event,
        group,
        counts: counts.into(),
    })
}

fn drift() -> impl Strategy<Value = FeatureDrift> {
    let numbers = (number(), number(), option::of(number()), option::of(number()));
    (market(), "[a-z_0-9]{0,12}", numbers, [any::<u32>(), any::<u32>(), any::<u32>()]).prop_map(
        |(market, feature, (psi, by_chance, p80, p95), [n, reference, weeks])| FeatureDrift {
            market,
            feature: feature.into(),
            psi,
            by_chance,
            n,
            reference,
            weeks,
            p80,
            p95,
        },
    )
}

fn skill() -> impl Strategy<Value = GroupSkill> {
    let band = option::of([number(), number()]);
    (event(), select(SymbolGroup::ALL.to_vec()), number(), band, any::<u32>(), any::<u32>())
        .prop_map(|(event, group, skill, band, n, separate)| GroupSkill { event, group, skill, band, n, separate })
}

fn base() -> impl Strategy<Value = MoveBase> {
    (market(), any::<u32>(), any::<u32>()).prop_map(|(market, windows, moved)| MoveBase { market, windows, moved })
}

fn tick(ts: Ts) -> impl Strategy<Value = LedgerTick> {
    let not_issued = (event(), market(), select(NotIssuedReason::ALL.to_vec()));
    let not_issued = not_issued.prop_map(|(event, market, reason)| NotIssued { event, market, reason });
    let lists = (vec(issue(ts), 0..8), vec(not_issued, 0..4), vec(resolution(ts), 0..8), vec(references(), 0..5));
    let seldom = (vec(drift(), 0..3), vec(skill(), 0..3), vec(base(), 0..3));
    (lists, seldom, any::<bool>(), 0..3_usize).prop_map(
        move |((mut issues, mut not_issued, mut resolutions, mut references), (drift, skills, bases), begins, more)| {
            issues.sort_by_key(|x| x.event);
            not_issued.sort_by_key(|x| x.event);
            resolutions.sort_by_key(|x| x.event);
            references.sort_by_key(|x| x.event);
            let markets = markets(MARKETS + more);
            LedgerTick { ts, markets, issues, not_issued, resolutions, references, begins, drift, skills, bases }
        },
    )
}

fn run() -> impl Strategy<Value = Vec<LedgerTick>> {
    (0..6_usize, any::<bool>()).prop_flat_map(|(count, far)| {
        let at =
            move |n: usize| if far && n == 0 { Ts::MIN } else { T0 + Span(STEP.0 * i64::try_from(n * n).unwrap()) };
        (0..count).map(|n| tick(at(n))).collect::<Vec<_>>()
    })
}

fn bits(ticks: &[LedgerTick]) -> Vec<Vec<u8>> {
    ticks.iter().map(canonical).collect()
}

fn only(ticks: &[LedgerTick], event: ForecastEvent) -> Vec<LedgerTick> {
    let mut all = ticks.to_vec();
    for tick in &mut all {
        tick.issues.retain(|x| x.event == event);
        tick.not_issued.retain(|x| x.event == event);
        tick.resolutions.retain(|x| x.event == event);
        tick.references.retain(|x| x.event == event);
    }
    all
}

fn scanned(blob: &[u8], events: &[ForecastEvent]) -> Vec<LedgerTick> {
    let mut found = Vec::new();
    let _all = scan(blob, events, |tick| {
        found.push(tick.clone());
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn ticks_come_back_bit_for_bit(ticks in run(), event in event()) {
        let blob = encode(&ticks).unwrap();
        prop_assert_eq!(bits(&decode(&blob).unwrap()), bits(&ticks));
        prop_assert_eq!(times(&blob).unwrap(), ticks.iter().map(|t| t.ts).collect::<Vec<_>>());
        prop_assert_eq!(bits(&scanned(&blob, &[event])), bits(&only(&ticks, event)));
    }

    #[test]
    fn damage_is_an_error(ticks in run(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut blob = encode(&ticks).unwrap();
        let at = at.index(blob.len());
        // Of no ticks nothing is left out by a cut.
        prop_assert!(ticks.is_empty() || decode(&blob[..at]).is_err());
        blob[at] ^= 1 << bit;
        if let Ok(found) = decode(&blob) {
            // Frames have bits of their own that say nothing.
            prop_assert_eq!(bits(&found), bits(&ticks));
        }
    }

    /// What a writer gone mad would have closed with right checksums.
    #[test]
    fn nonsense_is_no_panic(quiet in vec(prop_oneof![4 => 0_u8..4, 1 => any::<u8>()], 0..300), noise in vec(any::<u8>(), 0..64)) {
        let frame = zstd::bulk::compress(&quiet, 1).unwrap();
        let mut blob = vec![1];
        for mut n in [quiet.len(), noise.len(), frame.len()] {
            while n > 0x7f {
                blob.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
                n >>= 7;
            }
            blob.push(u8::try_from(n).unwrap());
        }
        blob.extend(frame);
        blob.extend(zstd::bulk::compress(&noise, 1).unwrap());
        drop(decode(&blob));
        drop(decode(&noise));
    }
}

#[test]
fn what_breaks_the_order_is_refused() {
    let one = odd(T0, 0.5);
    let check = |ticks: &[LedgerTick], word: &str| {
        let error = encode(ticks).unwrap_err();
        assert!(error.0.contains(word), "{error}");
    };
    check(&[one.clone(), one.clone()], "after the one before");
    let mut wrong = one.clone();
    wrong.issues.reverse();
    check(&[wrong], "ordered by event");
    let mut wrong = one.clone();
    wrong.resolutions[0].market = 3;
    check(&[wrong], "not in its list");
    let day: Vec<LedgerTick> =
        (0..1_441).map(|n| LedgerTick { ts: T0 + Span::mins(n), ..LedgerTick::default() }).collect();
    check(&day, "than a day has minutes");
    assert_eq!(bits(&decode(&encode(&day[..1_440]).unwrap()).unwrap()), bits(&day[..1_440]));
    assert_eq!(bits(&decode(&encode(std::slice::from_ref(&one)).unwrap()).unwrap()), bits(&[one]));
}

/// Lists come in the order of their events, and a builder that was emptied begins anew.
#[test]
fn a_builder_is_empty_once_it_is_finished() {
    let two = ticks(T0, 2, &markets(2), 7);
    let mut builder = LedgerBuilder::default();
    two.iter().for_each(|t| builder.push(t).unwrap());
    assert_eq!(builder.ticks(), 2);
    let blob = builder.finish().unwrap();
    assert_eq!((builder.ticks(), builder.bytes()), (0, 0));
    builder.push(&two[0]).unwrap();
    assert_eq!(bits(&decode(&builder.finish().unwrap()).unwrap()), bits(&two[..1]));
    assert_eq!(bits(&decode(&blob).unwrap()), bits(&two));
}

/// Bytes per market and minute, the ticks every five minutes: under 60 was asked for.
#[test]
fn a_ledger_is_small() {
    for (count, day_max, tick_max) in [(3_u32, 21.0, 75.0), (100, 18.0, 28.0)] {
        let markets = markets(count.try_into().unwrap());
        let all = ticks(T0, 288, &markets, 1);
        let per = |bytes: usize| f64::from(u32::try_from(bytes).unwrap()) / f64::from(count) / 1_440.0;
        let day = per(encode(&all).unwrap().len());
        let single = per(all.iter().map(|t| encode(std::slice::from_ref(t)).unwrap().len()).sum());
        println!(
            "{count} markets: {day:.1} bytes a market and minute in a blob of a day, {single:.1} in blobs of a tick"
        );
        assert!(day < day_max, "{count} markets, a day: {day:.1}");
        assert!(single < tick_max, "{count} markets, single ticks: {single:.1}");
    }
}
