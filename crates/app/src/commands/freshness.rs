//! `freshness`: how old snapshots and the inputs they need are; exit 1 beyond the threshold (R1.58, R1.59).
//!
//! Everything is read from the store, so it works beside a running `up` or `collect`. With `--continuous` data gaps over two
//! hours are reported as operations events, once each (R4.59).

use crate::cli::FreshnessArgs;
use crate::clock;
use crate::commands::{collect::interval, listened, own_run, reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::{InstrumentName, MarketKind, Metric, Span, Ts};
use barograph_live::tags::MKT;
use barograph_query::gap_alert::GapAlerts;
use barograph_query::recorded::day;
use barograph_query::service::lens_of;
use barograph_store::Reader;
use serde::Serialize;
use std::io::Write as _;

/// One thing that can be too old.
#[derive(Serialize, Debug)]
struct Age {
    instrument: InstrumentName,
    what: &'static str,
    source: String,
    /// Null when it was never seen; that is stale, whatever the threshold.
    newest: Option<Ts>,
    age_s: Option<i64>,
    threshold_s: i64,
    stale: bool,
    /// The market is a recording that ends here: it is old, and not late.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_until: Option<Ts>,
}

pub(crate) fn run(args: &FreshnessArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    if !args.continuous {
        return once(args, settings, json, None);
    }
    let mut alerts = GapAlerts::default();
    loop {
        match once(args, settings, json, Some(&mut alerts)) {
            Err(Failure::No(text)) => writeln!(std::io::stderr(), "barograph: {MKT} {text}")?,
            // The database of a running process may be away for a moment, or not be there yet.
            Err(Failure::Broken(text)) => writeln!(std::io::stderr(), "barograph: {MKT} {text}")?,
            other => other?,
        }
        std::thread::sleep(interval(args.interval));
    }
}

fn once(args: &FreshnessArgs, settings: &Settings, json: bool, alerts: Option<&mut GapAlerts>) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let reader = reader.as_ref();
    let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
    let wanted = match args.name.as_ref().or(args.symbol.as_ref()) {
        Some(name) => vec![resolve(&known, settings, name, args.symbol.is_some())?],
        None => known,
    };
    if let Some(alerts) = alerts {
        let streams = reader.counting_streams(None, None)?;
        let of_wanted = streams.iter().filter(|s| wanted.contains(&s.decl.instrument));
        for news in alerts.report(clock::now_in(&settings.data), of_wanted.map(|s| (&s.decl, s.newest_event))) {
            writeln!(std::io::stderr(), "barograph: {MKT} {news}")?;
        }
    }
    if wanted.is_empty() {
        return Err(Failure::No(
            "no MetricPoint data found; record with: barograph up; or import files with: barograph collect --source PATH".to_owned(),
        ));
    }
    let mut ages = Vec::new();
    for market in &wanted {
        ages.extend(ages_of(reader, settings, market, args.threshold)?);
    }
    let mut out = std::io::stdout().lock();
    let mut named: Option<&InstrumentName> = None;
    for age in &ages {
        if let (false, Some(end)) = (json, age.recorded_until) {
            // One line is all there is to say of a recording.
            if named.replace(&age.instrument) != Some(&age.instrument) {
                writeln!(out, "{:<28} recorded until {}", age.instrument.to_string(), day(end))?;
            }
            continue;
        }
        if json {
            serde_json::to_writer(&mut out, age).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            let verdict = if age.stale { "stale" } else { "fresh" };
            writeln!(
                out,
                "{:<28} {:<24} {:>12}  {verdict}",
                age.instrument.to_string(),
                age.what,
                age.age_s.map_or("never seen".to_owned(), |s| Span::secs(s).spoken())
            )?;
        }
    }
    verdict(&ages, args.threshold)
}

/// No where something is late, or where there are recordings only.
fn verdict(ages: &[Age], threshold: Span) -> Result<(), Failure> {
    let (recorded, listened): (Vec<&Age>, Vec<&Age>) = ages.iter().partition(|a| a.recorded_until.is_some());
    if listened.is_empty() {
        return Err(Failure::No("recordings only: nothing is listening; record with: barograph up".to_owned()));
    }
    let stale = listened.iter().filter(|a| a.stale).count();
    let unseen = if listened.iter().any(|a| a.newest.is_none()) { " or were never seen" } else { "" };
    let as_usual = listened.iter().filter(|a| !a.stale && a.age_s.is_some_and(|s| Span::secs(s) > threshold)).count();
    let excused = match as_usual {
        0 => String::new(),
        k => format!("; {k} more are, but no older than their cadence allows"),
    };
    let apart = if recorded.is_empty() { "" } else { "; recordings are not counted" };
    match stale {
        0 => Ok(()),
        n => Err(Failure::No(format!(
            "{n} of {} are older than {}{unseen}{excused}{apart}",
            listened.len(),
            threshold.spoken()
        ))),
    }
}

/// The newest snapshot and every input that the market's book reads.
fn ages_of(
    reader: &dyn Reader,
    settings: &Settings,
    market: &InstrumentName,
    threshold: Span,
) -> Result<Vec<Age>, Failure> {
    let now = clock::now_in(&settings.data);
    let age = |what, source: String, newest: Option<Ts>, limit: Span| Age {
        instrument: market.clone(),
        what,
        source,
        newest,
        // The newest minute may not be over yet.
        age_s: newest.map(|t| (now - t).as_secs().max(0)),
        threshold_s: limit.as_secs(),
        stale: newest.is_none_or(|t| now - t > limit),
        recorded_until: None,
    };
    let runs = reader.runs(None)?;
    let info = own_run(&runs, market, settings, |book| {
        Failure::No(format!("{market} has points but no context snapshot for book '{book}'"))
    })
    // To whoever watches, no row of this book is the same answer for every reason: no.
    .map_err(|refused| Failure::No(refused.text().unwrap_or_default()))?;
    let rows = reader.latest(&info.spec.key, 1, None)?;
    let Some(row) = rows.rows.last() else {
        return Err(Failure::No(format!("{market} has no context snapshot")));
    };
    let ends = listened::ends(reader, settings, market, row.ts)?;
    let mut out = vec![age("snapshot", String::new(), Some(row.ts), threshold)];
    let spot = lens_of(reader, info)?.instrument.kind == MarketKind::Spot;
    for input in &row.inputs {
        let Some(decl) = input.stream.and_then(|s| rows.streams.get(s.index())) else {
            // What a spot market does not offer is not missing.
            if !spot || input.metric == Metric::MarkPrice {
                out.push(age(input.metric.name(), String::new(), None, threshold));
            }
            continue;
        };
        // An archive that is hourly by declaration cannot be younger than its cadence allows (features §9).
        out.push(age(input.metric.name(), decl.source.clone(), Some(input.anchor), threshold.max(decl.max_age())));
    }
    // Within the threshold it is as fresh as was asked for.
    let ends = ends.filter(|_| out.first().is_some_and(|snapshot| snapshot.stale));
    out.iter_mut().for_each(|age| age.recorded_until = ends);
    Ok(out)
}
