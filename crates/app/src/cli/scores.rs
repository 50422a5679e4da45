//! How good calls were, and the forecasts behind that.

use barograph_api::agent_sessions::AGENT;
use barograph_domain::Ts;
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_verify::contest::EVENTS;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct ScorecardArgs {
    /// One event only, as in hv_1h; may be repeated
    #[arg(long, value_name = "EVENT", value_parser = event)]
    pub(crate) event: Vec<ForecastEvent>,
    /// Whose forecasts: rules, hmm, bocpd, logistic or boosting (see: barograph contest)
    #[arg(long, value_name = "NAME", value_parser = forecaster)]
    pub(crate) classifier: Option<Forecaster>,
    /// One market, a group (btc, eth, other), or all; may be repeated
    #[arg(long, value_name = "SYMBOL|GROUP")]
    pub(crate) market: Vec<String>,
    /// Counted back from the newest tick: 30d, 90d, 365d or all; may be repeated
    #[arg(long, value_name = "WINDOW", value_parser = ["30d", "90d", "365d", "all"])]
    pub(crate) window: Vec<String>,
    /// As it was known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<Ts>,
    /// Also draw the skill of each event with its band, what was stated beside what happened, and the months: of one market
    /// or group and one window (otherwise all of both)
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) picture: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ContestArgs {
    /// One event only, as in hv_1h; may be repeated
    #[arg(long, value_name = "EVENT", value_parser = contested)]
    pub(crate) event: Vec<ForecastEvent>,
}

#[derive(Args, Debug)]
pub(crate) struct DriftArgs {
    /// One market only; may be repeated
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) market: Vec<String>,
    /// How many weeks of each reading --json lists
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=104))]
    pub(crate) weeks: u32,
    /// As it was known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<Ts>,
}

/// How an export is written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ForecastFormat {
    /// Comma-separated, with a header
    Csv,
    /// Parquet
    Parquet,
}

#[derive(Args, Debug)]
pub(crate) struct ForecastsArgs {
    /// One event only, as in hv_1h; may be repeated
    #[arg(long, value_name = "EVENT", value_parser = event)]
    pub(crate) event: Vec<ForecastEvent>,
    /// Whose forecasts: rules, hmm, bocpd, logistic or boosting (see: barograph contest), or agent: with the id of an agent's session,
    /// as in agent:momentum-1
    #[arg(long, value_name = "NAME", value_parser = whose)]
    pub(crate) classifier: Option<Whose>,
    /// One market only
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) market: Option<String>,
    /// Issued at this moment or later
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) from: Option<Ts>,
    /// Issued before this moment
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) to: Option<Ts>,
    /// As the ledger was known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<Ts>,
    /// Write all of them into this file instead of showing the newest
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    /// Format of the file; without it that of its name
    #[arg(long, requires = "export")]
    pub(crate) format: Option<ForecastFormat>,
    /// How many are shown
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

fn event(text: &str) -> Result<ForecastEvent, String> {
    ForecastEvent::from_id(text).ok_or_else(|| {
        let ids: Vec<&str> = ForecastEvent::ALL.iter().map(|e| e.id()).collect();
        let near = ids.iter().max_by(|a, b| strsim::jaro(a, text).total_cmp(&strsim::jaro(b, text)));
        let hint = near.filter(|id| strsim::jaro(id, text) > 0.7).map(|id| format!(" Did you mean '{id}'?"));
        format!("there is no event '{text}'.{} Events: {}", hint.unwrap_or_default(), ids.join(", "))
    })
}

/// Of those that contestants forecast.
pub(crate) fn contested(text: &str) -> Result<ForecastEvent, String> {
    let found = event(text)?;
    if EVENTS.contains(&found) {
        return Ok(found);
    }
    let ids: Vec<&str> = EVENTS.iter().map(|e| e.id()).collect();
    Err(format!("only the rules forecast '{text}'. Contested are: {}", ids.join(", ")))
}

/// Whose forecasts are listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// Those of a ledger.
    Forecaster(Forecaster),
    /// Those on the record of an agent's session, by its id.
    Session(String),
}

fn whose(text: &str) -> Result<Whose, String> {
    match text.strip_prefix(AGENT) {
        Some(session) => Ok(Whose::Session(session.to_owned())),
        None => forecaster(text)
            .map(Whose::Forecaster)
            .map_err(|why| format!("{why}, or agent: with the id of an agent's session, as in agent:momentum-1")),
    }
}

pub(crate) fn forecaster(text: &str) -> Result<Forecaster, String> {
    if text.starts_with(AGENT) {
        return Err(
            "a session is not part of this; how good it was: barograph mcp --report FILE, with its record".to_owned()
        );
    }
    Forecaster::from_id(text).ok_or_else(|| {
        let ids: Vec<&str> = Forecaster::ALL.iter().map(|f| f.id()).collect();
        format!("there is no classifier '{text}'. Classifiers: {}", ids.join(", "))
    })
}
