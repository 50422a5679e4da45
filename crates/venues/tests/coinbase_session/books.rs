//! Books that live longer than the levels they began with: the price walks, levels run out, a new snapshot comes or does not.

use crate::rig::{Rig, config, def, spot};
use barograph_domain::{GapReason, Metric, StatusState};
use barograph_venues::session::{MarketIndex, suite};

/// One market, open on connection 1, with a book.
fn ready() -> Rig {
    let mut rig = Rig::new(config(vec![spot("BTC-USD")]));
    rig.open(0, 1).snapshot(1, 0, "BTC-USD", "100.00", "100.01");
    rig.sent();
    rig
}

/// The venue's whole book, `n` cents either side of a price, as level-2 rows.
fn whole_book(middle: i64, n: i64) -> Vec<(&'static str, String, &'static str)> {
    let row = |side, cents: i64| (side, format!("{}.{:02}", cents / 100, cents % 100), "1");
    (1..=n).map(|d| row("bid", middle - d)).chain((0..n).map(|d| row("offer", middle + d))).collect()
}

fn as_rows<'a>(rows: &'a [(&'a str, String, &'a str)]) -> Vec<(&'a str, &'a str, &'a str)> {
    rows.iter().map(|(side, price, qty)| (*side, price.as_str(), *qty)).collect()
}

#[test]
fn a_book_outlives_a_price_that_leaves_the_levels_it_began_with() {
    // 3,000 levels a side, of which 1,000 are kept; the price climbs a cent a second for 40 minutes.
    let mut rig = ready();
    let first = whole_book(1_000_000, 3_000);
    rig.book(1, 1, "snapshot", "BTC-USD", &as_rows(&first), "1970-01-01T00:00:00Z");
    let (mut sequence, mut renewals) = (2, 0);
    for step in 1..2_400 {
        rig.wait(1);
        let texts: Vec<String> = rig.sent().into_iter().map(|(_, text)| text).collect();
        let middle = 1_000_000 + step;
        let cent = |c: i64| format!("{}.{:02}", c / 100, c % 100);
        if texts.is_empty() {
            // The best ask is taken, and becomes the best bid; the far end of the book follows.
            let (taken, far) = (cent(middle - 1), cent(middle + 2_999));
            rig.update(1, sequence, "BTC-USD", &[("offer", &taken, "0"), ("bid", &taken, "1"), ("offer", &far, "1")]);
        } else {
            assert!(texts[0].contains("unsubscribe") && texts[0].contains("level2"), "{texts:?}");
            assert!(texts[1].contains(r#""subscribe""#) && texts[1].contains("level2"), "{texts:?}");
            assert_eq!((texts.len(), rig.state(0, Metric::Book).0), (2, StatusState::Live), "it goes on meanwhile");
            let rows = whole_book(middle, 3_000);
            rig.book(1, sequence, "snapshot", "BTC-USD", &as_rows(&rows), "1970-01-01T00:00:00Z");
            renewals += 1;
        }
        sequence += 1;
        let book = rig.session.book(MarketIndex(0)).unwrap_or_else(|| panic!("no book after {step} s"));
        let (bid, ask) = (book.best_bid().unwrap().units, book.best_ask().unwrap().units);
        assert_eq!((bid, ask), (middle - 1, middle), "after {step} s");
        assert!(book.asks().len() >= 499, "{} asks after {step} s", book.asks().len());
    }
    assert_eq!((renewals, rig.statuses(Metric::Book).len(), rig.faults()), (4, 1, vec![]), "live once, never lost");
}

#[test]
fn a_book_that_lost_all_it_kept_or_is_not_renewed_is_asked_for_again() {
    let mut rig = ready();
    let first = whole_book(1_000_000, 1_200);
    rig.book(1, 1, "snapshot", "BTC-USD", &as_rows(&first), "1970-01-01T00:00:00Z");
    // One message takes every ask that was kept; there are 200 more that are not known.
    let gone: Vec<_> = first.iter().filter(|r| r.0 == "offer").map(|r| (r.0, r.1.clone(), "0")).collect();
    rig.update(1, 2, "BTC-USD", &as_rows(&gone));
    assert_eq!(rig.state(0, Metric::Book), (StatusState::Resync, GapReason::EmptyBook));
    rig.wait(1);
    assert_eq!(rig.sent().len(), 2, "unsubscribe and subscribe");
    rig.book(1, 3, "snapshot", "BTC-USD", &as_rows(&first), "1970-01-01T00:00:00Z").wait(20);
    assert_eq!((rig.state(0, Metric::Book).0, rig.sent().len()), (StatusState::Live, 0));
    // Thin: a snapshot is asked for and does not come within 15 s.
    rig.update(1, 4, "BTC-USD", &as_rows(&gone)[..600]).wait(1);
    assert_eq!((rig.state(0, Metric::Book).0, rig.sent().len()), (StatusState::Live, 2));
    rig.wait(14);
    assert_eq!((rig.state(0, Metric::Book).0, rig.sent().len()), (StatusState::Live, 0));
    rig.wait(1);
    assert_eq!(
        (rig.state(0, Metric::Book).0, rig.sent().len()),
        (StatusState::Resync, 2),
        "dropped and asked for again"
    );
}

#[test]
fn channels_that_the_venue_does_not_list_are_subscribed_again() {
    let wanted = config(vec![spot("BTC-USD"), spot("ETH-USD")]);
    let mut sequence = std::collections::BTreeMap::new();
    let words = ["market_trades", "\"ticker\""];
    suite::asks_again_for_what_does_not_come(def().open, &wanted, &words, |now, conn, text| {
        if !text.contains("\"level2\"") && !text.contains("heartbeats") {
            return Vec::new();
        }
        let n = sequence.entry(conn).or_insert(0);
        *n += 1;
        let list = r#"[{"subscriptions":{"level2":["BTC-USD","ETH-USD"],"heartbeats":["heartbeats"]}}]"#;
        let ack = format!(
            r#"{{"channel":"subscriptions","client_id":"","timestamp":"{}","sequence_num":{},"events":{list}}}"#,
            now.iso(),
            *n - 1
        );
        vec![ack.into_bytes()]
    });
}
