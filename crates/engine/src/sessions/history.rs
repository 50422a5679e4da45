//! What was usual in each session: volatility and volume of the last twenty completed ones, by name and by weekday or
//! weekend (features §3, S11).
//!
//! A stretch counts once it is over, from the samples that had arrived by then; later corrections change no record.

use barograph_domain::time::DAY;
use barograph_domain::{TradingSession, Ts};
use serde::{Deserialize, Serialize};

/// Sessions looked back on.
const SESSIONS: usize = 20;
/// Sessions below which nothing is usual yet.
pub const SESSIONS_MIN: usize = 10;
/// Measured base multipliers have this mean before they are clamped (S11).
const BASE_MEAN: f64 = 1.5;
const BASE_RANGE: (f64, f64) = (1.0, 2.5);

/// The second original's base multipliers, in the order of [`TradingSession::ALL`] (R2.2, A10).
pub const SEED_BASE: [f64; 4] = [1.0, 1.5, 1.8, 2.5];

/// Weekday or weekend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Weekday = 0,
    Weekend = 1,
}

impl Class {
    fn of(t: Ts) -> Self {
        if t.is_weekend() { Self::Weekend } else { Self::Weekday }
    }
}

/// The last values of one kind of session, in no order that anybody asks for.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Ring {
    values: [f64; SESSIONS],
    len: u8,
    /// Place of the oldest once the ring is full.
    next: u8,
    /// Of the values, where it was worked out since the last one came. Derived, so not saved.
    #[serde(skip)]
    median: Option<f64>,
}

impl Ring {
    fn len(&self) -> usize {
        usize::from(self.len)
    }
    fn push(&mut self, x: f64) {
        let place = if self.len() < SESSIONS { self.len() } else { usize::from(self.next) % SESSIONS };
        self.values[place] = x;
        if self.len() < SESSIONS {
            self.len += 1;
        } else {
            self.next = if place + 1 == SESSIONS { 0 } else { self.next + 1 };
        }
        self.median = None;
    }
    fn work_ahead(&mut self) {
        if self.median.is_none() && self.len > 0 {
            self.median = self.sorted_median();
        }
    }
    fn median(&self) -> Option<f64> {
        self.median.or_else(|| self.sorted_median())
    }
    fn sorted_median(&self) -> Option<f64> {
        let mut sorted = self.values;
        let sorted = &mut sorted[..self.len().min(SESSIONS)];
        sorted.sort_unstable_by(f64::total_cmp);
        crate::kernel::rank::quantile(sorted, 0.5)
    }
}

/// One quantity of completed sessions, per name: weekdays, weekends, both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SessionHistory {
    rings: Box<[[Ring; 3]; 4]>,
    /// Measured base multipliers as of the last 00:00 UTC, weekdays and weekends.
    base: [Option<([f64; 4], bool)>; 2],
    /// The stretch that is under way; what ended before it is recorded.
    now: Option<Stretch>,
    /// Base multipliers are made at midnights from here on; earlier ones nobody will ask for. Where this is set, medians are made
    /// when they are asked for: of a whole history nearly all would be of values that are followed by others unasked.
    #[serde(skip)]
    asked_from: Option<Ts>,
}

/// A stretch of one session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stretch {
    /// Session that it was.
    pub session: TradingSession,
    /// First instant.
    pub from: Ts,
    /// Instant after the last.
    pub until: Ts,
}

impl SessionHistory {
    /// Base multipliers will not be asked for before `t`. A batch over a whole history says so, because a day's multipliers
    /// cost eight medians; nothing that is asked from `t` on changes.
    pub fn will_not_ask_before(&mut self, t: Ts) {
        self.asked_from = Some(Ts(t.0.div_euclid(DAY.0).saturating_mul(DAY.0)));
    }

    /// Medians that wait to be asked for are made now: for those who will ask again and again.
    pub fn work_ahead(&mut self) {
        self.rings.iter_mut().flatten().for_each(Ring::work_ahead);
    }

    /// The newest sample has reached `t`: hands every stretch that is over by then to `value` and records what it says.
    #[inline]
    pub fn reach(&mut self, t: Ts, set: &super::SessionSet, value: impl FnMut(&Stretch) -> Option<f64>) {
        // Four samples a day end a stretch.
        if self.now.as_ref().is_none_or(|now| now.until <= t) {
            self.pass(t, set, value);
        }
    }

    fn pass(&mut self, t: Ts, set: &super::SessionSet, mut value: impl FnMut(&Stretch) -> Option<f64>) {
        let Some(mut now) = self.now else {
            self.now = Some(set.stretch(t));
            return;
        };
        while now.until <= t {
            if let Some(x) = value(&now) {
                self.record(&now, x);
            }
            let due = now.until;
            if due.0.rem_euclid(DAY.0) == 0 && self.asked_from.is_none_or(|from| due >= from) {
                self.renew_base();
            }
            // A long silence is stepped over: nothing was seen in it.
            now = set.stretch(if t - due > DAY.times(4) { t } else { due });
        }
        self.now = Some(now);
    }

    /// As [`SessionHistory::reach`] where `t` is the end of the stretch under way and `next` is the one that follows.
    pub(crate) fn end(&mut self, next: Stretch, value: Option<f64>) {
        let Some(now) = self.now.replace(next) else { return };
        if let Some(x) = value {
            self.record(&now, x);
        }
        let due = now.until;
        if due.0.rem_euclid(DAY.0) == 0 && self.asked_from.is_none_or(|from| due >= from) {
            self.renew_base();
        }
    }

    fn record(&mut self, stretch: &Stretch, x: f64) {
        let rings = &mut self.rings[stretch.session.index()];
        for ring in [Class::of(stretch.from) as usize, 2] {
            rings[ring].push(x);
            if self.asked_from.is_none() {
                rings[ring].work_ahead();
            }
        }
    }

    fn renew_base(&mut self) {
        self.base = [Class::Weekday, Class::Weekend].map(|class| {
            let ring =
                if self.rings.iter().all(|r| r[class as usize].len() >= SESSIONS_MIN) { class as usize } else { 2 };
            if self.rings.iter().any(|r| r[ring].len() < SESSIONS_MIN) {
                return None;
            }
            let medians: [f64; 4] = core::array::from_fn(|i| self.rings[i][ring].median().unwrap_or(0.0));
            let mean = medians.iter().sum::<f64>() / 4.0;
            let full = ring == class as usize && self.rings.iter().all(|r| r[ring].len() == SESSIONS);
            let base = medians.map(|m| (BASE_MEAN * m / mean).clamp(BASE_RANGE.0, BASE_RANGE.1));
            (mean > 0.0).then_some((base, full))
        });
    }

    /// Median over the last twenty sessions of this name on days like that of `t`; both kinds of day pooled until there are
    /// ten of its kind. And whether all twenty are of its kind.
    ///
    /// # Errors
    /// How many there are, of ten.
    pub fn usual(&self, session: TradingSession, t: Ts) -> Result<(f64, bool), usize> {
        let rings = &self.rings[session.index()];
        let own = &rings[Class::of(t) as usize];
        let ring = if own.len() >= SESSIONS_MIN { own } else { &rings[2] };
        if ring.len() < SESSIONS_MIN {
            return Err(ring.len());
        }
        ring.median().map(|m| (m, own.len() == SESSIONS)).ok_or(0)
    }

    /// Measured base multipliers for a day like that of `t`, in the order of [`TradingSession::ALL`]; `None` until there are ten
    /// sessions of each name. And whether each rests on twenty of that kind of day.
    #[must_use]
    pub fn base(&self, t: Ts) -> Option<([f64; 4], bool)> {
        self.base[Class::of(t) as usize]
    }

    /// The stretch that is under way.
    #[must_use]
    pub const fn now(&self) -> Option<Stretch> {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::super::SessionSet;
    use super::*;
    use barograph_domain::Span;

    #[test]
    fn ten_sessions_of_a_name_make_it_usual_and_midnight_renews_the_base() {
        let set = SessionSet::UTC;
        let mut history = SessionHistory::default();
        let start = Ts::parse("2026-01-05T00:00:00Z").unwrap(); // a Monday
        let vol = |s: &Stretch| {
            Some(match s.session {
                TradingSession::Asian => 0.40,
                TradingSession::London => 0.40,
                TradingSession::Ny => 0.60,
                TradingSession::Rollover => 0.20,
            })
        };
        for hour in 0..24 * 14 {
            history.reach(start + Span::hours(hour), &set, vol);
            if hour == 24 * 9 + 8 {
                assert_eq!(history.usual(TradingSession::London, start), Err(9));
                assert_eq!(history.usual(TradingSession::Asian, start), Ok((0.40, false)));
                assert_eq!(history.base(start), None);
            }
        }
        assert_eq!(history.usual(TradingSession::Ny, start), Ok((0.60, false)));
        let (base, full) = history.base(start).unwrap();
        assert!(!full);
        assert!((base[2] - 1.5 * 0.6 / 0.4).abs() < 1e-12, "{base:?}");
        assert!((base[3] - 1.0).abs() < 1e-12, "clamped");
        // Four weekend days: still pooled, so the same numbers.
        assert_eq!(history.base(start + Span::days(5)), Some((base, false)));
    }

    #[test]
    fn weekends_are_apart_once_there_are_ten() {
        let set = SessionSet::UTC;
        let mut history = SessionHistory::default();
        let start = Ts::parse("2026-01-05T00:00:00Z").unwrap();
        let vol = |s: &Stretch| Some(if Class::of(s.from) == Class::Weekend { 0.1 } else { 0.5 });
        for day in 0..50 {
            for hour in 0..24 {
                history.reach(start + Span::hours(24 * day + hour), &set, vol);
            }
        }
        assert_eq!(history.usual(TradingSession::Ny, start + Span::days(5)), Ok((0.1, false)));
        assert_eq!(history.usual(TradingSession::Ny, start), Ok((0.5, true)));
    }
}
