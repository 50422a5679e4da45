//! A row of the table of injected truth, as docs/order-flow.md has it.

use super::EPISODES_MIN;
use super::score::{TruthScore, band};
use barograph_domain::Pattern;
use core::fmt;

/// Fewer episodes than this give no figure at all.
pub const EPISODES_SHOWN: usize = 10;

/// Names of the columns.
pub const HEAD: &str = "| detector | class | ι | injections | recall | precision, strict | lenient | false alerts | lead, median / p90 s | look-alikes that fired |\n|---|---|---|---|---|---|---|---|---|---|";

/// One detector, class and intensity.
#[derive(Clone, PartialEq, Debug)]
pub struct TruthRow {
    /// The detector.
    pub pattern: Pattern,
    /// Class of a made market, or the name of a recorded one.
    pub class: String,
    /// Sizes, volumes and rates over those of the thresholds.
    pub intensity: f64,
    /// What came of it.
    pub score: TruthScore,
    /// Of the look-alikes: how many fired, and how many there were.
    pub look_alikes: [usize; 2],
}

/// How far a figure of so many can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FigureUse {
    /// As many as the specification asks for.
    Full,
    /// Fewer: shown with the number.
    Few,
    /// Hardly any: the number alone is shown.
    Withheld,
}

impl FigureUse {
    /// Of so many episodes.
    #[must_use]
    pub const fn of(n: usize) -> Self {
        match n {
            EPISODES_MIN.. => Self::Full,
            EPISODES_SHOWN.. => Self::Few,
            _ => Self::Withheld,
        }
    }

    /// As payloads have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Few => "few",
            Self::Withheld => "withheld",
        }
    }
}

impl TruthRow {
    /// How far its figures can be used.
    #[must_use]
    pub const fn figures(&self) -> FigureUse {
        FigureUse::of(self.score.injections)
    }
}

impl fmt::Display for TruthRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = &self.score;
        let (pattern, class, intensity) = (self.pattern.name(), &self.class, self.intensity);
        write!(f, "| `{pattern}` | {class} | {intensity} | {}", s.injections)?;
        if self.figures() == FigureUse::Few {
            write!(f, ", few")?;
        }
        let banded = |share: Option<f64>, n: usize| {
            share.map_or_else(
                || "—".to_owned(),
                |p| {
                    let [lo, hi] = band(p, n);
                    format!("{p:.2} ({lo:.2}–{hi:.2})")
                },
            )
        };
        let some = s.alerts_matched > 0;
        let lead = s
            .lead(0.5)
            .zip(s.lead(0.9))
            .map_or_else(|| "—".to_owned(), |(half, most)| format!("{half:.0} / {most:.0}"));
        let [fired, of] = self.look_alikes;
        if self.figures() == FigureUse::Withheld {
            let counts = format!("withheld ({} of {})", s.matched, s.injections);
            write!(f, " | {counts} | withheld | withheld | {} | withheld", s.false_alerts)?;
        } else {
            let precision = banded(s.precision().filter(|_| some), s.alerts_matched + s.false_alerts);
            let lenient = s.lenient().filter(|_| some).map_or_else(|| "—".to_owned(), |p| format!("{p:.2}"));
            let recall = banded(s.recall(), s.injections);
            write!(f, " | {recall} | {precision} | {lenient} | {} | {lead}", s.false_alerts)?;
        }
        write!(f, " | {fired} of {of} |")
    }
}
