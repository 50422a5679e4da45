//! The scorecard over a store: what may be held bounds it, and a market by itself is scored as it is among others.

#[path = "../benches/world/mod.rs"]
mod world;

use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{Span, Ts};
use barograph_query::Error;
use barograph_query::scores::{ScorecardAsked, scorecard};
use barograph_store::{LedgerPart, Range, SqliteReader, SqliteWriter, Writer as _, WriterRole};
use barograph_verify::scorecard::ScoreFilter;
use std::path::Path;

const START: Ts = Ts::from_civil(2025, 1, 1, 0, 0, 0);
const MARKETS: usize = 4;
const DAYS: i64 = 40;
const LOGIC: &str = "v0+synthetic";

#[expect(clippy::unwrap_used, reason = "the folder was just made")]
fn store(folder: &Path) -> SqliteReader {
    let mut writer = SqliteWriter::open(folder, &WriterRole::ALL).unwrap();
    let mut world = world::World::new(MARKETS);
    for day in 0..DAYS {
        let start = START + Span::days(day);
        let (ticks, range) = (world.day(start), Range { start, end: start + Span::days(1) });
        let part = LedgerPart {
            logic_version: LOGIC,
            range,
            ticks: &ticks,
            heads: &[],
            states: &[],
            alerts: &[],
            revisions: &[],
            done: None,
        };
        writer.replace_ledger(&part).unwrap();
    }
    drop(writer);
    SqliteReader::open(folder).unwrap()
}

#[test]
fn more_cases_than_may_be_held_are_refused_and_one_market_is_scored_as_among_others() {
    let folder = tempfile::tempdir().unwrap();
    let reader = store(folder.path());
    let ask = |scopes: &[String], cases_max| {
        let wanted = ScoreFilter { windows: Vec::new(), scopes: scopes.to_vec() };
        let asked = ScorecardAsked { wanted, cases_max, ..ScorecardAsked::default() };
        scorecard(&reader, LOGIC, "default", &asked)
    };
    let all = ask(&[], None).unwrap();
    let a_market = usize::try_from(DAYS * 288).unwrap();
    let held =
        |most: usize| ask(&[], Some(most)).map_err(|e| matches!(e, Error::TooManyCases { most: of, .. } if of == most));
    assert_eq!(held(MARKETS * a_market).as_ref(), Ok(&all), "exactly as many as there are");
    assert_eq!(held(MARKETS * a_market - 1), Err(true));
    assert_eq!(held(a_market), Err(true));
    let one = all.markets[1].clone();
    let card = ask(std::slice::from_ref(&one), Some(a_market)).unwrap();
    let of = |scope: &String| *scope == one;
    let rows: Vec<_> = all.rows.iter().filter(|r| of(&r.scope)).cloned().collect();
    assert!(rows.iter().any(|r| r.event == ForecastEvent::HighVol1h && r.denominators.scored > 0), "{rows:?}");
    let differs = card.rows.iter().zip(&rows).find(|(a, b)| a != b);
    assert!(differs.is_none() && card.rows.len() == rows.len(), "{} {}, {differs:?}", card.rows.len(), rows.len());
    assert_eq!(card.alerts, all.alerts.iter().filter(|r| of(&r.scope)).cloned().collect::<Vec<_>>());
    assert_eq!(card.stability, all.stability.iter().filter(|r| of(&r.scope)).cloned().collect::<Vec<_>>());
    assert_eq!(card.markets, all.markets);
}
