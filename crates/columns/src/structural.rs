//! Columns 1 to 109: what one book says by itself (features §7).

use crate::decay::decay;
use crate::merge::Merge as _;
use crate::row::{ResearchRow, ratio};
use barograph_domain::cell::Reason;
use barograph_domain::depth::{BookSides, DEPTH, DepthLevel};

/// How many columns these are.
pub const STRUCTURAL: usize = 109;

/// Places of the columns that others are made of.
pub(crate) mod at {
    pub(crate) const BID_PRICE: usize = 0;
    pub(crate) const BID_SIZE: usize = 20;
    pub(crate) const ASK_PRICE: usize = 40;
    pub(crate) const ASK_SIZE: usize = 60;
    pub(crate) const MID: usize = 80;
    pub(crate) const MICROPRICE: usize = 81;
    pub(crate) const MICROPRICE_DEV: usize = 82;
    pub(crate) const SPREAD: usize = 83;
    pub(crate) const SPREAD_BPS: usize = 84;
    pub(crate) const SPREAD_TICKS: usize = 85;
    pub(crate) const IMBALANCE: usize = 86;
    pub(crate) const SMART_IMBALANCE: usize = 91;
    pub(crate) const DEPTH: usize = 92;
    pub(crate) const DEPTH_10BPS: usize = 98;
    pub(crate) const IMBALANCE_10BPS: usize = 100;
    pub(crate) const SLOPE: usize = 101;
    pub(crate) const GAP: usize = 103;
    pub(crate) const VWAP_DISTANCE: usize = 105;
    pub(crate) const SWEEP: usize = 107;
}

/// Levels of the imbalances.
const IMBALANCES: [usize; 5] = [1, 3, 5, 10, 20];
/// Levels of the depths.
const DEPTHS: [usize; 3] = [5, 10, 20];
/// Basis points.
const BPS: f64 = 1e4;
/// Distance over which a level's weight falls by e.
const SMART_BPS: f64 = 10.0;
/// Near depth.
const NEAR_BPS: f64 = 10.0;
/// Quote that a sweep takes.
const SWEEP_QUOTE: f64 = 100_000.0;
/// Quote in which a slope is counted.
const MILLION: f64 = 1e6;

/// Fills the columns of one book; `tick` is the smallest step of prices, where it is known.
pub fn structural(book: &BookSides<'_>, tick: Option<f64>, row: &mut ResearchRow) {
    if let Err(reason) = book.uncrossed() {
        return row.withhold(0..STRUCTURAL, reason);
    }
    for (side, prices, sizes) in [(book.bids, at::BID_PRICE, at::BID_SIZE), (book.asks, at::ASK_PRICE, at::ASK_SIZE)] {
        if let Some(levels) = side.first_chunk::<DEPTH>() {
            row.put_all(prices, &levels.map(|level| level.price));
            row.put_all(sizes, &levels.map(|level| level.size));
            continue;
        }
        let there = side.len();
        for (k, level) in side.iter().enumerate() {
            row.put(prices + k, level.price);
            row.put(sizes + k, level.size);
        }
        row.withhold(prices + there..prices + DEPTH, Reason::InsufficientLevels);
        row.withhold(sizes + there..sizes + DEPTH, Reason::InsufficientLevels);
    }
    let (bid, ask) = match book.best() {
        Ok(best) => best,
        Err(reason) => return one_side(book, reason, row),
    };
    let mid = f64::midpoint(bid.price, ask.price);
    let micro = ratio(bid.price * ask.size + ask.price * bid.size, bid.size + ask.size);
    let spread = ask.price - bid.price;
    row.put(at::MID, mid);
    row.put_or(at::MICROPRICE, micro);
    row.put_or(at::MICROPRICE_DEV, micro.map(|m| BPS * (m / mid - 1.0)));
    row.put(at::SPREAD, spread);
    row.put(at::SPREAD_BPS, BPS * spread / mid);
    row.put_or(at::SPREAD_TICKS, tick.filter(|t| *t > 0.0).map(|t| (spread / t).round()).ok_or(Reason::MissingInput));
    let near = Near::of(book, mid);
    imbalances(&near, row);
    let sums = near.sums();
    for (n, side) in [book.bids, book.asks].into_iter().enumerate() {
        near.put_depths(n, row);
        row.put_or(at::DEPTH_10BPS + n, near.within(n, side, mid));
        let all = near.need(n, DEPTH);
        // Millions of quote that each basis point brings: least squares through the origin.
        row.put_or(
            at::SLOPE + n,
            all.and_then(|()| ratio(sums.depth_by_distance[n] / MILLION, sums.distance_squares[n])),
        );
        row.put_or(at::GAP + n, near.need(n, 2).map(|()| near.distance[1][n] - near.distance[0][n]));
        let mean = all.and_then(|()| ratio(sums.size_by_distance[n], near.base[DEPTH - 1][n]));
        row.put_or(at::VWAP_DISTANCE + n, mean);
        // A buy takes asks.
        row.put_or(at::SWEEP + 1 - n, near.sweep(n, side, mid));
    }
    let near = row.get(at::DEPTH_10BPS).and_then(|b| Ok((b, row.get(at::DEPTH_10BPS + 1)?)));
    row.put_or(at::IMBALANCE_10BPS, near.and_then(|(b, a)| ratio(b - a, b + a)));
}

/// What needs no mid is said of the side that is there.
fn one_side(book: &BookSides<'_>, reason: Reason, row: &mut ResearchRow) {
    row.withhold(at::MID..STRUCTURAL, reason);
    let near = Near::of(book, f64::NAN);
    (0..2).for_each(|n| near.put_depths(n, row));
}

/// The first twenty levels of bids and asks, side by side: one instruction serves both. What is not there has no size.
struct Near {
    there: [usize; 2],
    size: [[f64; 2]; DEPTH],
    /// From the mid, in basis points.
    distance: [[f64; 2]; DEPTH],
    /// Base up to each level.
    base: [[f64; 2]; DEPTH],
    /// Quote up to each level.
    quote: [[f64; 2]; DEPTH],
}

/// Sums over all twenty levels.
struct NearSums {
    depth_by_distance: [f64; 2],
    distance_squares: [f64; 2],
    size_by_distance: [f64; 2],
}

impl Near {
    fn of(book: &BookSides<'_>, mid: f64) -> Self {
        let none = DepthLevel { price: mid, size: 0.0 };
        let there = [book.bids.len().min(DEPTH), book.asks.len().min(DEPTH)];
        let own: [[DepthLevel; DEPTH]; 2];
        let (bids, asks): (&[DepthLevel; DEPTH], &[DepthLevel; DEPTH]) =
            match (book.bids.first_chunk(), book.asks.first_chunk()) {
                (Some(bids), Some(asks)) => (bids, asks),
                _ => {
                    own = [book.bids, book.asks]
                        .map(|side| core::array::from_fn(|k| side.get(k).copied().unwrap_or(none)));
                    (&own[0], &own[1])
                }
            };
        let of = |k: usize, read: fn(&DepthLevel) -> f64| [read(&bids[k]), read(&asks[k])];
        let size: [[f64; 2]; DEPTH] = core::array::from_fn(|k| of(k, |level| level.size));
        let price: [[f64; 2]; DEPTH] = core::array::from_fn(|k| of(k, |level| level.price));
        let distance = price.map(|price| price.map(|price| BPS * (price - mid).abs() / mid));
        let mut sum = [0.0; 2];
        let base = size.map(|size| {
            sum = sum.merge(size);
            sum
        });
        let mut sum = [0.0; 2];
        let quote = core::array::from_fn(|k| {
            sum = sum.merge([price[k][0] * size[k][0], price[k][1] * size[k][1]]);
            sum
        });
        Self { there, size, distance, base, quote }
    }

    fn sums(&self) -> NearSums {
        let mut sums = NearSums { depth_by_distance: [0.0; 2], distance_squares: [0.0; 2], size_by_distance: [0.0; 2] };
        for ((d, c), q) in self.distance.iter().zip(&self.quote).zip(&self.size) {
            for n in 0..2 {
                sums.depth_by_distance[n] += d[n] * c[n];
                sums.distance_squares[n] += d[n] * d[n];
                sums.size_by_distance[n] += q[n] * d[n];
            }
        }
        sums
    }

    fn need(&self, side: usize, levels: usize) -> Result<(), Reason> {
        if self.there[side] >= levels { Ok(()) } else { Err(Reason::InsufficientLevels) }
    }

    fn put_depths(&self, side: usize, row: &mut ResearchRow) {
        for (m, levels) in DEPTHS.into_iter().enumerate() {
            row.put_or(at::DEPTH + 2 * m + side, self.need(side, levels).map(|()| self.quote[levels - 1][side]));
        }
    }

    /// Quote within ten basis points of the mid; of a side that is known that far.
    fn within(&self, n: usize, side: &[DepthLevel], mid: f64) -> Result<f64, Reason> {
        let there = self.there[n];
        let near = self.distance[..there].partition_point(|d| d[n] <= NEAR_BPS);
        let mut sum = if near == 0 { 0.0 } else { self.quote[near - 1][n] };
        // A level at the very edge shows that the side is known up to it.
        if near < there || near > 0 && self.distance[near - 1][n] == NEAR_BPS {
            return Ok(sum);
        }
        for level in &side[there..] {
            let distance = BPS * (level.price - mid).abs() / mid;
            if distance <= NEAR_BPS {
                sum += level.price * level.size;
            }
            if distance >= NEAR_BPS {
                return Ok(sum);
            }
        }
        Err(Reason::InsufficientLevels)
    }

    /// How much worse than the mid a market order of 100,000 quote is filled on average, in basis points.
    fn sweep(&self, n: usize, side: &[DepthLevel], mid: f64) -> Result<f64, Reason> {
        let taken = self.quote[..self.there[n]].partition_point(|quote| quote[n] < SWEEP_QUOTE);
        let (mut left, mut base) = match taken.checked_sub(1) {
            Some(last) => (SWEEP_QUOTE - self.quote[last][n], self.base[last][n]),
            None => (SWEEP_QUOTE, 0.0),
        };
        for level in &side[taken..] {
            let quote = level.price * level.size;
            if quote >= left || taken < self.there[n] {
                base += left / level.price;
                return Ok(BPS * (SWEEP_QUOTE / base / mid - 1.0).abs());
            }
            left -= quote;
            base += level.size;
        }
        Err(Reason::InsufficientLevels)
    }
}

fn imbalances(near: &Near, row: &mut ResearchRow) {
    let both = |levels: usize| near.need(0, levels).and(near.need(1, levels));
    let skew = |[b, a]: [f64; 2]| ratio(b - a, b + a);
    for (n, levels) in IMBALANCES.into_iter().enumerate() {
        row.put_or(at::IMBALANCE + n, both(levels).and_then(|()| skew(near.base[levels - 1])));
    }
    let smart = both(DEPTH).and_then(|()| {
        let mut sum = [0.0; 2];
        for (size, d) in near.size.iter().zip(&near.distance) {
            for n in 0..2 {
                sum[n] += size[n] * decay(-d[n] / SMART_BPS);
            }
        }
        skew(sum)
    });
    row.put_or(at::SMART_IMBALANCE, smart);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{catalogue, place_of};
    use barograph_testkit::{GoldenRow, GoldenTable};

    #[test]
    fn places_are_those_of_the_catalogue() {
        for (place, id) in [
            (at::BID_PRICE, "bid_price_L0"),
            (at::BID_SIZE, "bid_size_L0"),
            (at::ASK_PRICE, "ask_price_L0"),
            (at::ASK_SIZE, "ask_size_L0"),
            (at::MID, "mid_price"),
            (at::MICROPRICE, "microprice"),
            (at::MICROPRICE_DEV, "microprice_dev_bps"),
            (at::SPREAD, "spread_abs"),
            (at::SPREAD_BPS, "spread_bps"),
            (at::SPREAD_TICKS, "spread_ticks"),
            (at::IMBALANCE, "imbalance_L1"),
            (at::SMART_IMBALANCE, "smart_depth_imbalance"),
            (at::DEPTH, "bid_depth_L5"),
            (at::DEPTH_10BPS, "bid_depth_10bps"),
            (at::IMBALANCE_10BPS, "imbalance_10bps"),
            (at::SLOPE, "bid_slope"),
            (at::GAP, "bid_gap_L01_bps"),
            (at::VWAP_DISTANCE, "bid_vwap_dist_L20_bps"),
            (at::SWEEP, "sweep_cost_buy_bps"),
        ] {
            assert_eq!(catalogue()[place].id, id);
        }
        assert_eq!(catalogue()[STRUCTURAL - 1].id, "sweep_cost_sell_bps");
    }

    fn number(line: GoldenRow<'_>, column: &str) -> usize {
        line.text(column).parse().unwrap()
    }

    /// The books of the golden vectors, by number.
    fn golden_books() -> Vec<[Vec<DepthLevel>; 2]> {
        let table = GoldenTable::whole("book_input");
        let mut books: Vec<[Vec<DepthLevel>; 2]> = Vec::new();
        for line in table.rows() {
            let (book, level): (usize, usize) = (number(line, "book"), number(line, "level"));
            books.resize_with(books.len().max(book + 1), Default::default);
            assert_eq!(books[book][0].len(), level);
            books[book][0].push(DepthLevel { price: line.need("bid_price"), size: line.need("bid_size") });
            books[book][1].push(DepthLevel { price: line.need("ask_price"), size: line.need("ask_size") });
        }
        books
    }

    #[test]
    fn books_give_what_numpy_gives() {
        let books = golden_books();
        let expected = GoldenTable::whole("book_expected");
        let tick = |book: usize| {
            let mut of = expected.rows().filter(|line| number(*line, "book") == book);
            of.find(|line| line.text("feature") == "tick").map(|line| line.need("value"))
        };
        let mut seen = 0;
        for line in expected.rows().filter(|line| line.text("feature") != "tick") {
            let book = number(line, "book");
            let [bids, asks] = &books[book];
            let mut row = ResearchRow::default();
            structural(&BookSides { bids, asks }, tick(book), &mut row);
            let id = line.text("feature");
            let got = row.get(place_of(id).unwrap());
            match (line.number("value"), got) {
                (Some(want), Ok(got)) => {
                    assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-12), "{id}: {got} {want}")
                }
                (None, Err(_)) => {}
                (want, got) => panic!("{id}: {got:?}, not {want:?}"),
            }
            seen += 1;
        }
        assert_eq!(seen, 4 * (STRUCTURAL - 80), "every column but the raw levels of four books");
    }

    #[test]
    fn thin_books_are_visible_and_broken_ones_say_nothing() {
        let level = |price, size| DepthLevel { price, size };
        let bids: Vec<DepthLevel> = (0..7).map(|k| level(100.0 - f64::from(k), 1.0)).collect();
        let asks: Vec<DepthLevel> = (0..20).map(|k| level(101.0 + f64::from(k), 1.0)).collect();
        let mut row = ResearchRow::default();
        structural(&BookSides { bids: &bids, asks: &asks }, None, &mut row);
        let got = |id: &str| row.get(place_of(id).unwrap());
        assert_eq!(got("bid_price_L6"), Ok(94.0));
        assert_eq!(got("bid_price_L7"), Err(Reason::InsufficientLevels));
        assert_eq!((got("bid_depth_L5"), got("ask_depth_L20").is_ok()), (Ok(490.0), true));
        assert_eq!(got("imbalance_L5"), Ok(0.0));
        for id in ["imbalance_L10", "bid_depth_L10", "bid_slope", "bid_vwap_dist_L20_bps", "sweep_cost_buy_bps"] {
            assert_eq!(got(id), Err(Reason::InsufficientLevels), "{id}");
        }
        assert_eq!(got("spread_ticks"), Err(Reason::MissingInput));
        for (bids, asks, reason) in [
            (vec![level(101.0, 1.0)], vec![level(101.0, 1.0)], Reason::OutOfDomain),
            (vec![level(102.0, 1.0)], vec![level(101.0, 1.0)], Reason::OutOfDomain),
        ] {
            structural(&BookSides { bids: &bids, asks: &asks }, Some(0.1), &mut row);
            assert!((0..STRUCTURAL).all(|at| row.get(at) == Err(reason)), "{bids:?}");
        }
        structural(&BookSides { bids: &[], asks: &asks }, Some(0.1), &mut row);
        let got = |id: &str| row.get(place_of(id).unwrap());
        assert_eq!((got("ask_price_L0"), got("ask_depth_L5")), (Ok(101.0), Ok(515.0)), "the side that is there");
        for id in ["bid_price_L0", "mid_price", "imbalance_L1", "bid_depth_L5", "ask_slope", "sweep_cost_buy_bps"] {
            assert_eq!(got(id), Err(Reason::InsufficientLevels), "{id}");
        }
    }
}
