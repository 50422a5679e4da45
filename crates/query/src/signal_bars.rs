//! Signals beside the candles of a chart: at each close what was known by then (R1.13, R1.19).
//!
//! Every revision is read, and enters at the moment since when it was known. So a candle that was over shows the same, asked now or as of
//! its close, and a page may hold it while it moves through time.

use crate::Error;
use crate::options::is_of_expiry;
use crate::signal_revisions::{
    OF_OPTIONS, RevisionsWanted, ScopeSince, SourceRevisions, options_of, revisions, scopes_on,
};
use barograph_api::QueryError;
use barograph_api::signals::{SignalBars, SignalBarsQuery, SignalBarsView, SignalOffer, SignalTooLong};
use barograph_domain::{InstrumentName, SignalName, SignalScope, Ts};
use barograph_engine::signal_track::{RevisionKnown, SIGNAL_STANDS, SignalTrack};
use barograph_store::{Range, Reader};
use std::collections::BTreeMap;

/// Most revisions of one name that one answer reads: 300 days of values every minute, some 15 MB while it is made.
const REVISIONS_MAX: usize = 300 * 24 * 60;

/// Signals at the candles that are asked for. `now` is the moment of the answer: what is known later than it is not in it.
///
/// # Errors
/// The store's failure.
pub fn signal_bars(
    reader: &dyn Reader,
    market: &InstrumentName,
    asked: &SignalBarsQuery,
    now: Ts,
) -> Result<SignalBarsView, QueryError> {
    bars_of(reader, market, asked, (now, REVISIONS_MAX))
}

/// The same with the most revisions of one name that are read.
fn bars_of(
    reader: &dyn Reader,
    market: &InstrumentName,
    asked: &SignalBarsQuery,
    (now, most): (Ts, usize),
) -> Result<SignalBarsView, QueryError> {
    let failed = |e: Error| crate::service::unreadable(&e);
    let every = asked.interval;
    let end = asked.end.unwrap_or(now).min(now).ceil(every);
    let length = i64::try_from(asked.bars).unwrap_or(i64::MAX).saturating_mul(every.0);
    let start = Ts(end.0.saturating_sub(length));
    let begins: Vec<Ts> = (0..).map(|n: i64| Ts(start.0 + n * every.0)).take_while(|t| *t < end).collect();
    let offered = if asked.names.is_empty() { offered(reader, market, now).map_err(failed)? } else { Vec::new() };
    let mut view = SignalBarsView {
        instrument: market.clone(),
        interval_s: every.as_secs(),
        t: begins.iter().map(|t| seconds(*t)).collect(),
        items: Vec::new(),
        too_long: Vec::new(),
        offered,
    };
    let before = Ts(start.0.saturating_sub(SIGNAL_STANDS.0));
    // A value of the last close is known at it at the soonest, and counts.
    let range = Range { start: before, end: Ts(end.0 + 1) };
    // The first close, and the last or what is now.
    let (first, last) = ((start + every).min(now), end.min(now));
    for name in &asked.names {
        let scopes = scopes_on(reader, market, name, None, last).map_err(failed)?;
        let (mut items, mut left) = (Vec::new(), most);
        for since in scopes.iter().filter(|s| s.from <= last && first < s.until) {
            let as_of = last.min(Ts(since.until.0.saturating_sub(1)));
            let wanted = RevisionsWanted { range, as_of, most: left };
            let Some(found) = revisions(reader, name, &since.scope, wanted).map_err(failed)? else {
                items.clear();
                let lookback = RevisionsWanted { range: Range { end: first, ..range }, ..wanted };
                let alone = revisions(reader, name, &since.scope, lookback).map_err(failed)?.is_none();
                view.too_long.push(too_long(name, most, alone));
                break;
            };
            left -= found.values().map(|of| of.revisions.len()).sum::<usize>().min(left);
            items.extend(found.into_iter().map(|(source, of)| item((name, since, source), of, &begins, asked, now)));
        }
        view.items.extend(items);
    }
    Ok(view)
}

/// A signal that is left out, and what would bring it.
fn too_long(name: &SignalName, most: usize, lookback_alone: bool) -> SignalTooLong {
    let (stretch, hint) = if lookback_alone {
        ("the seven days before the first candle", "bring it with fewer values, such as one a minute")
    } else {
        ("this stretch", "show fewer candles, or shorter ones")
    };
    SignalTooLong {
        name: name.to_string(),
        reason: format!("more than {most} values of {name} lie in {stretch}"),
        hint: hint.to_owned(),
    }
}

fn seconds(t: Ts) -> i64 {
    t.0.div_euclid(1_000_000_000)
}

fn item(
    (name, since, source): (&SignalName, &ScopeSince, String),
    of: SourceRevisions,
    begins: &[Ts],
    asked: &SignalBarsQuery,
    now: Ts,
) -> SignalBars {
    let [stated, assumed] = [RevisionKnown::Stated, RevisionKnown::Assumed].map(|from| of.known(from));
    let (unit, revisions) = (of.unit, of.revisions.len() as u64);
    let mut track = SignalTrack::new(of.revisions);
    let at = |begin: &Ts| {
        // The open candle shows what is known by now.
        let seen = (*begin + asked.interval).min(now);
        track.advance(seen);
        let counts = since.from <= seen && seen < since.until;
        track.newest().filter(|(event, _)| counts && seen - *event <= SIGNAL_STANDS)
    };
    let shown: Vec<Option<(Ts, f64)>> = begins.iter().map(at).collect();
    SignalBars {
        name: name.to_string(),
        scope: since.scope.to_string(),
        source,
        unit,
        revisions,
        stated,
        assumed,
        v: shown.iter().map(|found| found.map(|(_, value)| value)).collect(),
        of: shown.iter().map(|found| found.map(|(event, _)| seconds(event))).collect(),
    }
}

/// What there is to draw; a market's own values stand before those of the same name of every market.
fn offered(reader: &dyn Reader, market: &InstrumentName, at: Ts) -> Result<Vec<SignalOffer>, Error> {
    let options = options_of(market);
    let mut found: BTreeMap<(String, String), (u8, SignalScope)> = BTreeMap::new();
    for info in reader.signals(Some(at))? {
        let rank = match &info.scope {
            _ if is_of_expiry(&info.name) => continue,
            SignalScope::Market(of) if of == market => 0,
            SignalScope::Every => 1,
            SignalScope::Market(of) if Some(of) == options.as_ref() && info.name.as_str().starts_with(OF_OPTIONS) => 2,
            SignalScope::Market(_) => continue,
        };
        let key = (info.name.to_string(), info.source);
        if found.get(&key).is_none_or(|(known, _)| rank < *known) {
            found.insert(key, (rank, info.scope));
        }
    }
    let offer = |((name, source), (_, scope)): ((String, String), (u8, SignalScope))| SignalOffer {
        name,
        scope: scope.to_string(),
        source,
    };
    Ok(found.into_iter().map(offer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::SignalDesk;
    use barograph_domain::{SignalKnown, SignalPoint, Span};
    use barograph_store::{StoreTarget, open_reader};

    const T0: Ts = Ts::from_civil(2026, 3, 1, 0, 0, 0);
    const BTC: &str = "binance-usdm:BTCUSDT";

    fn market() -> InstrumentName {
        InstrumentName::parse(BTC).unwrap()
    }

    /// Of an hour, known a number of hours later.
    fn point(name: &str, scope: &str, (hour, late): (i64, i64), value: Option<f64>) -> SignalPoint {
        SignalPoint {
            name: SignalName::any(name).unwrap(),
            scope: SignalScope::parse(scope).unwrap(),
            source: "desk".to_owned(),
            event_ts: T0 + Span::hours(hour),
            value,
            tags: BTreeMap::from([("unit".to_owned(), "USD".to_owned())]),
            known_ts: T0 + Span::hours(hour + late),
            known: SignalKnown::Stated,
        }
    }

    fn asked(names: &[&str], hours: i64, bars: usize) -> SignalBarsQuery {
        SignalBarsQuery {
            names: names.iter().map(|n| SignalName::any(n).unwrap()).collect(),
            interval: Span::hours(1),
            end: Some(T0 + Span::hours(hours)),
            bars,
            as_of: None,
        }
    }

    fn world() -> (tempfile::TempDir, Box<dyn Reader>) {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(folder.path().to_owned());
        let all = [
            point("x.flow", "*", (1, 2), Some(1.0)),
            point("x.flow", "*", (2, 0), Some(2.0)),
            point("x.flow", "*", (2, 4), Some(2.5)),
            point("x.mood", "*", (1, 0), Some(7.0)),
            point("x.mood", BTC, (1, 0), Some(8.0)),
            point("x.other", "bybit:ETHUSDT", (1, 0), Some(9.0)),
            point("deribit.dvol", "deribit:BTC-PERPETUAL", (1, 0), Some(0.6)),
            point("deribit.dvol", "deribit:ETH-PERPETUAL", (1, 0), Some(0.7)),
        ];
        SignalDesk::new(target.clone()).put(&all).unwrap();
        (folder, open_reader(&target).unwrap())
    }

    #[test]
    fn a_value_stands_on_the_candles_from_the_moment_it_was_known() {
        let (_folder, reader) = world();
        let far = T0 + Span::days(30);
        let view = signal_bars(reader.as_ref(), &market(), &asked(&["x.flow"], 8, 8), far).unwrap();
        let [flow] = &view.items[..] else { panic!("one signal") };
        // The value of 1 h was known after that of 2 h, and the revision of 2 h at 6 h; candle n closes at n + 1 h.
        let [none, first, second] = [None, Some(2.0), Some(2.5)];
        assert_eq!(flow.v, [none, first, first, first, first, second, second, second]);
        assert_eq!(flow.of[1], Some(seconds(T0 + Span::hours(2))));
        assert_eq!((flow.unit.as_deref(), flow.scope.as_str()), (Some("USD"), "*"));
        assert_eq!((flow.revisions, flow.stated, flow.assumed), (3, 3, 0));
        assert_eq!(view.t.first(), Some(&seconds(T0)));
        let later = signal_bars(reader.as_ref(), &market(), &asked(&["x.flow"], 170, 3), far).unwrap();
        assert_eq!(later.items[0].v, [second, second, second], "from before the first candle");
        let older = signal_bars(reader.as_ref(), &market(), &asked(&["x.flow"], 172, 3), far).unwrap();
        assert_eq!(older.items[0].v, [second, None, None], "a value stands for seven days");
    }

    /// Whatever came later, a candle that was over shows what it showed; the open one shows what was known by then.
    #[test]
    fn asked_as_of_any_hour_the_candles_agree() {
        let (_folder, reader) = world();
        let all =
            signal_bars(reader.as_ref(), &market(), &asked(&["x.flow", "x.mood"], 8, 8), T0 + Span::days(9)).unwrap();
        assert_eq!(all.items[1].v[1], Some(8.0), "a market's own value counts");
        for hours in 2..=8 {
            let then =
                signal_bars(reader.as_ref(), &market(), &asked(&["x.flow", "x.mood"], 8, 8), T0 + Span::hours(hours))
                    .unwrap();
            let closed = then.t.len();
            for (now, then) in all.items.iter().zip(&then.items) {
                let from = then.v.len() - usize::try_from(hours).unwrap();
                assert_eq!(then.v[from..], now.v[..closed - from], "{hours} h");
            }
        }
        let half = T0 + Span::mins(150);
        let open = signal_bars(reader.as_ref(), &market(), &asked(&["x.flow"], 8, 1), half).unwrap();
        assert_eq!((open.t[0], open.items[0].v[0]), (seconds(T0 + Span::hours(2)), Some(2.0)));
    }

    /// What is known later of the market itself moves none of the candles before.
    #[test]
    fn values_of_every_market_stand_until_one_of_its_own_is_known() {
        let (folder, reader) = world();
        let late = [point("x.late", "*", (1, 0), Some(7.0)), point("x.late", BTC, (3, 2), Some(9.0))];
        let desk = SignalDesk::new(StoreTarget::Folder(folder.path().to_owned()));
        desk.put(&late[..1]).unwrap();
        let ask = |at: i64| {
            let view = signal_bars(reader.as_ref(), &market(), &asked(&["x.late"], 8, 8), T0 + Span::hours(at));
            view.unwrap().items
        };
        let [before] = &ask(48)[..] else { panic!("one scope") };
        desk.put(&late[1..]).unwrap();
        let [every, own] = &ask(48)[..] else { panic!("two scopes") };
        let (none, seven, nine) = (None, Some(7.0), Some(9.0));
        assert_eq!(every.v, [seven, seven, seven, seven, none, none, none, none]);
        assert_eq!(own.v, [none, none, none, none, nine, nine, nine, nine]);
        assert_eq!((every.scope.as_str(), own.scope.as_str(), &every.v[..4]), ("*", BTC, &before.v[..4]));
        let [then] = &ask(4)[..] else { panic!("nobody knew of the other") };
        assert_eq!(then.v[4..], every.v[..4]);
    }

    fn fetched(name: &str, (hour, late): (i64, i64), value: f64, tags: &[(&str, &str)]) -> SignalPoint {
        let tags = tags.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        SignalPoint { tags, ..point(name, "*", (hour, late), Some(value)) }
    }

    #[test]
    fn what_is_fetched_of_a_day_that_is_not_over_stands_on_no_candle_and_what_is_assumed_is_counted() {
        let (folder, reader) = world();
        let all = [
            fetched("defillama.tvl.all", (0, 1), 1.0, &[("known", "assumed")]),
            fetched("defillama.tvl.all", (2, 1), 5.0, &[("provisional", "yes")]),
            fetched("defillama.tvl.all", (2, 4), 6.0, &[("known", "source")]),
            fetched("dune.flow", (0, 0), 1.0, &[("unit", "BTC")]),
            fetched("dune.flow", (3, 0), 90.0, &[("unit", "USD")]),
            fetched("dune.flow", (4, 0), 2.0, &[("unit", "BTC")]),
        ];
        SignalDesk::new(StoreTarget::Folder(folder.path().to_owned())).put(&all).unwrap();
        let names = ["defillama.tvl.all", "dune.flow"];
        let view = signal_bars(reader.as_ref(), &market(), &asked(&names, 8, 8), T0 + Span::days(9)).unwrap();
        let [tvl, flow] = &view.items[..] else { panic!("two signals") };
        let (first, second) = (Some(1.0), Some(6.0));
        assert_eq!(tvl.v, [first, first, first, first, first, second, second, second]);
        assert_eq!((tvl.revisions, tvl.stated, tvl.assumed, tvl.unit.as_deref()), (2, 1, 1, Some("USD")));
        let (one, two) = (Some(1.0), Some(2.0));
        assert_eq!(flow.v, [one, one, Some(90.0), two, two, two, two, two]);
        assert_eq!(flow.unit.as_deref(), Some("BTC"));
    }

    #[test]
    fn a_signal_with_too_many_values_takes_no_other_along() {
        let (_folder, reader) = world();
        let ask = |hours, bars| {
            bars_of(reader.as_ref(), &market(), &asked(&["x.flow", "x.mood"], hours, bars), (T0 + Span::days(9), 2))
                .unwrap()
        };
        for (hours, bars, words) in [(8, 8, "show fewer candles"), (48, 2, "bring it with fewer values")] {
            let view = ask(hours, bars);
            let names: Vec<&str> = view.items.iter().map(|i| i.name.as_str()).collect();
            let [left] = &view.too_long[..] else { panic!("one too many: {view:?}") };
            assert_eq!((&names[..], left.name.as_str()), (&["x.mood"][..], "x.flow"));
            assert!(left.reason.contains("more than 2 values of x.flow") && left.hint.contains(words), "{left:?}");
        }
    }

    #[test]
    fn what_does_not_speak_of_the_market_is_left_out_and_what_does_is_offered() {
        let (_folder, reader) = world();
        let at = T0 + Span::days(1);
        let found =
            signal_bars(reader.as_ref(), &market(), &asked(&["x.other", "x.none", "deribit.dvol"], 8, 2), at).unwrap();
        let named: Vec<(&str, Option<f64>)> = found.items.iter().map(|i| (i.scope.as_str(), i.v[1])).collect();
        assert_eq!(named, [("deribit:BTC-PERPETUAL", Some(0.6))]);
        assert!(found.offered.is_empty());
        let offered = signal_bars(reader.as_ref(), &market(), &asked(&[], 8, 1), at).unwrap();
        let names: Vec<(&str, &str)> = offered.offered.iter().map(|o| (o.name.as_str(), o.scope.as_str())).collect();
        assert_eq!(names, [("deribit.dvol", "deribit:BTC-PERPETUAL"), ("x.flow", "*"), ("x.mood", BTC)]);
        assert!(offered.items.is_empty());
    }
}
