//! What comes later changes no row that was made (features §10).

use crate::heard::{Heard, Row, Rows, feed, listen, rows_of, shipped};
use barograph_columns::{OtherFeeds, place_of};
use barograph_domain::depth::DepthLevel;
use barograph_domain::{Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::recorded::RecordStamps;
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
    let all = listen("binance-usdm:BTCUSDT", &shipped(), (4_000, 25));
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
    let all = listen("binance-usdm:BTCUSDT", &shipped(), (4_000, 25));
    let early = |heard: &Heard| match heard {
        Heard::Passed(t) => Heard::Passed(*t + Span::secs(3)),
        other => other.clone(),
    };
    let hasty = rows_of(&all.iter().map(early).collect::<Vec<_>>(), Some(0.1));
    assert!(rewritten(&rows_of(&all, Some(0.1)), &hasty, Ts::MAX) > 0);
}

/// A book each half second for a minute, the first of them so long on its way.
fn books(from: Ts, delay: Span) -> Vec<Heard> {
    let level = |price| vec![DepthLevel { price, size: 1.0 }];
    let one = |n: i64| {
        let event = from + Span::millis(500 * n);
        let recv = (from + delay).max(event + Span::millis(20));
        let at = RecordStamps { event, recv };
        [Heard::Passed(recv), Heard::Book(at, [level(100.0), level(101.0 + (n % 3) as f64)], 1)]
    };
    (0..120).flat_map(one).collect()
}

/// Rows that the silence withheld are not made of what ends it.
#[test]
fn no_row_behind_a_silence_knows_of_what_came_after_it_was_due() {
    let begin = Ts::from_civil(2026, 2, 5, 14, 0, 0);
    let [short, long] = [Span::millis(20), Span::secs(30)];
    for (silence, delay) in
        [(300, long), (570, long), (595, long), (605, short), (630, short), (630, long), (659, long), (720, long)]
    {
        let back = begin + Span::secs(60 + silence);
        let all = [books(begin, short), books(back, delay)].concat();
        let mut rows = SecondRows::new(None, SessionSet::UTC);
        let (mut made, mut before) = (Vec::new(), Ts::MIN);
        for heard in &all {
            let already = made.len();
            feed(&mut rows, heard, &mut |_| OtherFeeds::default(), &mut made);
            let late = made[already..].iter().filter(|(t, _): &&Row| *t + CLOSE_AFTER < before).count();
            assert_eq!(late, 0, "{silence} s of silence, {delay:?} on the way");
            before = if let Heard::Passed(now) = heard { *now } else { before };
        }
        assert!(made.iter().filter(|(t, _)| *t > back).count() > 20, "{silence} s of silence, {delay:?} on the way");
    }
}

/// At 13:00 New York begins.
#[test]
fn the_row_of_a_boundary_is_of_the_session_that_starts() {
    let boundary = Ts::from_civil(2026, 2, 5, 13, 0, 0);
    let rows = rows_of(&books(boundary - Span::secs(30), Span::millis(20)), None);
    let place = place_of("sx_session").unwrap();
    for (seconds, want) in [(-1, 1.0), (0, 2.0), (1, 2.0)] {
        let (_, row) = rows.iter().find(|(t, _)| *t == boundary + Span::secs(seconds)).unwrap();
        assert_eq!(row.get(place), Ok(want), "{seconds} s after 13:00");
    }
}
