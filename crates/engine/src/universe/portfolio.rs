//! A basket judged as one (regimes §13, R1.95, R2.56).
//!
//! Weights are shares of the absolute notional; a short position counts with a minus in the variance, because it moves the other
//! way, and in full in the shares of labels, because its market is in that state all the same. A pair without a correlation counts
//! as 1, which is the most that diversification can be missing.

use crate::explain::guidance::mapping;
use crate::kernel::eigen::floored_form;
use barograph_domain::guidance::{new_entries, open_positions};
use barograph_domain::thresholds::SAME_EXPOSURE;
use barograph_domain::universe::{Gauge, LabelShare, Overlap, Portfolio, UniverseRow, WeightsFrom};
use barograph_domain::{Label as _, Reason, RiskRegime, VolRegime};

/// One market of the basket.
#[derive(Clone, PartialEq, Debug)]
pub struct Asset {
    /// Position in the row.
    pub market: usize,
    /// Signed notional in any one currency; negative for a short position.
    pub notional: f64,
    /// Label of the risk axis now.
    pub risk: RiskRegime,
    /// Label of the volatility axis now.
    pub volatility: VolRegime,
}

/// Share of weight from which on a label is the portfolio's.
const SHARE_MIN: f64 = 0.30;
/// Share of unknown weight above which the portfolio is unknown.
const UNKNOWN_ABOVE: f64 = 0.50;
/// Share of markets in turmoil from which on it is the whole market's.
const SYSTEMIC_MIN: f64 = 0.60;

/// Judges a basket by the correlations of a row. Without positions the watch-list counts in equal parts; a position in a market
/// that is not in the row cannot be judged and is left to the caller to name.
#[must_use]
pub fn portfolio(row: &UniverseRow, positions: &[Asset]) -> Portfolio {
    let equal: Vec<Asset>;
    let held = positions.iter().any(|p| p.notional.abs() > 0.0);
    let basket = if held {
        positions
    } else {
        equal = row
            .markets
            .iter()
            .enumerate()
            .map(|(market, m)| Asset { market, notional: 1.0, risk: m.risk, volatility: m.volatility })
            .collect();
        &equal
    };
    let weights = weights(basket);
    let (regime, systemic, shares) = label(basket, &weights);
    let (vol_annual, assumed_pairs) = volatility(row, basket, &weights);
    let spread: Option<f64> = basket.iter().zip(&weights).map(|(a, w)| Some(w.abs() * sigma(row, a)?)).sum();
    let overlaps = overlaps(row, basket);
    let (risk_bias, posture) = mapping(regime);
    Portfolio {
        weights_from: if held { WeightsFrom::Positions } else { WeightsFrom::Equal },
        diversification_ratio: spread.zip(vol_annual.value).filter(|(_, v)| *v > 0.0).map(|(s, v)| s / v),
        avg_pair_corr: average(row, basket),
        advice: advice(regime, systemic, &overlaps, held),
        weights,
        shares,
        regime,
        risk_bias,
        posture,
        systemic,
        vol_annual,
        assumed_pairs,
        overlaps,
    }
}

fn weights(basket: &[Asset]) -> Vec<f64> {
    let total: f64 = basket.iter().map(|a| a.notional.abs()).sum();
    basket.iter().map(|a| if total > 0.0 { a.notional / total } else { 0.0 }).collect()
}

fn label(basket: &[Asset], weights: &[f64]) -> (RiskRegime, bool, Vec<LabelShare>) {
    let severe =
        [RiskRegime::HighVol, RiskRegime::SqueezeRisk, RiskRegime::ChopRisk, RiskRegime::Normal, RiskRegime::Unknown];
    let share = |label: RiskRegime| -> f64 {
        basket.iter().zip(weights).filter(|(a, _)| a.risk == label).fold(0.0, |sum, (_, w)| sum + w.abs())
    };
    let shares: Vec<LabelShare> = severe.iter().map(|l| LabelShare { label: *l, share: share(*l) }).collect();
    let wild = |a: &&Asset| a.risk == RiskRegime::HighVol || a.volatility.severity() >= VolRegime::Explosive.severity();
    let markets = u32::try_from(basket.len()).unwrap_or(u32::MAX);
    let in_turmoil = u32::try_from(basket.iter().filter(wild).count()).unwrap_or(u32::MAX);
    let systemic = markets > 0 && f64::from(in_turmoil) >= SYSTEMIC_MIN * f64::from(markets);
    let regime = if systemic {
        RiskRegime::HighVol
    } else if share(RiskRegime::Unknown) > UNKNOWN_ABOVE || markets == 0 {
        RiskRegime::Unknown
    } else {
        let known = shares.iter().filter(|s| s.label != RiskRegime::Unknown);
        known.into_iter().find(|s| s.share >= SHARE_MIN).map_or(RiskRegime::Normal, |s| s.label)
    };
    (regime, systemic, shares)
}

fn sigma(row: &UniverseRow, asset: &Asset) -> Option<f64> {
    row.markets.get(asset.market)?.vol_annual
}

fn volatility(row: &UniverseRow, basket: &[Asset], weights: &[f64]) -> (Gauge, u32) {
    let need = u32::try_from(basket.len()).unwrap_or(u32::MAX);
    let sigmas: Vec<f64> = basket.iter().filter_map(|a| sigma(row, a)).collect();
    let have = u32::try_from(sigmas.len()).unwrap_or(u32::MAX);
    if have < need || need == 0 {
        return (Gauge::none(Reason::MissingInput, have, need), 0);
    }
    let mut assumed = 0;
    let mut matrix = vec![vec![0.0; sigmas.len()]; sigmas.len()];
    for i in 0..sigmas.len() {
        matrix[i][i] = sigmas[i] * sigmas[i];
        for j in i + 1..sigmas.len() {
            let known = if basket[i].market == basket[j].market {
                Some(1.0)
            } else {
                row.pair(basket[i].market, basket[j].market).and_then(|p| p.corr_30d.value)
            };
            assumed += u32::from(known.is_none());
            // 1 is the conservative guess for positions on one side; for opposite ones it is 0: no hedge is assumed.
            let opposite = weights[i] * weights[j] < 0.0;
            let corr = known.unwrap_or(if opposite { 0.0 } else { 1.0 });
            matrix[i][j] = sigmas[i] * sigmas[j] * corr;
            matrix[j][i] = matrix[i][j];
        }
    }
    (Gauge::of(floored_form(&matrix, weights).sqrt(), have, need, assumed > 0), assumed)
}

/// Every two markets of the basket, each pair once.
fn couples(basket: &[Asset]) -> impl Iterator<Item = (&Asset, &Asset)> {
    basket.iter().enumerate().flat_map(move |(i, a)| basket[i + 1..].iter().map(move |b| (a, b)))
}

fn average(row: &UniverseRow, basket: &[Asset]) -> Option<f64> {
    let known: Vec<f64> = couples(basket).filter_map(|(a, b)| row.pair(a.market, b.market)?.corr_20.value).collect();
    let n = u32::try_from(known.len()).ok().filter(|n| *n > 0)?;
    Some(known.iter().sum::<f64>() / f64::from(n))
}

/// Pairs held on the same side that move as one.
fn overlaps(row: &UniverseRow, basket: &[Asset]) -> Vec<Overlap> {
    couples(basket)
        .filter(|(a, b)| a.notional * b.notional > 0.0)
        .filter_map(|(a, b)| {
            let corr = row.pair(a.market, b.market)?.corr_20.value.filter(|c| *c > SAME_EXPOSURE)?;
            let asset = |x: &Asset| row.markets[x.market].asset.clone();
            Some(Overlap { a: asset(a), b: asset(b), corr })
        })
        .collect()
}

fn advice(regime: RiskRegime, systemic: bool, overlaps: &[Overlap], held: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if systemic {
        lines.push(
            "most of these markets are in high volatility or move explosively at once: what they have in common moves them".to_owned(),
        );
    }
    let (_, posture) = mapping(regime);
    let (what, words) =
        if held { ("open positions", open_positions(regime)) } else { ("new entries", new_entries(regime, posture)) };
    lines.push(format!("{} overall; {what}: {words}", regime.spoken()));
    for o in overlaps {
        let ask = if held { "consider reducing total exposure" } else { "treat positions in both as one exposure" };
        lines.push(format!("{}/{} moved as one over the last 20 hours (correlation {:.2}): {ask}", o.a, o.b, o.corr));
    }
    lines
}
