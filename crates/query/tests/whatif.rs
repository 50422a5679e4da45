//! A changed rule book over a store: what is published is found again, what changes is counted, what cannot be shown is refused.

#[path = "../benches/market/mod.rs"]
#[expect(dead_code, reason = "a store of rows is wanted here, rows alone are not")]
mod market;

use barograph_api::QueryError;
use barograph_domain::Span;
use barograph_domain::whatif::{WhatIfRequest, WhatIfView};
use barograph_engine::rules::RuleBook;
use barograph_query::service::BookId;
use barograph_query::whatif::{WhatIfLimits, WhatIfQuestion, answer, thresholds};
use barograph_store::SqliteReader;
use std::path::Path;

#[expect(clippy::unwrap_used, reason = "the store was just made")]
fn ask(folder: &Path, kept: Option<&Path>, request: &WhatIfRequest) -> Result<WhatIfView, QueryError> {
    let reader = SqliteReader::open(folder).unwrap();
    ask_within(&reader, kept, request, WhatIfLimits::SERVED)
}

fn ask_within(
    reader: &SqliteReader,
    kept: Option<&Path>,
    request: &WhatIfRequest,
    limits: WhatIfLimits,
) -> Result<WhatIfView, QueryError> {
    let book = BookId::named("default");
    let asked =
        WhatIfQuestion { reader, names: None, book: &book, default_venue: "binance-usdm", kept, limits, request };
    answer(&asked, &|_, _| {})
}

fn setting(set: &str) -> WhatIfRequest {
    WhatIfRequest { set: vec![set.to_owned()], ..WhatIfRequest::default() }
}

#[test]
fn answers_are_the_same_with_and_without_kept_columns_and_see_what_was_published() {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 3, 12);
    let kept = folder.path().join("whatif");
    let asked = setting("HIGH_VOL.realized_vol_1h=0.9");
    let plain = ask(folder.path(), None, &asked).unwrap();
    for kept in [Some(kept.as_path()), Some(kept.as_path()), None] {
        assert_eq!(ask(folder.path(), kept, &asked).unwrap(), plain);
    }
    assert_eq!((plain.all.minutes_not_as_published, plain.markets.len()), (Some(0), 3));
    assert!((plain.all.market_days - 36.0).abs() < 1e-9);
    let high = plain.all.axes[0].labels.iter().find(|l| l.label == "HIGH_VOL").unwrap();
    assert!(high.share.after < high.share.before && high.share.after > Some(0.0), "{high:?}");
    assert!(high.overlap.is_some_and(|x| x > 0.1 && x < 1.0), "{high:?}");
    assert_eq!(plain.all.axes.len(), 1, "the other axes are not reached");
    let names: Vec<&str> = plain.changes.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["HIGH_VOL.realized_vol_1h", "HIGH_VOL.realized_vol_1h.exit"]);
    // A damaged file is made again.
    for run in std::fs::read_dir(&kept).unwrap() {
        let file = std::fs::read_dir(run.unwrap().path()).unwrap().next().unwrap().unwrap();
        std::fs::write(file.path(), b"barowif1 nonsense").unwrap();
    }
    assert_eq!(ask(folder.path(), Some(&kept), &asked).unwrap(), plain);
    // A rule on a feature that the book does not read, another axis, and an alert rule of one's own.
    let text = format!(
        "{}\n[[alert]]\nid = \"far\"\nall = [{{ feature = \"vol_z_30d\", op = \">\", value = 1.0 }}]\n",
        RuleBook::shipped_text("default").unwrap().replacen("value = 0.80, exit = 0.48", "value = 0.9, exit = 0.54", 1)
    );
    let with_alert = ask(folder.path(), Some(&kept), &WhatIfRequest { book: Some(text), ..WhatIfRequest::default() });
    let with_alert = with_alert.unwrap();
    assert_eq!(with_alert.all.axes, plain.all.axes);
    assert!(with_alert.all.rules[0].per_day.before.is_none() && with_alert.all.rules[0].per_day.after > Some(0.0));
    let other = ask(folder.path(), Some(&kept), &setting("volatility.HIGH_VOL.vol_daily=0.02")).unwrap();
    assert_eq!(other.all.axes.len(), 2);
}

#[test]
fn a_stretch_and_a_market_are_those_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 2, 6);
    let (from, to) = (market::START + Span::days(2), market::START + Span::days(4));
    let asked = WhatIfRequest {
        markets: vec!["SYNTH1USDT".to_owned()],
        from: Some(from.to_string()),
        to: Some(to.to_string()),
        ..setting("HIGH_VOL.realized_vol_1h=0.9")
    };
    let view = ask(folder.path(), None, &asked).unwrap();
    assert_eq!((view.from, view.to, view.markets.len()), (from, to, 1));
    assert!((view.all.market_days - 2.0).abs() < 1e-9);
    let forecast = &view.all.forecasts[0];
    assert_eq!((forecast.event.as_str(), forecast.label.as_str(), forecast.horizon_min), ("hv_1h", "HIGH_VOL", 60));
    assert!(forecast.before.events > 0 && forecast.base_rate > Some(0.0), "{forecast:?}");
}

#[test]
fn a_threshold_keeps_its_budget_where_it_is_chosen_and_is_judged_by_the_next_stretch() {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 2, 14);
    let tune = |budget: &str| {
        let asked = WhatIfRequest {
            tune: Some("HIGH_VOL.realized_vol_1h".to_owned()),
            budget: Some(budget.to_owned()),
            ..WhatIfRequest::default()
        };
        ask(folder.path(), None, &asked).unwrap().tuned.unwrap()
    };
    let (few, many) = (tune("1/day"), tune("4/day"));
    assert!(few.value > many.value, "fewer a day want a higher threshold: {few:?} {many:?}");
    for (tuned, most) in [(&few, 1.0), (&many, 4.0)] {
        assert!(tuned.chosen_on.entries_per_day.is_some_and(|n| n <= most), "{tuned:?}");
        let next = tuned.following.as_ref().unwrap();
        assert_eq!((tuned.chosen_on.to, next.from < next.to), (next.from, true));
        assert_eq!((tuned.label.as_str(), tuned.forecasts.len()), ("HIGH_VOL", 1));
    }
}

#[test]
fn what_cannot_be_meant_or_shown_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 1, 1);
    let text = RuleBook::shipped_text("default").unwrap();
    let book = |text: String| WhatIfRequest { book: Some(text), ..WhatIfRequest::default() };
    let budget = |text: &str| WhatIfRequest { budget: Some(text.to_owned()), ..WhatIfRequest::default() };
    let from = |text: &str| WhatIfRequest { from: Some(text.to_owned()), ..WhatIfRequest::default() };
    let tune = WhatIfRequest { tune: Some("HIGH_VOL.realized_vol_1h".to_owned()), ..WhatIfRequest::default() };
    for (request, field, says) in [
        (setting("HIGH_VOLL.realized_vol_1h=1"), "set", "did you mean 'HIGH_VOL'?"),
        (setting("HIGH_VOL.realized_vol_1h"), "set", "names no number"),
        (book(text.replace("span_min = 0.25", "span_min = 0.5")), "book", "'span_min' is 0.25"),
        (book("name = 1".to_owned()), "book", "book:1"),
        (WhatIfRequest { base: Some("mine".to_owned()), ..WhatIfRequest::default() }, "base", "comes with the program"),
        (WhatIfRequest { base: Some("seed1-strict".to_owned()), ..WhatIfRequest::default() }, "base", "allow_proxy"),
        (budget("many"), "budget", "3/day"),
        (from("2030-01-01T00:00:00Z"), "from", "nothing is stored"),
        (from("soon"), "from", "soon"),
        (tune, "budget", "chosen by a budget"),
    ] {
        match ask(folder.path(), None, &request) {
            Err(QueryError::BadField { field: f, value, reason }) => {
                assert_eq!(f, field, "{reason}");
                assert!(reason.contains(says) || value.contains(says), "{field}: {value}: {reason}");
            }
            other => panic!("{request:?}: {other:?}"),
        }
    }
    let nowhere = WhatIfRequest { markets: vec!["NOWHERE".to_owned()], ..WhatIfRequest::default() };
    assert!(matches!(ask(folder.path(), None, &nowhere), Err(QueryError::UnknownSymbol { .. })));
}

/// Of a row under a changed threshold of the risk axis: as `WhatIfLimits` counts it.
const BYTES: u64 = 110;

/// Four markets of six days: a plain question holds one at a time, a threshold to be chosen needs all of them at once.
#[test]
fn more_than_may_be_replayed_or_held_is_refused_and_says_how_to_ask_less() {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 4, 6);
    let reader = SqliteReader::open(folder.path()).unwrap();
    let plain = setting("HIGH_VOL.realized_vol_1h=0.9");
    let tune = WhatIfRequest {
        tune: Some("HIGH_VOL.realized_vol_1h".to_owned()),
        budget: Some("1/day".to_owned()),
        ..WhatIfRequest::default()
    };
    let one = WhatIfRequest { markets: vec!["SYNTH1USDT".to_owned()], ..plain.clone() };
    let many = WhatIfRequest { set: vec!["HIGH_VOL.realized_vol_1h=0.9".to_owned(); 257], ..one.clone() };
    // A market's six days.
    let market = 6 * 1_440 * BYTES;
    let within = |market_days, held_bytes| WhatIfLimits { market_days, held_bytes };
    for (request, limits, refused) in [
        (&plain, WhatIfLimits::SERVED, None),
        (&plain, within(28, market), None),
        (&plain, within(20, market), Some("at most 20 at once")),
        (&one, within(20, market), None),
        (&plain, within(28, market / 4), Some("would be held")),
        (&tune, within(28, market), Some("would be held")),
        (&tune, within(28, 4 * market), None),
        (&tune, WhatIfLimits::NONE, None),
        (&many, WhatIfLimits::NONE, Some("257 thresholds")),
    ] {
        match (ask_within(&reader, None, request, limits), refused) {
            (Ok(_), None) => {}
            (Err(QueryError::TooMuch { reason, hint }), Some(says)) => {
                assert!(reason.contains(says) && hint.contains('('), "{reason}; {hint}");
            }
            (other, _) => panic!("{request:?} {limits:?}: {:?}", other.map(|v| v.all.market_days)),
        }
    }
}

#[test]
fn every_threshold_of_a_book_is_listed_under_the_name_that_sets_it() {
    let listed = thresholds(&BookId::named("default"), None).unwrap();
    let first = &listed.items[0];
    assert_eq!((first.name.as_str(), first.value, first.exit), ("SQUEEZE_RISK.funding_zscore_24h", 2.0, 1.8));
    assert!(listed.items.iter().any(|t| t.name == "volatility.HIGH_VOL.vol_daily"));
    assert_eq!(thresholds(&BookId::named("default"), Some("seed3")).unwrap().book, "seed3");
}
