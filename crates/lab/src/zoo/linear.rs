//! Straight lines: ridge regression (Hoerl and Kennard 1970) in closed form, and logistic regression with the same penalty.
//!
//! Minimised is `mean loss + λ/2·|β|²` over standardised columns, the intercept free; λ = 1/(n·C) in the terms of others. The products of
//! all columns are added up once: every λ of the ridge is then a small system, and the logistic climb (limited memory BFGS, Nocedal
//! 1980) starts from nearly the right curvature, which for outcomes near one half leaves few steps to go.

use super::calibrate::sigmoid;
use super::design::Design;
use super::features::Features;
use super::recipe::{Preset, RecipeError, TrainSet, ZooTask};
use crate::contest::linear::Cholesky;
use barograph_domain::math::{exp, ln};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Strengths tried, from the strongest.
const fn strengths(preset: Preset) -> &'static [f64] {
    match preset {
        Preset::Quick => &[1.0, 1e-2, 1e-4],
        Preset::Best => &[10.0, 1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5],
    }
}

/// A strength that only keeps the system regular.
const NO_PENALTY: f64 = 1e-9;

/// A fitted straight line: the margin is the intercept and, for each column, its weight times how far it is from the training mean.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LinearScorer {
    pub(crate) design: Design,
    pub(crate) intercept: f64,
    pub(crate) weights: Vec<f64>,
}

impl LinearScorer {
    /// Margins of some rows: log odds of a yes, or the number itself.
    ///
    /// # Panics
    /// When a row or a column is not there.
    #[must_use]
    pub fn margins(&self, features: &Features, rows: &[u32]) -> Vec<f64> {
        let mut margins = Vec::with_capacity(rows.len());
        self.design.over(features, rows, |_, z| margins.push(self.intercept + dot(z, &self.weights)));
        margins
    }
}

impl LinearScorer {
    /// What some columns add; `value` gives the number of those that are meant.
    pub(crate) fn part(&self, value: impl Fn(usize) -> Option<f64>) -> f64 {
        let mut weights = self.weights.iter();
        let mut sum = 0.0;
        self.design.terms(value, |z| {
            let weight = weights.next().copied().unwrap_or_default();
            sum += weight * z.unwrap_or_default();
        });
        sum
    }
}

/// A line for each question, and how many strengths were tried.
pub(super) fn fit(
    train: &TrainSet<'_>,
    task: ZooTask,
    preset: Preset,
) -> Result<(Vec<LinearScorer>, usize), RecipeError> {
    let strengths = strengths(preset);
    let columns = 0..train.features.columns();
    Ok((fit_on(train, task, columns, strengths)?, strengths.len()))
}

/// The same on some columns without a penalty.
pub(super) fn fit_plain(
    train: &TrainSet<'_>,
    task: ZooTask,
    columns: [usize; 3],
) -> Result<Vec<LinearScorer>, RecipeError> {
    fit_on(train, task, columns, &[NO_PENALTY])
}

fn fit_on(
    train: &TrainSet<'_>,
    task: ZooTask,
    columns: impl IntoIterator<Item = usize>,
    strengths: &[f64],
) -> Result<Vec<LinearScorer>, RecipeError> {
    let weights = train.weights_of(train.fit);
    let design = Design::of(train.features, columns, train.fit, &weights)?;
    let products = Products::of(&design, train, &weights);
    let heads = 0..task.heads();
    heads
        .map(|head| {
            let labels = train.asked(task, head, train.fit);
            let inner = train.asked(task, head, train.inner);
            let logistic = task != ZooTask::Regression;
            let climb = Climb { design: &design, train, products: &products, labels: &labels, weights: &weights };
            let mut best: Option<(f64, LinearScorer)> = None;
            let mut at = None;
            for strength in strengths {
                let (intercept, weights) =
                    if logistic { climb.logistic(*strength, at.take())? } else { climb.ridge(*strength)? };
                at = Some((intercept, weights.clone()));
                let scorer = LinearScorer { design: design.clone(), intercept, weights };
                let margins = scorer.margins(train.features, train.inner);
                let loss = margins.iter().zip(&inner).map(|(m, y)| loss_of(logistic, *m, *y)).sum::<f64>();
                if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                    best = Some((loss, scorer));
                }
            }
            best.map(|(_, scorer)| scorer).ok_or(RecipeError::Degenerate)
        })
        .collect()
}

fn loss_of(logistic: bool, margin: f64, y: f64) -> f64 {
    if logistic { margin.max(0.0) + ln(1.0 + exp(-margin.abs())) - y * margin } else { (margin - y) * (margin - y) }
}

/// `x·y` in a fixed order of eight running sums.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let (mut sums, halves) = ([0.0; 8], (x.chunks_exact(8), y.chunks_exact(8)));
    let rest: f64 = halves.0.remainder().iter().zip(halves.1.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in halves.0.zip(halves.1) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Weighted mean products of the design's columns; the lower triangle in rows.
struct Products {
    width: usize,
    total: f64,
    lower: Vec<f64>,
}

/// Rows added in one pass over the triangle.
const AT_ONCE: usize = 4;

impl Products {
    fn of(design: &Design, train: &TrainSet<'_>, weights: &[f64]) -> Self {
        let width = design.width();
        let mut lower = vec![0.0; width * width];
        let mut held: [Vec<f64>; AT_ONCE] = core::array::from_fn(|_| vec![0.0; width]);
        let mut factors = [0.0; AT_ONCE];
        let mut n = 0;
        design.over(train.features, train.fit, |at, z| {
            held[n].copy_from_slice(z);
            factors[n] = weights[at];
            n += 1;
            if n == AT_ONCE {
                add(&mut lower, width, &held, factors);
                n = 0;
            }
        });
        factors[n..].fill(0.0);
        add(&mut lower, width, &held, factors);
        let total: f64 = weights.iter().sum();
        lower.iter_mut().for_each(|x| *x /= total);
        Self { width, total, lower }
    }

    /// Factor of `scale·products + strength`.
    fn factor(&self, scale: f64, strength: f64) -> Result<Cholesky, RecipeError> {
        let d = self.width;
        let mut a = vec![0.0; d * d];
        for i in 0..d {
            for j in 0..=i {
                let x = scale * self.lower[i * d + j];
                (a[i * d + j], a[j * d + i]) = (x, x);
            }
            a[i * d + i] += strength;
        }
        Cholesky::of(&a, d).ok_or(RecipeError::Degenerate)
    }
}

fn add(lower: &mut [f64], width: usize, z: &[Vec<f64>; AT_ONCE], w: [f64; AT_ONCE]) {
    let [a, b, c, d] = z;
    for i in 0..width {
        let (fa, fb, fc, fd) = (w[0] * a[i], w[1] * b[i], w[2] * c[i], w[3] * d[i]);
        let row = &mut lower[i * width..=i * width + i];
        for ((((x, a), b), c), d) in row.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *x += fa * a + fb * b + fc * c + fd * d;
        }
    }
}

struct Climb<'a> {
    design: &'a Design,
    train: &'a TrainSet<'a>,
    products: &'a Products,
    labels: &'a [f64],
    weights: &'a [f64],
}

/// An intercept and the weights behind it.
type Line = (f64, Vec<f64>);

/// Steps of the climb at most.
const STEPS_MAX: usize = 100;
/// It has ended when no component of the slope is larger; losses are means of about one.
const SLOPE_MIN: f64 = 1e-8;
/// Steps remembered.
const MEMORY: usize = 8;

impl Climb<'_> {
    fn mean(&self) -> f64 {
        dot(self.labels, self.weights) / self.products.total
    }

    fn ridge(&self, strength: f64) -> Result<Line, RecipeError> {
        let mean = self.mean();
        let mut with = vec![0.0; self.products.width];
        self.design.over(self.train.features, self.train.fit, |n, z| {
            let f = self.weights[n] * (self.labels[n] - mean) / self.products.total;
            with.iter_mut().zip(z).for_each(|(s, z)| *s += f * z);
        });
        Ok((mean, self.products.factor(1.0, strength)?.solve(&with)))
    }

    /// Loss and its slope; the intercept stands last.
    fn slope(&self, line: &[f64], strength: f64) -> (f64, Vec<f64>) {
        let (free, weights) = (line[line.len() - 1], &line[..line.len() - 1]);
        let mut loss = 0.0;
        let mut slope = vec![0.0; line.len()];
        self.design.over(self.train.features, self.train.fit, |n, z| {
            let (m, y) = (free + dot(z, weights), self.labels[n]);
            let w = self.weights[n] / self.products.total;
            loss += w * loss_of(true, m, y);
            let f = w * (sigmoid(m) - y);
            slope.iter_mut().zip(z).for_each(|(s, z)| *s += f * z);
            slope[z.len()] += f;
        });
        loss += 0.5 * strength * dot(weights, weights);
        slope.iter_mut().zip(weights).for_each(|(s, b)| *s += strength * b);
        (loss, slope)
    }

    fn logistic(&self, strength: f64, from: Option<Line>) -> Result<Line, RecipeError> {
        let rate = self.mean();
        if rate <= 0.0 || rate >= 1.0 {
            return Err(RecipeError::OneOutcome);
        }
        let spread = rate * (1.0 - rate);
        let factor = self.products.factor(spread, strength)?;
        let nearly = |g: &[f64]| {
            let mut step = factor.solve(&g[..g.len() - 1]);
            step.push(g[g.len() - 1] / spread);
            step
        };
        let (free, mut line) = from.unwrap_or_else(|| (ln(rate / (1.0 - rate)), vec![0.0; self.products.width]));
        line.push(free);
        let (mut loss, mut slope) = self.slope(&line, strength);
        let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
        for _ in 0..STEPS_MAX {
            if slope.iter().all(|s| s.abs() < SLOPE_MIN) {
                break;
            }
            let step = two_loops(&memory, &slope, nearly);
            let down = dot(&step, &slope);
            let mut length = 1.0;
            let taken = loop {
                let next: Vec<f64> = line.iter().zip(&step).map(|(b, s)| b - length * s).collect();
                let (then, slope_then) = self.slope(&next, strength);
                if then <= loss - 1e-4 * length * down {
                    break Some((next, then, slope_then));
                }
                length *= 0.5;
                if length < 1e-6 {
                    break None;
                }
            };
            let Some((next, then, slope_then)) = taken else { break };
            let moved: Vec<f64> = next.iter().zip(&line).map(|(a, b)| a - b).collect();
            let bent: Vec<f64> = slope_then.iter().zip(&slope).map(|(a, b)| a - b).collect();
            if dot(&moved, &bent) > 0.0 {
                memory.push_back((moved, bent));
                if memory.len() > MEMORY {
                    memory.pop_front();
                }
            }
            (line, loss, slope) = (next, then, slope_then);
        }
        let free = line.pop().unwrap_or_default();
        Ok((free, line))
    }
}

/// The direction of the climb from the steps remembered, and what is nearly the inverse curvature.
fn two_loops(memory: &VecDeque<(Vec<f64>, Vec<f64>)>, slope: &[f64], nearly: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut q = slope.to_vec();
    let mut alphas = Vec::with_capacity(memory.len());
    for (moved, bent) in memory.iter().rev() {
        let alpha = dot(moved, &q) / dot(moved, bent);
        q.iter_mut().zip(bent).for_each(|(q, b)| *q -= alpha * b);
        alphas.push(alpha);
    }
    let mut r = nearly(&q);
    for ((moved, bent), alpha) in memory.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(bent, &r) / dot(moved, bent);
        r.iter_mut().zip(moved).for_each(|(r, m)| *r += (alpha - beta) * m);
    }
    r
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::FitThreads;
    use barograph_domain::random::SplitMix;

    fn world(n: usize, logistic: bool) -> (Features, Vec<f64>) {
        let mut random = SplitMix::new(11);
        let columns: Vec<Vec<Option<f64>>> =
            (0..3).map(|_| (0..n).map(|_| Some(2.0 * random.unit() - 1.0)).collect()).collect();
        let line = |r: usize| 0.3 + 2.0 * columns[0][r].unwrap() - columns[1][r].unwrap();
        let labels = (0..n)
            .map(|r| if logistic { f64::from(u8::from(random.unit() < sigmoid(line(r)))) } else { line(r) })
            .collect();
        (Features::new(n, columns).unwrap(), labels)
    }

    fn train<'a>(features: &'a Features, labels: &'a [f64], rows: &'a [u32]) -> TrainSet<'a> {
        let (fit, inner) = rows.split_at(rows.len() * 4 / 5);
        TrainSet { features, labels, weights: None, fit, inner, threads: FitThreads::One }
    }

    #[test]
    fn a_line_is_found_and_another_step_would_gain_nothing() {
        let (features, labels) = world(2_000, false);
        let rows: Vec<u32> = (0..2_000).collect();
        let set = train(&features, &labels, &rows);
        let (lines, tried) = fit(&set, ZooTask::Regression, Preset::Best).unwrap();
        assert_eq!(tried, 7);
        let said = lines[0].margins(&features, set.inner);
        assert!(said.iter().zip(&labels[1_600..]).all(|(a, b)| (a - b).abs() < 1e-3));

        let (features, labels) = world(4_000, true);
        let rows: Vec<u32> = (0..4_000).collect();
        let set = train(&features, &labels, &rows);
        let weights = vec![1.0; set.fit.len()];
        let design = Design::of(&features, 0..3, set.fit, &weights).unwrap();
        let products = Products::of(&design, &set, &weights);
        let labels = set.asked(ZooTask::Binary, 0, set.fit);
        let climb = Climb { design: &design, train: &set, products: &products, labels: &labels, weights: &weights };
        let (free, mut line) = climb.logistic(1e-3, None).unwrap();
        line.push(free);
        let (_, slope) = climb.slope(&line, 1e-3);
        assert!(slope.iter().all(|s| s.abs() < SLOPE_MIN), "{slope:?}");
        // Uniform on [−1, 1] has deviation 0.577.
        assert!((line[0] - 2.0 * 0.577).abs() < 0.15 && (line[1] + 0.577).abs() < 0.15, "{line:?}");
    }

    #[test]
    fn outcomes_that_are_separable_stay_finite() {
        let column: Vec<Option<f64>> = (0..400).map(|r| Some(f64::from(r))).collect();
        let features = Features::new(400, [column]).unwrap();
        let labels: Vec<f64> = (0..400_u32).map(|r| f64::from(u8::from(r % 200 > 100))).collect();
        let rows: Vec<u32> = (0..400).collect();
        let set = TrainSet { inner: &rows[200..], fit: &rows[..200], ..train(&features, &labels, &rows) };
        let (lines, _) = fit(&set, ZooTask::Binary, Preset::Quick).unwrap();
        assert!(lines[0].weights[0].is_finite() && lines[0].weights[0] > 0.0, "{:?}", lines[0].weights);
    }
}
