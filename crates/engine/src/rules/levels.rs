//! `[liquidity]` of a rule book: how equal highs and lows are found (features §4.4, §4.5, C12). What is not stated is the
//! specification's.

use super::parse::{choice, find, number_of, unknown_keys};
use super::problem::Problems;
use super::tree::{Entry, NodeKind};
use crate::liquidity::{ClusterMethod, ClusterPeaks, TimeframeOptions};

/// Ways to cluster swings, as written in a book.
pub const CLUSTER_METHODS: [(&str, ClusterMethod); 2] =
    [("tolerance", ClusterMethod::Tolerance), ("kde", ClusterMethod::Kde)];
const CLUSTER_PEAKS: [(&str, ClusterPeaks); 2] = [("local", ClusterPeaks::Local), ("swings", ClusterPeaks::Swings)];

pub(super) fn options(entries: &[Entry], problems: &mut Problems<'_>) -> TimeframeOptions {
    let mut out = TimeframeOptions::default();
    let Some(entry) = find(entries, "liquidity") else { return out };
    let NodeKind::Table(table) = &entry.value.kind else {
        problems.add(entry.value.at, "'liquidity' is a table such as { cluster_method = \"kde\" }");
        return out;
    };
    unknown_keys(table, &["cluster_method", "cluster_peaks", "cluster_tolerance"], "liquidity", problems);
    out.cluster_method = choice(table, "cluster_method", &CLUSTER_METHODS, problems).unwrap_or(out.cluster_method);
    out.cluster_peaks = choice(table, "cluster_peaks", &CLUSTER_PEAKS, problems).unwrap_or(out.cluster_peaks);
    let tolerance = number_of(table, "cluster_tolerance", 0.000_001, 0.1, problems);
    out.cluster_tolerance = tolerance.unwrap_or(out.cluster_tolerance);
    out
}

/// One line per choice, for the logic version.
pub(super) fn lines(options: &TimeframeOptions) -> [(&'static str, String); 3] {
    fn word<T: PartialEq>(words: &[(&'static str, T)], is: &T) -> String {
        words.iter().find(|(_, w)| w == is).map_or("", |(name, _)| *name).to_owned()
    }
    [
        ("cluster_method", word(&CLUSTER_METHODS, &options.cluster_method)),
        ("cluster_peaks", word(&CLUSTER_PEAKS, &options.cluster_peaks)),
        ("cluster_tolerance", options.cluster_tolerance.to_string()),
    ]
}
