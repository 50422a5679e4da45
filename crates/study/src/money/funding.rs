//! How much is known of the funding that was due while positions could be open (research §6).

use super::blotter::FundingPayment;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Perpetuals settle at least this often; venues that settle more often are known by the step of what is there.
const STEP_MAX: Span = Span::hours(8);
/// Venues stamp settlements a few milliseconds to minutes late, and sources round them: two this close are one.
const SAME: Span = Span::mins(2);

/// What a report says of funding.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FundingCover {
    /// The market is no perpetual: none is due.
    NotDue,
    /// Every settlement of the time is known.
    Known {
        /// Settlements within the time.
        settlements: usize,
    },
    /// Some are.
    Partly {
        /// Settlements within the time.
        settlements: usize,
        /// Hours of it of which nothing is known.
        unknown_h: f64,
    },
    /// None is, and funding is in no figure.
    Unknown,
    /// Nobody says what kind of market it is, and no settlement of it is known: shares and coins on the spot have none.
    NotStated,
}

/// Brings payments into the order of time, one for each settlement: of two that are stamped alike, as by two sources, the first counts.
#[must_use]
pub fn settlements(mut payments: Vec<FundingPayment>) -> Vec<FundingPayment> {
    payments.sort_by_key(|p| p.at);
    payments.dedup_by(|later, kept| later.at - kept.at < SAME);
    payments
}

impl FundingCover {
    /// How much of a perpetual's funding is known from a moment to another; settlements as [`settlements`] gives them.
    ///
    /// A settlement accounts for the time until the next, up to the step of its venue: the median step of what is known, 8 h where that is
    /// longer or unknown.
    #[must_use]
    pub fn of(settlements: &[FundingPayment], from: Ts, to: Ts) -> Self {
        let mut steps: Vec<Span> = settlements.windows(2).map(|w| w[1].at - w[0].at).collect();
        steps.sort_unstable();
        let step = steps.get(steps.len() / 2).map_or(STEP_MAX, |s| (*s).min(STEP_MAX)) + SAME;
        let within = settlements.iter().filter(|p| from <= p.at && p.at <= to).count();
        let (mut reached, mut unknown) = (from, Span::ZERO);
        for payment in settlements {
            // What was due before it, one step back, is accounted for by the settlement itself.
            let begins = (payment.at - step).max(from).min(to);
            if begins > reached {
                unknown = unknown + (begins - reached);
            }
            reached = reached.max((payment.at + step).min(to));
        }
        if to > reached {
            unknown = unknown + (to - reached);
        }
        if settlements.is_empty() || unknown >= to - from && unknown > Span::ZERO {
            Self::Unknown
        } else if unknown > Span::ZERO {
            Self::Partly { settlements: within, unknown_h: unknown.as_secs_f64() / 3_600.0 }
        } else {
            Self::Known { settlements: within }
        }
    }

    /// Is some of what was due in no figure?
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Partly { .. } | Self::Unknown)
    }
}

impl core::fmt::Display for FundingCover {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotDue => f.write_str("no funding is due: the market is no perpetual"),
            Self::Known { settlements } => {
                write!(f, "{} of funding in that time, paid where a position was open", counted(*settlements))
            }
            Self::Partly { settlements, unknown_h } => write!(
                f,
                "{} of funding in that time; for {unknown_h:.1} h none is known, and what was due then is in no figure",
                counted(*settlements)
            ),
            Self::Unknown => f.write_str("no settled funding is known, so none is in the figures"),
            Self::NotStated => f.write_str(
                "funding is left out: this program does not know the venue; if the market is a perpetual, give its settlements with \
                 --funding FILE",
            ),
        }
    }
}

fn counted(settlements: usize) -> String {
    if settlements == 1 { "1 settlement".to_owned() } else { format!("{settlements} settlements") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(hours: &[i64]) -> Vec<FundingPayment> {
        hours.iter().map(|h| FundingPayment { at: Ts(0) + Span::hours(*h), rate: 1e-4, mark: None }).collect()
    }

    #[test]
    fn what_is_not_known_is_measured_in_hours() {
        let at = |h| Ts(0) + Span::hours(h);
        for (hours, from, to, want) in [
            (&[0, 8, 16, 24][..], 1, 23, FundingCover::Known { settlements: 2 }),
            (&[8], 1, 15, FundingCover::Known { settlements: 1 }),
            (&[8], 9, 15, FundingCover::Known { settlements: 0 }),
            (&[], 1, 2, FundingCover::Unknown),
            (&[0, 8], 100, 110, FundingCover::Unknown),
            (&[10, 11, 12], 10, 13, FundingCover::Known { settlements: 3 }),
        ] {
            assert_eq!(FundingCover::of(&paid(hours), at(from), at(to)), want, "{hours:?}");
        }
        // Hourly settlements, of which those from 4 to 9 are missing: each accounts for an hour and two minutes to both sides.
        let partly = FundingCover::of(&paid(&[0, 1, 2, 3, 10, 11, 12]), at(0), at(12));
        let FundingCover::Partly { settlements: 7, unknown_h } = partly else { panic!("{partly:?}") };
        assert!((unknown_h - (5.0 - 4.0 / 60.0)).abs() < 1e-9, "{unknown_h}");
        assert!(partly.is_missing() && !FundingCover::NotDue.is_missing());
    }

    #[test]
    fn two_sources_of_one_settlement_are_one() {
        let mut both = paid(&[8, 0, 8]);
        both[2].at = both[2].at + Span::millis(7);
        assert_eq!(settlements(both).iter().map(|p| p.at.as_millis() / 3_600_000).collect::<Vec<_>>(), [0, 8]);
    }
}
