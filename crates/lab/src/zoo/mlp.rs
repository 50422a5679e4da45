//! A small network: two layers of 64 rectified units, dropout 0.1, Adam (Kingma and Ba 2015), the mean of three seeds.
//!
//! In 32 bits and in a fixed order of sums, so that the same rows and seed give the same bits; exponentials are those of the domain.
//! Questions share the layers and have an output of their own each.

use super::calibrate::sigmoid;
use super::design::Design;
use super::features::{Features, float};
use super::recipe::{Preset, RecipeError, TrainSet, ZooTask};
use super::shuffle::shuffled;
use barograph_domain::math::{cos, exp, ln};
use barograph_domain::random::SplitMix;
use serde::{Deserialize, Serialize};

/// Units of a layer.
const UNITS: usize = 64;
/// Networks averaged.
const SEEDS: u64 = 3;
/// Rows of a step.
const BATCH: usize = 128;
/// Rows of an epoch at most: rows a second apart say nearly the same.
const EPOCH_ROWS: usize = 50_000;
/// Rows of an epoch at least: fewer are gone through more than once.
const EPOCH_ROWS_MIN: usize = 4_000;
/// Share of units left out in a step.
const DROPOUT: f64 = 0.1;
const RATE: f32 = 1e-3;
/// Share of a weight that is lost in every step, in learning rates.
const DECAY: f32 = 1e-2;
/// Inputs further out than this many deviations stand at it.
const CLIP: f64 = 8.0;

/// Epochs at most, and epochs without a better inner loss after which it ends.
const fn epochs(preset: Preset) -> (usize, usize) {
    match preset {
        Preset::Quick => (6, 2),
        Preset::Best => (30, 4),
    }
}

/// Weights into a layer, row by row of its inputs, and what each unit starts from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Layer {
    inputs: usize,
    units: usize,
    /// `inputs × units`, then one start for each unit.
    weights: Vec<f32>,
}

#[expect(clippy::cast_possible_truncation, reason = "the network computes in 32 bits")]
const fn single(x: f64) -> f32 {
    x as f32
}

impl Layer {
    /// Normal weights of variance 2/inputs (He and others 2015).
    fn new(inputs: usize, units: usize, random: &mut SplitMix) -> Self {
        let scale = (2.0 / float(inputs)).sqrt();
        let mut normal = || {
            let radius = (-2.0 * ln(1.0 - random.unit())).sqrt();
            single(scale * radius * cos(core::f64::consts::TAU * random.unit()))
        };
        let mut weights: Vec<f32> = (0..inputs * units).map(|_| normal()).collect();
        weights.resize((inputs + 1) * units, 0.0);
        Self { inputs, units, weights }
    }

    fn forward(&self, x: &[f32], out: &mut [f32]) {
        let (weights, starts) = self.weights.split_at(self.inputs * self.units);
        out.copy_from_slice(starts);
        for (x, row) in x.iter().zip(weights.chunks_exact(self.units)) {
            if *x != 0.0 {
                out.iter_mut().zip(row).for_each(|(o, w)| *o += x * w);
            }
        }
    }

    /// Adds the slope of the weights, and gives that of the inputs where they are asked for.
    fn backward(&self, x: &[f32], error: &[f32], slope: &mut [f32], back: Option<&mut [f32]>) {
        let (of_weights, of_starts) = slope.split_at_mut(self.inputs * self.units);
        of_starts.iter_mut().zip(error).for_each(|(s, e)| *s += e);
        for (x, row) in x.iter().zip(of_weights.chunks_exact_mut(self.units)) {
            if *x != 0.0 {
                row.iter_mut().zip(error).for_each(|(s, e)| *s += x * e);
            }
        }
        if let Some(back) = back {
            for (b, row) in back.iter_mut().zip(self.weights.chunks_exact(self.units)) {
                *b = dot(row, error);
            }
        }
    }
}

/// In a fixed order of eight running sums.
fn dot(x: &[f32], y: &[f32]) -> f32 {
    let (mut sums, a, b) = ([0.0; 8], x.chunks_exact(8), y.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// One network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Net {
    layers: [Layer; 3],
}

/// What the units say of one row.
struct UnitValues {
    hidden: [Vec<f32>; 2],
    out: Vec<f32>,
}

impl Net {
    fn new(inputs: usize, heads: usize, random: &mut SplitMix) -> Self {
        let layers = [(inputs, UNITS), (UNITS, UNITS), (UNITS, heads)].map(|(i, u)| Layer::new(i, u, random));
        Self { layers }
    }

    fn silent(&self) -> UnitValues {
        let heads = self.layers[2].units;
        UnitValues { hidden: [vec![0.0; UNITS], vec![0.0; UNITS]], out: vec![0.0; heads] }
    }

    /// `kept` gives the factor of each hidden unit of a layer: 0 where it is left out.
    fn forward(&self, x: &[f32], units: &mut UnitValues, mut kept: impl FnMut() -> f32) {
        let UnitValues { hidden: [first, second], out } = units;
        self.layers[0].forward(x, first);
        first.iter_mut().for_each(|h| *h = if *h > 0.0 { *h * kept() } else { 0.0 });
        self.layers[1].forward(first, second);
        second.iter_mut().for_each(|h| *h = if *h > 0.0 { *h * kept() } else { 0.0 });
        self.layers[2].forward(second, out);
    }
}

/// Running means of slopes and of their squares.
struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    fn of(layer: &Layer) -> Self {
        Self { mean: vec![0.0; layer.weights.len()], square: vec![0.0; layer.weights.len()] }
    }

    /// One step down; `fade` is what the running means have not yet gathered.
    fn step(&mut self, layer: &mut Layer, slope: &mut [f32], fade: [f32; 2]) {
        let held = layer.inputs * layer.units;
        let state = self.mean.iter_mut().zip(&mut self.square);
        for (n, ((w, s), (m, v))) in layer.weights.iter_mut().zip(slope.iter_mut()).zip(state).enumerate() {
            *m += 0.1 * (*s - *m);
            *v += 0.001 * (*s * *s - *v);
            let decay = if n < held { DECAY * *w } else { 0.0 };
            *w -= RATE * (*m / fade[0] / ((*v / fade[1]).sqrt() + 1e-8) + decay);
            *s = 0.0;
        }
    }
}

/// The networks of one fit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Mlp {
    design: Design,
    nets: Vec<Net>,
    /// Mean and deviation of the training labels of a regression; 0 and 1 for questions.
    label_mean: f64,
    label_deviation: f64,
}

impl Mlp {
    pub(super) fn fit(train: &TrainSet<'_>, task: ZooTask, preset: Preset, seed: u64) -> Result<Self, RecipeError> {
        let weights = train.weights_of(train.fit);
        let design = Design::of(train.features, 0..train.features.columns(), train.fit, &weights)?;
        let (mut label_mean, mut label_deviation) = (0.0, 1.0);
        if task == ZooTask::Regression {
            let (labels, n) = (train.asked(task, 0, train.fit), float(train.fit.len()));
            label_mean = labels.iter().sum::<f64>() / n;
            label_deviation = (labels.iter().map(|y| (y - label_mean) * (y - label_mean)).sum::<f64>() / n).sqrt();
            if label_deviation <= 0.0 {
                return Err(RecipeError::OneOutcome);
            }
        }
        let mut mlp = Self { design, nets: Vec::new(), label_mean, label_deviation };
        let mut seeds = SplitMix::new(seed);
        for _ in 0..SEEDS {
            let net = Training { mlp: &mlp, train, task, epochs: epochs(preset) }.run(seeds.bits());
            mlp.nets.push(net);
        }
        Ok(mlp)
    }

    fn inputs(&self, z: &[f64], x: &mut [f32]) {
        x.iter_mut().zip(z).for_each(|(x, z)| *x = single(z.clamp(-CLIP, CLIP)));
    }

    /// Margins of some rows for each question: the mean over the networks.
    pub(super) fn margins(&self, features: &Features, rows: &[u32]) -> Vec<Vec<f64>> {
        self.margins_of(&self.nets, features, rows)
    }

    fn margins_of(&self, nets: &[Net], features: &Features, rows: &[u32]) -> Vec<Vec<f64>> {
        let heads = nets.first().map_or(0, |n| n.layers[2].units);
        let mut margins = vec![Vec::with_capacity(rows.len()); heads];
        let mut x = vec![0.0; self.design.width()];
        let mut said: Vec<UnitValues> = nets.iter().map(Net::silent).collect();
        self.design.over(features, rows, |_, z| {
            self.inputs(z, &mut x);
            nets.iter().zip(&mut said).for_each(|(net, said)| net.forward(&x, said, || 1.0));
            for (head, margins) in margins.iter_mut().enumerate() {
                let mean = said.iter().map(|s| f64::from(s.out[head])).sum::<f64>() / float(nets.len());
                margins.push(self.label_mean + self.label_deviation * mean);
            }
        });
        margins
    }
}

struct Training<'a> {
    mlp: &'a Mlp,
    train: &'a TrainSet<'a>,
    task: ZooTask,
    epochs: (usize, usize),
}

impl Training<'_> {
    fn run(&self, seed: u64) -> Net {
        let mut random = SplitMix::new(seed);
        let width = self.mlp.design.width();
        let mut net = Net::new(width, self.task.heads(), &mut random);
        let mut adam = [0, 1, 2].map(|l| Adam::of(&net.layers[l]));
        let mut slopes = [0, 1, 2].map(|l| vec![0.0; net.layers[l].weights.len()]);
        let mut best = (self.inner_loss(&net), net.clone(), 0);
        let mut fade = [1.0, 1.0];
        for epoch in 1..=self.epochs.0 {
            let mut rows = Vec::new();
            while rows.len() < EPOCH_ROWS_MIN.max(self.train.fit.len().min(EPOCH_ROWS)) {
                rows.extend(shuffled(self.train.fit.to_vec(), random.bits()));
            }
            rows.truncate(EPOCH_ROWS);
            for batch in rows.chunks(BATCH) {
                self.slopes(&net, batch, &mut slopes, &mut random);
                fade = [fade[0] * 0.9, fade[1] * 0.999];
                let part = [1.0 - fade[0], 1.0 - fade[1]].map(single);
                for ((layer, adam), slope) in net.layers.iter_mut().zip(&mut adam).zip(&mut slopes) {
                    adam.step(layer, slope, part);
                }
            }
            let loss = self.inner_loss(&net);
            if loss < best.0 {
                best = (loss, net.clone(), epoch);
            } else if epoch - best.2 >= self.epochs.1 {
                break;
            }
        }
        best.1
    }

    /// The label as an output is held against it.
    fn wanted(&self, row: u32, head: usize) -> f64 {
        (self.task.asked(self.train.label(row), head) - self.mlp.label_mean) / self.mlp.label_deviation
    }

    fn slopes(&self, net: &Net, batch: &[u32], slopes: &mut [Vec<f32>; 3], random: &mut SplitMix) {
        let mut said = net.silent();
        let mut x = vec![0.0; self.mlp.design.width()];
        let mut errors = [vec![0.0; UNITS], vec![0.0; UNITS], vec![0.0; said.out.len()]];
        let weights = self.train.weights_of(batch);
        let factor = single(1.0 / (1.0 - DROPOUT));
        self.mlp.design.over(self.train.features, batch, |n, z| {
            self.mlp.inputs(z, &mut x);
            net.forward(&x, &mut said, || if random.unit() < DROPOUT { 0.0 } else { factor });
            let [first, second, last] = &mut errors;
            for (head, (error, out)) in last.iter_mut().zip(&said.out).enumerate() {
                let out = f64::from(*out);
                let said = if self.task == ZooTask::Regression { out } else { sigmoid(out) };
                *error = single((said - self.wanted(batch[n], head)) * weights[n] / float(batch.len()));
            }
            let UnitValues { hidden: [one, two], .. } = &said;
            // A unit that was kept and above zero passes its error on, with the factor it was given.
            let passed = |error: &mut [f32], unit: &[f32]| {
                error.iter_mut().zip(unit).for_each(|(e, h)| *e = if *h > 0.0 { *e * factor } else { 0.0 });
            };
            net.layers[2].backward(two, last, &mut slopes[2], Some(second));
            passed(second, two);
            net.layers[1].backward(one, second, &mut slopes[1], Some(first));
            passed(first, one);
            net.layers[0].backward(&x, first, &mut slopes[0], None);
        });
    }

    fn inner_loss(&self, net: &Net) -> f64 {
        let margins = self.mlp.margins_of(core::slice::from_ref(net), self.train.features, self.train.inner);
        let mut sum = 0.0;
        for (head, margins) in margins.iter().enumerate() {
            for (m, row) in margins.iter().zip(self.train.inner) {
                let y = self.task.asked(self.train.label(*row), head);
                sum += if self.task == ZooTask::Regression {
                    let d = (m - y) / self.mlp.label_deviation;
                    d * d
                } else {
                    m.max(0.0) + ln(1.0 + exp(-m.abs())) - y * m
                };
            }
        }
        sum / float(self.train.inner.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::FitThreads;

    /// Slopes by differences, without dropout: the errors that are passed back are right.
    #[test]
    fn slopes_are_those_of_the_loss() {
        let columns =
            (0..5_u32).map(|c| (0..64_u32).map(move |r| Some(f64::from((r * (c + 3) + c * c) % 17) / 9.0 - 1.0)));
        let features = Features::new(64, columns).unwrap();
        let labels: Vec<f64> = (0..64_u32).map(|r| f64::from(r % 3)).collect();
        let rows: Vec<u32> = (0..64).collect();
        let train = TrainSet {
            features: &features,
            labels: &labels,
            weights: None,
            fit: &rows,
            inner: &rows,
            threads: FitThreads::One,
        };
        let design = Design::of(&features, 0..5, &rows, &[1.0; 64]).unwrap();
        let mlp = Mlp { design, nets: Vec::new(), label_mean: 0.0, label_deviation: 1.0 };
        let training = Training { mlp: &mlp, train: &train, task: ZooTask::Classes, epochs: (1, 1) };
        let mut random = SplitMix::new(5);
        let net = Net::new(mlp.design.width(), 3, &mut random);
        // Errors by hand, of one row, so that no unit is left out by chance.
        let mut x = vec![0.0; mlp.design.width()];
        mlp.design.over(&features, &rows[..1], |_, z| mlp.inputs(z, &mut x));
        let loss = |net: &Net| {
            let mut said = net.silent();
            net.forward(&x, &mut said, || 1.0);
            said.out
                .iter()
                .enumerate()
                .map(|(h, m)| {
                    let (m, y) = (f64::from(*m), training.wanted(0, h));
                    m.max(0.0) + ln(1.0 + exp(-m.abs())) - y * m
                })
                .sum::<f64>()
        };
        let mut said = net.silent();
        net.forward(&x, &mut said, || 1.0);
        let last: Vec<f32> =
            said.out.iter().enumerate().map(|(h, m)| single(sigmoid(f64::from(*m)) - training.wanted(0, h))).collect();
        let mut slope = [0, 1, 2].map(|l| vec![0.0; net.layers[l].weights.len()]);
        let (mut first, mut second) = (vec![0.0; UNITS], vec![0.0; UNITS]);
        net.layers[2].backward(&said.hidden[1], &last, &mut slope[2], Some(&mut second));
        second.iter_mut().zip(&said.hidden[1]).for_each(|(e, h)| *e = if *h > 0.0 { *e } else { 0.0 });
        net.layers[1].backward(&said.hidden[0], &second, &mut slope[1], Some(&mut first));
        first.iter_mut().zip(&said.hidden[0]).for_each(|(e, h)| *e = if *h > 0.0 { *e } else { 0.0 });
        net.layers[0].backward(&x, &first, &mut slope[0], None);
        for (layer, at) in [(0, 3), (0, 5 * UNITS + 7), (1, 100), (1, UNITS * UNITS + 3), (2, 9), (2, UNITS * 3 + 1)] {
            let moved = |by: f32| {
                let mut net = net.clone();
                net.layers[layer].weights[at] += by;
                loss(&net)
            };
            let want = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let got = f64::from(slope[layer][at]);
            assert!((got - want).abs() < 2e-3 * want.abs().max(0.05), "{layer} {at}: {got} is not {want}");
        }
    }
}
