//! `replay`: files through the engine. With `--data` or `--db-url` the result is stored; without either nothing is written.

use crate::cli::{Common, ReplayArgs};
use crate::config::Settings;
use crate::failure::Failure;
use crate::ingest;
use crate::input;
use crate::json_lines::JsonLines;
use crate::progress::{Progress, Unit};
use crate::report::Reports;
use crate::run::{Run, RunSink};
use crate::setup::{config_hash, configured};
use crate::term::Paint;
use barograph_domain::{Event, MinuteRow, Span, Status, StreamIndex, Ts};
use barograph_engine::{AlertOut, LevelOut};
use barograph_lake::{ImportPlan, Report};
use barograph_live::digest::RunDigest;
use barograph_live::setup::Setup;
use barograph_query::render::Lens;
use barograph_store::StoreTarget;
use std::io::{BufWriter, Write as _};
use std::sync::mpsc::sync_channel;

pub(crate) fn run(args: &ReplayArgs, settings: &Settings, common: &Common, json: bool) -> Result<(), Failure> {
    check_shown(args)?;
    let options = input::options(&args.declared, args.source.as_ref(), settings)?;
    let plan = input::plan(&args.paths, &options)?;
    let setup = configured(settings, plan.policy_text().to_owned())?;
    input::print_declarations(&plan)?;
    {
        let mut err = std::io::stderr().lock();
        let config = config_hash(&plan);
        writeln!(err, "book {}, {}, config {config}", setup.book.name, setup.logic_version)?;
    }
    // What is set elsewhere does not make a replay write: only these flags do.
    let target = match (&common.db_url, &common.data) {
        (Some(url), _) => Some(StoreTarget::Postgres(url.clone())),
        (None, Some(folder)) => Some(StoreTarget::Folder(folder.clone())),
        (None, None) => None,
    };
    let lenses: Vec<Lens> = plan.instruments().iter().map(|i| setup.lens(i, plan.streams())).collect();
    let mut weather = Reports::new(lenses, args.from, args.until);
    // Lines and a hash go by the order of all markets together; a report may see them one after the other.
    let onlooker = (!json && !args.hash).then_some(&mut weather as &mut dyn RunSink);
    let mut shown = None;
    if let Some(target) = &target {
        // First, so that a refusal costs nothing and a reader that goes away loses nothing.
        let names: Vec<String> = args.paths.iter().map(|p| p.display().to_string()).collect();
        let mut writer = ingest::open_target(target)?;
        let ingested = ingest::into_target(target, writer.as_mut(), &plan, &names.join(" "), &setup, onlooker)?;
        ingest::print(&ingested)?;
        shown = ingested.shown.then_some(ingested.report);
    }
    if let Some(report) = shown {
        let mut out = BufWriter::new(std::io::stdout().lock());
        write_report(&mut out, &weather, &report)?;
        out.flush()?;
        return input::check_failed(&report);
    }
    let report = print(args, &plan, &setup, json)?;
    if target.is_none() {
        input::print_report(&report)?;
    }
    input::check_failed(&report)
}

/// Runs the plan and prints lines or a report.
fn print(args: &ReplayArgs, plan: &ImportPlan, setup: &Setup, json: bool) -> Result<Report, Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let lenses: Vec<Lens> = plan.instruments().iter().map(|i| setup.lens(i, plan.streams())).collect();
    let mut digest = args.hash.then(|| RunDigest::new(&setup.logic_version));
    let report = if json {
        let mut lines = JsonLines::new(&mut out, lenses, plan.streams(), args.from, args.until, args.every);
        let report = through(plan, setup, &mut Tee { first: &mut lines, digest: digest.as_mut() }, "replaying")?;
        lines.finish()?;
        report
    } else {
        let mut weather = Reports::new(lenses, args.from, args.until);
        let report = through(plan, setup, &mut Tee { first: &mut weather, digest: digest.as_mut() }, "replaying")?;
        write_report(&mut out, &weather, &report)?;
        report
    };
    if let Some(digest) = digest {
        writeln!(out, "{}", digest.finish())?;
    }
    out.flush()?;
    Ok(report)
}

fn write_report(out: &mut impl std::io::Write, weather: &Reports, report: &Report) -> Result<(), Failure> {
    if weather.is_empty() && report.accepted > 0 {
        writeln!(out, "no minute lies between --from and --until")?;
    }
    weather.print(out, Paint::detect())
}

/// Events read ahead: batches times batches' size, some 8 MB.
const AHEAD: usize = 8;
const BATCH: usize = 8_192;

/// Refuses a stretch without a minute in it, and a step that would silently be another one.
fn check_shown(args: &ReplayArgs) -> Result<(), Failure> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && until <= from
    {
        return Err(Failure::usage(format!("--until {until} is not later than --from {from}")));
    }
    if args.every.0 % Span::mins(1).0 != 0 {
        return Err(Failure::usage(format!(
            "--every: '{}' is not a whole number of minutes, and readings are a minute apart",
            args.every
        )));
    }
    Ok(())
}

/// The whole plan through the engine. Files are read on a second thread; the order of events is the reader's.
pub(crate) fn through(plan: &ImportPlan, setup: &Setup, sink: &mut dyn RunSink, what: &str) -> Result<Report, Failure> {
    let mut progress = Progress::new(plan.total_bytes(), what, Unit::Bytes);
    let mut run = Run::new(setup, plan.instruments(), plan.streams());
    let mut reader = plan.open(None);
    std::thread::scope(|scope| {
        let (full, batches) = sync_channel::<(Vec<Event>, u64)>(AHEAD);
        let (empty, used) = sync_channel::<Vec<Event>>(AHEAD + 2);
        let reading = scope.spawn(move || {
            loop {
                let mut batch = used.try_recv().unwrap_or_default();
                batch.clear();
                batch.extend(reader.by_ref().take(BATCH));
                if batch.is_empty() || full.send((batch, reader.bytes_read())).is_err() {
                    return reader.finish();
                }
            }
        });
        for (batch, bytes) in batches {
            for event in &batch {
                run.event(event, sink)?;
            }
            progress.set(bytes);
            // The reader may be done already; then the batch is simply dropped.
            drop(empty.try_send(batch));
        }
        run.finish(crate::clock::now(), sink)?;
        ingest::report_late(&run)?;
        reading.join().map_err(|_panic| Failure::broken("reading the files failed; this is a bug"))
    })
}

/// A sink and the digest beside it.
pub(crate) struct Tee<'a> {
    pub(crate) first: &'a mut dyn RunSink,
    pub(crate) digest: Option<&'a mut RunDigest>,
}

impl RunSink for Tee<'_> {
    fn level(&mut self, level: &LevelOut) -> Result<(), Failure> {
        if let Some(digest) = &mut self.digest {
            digest.level(level);
        }
        self.first.level(level)
    }
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Failure> {
        if let Some(digest) = &mut self.digest {
            digest.alert(alert);
        }
        self.first.alert(alert)
    }
    fn alert_of(&mut self, alert: &AlertOut, row: &MinuteRow) -> Result<(), Failure> {
        if let Some(digest) = &mut self.digest {
            digest.alert(alert);
        }
        self.first.alert_of(alert, row)
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if let Some(digest) = &mut self.digest {
            digest.row(row);
        }
        self.first.row(row)
    }
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        if let Some(digest) = &mut self.digest {
            digest.gap(stream, status, known_ts);
        }
        self.first.gap(stream, status, known_ts)
    }
}
