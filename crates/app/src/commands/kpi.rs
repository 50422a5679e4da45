//! `kpi`: what advice was worth on recorded bars (risk §8). Nothing is stored.

use crate::advice::rules;
use crate::builtin::BuiltIn;
use crate::cli::{Common, KpiArgs};
use crate::commands::{reader, target};
use crate::config::Settings;
use crate::failure::Failure;
use crate::input;
use crate::kpi::gather::{EntryRange, GatheredMarket, gather};
use crate::kpi::{KpiRun, MeasuredMarket, MeasuredStrategy, print};
use crate::progress::{Progress, Unit};
use crate::setup::configured;
use crate::term::Paint;
use barograph_domain::time::DAY;
use barograph_domain::{Instrument, Span, StreamDecl, Ts};
use barograph_engine::kpi::{KpiCounts, TradeCosts, compare, measure, report, tune_sessions};
use std::io::{BufWriter, Write as _};

pub(crate) fn run(args: &KpiArgs, settings: &Settings, common: &Common, json: bool) -> Result<(), Failure> {
    check(args)?;
    let stored = args.paths.is_empty() && (common.data.is_some() || common.db_url.is_some());
    let (gathered, book, logic_version) = if stored { of_store(args, settings)? } else { of_files(args, settings)? };
    let measured = measured(args, gathered, book, logic_version)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if json {
        print::lines(&mut out, &measured)?;
    } else {
        print::table(&mut out, &measured, Paint::detect())?;
    }
    out.flush()?;
    if measured.markets.iter().all(|m| m.step.is_none()) {
        return Err(Failure::usage(format!(
            "no market has bars of {} or finer that divide it: nothing was measured",
            args.timeframe.compact()
        )));
    }
    Ok(())
}

fn check(args: &KpiArgs) -> Result<(), Failure> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && until <= from
    {
        return Err(Failure::usage(format!("--until {until} is not later than --from {from}")));
    }
    if args.horizon < args.timeframe || args.horizon > Span::days(30) {
        return Err(Failure::usage(format!(
            "--horizon {} is not between one bar ({}) and 30 days",
            args.horizon,
            args.timeframe.compact()
        )));
    }
    Ok(())
}

fn wanted(args: &KpiArgs, settings: &Settings) -> EntryRange {
    let (strategies, rules) = (args.strategies(), rules(settings));
    EntryRange { strategies, timeframe: args.timeframe, from: args.from, until: args.until, rules }
}

type Found = (Vec<GatheredMarket>, String, String);

fn of_files(args: &KpiArgs, settings: &Settings) -> Result<Found, Failure> {
    let options = input::options(&args.declared, args.source.as_ref(), settings)?;
    let built_in = if args.paths.is_empty() { Some(BuiltIn::unpack()?) } else { None };
    let paths = built_in.as_ref().map_or_else(|| args.paths.clone(), BuiltIn::paths);
    let plan = input::plan(&paths, &options)?;
    let setup = configured(settings, plan.policy_text().to_owned())?;
    input::print_declarations(&plan)?;
    let mut progress = Progress::new(plan.total_bytes(), "replaying", Unit::Bytes);
    let mut opened = plan.open(None);
    let events = core::iter::from_fn(|| {
        let event = opened.next()?;
        progress.set(opened.bytes_read());
        Some(Ok(event))
    });
    let gathered = gather(&setup, (plan.instruments(), plan.streams()), events, &wanted(args, settings))?;
    let report = opened.finish();
    drop(progress);
    input::print_report(&report)?;
    input::check_failed(&report)?;
    Ok((gathered, setup.book.name.clone(), setup.logic_version))
}

/// Stored points of all markets in the order of their moments: a probability may come from the history of a group.
fn of_store(args: &KpiArgs, settings: &Settings) -> Result<Found, Failure> {
    let reader = reader(settings)?;
    let setup = configured(settings, String::new())?;
    let instruments: Vec<Instrument> = reader.instruments(None)?.into_iter().map(|i| i.instrument).collect();
    if instruments.is_empty() {
        return Err(Failure::usage(format!("there is no market in {}", target(settings))));
    }
    let mut streams: Vec<StreamDecl> = Vec::new();
    for one in &instruments {
        streams.extend(reader.streams(Some(&one.name), None)?.into_iter().map(|i| i.decl));
    }
    let many = if instruments.len() == 1 { "market" } else { "markets" };
    writeln!(std::io::stderr(), "reading {} {many}", instruments.len())?;
    let events = reader.events(&streams, None, None)?.map(|e| e.map_err(Failure::from));
    let gathered = gather(&setup, (&instruments, &streams), events, &wanted(args, settings))?;
    Ok((gathered, setup.book.name.clone(), setup.logic_version))
}

fn measured(
    args: &KpiArgs,
    gathered: Vec<GatheredMarket>,
    book: String,
    logic_version: String,
) -> Result<KpiRun<'_>, Failure> {
    let costs = TradeCosts { taker_fee: args.taker_fee, half_spread: args.half_spread };
    let split = if args.tune_sessions { split(args, &gathered)? } else { None };
    let names = args.strategies();
    let strategies: Vec<MeasuredStrategy> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let (mut trades, mut by_market) = (Vec::new(), Vec::new());
            for (at, one) in gathered.iter().enumerate() {
                let follow = |r| measure((at, r), &one.judged[n], args.horizon, args.seed);
                let (own, of) = one.record.as_ref().map_or_else(Default::default, follow);
                trades.extend(own);
                by_market.push(of);
            }
            MeasuredStrategy {
                name: *name,
                counts: by_market.iter().fold(KpiCounts::default(), KpiCounts::plus),
                by_market,
                report: report(&trades, &costs, args.horizon, args.seed),
                tuning: split.map(|at| tune_sessions(&trades, at, &costs, args.horizon, args.seed)),
                trades,
            }
        })
        .collect();
    let of: Vec<_> = strategies.iter().map(|s| (s.name, s.trades.as_slice())).collect();
    let comparison = (of.len() > 1).then(|| compare(&of, &costs, args.horizon, args.seed));
    let markets = gathered.into_iter().map(|one| {
        let bars = one.record.as_ref().map(|r| r.bars.as_slice()).unwrap_or_default();
        MeasuredMarket {
            step: one.record.as_ref().map(|r| r.step),
            first: bars.first().map(|b| b.close_ts),
            last: bars.last().map(|b| b.close_ts),
            name: one.name,
        }
    });
    Ok(KpiRun { args, costs, book, logic_version, markets: markets.collect(), strategies, comparison })
}

/// Where the part ends in which sessions are chosen; `None` where no entry could be.
fn split(args: &KpiArgs, gathered: &[GatheredMarket]) -> Result<Option<Ts>, Failure> {
    let marks = || gathered.iter().filter_map(|one| one.record.as_ref()).flat_map(|r| r.marks.iter().map(|m| m.at));
    let (Some(first), Some(last)) = (marks().min(), marks().max()) else { return Ok(None) };
    let Some(at) = args.tune_until else { return Ok(Some((first + Span((last - first).0 / 3 * 2)).floor(DAY))) };
    if first < at && at < last {
        return Ok(Some(at));
    }
    Err(Failure::usage(format!(
        "--tune-until {at} leaves nothing on one side of it; entries are possible from {first} to {last}"
    )))
}
