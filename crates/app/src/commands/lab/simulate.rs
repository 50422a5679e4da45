//! `lab simulate`: what a rule of one's own was worth on columns and regimes.

use super::rule_signals::rule_signals;
use super::{name, root, terms};
use crate::cli::lab::SimulateArgs;
use crate::commands::lab_worth::known_funding;
use crate::commands::{reader, target};
use crate::config::Settings;
use crate::failure::Failure;
use crate::lab::simulation;
use crate::progress::{Progress, Unit};
use barograph_columns::catalogue;
use barograph_domain::time::LATENESS;
use barograph_domain::{
    Axis, HeatRegime, InstrumentName, Label, MinuteRow, RiskRegime, Span, TrendRegime, Ts, VolRegime,
};
use barograph_query::service::configured_run;
use barograph_research::simulation::{SimulationRequest, simulated};
use barograph_store::run::RowQuery;
use barograph_store::{Range, Reader, StoreTarget};
use barograph_study::money::rule::{RuleVocabulary, TradingRule};
use barograph_study::money::simulator::LabelTrack;

/// Minutes read at a time.
const PAGE: usize = 10_000;
/// A label counts for this long behind its minute: a second minute that is missing leaves none.
const LABEL_AGE_MAX: Span = Span::mins(2);

pub(super) fn run(args: &SimulateArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    if let (Some(from), Some(until)) = (args.from, args.until)
        && until <= from
    {
        return Err(Failure::usage(format!(
            "--until {until} is not after --from {from}: there is no time between them"
        )));
    }
    let text = match (&args.rule, &args.rule_file) {
        (Some(rule), _) => rule.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|e| Failure::usage(format!("cannot read the rule in {}: {e}", file.display())))?,
        (None, None) => String::new(),
    };
    let rule = TradingRule::parse(&text, &vocabulary()).map_err(|faults| {
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::usage(format!("the rule cannot be read\n{}", all.join("\n")))
    })?;
    let labels = labels(&market, settings, &rule.axes())?;
    let signals = rule_signals(&rule, &market, (args.from, args.until), settings)?;
    let funding = known_funding(&market, &args.funding, settings)?;
    let request = SimulationRequest {
        lake: root(&args.place, settings),
        market,
        rule,
        labels,
        signals,
        terms: terms(&args.fee, &args.order)?,
        funding,
        from: args.from,
        until: args.until,
        seed: args.seed,
    };
    let mut progress: Option<Progress> = None;
    let report = simulated(&request, &mut |done, of| {
        progress.get_or_insert_with(|| Progress::new(of as u64, "trading", Unit::Steps)).set(done as u64);
    })?;
    drop(progress);
    simulation::print(&text, &report, json)
}

fn vocabulary() -> RuleVocabulary {
    fn axis<L: Label>() -> (String, Vec<String>) {
        (L::AXIS.name().to_owned(), L::LABELS.iter().map(|l| l.word().to_owned()).collect())
    }
    RuleVocabulary {
        columns: catalogue().iter().map(|c| c.id.to_owned()).collect(),
        axes: vec![axis::<RiskRegime>(), axis::<TrendRegime>(), axis::<VolRegime>(), axis::<HeatRegime>()],
    }
}

/// Labels of every axis as the data folder has them; none where it knows nothing of the market and the rule does not ask.
fn labels(market: &InstrumentName, settings: &Settings, asked: &[&str]) -> Result<Vec<LabelTrack>, Failure> {
    // A folder without a database knows of no market; one that cannot be read is an error.
    let is_new = matches!(target(settings), StoreTarget::Folder(data) if !data.join("barograph.db").is_file());
    let found = if is_new { None } else { stored(reader(settings)?.as_ref(), market, settings)? };
    match found {
        Some(labels) => Ok(labels),
        None if asked.is_empty() => Ok(Vec::new()),
        None => Err(Failure::usage(format!(
            "the rule asks for {}, and the data folder {} has no labels of {market} by book '{}'; they are made by: barograph up, or from \
             candles by: barograph collect --source PATH",
            asked.join(", "),
            settings.data.display(),
            settings.book
        ))),
    }
}

fn stored(
    reader: &dyn Reader,
    market: &InstrumentName,
    settings: &Settings,
) -> Result<Option<Vec<LabelTrack>>, Failure> {
    let (runs, book) = (reader.runs(None)?, crate::setup::book_id(settings)?);
    let Some(run) = configured_run(&runs, market, &book) else { return Ok(None) };
    let mut changes: [Vec<(Ts, Option<String>)>; 4] = Default::default();
    let mut start = Ts::MIN;
    let mut before: Option<Ts> = None;
    loop {
        let query =
            RowQuery { range: Range { start, end: Ts::MAX }, every: None, after: None, limit: PAGE, as_of: None };
        let found = reader.glances(&run.spec.key, &query, &[])?;
        for row in &found.rows {
            let known = row.ts + LATENESS;
            for (track, label) in changes.iter_mut().zip(words(row)) {
                if let Some(last) = before.filter(|last| known - *last > LABEL_AGE_MAX) {
                    track.push((last + LABEL_AGE_MAX, None));
                }
                if track.last().is_none_or(|(_, last)| last.as_deref() != Some(label)) {
                    track.push((known, Some(label.to_owned())));
                }
            }
            before = Some(known);
        }
        match found.next {
            Some(next) => start = next,
            None => break,
        }
    }
    let Some(last) = before else { return Ok(None) };
    changes.iter_mut().for_each(|track| track.push((last + LABEL_AGE_MAX, None)));
    let axes = [Axis::Risk, Axis::Trend, Axis::Volatility, Axis::Heat];
    Ok(Some(axes.into_iter().zip(changes).map(|(axis, of)| LabelTrack::new(axis.name(), of)).collect()))
}

fn words(row: &MinuteRow) -> [&'static str; 4] {
    [row.risk.label.word(), row.trend.label.word(), row.volatility.label.word(), row.heat.label.word()]
}
