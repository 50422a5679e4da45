//! `mcp`: tools for a language model whose client starts this program and speaks over its standard input and output; sessions in which
//! it cannot see the future, and what they were worth.

use super::serve::{Stored, runtime, serve_config};
use crate::cli::McpArgs;
use crate::clock::FolderClock;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_api::{Inside, Query};
use barograph_domain::Ts;
use barograph_mcp::{
    AgainstReading, AgentServer, LockedSession, RecordSink, SessionBasis, SessionReport, check_record, digest,
    serve_stdio, session_report,
};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Records of sessions, within the data folder.
const FOLDER: &str = "agent-sessions";

pub(crate) fn run(args: &McpArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let runtime = runtime()?;
    let stored = Stored::open(settings, Arc::new(FolderClock(settings.data.clone())), true)?;
    let inside = Inside::over(Arc::clone(&stored.service) as Arc<dyn Query>, serve_config(settings)?);
    let done = if let Some(file) = &args.report {
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::usage(format!("cannot read {}: {e}", file.display())))?;
        let record = check_record(&text).map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
        let stored_now = runtime.block_on(data_digest(&inside, record.0.until))?;
        let report = runtime.block_on(session_report(&inside, record, &stored_now)).map_err(Failure::broken)?;
        print(&report, json)
    } else {
        let server = AgentServer::new(inside.clone(), env!("CARGO_PKG_VERSION"));
        let server = match args.from.zip(args.until).filter(|_| args.locked) {
            Some(span) => server.within(runtime.block_on(session(args, settings, &inside, span))?),
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
    let agent = args.agent.clone().unwrap_or_else(|| "agent".to_owned());
    let basis = SessionBasis {
        data_digest: data_digest(inside, until).await?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        agent,
        from,
        until,
    };
    let (path, file) = record_file(args, settings, &basis)?;
    let session = LockedSession::begin(basis, Box::new(Kept(file))).map_err(Failure::usage)?;
    let mut err = std::io::stderr().lock();
    writeln!(err, "the record of this session: {}", path.display())?;
    Ok(session)
}

/// Digest of the streams that are stored, as known at the end of a session.
async fn data_digest(inside: &Inside, until: Ts) -> Result<String, Failure> {
    let reply = inside.ask(&format!("/api/v1/markets?as_of={}", until.iso()), None).await;
    if reply.status != 200 {
        let why = serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap_or_default();
        return Err(Failure::usage(format!("--until: {}", why["detail"].as_str().unwrap_or("nothing is stored"))));
    }
    Ok(digest(&reply.body))
}

/// A new file: a record is never written over.
fn record_file(args: &McpArgs, settings: &Settings, basis: &SessionBasis) -> Result<(PathBuf, File), Failure> {
    let new = |path: &Path| File::options().write(true).create_new(true).open(path);
    if let Some(path) = &args.record {
        let file = new(path).map_err(|e| Failure::usage(format!("--record {}: {e}", path.display())))?;
        return Ok((path.clone(), file));
    }
    let folder = settings.data.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(Failure::writing(&folder))?;
    let plain: String = basis.agent.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    for n in 1.. {
        let path = folder.join(format!("{plain}-{n}.jsonl"));
        match new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Failure::writing(&path)(e)),
        }
    }
    Err(Failure::broken("no name is left for a record"))
}

/// A record in a file, on disk before the answer goes out.
struct Kept(File);

impl RecordSink for Kept {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let kept = writeln!(self.0, "{line}").and_then(|()| self.0.flush());
        kept.map_err(|e| e.to_string())
    }
}

fn print(report: &SessionReport, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(out.flush()?);
    }
    let basis = &report.basis;
    writeln!(out, "{} from {} to {}", basis.agent, basis.from, basis.until)?;
    let (calls, errors, tokens) = (report.calls, report.errors, report.tokens);
    writeln!(out, "{calls} calls, {errors} of them refused, {tokens} tokens answered")?;
    writeln!(out, "{} forecasts on record, {} without an outcome", report.forecasts, report.unresolved)?;
    writeln!(out, "transcript {}", report.transcript)?;
    if !report.is_same_data {
        writeln!(out, "the stored data have changed since; outcomes may differ")?;
    }
    for score in &report.scores {
        let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.4}"));
        writeln!(out)?;
        let rate = score.base_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", 100.0 * rate));
        writeln!(out, "{}: {} cases ({} that do not overlap), happened in {rate}", score.event, score.n, score.n_eff)?;
        writeln!(out, " Brier {}, log score {}", number(score.brier), number(score.log_score))?;
        for (who, reading) in &score.against {
            writeln!(out, " against {who:<12} {}", against(reading))?;
        }
    }
    Ok(out.flush()?)
}

fn against(reading: &AgainstReading) -> String {
    let signed = |x: f64| format!("{:+.1} %", 100.0 * x).replace('-', "−");
    let Some(skill) = reading.skill else { return format!("no skill: {} cases", reading.n) };
    let band = reading.band.map_or_else(
        || "too little data for a band".to_owned(),
        |[low, high]| format!("90 % band {} to {}", signed(low), signed(high)),
    );
    format!("skill {}, {band}, {} cases", signed(skill), reading.n)
}
