//! `paper`: a strategy of `kpi` followed live on paper, and its weekly review.

use crate::cli::PaperArgs;
use crate::clock;
use crate::commands::serve::{runtime, watch_for_stop};
use crate::config::Settings;
use crate::failure::Failure;
use crate::paper::log::PaperLog;
use crate::paper::review_print;
use crate::paper::watcher::{CANDLES_MAX, PaperWatch};
use crate::term::Paint;
use crate::watch::client::ServerTarget;
use barograph_domain::Span;
use barograph_query::paper as records;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often a pause looks whether it is still wanted.
const SLICE: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &PaperArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    if args.review {
        return review(args, settings, json);
    }
    check(args)?;
    let token = args.token.clone().or_else(|| settings.token.clone());
    let server = ServerTarget::new(args.url.as_deref(), &settings.listen.to_string(), token)?;
    let (log, records) = PaperLog::open(&settings.data)?;
    let runtime = runtime()?;
    let stop = watch_for_stop(&runtime);
    let begun = clock::now();
    let address = server.address();
    if let Some(other) = records::followed(&records).filter(|s| *s != args.strategy.name()) {
        writeln!(
            std::io::stderr(),
            "the log followed {other} before; from here on it follows {}, and a review of both says so",
            args.strategy.name()
        )?;
    }
    writeln!(
        std::io::stderr(),
        "{} on {} bars at {address}, on paper: no order is placed; log {}",
        args.strategy.spoken(),
        args.timeframe.compact(),
        records::path(&settings.data).display()
    )?;
    let mut watch = PaperWatch::new(args, server, log, records, begun)?;
    loop {
        watch.check(clock::now())?;
        let next = clock::now() + args.every;
        while clock::now() < next {
            let over = args.for_time.is_some_and(|t| clock::now() - begun >= t);
            if stop.load(Ordering::Relaxed) || over {
                // What the last check did not see is the answer to `--for`; a stop that was asked for is no failure.
                return watch.failed.filter(|_| over).map_or(Ok(()), |why| Err(Failure::broken(why)));
            }
            std::thread::sleep(SLICE);
        }
    }
}

fn check(args: &PaperArgs) -> Result<(), Failure> {
    if args.horizon < args.timeframe || args.horizon.0 / args.timeframe.0 > CANDLES_MAX - 100 {
        return Err(Failure::usage(format!(
            "--horizon {} is not between one bar and {} bars of {}",
            args.horizon,
            CANDLES_MAX - 100,
            args.timeframe.compact()
        )));
    }
    if !(args.equity.is_finite() && args.equity > 0.0) {
        return Err(Failure::usage(format!("--equity {} is not a number above zero", args.equity)));
    }
    if args.every < Span::secs(1) {
        return Err(Failure::usage(format!("--every {} is less than a second", args.every)));
    }
    Ok(())
}

fn review(args: &PaperArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let path = records::path(&settings.data);
    let lines = records::read(&path).map_err(|e| Failure::broken(format!("{}: {e}", path.display())))?;
    let Some(review) = records::review(&lines, args.week) else {
        return Err(Failure::usage(format!(
            "{} has no decision yet; make some with: barograph paper --data {}",
            path.display(),
            settings.data.display()
        )));
    };
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&review).map_err(Failure::broken)?)?;
    } else {
        review_print::table(&mut out, &review, Paint::detect())?;
    }
    Ok(out.flush()?)
}
