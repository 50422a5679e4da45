//! `analyze`: one market checked: health with its parts, open alerts, every pattern with its statistic, sources.

use super::{listened, market, own_run, reader};
use crate::cli::AnalyzeArgs;
use crate::clock;
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{Paint, fold, minute, number_of};
use barograph_api::EventView;
use barograph_api::analysis::{AnalysisView, PatternCheck, SourceView};
use barograph_domain::alert::Statistic;
use barograph_domain::health::PatternState;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::explain::significant;
use barograph_query::analysis::{Subject, analysis};
use barograph_query::events::Kept;
use barograph_query::recorded::day;
use barograph_query::render::Books;
use barograph_store::Reader;
use std::io::Write as _;

pub(crate) fn run(args: &AnalyzeArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let market = market(reader.as_ref(), settings, &args.name)?;
    let found = checked(reader.as_ref(), settings, &market, args.as_of)?;
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &found).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", text(&found, Paint::detect()))?;
    }
    Ok(out.flush()?)
}

/// One market, checked.
pub(crate) fn checked(
    reader: &dyn Reader,
    settings: &Settings,
    market: &InstrumentName,
    as_of: Option<Ts>,
) -> Result<AnalysisView, Failure> {
    let runs = reader.runs(None)?;
    let info = own_run(&runs, market, settings, |book| {
        Failure::usage(format!("{market} has no context for book '{book}' yet; it comes with its first minute"))
    })?;
    let (lens, rows) = super::context::newest(reader, settings, market, as_of)?;
    let Some((row, before)) = rows.split_last() else {
        return Err(Failure::usage(format!("{market} has no snapshot")));
    };
    let kept = Kept::of(&mut Books::default(), info);
    let is_listened = listened::ends(reader, settings, market, row.ts)?.is_none();
    let now = as_of.unwrap_or_else(|| clock::now_in(&settings.data));
    let first = info.minutes.map_or(row.ts, |(first, _)| first);
    let of = Subject { kept: &kept, lens: &lens, row, previous: before.last(), is_listened, first, as_of, now };
    Ok(analysis(reader, &of)?)
}

fn text(found: &AnalysisView, paint: Paint) -> String {
    let at = match found.recorded_until {
        Some(until) => format!("recorded until {}", day(until)),
        None => format!("at {}", minute(found.timestamp)),
    };
    let mut out = format!("{}\n", paint.strong(&format!("{}  {at}", found.instrument)));
    out.push_str(&lines(&found.headline));
    out.push('\n');
    out.push_str(&health(found, paint));
    out.push_str(&paint.faint(" It speaks of patterns and data, not of how far the price moves."));
    out.push('\n');
    out.push_str(&alerts(&found.alerts, paint));
    out.push_str(&patterns(&found.patterns, paint));
    out.push_str(&sources(&found.sources, paint));
    out
}

fn lines(text: &str) -> String {
    let mut out = String::new();
    for line in fold(text, 80, "").lines() {
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn health(found: &AnalysisView, paint: Paint) -> String {
    let health = &found.health;
    let Some(score) = health.score else {
        return format!(
            "{}\n",
            paint.strong("health unknown: no stream that the rules read was valid in the last hour")
        );
    };
    let (judged, all) = (health.patterns_judged, health.patterns_judgeable);
    let word = health.band.map_or_else(String::new, |band| format!(", {}", band.name().to_lowercase()));
    let few = if health.band.is_none() { ", too few to call it good" } else { "" };
    let head = format!("health {score:.1} of 100{word}, judged by {judged} of {all} patterns{few}");
    let parts = format!("alerts take {:.1} of 70, missing data {:.1} of 30", health.alert_points, health.data_points);
    let mut out = format!("{}\n {parts}\n", paint.strong(&head));
    for burden in &health.alerts {
        let age = burden.closed_age_s.map_or_else(|| "open".to_owned(), |s| format!("closed {} ago", span(s)));
        let name = burden.pattern.name();
        out.push_str(&format!(
            " {name:<24} {:<9} score {:>5.1}  {age}\n",
            burden.severity.name(),
            burden.anomaly_score
        ));
    }
    out
}

fn alerts(open: &[EventView], paint: Paint) -> String {
    if open.is_empty() {
        return format!("\n{}\n", paint.strong("no alert is open"));
    }
    let mut out = format!("\n{}\n", paint.strong(&format!("{} open", number_of(open.len(), "alert"))));
    for alert in open {
        out.push_str(&format!(" {:<9} {} since {}\n", alert.severity.name(), alert.title, minute(alert.opened_at)));
    }
    out
}

fn patterns(checks: &[PatternCheck], paint: Paint) -> String {
    let head = format!("{:<23} {:<11} {:>5}  {}", "pattern", "state", "score", "statistic and threshold");
    let mut out = format!("\n{}\n", paint.strong(&head));
    let mut books = Vec::new();
    for check in checks {
        if check.state == PatternState::AlertsOnly {
            books.push(check.pattern.name());
            continue;
        }
        let score = check.score.map_or_else(|| "–".to_owned(), |s| format!("{s:.1}"));
        let name = check.pattern.name();
        let decisive = check.statistics.iter().find(|s| s.decides).or_else(|| check.statistics.first());
        let shown = decisive.map_or_else(String::new, statistic);
        out.push_str(&format!(" {name:<22} {:<11} {score:>5}  {shown}\n", check.state.name()));
    }
    if !books.is_empty() {
        let text =
            format!("Statistics of books and trades are kept with alerts only; none is open of {}.", books.join(", "));
        out.push_str(&paint.faint(lines(&text).trim_end()));
        out.push('\n');
    }
    out
}

/// "funding_zscore_24h −3.7σ of 2.0σ", or why there is no number.
pub(super) fn statistic(s: &Statistic) -> String {
    let threshold = significant(s.threshold, &s.unit);
    match (s.value, s.reason) {
        (Some(value), _) => {
            // Its name says over how long.
            let short = |text: String| text.replace(" per 8 h", "");
            let (value, threshold) = (short(significant(value, &s.unit)), short(threshold));
            // The unit once: "0.0010 of 0.0500 %".
            let unit = threshold.find(' ').map_or("", |at| &threshold[at..]);
            format!("{} {} of {threshold}", s.name, value.strip_suffix(unit).unwrap_or(&value))
        }
        (None, Some(reason)) => format!("{}: {}", s.name, reason.name().replace('_', " ")),
        (None, None) => s.name.to_string(),
    }
}

fn sources(sources: &[SourceView], paint: Paint) -> String {
    let head = format!("{:<23} {:<20} {:>11} {:>8} {:>8}", "data", "source", "valid, 1 h", "age", "limit");
    let mut out = format!("\n{}\n", paint.strong(&head));
    for s in sources {
        let Some(source) = &s.source else {
            out.push_str(&format!(" {:<22} never seen\n", s.metric));
            continue;
        };
        let share = s.valid_share_60m.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        let of = |seconds: Option<i64>| seconds.map_or_else(|| "–".to_owned(), span);
        let gap = s.gap.map_or_else(String::new, |gap| format!("  lost: {gap}"));
        let (age, limit) = (of(s.age_s), of(s.max_age_s));
        out.push_str(&format!(" {:<22} {source:<20} {share:>11} {age:>8} {limit:>8}{gap}\n", s.metric));
    }
    out
}

/// "45 s", "12 min", "3 h"
fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", Span::secs(seconds).0 / Span::mins(1).0),
        _ => format!("{} h", seconds / 3_600),
    }
}
