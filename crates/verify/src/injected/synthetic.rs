//! The table of precision and recall over markets made by a seed, detector by detector and class by class.

use super::acts::LaidActs;
use super::made::{self, MarketClass};
use super::score::TruthScore;
use super::table::TruthRow;
use super::usual::UsualSizes;
use super::weeks::{WeeksPlan, weeks};
use super::{START, alerts_of, plan};
use barograph_domain::{Pattern, Span};
use barograph_engine::order_flow::FlowThresholds;

/// Patterns in the order of the table.
pub const PATTERNS: [Pattern; 6] = [
    Pattern::Spoofing,
    Pattern::Layering,
    Pattern::QuoteStuffing,
    Pattern::WashTrading,
    Pattern::PumpAndDump,
    Pattern::FundingWindowPressure,
];
/// Names of the classes of made markets of weeks, and their trades an hour.
pub const WEEKS: [(&str, f64); 3] = [("busy", 3_600.0), ("middle", 1_200.0), ("quiet", 400.0)];
/// Episodes of a run of a made book, where no other number is asked for.
pub const EPISODES: u64 = 102;
/// A made book is known for so long before its first episode.
const WARM: Span = Span::mins(5 * 60 + 5);
/// From one episode over a made book to the next.
const EVERY: Span = Span::secs(660);
/// What is usual is measured over the first hours.
const MEASURED: Span = Span::hours(2);

/// One detector and one class.
#[derive(Clone, PartialEq, Debug)]
pub struct MadeCase {
    /// The detector.
    pub pattern: Pattern,
    /// Class of the market, one of [`classes`].
    pub class: &'static str,
    /// Rows that are asked for.
    pub intensities: Vec<f64>,
    /// Episodes of each run; `None`: as the published table has them.
    pub episodes: Option<u64>,
    /// 0 for the published table.
    pub seed: u64,
}

/// Is it a detector of books? The others look at hours and days of trades.
#[must_use]
pub fn is_of_books(pattern: Pattern) -> bool {
    matches!(pattern, Pattern::Spoofing | Pattern::Layering | Pattern::QuoteStuffing)
}

/// Names of the classes that a detector's markets come in, the most liquid first.
#[must_use]
pub fn classes(pattern: Pattern) -> [&'static str; 3] {
    if is_of_books(pattern) { made::CLASSES.map(|c| c.name) } else { WEEKS.map(|(name, _)| name) }
}

/// Days before the first episode; days in all and days from one episode to the next, near enough, of markets of weeks.
const fn days(pattern: Pattern) -> (i64, i64, f64) {
    match pattern {
        Pattern::WashTrading => (12, 40, 0.28),
        Pattern::PumpAndDump => (8, 30, 0.11),
        _ => (8, 30, 0.21),
    }
}

impl MadeCase {
    fn length(&self) -> Span {
        WARM + EVERY.times(i64::try_from(self.episodes.unwrap_or(EPISODES)).unwrap_or(i64::MAX))
    }

    fn days(&self) -> i64 {
        let (warm, days, each) = days(self.pattern);
        #[expect(clippy::cast_possible_truncation, reason = "days of a made market")]
        self.episodes.map_or(days, |n| warm + 1 + (n as f64 * each).ceil() as i64)
    }

    /// How often `each` of [`Self::rows`] is called, near enough.
    #[must_use]
    pub fn steps(&self) -> u64 {
        let of_one = if is_of_books(self.pattern) { self.length().as_secs() / 3_600 } else { self.days() };
        u64::try_from(of_one).unwrap_or(0) * (self.intensities.len() as u64 + 2)
    }

    /// Its rows, one for each intensity. `each` is called as the work goes on.
    #[must_use]
    pub fn rows(&self, t: &FlowThresholds, each: &mut dyn FnMut()) -> Vec<TruthRow> {
        match made::class(self.class).filter(|_| is_of_books(self.pattern)) {
            Some(class) => self.of_books(class, t, each),
            None => self.of_weeks(t, each),
        }
    }

    fn of_books(&self, class: MarketClass, t: &FlowThresholds, each: &mut dyn FnMut()) -> Vec<TruthRow> {
        let (pattern, length) = (self.pattern, self.length());
        let (seed, drawn) = (self.seed.wrapping_add(11), self.seed.wrapping_add(5));
        let usual = UsualSizes::measure(class, seed, MEASURED);
        let background = alerts_of(class, seed, length, LaidActs::default(), t, each);
        let episodes = self.episodes.unwrap_or(EPISODES);
        self.table(&mut |intensity, look_alikes| {
            let plan = plan(pattern, (class, &usual), intensity, (START + WARM, episodes), look_alikes, drawn);
            let alerts = alerts_of(class, seed, length, plan.acts, t, each);
            TruthScore::of(pattern, &plan.injections, &alerts, &background)
        })
    }

    fn of_weeks(&self, t: &FlowThresholds, each: &mut dyn FnMut()) -> Vec<TruthRow> {
        let trades = WEEKS.iter().find(|(name, _)| *name == self.class).map_or(0.0, |(_, trades)| *trades);
        let (pattern, warm, days) = (self.pattern, days(self.pattern).0, self.days());
        let (episodes, seed) = (self.episodes.unwrap_or(u64::MAX), self.seed.wrapping_add(4));
        let mut of = |intensity, look_alikes| {
            weeks(WeeksPlan { pattern, intensity, look_alikes, episodes, warm, days, seed, trades }, t, each)
        };
        let background = of(0.0, false).1;
        self.table(&mut |intensity, look_alikes| {
            let (injections, alerts) = of(intensity, look_alikes);
            TruthScore::of(pattern, &injections, &alerts, &background)
        })
    }

    fn table(&self, run: &mut dyn FnMut(f64, bool) -> TruthScore) -> Vec<TruthRow> {
        let like = run(2.0, true);
        let (pattern, class, look_alikes) = (self.pattern, self.class, [like.matched, like.injections]);
        let row = |intensity: &f64| {
            let score = run(*intensity, false);
            TruthRow { pattern, class: class.to_owned(), intensity: *intensity, score, look_alikes }
        };
        self.intensities.iter().map(row).collect()
    }
}
