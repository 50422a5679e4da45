//! `mcp`: tools for a language model whose client starts this program and speaks over its standard input and output; sessions in which
//! it cannot see the future, and what they were worth.

use super::serve::{Stored, runtime, serve_config};
use crate::agent_sessions::{RecordFile, WantedSession, basis, judged, new_record};
use crate::cli::McpArgs;
use crate::clock::FolderClock;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_api::agent_sessions::{AgainstReading, SessionReport};
use barograph_api::{Inside, Query};
use barograph_domain::Ts;
use barograph_mcp::{AgentServer, LockedSession, serve_stdio};
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

pub(crate) fn run(args: &McpArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let runtime = runtime()?;
    let stored = Stored::open(settings, Arc::new(FolderClock(settings.data.clone())), true)?;
    let inside = Inside::over(Arc::clone(&stored.service) as Arc<dyn Query>, serve_config(settings)?);
    let done = if let Some(file) = &args.report {
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::usage(format!("cannot read {}: {e}", file.display())))?;
        let judged = runtime.block_on(judged(&inside, &text));
        let report = judged.map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
        print(&report.map_err(Failure::broken)?, json)
    } else {
        let server = AgentServer::new(inside.clone(), env!("CARGO_PKG_VERSION"));
        let server = match args.from.zip(args.until).filter(|_| args.locked) {
            Some(span) => server.within(Arc::new(runtime.block_on(session(args, settings, &inside, span))?)),
            None => server,
        };
        runtime.block_on(serve_stdio(server)).map_err(|e| Failure::broken(format!("the client: {e}")))
    };
    stored.close();
    // A read of standard input cannot be taken back.
    runtime.shutdown_background();
    done
}

/// Begins a session and says where its record is.
async fn session(
    args: &McpArgs,
    settings: &Settings,
    inside: &Inside,
    (from, until): (Ts, Ts),
) -> Result<LockedSession, Failure> {
    let mask = args.mask.then_some(args.seed);
    let wanted = WantedSession { agent: args.agent.clone(), from, until, mask };
    let basis = basis(inside, wanted).await.map_err(|why| Failure::usage(format!("--{why}")))?;
    let (path, file) = match &args.record {
        None => new_record(&settings.data, &basis.agent)?,
        Some(path) => {
            let new = File::options().write(true).create_new(true).open(path);
            let why = |e: std::io::Error| match e.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    "a record is never written over; name a file that is not there".to_owned()
                }
                _ => e.to_string(),
            };
            (path.clone(), new.map_err(|e| Failure::usage(format!("--record {}: {}", path.display(), why(e))))?)
        }
    };
    let session = LockedSession::begin(basis, Box::new(RecordFile(file))).map_err(Failure::usage)?;
    let mut err = std::io::stderr().lock();
    writeln!(err, "the record of this session: {}", path.display())?;
    Ok(session)
}

fn print(report: &SessionReport, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(out.flush()?);
    }
    let basis = &report.basis;
    let masked = if basis.mask.is_some() { ", masked" } else { "" };
    writeln!(out, "{} from {} to {}{masked}", basis.agent, basis.from, basis.until)?;
    let (calls, errors, tokens) = (report.calls, report.errors, report.tokens);
    writeln!(out, "{calls} calls, {errors} of them refused, {tokens} tokens served")?;
    writeln!(out, "{} forecasts on record, {} without an outcome", report.forecasts, report.unresolved)?;
    writeln!(out, "transcript {}", report.transcript)?;
    if !report.is_same_data {
        writeln!(out, "the stored data have changed since; outcomes may differ")?;
    }
    for score in &report.scores {
        let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.4}"));
        writeln!(out)?;
        let rate = score.base_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", 100.0 * rate));
        writeln!(out, "{}: {} ({} that do not overlap), happened in {rate}", score.event, cases(score.n), score.n_eff)?;
        writeln!(out, " Brier {}, log score {}", number(score.brier), number(score.log_score))?;
        for (who, reading) in &score.against {
            writeln!(out, " against {who:<12} {}", against(reading))?;
        }
    }
    Ok(out.flush()?)
}

fn cases(n: usize) -> String {
    format!("{n} case{}", if n == 1 { "" } else { "s" })
}

fn against(reading: &AgainstReading) -> String {
    let signed = |x: f64| format!("{:+.1} %", 100.0 * x).replace('-', "−");
    let Some(skill) = reading.skill else { return format!("no skill: {}", cases(reading.n)) };
    let band = reading.band.map_or_else(
        || "too little data for a band".to_owned(),
        |[low, high]| format!("90 % band {} to {}", signed(low), signed(high)),
    );
    format!("skill {}, {band}, {}", signed(skill), cases(reading.n))
}
