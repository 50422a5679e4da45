//! `lab execution`: when to execute an order that has to be executed anyway.

use super::{name, root, studies};
use crate::cli::lab::{ExecutionArgs, TakerArg};
use crate::config::Settings;
use crate::failure::Failure;
use crate::lab::execution;
use crate::progress::{Progress, Unit};
use barograph_domain::{InstrumentName, Side, Span};
use barograph_research::execution::{ExecutionForecast, ExecutionRequest, execution as executed};
use barograph_research::train::StudyRequest;

pub(super) fn run(args: &ExecutionArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    let predicted = args.model.as_ref().map(|model| forecast(args, model, &market, settings)).transpose()?;
    let request = ExecutionRequest {
        lake: root(&args.place, settings),
        market,
        quote: args.order.notional,
        horizon: args.horizon,
        every: args.every.unwrap_or(args.horizon),
        grid: args.grid,
        latency: Span::millis(i64::from(args.order.latency_ms)),
        side: match args.side {
            TakerArg::Buy => Some(Side::Long),
            TakerArg::Sell => Some(Side::Short),
            TakerArg::Both => None,
        },
        seed: args.seed,
        predicted,
    };
    let mut progress: Option<Progress> = None;
    let report = executed(&request, &mut |done, of| {
        progress.get_or_insert_with(|| Progress::new(of as u64, "executing", Unit::Steps)).set(done as u64);
    })?;
    drop(progress);
    execution::print(&request, &report, json)
}

/// The studies whose models predict the cost, with the settings they were fitted with.
fn forecast(
    args: &ExecutionArgs,
    model: &str,
    market: &InstrumentName,
    settings: &Settings,
) -> Result<ExecutionForecast, Failure> {
    let (studies, lake) = (studies(args.studies.as_ref(), settings), root(&args.place, settings));
    let [buy, sell] = args.cost.map(|target| StudyRequest::of_board(&lake, &studies, market, target));
    Ok(ExecutionForecast { buy: buy?, sell: sell?, model: model.to_owned() })
}
