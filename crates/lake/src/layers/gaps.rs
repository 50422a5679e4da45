//! Where nothing is known of a market, as the manifests of its hours say it together.
//!
//! An hour is never written again, so its manifest says of a gap before its first row what was known when it was written: where the run
//! began with it, that is no more than where the gap ends. How far back it reaches follows from the hour before, whichever came first.

use super::catalogue::LakeHour;
use super::manifest::HourGap;
use super::{HourManifest, LayerResult};
use barograph_domain::{Span, Ts};

/// One run follows another when no more than this lies between them; the same as between two files of one run.
pub const RUNS_FOLLOW: Span = Span::mins(1);

/// Goes through the hours of one table of one market, earliest first.
#[derive(Clone, Debug, Default)]
pub struct UnknownTime {
    newest: Option<Ts>,
}

impl UnknownTime {
    /// The gaps of the next hour, each from the last moment that is known before it; where the market itself begins there is none.
    pub fn of(&mut self, manifest: &HourManifest) -> Vec<HourGap> {
        let newest = self.newest;
        self.newest = newest.max(manifest.last_ts);
        let gap = |(at, gap): (usize, &HourGap)| {
            let from = match newest {
                // What follows another run at once is no gap, whichever of them came first.
                Some(newest) if is_before_rows(manifest, at) && follows_now(gap, newest) => return None,
                Some(newest) if is_before_rows(manifest, at) => newest.min(gap.until),
                None if is_beginning(gap) => return None,
                _ => gap.from,
            };
            Some(HourGap { from, ..gap.clone() })
        };
        manifest.gaps.iter().enumerate().filter_map(gap).collect()
    }
}

/// Does a gap of an hour lie before its first row?
fn is_before_rows(manifest: &HourManifest, at: usize) -> bool {
    manifest
        .gaps
        .get(at)
        .is_some_and(|gap| manifest.first_ts.is_some_and(|first| gap.from < first) || is_beginning(gap))
}

/// Only a run that begins where nothing was before it declares a gap without length.
fn is_beginning(gap: &HourGap) -> bool {
    gap.from == gap.until
}

/// Was a gap declared when less was there before it than now, up to `newest`, and does what is behind it follow that at once?
#[must_use]
pub fn follows_now(gap: &HourGap, newest: Ts) -> bool {
    (is_beginning(gap) || gap.from + RUNS_FOLLOW < newest) && gap.until - newest <= RUNS_FOLLOW
}

impl HourManifest {
    /// The gap before the first row, where one is declared.
    #[must_use]
    pub fn gap_before(&self) -> Option<&HourGap> {
        (0..self.gaps.len()).find(|at| is_before_rows(self, *at)).map(|at| &self.gaps[at])
    }
}

/// The gaps of a market's table over its hours, earliest first; hours whose writer did not stop in order say nothing.
///
/// # Errors
/// When a manifest cannot be read.
pub fn unknown_times(hours: &[LakeHour]) -> LayerResult<Vec<HourGap>> {
    let (mut walk, mut found) = (UnknownTime::default(), Vec::new());
    for hour in hours {
        found.extend(hour.stated()?.iter().flat_map(|manifest| walk.of(manifest)));
    }
    Ok(found)
}
