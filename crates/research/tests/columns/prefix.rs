//! What comes later changes no row that was made (features §10).

use crate::heard::{Heard, Row, Rows, feed, listen, rows_of, shipped};
use barograph_columns::OtherFeeds;
use barograph_domain::{MarketKind, Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_research::dataset::{CLOSE_AFTER, SecondRows};

const CUTS: usize = 200;

/// Rows as whoever knows nothing behind a cut makes them: those that are due when the clock has gone on by a nanosecond.
fn rows_up_to(all: &[Heard], upto: Ts) -> Rows {
    let mut rows = SecondRows::new(Some(0.1), SessionSet::UTC);
    let mut made = Vec::new();
    all.iter().for_each(|heard| feed(&mut rows, heard, &mut |_| OtherFeeds::default(), &mut made));
    made.extend(core::iter::from_fn(|| rows.due(upto + Span(1))));
    made
}

/// Rows that differ from those of the whole, among those that were due by a cut.
fn rewritten(whole: &[Row], part: &[Row], upto: Ts) -> usize {
    let due = part.iter().filter(|(t, _)| *t + CLOSE_AFTER <= upto);
    let same = |(t, row): &&(Ts, _)| whole.iter().any(|(at, own)| at == t && own == row);
    due.clone().count() - due.filter(same).count()
}

#[test]
fn of_200_cuts_through_a_recording_none_rewrites_a_row() {
    let all = listen("binance-usdm:BTCUSDT", MarketKind::Perpetual, &shipped(), (4_000, 25));
    let whole = rows_of(&all, Some(0.1));
    assert!(whole.len() > 20, "{} rows", whole.len());
    let mut seen = 0;
    for n in 1..=CUTS {
        let cut = all.len() * n / CUTS;
        let upto = all[..cut].iter().rev().find_map(|heard| if let Heard::Passed(t) = heard { Some(*t) } else { None });
        let Some(upto) = upto else { continue };
        let part = rows_up_to(&all[..cut], upto);
        seen += part.len();
        assert_eq!(rewritten(&whole, &part, upto), 0, "cut {n} at {upto}");
    }
    assert!(seen > 5 * CUTS, "{seen} rows were compared");
}

/// The comparison sees rows that were made of something else: here three seconds too early, before all of theirs was received.
#[test]
fn a_row_that_is_made_of_less_is_found_out() {
    let all = listen("binance-usdm:BTCUSDT", MarketKind::Perpetual, &shipped(), (4_000, 25));
    let early = |heard: &Heard| match heard {
        Heard::Passed(t) => Heard::Passed(*t + Span::secs(3)),
        other => other.clone(),
    };
    let hasty = rows_of(&all.iter().map(early).collect::<Vec<_>>(), Some(0.1));
    assert!(rewritten(&rows_of(&all, Some(0.1)), &hasty, Ts::MAX) > 0);
}
