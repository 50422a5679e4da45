//! Rank correlation of columns that are not there in every row.

use crate::order::count;

/// Fewer rows than this in which both are there say nothing.
const PAIRS_MIN: usize = 30;

/// A column in the order of its numbers.
#[derive(Debug)]
pub(super) struct RankedColumn {
    values: Vec<f64>,
    present: Vec<bool>,
    /// Rows in which it is there, by its number.
    order: Vec<usize>,
    /// Ranks less their mean, over the root of their summed squares; 0 where absent. `None` where all are equal.
    unit: Option<Vec<f64>>,
}

impl RankedColumn {
    pub(super) fn new(values: &[f64], present: &[bool]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).filter(|row| present[*row]).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let mut ranked = Self { values: values.to_vec(), present: present.to_vec(), order, unit: None };
        ranked.unit = ranked.unit_ranks(&ranked.present);
        ranked
    }

    /// Ranks over the rows in which the mask holds as well: ties have the mean of their ranks.
    fn unit_ranks(&self, mask: &[bool]) -> Option<Vec<f64>> {
        let rows: Vec<usize> = self.order.iter().copied().filter(|row| mask[*row]).collect();
        if rows.len() < PAIRS_MIN {
            return None;
        }
        let mut ranks = vec![0.0; self.values.len()];
        let middle = count(rows.len() - 1) / 2.0;
        let mut squares = 0.0;
        let mut first = 0;
        for tied in rows.chunk_by(|a, b| self.values[*a].total_cmp(&self.values[*b]).is_eq()) {
            let rank = count(first) + count(tied.len() - 1) / 2.0 - middle;
            tied.iter().for_each(|row| ranks[*row] = rank);
            squares += rank * rank * count(tied.len());
            first += tied.len();
        }
        let length = squares.sqrt();
        (length > 0.0).then(|| ranks.into_iter().map(|rank| rank / length).collect())
    }

    /// Spearman's correlation over the rows in which both are there; `None` where these are too few, or one does not vary over them.
    pub(super) fn correlation(&self, other: &Self) -> Option<f64> {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        if self.present == other.present {
            return Some(product(self.unit.as_ref()?, other.unit.as_ref()?));
        }
        Some(product(&self.unit_ranks(&other.present)?, &other.unit_ranks(&self.present)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::random::SplitMix;

    /// The same by its definition: ranks by counting, then Pearson.
    fn by_definition(x: &[Option<f64>], y: &[Option<f64>]) -> f64 {
        let pairs: Vec<(f64, f64)> = x.iter().zip(y).filter_map(|(x, y)| Some(((*x)?, (*y)?))).collect();
        let rank = |all: &[f64], v: f64| {
            let below = all.iter().filter(|a| **a < v).count();
            let tied = all.iter().filter(|a| **a <= v).count() - below;
            count(below) + count(tied - 1) / 2.0
        };
        let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let (rx, ry): (Vec<f64>, Vec<f64>) = pairs.iter().map(|(x, y)| (rank(&xs, *x), rank(&ys, *y))).unzip();
        let mean = |v: &[f64]| v.iter().sum::<f64>() / count(v.len());
        let (mx, my) = (mean(&rx), mean(&ry));
        let sum = |f: &dyn Fn(usize) -> f64| (0..rx.len()).map(f).sum::<f64>();
        let (xx, yy) = (sum(&|i| (rx[i] - mx) * (rx[i] - mx)), sum(&|i| (ry[i] - my) * (ry[i] - my)));
        sum(&|i| (rx[i] - mx) * (ry[i] - my)) / (xx * yy).sqrt()
    }

    fn ranked(column: &[Option<f64>]) -> RankedColumn {
        let values: Vec<f64> = column.iter().map(|v| v.unwrap_or_default()).collect();
        RankedColumn::new(&values, &column.iter().map(Option::is_some).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_pearson_of_ranks_over_common_rows() {
        let mut random = SplitMix::new(7);
        for holes in [0.0, 0.2] {
            let x: Vec<Option<f64>> =
                (0..200).map(|_| (random.unit() >= holes).then(|| (random.unit() * 20.0).floor())).collect();
            let noisy = |v: &Option<f64>, u: f64| (u >= holes / 2.0).then(|| 9.0 * u - v.unwrap_or(3.0));
            let y: Vec<Option<f64>> = x.iter().map(|v| noisy(v, random.unit())).collect();
            let (got, want) = (ranked(&x).correlation(&ranked(&y)).unwrap(), by_definition(&x, &y));
            assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        }
    }

    #[test]
    fn too_few_common_rows_say_nothing() {
        let even: Vec<Option<f64>> = (0..80_u32).map(|n| (n % 2 == 0).then(|| f64::from(n))).collect();
        let odd: Vec<Option<f64>> = (0..80_u32).map(|n| (n % 2 == 1).then(|| f64::from(n))).collect();
        assert_eq!(ranked(&even).correlation(&ranked(&odd)), None);
        assert!(ranked(&even).correlation(&ranked(&even)).is_some_and(|r| (r - 1.0).abs() < 1e-12));
    }
}
