//! A risk label that changes more often than twice a day is noise to whoever reads it (`docs/adr/0030-labels-that-do-not-flutter.md`).
//!
//! Here on the history in this repository, hours of three markets over a stormy winter; `crates/lake/tests/flutter` counts the same,
//! and what it costs, over everything recorded.

use crate::support;
use barograph_domain::RiskRegime;
use support::built_in_world;

/// Changes of the published and of the raw label, and market-days with a label.
#[derive(Clone, Copy, Default, Debug)]
struct Counted {
    changes: u32,
    raw: u32,
    minutes: u32,
}

fn counted(book: &str, symbol: &str) -> Counted {
    let world = built_in_world(symbol);
    let rows = world.rows(book, &world.events, |_| true);
    let mut out = Counted::default();
    let known = rows.iter().skip_while(|r| r.risk.label == RiskRegime::Unknown).collect::<Vec<_>>();
    for pair in known.windows(2) {
        out.changes += u32::from(pair[0].risk.label != pair[1].risk.label);
        out.raw += u32::from(pair[0].risk.raw_label != pair[1].risk.raw_label);
        out.minutes += u32::from(pair[0].risk.label != RiskRegime::Unknown);
    }
    out
}

#[test]
fn risk_labels_change_at_most_twice_a_day_on_the_built_in_history() {
    let mut all = Counted::default();
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT"] {
        let of = counted("default", symbol);
        all = Counted { changes: all.changes + of.changes, raw: all.raw + of.raw, minutes: all.minutes + of.minutes };
    }
    let per_day = |n: u32| f64::from(n) * 1_440.0 / f64::from(all.minutes);
    eprintln!("{all:?}: {:.3} changes per market-day, {:.3} of the raw label", per_day(all.changes), per_day(all.raw));
    assert!(all.minutes > 3 * 80 * 1_440, "{all:?}");
    assert!(per_day(all.changes) <= 2.0, "{all:?}: {:.3} changes per market-day", per_day(all.changes));
    assert!(per_day(all.raw) > 4.0, "{all:?}: what is waited out is there to be waited out");
}
