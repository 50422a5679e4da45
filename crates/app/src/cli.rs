//! The command line as written. What is typed is resolved in `config` and `input`; only resolved settings travel on.

mod absent;
mod advice;
mod alerts;
mod cases;
mod context;
mod cross_venue;
mod db;
mod events;
mod kpi;
#[cfg(feature = "lab")]
pub(crate) mod lab;
#[cfg(feature = "lab")]
pub(crate) mod lake;
mod markets;
#[cfg(feature = "mcp")]
mod mcp;
mod onchain;
mod options;
mod paper;
mod scores;
mod sessions;
mod signals;
mod tiers;
mod token;
mod universe;
mod up;
mod values;
mod verify;
mod watch;
mod whatif;

#[cfg(not(all(feature = "lab", feature = "mcp")))]
pub(crate) use absent::NotBuilt;
pub(crate) use advice::{Advise, PositionsCommand};
pub(crate) use alerts::{AlertWatchArgs, Alerts, SilenceArgs as AlertSilence};
pub(crate) use cases::{CasesArgs, CasesCommand, EntryAuthor};
pub(crate) use context::{AnalyzeArgs, ContextArgs, NarrativeArgs, SimilarArgs};
pub(crate) use cross_venue::CrossVenueArgs;
pub(crate) use db::{Db, Forget};
pub(crate) use events::EventsArgs;
pub(crate) use kpi::KpiArgs;
#[cfg(feature = "lab")]
pub(crate) use lab::Lab;
#[cfg(feature = "lab")]
pub(crate) use lake::{Export, Lake};
pub(crate) use markets::Markets;
#[cfg(feature = "mcp")]
pub(crate) use mcp::McpArgs;
pub(crate) use onchain::{OnchainCommand, OnchainFetch, OnchainShow};
pub(crate) use options::{OptionsCommand, OptionsFetch, OptionsShow};
pub(crate) use paper::PaperArgs;
pub(crate) use scores::{
    ContestArgs, DriftArgs, ForecastFormat, ForecastsArgs, ScorecardArgs, Whose, contested, forecaster,
};
pub(crate) use sessions::Sessions;
pub(crate) use signals::{SignalsCommand, SignalsImport, SignalsLs, SignalsShow};
pub(crate) use tiers::TiersArgs;
pub(crate) use token::{Token, TokenRole};
pub(crate) use universe::{CalendarArgs, PortfolioArgs, UniverseArgs};
pub(crate) use up::Up;
pub(crate) use verify::{AccountsArgs, LiquidationsArgs, PatternsArgs, Verify};
pub(crate) use watch::WatchArgs;
pub(crate) use whatif::WhatIfArgs;

use absent::VERSION;
use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use values::{delay, level_timeframe, market_kind, metric, stamp};

/// Listens to crypto derivatives markets and says what the weather is: regime, posture, why, and what would clear it.
/// It never places an order and never says what to trade.
#[derive(Parser, Debug)]
#[command(name = "barograph", version = VERSION, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Settings of every command.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Common {
    /// Data folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Database instead of the one in the data folder, as postgres://user:password@host/name
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) db_url: Option<String>,
    /// Configuration file; without it barograph.toml of the current folder, if there is one
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Rule book: default, absolute, seed1-strict, seed2, seed3, seed4, or a file
    #[arg(long, global = true, value_name = "FILE|NAME")]
    pub(crate) book: Option<String>,
    /// One JSON object per line on standard output, everything else on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Connect to venues live: record, compute, serve
    Up(Up),
    /// Import the built-in history, print the weather report, serve it
    Demo(Demo),
    /// Run files through the engine; prints a report or JSON lines, stores with --data
    Replay(ReplayArgs),
    /// Take every stream of the chosen markets from their venues, store it, stop; with --source import files instead
    #[command(visible_alias = "collect_derivatives_metrics")]
    Collect(Box<Collect>),
    /// The built-in venue server by itself: synthetic markets to try things on
    Sim(Sim),
    /// The context of one market
    #[command(visible_alias = "generate_market_context")]
    Context(ContextArgs),
    /// One market checked: health, open alerts, every pattern with its statistic, sources and gaps
    #[command(visible_alias = "analyze_futures_market")]
    Analyze(AnalyzeArgs),
    /// What a trade you have in mind is walking into; exit 1 when the verdict is AVOID
    Advise(Box<Advise>),
    /// Access tokens, without which only this machine is answered
    Token {
        #[command(subcommand)]
        command: Token,
    },
    /// Notifications: what was sent, silences, and sending again
    Alerts {
        #[command(subcommand)]
        command: Alerts,
    },
    /// Positions you hold: register them, watch them, and see their notices
    Positions {
        #[command(subcommand)]
        command: PositionsCommand,
    },
    /// Values of your own beside what venues publish: bring them, list them, read them
    Signals {
        #[command(subcommand)]
        command: SignalsCommand,
    },
    /// On-chain and sentiment sources: fetch what is set, list it, and what it amounts to
    Onchain {
        #[command(subcommand)]
        command: OnchainCommand,
    },
    /// Implied volatility of options: fetch it from Deribit, or show what is known
    Options {
        #[command(subcommand)]
        command: OptionsCommand,
    },
    /// How large a position a venue allows, with how much leverage and margin: its tiers, asked now
    Tiers(TiersArgs),
    /// One asset over the venues a running process listens to: highest bid, lowest ask, and the taker fees of both
    CrossVenue(CrossVenueArgs),
    /// Alerts you look into: evidence, notes, what came of them; without a command, the list
    Cases(CasesArgs),
    /// The past hours most like a market's newest minute, and what followed
    Similar(SimilarArgs),
    /// How old snapshots and inputs are; exit 1 when older than the threshold
    #[command(visible_alias = "monitor_context_freshness")]
    Freshness(FreshnessArgs),
    /// Price levels of one market: those around the price, or all that were ever known
    Levels(Levels),
    /// What detectors found: events with evidence, newest last
    Events(EventsArgs),
    /// Across markets: correlations against their usual range, and which market leads
    Universe(UniverseArgs),
    /// A basket judged as one: what you hold, registered positions, or the markets compared
    Portfolio(PortfolioArgs),
    /// What advice was worth: simple strategies with and without context on the same entries, with error bands
    Kpi(Box<KpiArgs>),
    /// A kpi strategy followed live on paper: advice logged with its outcome; never an order
    Paper(Box<PaperArgs>),
    /// The last 24 hours of a market in a few sentences; phrased by a language model where narrative_url names one
    Narrative(NarrativeArgs),
    /// Scheduled events that are known to come
    Calendar(CalendarArgs),
    /// Markets and streams in the store with their health; with --venue what a venue lists and what would be recorded
    Markets(Markets),
    /// Look at everything a live process needs: venues, clock, limits, disk, permissions, database, settings
    Doctor(Doctor),
    /// The feature catalogue, or one feature
    Features {
        /// Feature id
        id: Option<String>,
    },
    /// What is usual in each trading session of a market, and the stop distances that follow
    Sessions(Sessions),
    /// Rule books
    Rules {
        #[command(subcommand)]
        command: Rules,
    },
    /// How good calls were: skill against persistence and climatology, alerts, steadiness of labels
    Scorecard(ScorecardArgs),
    /// Statistical forecasters beside the rules, in shadow: who is better than persistence and than the rules
    Contest(ContestArgs),
    /// Has the market changed: readings against their own past, and forecast skill over 30 days
    Drift(DriftArgs),
    /// Every call that was registered, with what came of it; --export writes them all
    Forecasts(Box<ForecastsArgs>),
    /// Checks on your own data
    Verify {
        #[command(subcommand)]
        command: Verify,
    },
    /// Books, trades and feature rows as Parquet files that any tool reads; the journal of raw frames, for other tools
    #[cfg(feature = "lab")]
    Lake {
        #[command(subcommand)]
        command: Lake,
    },
    /// Research on recorded books: data sets, targets, models and what they are worth
    #[cfg(feature = "lab")]
    Lab {
        #[command(subcommand)]
        command: Lab,
    },
    /// Not in this program: the lab's Parquet lake. A whole build has it: make build
    #[cfg(not(feature = "lab"))]
    Lake(NotBuilt),
    /// Not in this program: research on recorded books. A whole build has it: make build
    #[cfg(not(feature = "lab"))]
    Lab(NotBuilt),
    /// The database
    Db {
        #[command(subcommand)]
        command: Db,
    },
    /// Settings with their origin
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// All markets in the terminal as they move; piped, one table as it is now
    Watch(WatchArgs),
    /// Serve the HTTP API
    Serve(Serve),
    /// Tools for a language model, over the Model Context Protocol on standard input and output
    #[cfg(feature = "mcp")]
    Mcp(McpArgs),
    /// Not in this program: tools for language models. A whole build has them: make build
    #[cfg(not(feature = "mcp"))]
    Mcp(NotBuilt),
}

/// What is declared about the files.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct DeclaredArgs {
    /// Whose market: binance-usdm, bybit, kraken …
    #[arg(long)]
    pub(crate) venue: Option<String>,
    /// Symbol in the venue's own spelling
    #[arg(long, alias = "symbols")]
    pub(crate) symbol: Option<String>,
    /// Market kind, for venues this build does not know: spot, perpetual, dated_future
    #[arg(long, value_parser = market_kind)]
    pub(crate) market: Option<barograph_domain::MarketKind>,
    /// What the rows are, where content and name leave it open: bar, mark_price, open_interest …
    #[arg(long, value_parser = metric)]
    pub(crate) metric: Option<barograph_domain::Metric>,
    /// What a row's time means: open, close or instant
    #[arg(long, value_parser = stamp)]
    pub(crate) stamp: Option<barograph_domain::Stamp>,
    /// How long after its stamp a row was known, as in open_interest=60s; may be repeated
    #[arg(long = "delay", value_name = "METRIC=TIME", value_parser = delay)]
    pub(crate) delays: Vec<(barograph_domain::Metric, barograph_domain::Span)>,
    /// Time between rows: timeframe of bars, interval of settled funding
    #[arg(long, value_parser = barograph_domain::Span::parse)]
    pub(crate) cadence: Option<barograph_domain::Span>,
    /// Which column is what, as in time=ts,value=oi,metric=open_interest
    #[arg(long, value_name = "FIELD=COLUMN,…")]
    pub(crate) columns: Option<String>,
    /// With --columns: only rows with these values, as in venue=Binance,coin=BTC
    #[arg(long = "where", value_name = "COLUMN=VALUE,…", requires = "columns")]
    pub(crate) filter: Option<String>,
}

/// Which venues and markets are recorded. Each is a setting too (`barograph config show`).
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Venues, comma-separated; without it those of the settings
    #[arg(long = "venue", visible_alias = "venues", value_name = "ID,…")]
    pub(crate) venues: Option<String>,
    /// Symbols, comma-separated; without it those of the settings
    #[arg(long, visible_alias = "symbol", value_name = "SYMBOL,…")]
    pub(crate) symbols: Option<String>,
    /// Another address for a venue, as in binance-usdm=http://127.0.0.1:9000/binance-usdm
    #[arg(long = "endpoint", visible_alias = "endpoints", value_name = "VENUE=URL,…")]
    pub(crate) endpoints: Option<String>,
}

impl Doctor {
    /// The same as `up` takes it.
    pub(crate) fn up(&self) -> Up {
        Up {
            venues: self.venues.clone(),
            symbols: self.symbols.clone(),
            endpoints: self.endpoints.clone(),
            ..Up::default()
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Sim {
    /// Port on 127.0.0.1; 0: any free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Decides everything that happens
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Number of markets
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=10_000).map(usize::from))]
    pub(crate) markets: usize,
    /// Messages per second of all markets together
    #[arg(long)]
    pub(crate) messages_per_s: Option<f64>,
    /// How much faster than real time its clock runs, 1 to 100
    #[arg(long, default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Play a capture instead: a raw file of cryptofeed (.jsonl) or of hftbacktest's collector, .gz and .zst too. It begins with
    /// the first subscription; its times are moved to now
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "markets", "messages_per_s"])]
    pub(crate) recording: Option<PathBuf>,
    /// Venue to serve: binance-usdm, binance-spot, coinbase, or coinex without a capture
    #[arg(long, default_value = "binance-usdm")]
    pub(crate) venue: String,
    /// Market of the capture, where its file does not say
    #[arg(long, default_value = "", requires = "recording")]
    pub(crate) symbol: String,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Address to serve on
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// Print the report and stop
    #[arg(long)]
    pub(crate) no_serve: bool,
    /// Decides what happens in the synthetic market
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// Files and folders, in any order
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) declared: DeclaredArgs,
    /// Who measured it, where that is not the venue itself
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// First minute shown
    #[arg(long, value_name = "TIME", value_parser = barograph_domain::Ts::parse)]
    pub(crate) from: Option<barograph_domain::Ts>,
    /// First minute no longer shown
    #[arg(long, value_name = "TIME", value_parser = barograph_domain::Ts::parse)]
    pub(crate) until: Option<barograph_domain::Ts>,
    /// With --json: one line per this much time; evaluation stays at a minute
    #[arg(long, default_value = "60s", value_parser = barograph_domain::Span::parse)]
    pub(crate) every: barograph_domain::Span,
    /// Statistical models beside the rules: on (up to 20 markets), off, or symbols; a fit takes about 0.1 s
    #[arg(long, value_name = "SYMBOL,…")]
    pub(crate) models: Option<String>,
    /// Last line of standard output: 64 hex digits over all outputs
    #[arg(long)]
    pub(crate) hash: bool,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that people type")]
pub(crate) struct Collect {
    /// File or folder to read instead of listening to venues; may be repeated
    #[arg(long = "source", value_name = "PATH")]
    pub(crate) sources: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) declared: DeclaredArgs,
    #[command(flatten)]
    pub(crate) live: CollectLive,
    /// One run, which is the default: it goes on to the end of the minute, so that there is a context afterwards
    #[arg(long, conflicts_with = "continuous")]
    pub(crate) once: bool,
    /// As every run does without --no-context
    #[arg(long, conflicts_with_all = ["continuous", "sources"])]
    pub(crate) context: bool,
    /// One run that ends as soon as every stream has spoken and history is in; it makes no context
    #[arg(long, conflicts_with_all = ["context", "continuous", "sources"])]
    pub(crate) no_context: bool,
    /// Go on until stopped, with a line per interval; files are read again
    #[arg(long)]
    pub(crate) continuous: bool,
    /// Seconds (or 60s, 5m) between lines, or between reads of files
    #[arg(long, default_value = "60", value_parser = barograph_domain::Span::parse)]
    pub(crate) interval: barograph_domain::Span,
}

/// What `collect` takes when it listens to venues.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct CollectLive {
    /// All markets that pass the filters below
    #[arg(long, conflicts_with_all = ["symbol", "sources"])]
    pub(crate) all: bool,
    /// With --all: quote currency, as in USDT
    #[arg(long, conflicts_with = "sources")]
    pub(crate) quote: Option<String>,
    /// With --all: spot, futures or both
    #[arg(long, value_name = "KIND", conflicts_with = "sources")]
    pub(crate) market_type: Option<String>,
    /// With --all: least volume of the last 24 hours, in quote currency
    #[arg(long, value_name = "AMOUNT", conflicts_with = "sources")]
    pub(crate) min_volume_24h: Option<String>,
    /// Streams, comma-separated: all, or mark_price, open_interest …
    #[arg(long, value_name = "METRIC,…", conflicts_with = "sources")]
    pub(crate) metrics: Option<String>,
    /// Order books: auto (up to 20 markets), on, off
    #[arg(long, conflicts_with = "sources")]
    pub(crate) books: Option<String>,
    /// Statistical models beside the rules: auto (live, up to 20 markets), on, off, or symbols
    #[arg(long, value_name = "SYMBOL,…")]
    pub(crate) models: Option<String>,
    /// History fetched at first start: auto, 0, or a time such as 30d
    #[arg(long, value_name = "TIME", conflicts_with = "sources")]
    pub(crate) backfill: Option<String>,
    /// Another address for a venue, as in binance-usdm=http://127.0.0.1:9000/binance-usdm
    #[arg(long = "endpoint", visible_alias = "endpoints", value_name = "VENUE=URL,…", conflicts_with = "sources")]
    pub(crate) endpoints: Option<String>,
}

impl Collect {
    /// The same as `up` takes it: venues and markets, nothing served.
    pub(crate) fn up(&self) -> Up {
        let live = self.live.clone();
        Up {
            venues: self.declared.venue.clone(),
            symbols: self.declared.symbol.clone(),
            all: live.all,
            quote: live.quote,
            market_type: live.market_type,
            min_volume_24h: live.min_volume_24h,
            metrics: live.metrics,
            books: live.books,
            models: live.models,
            backfill: live.backfill,
            endpoints: live.endpoints,
            no_serve: true,
            ..Up::default()
        }
    }

    /// The first flag that says something about files.
    pub(crate) fn about_files(&self) -> Option<&'static str> {
        let d = &self.declared;
        [
            ("--market", d.market.is_some()),
            ("--metric", d.metric.is_some()),
            ("--stamp", d.stamp.is_some()),
            ("--delay", !d.delays.is_empty()),
            ("--cadence", d.cadence.is_some()),
            ("--columns", d.columns.is_some()),
            ("--where", d.filter.is_some()),
        ]
        .into_iter()
        .find_map(|(flag, given)| given.then_some(flag))
    }
}

#[derive(Args, Debug)]
pub(crate) struct Levels {
    /// Market: venue:symbol or a bare symbol
    pub(crate) name: String,
    /// The levels as they were known at a moment
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
    /// Of one timeframe only: 15m or 1h
    #[arg(long, value_parser = level_timeframe)]
    pub(crate) timeframe: Option<barograph_domain::Span>,
    /// Only these types, as in EQUAL_HIGHS,BULLISH_OB
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kinds: Vec<String>,
    /// Every level, not only those around the price; those that are used up too
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct FreshnessArgs {
    /// Market; all of them without it
    pub(crate) name: Option<String>,
    /// The same, as the original command spells it
    #[arg(long, conflicts_with = "name")]
    pub(crate) symbol: Option<String>,
    /// Greatest age in seconds (or 5m)
    #[arg(long, default_value = "300", value_parser = barograph_domain::Span::parse, allow_negative_numbers = true)]
    pub(crate) threshold: barograph_domain::Span,
    /// Again on each interval until stopped
    #[arg(long)]
    pub(crate) continuous: bool,
    /// Seconds (or 60s) between checks
    #[arg(long, default_value = "60", value_parser = barograph_domain::Span::parse)]
    pub(crate) interval: barograph_domain::Span,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Rules {
    /// Print a rule book
    Show {
        /// default, absolute, seed1-strict, or a file
        book: Option<String>,
    },
    /// Check a rule book; every mistake with line and column
    Check {
        /// default, absolute, seed1-strict, or a file
        book: String,
    },
    /// What a changed rule book would have said of what is stored
    Whatif(Box<WhatIfArgs>),
}

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Each setting, its value and where it comes from
    Show,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Address; loopback only until there are tokens
    #[arg(long)]
    pub(crate) listen: Option<String>,
}
