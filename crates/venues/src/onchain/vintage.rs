//! Which values of a body are new, which are revisions, and since when each counts as known (onchain §1).
//!
//! A value that is there already is nothing. One that differs is a revision, known since it was received; so is one that its source now
//! states to be absent. One that was not there counts since
//! it was received too, unless no one asked when it must have appeared: then its source's word counts, or the lag that is assumed
//! for the series, and it is marked so. What was looked for and not found is never claimed to have been known.

use super::OnchainPoint;
use super::series::SeriesRules;
use barograph_domain::{SignalKnown, SignalName, SignalPoint, SignalScope, Span, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// The tag of values whose moment of being known was not seen: what it is taken from.
pub const KNOWN_TAG: &str = "known";
/// Its text where the lag of the series is assumed.
pub const ASSUMED: &str = "assumed";
/// Its text where the source states it.
pub const BY_SOURCE: &str = "source";
/// The tag of values whose interval was not over, with the text [`YES`].
pub const PROVISIONAL_TAG: &str = "provisional";
/// The tag of what a value is in, where its source may be asked in several units.
pub const UNIT_TAG: &str = "unit";
/// The text of tags that are there or not.
pub const YES: &str = "yes";
/// A revision by more is reported.
const NOTABLE_CHANGE: f64 = 0.05;
/// So is one of a value older than this.
const NOTABLE_AGE: Span = Span::days(3);

/// One reading of a series.
#[derive(Clone, Copy, Debug)]
pub struct BodyReading<'a> {
    /// The name its values are kept under.
    pub name: &'a SignalName,
    /// Their source, where they name none.
    pub source: &'a str,
    /// What is assumed about them.
    pub rules: SeriesRules,
    /// When the body was received.
    pub recv: Ts,
    /// When the series last answered before.
    pub before: Option<Ts>,
}

/// A revision that people should see.
#[derive(Clone, PartialEq, Debug)]
pub struct NotableRevision {
    /// The moment it is of.
    pub event_ts: Ts,
    /// What was known.
    pub before: f64,
    /// What is known now; `None`: its source has taken it back.
    pub now: Option<f64>,
}

/// What of a body is to be stored.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OnchainNews {
    /// Values to store.
    pub points: Vec<SignalPoint>,
    /// Of them, new ones that count since they were received.
    pub new: usize,
    /// New ones whose moment of being known is assumed or stated by their source.
    pub backfilled: usize,
    /// Other values of moments that had one.
    pub revised: usize,
    /// The same values, provisional no more.
    pub settled: usize,
    /// The same values in another unit than they were taken to be in.
    pub relabelled: usize,
    /// Values that were there already.
    pub same: usize,
    /// Revisions by more than 5 %, or of values older than three days.
    pub notable: Vec<NotableRevision>,
    /// Values that cannot be stored, with their reasons.
    pub refused: Vec<String>,
}

/// Which market a symbol means.
pub type ScopeOf<'a> = &'a dyn Fn(&str) -> Result<SignalScope, String>;

/// What of `points` is news beside `stored`, the newest revisions of the series.
#[must_use]
pub fn news(
    reading: &BodyReading<'_>,
    points: Vec<OnchainPoint>,
    stored: &[SignalPoint],
    scope: ScopeOf<'_>,
) -> OnchainNews {
    let known: BTreeMap<_, _> = stored.iter().map(|p| ((p.event_ts, &p.scope, p.source.as_str()), p)).collect();
    let mut news = OnchainNews::default();
    // Two spellings of one market, which a store could not keep apart.
    let mut taken = BTreeSet::new();
    for point in points {
        let (new, what) = match reading.point(point, scope) {
            Ok(made) => made,
            Err(why) => {
                news.refused.push(why);
                continue;
            }
        };
        if !taken.insert((new.event_ts, new.scope.clone(), new.source.clone())) {
            news.refused.push(format!("{}: a second value of {} from {}", new.event_ts, new.scope, new.source));
            continue;
        }
        match known.get(&(new.event_ts, &new.scope, new.source.as_str())) {
            Some(old) => match difference(old, &new) {
                VintageDifference::None => news.same += 1,
                found => {
                    match found {
                        VintageDifference::Value => {
                            news.revised += 1;
                            news.notable.extend(notable(old, &new, reading.recv));
                        }
                        VintageDifference::Unit => news.relabelled += 1,
                        VintageDifference::Settled | VintageDifference::None => news.settled += 1,
                    }
                    news.points.push(reading.received(new));
                }
            },
            // What was never there is not taken back.
            None if new.value.is_none() => {}
            None => {
                if let Some((at, from)) = reading.backfilled(&new, what) {
                    news.backfilled += 1;
                    news.points.push(backdated(new, at, from));
                } else {
                    news.new += 1;
                    news.points.push(reading.received(new));
                }
            }
        }
    }
    news
}

/// In what a value differs from the one that is stored.
enum VintageDifference {
    None,
    Value,
    Unit,
    /// Provisional once, and no more, or the other way round.
    Settled,
}

fn difference(old: &SignalPoint, new: &SignalPoint) -> VintageDifference {
    if old.bits() != new.bits() {
        VintageDifference::Value
    } else if old.tags.get(UNIT_TAG) != new.tags.get(UNIT_TAG) {
        VintageDifference::Unit
    } else if is_provisional(old) != is_provisional(new) {
        VintageDifference::Settled
    } else {
        VintageDifference::None
    }
}

/// Was its interval not over when it was read?
#[must_use]
pub fn is_provisional(point: &SignalPoint) -> bool {
    point.tags.contains_key(PROVISIONAL_TAG)
}

/// Is since when it was known assumed?
#[must_use]
pub fn is_assumed(point: &SignalPoint) -> bool {
    point.tags.get(KNOWN_TAG).is_some_and(|from| from == ASSUMED)
}

/// A provisional value moves all day and is not worth a line.
fn notable(old: &SignalPoint, new: &SignalPoint, recv: Ts) -> Option<NotableRevision> {
    let (before, now) = (old.value?, new.value);
    let is_large = now.is_none_or(|now| (now - before).abs() > NOTABLE_CHANGE * before.abs()) && !is_provisional(old);
    let is_old = recv - new.event_ts > NOTABLE_AGE;
    (is_large || is_old).then_some(NotableRevision { event_ts: new.event_ts, before, now })
}

fn backdated(point: SignalPoint, known_ts: Ts, from: &str) -> SignalPoint {
    let mut point = SignalPoint { known_ts, known: SignalKnown::Stated, ..point };
    point.tags.insert(KNOWN_TAG.to_owned(), from.to_owned());
    point
}

impl BodyReading<'_> {
    /// A value as it is stored, and since when its source had it.
    fn point(&self, point: OnchainPoint, scope: ScopeOf<'_>) -> Result<(SignalPoint, Option<Ts>), String> {
        let scope = point.symbol.as_deref().map_or(Ok(SignalScope::Every), scope)?;
        let mut tags: BTreeMap<String, String> = point.tags.into_iter().map(|(key, v)| (key.to_owned(), v)).collect();
        if point.provisional {
            tags.insert(PROVISIONAL_TAG.to_owned(), YES.to_owned());
        }
        let made = SignalPoint {
            name: self.name.clone(),
            scope,
            source: point.source.unwrap_or_else(|| self.source.to_owned()),
            event_ts: point.event_ts,
            value: point.value,
            tags,
            known_ts: self.recv.max(point.event_ts),
            known: SignalKnown::Received,
        };
        made.check().map_err(|fault| format!("{}: {fault}", made.event_ts))?;
        Ok((made, point.known))
    }

    fn received(&self, point: SignalPoint) -> SignalPoint {
        SignalPoint { known_ts: self.recv.max(point.event_ts), known: SignalKnown::Received, ..point }
    }

    /// Since when a value that was not there counts, where no one asked when it appeared.
    fn backfilled(&self, point: &SignalPoint, by_source: Option<Ts>) -> Option<(Ts, &'static str)> {
        let (at, from) = match (by_source, self.rules.lag) {
            (Some(at), _) => (at.max(point.event_ts), BY_SOURCE),
            (None, Some(lag)) => (point.event_ts + lag, ASSUMED),
            (None, None) => return None,
        };
        let was_away = match self.before {
            None => true,
            Some(before) => at > before && self.recv - before > self.rules.cadence.times(2),
        };
        (at <= self.recv && was_away && !is_provisional(point)).then_some((at, from))
    }
}

#[cfg(test)]
mod tests {
    use super::super::OnchainSeries;
    use super::*;

    fn at(d: i64, h: i64) -> Ts {
        Ts::from_civil(2026, 11, d, h, 0, 0)
    }

    fn points(values: &[(i64, f64)], recv: Ts) -> Vec<OnchainPoint> {
        values.iter().map(|(d, v)| OnchainPoint::of_interval(at(*d, 0), *v, Span::days(1), recv)).collect()
    }

    fn read(values: &[(i64, f64)], stored: &[SignalPoint], recv: Ts, before: Option<Ts>) -> OnchainNews {
        let series = OnchainSeries::parse("defillama.tvl").unwrap();
        let reading = BodyReading { name: series.name(), source: "defillama", rules: series.rules(), recv, before };
        news(&reading, points(values, recv), stored, &|_| Err("no market".to_owned()))
    }

    /// A body that came at 7 on the 20th.
    fn body<'a>(series: &'a OnchainSeries, source: &'a str, before: Option<Ts>) -> BodyReading<'a> {
        BodyReading { name: series.name(), source, rules: series.rules(), recv: at(20, 7), before }
    }

    fn counts(n: &OnchainNews) -> [usize; 5] {
        [n.new, n.backfilled, n.revised, n.settled, n.same]
    }

    /// The newest revisions once `more` is stored too.
    fn stored(mut old: Vec<SignalPoint>, more: &OnchainNews) -> Vec<SignalPoint> {
        old.retain(|p| more.points.iter().all(|m| m.event_ts != p.event_ts));
        old.extend(more.points.iter().cloned());
        old
    }

    #[test]
    fn the_first_reading_is_history_with_its_lag_and_the_running_day_was_received() {
        let first = read(&[(17, 1.0), (18, 2.0), (19, 3.0)], &[], at(19, 9), None);
        assert_eq!(counts(&first), [1, 2, 0, 0, 0]);
        let known: Vec<_> =
            first.points.iter().map(|p| (p.known_ts, p.known, p.tags.get(KNOWN_TAG).cloned())).collect();
        assert_eq!(known[0], (at(18, 2), SignalKnown::Stated, Some(ASSUMED.to_owned())));
        assert_eq!(known[1], (at(19, 2), SignalKnown::Stated, Some(ASSUMED.to_owned())));
        assert_eq!(known[2], (at(19, 9), SignalKnown::Received, None));
        assert!(is_provisional(&first.points[2]) && !is_provisional(&first.points[1]));
    }

    #[test]
    fn the_same_body_twice_is_one_vintage_and_a_changed_row_a_second() {
        let first = read(&[(17, 100.0), (18, 200.0), (19, 300.0)], &[], at(19, 9), None);
        let held = stored(Vec::new(), &first);
        let again = read(&[(17, 100.0), (18, 200.0), (19, 300.0)], &held, at(19, 10), Some(at(19, 9)));
        assert_eq!((counts(&again), again.points.len()), ([0, 0, 0, 0, 3], 0));
        let changed = read(&[(17, 100.0), (18, 212.0), (19, 350.0)], &held, at(19, 11), Some(at(19, 10)));
        assert_eq!(counts(&changed), [0, 0, 2, 0, 1]);
        assert!(changed.points.iter().all(|p| p.known_ts == at(19, 11) && p.known == SignalKnown::Received));
        assert_eq!(
            changed.notable,
            [NotableRevision { event_ts: at(18, 0), before: 200.0, now: Some(212.0) }],
            "the running day moves"
        );
        let held = stored(held, &changed);
        // The day is over: the same number counts for good from now on.
        let over = read(&[(19, 350.0), (20, 351.0)], &held, at(20, 1), Some(at(20, 0)));
        assert_eq!(counts(&over), [1, 0, 0, 1, 0]);
        let old = read(&[(17, 100.5)], &held, at(25, 0), Some(at(24, 23)));
        assert_eq!(
            (counts(&old), old.notable.len()),
            ([0, 0, 1, 0, 0], 1),
            "a change of an old day is seen, however small"
        );
    }

    #[test]
    fn what_was_looked_for_and_not_found_was_not_known() {
        // The 18th is filled in later, while somebody looked every hour.
        let late = read(&[(18, 2.0)], &[], at(25, 0), Some(at(24, 23)));
        assert_eq!((counts(&late), late.points[0].known_ts), ([1, 0, 0, 0, 0], at(25, 0)));
        // Nobody looked from the 17th on: it is history again, but for what had been looked for by then.
        let away = read(&[(15, 1.0), (18, 2.0)], &[], at(25, 0), Some(at(17, 0)));
        assert_eq!(counts(&away), [1, 1, 0, 0, 0]);
        assert_eq!(away.points[0].known_ts, at(25, 0), "the 15th was looked for on the 17th");
        assert_eq!(away.points[1].known_ts, at(19, 2));
    }

    #[test]
    fn a_source_that_states_since_when_is_believed_for_history_only() {
        let series = OnchainSeries::parse("dune.flow=1/x").unwrap();
        let reading = |before| body(&series, "dune", before);
        let point = || {
            let mut p = points(&[(18, 2.0)], at(20, 7));
            p[0].known = Some(at(20, 6));
            p
        };
        let every = |_: &str| Ok(SignalScope::Every);
        let first = news(&reading(None), point(), &[], &every);
        assert_eq!((first.points[0].known_ts, first.points[0].tags[KNOWN_TAG].as_str()), (at(20, 6), BY_SOURCE));
        assert!(!is_assumed(&first.points[0]));
        let live = news(&reading(Some(at(20, 1))), point(), &[], &every);
        assert_eq!((live.points[0].known_ts, counts(&live)), (at(20, 7), [1, 0, 0, 0, 0]));
        // Without a word and without a lag it is known since it arrives.
        let mut bare = point();
        bare[0].known = None;
        assert_eq!(news(&reading(None), bare, &[], &every).points[0].known_ts, at(20, 7));
    }

    #[test]
    fn what_cannot_be_stored_is_refused_and_the_rest_is_taken() {
        let series = OnchainSeries::scored().unwrap();
        let reading = body(&series, "sentiment", None);
        let mut both = points(&[(18, 1.0), (19, 2.0)], at(20, 7));
        both[0].symbol = Some("NOPE".to_owned());
        let found = news(&reading, both, &[], &|symbol| Err(format!("'{symbol}' is no market")));
        assert_eq!((counts(&found), found.refused), ([1, 0, 0, 0, 0], vec!["'NOPE' is no market".to_owned()]));
    }

    #[test]
    fn a_day_that_turns_null_is_taken_back() {
        let series = OnchainSeries::parse("glassnode.btc.market.mvrv").unwrap();
        let day = at(18, 0).as_millis() / 1000;
        let asked = |value: &str, stored: &[SignalPoint], recv: Ts, before| {
            let body = series.read(format!(r#"[{{"t":{day},"v":{value}}}]"#).as_bytes(), recv).unwrap();
            let reading = BodyReading { name: series.name(), source: "glassnode", rules: series.rules(), recv, before };
            news(&reading, body.points, stored, &|_| Err("no market".to_owned()))
        };
        let first = asked("2.1", &[], at(20, 1), None);
        let gone = asked("null", &first.points, at(20, 2), Some(at(20, 1)));
        assert_eq!((counts(&gone), gone.points.len()), ([0, 0, 1, 0, 0], 1));
        assert_eq!((gone.points[0].value, gone.points[0].known_ts), (None, at(20, 2)));
        assert_eq!(gone.notable, [NotableRevision { event_ts: at(18, 0), before: 2.1, now: None }]);
        // The store shows nothing of what was taken back: nulls that follow are nothing, and a value is one again.
        assert_eq!(asked("null", &[], at(20, 3), Some(at(20, 2))), OnchainNews::default());
        assert_eq!(counts(&asked("2.2", &[], at(20, 4), Some(at(20, 3)))), [1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_unit_that_is_named_later_is_stored_with_the_same_values() {
        let of = |text: &str, stored: &[SignalPoint]| {
            let series = OnchainSeries::parse(text).unwrap();
            let reading = body(&series, "dune", Some(at(20, 6)));
            let mut point = points(&[(18, 2.0)], at(20, 7));
            if text.ends_with(']') {
                point[0].tags.insert(UNIT_TAG, "USD".to_owned());
            }
            news(&reading, point, stored, &|_| Err("no market".to_owned()))
        };
        let bare = of("dune.flow=1/x", &[]);
        let named = of("dune.flow=1/x[USD]", &bare.points);
        assert_eq!((named.relabelled, named.points[0].tags[UNIT_TAG].as_str()), (1, "USD"));
        assert_eq!(of("dune.flow=1/x[USD]", &named.points).same, 1);
    }

    #[test]
    fn two_spellings_of_one_market_are_one_value_and_a_row_that_is_left_out() {
        let series = OnchainSeries::scored().unwrap();
        let reading = body(&series, "sentiment", None);
        let mut both = [points(&[(18, 1.0)], at(20, 7)), points(&[(18, 2.0)], at(20, 7))].concat();
        (both[0].symbol, both[1].symbol) = (Some("BTCUSDT".to_owned()), Some("btcusdt".to_owned()));
        let found = news(&reading, both, &[], &|_| Ok(SignalScope::Every));
        assert_eq!((counts(&found), found.points[0].value), ([1, 0, 0, 0, 0], Some(1.0)));
        assert!(found.refused[0].contains("a second value of *"), "{:?}", found.refused);
    }
}
