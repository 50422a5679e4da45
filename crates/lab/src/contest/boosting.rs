//! Gradient boosting: small trees, each grown on what those before it leave unexplained (Friedman 2001; `forust-ml`).
//!
//! On squared loss, which is the Brier score, and therefore without any function that differs between platforms. One thread, every
//! case and every input in every tree: nothing is drawn at random, and the seed decides nothing.

use super::sighting::{INPUTS, ModelInputs};
use barograph_verify::contest::BOOST;
use forust_ml::data::Matrix;
use forust_ml::gradientbooster::GradientBooster;
use forust_ml::objective::ObjectiveType;

/// A fitted sum of trees.
pub(super) struct Boosting(GradientBooster);

impl core::fmt::Debug for Boosting {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Boosting({} trees)", self.0.iterations)
    }
}

impl Boosting {
    /// `None` where the library refuses.
    pub(super) fn fit(rows: &[&ModelInputs], happened: &[bool]) -> Option<Self> {
        let columns: Vec<f64> = (0..INPUTS).flat_map(|at| rows.iter().map(move |r| number(r, at))).collect();
        let came: Vec<f64> = happened.iter().map(|o| f64::from(u8::from(*o))).collect();
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::SquaredLoss)
            .set_iterations(BOOST.trees)
            .set_learning_rate(BOOST.rate)
            .set_max_depth(BOOST.depth)
            .set_max_leaves(1 << BOOST.depth)
            .set_min_leaf_weight(BOOST.leaf_cases)
            .set_l2(BOOST.ridge)
            .set_nbins(BOOST.bins)
            .set_seed(0)
            .set_parallel(false);
        booster.fit_unweighted(&Matrix::new(&columns, rows.len(), INPUTS), &came, None).ok()?;
        Some(Self(booster))
    }

    /// Scores of some moments.
    pub(super) fn scores(&self, rows: &[&ModelInputs]) -> Vec<f64> {
        let columns: Vec<f64> = (0..INPUTS).flat_map(|at| rows.iter().map(move |r| number(r, at))).collect();
        self.0.predict(&Matrix::new(&columns, rows.len(), INPUTS), false)
    }
}

/// The library's way to say that a number is missing.
fn number(inputs: &ModelInputs, at: usize) -> f64 {
    inputs.get(at).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(n: u32) -> (ModelInputs, bool) {
        let (a, b) = (f64::from(n % 17), f64::from(n % 5));
        let missing = n.is_multiple_of(13);
        let inputs = ModelInputs::of(core::array::from_fn(|at| match at {
            0 => (!missing).then_some(a),
            9 => Some(b),
            _ => None,
        }));
        // Only the two together decide: no straight line does.
        (inputs, (a > 8.0) != (b > 2.0) || missing)
    }

    #[test]
    fn what_two_inputs_say_together_is_found_and_found_again_to_the_bit() {
        let cases: Vec<(ModelInputs, bool)> = (0..3_000).map(case).collect();
        let rows: Vec<&ModelInputs> = cases.iter().map(|c| &c.0).collect();
        let came: Vec<bool> = cases.iter().map(|c| c.1).collect();
        let scores = Boosting::fit(&rows, &came).unwrap().scores(&rows);
        let error = scores.iter().zip(&came).map(|(p, o)| (p - f64::from(u8::from(*o))).abs()).sum::<f64>() / 3_000.0;
        assert!(error < 0.1, "mean error {error}");
        let again = Boosting::fit(&rows, &came).unwrap().scores(&rows);
        assert!(scores.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()));
        // One at a time or all at once is the same.
        let model = Boosting::fit(&rows, &came).unwrap();
        assert!(rows.iter().take(50).zip(&scores).all(|(r, s)| model.scores(&[r])[0].to_bits() == s.to_bits()));
    }
}
