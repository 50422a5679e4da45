//! `verify patterns`: what the detectors of books and trades find of episodes that are laid over a market (surveillance §9).

use super::{patterns_print, patterns_recorded};
use crate::cli::PatternsArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_domain::Pattern;
use barograph_engine::order_flow::FlowThresholds;
use barograph_verify::injected::synthetic::{MadeCase, PATTERNS, classes};

/// The class that is made where none is named: every detector has one of this name.
const CLASS: &str = "middle";

pub(crate) fn run(args: &PatternsArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let t = crate::setup::configured_book(settings)?.0.order_flow;
    match &args.market {
        Some(market) => patterns_recorded::run(market, args, (settings, t), json),
        None => made(args, &t, json),
    }
}

/// Detectors that were asked for, in the order of the table.
pub(super) fn asked(args: &PatternsArgs, all: &[Pattern]) -> Vec<Pattern> {
    all.iter().copied().filter(|p| args.patterns.is_empty() || args.patterns.contains(p)).collect()
}

fn made(args: &PatternsArgs, t: &FlowThresholds, json: bool) -> Result<(), Failure> {
    let wanted = |class: &str| match args.classes.as_slice() {
        [] => class == CLASS,
        some => some.iter().any(|name| name == class || name == "all"),
    };
    let case = |pattern| {
        classes(pattern).into_iter().filter(|class| wanted(class)).map(move |class| MadeCase {
            pattern,
            class,
            intensities: args.intensities.clone(),
            episodes: args.episodes.map(u64::from),
            seed: args.seed,
        })
    };
    let cases: Vec<MadeCase> = asked(args, &PATTERNS).into_iter().flat_map(case).collect();
    if cases.is_empty() {
        return Err(Failure::usage(
            "no detector that was asked for has a class of that name: books come deep, middle and thin, hours and days busy, middle and quiet",
        ));
    }
    let (mut progress, mut done) = (Progress::new(cases.iter().map(MadeCase::steps).sum(), "playing", Unit::Steps), 0);
    let mut few = false;
    patterns_print::head(json)?;
    for case in cases {
        let rows = case.rows(t, &mut || {
            done += 1;
            progress.set(done);
        });
        for row in &rows {
            few |= row.figures() != barograph_verify::injected::table::FigureUse::Full;
            patterns_print::made_row(row, json)?;
        }
    }
    drop(progress);
    patterns_print::made_foot(few, json)
}
