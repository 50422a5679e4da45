//! The recorded fills of Hyperliquid's accounts against numbers that were counted by another program, which tried every set of accounts
//! instead of following who sold to whom.

#![expect(clippy::unwrap_used, clippy::disallowed_types, reason = "a test of a recorded file opens it")]

use barograph_domain::{Side, Ts};
use barograph_engine::order_flow::FlowThresholds;
use barograph_verify::accounts::study::FillsByMarket;
use barograph_verify::accounts::{AccountFill, AccountMark, LinkRule, SignRoc, study};
use std::collections::BTreeMap;
use std::io::Read as _;

/// Market, trades with both accounts, hours with a trade, hours with a round trip.
const COUNTED: [(&str, usize, usize, usize); 14] = [
    ("APE", 118, 10, 1),
    ("ARB", 193, 448, 5),
    ("ATOM", 3, 38, 0),
    ("AVAX", 47, 79, 1),
    ("BNB", 0, 27, 0),
    ("BTC", 7, 236, 0),
    ("DOGE", 1, 75, 0),
    ("DYDX", 20, 73, 1),
    ("ETH", 86, 444, 1),
    ("INJ", 2, 34, 0),
    ("LTC", 297, 51, 1),
    ("MATIC", 9, 95, 1),
    ("OP", 3, 120, 0),
    ("SOL", 12, 145, 1),
];

fn fills(text: &str) -> FillsByMarket {
    let (mut marks, mut out) = (BTreeMap::new(), FillsByMarket::new());
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let next = marks.len() as u64;
        let account = AccountMark(*marks.entry(cells[1].to_owned()).or_insert(next));
        let price: f64 = cells[4].parse().unwrap();
        let ticks = (price * 1e6).round();
        out.entry(cells[2].to_owned()).or_default().push(AccountFill {
            at: Ts::parse(cells[0]).unwrap(),
            account,
            side: if cells[3] == "Bid" { Side::Long } else { Side::Short },
            ticks: format!("{ticks}").parse().unwrap(),
            qty: cells[5].parse().unwrap(),
            took: cells[6] == "true",
        });
    }
    out.values_mut().for_each(|fills| fills.sort_by_key(|f| f.at));
    out
}

#[test]
fn hyperliquid_of_2023_is_labelled_as_counted() {
    let Some(path) = barograph_testkit::recorded("derivatives/hyperliquid_2023/non_mm_trades.csv.gz") else { return };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let report = study::study(&fills(&text), &LinkRule::default(), &FlowThresholds::default(), 20).unwrap();
    let mut got: Vec<_> = report.markets.iter().map(|m| (m.symbol.as_str(), m.joined, m.hours, m.linked)).collect();
    got.sort_unstable();
    assert_eq!(got, COUNTED);
    assert_eq!(report.markets.iter().map(|m| m.ambiguous).sum::<usize>(), 65);
    let of = |n: usize| report.round_trips.iter().filter(|t| t.accounts.len() == n).count();
    assert_eq!([1, 2, 3, 4].map(of), [14, 4, 0, 0]);
    let all = &report.classes[0].score;
    assert_eq!((all.hours, all.linked.of, all.measured, all.undecided), (1_875, 12, 329, 0));
    assert!(!all.alerts_shown, "of the hours that the detector judges too few are labelled: {:?}", all.judged);
    for (roc, class) in report.classes.iter().flat_map(|c| c.score.roc.iter().map(move |r| (r, &c.class))) {
        if let SignRoc::Drawn { linked, auc, .. } = roc {
            assert!(*linked >= 10 && (0.0..=1.0).contains(auc) && class == "all", "{class}: {roc:?}");
        }
    }
}
