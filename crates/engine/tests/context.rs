//! A frame known by its bars: save and restore, gaps, what may be left out, and agreement with the parts it is made of.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::{Side, Span, Ts, VolRegime};
use barograph_engine::advice::{Intent, OperatorSettings, advise};
use barograph_engine::context::{Frame, FrameOptions};
use barograph_engine::features::bars::BarSample;
use barograph_engine::features::run::BarSeries;
use barograph_engine::liquidity::{Face, density};
use barograph_engine::rules::RuleBook;

const HOUR: Span = Span::hours(1);

/// A seeded walk of bars; opens on Monday, 2026-01-05.
fn walk(bars: usize, mut seed: u64) -> Vec<BarSample> {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(seed >> 33).unwrap()) / f64::from(u32::MAX >> 1)
    };
    let mut price = 50_000.0;
    let mut out = Vec::new();
    for _ in 0..bars {
        let open: f64 = price;
        let close = open * (1.0 + (next() - 0.5) * 0.012);
        let (high, low) = (open.max(close) * (1.0 + next() * 0.004), open.min(close) * (1.0 - next() * 0.004));
        out.push(BarSample { open, high, low, close, volume: Some(10.0 + 90.0 * next()), quote_volume: None });
        price = close;
    }
    out
}

fn start() -> Ts {
    Ts::parse("2026-01-05T00:00:00Z").unwrap()
}

fn frame(step: Span, book: &RuleBook) -> Frame {
    Frame::new(step, Span::ZERO, &FrameOptions::of(book))
}

fn feed(frame: &mut Frame, bars: &[BarSample], from: usize) {
    for (i, bar) in (from..).zip(bars) {
        assert!(frame.push(start() + frame.step().times(i64::try_from(i).unwrap() + 1), bar));
    }
}

fn said(frame: &Frame, book: &RuleBook) -> String {
    let price = frame.newest().unwrap().close;
    let reading = frame.read(book, price).unwrap();
    let headline = frame.headline(&reading).text;
    format!("{reading:?} {headline} {:?} {:?}", frame.levels_near(price), frame.levels("X"))
}

#[test]
fn saving_and_going_on_equals_never_having_stopped() {
    let book = RuleBook::shipped("default").unwrap();
    for (step, n) in [(Span::mins(5), 3_000), (HOUR, 900), (Span::hours(4), 500), (Span::days(1), 400)] {
        let bars = walk(n, 11);
        let mut whole = frame(step, &book);
        feed(&mut whole, &bars, 0);
        for cut in [1, 37, n / 2, n - 1] {
            let mut first = frame(step, &book);
            feed(&mut first, &bars[..cut], 0);
            let bytes = postcard::to_allocvec(&first).unwrap();
            let mut second: Frame = postcard::from_bytes(&bytes).unwrap();
            feed(&mut second, &bars[cut..], cut);
            assert_eq!(said(&second, &book), said(&whole, &book), "{step} cut at {cut}");
        }
    }
}

#[test]
fn what_nobody_asks_for_changes_nothing_that_is_asked() {
    let book = RuleBook::shipped("default").unwrap();
    for n in [300, 500, 701] {
        let bars = walk(n, 3);
        let (mut plain, mut quick) = (frame(HOUR, &book), frame(HOUR, &book));
        quick.will_not_ask_before(start() + HOUR.times(i64::try_from(n).unwrap()));
        feed(&mut plain, &bars, 0);
        feed(&mut quick, &bars, 0);
        assert_eq!(said(&quick, &book), said(&plain, &book));
        // Ranks that were taken at once are those that would have been taken later.
        let mut often = frame(HOUR, &book);
        for i in 0..n {
            feed(&mut often, &bars[i..=i], i);
            often.will_be_asked_often();
        }
        assert_eq!(said(&often, &book), said(&plain, &book));
    }
}

#[test]
fn late_bars_and_bars_off_the_grid_are_left_out() {
    let book = RuleBook::shipped("default").unwrap();
    let bars = walk(200, 5);
    let mut f = frame(HOUR, &book);
    feed(&mut f, &bars, 0);
    let before = said(&f, &book);
    assert!(!f.push(start() + HOUR.times(200), &bars[3]));
    assert!(!f.push(start() + HOUR.times(50), &bars[3]));
    assert!(!f.push(start() + HOUR.times(201) + Span::mins(1), &bars[3]));
    assert_eq!(said(&f, &book), before);
}

#[test]
fn a_gap_begins_the_windows_again() {
    let book = RuleBook::shipped("default").unwrap();
    let bars = walk(400, 5);
    let mut f = frame(HOUR, &book);
    feed(&mut f, &bars[..300], 0);
    feed(&mut f, &bars[303..310], 303);
    let r = f.read(&book, 50_000.0).unwrap();
    assert!(r.atr.is_none() && r.trend.line.is_err() && r.volatility.realized[0].is_ok());
    feed(&mut f, &bars[310..360], 310);
    assert!(f.read(&book, 50_000.0).unwrap().trend.line.is_ok());
}

#[test]
fn levels_near_the_price_give_the_advice_that_all_levels_give() {
    let book = RuleBook::shipped("default").unwrap();
    for seed in 0..20 {
        let bars = walk(500, 100 + seed);
        let mut f = frame(HOUR, &book);
        feed(&mut f, &bars, 0);
        let price = f.newest().unwrap().close;
        let reading = f.read(&book, price).unwrap();
        let near = f.levels_near(price);
        let all = barograph_engine::context::KnownLevels(f.levels("X"));
        assert!(near.0.len() < all.0.len());
        for side in [Side::Long, Side::Short] {
            let of = |levels| {
                let ctx = reading.advice(levels, None, None, None);
                let a = advise(Some(&ctx), &Intent::new("X", side, price), &OperatorSettings::default()).unwrap();
                format!("{:?} {:?} {:?}", a.stop.alternative, a.target.price, a.judgement)
            };
            assert_eq!(of(&near), of(&all), "seed {seed}");
        }
    }
}

#[test]
fn a_frame_stays_small() {
    let book = RuleBook::shipped("default").unwrap();
    let mut f = frame(HOUR, &book);
    feed(&mut f, &walk(6_000, 9), 0);
    let bytes = postcard::to_allocvec(&f).unwrap().len();
    assert!(bytes < 120_000, "{bytes} bytes");
}

/// The same bars with prices in steps of 200, and every fifth without volume.
fn on_a_grid(bars: &[BarSample]) -> Vec<BarSample> {
    let whole = |x: f64| (x / 200.0).round() * 200.0;
    let of = |(i, b): (usize, &BarSample)| BarSample {
        open: whole(b.open),
        high: whole(b.high),
        low: whole(b.low),
        close: whole(b.close),
        volume: b.volume.map(|v| if i % 5 == 0 { 0.0 } else { v }),
        quote_volume: None,
    };
    bars.iter().enumerate().map(of).collect()
}

/// Columns of a walk, which a run is made of.
fn columns(bars: &[BarSample]) -> [Vec<f64>; 5] {
    let of = |f: fn(&BarSample) -> f64| bars.iter().map(f).collect();
    [of(|b| b.open), of(|b| b.high), of(|b| b.low), of(|b| b.close), of(|b| b.volume.unwrap())]
}

#[test]
fn bars_pushed_as_runs_leave_the_state_that_single_bars_leave() {
    let book = RuleBook::shipped("default").unwrap();
    let week = Span::days(7);
    let usual = FrameOptions::of(&book);
    let mut followed = usual.clone();
    followed.liquidity.reactions = true;
    let mut forex = usual.clone();
    forex.sessions = barograph_engine::sessions::SessionSet::FOREX;
    let mut local = usual.clone();
    local.sessions = barograph_engine::sessions::SessionSet::LOCAL;
    let cases = [
        (Span::mins(1), Span::ZERO, 5_000, &usual),
        (Span::mins(5), Span::ZERO, 3_000, &usual),
        (Span::mins(7), Span::mins(3), 1_500, &usual),
        (Span::mins(20), Span::ZERO, 1_500, &local),
        (Span::mins(45), Span::ZERO, 1_200, &forex),
        (HOUR, Span::ZERO, 2_500, &usual),
        (HOUR, Span::mins(30), 700, &forex),
        (HOUR, Span::ZERO, 700, &followed),
        (Span::hours(2), Span::ZERO, 700, &usual),
        (Span::hours(4), Span::ZERO, 900, &usual),
        (Span::hours(8), Span::ZERO, 400, &usual),
        (Span::days(1), Span::ZERO, 400, &usual),
        (week, Span::days(4), 120, &usual),
    ];
    // Each as it is, and on a coarse grid: equal neighbours, bars that close where they opened, bars without volume.
    let cases = cases.into_iter().flat_map(|case| [(case, false), (case, true)]);
    for (seed, ((step, phase, n, options), coarse)) in (40..).zip(cases) {
        let bars = if coarse { on_a_grid(&walk(n, seed)) } else { walk(n, seed) };
        let [open, high, low, close, volume] = columns(&bars);
        let first = start().floor(step) + phase;
        let at = |i: usize| first + step.times(i64::try_from(i).unwrap() + 1);
        // A hole after two thirds.
        let hole = n * 2 / 3;
        let stamp = |i: usize| at(if i < hole { i } else { i + 3 });
        let mut single = Frame::new(step, phase, options);
        let whole: Vec<Vec<u8>> = (0..n)
            .map(|i| {
                assert!(single.push(stamp(i), &bars[i]), "{step}: bar {i}");
                postcard::to_allocvec(&single).unwrap()
            })
            .collect();
        for length in [1, 2, 3, 5, 17, 64, 333, n] {
            let mut runs = Frame::new(step, phase, options);
            let mut from = 0;
            while from < n {
                let end = if from < hole { hole } else { n };
                let upto = (from + length).min(end);
                let cut = |c: &'_ [f64]| c[from..upto].to_vec();
                let [open, high, low, close, volume] = [&open, &high, &low, &close, &volume].map(|c| cut(c));
                let run = BarSeries {
                    first: stamp(from),
                    step,
                    phase,
                    open: &open,
                    high: &high,
                    low: &low,
                    close: &close,
                    volume: &volume,
                };
                assert_eq!(runs.push_run(&run), upto - from, "{step}: from {from}");
                let same = postcard::to_allocvec(&runs).unwrap() == whole[upto - 1];
                assert!(same, "{step}: runs of {length} differ at {upto}: {runs:?}");
                assert_eq!(runs.push_run(&run), 0, "nothing of it is new");
                from = upto;
            }
        }
    }
}

#[test]
fn density_of_the_levels_that_were_taken_is_that_of_all() {
    let book = RuleBook::shipped("default").unwrap();
    for seed in 0..20 {
        let bars = walk(400, 300 + seed);
        let mut f = frame(HOUR, &book);
        feed(&mut f, &bars, 0);
        for shift in [-0.02, -0.003, 0.0, 0.001, 0.015] {
            let price = f.newest().unwrap().close * (1.0 + shift);
            let r = f.read(&book, price).unwrap();
            let reach = density::REACH_ATR * r.atr.unwrap();
            let all = Face::BOTH.map(|face| density::of_levels(f.liquidity(), price, reach, face));
            assert_eq!(r.density, Some(all), "{seed} {shift}");
        }
    }
}

/// Bars that swing by `size` up and down around 100, the last of them ending at `close`.
fn swinging(sizes: impl Iterator<Item = f64>, close: f64) -> Vec<BarSample> {
    let mut bars: Vec<BarSample> = sizes
        .enumerate()
        .map(|(i, size)| {
            let (low, high) = (100.0, 100.0 * (1.0 + size));
            let (open, close) = if i % 2 == 0 { (low, high) } else { (high, low) };
            BarSample { open, high, low, close, volume: Some(10.0), quote_volume: None }
        })
        .collect();
    let last = bars.last_mut().unwrap();
    (last.close, last.high, last.low) = (close, last.high.max(close), last.low.min(close));
    bars
}

/// A frame has the close of 24 h ago and a rank of its volatility: its headline says both.
#[test]
fn the_headline_of_a_frame_has_the_day_s_move_and_its_volatility_s_rank() {
    let book = RuleBook::shipped("default").unwrap();
    let said = |step: Span, bars: &[BarSample]| {
        let mut frame = frame(step, &book);
        for (i, bar) in (1..).zip(bars) {
            assert!(frame.push(start().floor(step) + step.times(i), bar));
        }
        let reading = frame.read(&book, frame.newest().unwrap().close).unwrap();
        (reading.change_24h, reading.volatility.label, frame.headline(&reading).text)
    };
    // 400 hours: the 25th bar from the end closes at 100, the newest at 102.
    let (change, _, text) = said(HOUR, &swinging((0..400).map(|_| 0.002), 102.0));
    assert!((change.unwrap() - 0.02).abs() < 1e-12);
    assert!(text.contains("+2.0 % in 24 h"), "{text}");
    let (change, _, text) = said(Span::mins(5), &swinging((0..400).map(|_| 0.002), 97.0));
    assert!((change.unwrap() + 0.03).abs() < 1e-12 && text.contains("−3.0 % in 24 h"), "{text}");
    let (change, ..) = said(Span::days(1), &swinging((0..60).map(|_| 0.02), 101.0));
    assert!((change.unwrap() - (101.0 / 102.0 - 1.0)).abs() < 1e-12, "the bar before");
    // A day is no whole number of bars, or its first close is not there.
    assert_eq!(said(Span::hours(7), &swinging((0..60).map(|_| 0.02), 101.0)).0, None);
    assert_eq!(said(HOUR, &swinging((0..24).map(|_| 0.02), 101.0)).0, None);
    assert!(said(HOUR, &swinging((0..25).map(|_| 0.02), 101.0)).0.is_some());
    // Six hundred calm hours, then a day of swings of 0.6 %: 2.9 % a day is HIGH_VOL, and more than at any time before.
    let sizes = (0..624).map(|i| if i < 600 { 0.001 } else { 0.006 });
    let (_, label, text) = said(HOUR, &swinging(sizes, 100.0));
    assert_eq!(label, VolRegime::HighVol);
    assert!(text.contains("oves larger than usual (24 h vol 5"), "{text}");
    // As large all the time, it is nothing special.
    let (_, label, text) = said(HOUR, &swinging((0..624).map(|_| 0.006), 100.0));
    assert_eq!(label, VolRegime::HighVol);
    assert!(!text.contains("larger than usual"), "{text}");
}
