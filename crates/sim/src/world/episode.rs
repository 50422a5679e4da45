//! What the market is in the mood for: scripted episodes and their schedule.
//!
//! An episode changes how prices drift and how restless they are, where the premium wants to be, who opens positions and
//! with how much leverage, and how thin the book is. What follows from that (liquidations, funding, cascades) is not
//! scripted: it comes out of the positions.

use barograph_domain::{Span, Ts, math};

/// A stretch of one character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spell {
    /// Little happens.
    Quiet,
    /// Restless without direction.
    Chop,
    /// A steady move up, or down.
    Trend {
        /// Whether the price rises.
        up: bool,
    },
    /// Shorts pile up with leverage under a flat price; the premium and with it the funding turn negative.
    SqueezeBuildUp,
    /// The price is pushed up into them and their liquidations push it further.
    SqueezeRelease,
    /// The price is pushed down into leveraged longs on a thin book; each liquidation brings the next nearer.
    Cascade,
    /// The perpetual stays away from its index.
    DislocatedBasis {
        /// Whether it trades above.
        above: bool,
    },
}

/// An episode that begins at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scheduled {
    /// From the origin of the world.
    pub after: Span,
    /// What begins.
    pub episode: Spell,
    /// The asset it concerns; all where absent.
    pub asset: Option<usize>,
}

impl Scheduled {
    /// For all assets.
    #[must_use]
    pub const fn all(after: Span, episode: Spell) -> Self {
        Self { after, episode, asset: None }
    }
}

/// What an episode means in numbers. Rates are per minute.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Mood {
    /// Relative drift of the index.
    pub(super) drift: f64,
    /// Deviation of one minute's relative move.
    pub(super) restless: f64,
    /// Where perpetual / index - 1 wants to be.
    pub(super) premium: f64,
    /// Trades and quotes compared with usual.
    pub(super) activity: f64,
    /// Share of the open interest that is newly opened.
    pub(super) opening: f64,
    /// Share of the open interest that is closed.
    pub(super) closing: f64,
    /// Share of new leveraged positions that are long.
    pub(super) long_share: f64,
    /// Share of new positions with high leverage.
    pub(super) high_leverage: f64,
    /// Relative move of the price per liquidation order, which takes about a twelfth of the near book.
    pub(super) impact: f64,
    /// Quantities in the book compared with usual.
    pub(super) depth: f64,
}

const USUAL: Mood = Mood {
    drift: 0.0,
    restless: 0.0005,
    premium: 0.0,
    activity: 1.0,
    opening: 0.002,
    closing: 0.002,
    long_share: 0.55,
    high_leverage: 0.25,
    impact: 0.000_06,
    depth: 1.0,
};

/// Pushes fade with this time constant: an episode that is left running does not run away.
const PUSH_FADES_OVER: Span = Span::mins(3);

impl Spell {
    pub(super) fn mood(self, age: Span) -> Mood {
        let push = math::exp(-age.as_secs_f64() / PUSH_FADES_OVER.as_secs_f64());
        match self {
            Self::Quiet => Mood { restless: 0.000_15, activity: 0.5, ..USUAL },
            Self::Chop => Mood { restless: 0.001, ..USUAL },
            Self::Trend { up } => {
                let sign = if up { 1.0 } else { -1.0 };
                let long_share = if up { 0.7 } else { 0.35 };
                Mood {
                    drift: sign * 0.000_6,
                    premium: sign * 0.000_4,
                    opening: 0.005,
                    closing: 0.001,
                    long_share,
                    high_leverage: 0.5,
                    ..USUAL
                }
            }
            Self::SqueezeBuildUp => Mood {
                restless: 0.000_2,
                premium: -0.001_2,
                opening: 0.008,
                closing: 0.001,
                long_share: 0.15,
                high_leverage: 0.7,
                ..USUAL
            },
            Self::SqueezeRelease => Mood {
                drift: 0.009 * push,
                restless: 0.001_5,
                premium: 0.000_8,
                activity: 3.0,
                opening: 0.000_5,
                closing: 0.004,
                impact: 0.000_15,
                depth: 0.5,
                ..USUAL
            },
            Self::Cascade => Mood {
                drift: -0.010 * push,
                restless: 0.002,
                premium: -0.001_5,
                activity: 4.0,
                opening: 0.000_3,
                closing: 0.004,
                impact: 0.000_25,
                depth: 0.3,
                ..USUAL
            },
            Self::DislocatedBasis { above } => {
                Mood { premium: if above { 0.006 } else { -0.006 }, restless: 0.000_7, ..USUAL }
            }
        }
    }
}

/// The episodes of a run, in order of time.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    origin: Ts,
    entries: Vec<Scheduled>,
}

impl Schedule {
    pub(super) fn new(origin: Ts, mut entries: Vec<Scheduled>) -> Self {
        entries.sort_by_key(|e| e.after);
        Self { origin, entries }
    }

    /// The episode of an asset at `now`, and since when. Before the first entry it is chop.
    pub(super) fn at(&self, asset: usize, now: Ts) -> (Spell, Ts) {
        let mine = |e: &&Scheduled| e.asset.is_none_or(|a| a == asset) && self.origin + e.after <= now;
        let entry = self.entries.iter().rev().find(mine);
        entry.map_or((Spell::Chop, self.origin), |e| (e.episode, self.origin + e.after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_entry_that_concerns_an_asset_counts() {
        let origin = Ts::from_secs(1_000);
        let entries = vec![
            Scheduled { after: Span::secs(20), episode: Spell::Cascade, asset: Some(1) },
            Scheduled::all(Span::secs(10), Spell::Quiet),
        ];
        let schedule = Schedule::new(origin, entries);
        let at = |asset, s| schedule.at(asset, origin + Span::secs(s)).0;
        assert_eq!(at(0, 5), Spell::Chop);
        assert_eq!(at(0, 30), Spell::Quiet);
        assert_eq!(at(1, 19), Spell::Quiet);
        assert_eq!(at(1, 20), Spell::Cascade);
    }

    #[test]
    fn a_push_fades() {
        let early = Spell::Cascade.mood(Span::ZERO).drift;
        let late = Spell::Cascade.mood(Span::mins(30)).drift;
        assert!(early < -0.009 && late > -1e-5);
    }
}
