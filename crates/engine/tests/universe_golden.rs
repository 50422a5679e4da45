//! Golden vectors of what lies between markets (`testdata/golden/README.md`): correlation with its band and state, lead and
//! lag, the volatility of a portfolio.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its vectors and may panic")]

mod universe_common;

use barograph_domain::math::exp;
use barograph_domain::universe::{Gauge, UniverseRow};
use barograph_domain::{RiskRegime, Ts, VolRegime};
use barograph_engine::kernel::lags::{self, LAGS, LagBlock};
use barograph_engine::universe::{Asset, PairRule, Sample, Universe, portfolio};
use universe_common::{hour, sample, watch};

/// Header and rows of a vector, cells as written.
fn load(name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let path = format!("{}/../../testdata/golden/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut lines = text.lines().map(|l| l.split(',').map(str::to_owned).collect::<Vec<_>>());
    (lines.next().unwrap(), lines.collect())
}

fn number(cell: &str) -> Option<f64> {
    (!cell.is_empty()).then(|| cell.parse().unwrap())
}

fn same(what: &str, got: Option<f64>, want: Option<f64>) {
    match (got, want) {
        (None, None) => {}
        (Some(g), Some(w)) => assert!((g - w).abs() <= 1e-10 * w.abs(), "{what}: {g} is not {w}"),
        _ => panic!("{what}: got {got:?}, want {want:?}"),
    }
}

#[test]
fn correlation_over_20_returns_with_its_band_and_state() {
    let (_, rows) = load("pair_correlation");
    let mut universe = Universe::new(watch(&["BTC", "ETH"]), PairRule::Seed);
    let (mut a, mut b) = (100.0, 50.0);
    let mut made: Vec<UniverseRow> = Vec::new();
    let push = |universe: &mut Universe, h: i64, a: f64, b: f64| -> Vec<UniverseRow> {
        [sample(0, hour(h), a), sample(1, hour(h), b)].into_iter().filter_map(|s: Sample| universe.push(s)).collect()
    };
    made.extend(push(&mut universe, 0, a, b));
    for (i, row) in rows.iter().enumerate() {
        (a, b) = (a * exp(number(&row[1]).unwrap()), b * exp(number(&row[2]).unwrap()));
        made.extend(push(&mut universe, i64::try_from(i).unwrap() + 1, a, b));
    }
    made.extend(universe.close());
    assert_eq!(made.len(), rows.len() + 1);
    let mut states = Vec::new();
    for (row, got) in rows.iter().zip(&made[1..]) {
        let pair = &got.pairs[0];
        // The vector knows full windows only; the feature is ready from 18 returns on.
        let full = pair.corr_20.n == 20;
        let at = |what: &str| format!("row {} {what}", row[0]);
        same(&at("corr_20"), pair.corr_20.value.filter(|_| full), number(&row[3]));
        same(&at("fisher95_lo"), pair.corr_20_ci.filter(|_| full).map(|c| c[0]), number(&row[4]));
        same(&at("fisher95_hi"), pair.corr_20_ci.filter(|_| full).map(|c| c[1]), number(&row[5]));
        let state = pair.state.filter(|_| full).map_or("", |s| s.name());
        assert_eq!(state, row[6], "{}", at("state"));
        states.push(state);
    }
    assert!(["NORMAL", "WATCH", "BREAK"].iter().filter(|s| states.contains(s)).count() >= 2, "{states:?}");
}

#[test]
fn correlation_at_every_lag() {
    let (_, input) = load("lead_lag_input");
    let series = |column: usize| -> Vec<f64> { input.iter().map(|r| number(&r[column]).unwrap()).collect() };
    let (a, b) = (series(1), series(2));
    let get = |s: &[f64], i: i64| usize::try_from(i).ok().and_then(|i| s.get(i).copied());
    let last = i64::try_from(input.len()).unwrap() - 1;
    let blocks: Vec<LagBlock> = (0..=last / 60)
        .map(|k| LagBlock::of(k * 60 - 1, (k * 60 + 59).min(last), |i| get(&a, i), |i| get(&b, i)))
        .collect();
    let mut rho = [0.0; LAGS];
    for (to, pairs) in rho.iter_mut().zip(lags::fold(blocks.iter())) {
        *to = pairs.correlation().unwrap();
    }
    let (_, expected) = load("lead_lag_expected");
    for row in &expected {
        let got = match row[0].strip_prefix("rho_") {
            Some(lag) => rho[usize::try_from(lag.parse::<i64>().unwrap() + 10).unwrap()],
            None => lags::lead_ratio(&rho).unwrap(),
        };
        same(&row[0], Some(got), number(&row[1]));
    }
    assert_eq!(expected.len(), LAGS + 1);
    assert_eq!(lags::lag_of(lags::strongest(&rho)), 3, "a leads by 3 steps");
}

#[test]
fn volatility_of_a_portfolio() {
    let (_, rows) = load("portfolio_vol");
    let mut universe = Universe::new(watch(&["BTC", "ETH", "SOL"]), PairRule::Seed);
    for market in 0..3 {
        universe.push(sample(market, Ts(0), 1.0));
    }
    let mut row = universe.close().unwrap();
    let mut basket = Vec::new();
    for (i, cells) in rows.iter().enumerate() {
        assert_eq!(row.markets[i].asset, cells[0]);
        row.markets[i].vol_annual = number(&cells[2]);
        basket.push(Asset {
            market: i,
            notional: 40_000.0 * number(&cells[1]).unwrap(),
            risk: RiskRegime::Normal,
            volatility: VolRegime::Stable,
        });
        for (j, corr) in cells[3..6].iter().enumerate().skip(i + 1) {
            let at = row.pairs.iter().position(|p| (usize::from(p.a), usize::from(p.b)) == (i, j)).unwrap();
            row.pairs[at].corr_30d = Gauge::of(number(corr).unwrap(), 720, 576, false);
        }
    }
    let got = portfolio(&row, &basket);
    same("portfolio_vol", got.vol_annual.value, number(&rows[2][6]));
    same("diversification_ratio", got.diversification_ratio, number(&rows[2][7]));
    assert_eq!(got.assumed_pairs, 0);
}
