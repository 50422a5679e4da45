//! Has the market changed for a model: what it is given and what it says in a window of time, against the rows it learnt from (research §11).
//!
//! The population stability index is that of the scorecard (`barograph_verify::scores`). Over seconds of an hour or a day it is large by
//! nature, because neighbours are alike: by custom's 0.25 half the columns of an ordinary hour have moved. So every window is held against
//! the windows of the training rows, each of which was measured against the others: a column has moved where its index is above 0.25 and
//! above the largest of all training windows, and inputs have moved where more columns have than in any of those. Two windows in a row make
//! it a change. What is missing is a bin of its own, so that a feed that stops is seen.

use super::inputs::InputMaker;
use crate::ResearchError;
use barograph_domain::forecast::FeatureDrift;
use barograph_domain::{Span, Ts};
use barograph_lab::zoo::{Features, FittedModel, ZooPrediction};
use barograph_study::ResearchFrame;
use barograph_verify::scores::PsiBins;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lengths of a window, and how far apart the rows are that are taken of it: some thousand of each, as of the scorecard's week.
const WINDOWS: [(Span, Span); 4] = [
    (Span::days(7), Span::mins(5)),
    (Span::days(1), Span::mins(1)),
    (Span::hours(1), Span::secs(5)),
    (Span::mins(10), Span::secs(1)),
];
/// Training windows without which nobody knows what is usual: one window in nine lies beyond eight others by chance.
const WINDOWS_MIN: usize = 8;
/// Rows of a window at least: two for each bin.
const ROWS_MIN: usize = 20;
/// Bins of a column: tenths of the training rows.
const BINS: usize = 10;
/// Stands for a missing number in front of all others, where bins are counted and nowhere else.
const MISSING: f64 = -1e300;
/// Columns that are named of a window.
const NAMED: usize = 5;

/// What is usual for one column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct UsualColumn {
    name: String,
    bins: PsiBins,
    /// Largest index of a training window against the others.
    largest: f64,
}

impl UsualColumn {
    /// An index above it is no usual one.
    fn bound(&self) -> f64 {
        self.largest.max(FeatureDrift::LARGE)
    }
}

/// What is usual: the training rows of an artefact in tenths, and how far windows of them lie from each other.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DriftReference {
    grid: DriftGrid,
    /// Training windows.
    pub windows: usize,
    columns: Vec<UsualColumn>,
    /// Most columns beyond the bounds of the other windows in any training window.
    pub moved_most: usize,
    /// The same of what the model says; empty where the rows it was tuned on are too short a time.
    stated: Vec<UsualColumn>,
}

/// One column beyond what is usual.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct MovedColumn {
    /// Its name; `stated` of what the model says.
    pub name: String,
    /// Population stability index of the window against the training rows.
    pub psi: f64,
    /// What it had to exceed: the largest of the training windows, and 0.25.
    pub bound: f64,
}

/// What a window amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowWord {
    /// No further than training windows are from each other.
    AsTrained,
    /// Further than any of them.
    Shifted,
    /// Further, and the window before it was too.
    Changed,
}

impl WindowWord {
    /// As people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsTrained => "as in training",
            Self::Shifted => "shifted",
            Self::Changed => "changed",
        }
    }

    const fn of(is_beyond: bool, was_beyond: bool) -> Self {
        match (is_beyond, was_beyond) {
            (false, _) => Self::AsTrained,
            (true, false) => Self::Shifted,
            (true, true) => Self::Changed,
        }
    }
}

/// A window of what came after training.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DriftWindow {
    /// Its first moment.
    pub from: Ts,
    /// Its end.
    pub to: Ts,
    /// Rows that were taken of it.
    pub n: usize,
    /// Columns that were compared.
    pub columns: usize,
    /// Of them those that have moved.
    pub moved: usize,
    /// The farthest of them, at most five.
    pub farthest: Vec<MovedColumn>,
    /// What it amounts to for the inputs.
    pub inputs: WindowWord,
    /// And for what the model says; `None` where nobody knows what is usual there.
    pub stated: Option<WindowWord>,
    /// Index and bound of what the model says, question by question.
    pub stated_psi: Vec<MovedColumn>,
}

/// How time is cut into windows, and which rows are taken of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct DriftGrid {
    span: Span,
    step: Span,
}

impl DriftGrid {
    /// The longest windows of which the training rows hold eight; `None` where they hold too few of the shortest.
    pub(super) fn of(times: &[Ts]) -> Option<Self> {
        let grid = |(span, step)| Self { span, step };
        WINDOWS.into_iter().map(grid).find(|grid| grid.windows(times, Ts::MAX).len() >= WINDOWS_MIN)
    }

    /// Whether a row of this moment is taken.
    pub(super) fn takes(self, t: Ts) -> bool {
        t.floor(self.step) == t
    }

    /// Rows of each whole window that holds enough of them, by its first moment.
    fn windows(self, times: &[Ts], upto: Ts) -> BTreeMap<Ts, Vec<usize>> {
        let mut windows: BTreeMap<Ts, Vec<usize>> = BTreeMap::new();
        for (row, t) in times.iter().enumerate().filter(|(_, t)| self.takes(**t)) {
            windows.entry(t.floor(self.span)).or_default().push(row);
        }
        let most = windows.values().map(Vec::len).max().unwrap_or_default();
        windows.retain(|from, rows| rows.len() >= ROWS_MIN.max(most / 2) && *from + self.span <= upto);
        windows
    }
}

/// Columns of some rows by name, and their moments.
pub(super) struct DriftRows {
    pub(super) times: Vec<Ts>,
    pub(super) columns: Vec<(String, Vec<Option<f64>>)>,
}

impl DriftRows {
    /// Of a model's inputs, in the order of the rows, as far as they are taken.
    pub(super) fn inputs(grid: DriftGrid, times: &[Ts], names: &[String], features: &Features) -> Self {
        let rows: Vec<usize> = (0..features.rows()).filter(|r| grid.takes(times[*r])).collect();
        let column = |c: usize| rows.iter().map(|r| features.get(*r, c)).collect();
        let columns = names.iter().enumerate().map(|(c, name)| (name.clone(), column(c))).collect();
        Self { times: rows.iter().map(|r| times[*r]).collect(), columns }
    }

    /// Of what a model says of rows.
    pub(super) fn stated(times: Vec<Ts>, said: ZooPrediction) -> Self {
        let all = |values: Vec<f64>| values.into_iter().map(Some).collect();
        let columns = match said {
            ZooPrediction::Binary { probabilities, .. } => vec![("stated".to_owned(), all(probabilities))],
            ZooPrediction::Values(values) => vec![("stated".to_owned(), all(values))],
            ZooPrediction::Classes { probabilities, .. } => (0..3)
                .map(|class| (format!("stated {class}"), all(probabilities.iter().map(|p| p[class]).collect())))
                .collect(),
        };
        Self { times, columns }
    }
}

/// Numbers of some rows of a column, as bins count them.
fn taken(column: &[Option<f64>], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|r| column[*r].unwrap_or(MISSING)).collect()
}

/// What is usual for some columns, with how many of them each window had beyond the bounds of the others.
fn usual(rows: &DriftRows, windows: &BTreeMap<Ts, Vec<usize>>) -> (Vec<UsualColumn>, usize) {
    let mut moved = vec![0_usize; windows.len()];
    let all: Vec<usize> = windows.values().flatten().copied().collect();
    let mut columns = Vec::new();
    for (name, column) in &rows.columns {
        // A column that never varied says nothing by its tenths.
        let Some(bins) = PsiBins::of(&taken(column, &all), BINS) else { continue };
        let psi = |rows: &Vec<usize>| bins.psi_of_part(&taken(column, rows)).map_or(0.0, |r| r.psi);
        let indices: Vec<f64> = windows.values().map(psi).collect();
        for (n, moved) in moved.iter_mut().enumerate() {
            let others = indices.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, psi)| *psi);
            *moved += usize::from(indices[n] > others.fold(FeatureDrift::LARGE, f64::max));
        }
        let largest = indices.iter().copied().fold(0.0, f64::max);
        columns.push(UsualColumn { name: name.clone(), bins, largest });
    }
    (columns, moved.into_iter().max().unwrap_or_default())
}

impl DriftReference {
    /// Of the rows a model learnt from, and of what it says of those it was tuned on, which it was not fitted to.
    pub(super) fn of(grid: DriftGrid, inputs: &DriftRows, stated: &DriftRows) -> Self {
        let windows = grid.windows(&inputs.times, Ts::MAX);
        let (columns, moved_most) = usual(inputs, &windows);
        let tuned = grid.windows(&stated.times, Ts::MAX);
        let stated = if tuned.len() >= WINDOWS_MIN { usual(stated, &tuned).0 } else { Vec::new() };
        Self { grid, windows: windows.len(), columns, moved_most, stated }
    }

    /// Length of a window.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.grid.span
    }

    /// How far apart rows are that are taken of a window.
    pub(super) const fn step(&self) -> Span {
        self.grid.step
    }

    /// Every whole window of some rows, in the order of time; `upto` is the last moment that is known.
    pub(super) fn windows_of(&self, inputs: &DriftRows, stated: &DriftRows, upto: Ts) -> Vec<DriftWindow> {
        let mut found: Vec<DriftWindow> = Vec::new();
        let mut before = (false, false);
        for (from, rows) in self.grid.windows(&inputs.times, upto) {
            let read = |of: &DriftRows, usual: &UsualColumn| {
                let column = &of.columns.iter().find(|(name, _)| *name == usual.name)?.1;
                let psi = usual.bins.psi(&taken(column, &rows))?.psi;
                Some(MovedColumn { name: usual.name.clone(), psi, bound: usual.bound() })
            };
            let indices: Vec<MovedColumn> = self.columns.iter().filter_map(|usual| read(inputs, usual)).collect();
            let columns = indices.len();
            let mut farthest: Vec<MovedColumn> = indices.into_iter().filter(|c| c.psi > c.bound).collect();
            let moved = farthest.len();
            farthest.sort_by(|a, b| (b.psi / b.bound).total_cmp(&(a.psi / a.bound)));
            farthest.truncate(NAMED);
            let stated_psi: Vec<MovedColumn> = self.stated.iter().filter_map(|usual| read(stated, usual)).collect();
            let beyond = (moved > self.moved_most, stated_psi.iter().any(|c| c.psi > c.bound));
            let follows = found.last().is_some_and(|last| last.to == from);
            let word = |is, was| WindowWord::of(is, was && follows);
            let to = from + self.grid.span;
            let inputs = word(beyond.0, before.0);
            let stated = (!stated_psi.is_empty()).then(|| word(beyond.1, before.1));
            found.push(DriftWindow { from, to, n: rows.len(), columns, moved, farthest, inputs, stated, stated_psi });
            before = beyond;
        }
        found
    }
}

/// Windows of rows of a frame for a model, by what was usual in training.
pub(super) fn windows_of(
    reference: &DriftReference,
    (maker, model, name): (&InputMaker, &FittedModel, &str),
    frame: &ResearchFrame,
    from: Ts,
    upto: Ts,
) -> Result<Vec<DriftWindow>, ResearchError> {
    let usable = |row: &usize| {
        let t = frame.times()[*row];
        t > from && reference.grid.takes(t) && frame.is_valid(*row)
    };
    let rows: Vec<usize> = (0..frame.len()).filter(usable).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let made = maker.make(frame, &rows)?;
    let times: Vec<Ts> = rows.iter().map(|row| frame.times()[*row]).collect();
    let all: Vec<u32> = (0..u32::try_from(rows.len()).map_err(|e| ResearchError::Failed(e.to_string()))?).collect();
    let inputs = DriftRows::inputs(reference.grid, &times, &made.names, &made.inputs);
    let stated = DriftRows::stated(times, model.predict(made.of(name), &all));
    Ok(reference.windows_of(&inputs, &stated, upto))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::random::SplitMix;

    /// Hours of a market whose level differs from hour to hour by nature: forty columns around a level of the hour, and one that is
    /// missing now and then. From hour `moves` on twelve of them lie elsewhere; from hour `stops` on the last is never there.
    fn hours(upto: i64, moves: i64, stops: i64) -> DriftRows {
        let mut random = SplitMix::new(11);
        let mut rows = DriftRows { times: Vec::new(), columns: Vec::new() };
        rows.columns = (0..41).map(|c| (format!("x{c}"), Vec::new())).collect();
        for hour in 0..upto {
            let levels: Vec<f64> = (0..41).map(|_| random.unit()).collect();
            for second in 0..720 {
                rows.times.push(Ts(0) + Span::hours(hour) + Span::secs(5 * second));
                for (c, (_, column)) in rows.columns.iter_mut().enumerate() {
                    let elsewhere = if hour >= moves && c < 12 { 2.5 } else { 0.0 };
                    let value = levels[c] + random.unit() + elsewhere;
                    let there = c < 40 || (hour < stops && random.unit() > 0.2);
                    column.push(there.then_some(value));
                }
            }
        }
        rows
    }

    fn part(of: &DriftRows, from: i64, upto: i64) -> DriftRows {
        let (from, upto) = (Ts(0) + Span::hours(from), Ts(0) + Span::hours(upto));
        let within: Vec<usize> = (0..of.times.len()).filter(|r| of.times[*r] >= from && of.times[*r] < upto).collect();
        let columns = of.columns.iter().map(|(n, c)| (n.clone(), within.iter().map(|r| c[*r]).collect())).collect();
        DriftRows { times: within.iter().map(|r| of.times[*r]).collect(), columns }
    }

    fn stated(of: &DriftRows) -> DriftRows {
        DriftRows { times: of.times.clone(), columns: vec![("stated".to_owned(), of.columns[0].1.clone())] }
    }

    fn learning(rows: &DriftRows) -> DriftReference {
        DriftReference::of(DriftGrid::of(&rows.times).unwrap(), rows, &stated(rows))
    }

    #[test]
    fn hours_that_differ_by_nature_are_as_in_training_and_a_change_is_one() {
        // Forty hours to learn from, two hundred that are like them: how often it says that something changed.
        let all = hours(240, 999, 999);
        let learnt = part(&all, 0, 40);
        let reference = learning(&learnt);
        assert_eq!((reference.span(), reference.windows), (Span::hours(1), 40));
        let later = part(&all, 40, 240);
        let end = Ts(0) + Span::hours(240);
        let windows = reference.windows_of(&later, &stated(&later), end);
        let of = |word| windows.iter().filter(|w| w.inputs == word).count();
        assert_eq!(windows.len(), 200);
        // By custom's bound alone most hours of most columns would have moved.
        let large = reference.columns.iter().filter(|c| c.largest > FeatureDrift::LARGE).count();
        assert!(large > 35, "{large} of {}", reference.columns.len());
        assert!(
            of(WindowWord::Shifted) <= 200 / 20 && of(WindowWord::Changed) <= 1,
            "{} {}",
            of(WindowWord::Shifted),
            of(WindowWord::Changed)
        );

        let moved = part(&hours(48, 44, 46), 40, 48);
        let windows = reference.windows_of(&moved, &stated(&moved), Ts(0) + Span::hours(48));
        let words: Vec<WindowWord> = windows.iter().map(|w| w.inputs).collect();
        assert_eq!(words[..4], [WindowWord::AsTrained; 4]);
        assert_eq!(words[4..], [WindowWord::Shifted, WindowWord::Changed, WindowWord::Changed, WindowWord::Changed]);
        assert!(
            windows[4].moved >= 12 && windows[4].farthest.len() == 5 && windows[4].columns == 41,
            "{:?}",
            windows[4]
        );
        assert_eq!(windows[5].stated, Some(WindowWord::Changed), "{:?}", windows[5].stated_psi);
        // A feed that stops is a column that moved.
        let gone = |w: &DriftWindow| read(&reference, &moved, w.from);
        let (ordinary, stopped) = (gone(&windows[3]), gone(&windows[6]));
        assert!(stopped > reference.columns[40].bound() && stopped > 2.0 * ordinary, "{stopped} {ordinary}");
    }

    fn read(reference: &DriftReference, rows: &DriftRows, from: Ts) -> f64 {
        let windows = reference.grid.windows(&rows.times, Ts::MAX);
        reference.columns[40].bins.psi(&taken(&rows.columns[40].1, &windows[&from])).unwrap().psi
    }

    #[test]
    fn a_window_counts_when_it_is_over_and_short_training_has_no_reference() {
        let all = hours(12, 999, 999);
        let learnt = part(&all, 0, 8);
        let reference = learning(&learnt);
        let later = part(&all, 8, 12);
        for (minutes, windows) in [(60, 0), (719, 3), (720, 4)] {
            let upto = Ts(0) + Span::mins(minutes);
            assert_eq!(reference.windows_of(&later, &stated(&later), upto).len(), windows, "{minutes}");
        }
        assert_eq!(DriftGrid::of(&part(&all, 0, 1).times), None);
        let text = serde_json::to_string(&reference).unwrap();
        assert_eq!(serde_json::from_str::<DriftReference>(&text).unwrap(), reference);
    }

    /// Learns from the first half of what a lake holds of a market and counts the words of the rest (research §11):
    /// `DRIFT_LAKE=lake DRIFT_MARKET=lobster:AMZN cargo test -p barograph-research --lib -- --ignored base_rate --nocapture`.
    #[test]
    #[ignore = "needs recorded data"]
    fn base_rate_of_a_recorded_lake() {
        use barograph_study::folds::{FoldPlan, StudyFolds};
        use barograph_study::targets::{Labeller, TargetId};
        use barograph_study::transforms::{InputForm, Transforms};
        let lake = std::path::PathBuf::from(std::env::var("DRIFT_LAKE").unwrap());
        let market = barograph_domain::InstrumentName::parse(&std::env::var("DRIFT_MARKET").unwrap()).unwrap();
        let frame = crate::load::load(&lake, &market).unwrap().frame;
        let labels = Labeller::new(&frame).unwrap().label(TargetId::parse("ret_1s").unwrap()).unwrap();
        let plan = FoldPlan { folds: 2, memory: Span::secs(10), held_out_percent: 50, ..FoldPlan::default() };
        let learnt = StudyFolds::new(labels.spans(), &plan).unwrap().development().train.clone();
        let transforms = Transforms::fit(&frame, &learnt).unwrap();
        let end = frame.times()[learnt.rows().next_back().unwrap()];
        let made = |rows: Vec<usize>| {
            let matrix = transforms.apply(&frame, rows.iter().copied(), InputForm::Sparse).unwrap();
            let column = |c: usize| (0..matrix.rows()).map(|r| matrix.get(r, c)).collect();
            let columns = matrix.names().iter().enumerate().map(|(c, name)| (name.clone(), column(c))).collect();
            DriftRows { times: rows.iter().map(|r| frame.times()[*r]).collect(), columns }
        };
        let before = made(learnt.rows().collect());
        let after = made((0..frame.len()).filter(|r| frame.is_valid(*r) && frame.times()[*r] > end).collect());
        let reference = learning(&before);
        let windows = reference.windows_of(&after, &stated(&after), Ts::MAX);
        let large = reference.columns.iter().filter(|c| c.largest > FeatureDrift::LARGE).count();
        let of = |word| windows.iter().filter(|w| w.inputs == word).count();
        println!(
            "{market}: {} training windows of {:?}, {large} of {} columns above 0.25 in one of them, {} beyond the others at most; after: {} \
             windows, {} shifted, {} changed",
            reference.windows,
            reference.span(),
            reference.columns.len(),
            reference.moved_most,
            windows.len(),
            of(WindowWord::Shifted),
            of(WindowWord::Changed)
        );
        assert!(
            !windows.is_empty() && of(WindowWord::Changed) * 20 <= windows.len(),
            "a market that is as it was is called changed"
        );
        for w in &windows {
            println!("  {} n {} moved {} {}", w.from, w.n, w.moved, w.inputs.name());
        }
    }
}
