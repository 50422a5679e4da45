//! When a series is asked again (sheet, the "Poll" lines of each section): from what came of it so far and now, nothing else.

use super::DAY;
use super::series::{SeriesPace, SeriesRules};
use barograph_domain::{Span, Ts};

/// The first pause after a failure; each in a row doubles it.
const PAUSE_FIRST: Span = Span::mins(1);
/// The longest, the sheet's cadence for what changes hourly.
const PAUSE_MAX: Span = Span::hours(1);
/// Where a day of values may be waited for, after midnight UTC.
const DAILY_FROM: Span = Span::mins(10);
/// Until when it is waited for closely.
const DAILY_UNTIL: Span = Span::hours(6);

/// What came of a series so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SeriesPast {
    /// When it was asked last.
    pub tried: Option<Ts>,
    /// When it last answered with something usable, or that nothing has changed.
    pub fetched: Option<Ts>,
    /// When all of its history was read last.
    pub whole: Option<Ts>,
    /// Failures since it last answered.
    pub failures: u32,
    /// Nothing before this: its source asked for a rest, or refuses us.
    pub rests_until: Option<Ts>,
    /// Until when its newest complete value reaches.
    pub covered: Option<Ts>,
}

/// When the series is to be asked next; now or earlier: at once.
#[must_use]
pub fn due_at(rules: &SeriesRules, past: &SeriesPast, now: Ts) -> Ts {
    let regular = match (past.failures, past.tried, past.fetched) {
        (0, _, Some(fetched)) => after(rules, past, fetched),
        (1.., Some(tried), _) => tried + pause(past.failures),
        _ => now,
    };
    past.rests_until.map_or(regular, |rests| regular.max(rests))
}

/// Is all of the history to be read, and not only what is recent or has changed?
#[must_use]
pub fn is_whole_due(rules: &SeriesRules, past: &SeriesPast, now: Ts) -> bool {
    past.whole.is_none_or(|whole| now - whole >= rules.whole_every)
}

/// The pause after so many failures in a row.
#[must_use]
pub fn pause(failures: u32) -> Span {
    let doubled = PAUSE_FIRST.times(1_i64 << failures.saturating_sub(1).min(12));
    doubled.min(PAUSE_MAX)
}

fn after(rules: &SeriesRules, past: &SeriesPast, fetched: Ts) -> Ts {
    match rules.pace {
        SeriesPace::Every(span) => fetched + span,
        SeriesPace::At(minutes) => next_of(minutes, fetched),
        SeriesPace::Daily => {
            let today = fetched.floor(DAY);
            let has_day = past.covered.is_some_and(|end| end >= today);
            let opens = today + DAILY_FROM;
            match fetched {
                // What is fetched before the window opens is the day before's business.
                f if has_day => (f + Span::hours(1)).min((today + DAY + DAILY_FROM).max(f + Span::mins(1))),
                f if f < opens => opens,
                f if f < today + DAILY_UNTIL => f + Span::mins(30),
                f => f + Span::hours(1),
            }
        }
    }
}

/// The first of these minutes of a day that lies after a moment.
fn next_of(minutes: &[i64], after: Ts) -> Ts {
    let today = after.floor(DAY);
    let of_day = |day: Ts| minutes.iter().map(move |m| day + Span::mins(*m));
    of_day(today).chain(of_day(today + DAY)).find(|at| *at > after).unwrap_or(after + DAY)
}

#[cfg(test)]
mod tests {
    use super::super::OnchainSeries;
    use super::*;

    fn at(d: i64, h: i64, m: i64) -> Ts {
        Ts::from_civil(2026, 11, d, h, m, 0)
    }

    fn next(series: &str, past: SeriesPast) -> (i64, i64, i64) {
        let rules = OnchainSeries::parse(series).unwrap().rules();
        let (_, _, d, h, m, _, _) = due_at(&rules, &past, at(20, 12, 0)).civil();
        (d, h, m)
    }

    fn fetched(fetched: Ts) -> SeriesPast {
        SeriesPast { tried: Some(fetched), fetched: Some(fetched), ..SeriesPast::default() }
    }

    #[test]
    fn each_series_has_the_times_of_its_source() {
        let glassnode = "glassnode.btc.market.mvrv";
        let covered = |f: Ts, end: Ts| SeriesPast { covered: Some(end), ..fetched(f) };
        for (series, past, due) in [
            ("defillama.tvl", SeriesPast::default(), (20, 12, 0)),
            ("defillama.tvl", fetched(at(20, 11, 20)), (20, 12, 20)),
            ("defillama.dex", fetched(at(20, 2, 30)), (20, 8, 30)),
            ("defillama.dex", fetched(at(20, 14, 31)), (21, 2, 30)),
            ("fng", fetched(at(20, 0, 4)), (20, 0, 5)),
            ("fng", fetched(at(20, 1, 5)), (20, 7, 5)),
            ("fng", fetched(at(20, 19, 5)), (21, 0, 5)),
            (glassnode, covered(at(20, 0, 5), at(19, 0, 0)), (20, 0, 10)),
            (glassnode, covered(at(20, 1, 0), at(19, 0, 0)), (20, 1, 30)),
            (glassnode, covered(at(20, 1, 30), at(20, 0, 0)), (20, 2, 30)),
            (glassnode, covered(at(20, 7, 0), at(19, 0, 0)), (20, 8, 0)),
            (glassnode, covered(at(20, 23, 50), at(20, 0, 0)), (21, 0, 10)),
        ] {
            assert_eq!(next(series, past), due, "{series} {past:?}");
        }
    }

    #[test]
    fn failures_are_tried_again_and_a_rest_is_kept() {
        let failed = |failures| SeriesPast { failures, tried: Some(at(20, 11, 0)), ..fetched(at(20, 10, 0)) };
        assert_eq!(next("defillama.tvl", failed(1)), (20, 11, 1));
        assert_eq!(next("defillama.tvl", failed(3)), (20, 11, 4));
        assert_eq!(next("defillama.tvl", failed(99)), (20, 12, 0), "no pause is longer than an hour");
        let rests = SeriesPast { rests_until: Some(at(22, 0, 0)), ..failed(1) };
        assert_eq!(next("defillama.tvl", rests), (22, 0, 0));
        let never = SeriesPast { failures: 1, tried: Some(at(20, 11, 59)), ..SeriesPast::default() };
        assert_eq!(next("fng", never), (20, 12, 0));
    }

    #[test]
    fn all_of_the_history_is_read_at_first_and_from_time_to_time() {
        let rules = OnchainSeries::parse("defillama.tvl").unwrap().rules();
        let past = |whole| SeriesPast { whole, ..SeriesPast::default() };
        assert!(is_whole_due(&rules, &past(None), at(20, 0, 0)));
        assert!(!is_whole_due(&rules, &past(Some(at(19, 1, 0))), at(20, 0, 0)));
        assert!(is_whole_due(&rules, &past(Some(at(19, 0, 0))), at(20, 0, 0)));
    }
}
