//! One series as set: who is asked, for which address, how its body is read, and what is assumed about its values (onchain §1, onchain §6).
//!
//! Names of series are the program's own (`defillama.tvl.ethereum`), written with what they are made of: a standard and a point-in-time
//! metric, or two chains, never share one.

use super::dune::DuneColumn;
use super::{OnchainBody, Quarantine, defillama, dune, fng, glassnode, protocol, scored};
use crate::session::registry::escape;
use barograph_domain::text::is_one_line;
use barograph_domain::{SignalName, Span, Ts};
use core::fmt;

/// How far back a source that has much history is asked again between two readings of all of it.
const RECENT: Span = Span::days(60);

/// Longest name of a unit.
const UNIT_MAX: usize = 32;

/// Whom an address belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OnchainHost {
    /// TVL and volume of exchanges.
    DefiLlama,
    /// Its stablecoins, on a host of their own.
    Stablecoins,
    /// Metrics of a chain; wants a key.
    Glassnode,
    /// Saved queries; wants a key.
    Dune,
    /// The fear and greed index.
    FearGreed,
    /// Scored texts of the user's provider: a file or an address.
    Scored,
}

impl OnchainHost {
    /// Every host with an address of its own.
    pub const ALL: [Self; 5] = [Self::DefiLlama, Self::Stablecoins, Self::Glassnode, Self::Dune, Self::FearGreed];

    /// The word in settings and answers; also the source of its values.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::DefiLlama => "defillama",
            Self::Stablecoins => "stablecoins",
            Self::Glassnode => "glassnode",
            Self::Dune => "dune",
            Self::FearGreed => "fng",
            Self::Scored => "sentiment",
        }
    }

    /// The source that its values name.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::DefiLlama | Self::Stablecoins => "defillama",
            Self::FearGreed => "alternative_me",
            Self::Glassnode | Self::Dune | Self::Scored => self.id(),
        }
    }

    /// Where it is reached; nothing for the user's own.
    #[must_use]
    pub const fn base(self) -> &'static str {
        match self {
            Self::DefiLlama => "https://api.llama.fi",
            Self::Stablecoins => "https://stablecoins.llama.fi",
            Self::Glassnode => "https://api.glassnode.com",
            Self::Dune => "https://api.dune.com",
            Self::FearGreed => "https://api.alternative.me",
            Self::Scored => "",
        }
    }

    /// The header its key travels in. Never the address: addresses are logged.
    #[must_use]
    pub const fn key_header(self) -> Option<&'static str> {
        match self {
            Self::Glassnode => Some("x-api-key"),
            Self::Dune => Some("x-dune-api-key"),
            Self::DefiLlama | Self::Stablecoins | Self::FearGreed | Self::Scored => None,
        }
    }
}

/// What of whom.
#[derive(Clone, PartialEq, Eq, Debug)]
enum SeriesKind {
    Tvl(Option<String>),
    Protocol(String),
    Stablecoins(Option<String>),
    DexVolume(Option<String>),
    FearGreed,
    Glassnode { asset: String, metric: String },
    Dune(DuneColumn),
    Scored,
}

/// One series.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnchainSeries {
    kind: SeriesKind,
    name: SignalName,
}

/// When a series is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeriesPace {
    /// So long after the last answer.
    Every(Span),
    /// At these minutes of a day, UTC.
    At(&'static [i64]),
    /// Every 30 minutes from 00:10 to 06:00 until the day before is there, else every hour.
    Daily,
}

/// What is assumed about the values of a series.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeriesRules {
    /// When it is asked.
    pub pace: SeriesPace,
    /// Longest time between two askings when nothing is wrong.
    pub cadence: Span,
    /// What a value describes: so long from its moment on.
    pub interval: Span,
    /// History that is fetched in one piece counts as known so long after the moment it is of; `None`: since it arrives.
    pub lag: Option<Span>,
    /// The newest value is stale so long after the end of its interval.
    pub stale_after: Span,
    /// All of its history is read again so often, which finds what was restated.
    pub whole_every: Span,
}

/// Which addresses there are, for people who write them.
const WRITE: &str = "write defillama.tvl, defillama.tvl.Ethereum, defillama.protocol.aave, defillama.stablecoins, defillama.dex, fng, \
                     glassnode.btc.market.marketcap_realized_usd, or dune.NAME=QUERY/COLUMN, with a unit as in dune.flow=42/usd[USD]";

impl OnchainSeries {
    /// A series as it is written in the settings.
    ///
    /// # Errors
    /// That it cannot be meant, and what can.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unknown = || format!("'{text}' is no series of an on-chain source; {WRITE}");
        let (what, rest) = text.split_once('.').map_or((text, None), |(what, rest)| (what, Some(rest)));
        let (kind, name) = match (what, rest) {
            ("fng", None) => (SeriesKind::FearGreed, "fng.value".to_owned()),
            ("defillama", Some(rest)) => of_defillama(rest).ok_or_else(unknown)?,
            ("glassnode", Some(rest)) => of_glassnode(rest).ok_or_else(unknown)?,
            ("dune", Some(rest)) => of_dune(rest).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        let name = SignalName::any(&name).map_err(|e| format!("'{text}': {e}"))?;
        Ok(Self { kind, name })
    }

    /// The scored texts of the user's provider.
    ///
    /// # Errors
    /// Never: the name is a valid one.
    pub fn scored() -> Result<Self, String> {
        let name = SignalName::any("sentiment.score").map_err(|e| e.to_string())?;
        Ok(Self { kind: SeriesKind::Scored, name })
    }

    /// The name under which its values are kept.
    #[must_use]
    pub const fn name(&self) -> &SignalName {
        &self.name
    }

    /// Whom it is asked of.
    #[must_use]
    pub const fn host(&self) -> OnchainHost {
        match self.kind {
            SeriesKind::Tvl(_) | SeriesKind::Protocol(_) | SeriesKind::DexVolume(_) => OnchainHost::DefiLlama,
            SeriesKind::Stablecoins(_) => OnchainHost::Stablecoins,
            SeriesKind::FearGreed => OnchainHost::FearGreed,
            SeriesKind::Glassnode { .. } => OnchainHost::Glassnode,
            SeriesKind::Dune(_) => OnchainHost::Dune,
            SeriesKind::Scored => OnchainHost::Scored,
        }
    }

    /// What follows the host's address; `whole`: all history, else what is recent where the source has a way to ask for that.
    #[must_use]
    pub fn path(&self, whole: bool, now: Ts) -> String {
        let of = |chain: &Option<String>, none: &str| {
            chain.as_ref().map_or_else(|| none.to_owned(), |chain| format!("/{}", escape(chain)))
        };
        match &self.kind {
            SeriesKind::Tvl(chain) => format!("/v2/historicalChainTvl{}", of(chain, "")),
            SeriesKind::Protocol(slug) => format!("/protocol/{}", escape(slug)),
            SeriesKind::Stablecoins(chain) => format!("/stablecoincharts{}", of(chain, "/all")),
            SeriesKind::DexVolume(chain) => format!(
                "/overview/dexs{}?excludeTotalDataChart=false&excludeTotalDataChartBreakdown=true",
                of(chain, "")
            ),
            SeriesKind::FearGreed => format!("/fng/?limit={}&format=json", if whole { 0 } else { 30 }),
            SeriesKind::Glassnode { asset, metric } => {
                let since = if whole { String::new() } else { format!("&s={}", (now - RECENT).as_millis() / 1000) };
                format!("/v1/metrics/{metric}?a={}&i=24h&f=json{since}", escape(&asset.to_ascii_uppercase()))
            }
            SeriesKind::Dune(DuneColumn { query, .. }) => {
                format!("/api/v1/query/{query}/results?limit={}&offset=0", dune::ROWS_MAX)
            }
            SeriesKind::Scored => String::new(),
        }
    }

    /// The values in a body that was read at `recv`.
    ///
    /// # Errors
    /// Why none of it is used.
    pub fn read(&self, body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
        match &self.kind {
            SeriesKind::Tvl(_) => defillama::tvl(body, recv),
            SeriesKind::Protocol(_) => protocol::tvl(body, recv),
            SeriesKind::Stablecoins(_) => defillama::stablecoins(body, recv),
            SeriesKind::DexVolume(_) => defillama::dex_volume(body, recv),
            SeriesKind::FearGreed => fng::index(body, recv),
            SeriesKind::Glassnode { .. } => glassnode::metric(body, recv),
            SeriesKind::Dune(of) => dune::result(body, of, recv),
            SeriesKind::Scored => scored::scores(body, recv),
        }
    }

    /// What is assumed about its values.
    #[must_use]
    pub const fn rules(&self) -> SeriesRules {
        let (day, hour) = (Span::days(1), Span::hours(1));
        // The running day has a row from its first hour on; that a day is over shows in the row of the next.
        let hourly = SeriesRules {
            pace: SeriesPace::Every(hour),
            cadence: hour,
            interval: day,
            lag: Some(Span::hours(26)),
            stale_after: Span::hours(3),
            whole_every: day,
        };
        match self.kind {
            SeriesKind::Tvl(_) | SeriesKind::Protocol(_) => hourly,
            // Where the running day has no row, the newest is a day, its lag and two askings old before the next comes.
            SeriesKind::Stablecoins(_) => SeriesRules { stale_after: Span::hours(28), ..hourly },
            SeriesKind::DexVolume(_) => SeriesRules {
                pace: SeriesPace::At(&[2 * 60 + 30, 8 * 60 + 30, 14 * 60 + 30]),
                cadence: Span::hours(12),
                lag: Some(Span::hours(36)),
                stale_after: Span::hours(36),
                ..hourly
            },
            SeriesKind::Glassnode { .. } => SeriesRules {
                pace: SeriesPace::Daily,
                lag: Some(Span::hours(36)),
                stale_after: Span::hours(36),
                whole_every: Span::days(7),
                ..hourly
            },
            // The result says when it was made, so nothing is assumed.
            SeriesKind::Dune(_) => SeriesRules {
                pace: SeriesPace::Every(Span::hours(6)),
                cadence: Span::hours(6),
                lag: None,
                stale_after: dune::RESULT_STALE_AFTER,
                ..hourly
            },
            SeriesKind::FearGreed => SeriesRules {
                pace: SeriesPace::At(&[5, 35, 65, 7 * 60 + 5, 13 * 60 + 5, 19 * 60 + 5]),
                cadence: Span::hours(6),
                interval: Span::ZERO,
                lag: Some(Span::mins(30)),
                stale_after: Span::hours(30),
                whole_every: Span::days(7),
            },
            SeriesKind::Scored => SeriesRules {
                pace: SeriesPace::Every(Span::mins(10)),
                cadence: Span::mins(10),
                interval: Span::ZERO,
                lag: None,
                stale_after: SCORED_STALE_AFTER,
                whole_every: day,
            },
        }
    }
}

/// Texts of a night may be hours apart; six without one is a provider that has stopped.
pub const SCORED_STALE_AFTER: Span = Span::hours(6);

/// What is assumed about values by the name they are kept under; `None` where nothing here writes such a name.
#[must_use]
pub fn rules_of(name: &SignalName) -> Option<SeriesRules> {
    let text = name.as_str();
    let like = |text: &str| OnchainSeries::parse(text).ok().map(|series| series.rules());
    match text.split('.').next()? {
        "fng" => like("fng"),
        "sentiment" => OnchainSeries::scored().ok().map(|series| series.rules()),
        "dune" => like("dune.any=1/any"),
        _ => like(text),
    }
}

/// What values are in that are kept without a unit; `None` where that is not known here. All that is fetched of DefiLlama is in dollars.
#[must_use]
pub fn unit_of(name: &SignalName) -> Option<&'static str> {
    name.as_str().starts_with("defillama.").then_some("USD")
}

impl fmt::Display for OnchainSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// A kind and the name of its values.
type Meant = (SeriesKind, String);

fn of_defillama(rest: &str) -> Option<Meant> {
    let (what, of) = rest.split_once('.').map_or((rest, None), |(what, of)| (what, Some(of.trim())));
    if of.is_some_and(|of| of.is_empty() || !of.is_ascii() || of.chars().any(|c| c.is_control())) {
        return None;
    }
    let chain = of.filter(|of| *of != "all").map(str::to_owned);
    let name = format!("defillama.{what}.{}", chain.as_deref().map_or_else(|| "all".to_owned(), word));
    let kind = match what {
        "tvl" => SeriesKind::Tvl(chain),
        "stablecoins" => SeriesKind::Stablecoins(chain),
        "dex" => SeriesKind::DexVolume(chain),
        "protocol" => SeriesKind::Protocol(chain?),
        _ => return None,
    };
    Some((kind, name))
}

fn of_glassnode(rest: &str) -> Option<Meant> {
    let parts: Vec<&str> = rest.split('.').collect();
    let [asset, category, metric] = parts[..] else { return None };
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
    };
    let known = [asset, category, metric].iter().all(|part| plain(part));
    let kind = SeriesKind::Glassnode { asset: asset.to_owned(), metric: format!("{category}/{metric}") };
    known.then(|| (kind, format!("glassnode.{}.{category}.{metric}", word(asset))))
}

fn of_dune(rest: &str) -> Option<Meant> {
    let (name, of) = rest.split_once('=')?;
    let (query, column) = of.split_once('/')?;
    let query = query.trim().parse().ok()?;
    let column = column.trim();
    let (column, unit) = match column.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        Some((column, unit)) => (column.trim_end(), Some(unit.trim().to_owned())),
        None => (column, None),
    };
    let known = !column.is_empty() && unit.as_ref().is_none_or(|unit| is_one_line(unit, UNIT_MAX));
    let of = DuneColumn { query, column: column.to_owned(), unit };
    known.then(|| (SeriesKind::Dune(of), format!("dune.{}", name.trim())))
}

/// A name as a word of ours.
fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let word: String = text.chars().map(plain).collect();
    // Words of names begin with a letter.
    if word.starts_with(|c: char| c.is_ascii_lowercase()) { word } else { format!("n{word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ts = Ts::from_civil(2026, 11, 20, 0, 0, 0);

    #[test]
    fn what_is_written_is_asked_and_has_a_name_of_its_own() {
        for (text, name, path) in [
            ("defillama.tvl", "defillama.tvl.all", "/v2/historicalChainTvl"),
            ("defillama.tvl.all", "defillama.tvl.all", "/v2/historicalChainTvl"),
            ("defillama.tvl.OP Mainnet", "defillama.tvl.op_mainnet", "/v2/historicalChainTvl/OP%20Mainnet"),
            ("defillama.tvl.0G", "defillama.tvl.n0g", "/v2/historicalChainTvl/0G"),
            ("defillama.protocol.aave-v3", "defillama.protocol.aave_v3", "/protocol/aave-v3"),
            ("defillama.stablecoins", "defillama.stablecoins.all", "/stablecoincharts/all"),
            (
                "defillama.dex.Base",
                "defillama.dex.base",
                "/overview/dexs/Base?excludeTotalDataChart=false&excludeTotalDataChartBreakdown=true",
            ),
            ("fng", "fng.value", "/fng/?limit=30&format=json"),
            (
                "glassnode.btc.transactions.transfers_volume_exchanges_net_pit",
                "glassnode.btc.transactions.transfers_volume_exchanges_net_pit",
                "/v1/metrics/transactions/transfers_volume_exchanges_net_pit?a=BTC&i=24h&f=json&s=1789948800",
            ),
            ("dune.flow=42/netflow_usd", "dune.flow", "/api/v1/query/42/results?limit=10000&offset=0"),
            ("dune.flow=42/netflow [USD]", "dune.flow", "/api/v1/query/42/results?limit=10000&offset=0"),
        ] {
            let series = OnchainSeries::parse(text).unwrap();
            assert_eq!((series.name().as_str(), series.path(false, NOW).as_str()), (name, path));
            assert_eq!(rules_of(series.name()), Some(series.rules()), "{text}");
        }
        let plain = OnchainSeries::parse("glassnode.btc.indicators.sopr").unwrap();
        let pit = OnchainSeries::parse("glassnode.btc.indicators.sopr_pit").unwrap();
        assert_ne!(plain.name(), pit.name(), "a point-in-time metric is another");
        assert!(!plain.path(true, NOW).contains("&s="));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_can() {
        for bad in [
            "",
            "tvl",
            "defillama",
            "defillama.tvls",
            "defillama.tvl.",
            "defillama.protocol",
            "defillama.tvl.\u{e9}",
            "fng.value",
            "glassnode.btc",
            "glassnode.BTC.market.mvrv",
            "glassnode.btc.market.mvrv?a=1",
            "dune.flow",
            "dune.flow=x/y",
            "dune.flow=1/",
            "dune.flow=1/[USD]",
            "dune.flow=1/y[]",
            "dune.Flow=1/y",
            "x.own",
        ] {
            let why = OnchainSeries::parse(bad).unwrap_err();
            assert!(why.contains(bad), "{bad}: {why}");
        }
    }

    #[test]
    fn keys_travel_in_headers_and_no_address_has_one() {
        for text in ["glassnode.btc.market.mvrv", "dune.flow=42/x"] {
            let series = OnchainSeries::parse(text).unwrap();
            assert!(series.host().key_header().is_some());
            assert!(!series.path(true, NOW).contains("key"), "{text}");
        }
    }
}
