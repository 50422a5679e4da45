//! What is usual at a market, as far as episodes are sized by it (surveillance §9.1).

use super::START;
use super::acts::LaidActs;
use super::made::{MarketClass, play};
use barograph_domain::{Side, Span};
use barograph_engine::order_flow::{FlowAccounting, FlowInput, FlowLimits};

/// Seconds of a window of trades, at most.
const WINDOWS: usize = 11;
/// Updates for each trade that a flood stays above.
const PER_TRADE: f64 = 500.0;

/// Sizes, volumes and rates that episodes are drawn from.
#[derive(Clone, PartialEq, Debug)]
pub struct UsualSizes {
    /// What a large order reaches, in base.
    pub add_large: f64,
    /// What each of stacked orders reaches, in base.
    pub add_stacked: f64,
    /// At seconds 1 to 11: what trades of one side reach beside large orders, and beside stacked ones.
    opposite: Vec<(f64, f64)>,
    /// Changes of levels a second that are a flood.
    pub rate: f64,
    /// The price in ticks.
    pub ticks: f64,
    /// A quantity that nobody takes for a large one.
    pub small: f64,
}

pub(super) fn quantile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let place = (p * (values.len().max(1) - 1) as f64) as usize;
    values.get(place).copied().unwrap_or(0.0)
}

impl UsualSizes {
    /// Of an untouched made market, measured by another way than the detectors'.
    #[must_use]
    pub fn measure(class: MarketClass, seed: u64, length: Span) -> Self {
        let (mut accounting, mut flows) = (FlowAccounting::default(), Vec::new());
        let (mut adds, mut sizes) = (Vec::new(), Vec::new());
        let seconds = usize::try_from(length.as_secs()).unwrap_or(0) + 2;
        let (mut volumes, mut updates, mut trades) =
            (vec![(0.0, 0.0); seconds], vec![0.0; seconds], vec![0.0; seconds]);
        play(class, seed, length, &mut LaidActs::default(), |at, input| {
            let second = usize::try_from((at - START).as_secs()).unwrap_or(0).min(seconds - 1);
            match input {
                FlowInput::Trade { qty, aggressor_side, .. } => {
                    trades[second] += 1.0;
                    match aggressor_side {
                        Some(Side::Long) => volumes[second].0 += qty,
                        _ => volumes[second].1 += qty,
                    }
                }
                FlowInput::Book(state) => {
                    flows.clear();
                    accounting.update(at, state, &mut flows);
                    let mid = 0.5 * (state.bids[0].units + state.asks[0].units) as f64;
                    let near = flows.iter().filter(|f| (f.units as f64 / mid - 1.0).abs() <= 50e-4);
                    near.for_each(|f| {
                        updates[second] += 1.0;
                        if f.add() > 0.0 {
                            adds.push(f.add());
                        }
                    });
                    if at.as_millis() % 10_000 < 200 {
                        sizes.extend(state.bids.iter().chain(state.asks).take(10).map(|l| l.qty));
                    }
                }
                _ => {}
            }
        });
        let window = |secs: usize| -> (f64, f64) {
            let sum = |w: &[(f64, f64)]| [w.iter().map(|v| v.0).sum::<f64>(), w.iter().map(|v| v.1).sum()];
            let all: Vec<f64> = volumes.windows(secs).flat_map(sum).collect();
            (quantile(all.clone(), 0.9), quantile(all, 0.8))
        };
        let (large, median) = (quantile(adds.clone(), 0.99), quantile(sizes, 0.5));
        let rate =
            quantile(updates.clone(), 0.999).max(10.0 * quantile(updates, 0.5)).max(PER_TRADE * quantile(trades, 0.95));
        Self {
            add_large: large.max(5.0 * median),
            add_stacked: quantile(adds, 0.95),
            opposite: (1..=WINDOWS).map(window).collect(),
            rate,
            ticks: class.units as f64,
            small: 0.01,
        }
    }

    /// Of a recorded market at a moment: the limits that its own detectors go by. `busy` is how many trades a second that is busy here has.
    #[must_use]
    pub fn of_limits(limits: &FlowLimits, busy: f64) -> Self {
        let window = |secs: usize| limits.opposite(Span::secs(i64::try_from(secs).unwrap_or(0)));
        Self {
            add_large: limits.add_large,
            add_stacked: limits.add_stacked,
            opposite: (1..=WINDOWS).map(window).collect(),
            rate: limits.rate.max(PER_TRADE * busy),
            ticks: limits.price_ticks,
            small: 0.01 * limits.median_size,
        }
    }

    /// Trades of one side within so many seconds: beside large orders, and beside stacked ones.
    #[must_use]
    pub fn opposite(&self, length: f64) -> (f64, f64) {
        let at = (1..WINDOWS).find(|secs| length <= *secs as f64).unwrap_or(WINDOWS);
        self.opposite[at - 1]
    }
}
