//! Fewer rows that stand for all.

use barograph_domain::Ts;
use barograph_domain::time::DAY;

/// At most `most` of these rows, from every UTC day the same share, evenly spread over the day. `times` has a moment for each row of
/// the features; rows are in the order of time.
///
/// # Panics
/// When a row has no moment.
#[must_use]
pub fn sampled_by_day(rows: &[u32], times: &[Ts], most: usize) -> Vec<u32> {
    if rows.len() <= most {
        return rows.to_vec();
    }
    let day = |row: &u32| times[usize::try_from(*row).unwrap_or(usize::MAX)].0.div_euclid(DAY.0);
    let mut taken = Vec::with_capacity(most);
    let mut before = 0;
    for of_day in rows.chunk_by(|a, b| day(a) == day(b)) {
        // Shares are cut from the running total, so that roundings do not add up.
        let upto = before + of_day.len();
        let share = upto * most / rows.len() - before * most / rows.len();
        taken.extend((0..share).map(|k| of_day[k * of_day.len() / share]));
        before = upto;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    #[test]
    fn every_day_has_its_share() {
        let times: Vec<Ts> = (0..1_000).map(|n| Ts(0) + Span::mins(if n < 600 { n } else { n + 1_000 })).collect();
        let rows: Vec<u32> = (0..1_000).collect();
        let got = sampled_by_day(&rows, &times, 100);
        assert_eq!((got.len(), got.iter().filter(|r| **r < 600).count()), (100, 60));
        assert!(got.is_sorted() && got[0] == 0 && got[60] == 600);
        assert_eq!(sampled_by_day(&rows[..50], &times, 100), &rows[..50]);
    }
}
