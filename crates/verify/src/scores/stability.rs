//! How calm a label is: changes a day, reversals, episodes too short to act on, how long the others last.
//!
//! A series is what one market's label said at rising times, without holes: the caller cuts at holes and adds up.

use super::sums::{float, quantile, ratio};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// An episode shorter than this came and went before anybody could act on it.
const SHORT: Span = Span::mins(15);

/// How often a series of labels changed.
#[must_use]
pub fn flips<L: PartialEq>(labels: &[L]) -> usize {
    labels.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// Changes per symbol-day: `flips` of all series over the time that they cover in all. `None` without time.
#[must_use]
pub fn flip_rate(flips: usize, covered: Span) -> Option<f64> {
    ratio(float(flips), covered.as_days_f64())
}

/// `(Σ |x_{i+1} − x_i| − (max − min))/(N − 2)`: how much of the movement was taken back; 0 without reversal (Griffiths, Foley, Ioannou and
/// Leeuwenburg, "Flip-Flop Index: quantifying revision stability for fixed-event forecasts", 2019). `None` below three values.
#[must_use]
pub fn flip_flop_index(series: &[f64]) -> Option<f64> {
    let spare = series.len().checked_sub(2).filter(|spare| *spare > 0)?;
    let moved: f64 = series.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    let (low, high) = series.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    Some((moved - (high - low)) / float(spare))
}

/// One label without interruption.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LabelRun<L> {
    /// What it said.
    pub label: L,
    /// Its first moment.
    pub begins: Ts,
    /// The first moment of the next label.
    pub ends: Ts,
}

/// The completed episodes of a series: those of which both ends were seen. The first and the last are cut by the series' own ends.
#[must_use]
pub fn episodes<L: PartialEq + Clone>(series: &[(Ts, L)]) -> Vec<LabelRun<L>> {
    let starts: Vec<_> = series.chunk_by(|a, b| a.1 == b.1).map(|run| &run[0]).collect();
    let complete = starts.windows(2).skip(1);
    complete.map(|pair| LabelRun { label: pair[0].1.clone(), begins: pair[0].0, ends: pair[1].0 }).collect()
}

/// Share of completed episodes that lasted less than 15 minutes; `None` without any.
#[must_use]
pub fn short_episode_share<L>(episodes: &[LabelRun<L>]) -> Option<f64> {
    let short = episodes.iter().filter(|e| e.ends - e.begins < SHORT).count();
    ratio(float(short), float(episodes.len()))
}

/// How lengths of time are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Durations {
    /// Lengths counted.
    pub n: usize,
    /// A tenth are shorter.
    pub p10: Span,
    /// Half are shorter.
    pub median: Span,
    /// A tenth are longer.
    pub p90: Span,
}

/// The spread of these lengths; `None` without any.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "quantiles lie among the lengths, of which a float keeps a microsecond over centuries"
)]
pub fn durations(lengths: impl IntoIterator<Item = Span>) -> Option<Durations> {
    let mut sorted: Vec<_> = lengths.into_iter().map(|span| span.0 as f64).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |p| quantile(&sorted, p).map(|ns| Span(ns as i64));
    Some(Durations { n: sorted.len(), p10: at(0.1)?, median: at(0.5)?, p90: at(0.9)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    fn at(minute: i64) -> Ts {
        Ts(0) + Span::mins(minute)
    }

    #[test]
    fn flip_flop_is_that_of_the_paper() {
        for row in GoldenTable::whole("flip_flop").rows() {
            let series: Vec<f64> = row.text("series").split(';').map(|x| x.parse().unwrap()).collect();
            let (got, want) = (flip_flop_index(&series).unwrap(), row.need("flip_flop_index"));
            assert!((got - want).abs() < 1e-10 * want.abs().max(1e-2), "{series:?}: {got} is not {want}");
        }
        assert_eq!(flip_flop_index(&[1.0, 2.0]), None);
    }

    #[test]
    fn only_episodes_with_both_ends_have_a_length() {
        let series = [(0, 'a'), (5, 'b'), (10, 'b'), (15, 'a'), (40, 'c'), (50, 'a')].map(|(m, l)| (at(m), l));
        let complete = episodes(&series);
        let lengths: Vec<_> = complete.iter().map(|e| (e.label, (e.ends - e.begins).as_secs() / 60)).collect();
        assert_eq!(lengths, [('b', 10), ('a', 25), ('c', 10)]);
        assert_eq!(short_episode_share(&complete), Some(2.0 / 3.0));
        let ages = durations(complete.iter().map(|e| e.ends - e.begins)).unwrap();
        assert_eq!((ages.n, ages.p10, ages.median, ages.p90), (3, Span::mins(10), Span::mins(10), Span::mins(22)));
        assert_eq!((episodes(&series[..2]).len(), short_episode_share::<char>(&[]), durations([])), (0, None, None));
    }

    #[test]
    fn an_episode_of_exactly_a_quarter_of_an_hour_is_not_short() {
        let one = [LabelRun { label: 'a', begins: at(0), ends: at(15) }];
        assert_eq!(short_episode_share(&one), Some(0.0));
    }

    #[test]
    fn changes_are_counted_per_day() {
        assert_eq!((flips(&['a', 'a', 'b', 'a']), flips::<char>(&[])), (2, 0));
        assert_eq!((flip_rate(6, Span::days(4)), flip_rate(0, Span::ZERO)), (Some(1.5), None));
    }
}
