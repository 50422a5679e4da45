//! `lake follow`: what a running process listens to, into the lake as it comes.

use super::lake::of_folder;
use crate::cli::lake::FollowArgs;
use crate::commands::serve::{runtime, watch_for_stop};
use crate::config::Settings;
use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_domain::{Span, Ts};
use barograph_live::replay::journal_folder;
use barograph_research::dataset::{FollowRequest, LakeFollower};
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The journal is flushed once a second.
const PAUSE: Duration = Duration::from_secs(1);
/// A request to end is noticed this soon.
const NAP: Duration = Duration::from_millis(50);

pub(crate) fn run(args: &FollowArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    if args.flush <= Span::ZERO {
        return Err(Failure::usage("--flush: rows wait for a positive time, such as 10s"));
    }
    let markets = args.markets.iter().map(|m| super::lab::name(m, settings)).collect::<Result<_, _>>()?;
    let lake = of_folder(args.place.lake.as_ref(), settings);
    let journal = journal_folder(&settings.data);
    if !journal.is_dir() {
        return Err(Failure::usage(format!(
            "{} holds no journal; one is written by: barograph up --data {}",
            settings.data.display(),
            settings.data.display()
        )));
    }
    let request = FollowRequest { data: settings.data.clone(), markets, lake, flush_every: args.flush };
    let runtime = runtime()?;
    let stop = watch_for_stop(&runtime);
    let mut follower = LakeFollower::new(&request);
    let mut shown = FollowShown::default();
    while !stop.load(Ordering::Relaxed) {
        let step = follower.step()?;
        for trouble in follower.take_troubles() {
            writeln!(std::io::stderr(), "barograph: {trouble}")?;
        }
        if step.is_behind() {
            shown.behind(step.reached, step.settled);
            continue;
        }
        if step.settled.is_some() {
            shown.caught_up(follower.rows(), step.reached)?;
            if args.once {
                break;
            }
        }
        let asleep = Instant::now();
        while asleep.elapsed() < PAUSE && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(NAP);
        }
    }
    let mut out = std::io::stdout().lock();
    for (market, report) in follower.finish()? {
        if json {
            let line = serde_json::json!({ "market": market.to_string(), "lake": request.lake, "rows": report.rows, "rows_valid": report.valid,
                "already_there": report.already, "late": report.late });
            writeln!(out, "{line}")?;
        } else {
            let (rows, valid) = (report.rows, report.valid);
            writeln!(
                out,
                "{market}: {rows} feature rows were added, {valid} with a usable book; what more comes is added by the next run"
            )?;
        }
    }
    Ok(())
}

/// What was shown of the way so far.
#[derive(Default)]
struct FollowShown {
    begin: Option<Ts>,
    progress: Option<Progress>,
    up_to_date: bool,
}

impl FollowShown {
    fn behind(&mut self, reached: Option<Ts>, settled: Option<Ts>) {
        let (Some(reached), Some(settled)) = (reached, settled) else { return };
        let begin = *self.begin.get_or_insert(reached);
        let seconds = |span: Span| u64::try_from(span.0 / 1_000_000_000).unwrap_or(0);
        let bar = self.progress.get_or_insert_with(|| Progress::new(seconds(settled - begin), "playing", Unit::Steps));
        bar.set(seconds(reached - begin));
    }

    fn caught_up(&mut self, rows: u64, reached: Option<Ts>) -> Result<(), Failure> {
        self.progress = None;
        if core::mem::replace(&mut self.up_to_date, true) {
            return Ok(());
        }
        let at = reached.map(|at| format!(" up to {at}")).unwrap_or_default();
        Ok(writeln!(
            std::io::stderr(),
            "barograph: the journal is in the lake{at}, {rows} new feature rows; what comes is added"
        )?)
    }
}
