//! Volume-synchronised probability of informed trading (Easley, López de Prado & O'Hara 2012): how one-sided trades were over the last
//! buckets of equal volume. The bucket of a day is a fiftieth of the volume of the day before.

use std::collections::VecDeque;

/// Buckets that count.
pub const BUCKETS: usize = 50;

/// One bucket, in base.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Bucket {
    buy: f64,
    sell: f64,
}

impl Bucket {
    fn volume(&self) -> f64 {
        self.buy + self.sell
    }
}

/// Buckets of trades with their aggressor.
#[derive(Clone, PartialEq, Debug)]
pub struct Vpin {
    size: f64,
    open: Bucket,
    /// Full ones, oldest first.
    full: VecDeque<Bucket>,
    most: usize,
}

impl Vpin {
    /// Buckets of this volume in base, of which so many count.
    ///
    /// # Panics
    /// When a bucket would have no volume.
    #[must_use]
    pub fn new(size: f64, most: usize) -> Self {
        assert!(size > 0.0 && size.is_finite(), "a bucket of {size}");
        Self { size, open: Bucket::default(), full: VecDeque::with_capacity(most), most }
    }

    /// Buckets filled from now on have this volume; the open one among them.
    ///
    /// # Panics
    /// When a bucket would have no volume.
    pub fn resize(&mut self, size: f64) {
        assert!(size > 0.0 && size.is_finite(), "a bucket of {size}");
        self.size = size;
    }

    /// A trade; split where it fills a bucket.
    pub fn trade(&mut self, qty: f64, is_buy: bool) {
        let mut left = qty;
        while left > 0.0 {
            let room = self.size - self.open.volume();
            let part = left.min(room.max(0.0));
            if is_buy {
                self.open.buy += part
            } else {
                self.open.sell += part
            }
            left -= part;
            // What is left of a bucket within rounding is nothing that a trade would fill.
            if left > 0.0 || self.size - self.open.volume() <= 0.0 {
                if self.full.len() == self.most {
                    self.full.pop_front();
                }
                self.full.push_back(core::mem::take(&mut self.open));
            }
        }
    }

    /// Trades are missing: what is known does not go on.
    pub fn forget(&mut self) {
        self.open = Bucket::default();
        self.full.clear();
    }

    /// Share of the volume that was one-sided, in 0 to 1; `None` before there are as many full buckets as count.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let volume: f64 = self.full.iter().map(Bucket::volume).sum();
        let one_sided: f64 = self.full.iter().map(|b| (b.buy - b.sell).abs()).sum();
        (self.full.len() == self.most && volume > 0.0).then(|| one_sided / volume)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;
    use proptest::prelude::*;

    #[test]
    fn buckets_are_those_of_numpy() {
        let (trades, expected) = (GoldenTable::whole("vpin_trades"), GoldenTable::whole("vpin_expected"));
        assert!(trades.rows().all(|line| line.need("price") > 0.0));
        let near = |got: f64, want: f64| (got - want).abs() <= 1e-10 * want.abs().max(1e-12);
        let mut vpin = Vpin::new(5.0, 10);
        let mut found: Vec<(Bucket, Option<f64>)> = Vec::new();
        for line in trades.rows() {
            // Small parts, so that each bucket is seen when it is full.
            let parts = 64;
            for _ in 0..parts {
                let before = vpin.full.back().copied();
                let filled = vpin.full.len();
                vpin.trade(line.need("size") / f64::from(parts), line.need("sign") > 0.0);
                if vpin.full.len() != filled || vpin.full.back().copied() != before {
                    found.push((*vpin.full.back().unwrap(), vpin.value()));
                }
            }
        }
        assert_eq!(found.len(), expected.rows().len());
        for (line, (bucket, value)) in expected.rows().zip(found) {
            let n = line.need("bucket");
            assert!(
                (bucket.buy - line.need("buy")).abs() < 1e-9 && (bucket.sell - line.need("sell")).abs() < 1e-9,
                "{n}"
            );
            assert_eq!(value.is_some(), line.number("vpin10").is_some(), "{n}");
            assert!(line.number("vpin10").is_none_or(|want| near(value.unwrap(), want)), "{n}: {value:?}");
        }
    }

    proptest! {
        #[test]
        fn it_is_a_share_however_trades_are_cut(sizes in prop::collection::vec((0.01..50.0_f64, any::<bool>()), 1..200)) {
            let mut vpin = Vpin::new(7.0, 5);
            for (size, is_buy) in &sizes {
                vpin.trade(*size, *is_buy);
            }
            prop_assert!(vpin.full.len() <= 5);
            prop_assert!(vpin.value().is_none_or(|v| (0.0..=1.0 + 1e-12).contains(&v)));
            prop_assert!(vpin.full.iter().all(|b| (b.volume() - 7.0).abs() < 1e-9));
        }
    }
}
