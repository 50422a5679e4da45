//! Where the rows of one side of an order book begin, and how the row of a price is found.

/// Prices in a block.
const BLOCK: usize = 64;

/// Prices in order, worst first: of all rows but the first. Behind them, up to whole blocks, stands what is better than any price.
#[derive(Clone, Debug)]
pub(super) struct Edges<const ASKS: bool> {
    blocks: Vec<[i64; BLOCK]>,
    len: usize,
}

/// A price is worse when it is higher on the side of the asks, lower on that of the bids. Prices are above zero, and compared
/// without their sign: `-1` is above all.
#[inline]
pub(super) const fn is_worse<const ASKS: bool>(price: i64, than: i64) -> bool {
    let (price, than) = (price.cast_unsigned(), than.cast_unsigned());
    if ASKS { price > than } else { price < than }
}

/// How many of 64 in order are counted: those before the first that is not. Four parts at a time and without a branch: which way it
/// goes cannot be guessed, and looking at three takes no longer than at one.
#[inline(always)]
pub(super) fn counted(is_counted: impl Fn(usize) -> bool) -> usize {
    let one = |at: usize| usize::from(is_counted(at % BLOCK));
    // Three at most, which the compiler does not know.
    let at = 16 * ((one(15) + one(31) + one(47)) & 3);
    let at = at + 4 * ((one(at + 3) + one(at + 7) + one(at + 11)) & 3);
    at + one(at) + one(at + 1) + one(at + 2) + one(at + 3)
}

impl<const ASKS: bool> Edges<ASKS> {
    /// Better than any price.
    pub(super) const BEST: i64 = if ASKS { 0 } else { -1 };

    pub(super) const fn new() -> Self {
        Self { blocks: Vec::new(), len: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.blocks.as_flattened_mut().fill(Self::BEST);
        self.len = 0;
    }

    /// Takes the memory of so many now.
    pub(super) fn reserve(&mut self, count: usize) {
        let blocks = count.div_ceil(BLOCK).max(self.blocks.len());
        self.blocks.reserve_exact(blocks - self.blocks.len());
        self.blocks.resize(blocks, [Self::BEST; BLOCK]);
    }

    /// The row of a price; 0 when there is none.
    #[inline(always)]
    pub(super) fn row_of(&self, units: i64) -> usize {
        let mut row = 0;
        for block in &self.blocks {
            let here = counted(|at| !is_worse::<ASKS>(units, block[at]));
            row += here;
            if here < BLOCK {
                break;
            }
        }
        row
    }

    /// In front of what is at this place.
    pub(super) fn insert(&mut self, at: usize, price: i64) {
        self.reserve(self.len + 1);
        let all = self.blocks.as_flattened_mut();
        all.copy_within(at..self.len, at + 1);
        all[at] = price;
        self.len += 1;
    }

    /// Nothing where there is none.
    pub(super) fn remove(&mut self, at: usize) {
        if at >= self.len {
            return;
        }
        let all = self.blocks.as_flattened_mut();
        all.copy_within(at + 1..self.len, at);
        self.len -= 1;
        all[self.len] = Self::BEST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_found_like_in_a_list<const ASKS: bool>(most: u64) {
        let (mut edges, mut plain) = (Edges::<ASKS>::new(), Vec::<i64>::new());
        let mut random = most;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((random >> 33) % below).unwrap()
        };
        for round in 0..4_000 {
            let price = 1 + next(most * 2);
            let row = plain.partition_point(|edge| !is_worse::<ASKS>(price, *edge));
            assert_eq!(edges.row_of(price), row, "{} rows", plain.len());
            if plain.get(row.wrapping_sub(1)) == Some(&price) || plain.len() as u64 == most {
                plain.remove(row.saturating_sub(1));
                edges.remove(row.saturating_sub(1));
            } else {
                plain.insert(row, price);
                edges.insert(row, price);
            }
            if round == 3_000 {
                plain.clear();
                edges.clear();
            }
        }
        edges.remove(plain.len());
        assert_eq!(edges.row_of(if ASKS { 1 } else { i64::MAX }), plain.len());
    }

    #[test]
    fn rows_are_found_like_in_a_list_also_in_several_blocks() {
        for most in [1, 3, 63, 64, 65, 128, 300] {
            are_found_like_in_a_list::<false>(most);
            are_found_like_in_a_list::<true>(most);
        }
    }
}
