//! Two markets that part: by the floor, by their own past, hour after hour as the rows between markets say it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::alert::{AlertChange, AlertState};
use barograph_domain::universe::{
    BandSource, Gauge, LeadReading, PairBand, PairReading, PairState, StateHours, UniverseMarket,
};
use barograph_domain::{Cell, InstrumentName, Kind, Reason, RiskRegime, Severity, Span, Ts, UniverseRow, VolRegime};
use barograph_engine::detect::pairs::{PairAlert, PairInputs, PairWatch, PairWatches};
use barograph_engine::detect::{SeverityTable, Thresholds, explain};

const T0: Ts = Ts::from_civil(2026, 2, 5, 0, 0, 0);
/// Lower end of every band here.
const LOW: f64 = 0.7;

fn name(asset: &str) -> InstrumentName {
    InstrumentName::new("binance-usdm", &format!("{asset}USDT")).unwrap()
}

fn ready(value: f64) -> Cell {
    Cell::ready_at(value, T0, Kind::Measured)
}

#[test]
fn pairs_part_by_the_floor_and_by_their_own_past() {
    let other = name("ETH");
    let inputs = |r: f64, low: f64, pct: f64, watch: bool| PairInputs {
        ts: T0,
        correlation: ready(r),
        band_low: ready(low),
        pct_180d: ready(pct),
        watch,
    };
    let step = |i: &PairInputs, t: &Thresholds| PairWatch::default().step(&other, i, t).map(|a| a.severity);
    let (own, floors) = (Thresholds::default(), Thresholds::floors());
    assert_eq!(step(&inputs(-0.51, 0.4, 0.001, false), &floors), Some(Severity::Medium));
    assert_eq!(step(&inputs(-0.51, 0.4, 0.001, false), &own), Some(Severity::High));
    assert_eq!(step(&inputs(0.1, 0.4, 0.005, false), &own), Some(Severity::Medium));
    assert_eq!(step(&inputs(0.1, 0.4, 0.005, false), &floors), None);
    assert_eq!(step(&inputs(0.1, 0.4, 0.02, false), &own), None);
    assert_eq!(step(&inputs(0.1, 0.4, 0.02, true), &own), Some(Severity::Info));
    let strength = |r: f64, pct: f64| {
        let alert = PairWatch::default().step(&other, &inputs(r, 0.4, pct, true), &own).unwrap();
        let signal = match (r < -0.5, pct < 0.01) {
            (true, _) => "POTENTIAL_PAIR_TRADE",
            (false, true) => "DIVERGENCE",
            (false, false) => "BELOW_BAND",
        };
        assert_eq!(alert.word("signal"), Some(signal));
        alert.number("divergence_strength")
    };
    assert_eq!(strength(-0.7, 0.001), Some(0.7), "below the floor its own size");
    assert_eq!(strength(0.25, 0.005), Some(0.4 - 0.25), "else how far below the band");
    assert_eq!(strength(0.25, 0.5), None, "below the band and not rare is no break");
    let still = PairInputs { correlation: Cell::undefined(Reason::ZeroVariance), ..inputs(0.0, 0.4, 0.5, false) };
    assert_eq!(step(&still, &own), None, "a price that does not move is no correlation of zero");
}

/// What an hour says of a pair: its correlation with the percentile, or why there is none.
type Said = Result<(f64, f64), Reason>;

fn reading(a: u16, b: u16, said: Said) -> PairReading {
    let gauge = |value: Result<f64, Reason>, n| match value {
        Ok(x) => Gauge::of(x, n, n, false),
        Err(reason) => Gauge::none(reason, 3, n),
    };
    let state = said.ok().map(|(r, pct)| match () {
        () if r < -0.5 || (r < LOW && pct < 0.01) => PairState::Break,
        () if r < LOW => PairState::Watch,
        () => PairState::Normal,
    });
    let none = Gauge::none(Reason::Warming, 0, 1_152);
    PairReading {
        a,
        b,
        corr_20: gauge(said.map(|s| s.0), 20),
        corr_20_ci: None,
        corr_30d: none,
        corr_30d_ci: None,
        corr_20_pct_180d: gauge(said.map(|s| s.1), 4_320),
        band: Some(PairBand { low: LOW, high: 0.9, source: BandSource::Stated }),
        state,
        severity: None,
        divergence_strength: None,
        exposure_overlap: None,
        held_90d: StateHours::default(),
        lead: LeadReading { ratio: none, best: None, significant: None, xcorr: Vec::new() },
    }
}

/// The hour `n` of these markets; all their pairs say the same.
fn row(n: i64, assets: &[&str], said: Said) -> UniverseRow {
    let market = |asset: &&str| UniverseMarket {
        instrument: name(asset),
        asset: (*asset).to_owned(),
        price: None,
        vol_annual: None,
        risk: RiskRegime::Normal,
        volatility: VolRegime::Stable,
        lead_score: None,
    };
    let count = u16::try_from(assets.len()).unwrap();
    let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
    let ts = T0 + Span::hours(n);
    UniverseRow {
        ts,
        known_ts: ts + Span::millis(200),
        markets: assets.iter().map(market).collect(),
        pairs: pairs.map(|(a, b)| reading(a, b, said)).collect(),
        leading: None,
    }
}

/// What is to be reported of an hour: change, severity, words of heading and sentence.
type Told = Option<(AlertChange, Severity, &'static str, &'static str)>;

#[test]
fn an_episode_of_a_pair_hour_by_hour() {
    const BELOW: &str = "Correlation below its band";
    const LOW: &str = "Correlation unusually low";
    const BREAK: &str = "Correlation break";
    let hours: [(Said, Told); 8] = [
        (Ok((0.85, 0.5)), None),
        (
            Ok((0.60, 0.2)),
            Some((AlertChange::Opened, Severity::Info, BELOW, "returns is 0.60; usual for the pair is 0.70")),
        ),
        (
            Ok((0.30, 0.005)),
            Some((AlertChange::Updated, Severity::Medium, LOW, "returns is 0.30; usual for the pair is 0.70")),
        ),
        (Ok((-0.60, 0.001)), Some((AlertChange::Updated, Severity::High, BREAK, "returns is −0.60"))),
        (Err(Reason::Gap), Some((AlertChange::Suspended, Severity::High, BREAK, "is not known. An input is missing"))),
        (Ok((0.95, 0.9)), Some((AlertChange::Resumed, Severity::High, BREAK, "is back"))),
        (Ok((0.95, 0.9)), Some((AlertChange::Closed, Severity::High, BREAK, "Ended after 5 h"))),
        (Ok((0.95, 0.9)), None),
    ];
    let mut watches = PairWatches::default();
    let mut ids = Vec::new();
    for (n, (said, want)) in (0..).zip(hours) {
        // Saved and restored every hour: nothing shows.
        watches = postcard::from_bytes(&postcard::to_allocvec(&watches).unwrap()).unwrap();
        let told = watches.step(&row(n, &["BTC", "ETH"], said), (&Thresholds::default(), &SeverityTable::FIXED));
        let Some((change, severity, title, words)) = want else {
            assert_eq!(told, [], "hour {n}");
            continue;
        };
        let [PairAlert { instrument, known }] = told.as_slice() else { panic!("hour {n}: {told:?}") };
        let alert = &known.alert;
        assert_eq!((instrument, &alert.other), (&name("BTC"), &Some(name("ETH"))));
        assert_eq!((alert.ts, known.known_at), (T0 + Span::hours(n), T0 + Span::hours(n) + Span::millis(200)));
        assert_eq!((alert.change, alert.severity), (change, severity), "hour {n}");
        assert_eq!(explain::title(alert), title);
        assert!(explain::description(alert).contains(words), "hour {n}: {}", explain::description(alert));
        ids.push(alert.id(instrument, "v1"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one episode");
}

#[test]
fn hours_count_as_hours_in_the_base_rate() {
    let mut watches = PairWatches::default();
    let mut last = Vec::new();
    // Ten days: a day close to each other, a day apart.
    for n in 0..240 {
        let apart = (n / 24) % 2 == 1;
        let told = watches.step(
            &row(n, &["BTC", "ETH"], Ok((if apart { 0.1 } else { 0.9 }, 0.5))),
            (&Thresholds::default(), &SeverityTable::FIXED),
        );
        last = if told.is_empty() { last } else { told };
    }
    let rate = last[0].known.alert.base_rate;
    assert_eq!((rate.fired_90d, rate.fired_30d), (4, 4), "before the fifth");
    assert!((rate.known_days - 9.0).abs() < 1e-9, "{rate:?}");
}

#[test]
fn a_pair_that_is_not_compared_any_more_ends_its_episode() {
    let mut watches = PairWatches::default();
    let thresholds = Thresholds::default();
    let opened = watches.step(&row(0, &["BTC", "ETH", "SOL"], Ok((0.1, 0.5))), (&thresholds, &SeverityTable::FIXED));
    assert_eq!(opened.len(), 3);
    let closed = watches.step(&row(1, &["BTC", "SOL"], Ok((0.1, 0.5))), (&thresholds, &SeverityTable::FIXED));
    let of = |told: &[PairAlert]| -> Vec<String> {
        told.iter()
            .map(|a| format!("{} {}", a.instrument.symbol, a.known.alert.other.as_ref().unwrap().symbol))
            .collect()
    };
    assert_eq!(of(&closed), ["BTCUSDT ETHUSDT", "ETHUSDT SOLUSDT"]);
    assert!(closed.iter().all(|a| a.known.alert.state == AlertState::Closed));
    let again = watches.step(&row(2, &["BTC", "ETH", "SOL"], Ok((0.1, 0.5))), (&thresholds, &SeverityTable::FIXED));
    assert_eq!(of(&again), ["BTCUSDT ETHUSDT", "ETHUSDT SOLUSDT"], "the third went on");
}
