//! Who holds what: leveraged positions with a liquidation price, and everybody else.
//!
//! Every contract has a long and a short side, so both sides always add up to the open interest; quantities are whole
//! steps and the sums are exact. Positions without leverage are two pools that are never liquidated.

use crate::num::index;
use crate::rng::Random;
use crate::world::episode::Mood;

/// One leveraged position.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LeveragedPosition {
    /// Long or short.
    pub long: bool,
    /// Quantity in steps.
    pub quantity: i64,
    /// Mark price at which the venue closes it.
    pub liquidation_price: f64,
}

/// All holders of one market.
#[derive(Clone, Debug)]
pub struct Holders {
    leveraged: Vec<LeveragedPosition>,
    pool_long: i64,
    pool_short: i64,
    open_interest: i64,
    /// Highest liquidation price of a long, lowest of a short: one comparison per step.
    nearest: (f64, f64),
}

/// Positions per market at most: bounds the memory (32 bytes each) and the scan after a hit.
const POSITIONS_MAX: usize = 160;
/// Share of the open interest that is leveraged at the beginning.
const LEVERAGED_SHARE: f64 = 0.4;

impl Holders {
    pub(super) fn new(open_interest: i64, mark: f64, mood: &Mood, rng: &mut Random) -> Self {
        let mut positions = Self {
            leveraged: Vec::with_capacity(POSITIONS_MAX),
            pool_long: open_interest,
            pool_short: open_interest,
            open_interest,
            nearest: (f64::NEG_INFINITY, f64::INFINITY),
        };
        let each = crate::num::round_i64(open_interest as f64 * LEVERAGED_SHARE / 100.0).max(1);
        for _ in 0..100 {
            let position = draw(each, mark, mood, rng);
            let pool = if position.long { &mut positions.pool_long } else { &mut positions.pool_short };
            if *pool > each {
                *pool -= each;
                positions.leveraged.push(position);
            }
        }
        positions.find_nearest();
        positions
    }

    /// Open contracts, one side, in steps.
    #[must_use]
    pub const fn open_interest(&self) -> i64 {
        self.open_interest
    }
    /// The leveraged positions.
    #[must_use]
    pub fn leveraged(&self) -> &[LeveragedPosition] {
        &self.leveraged
    }
    /// Sum of all long and of all short positions, in steps; both equal the open interest.
    #[must_use]
    pub fn sums(&self) -> (i64, i64) {
        let side = |long: bool| self.leveraged.iter().filter(|p| p.long == long).map(|p| p.quantity).sum::<i64>();
        (side(true) + self.pool_long, side(false) + self.pool_short)
    }

    /// Somebody opens a leveraged position; the other side of the trade is not leveraged.
    pub(super) fn open(&mut self, quantity: i64, mark: f64, mood: &Mood, rng: &mut Random) {
        if quantity <= 0 {
            return;
        }
        let position = draw(quantity, mark, mood, rng);
        self.add(position);
        *self.pool(!position.long) += quantity;
        self.open_interest += quantity;
        self.find_nearest();
    }

    /// A new holder, or, when there are enough, somebody who adds to the position most like it: its liquidation price
    /// moves by weight.
    fn add(&mut self, new: LeveragedPosition) {
        let full = self.leveraged.len() >= POSITIONS_MAX;
        let like = |p: &LeveragedPosition| (p.liquidation_price - new.liquidation_price).abs();
        let same = self.leveraged.iter_mut().filter(|p| p.long == new.long);
        let nearest = same.min_by(|a, b| like(a).total_cmp(&like(b)));
        match nearest {
            Some(old) if full => {
                let (had, has) = (old.quantity as f64, (old.quantity + new.quantity) as f64);
                old.liquidation_price += (new.liquidation_price - old.liquidation_price) * (1.0 - had / has);
                old.quantity += new.quantity;
            }
            _ => self.leveraged.push(new),
        }
    }

    /// Somebody closes up to `quantity` of a leveraged position.
    pub(super) fn close(&mut self, quantity: i64, rng: &mut Random) {
        if self.leveraged.is_empty() || quantity <= 0 {
            return;
        }
        let at = index(rng.below(self.leveraged.len() as i64));
        self.reduce(at, quantity);
        self.find_nearest();
    }

    /// Whether the mark price has reached a liquidation price.
    pub(super) fn reached(&self, mark: f64) -> bool {
        mark <= self.nearest.0 || mark >= self.nearest.1
    }

    /// Takes up to `quantity` away from the position that was reached first: whether it was long, how much was taken,
    /// and its liquidation price.
    pub(super) fn liquidate(&mut self, mark: f64, quantity: i64) -> Option<(bool, i64, f64)> {
        let beyond =
            |p: &LeveragedPosition| if p.long { p.liquidation_price - mark } else { mark - p.liquidation_price };
        let hit = self.leveraged.iter().enumerate().filter(|(_, p)| beyond(p) >= 0.0);
        let (at, position) = hit.max_by(|(_, a), (_, b)| beyond(a).total_cmp(&beyond(b)))?;
        let (long, price) = (position.long, position.liquidation_price);
        let taken = self.reduce(at, quantity);
        self.find_nearest();
        Some((long, taken, price))
    }

    fn reduce(&mut self, at: usize, quantity: i64) -> i64 {
        let LeveragedPosition { long, quantity: held, .. } = self.leveraged[at];
        let taken = quantity.min(held);
        if taken == held {
            self.leveraged.swap_remove(at);
        } else {
            self.leveraged[at].quantity -= taken;
        }
        // The other side of the trade closes too if it can, else it takes the position over.
        let opposite = self.pool(!long);
        if *opposite >= taken {
            *opposite -= taken;
            self.open_interest -= taken;
        } else {
            *self.pool(long) += taken;
        }
        taken
    }

    const fn pool(&mut self, long: bool) -> &mut i64 {
        if long { &mut self.pool_long } else { &mut self.pool_short }
    }

    fn find_nearest(&mut self) {
        self.nearest = (f64::NEG_INFINITY, f64::INFINITY);
        for p in &self.leveraged {
            if p.long {
                self.nearest.0 = self.nearest.0.max(p.liquidation_price);
            } else {
                self.nearest.1 = self.nearest.1.min(p.liquidation_price);
            }
        }
    }
}

/// A new position at the mark: its liquidation price lies most of its margin away.
fn draw(quantity: i64, mark: f64, mood: &Mood, rng: &mut Random) -> LeveragedPosition {
    let long = rng.chance(mood.long_share);
    let leverage = if rng.chance(mood.high_leverage) { 25.0 + rng.unit() * 50.0 } else { 3.0 + rng.unit() * 17.0 };
    // Maintenance margin takes a tenth of the initial one.
    let distance = 0.9 / leverage;
    let liquidation_price = if long { mark * (1.0 - distance) } else { mark * (1.0 + distance) };
    LeveragedPosition { long, quantity, liquidation_price }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::episode::Spell;
    use barograph_domain::Span;

    #[test]
    fn both_sides_always_add_up_to_the_open_interest() {
        let mut rng = Random::new(3, 3, 3);
        let mood = Spell::Chop.mood(Span::ZERO);
        let mut positions = Holders::new(1_000_000, 100.0, &mood, &mut rng);
        let mut mark = 100.0;
        let mut liquidated = 0;
        for _ in 0..20_000 {
            mark *= 1.0 + 0.002 * rng.bell();
            match rng.below(3) {
                0 => positions.open(rng.below(5_000), mark, &mood, &mut rng),
                1 => positions.close(rng.below(5_000), &mut rng),
                _ => {
                    let reached = positions.reached(mark);
                    let hit = positions.liquidate(mark, 2_000);
                    assert_eq!(reached, hit.is_some());
                    if let Some((long, taken, price)) = hit {
                        liquidated += taken;
                        assert!(if long { mark <= price } else { mark >= price });
                    }
                }
            }
            assert_eq!(positions.sums(), (positions.open_interest(), positions.open_interest()));
            assert!(positions.leveraged().iter().all(|p| p.quantity > 0) && positions.open_interest() >= 0);
        }
        assert!(liquidated > 0);
    }
}
