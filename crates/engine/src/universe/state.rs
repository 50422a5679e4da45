//! The watch-list in motion: samples in, one row per whole hour out.
//!
//! A minute is over when a sample of a later one arrives or when the caller says so; until then its samples wait in one place per
//! market, so that their order leaves no trace. What was not known 200 ms after its minute enters when the minute is over: it
//! counts for rows to come and changes none that was made.

use super::hour::{HOUR, LEAD_HOURS, MINUTE, MINUTE_PLACES, minute_of};
use super::leaders;
use super::pair::{Kept, Pair, PairRule, hourly_places};
use super::returns::Returns;
use super::watch::Watch;
use barograph_domain::time::LATENESS;
use barograph_domain::universe::UniverseMarket;
use barograph_domain::{RiskRegime, Ts, UniverseRow, VolRegime};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What one market's minute row says to the universe.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct UniverseSample {
    /// Position in the watch-list.
    pub market: usize,
    /// The minute.
    pub ts: Ts,
    /// When it was known.
    pub known_ts: Ts,
    /// Price on this minute; `None` where there is no fresh one.
    pub price: Option<f64>,
    /// `realized_vol_24h`, where ready.
    pub vol_annual: Option<f64>,
    /// Published label of the risk axis.
    pub risk: RiskRegime,
    /// Published label of the volatility axis.
    pub volatility: VolRegime,
}

/// One market's prices and its latest sample.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Track {
    hourly: Returns,
    minutely: Returns,
    /// The sample of the minute that is not over.
    waiting: Option<UniverseSample>,
    /// Known too late for their own minute.
    late: Vec<UniverseSample>,
}

/// Correlation, lead and portfolio inputs of a watch-list.
#[derive(Clone, Debug)]
pub struct Universe {
    watch: Vec<Watch>,
    rule: PairRule,
    tracks: Vec<Track>,
    pairs: Vec<Pair>,
    /// The minute that is not over.
    minute: Option<i64>,
    /// Samples that were of a minute already over, or known too late for it.
    late: u64,
}

/// State that goes to a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
struct Saved<'a> {
    format: u32,
    watch: Cow<'a, [Watch]>,
    rule: PairRule,
    tracks: Cow<'a, [Track]>,
    kept: Vec<Kept>,
    minute: Option<i64>,
    late: u64,
}

/// Version of [`Saved`].
const SAVED_FORMAT: u32 = 1;
/// Late samples one minute may bring per market; more are counted and dropped.
const LATE_MAX: usize = 64;

/// Why saved bytes cannot be used; the caller begins with an empty universe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestoreError {
    /// Not a saved universe, or damaged.
    Unreadable,
    /// Written by another version.
    OtherFormat,
    /// Of another watch-list or under another rule.
    OtherWatch,
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "the saved universe is damaged",
            Self::OtherFormat => "the saved universe was written by another version",
            Self::OtherWatch => "the saved universe has another watch-list or rule",
        })
    }
}
impl std::error::Error for RestoreError {}

impl Universe {
    /// An empty universe over a watch-list, which is taken in its canonical order ([`super::watch::ordered`]) and cut to
    /// [`super::WATCH_MAX`].
    #[must_use]
    pub fn new(watch: Vec<Watch>, rule: PairRule) -> Self {
        let watch = super::watch::ordered(watch);
        let places = |n: i64| usize::try_from(n).unwrap_or(0);
        let track = Track {
            hourly: Returns::new(places(hourly_places())),
            minutely: Returns::new(places(MINUTE_PLACES)),
            waiting: None,
            late: Vec::new(),
        };
        let n = watch.len();
        let pairs = (0..n)
            .flat_map(|a| (a + 1..n).map(move |b| (a, b)))
            .map(|(a, b)| Pair::new(a, b, Kept::default()))
            .collect();
        Self { watch, rule, tracks: vec![track; n], pairs, minute: None, late: 0 }
    }

    /// The same with other markets: those that stay keep what they have seen, and what two of them published stays theirs.
    #[must_use]
    pub fn with_watch(self, watch: Vec<Watch>) -> Self {
        let mut new = Self::new(watch, self.rule);
        let was: Vec<Option<usize>> = new.watch.iter().map(|w| self.watch.iter().position(|old| old == w)).collect();
        for (track, old) in new.tracks.iter_mut().zip(&was) {
            if let Some(old) = old.and_then(|at| self.tracks.get(at)) {
                track.clone_from(old);
                // Positions in what waits are those of the new list.
                (track.waiting, track.late) = (None, Vec::new());
            }
        }
        for pair in &mut new.pairs {
            let (Some(a), Some(b)) = (was[pair.a], was[pair.b]) else { continue };
            // A list has one order for all: what came first comes first.
            if let Some(old) = self.pairs.iter().find(|p| (p.a, p.b) == (a, b)) {
                pair.kept = old.kept.clone();
            }
        }
        (new.minute, new.late) = (None, self.late);
        new
    }

    /// The watch-list, in the order that [`UniverseSample::market`] counts.
    #[must_use]
    pub fn watch(&self) -> &[Watch] {
        &self.watch
    }

    /// Samples that came too late for their minute.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Takes a sample; when it begins a new minute, the one before is over, and its row is handed back if it was a whole hour.
    /// Samples of no minute, or of a market that is not watched, are ignored.
    pub fn push(&mut self, sample: UniverseSample) -> Option<UniverseRow> {
        let minute = minute_of(sample.ts).filter(|_| sample.market < self.tracks.len())?;
        let row = if self.minute.is_some_and(|m| minute > m) { self.close() } else { None };
        let over = self.minute.is_some_and(|m| minute < m) || self.reached(minute);
        if over || sample.known_ts > sample.ts + LATENESS {
            self.late += 1;
            let late = &mut self.tracks[sample.market].late;
            if late.len() < LATE_MAX {
                late.push(sample);
            }
            return row;
        }
        self.minute = Some(minute);
        self.tracks[sample.market].waiting = Some(sample);
        row
    }

    /// True when the minute is not later than what the rings have reached.
    fn reached(&self, minute: i64) -> bool {
        self.tracks.iter().any(|t| t.minutely.newest().is_some_and(|n| minute <= n))
    }

    /// Says that the minute under way is over; gives the row of a whole hour.
    pub fn close(&mut self) -> Option<UniverseRow> {
        let minute = self.minute.take()?;
        let ts = Ts(minute * MINUTE.0);
        let whole = ts.0.rem_euclid(HOUR.0) == 0;
        let hour = ts.0.div_euclid(HOUR.0);
        for track in &mut self.tracks {
            track.minutely.advance(minute);
            if whole {
                track.hourly.advance(hour);
            }
            if let Some(price) = track.waiting.and_then(|s| s.price) {
                track.minutely.fill(minute, price);
                if whole {
                    track.hourly.fill(hour, price);
                }
            }
        }
        let row = whole.then(|| self.row(hour));
        self.admit_late();
        for track in &mut self.tracks {
            track.waiting = None;
        }
        row
    }

    /// Enters what came too late for its own minute, in an order that does not depend on how it came.
    fn admit_late(&mut self) {
        let mut changed = vec![false; self.tracks.len()];
        for (track, changed) in self.tracks.iter_mut().zip(&mut changed) {
            let mut late = core::mem::take(&mut track.late);
            late.sort_by_key(|s| (s.ts, s.known_ts));
            for sample in late {
                let Some(price) = sample.price else { continue };
                let minute = sample.ts.0.div_euclid(MINUTE.0);
                *changed |= track.minutely.fill(minute, price);
                if minute % 60 == 0 {
                    *changed |= track.hourly.fill(minute.div_euclid(60), price);
                }
            }
        }
        self.derive_again(&changed);
    }

    fn derive_again(&mut self, changed: &[bool]) {
        for pair in &mut self.pairs {
            if changed[pair.a] || changed[pair.b] {
                pair.forget_derived();
            }
        }
    }

    /// Past prices of whole hours that became known only now, for a market whose history was fetched: they fill what is missing,
    /// count for rows to come, and change none that was made. Hours not yet reached are ignored, unless none was reached yet.
    pub fn remember(&mut self, market: usize, hours: &[(Ts, f64)]) {
        let Some(track) = self.tracks.get_mut(market) else { return };
        if track.hourly.newest().is_none()
            && let Some(newest) = hours.iter().map(|(ts, _)| ts.0.div_euclid(HOUR.0)).max()
        {
            track.hourly.advance(newest);
        }
        let mut changed = vec![false; self.watch.len()];
        for (ts, price) in hours.iter().filter(|(ts, _)| ts.0.rem_euclid(HOUR.0) == 0) {
            changed[market] |= track.hourly.fill(ts.0.div_euclid(HOUR.0), *price);
        }
        self.derive_again(&changed);
    }

    fn row(&mut self, hour: i64) -> UniverseRow {
        let ts = Ts(hour * HOUR.0);
        let mut pairs = Vec::with_capacity(self.pairs.len());
        for pair in &mut self.pairs {
            let (x, y) = (&self.tracks[pair.a], &self.tracks[pair.b]);
            let assets = [self.watch[pair.a].asset.as_str(), self.watch[pair.b].asset.as_str()];
            pairs.push(pair.read(hour, [&x.hourly, &y.hourly], [&x.minutely, &y.minutely], assets, self.rule));
        }
        let scores = leaders::scores(self.watch.len(), &pairs);
        let leading = leaders::leading(&scores, &pairs);
        let markets = self
            .watch
            .iter()
            .zip(&self.tracks)
            .zip(scores)
            .map(|((watch, track), lead_score)| UniverseMarket {
                instrument: watch.instrument.clone(),
                asset: watch.asset.clone(),
                price: track.waiting.and_then(|s| s.price),
                vol_annual: track.waiting.and_then(|s| s.vol_annual),
                risk: track.waiting.map_or(RiskRegime::Unknown, |s| s.risk),
                volatility: track.waiting.map_or(VolRegime::Unknown, |s| s.volatility),
                lead_score,
            })
            .collect();
        UniverseRow { ts, known_ts: ts + LATENESS, markets, pairs, leading }
    }

    /// State as bytes: restoring them and going on equals never having stopped.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let saved = Saved {
            format: SAVED_FORMAT,
            watch: Cow::Borrowed(&self.watch),
            rule: self.rule,
            tracks: Cow::Borrowed(&self.tracks),
            kept: self.pairs.iter().map(|p| p.kept.clone()).collect(),
            minute: self.minute,
            late: self.late,
        };
        #[expect(clippy::expect_used, reason = "writing plain data to memory cannot fail")]
        postcard::to_allocvec(&saved).expect("plain data serialises")
    }

    /// A universe that goes on where [`Self::save`] left off.
    ///
    /// # Errors
    /// When the bytes are damaged, of another version, or of another watch-list or rule.
    pub fn restore(watch: Vec<Watch>, rule: PairRule, bytes: &[u8]) -> Result<Self, RestoreError> {
        let (format, _rest): (u32, _) = postcard::take_from_bytes(bytes).map_err(|_e| RestoreError::Unreadable)?;
        if format != SAVED_FORMAT {
            return Err(RestoreError::OtherFormat);
        }
        let saved: Saved<'_> = postcard::from_bytes(bytes).map_err(|_e| RestoreError::Unreadable)?;
        let mut universe = Self::new(watch, rule);
        if *saved.watch != *universe.watch || saved.rule != rule {
            return Err(RestoreError::OtherWatch);
        }
        if saved.tracks.len() != universe.tracks.len() || saved.kept.len() != universe.pairs.len() {
            return Err(RestoreError::Unreadable);
        }
        universe.tracks = saved.tracks.into_owned();
        for (pair, kept) in universe.pairs.iter_mut().zip(saved.kept) {
            pair.kept = kept;
        }
        (universe.minute, universe.late) = (saved.minute, saved.late);
        Ok(universe)
    }
}

/// The day of minutes that lead and lag read must fit the ring.
const _: () = assert!(MINUTE_PLACES > LEAD_HOURS * 60);
