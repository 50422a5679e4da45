//! Golden vectors of what lies between markets (`testdata/golden/README.md`): correlation with its band and state, lead and
//! lag, the volatility of a portfolio.

use crate::universe_common;
use barograph_domain::math::exp;
use barograph_domain::universe::{Gauge, UniverseRow};
use barograph_domain::{RiskRegime, Ts, VolRegime};
use barograph_engine::kernel::lags::{self, LAGS, LagBlock};
use barograph_engine::universe::{Asset, PairRule, Universe, UniverseSample, portfolio};
use barograph_testkit::{GoldenRow, GoldenTable};
use universe_common::{hour, sample, watch};

fn same(what: &str, got: Option<f64>, want: Option<f64>) {
    match (got, want) {
        (None, None) => {}
        (Some(g), Some(w)) => assert!((g - w).abs() <= 1e-10 * w.abs(), "{what}: {g} is not {w}"),
        _ => panic!("{what}: got {got:?}, want {want:?}"),
    }
}

#[test]
fn correlation_over_20_returns_with_its_band_and_state() {
    let table = GoldenTable::whole("pair_correlation");
    let mut universe = Universe::new(watch(&["BTC", "ETH"]), PairRule::Seed);
    let (mut a, mut b) = (100.0, 50.0);
    let mut made: Vec<UniverseRow> = Vec::new();
    let push = |universe: &mut Universe, h: i64, a: f64, b: f64| -> Vec<UniverseRow> {
        [sample(0, hour(h), a), sample(1, hour(h), b)]
            .into_iter()
            .filter_map(|s: UniverseSample| universe.push(s))
            .collect()
    };
    made.extend(push(&mut universe, 0, a, b));
    for (i, row) in table.rows().enumerate() {
        (a, b) = (a * exp(row.need("ret_a")), b * exp(row.need("ret_b")));
        made.extend(push(&mut universe, i64::try_from(i).unwrap() + 1, a, b));
    }
    made.extend(universe.close());
    assert_eq!(made.len(), table.rows().len() + 1);
    let mut states = Vec::new();
    for (i, (row, got)) in table.rows().zip(&made[1..]).enumerate() {
        let pair = &got.pairs[0];
        // The vector knows full windows only; the feature is ready from 18 returns on.
        let full = pair.corr_20.n == 20;
        let at = |what: &str| format!("row {i} {what}");
        same(&at("corr_20"), pair.corr_20.value.filter(|_| full), row.number("corr_20"));
        same(&at("fisher95_lo"), pair.corr_20_ci.filter(|_| full).map(|c| c[0]), row.number("fisher95_lo"));
        same(&at("fisher95_hi"), pair.corr_20_ci.filter(|_| full).map(|c| c[1]), row.number("fisher95_hi"));
        let state = pair.state.filter(|_| full).map_or("", |s| s.name());
        assert_eq!(state, row.text("state"), "{}", at("state"));
        states.push(state);
    }
    assert!(["NORMAL", "WATCH", "BREAK"].iter().filter(|s| states.contains(s)).count() >= 2, "{states:?}");
}

#[test]
fn correlation_at_every_lag() {
    let input = GoldenTable::whole("lead_lag_input");
    let series = |column: &str| -> Vec<f64> { input.rows().map(|r| r.need(column)).collect() };
    let (a, b) = (series("ret_a"), series("ret_b"));
    let get = |s: &[f64], i: i64| usize::try_from(i).ok().and_then(|i| s.get(i).copied());
    let last = i64::try_from(input.rows().len()).unwrap() - 1;
    let blocks: Vec<LagBlock> = (0..=last / 60)
        .map(|k| LagBlock::of(k * 60 - 1, (k * 60 + 59).min(last), |i| get(&a, i), |i| get(&b, i)))
        .collect();
    let mut rho = [0.0; LAGS];
    for (to, pairs) in rho.iter_mut().zip(lags::fold(blocks.iter())) {
        *to = pairs.correlation().unwrap();
    }
    let expected = GoldenTable::whole("lead_lag_expected");
    for row in expected.rows() {
        let got = match row.text("stat").strip_prefix("rho_") {
            Some(lag) => rho[usize::try_from(lag.parse::<i64>().unwrap() + 10).unwrap()],
            None => lags::lead_ratio(&rho).unwrap(),
        };
        same(row.text("stat"), Some(got), row.number("value"));
    }
    assert_eq!(expected.rows().len(), LAGS + 1);
    assert_eq!(lags::lag_of(lags::strongest(&rho)), 3, "a leads by 3 steps");
}

#[test]
fn volatility_of_a_portfolio() {
    let table = GoldenTable::whole("portfolio_vol");
    let rows: Vec<GoldenRow<'_>> = table.rows().collect();
    let mut universe = Universe::new(watch(&["BTC", "ETH", "SOL"]), PairRule::Seed);
    for market in 0..3 {
        universe.push(sample(market, Ts(0), 1.0));
    }
    let mut row = universe.close().unwrap();
    let mut basket = Vec::new();
    for (i, cells) in rows.iter().enumerate() {
        assert_eq!(row.markets[i].asset, cells.text("asset"));
        row.markets[i].vol_annual = cells.number("vol");
        basket.push(Asset {
            market: i,
            notional: 40_000.0 * cells.need("weight"),
            risk: RiskRegime::Normal,
            volatility: VolRegime::Stable,
        });
        for (j, column) in ["corr_btc", "corr_eth", "corr_sol"].into_iter().enumerate() {
            let corr = cells.need(column);
            assert_eq!(cells.text(column) == "1", i == j, "{column} of {}", cells.text("asset"));
            if let Some(pair) = row.pairs.iter_mut().find(|p| (usize::from(p.a), usize::from(p.b)) == (i, j)) {
                pair.corr_30d = Gauge::of(corr, 720, 576, false);
            }
        }
    }
    let got = portfolio(&row, &basket);
    same("portfolio_vol", got.vol_annual.value, table.last().number("portfolio_vol"));
    same("diversification_ratio", got.diversification_ratio, table.last().number("diversification_ratio"));
    assert_eq!(got.assumed_pairs, 0);
}
