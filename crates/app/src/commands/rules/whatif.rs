//! `rules whatif`: what a changed rule book would have said of what is stored, as a table of 80 columns or as JSON.

use crate::cli::WhatIfArgs;
use crate::commands::advise::{refused, service};
use crate::config::Settings;
use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use crate::setup::book_text;
use crate::signal_words::UsedValues;
use crate::term::{fold, minute};
use barograph_api::AskWhatIf as _;
use barograph_domain::Axis;
use barograph_domain::scorecard::SkillVerdict;
use barograph_domain::whatif::{
    AlertBudgetView, BeforeAfter, ForecastWhatIf, HitRates, LabelWhatIf, MarketWhatIf, SignalWhatIf, TunedView,
    WhatIfCounts, WhatIfRequest, WhatIfView,
};
use barograph_query::service::Service;
use barograph_query::whatif::WhatIfLimits;
use std::io::Write;
use std::sync::Mutex;

/// Of a threshold, for a curve: from half to twice.
const STEPS: [f64; 9] = [0.5, 0.625, 0.75, 0.875, 1.0, 1.125, 1.25, 1.5, 2.0];
/// Markets listed one by one.
const LISTED: usize = 12;

pub(super) fn run(args: &WhatIfArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let book = args.new.as_deref().map(book_text).transpose()?.map(|(_, text)| text);
    let service = service(settings)?;
    service.keep_in(settings.data.clone());
    let request = args.request(book);
    if let Some(name) = &args.curve {
        return curve(&service, &request, name, json);
    }
    let view = ask(&service, &request)?;
    if let Some(file) = &args.save {
        save(file, &view.text)?;
    }
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &view).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        print(&mut out, &view)?;
        if let Some(file) = &args.save {
            writeln!(out, "the changed book is in {}", file.display())?;
        }
    }
    out.flush()?;
    match &view.budget {
        Some(AlertBudgetView { kept: false, .. }) if view.tuned.is_none() => Err(Failure::No(String::new())),
        _ => Ok(()),
    }
}

fn ask(service: &Service, request: &WhatIfRequest) -> Result<WhatIfView, Failure> {
    let progress = Mutex::new(None);
    let told = |done: u64, total: u64| {
        if let Ok(mut bar) = progress.lock() {
            bar.get_or_insert_with(|| Progress::new(total, "reading stored minutes", Unit::Steps)).set(done);
        }
    };
    service.what_if_watched(request, WhatIfLimits::NONE, &told).map_err(refused)
}

/// A new file: nobody's book is written over.
fn save(file: &std::path::Path, text: &str) -> Result<(), Failure> {
    let wrong = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::usage(format!(
            "{} is there already, and no book is written over: give --save another name, or remove that file first",
            file.display()
        )),
        _ => Failure::usage(format!("cannot write {}: {e}", file.display())),
    };
    let mut new = std::fs::File::options().write(true).create_new(true).open(file).map_err(wrong)?;
    new.write_all(text.as_bytes()).map_err(wrong)
}

fn print(out: &mut impl Write, view: &WhatIfView) -> std::io::Result<()> {
    let replayed: Vec<_> = view.markets.iter().filter(|m| m.counts.market_days > 0.0).collect();
    let n = replayed.len();
    let markets = if let [one] = replayed[..] { one.instrument.to_string() } else { format!("{n} markets") };
    let changed = if view.changed == view.base { "as changed" } else { &view.changed };
    writeln!(out, "{} and {changed}: {markets}, {:.1} market-days", view.base, view.all.market_days)?;
    writeln!(out, "stored minutes from {} to {}", minute(view.from), minute(view.to))?;
    if view.changes.is_empty() {
        writeln!(out, "no threshold differs")?;
    }
    for change in &view.changes {
        let side = |x: Option<f64>| x.map_or("none".to_owned(), |x| x.to_string());
        writeln!(out, "  {:<46} {:>10} -> {}", change.name, side(change.before), side(change.after))?;
    }
    writeln!(out)?;
    table(out, &view.all)?;
    forecasts(out, &view.all.forecasts)?;
    if let Some(differs) = view.all.minutes_not_as_published.filter(|n| *n > 0) {
        let told = format!("{differs} minutes replayed under the base are other labels than were published then");
        writeln!(out, "{}", fold(&told, 80, ""))?;
    }
    if let Some(signals) = &view.signals {
        print_signals(out, signals)?;
    }
    if n > 1 {
        by_market(out, &replayed)?;
    }
    if let Some(budget) = &view.budget {
        writeln!(out, "{}", fold(&budget_line(budget), 80, ""))?;
    }
    if let Some(tuned) = &view.tuned {
        print_tuned(out, tuned)?;
    }
    for left in &view.left_out {
        writeln!(out, "{}", fold(&format!("left out: {left}"), 80, "  "))?;
    }
    Ok(())
}

fn pair(of: BeforeAfter, show: impl Fn(f64) -> String) -> String {
    let side = |x: Option<f64>| x.map_or("-".to_owned(), &show);
    format!("{:>8} {:>8}", side(of.before), side(of.after))
}

fn rate(x: f64) -> String {
    format!("{x:.2}")
}

fn percent(x: f64) -> String {
    format!("{:.1} %", x * 100.0)
}

fn table(out: &mut impl Write, all: &WhatIfCounts) -> std::io::Result<()> {
    writeln!(out, "{:<24} {:>17} {:>19} {:>9}", "a day and market", "times a day", "share of minutes", "overlap")?;
    writeln!(out, "{:<24} {:>8} {:>8}  {:>8} {:>8}", "", "before", "after", "before", "after")?;
    for axis in &all.axes {
        for label in axis.labels.iter().filter(|l| l.minutes_both + l.minutes_before_only + l.minutes_after_only > 0) {
            line(out, axis.axis, label)?;
        }
        writeln!(out, "{:<24} {}", format!("{} changes", axis.axis.name()), pair(axis.changes_per_day, rate))?;
    }
    for rule in &all.rules {
        writeln!(out, "{:<24} {}", format!("alert {}", rule.rule), pair(rule.per_day, rate))?;
    }
    writeln!(out, "{:<24} {}", "all alerts", pair(all.alerts_per_day, rate))
}

fn line(out: &mut impl Write, axis: Axis, label: &LabelWhatIf) -> std::io::Result<()> {
    let name = if axis == Axis::Risk { label.label.clone() } else { format!("{} {}", axis.name(), label.label) };
    let overlap = label.overlap.map_or("-".to_owned(), percent);
    let (times, share) = (pair(label.entries_per_day, rate), pair(label.share, percent));
    writeln!(out, "{name:<24} {times}  {share} {overlap:>9}")
}

fn forecasts(out: &mut impl Write, all: &[ForecastWhatIf]) -> std::io::Result<()> {
    if !all.is_empty() {
        let told = "Skill below is of the label of each minute; a scorecard's is of the probabilities stated with it, every five minutes.";
        writeln!(out, "\n{}", fold(told, 80, ""))?;
    }
    for forecast in all {
        let base = forecast.base_rate.map_or("-".to_owned(), percent);
        let (label, event, horizon) = (&forecast.label, &forecast.event, forecast.horizon_min / 60);
        writeln!(out, "\n{label} as a forecast of {event} ({horizon} h ahead; happens after {base} of moments)")?;
        writeln!(out, "{:<8} {}", "", HEAD)?;
        writeln!(out, "{:<8} {}", "before", hits(&forecast.before))?;
        writeln!(out, "{:<8} {}", "after", hits(&forecast.after))?;
        writeln!(out, "{:<8} before {}", "skill", skill(&forecast.before))?;
        writeln!(out, "{:<8} after  {}", "", skill(&forecast.after))?;
    }
    Ok(())
}

/// A condition on signals: what it did, and which values that is of.
fn print_signals(out: &mut impl Write, of: &SignalWhatIf) -> std::io::Result<()> {
    writeln!(out)?;
    for line in of.when.split([';', '\n']).map(str::trim).filter(|l| !l.is_empty()) {
        writeln!(out, "{}", fold(line, 80, "  "))?;
    }
    let share = |x: Option<f64>| x.map_or("-".to_owned(), percent);
    let told = format!(
        "began {} times per market-day, true on {} of minutes, undecided on {}",
        of.entries_per_day.map_or("-".to_owned(), rate),
        share(of.share),
        share(of.known_share.map(|x| 1.0 - x)),
    );
    writeln!(out, "{}", fold(&told, 80, ""))?;
    for forecast in &of.forecasts {
        let (event, hours, base) = (&forecast.event, forecast.horizon_min / 60, share(forecast.base_rate));
        writeln!(out, "\nas a forecast of {event} ({hours} h ahead; happens after {base} of moments)")?;
        writeln!(out, "{:<8} {HEAD}", "")?;
        writeln!(out, "{:<8} {}", "", hits(&forecast.hits))?;
        writeln!(out, "{:<8} {}", "skill", skill(&forecast.hits))?;
    }
    writeln!(out)?;
    for used in &of.used {
        let values = UsedValues {
            name: &used.name,
            source: &used.source,
            scope: &used.scope,
            revisions: used.revisions,
            stated: used.stated,
            assumed: used.assumed,
            digest: &used.digest,
        };
        let told = values.sentence(&format!("on {}", used.instrument));
        writeln!(out, "{}", fold(&told, 80, "  "))?;
    }
    Ok(())
}

/// Against persistence, with its band of 90 % and what that amounts to.
fn skill(of: &HitRates) -> String {
    let points = |x: f64| format!("{:+.1}", x * 100.0);
    let (Some(x), Some(low), Some(high)) = (of.skill.value, of.skill.low, of.skill.high) else {
        return SkillVerdict::TooLittleData.spoken().to_owned();
    };
    let verdict = SkillVerdict::of_band(Some(low), Some(high));
    format!("{} % ({}..{}), {}", points(x), points(low), points(high), verdict.spoken())
}

const HEAD: &str = "  alerts   precision (90 %)    lift   events  recall  in force    lead";

fn hits(of: &HitRates) -> String {
    let share = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{:.0} %", x * 100.0));
    let interval = of.precision_low.zip(of.precision_high);
    let interval = interval.map_or(String::new(), |(a, b)| format!(" ({:.0}..{:.0})", a * 100.0, b * 100.0));
    format!(
        "{:>8} {:>18} {:>7} {:>8} {:>7} {:>9} {:>7}",
        of.alerts,
        format!("{}{interval}", share(of.precision)),
        of.lift.map_or("-".to_owned(), |x| format!("{x:.1}")),
        of.events,
        share(of.recall),
        share(of.in_force_at_onset),
        of.median_lead_min.map_or("-".to_owned(), |m| format!("{m} min")),
    )
}

fn by_market(out: &mut impl Write, markets: &[&MarketWhatIf]) -> std::io::Result<()> {
    writeln!(out, "\n{:<34} {:>17} {:>17}", "market", "alerts a day", "changes a day")?;
    for market in markets.iter().take(LISTED) {
        let changes =
            market.counts.axes.first().map_or(BeforeAfter { before: None, after: None }, |a| a.changes_per_day);
        let (alerts, changes) = (pair(market.counts.alerts_per_day, rate), pair(changes, rate));
        writeln!(out, "{:<34} {alerts} {changes}", market.instrument.to_string())?;
    }
    match markets.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "and {more} more; --json lists all"),
    }
}

fn budget_line(budget: &AlertBudgetView) -> String {
    let per_day = budget.per_day;
    let names = budget.exceeded_in.iter().map(ToString::to_string).collect::<Vec<_>>();
    match (budget.kept, names.as_slice()) {
        (true, []) => format!("a budget of {per_day} a day and market is kept in every market"),
        (true, names) => {
            format!("a budget of {per_day} a day and market is kept on average, not in {}", names.join(", "))
        }
        (false, _) => format!("a budget of {per_day} a day and market is not kept"),
    }
}

fn print_tuned(out: &mut impl Write, tuned: &TunedView) -> std::io::Result<()> {
    let TunedView { name, label, before, budget_per_day, .. } = tuned;
    let rate_of = |n: Option<f64>| n.map_or("-".to_owned(), rate);
    let (from, to) = (minute(tuned.chosen_on.from), minute(tuned.chosen_on.to));
    let Some((value, next)) = tuned.value.zip(tuned.following.as_ref()) else {
        let told = format!("no value of {name} keeps {label} to {budget_per_day} entries a day from {from} to {to}");
        return writeln!(out, "\n{}", fold(&told, 80, ""));
    };
    let told = format!(
        "{name} = {value} (now {before}) is the mildest that keeps {label} to {budget_per_day} entries a day and market from {from} to {to}"
    );
    writeln!(out, "\n{}", fold(&told, 80, ""))?;
    let (from, to) = (minute(next.from), minute(next.to));
    let told =
        format!("judged in what followed, {from} to {to}: {} entries a day and market", rate_of(next.entries_per_day));
    writeln!(out, "{}", fold(&told, 80, ""))?;
    forecasts(out, &tuned.forecasts)
}

/// One threshold at several values, the others as they are.
fn curve(service: &Service, request: &WhatIfRequest, name: &str, json: bool) -> Result<(), Failure> {
    let known = service.thresholds(request.base.as_deref()).map_err(refused)?;
    let mut out = std::io::stdout().lock();
    let now = known.items.iter().find(|t| t.name == name);
    let Some(now) = now else {
        // The question says what is wrong with the name.
        let asked = WhatIfRequest { set: vec![format!("{name}=1")], ..request.clone() };
        ask(service, &asked)?;
        return Err(Failure::usage(format!("'{name}' is no full threshold of the base")));
    };
    if !json {
        writeln!(out, "| {name} {} | entries/day | share | flips/day | precision | recall |", now.op)?;
        writeln!(out, "|---:|---:|---:|---:|---:|---:|")?;
    }
    let mut found = Vec::new();
    for value in values(now.value, &now.unit) {
        let asked = WhatIfRequest { set: vec![format!("{name}={value}")], ..request.clone() };
        found.push((value, ask(service, &asked)?.all));
    }
    for (value, all) in &found {
        if json {
            let line = serde_json::json!({ "value": value, "found": all });
            serde_json::to_writer(&mut out, &line).map_err(std::io::Error::from)?;
            writeln!(out)?;
            continue;
        }
        // At the book's own value another axis than risk is not replayed; what it says there stands beside every other value.
        let is_own = value.total_cmp(&now.value).is_eq();
        let beside = found.iter().find(|(v, _)| is_own && v.total_cmp(value).is_ne());
        writeln!(
            out,
            "{}",
            beside.map_or_else(|| curve_line(*value, all, now, false), |(_, b)| curve_line(*value, b, now, true))
        )?;
    }
    Ok(out.flush()?)
}

/// Around a threshold; of percentiles and shares within their range.
fn values(now: f64, unit: &str) -> Vec<f64> {
    let round = |x: f64| (x * 1e4).round() / 1e4;
    if unit == "[0,1]" {
        let mut steps: Vec<f64> = [0.05, 0.10, 0.25, 0.50, 0.75, 0.80, 0.90, 0.95, 0.99].to_vec();
        steps.push(now);
        steps.sort_by(f64::total_cmp);
        steps.dedup_by(|a, b| a.total_cmp(b).is_eq());
        return steps;
    }
    if now.abs() < f64::EPSILON {
        return [-0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1].to_vec();
    }
    STEPS.iter().map(|s| round(now * s)).collect()
}

/// A row of the table; `own`: what the base says, in an answer about another value.
fn curve_line(value: f64, all: &WhatIfCounts, of: &barograph_domain::whatif::ThresholdView, own: bool) -> String {
    let axis = all.axes.iter().find(|a| a.axis.name() == of.axis);
    let label = axis.and_then(|a| a.labels.iter().find(|l| of.rule.starts_with(&l.label)));
    let forecast = all.forecasts.iter().find(|f| of.axis == "risk" && f.label == of.rule);
    let show = |x: Option<f64>, f: &dyn Fn(f64) -> String| x.map_or("-".to_owned(), f);
    let side = |of: BeforeAfter| if own { of.before } else { of.after };
    let hits = forecast.map(|f| if own { &f.before } else { &f.after });
    format!(
        "| {value} | {} | {} | {} | {} | {} |",
        show(label.and_then(|l| side(l.entries_per_day)), &rate),
        show(label.and_then(|l| side(l.share)), &percent),
        show(axis.and_then(|a| side(a.changes_per_day)), &rate),
        show(hits.and_then(|h| h.precision), &percent),
        show(hits.and_then(|h| h.recall), &percent),
    )
}
