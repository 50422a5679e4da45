//! A world in which it is known what follows from what.

use barograph_domain::math::exp;
use barograph_domain::random::SplitMix;
use barograph_lab::zoo::{Features, FitThreads, TrainSet, ZooTask};

/// Columns: 0 and 1 bend together, 2 is a straight line, 3 is noise with gaps, 4 is the last class, 5 a regime, 6 to 8 three volatilities.
pub(crate) const COLUMNS: usize = 9;
pub(crate) const LAST_CLASS: usize = 4;
pub(crate) const REGIME: usize = 5;

/// Rows, labels and how they are split.
pub(crate) struct World {
    pub(crate) features: Features,
    pub(crate) labels: Vec<f64>,
    fit: Vec<u32>,
    inner: Vec<u32>,
    pub(crate) test: Vec<u32>,
}

impl World {
    /// So many rows; three fifths to fit, one fifth each for the inner split and the test.
    pub(crate) fn new(task: ZooTask, n: u32, seed: u64) -> Self {
        let mut random = SplitMix::new(seed);
        let rows = usize::try_from(n).unwrap();
        let mut columns: Vec<Vec<Option<f64>>> = vec![Vec::new(); COLUMNS];
        let mut labels = Vec::with_capacity(rows);
        let mut last = 1.0;
        for row in 0..n {
            let x: Vec<f64> = (0..4).map(|_| 2.0 * random.unit() - 1.0).collect();
            let vols: Vec<f64> = (0..3).map(|_| random.unit()).collect();
            let bend = if (x[0] > 0.0) == (x[1] > 0.0) { 1.2 } else { -1.2 };
            let regime = f64::from(row / 50 % 2);
            let line = 1.5 * x[2] * if regime > 0.5 { 1.0 } else { 0.6 };
            let signal = bend + line;
            let label = match task {
                ZooTask::Binary => f64::from(u8::from(random.unit() < 1.0 / (1.0 + exp(-signal)))),
                ZooTask::Classes => {
                    let stays = random.unit() < 0.7;
                    let drawn = signal + random.unit() - 0.5;
                    if stays { last } else { f64::from(u8::from(drawn > -0.8)) + f64::from(u8::from(drawn > 0.8)) }
                }
                ZooTask::Regression => {
                    1e-4 * (signal + vols[0] + 0.5 * vols[1] + 0.25 * vols[2] + 0.5 * (random.unit() - 0.5))
                }
            };
            let lasting = if task == ZooTask::Binary { label * 2.0 - 1.0 + 8.0 * (random.unit() - 0.5) } else { last };
            let gap = row % 3 == 0;
            let all = [x[0], x[1], x[2], x[3], lasting, regime, vols[0], vols[1], vols[2]];
            for (at, v) in all.into_iter().enumerate() {
                columns[at].push((at != 3 || !gap).then_some(v));
            }
            last = label;
            labels.push(label);
        }
        let part = |from: u32, upto: u32| (n * from / 5..n * upto / 5).collect();
        Self {
            features: Features::new(rows, columns).unwrap(),
            labels,
            fit: part(0, 3),
            inner: part(3, 4),
            test: part(4, 5),
        }
    }

    pub(crate) fn train(&self) -> TrainSet<'_> {
        TrainSet {
            features: &self.features,
            labels: &self.labels,
            weights: None,
            fit: &self.fit,
            inner: &self.inner,
            threads: FitThreads::One,
        }
    }

    pub(crate) fn came(&self) -> Vec<f64> {
        self.test.iter().map(|r| self.labels[usize::try_from(*r).unwrap()]).collect()
    }
}
