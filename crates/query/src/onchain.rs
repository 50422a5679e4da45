//! Readings of on-chain and sentiment series, made of what the store knew at a moment (features §2.6; R1.32–R1.34, R4.68).
//!
//! Which series a reading of a market is made of: those of its asset or its asset's chain where they are fetched, else those of all
//! chains; the answer names them. What the numbers are is `barograph_engine::onchain`.

use crate::Error;
use barograph_api::onchain::{OnchainReadingView, OnchainView};
use barograph_domain::{InstrumentName, Reason, SignalName, SignalPoint, SignalScope, Span, Ts};
use barograph_engine::onchain::{OnchainInput, OnchainReading, OnchainValue, TvlTrend};
use barograph_engine::universe::Watch;
use barograph_store::{Range, Reader, SignalInfo, SignalQuery};
use barograph_venues::onchain::protocol::JUMP_TAG;
use barograph_venues::onchain::series::{SeriesRules, rules_of};
use barograph_venues::onchain::{fng, vintage};
use std::collections::BTreeMap;

/// The longest window, and the oldest value that is not stale before it.
const REACH: Span = Span::days(30 + 5);
/// Values of one question to the store.
const PAGE: usize = 10_000;
/// Which chain an asset is of, as DefiLlama's names of chains are written here.
const CHAINS: [(&str, &str); 14] = [
    ("ADA", "cardano"),
    ("APT", "aptos"),
    ("ARB", "arbitrum"),
    ("AVAX", "avalanche"),
    ("BNB", "bsc"),
    ("BTC", "bitcoin"),
    ("ETH", "ethereum"),
    ("NEAR", "near"),
    ("OP", "op_mainnet"),
    ("POL", "polygon"),
    ("SOL", "solana"),
    ("SUI", "sui"),
    ("TON", "ton"),
    ("TRX", "tron"),
];
/// Whose numbers these are, as their sources want it stated.
const ATTRIBUTION: [(&str, &str); 4] = [
    ("defillama.", "TVL, stablecoins and exchange volume: DefiLlama (defillama.com)"),
    ("fng.", "Fear and greed index: alternative.me"),
    ("glassnode.", "On-chain metrics: Glassnode (glassnode.com)"),
    ("dune.", "Saved queries: Dune (dune.com)"),
];

/// How a reading is made of its series.
type ReadingMaker = fn(&OnchainInput<'_>, Ts) -> OnchainReading;

/// What a reading is in.
#[derive(Clone, Copy)]
enum ReadingUnit {
    /// A word has none.
    None,
    /// The same, whatever the series.
    Fixed(&'static str),
    /// That of the sources known here; that of a saved query is whatever its owner has made it.
    OfSource(&'static str),
}

/// A reading: its id, unit, the series it may be made of, and how.
struct ReadingDef {
    id: &'static str,
    unit: ReadingUnit,
    of: fn(&OnchainSubject) -> Vec<String>,
    made: ReadingMaker,
}

/// What is asked about.
struct OnchainSubject {
    market: Option<InstrumentName>,
    asset: Option<String>,
    chain: Option<&'static str>,
}

const READINGS: [ReadingDef; 9] = [
    ReadingDef {
        id: "tvl_delta_7d",
        unit: ReadingUnit::Fixed("fraction"),
        of: |s| s.chains("tvl"),
        made: |input, now| input.change(7, now),
    },
    ReadingDef {
        id: "tvl_trend",
        unit: ReadingUnit::None,
        of: |s| s.chains("tvl"),
        made: |input, now| input.change(7, now),
    },
    ReadingDef {
        id: "exchange_netflow_7d",
        unit: ReadingUnit::OfSource("base asset"),
        of: OnchainSubject::flows,
        made: |input, now| input.sum(7, 6, now),
    },
    ReadingDef {
        id: "realized_cap_delta_30d",
        unit: ReadingUnit::Fixed("fraction"),
        of: |s| s.metrics("market.marketcap_realized_usd"),
        made: |input, now| input.change(30, now),
    },
    ReadingDef {
        id: "dex_volume_7d",
        unit: ReadingUnit::OfSource("USD"),
        of: OnchainSubject::volumes,
        made: |input, now| input.sum(7, 6, now),
    },
    ReadingDef {
        id: "dex_volume_ratio",
        unit: ReadingUnit::Fixed("ratio"),
        of: OnchainSubject::volumes,
        made: |input, now| input.week_to_month(now),
    },
    ReadingDef {
        id: "stablecoin_supply_delta_7d",
        unit: ReadingUnit::OfSource("USD"),
        of: OnchainSubject::stablecoins,
        made: |input, now| input.difference(7, now),
    },
    ReadingDef {
        id: "sentiment_z_7d",
        unit: ReadingUnit::Fixed("σ"),
        of: |_| vec!["sentiment.score".to_owned()],
        made: |input, now| input.score(now),
    },
    ReadingDef {
        id: "fear_greed",
        unit: ReadingUnit::Fixed("of 100"),
        of: |_| vec!["fng.value".to_owned()],
        made: |input, now| input.newest(now),
    },
];

impl OnchainSubject {
    fn of(market: Option<&InstrumentName>) -> Self {
        let asset = market.map(|name| Watch::of(name).asset);
        let chain = asset.as_ref().and_then(|asset| CHAINS.iter().find(|(of, _)| of == asset)).map(|(_, chain)| *chain);
        Self { market: market.cloned(), asset, chain }
    }

    /// DefiLlama's series of the asset's chain, then of all.
    fn chains(&self, what: &str) -> Vec<String> {
        let all = ["all"];
        self.chain.iter().chain(&all).map(|chain| format!("defillama.{what}.{chain}")).collect()
    }

    fn volumes(&self) -> Vec<String> {
        [self.chains("dex"), vec!["dune.dex_volume".to_owned()]].concat()
    }

    fn stablecoins(&self) -> Vec<String> {
        [self.chains("stablecoins"), vec!["dune.stablecoin_supply".to_owned()]].concat()
    }

    fn flows(&self) -> Vec<String> {
        let own = self.asset.iter().map(|asset| format!("dune.exchange_netflow_{}", asset.to_ascii_lowercase()));
        self.metrics("transactions.transfers_volume_exchanges_net").into_iter().chain(own).collect()
    }

    /// Glassnode's series of the asset: the one that is never changed before the one that is.
    fn metrics(&self, metric: &str) -> Vec<String> {
        let Some(asset) = &self.asset else { return Vec::new() };
        let asset = asset.to_ascii_lowercase();
        vec![format!("glassnode.{asset}.{metric}_pit"), format!("glassnode.{asset}.{metric}")]
    }
}

/// A series with its values as known.
struct KnownSeries {
    name: SignalName,
    source: String,
    rules: SeriesRules,
    values: Vec<OnchainValue>,
    /// What its values are in, where that is kept with them.
    unit: Option<String>,
    /// What jumps of its days are made of.
    jumps: BTreeMap<Ts, String>,
}

impl KnownSeries {
    fn is_saved_query(&self) -> bool {
        self.name.as_str().starts_with("dune.")
    }

    fn input(&self) -> OnchainInput<'_> {
        OnchainInput { values: &self.values, interval: self.rules.interval, stale_after: self.rules.stale_after }
    }
}

/// All readings at `at`, of what was known then.
///
/// # Errors
/// The store's failure.
pub fn readings(reader: &dyn Reader, market: Option<&InstrumentName>, at: Ts) -> Result<OnchainView, Error> {
    let subject = OnchainSubject::of(market);
    let mut items = Vec::new();
    for def in &READINGS {
        let known = first_known(reader, &subject, &(def.of)(&subject), at)?;
        let confirming = if def.id.starts_with("tvl_") {
            let names = [subject.chains("dex"), subject.chains("stablecoins")];
            let found = names.iter().map(|names| first_known(reader, &subject, names, at));
            found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
        } else {
            Vec::new()
        };
        items.push(view(def, known.as_ref(), &confirming, at));
    }
    let is_of = |prefix: &str| items.iter().any(|i| i.of.as_ref().is_some_and(|of| of.starts_with(prefix)));
    let attribution = ATTRIBUTION.iter().filter(|(prefix, _)| is_of(prefix)).map(|(_, text)| *text).collect();
    Ok(OnchainView { as_of: at, instrument: subject.market, items, attribution })
}

/// The first of these series that has a value.
fn first_known(
    reader: &dyn Reader,
    subject: &OnchainSubject,
    names: &[String],
    at: Ts,
) -> Result<Option<KnownSeries>, Error> {
    let own = subject.market.clone().map(SignalScope::Market);
    for name in names {
        // What is too long for a name is kept under none.
        let Ok(name) = SignalName::any(name) else { continue };
        let all = reader.signals_of(&name, Some(at))?;
        // What is of the market itself before what is of every one.
        for scope in own.iter().chain(&[SignalScope::Every]) {
            let of: Vec<&SignalInfo> = all.iter().filter(|info| &info.scope == scope).collect();
            let Some(rules) = rules_of(&name).filter(|_| !of.is_empty()) else { continue };
            let mut points = Vec::new();
            for info in &of {
                points.extend(known(reader, info, at)?);
            }
            points.sort_by(|a, b| (a.event_ts, &a.source).cmp(&(b.event_ts, &b.source)));
            // A query that was changed to another unit begins anew.
            let unit = points.last().and_then(|p| p.tags.get(vintage::UNIT_TAG)).cloned();
            points.retain(|p| p.tags.get(vintage::UNIT_TAG) == unit.as_ref());
            let jumps = points.iter().filter_map(|p| Some((p.event_ts, p.tags.get(JUMP_TAG)?.clone()))).collect();
            let values: Vec<OnchainValue> = points.iter().filter_map(value).collect();
            if values.is_empty() {
                continue;
            }
            let sources: Vec<&str> = of.iter().map(|info| info.source.as_str()).collect();
            return Ok(Some(KnownSeries { name, source: sources.join(", "), rules, values, unit, jumps }));
        }
    }
    Ok(None)
}

/// The values of a series of one source as known at a moment, as far back as a reading reaches.
fn known(reader: &dyn Reader, info: &SignalInfo, at: Ts) -> Result<Vec<SignalPoint>, Error> {
    let mut query = SignalQuery {
        name: info.name.clone(),
        scope: info.scope.clone(),
        source: Some(info.source.clone()),
        range: Range { start: at - REACH, end: Ts::MAX },
        as_of: Some(at),
        revisions: false,
        limit: PAGE,
    };
    let mut points = Vec::new();
    loop {
        let page = reader.signal_points(&query)?;
        points.extend(page.items);
        match page.next {
            Some(next) => query.range.start = next,
            None => return Ok(points),
        }
    }
}

fn value(point: &SignalPoint) -> Option<OnchainValue> {
    Some(OnchainValue {
        at: point.event_ts,
        value: point.value?,
        provisional: vintage::is_provisional(point),
        assumed: vintage::is_assumed(point),
    })
}

fn view(def: &ReadingDef, known: Option<&KnownSeries>, confirming: &[KnownSeries], at: Ts) -> OnchainReadingView {
    const NOTHING: OnchainInput<'_> = OnchainInput { values: &[], interval: Span::ZERO, stale_after: Span::ZERO };
    let reading = (def.made)(&known.map_or(NOTHING, KnownSeries::input), at);
    let word = reading.value.ok().and_then(|value| match def.id {
        "tvl_trend" => Some(TvlTrend::of(value).name()),
        "fear_greed" => Some(fng::class(value)),
        _ => None,
    });
    OnchainReadingView {
        id: def.id,
        value: reading.value.ok().filter(|_| def.id != "tvl_trend"),
        word,
        reason: reading.value.err().map(Reason::name),
        unit: unit(def, known),
        of: known.map(|k| k.name.to_string()),
        source: known.map(|k| k.source.clone()),
        n: reading.n,
        need: reading.need,
        assumed: reading.assumed,
        until: reading.until,
        age_s: reading.until.map(|until| (at - until).as_secs().max(0)),
        note: match known {
            Some(tvl) if def.id.starts_with("tvl_") => jump_note(tvl, confirming, at),
            Some(query) if reading.value.is_ok() && is_unit_open(def, query) => Some(format!(
                "what {0} is in is not known; name it in the setting 'onchain', as in {0}=QUERY/COLUMN[USD]",
                query.name
            )),
            _ => None,
        },
    }
}

fn unit(def: &ReadingDef, known: Option<&KnownSeries>) -> Option<String> {
    match (def.unit, known) {
        (ReadingUnit::None, _) => None,
        (ReadingUnit::OfSource(_), Some(query)) if query.is_saved_query() => query.unit.clone(),
        (ReadingUnit::Fixed(unit) | ReadingUnit::OfSource(unit), _) => Some(unit.to_owned()),
    }
}

/// Has nobody named what the reading is in?
fn is_unit_open(def: &ReadingDef, known: &KnownSeries) -> bool {
    !matches!(def.unit, ReadingUnit::None) && unit(def, Some(known)).is_none()
}

/// What must be known of a day that moved a lot.
fn jump_note(tvl: &KnownSeries, confirming: &[KnownSeries], at: Ts) -> Option<String> {
    let (day, moved) = tvl.input().jump(at)?;
    let by = confirming.iter().find(|other| other.input().confirms(day, moved)).map(|other| other.name.to_string());
    let (y, m, d, ..) = day.civil();
    let moved = format!("{:+.0} % on {y:04}-{m:02}-{d:02}", moved * 100.0);
    Some(match (by, tvl.jumps.get(&day)) {
        (Some(name), _) => format!("{moved}; {name} moved the same way that day"),
        (None, Some(jump)) => format!("{moved}, provisional: {jump}"),
        (None, None) => format!("{moved}, provisional: it may be a change of how the source counts"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::SignalDesk;
    use barograph_domain::SignalKnown;
    use barograph_store::{StoreTarget, open_reader};

    const T0: Ts = Ts::from_civil(2026, 11, 1, 0, 0, 0);

    fn point(name: &str, day: i64, value: f64, known_h: i64) -> SignalPoint {
        let event_ts = T0 + Span::days(day);
        SignalPoint {
            name: SignalName::any(name).unwrap(),
            scope: SignalScope::Every,
            source: "defillama".to_owned(),
            event_ts,
            value: Some(value),
            tags: BTreeMap::new(),
            known_ts: event_ts + Span::hours(known_h),
            known: SignalKnown::Received,
        }
    }

    fn stored(points: &[SignalPoint]) -> (tempfile::TempDir, Box<dyn Reader>) {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(folder.path().to_owned());
        SignalDesk::new(target.clone()).put(points).unwrap();
        (folder, open_reader(&target).unwrap())
    }

    fn item<'a>(view: &'a OnchainView, id: &str) -> &'a OnchainReadingView {
        view.items.iter().find(|i| i.id == id).unwrap()
    }

    #[test]
    fn a_revision_counts_from_the_moment_it_was_known() {
        let mut all: Vec<SignalPoint> = (0..8).map(|d| point("defillama.tvl.all", d, 100.0, 26)).collect();
        // The last day is corrected an hour after it was first known.
        all.push(point("defillama.tvl.all", 7, 110.0, 27));
        let (_folder, reader) = stored(&all);
        let at = |h: i64| readings(reader.as_ref(), None, T0 + Span::days(7) + Span::hours(h)).unwrap();
        assert_eq!(item(&at(26), "tvl_delta_7d").value, Some(0.0));
        assert_eq!(item(&at(26), "tvl_trend").word, Some("FLAT"));
        let corrected = at(27);
        assert!((item(&corrected, "tvl_delta_7d").value.unwrap() - 0.1).abs() < 1e-12, "{corrected:?}");
        assert_eq!(item(&corrected, "tvl_delta_7d").until, Some(T0 + Span::days(8)));
        assert_eq!((item(&corrected, "tvl_trend").word, item(&corrected, "tvl_trend").value), (Some("UP"), None));
        let unknown = at(2);
        assert_eq!(item(&unknown, "tvl_delta_7d").reason, Some("warming"), "the last day is not known yet");
        assert_eq!(item(&unknown, "sentiment_z_7d").reason, Some("missing_input"));
        assert_eq!(item(&at(24 * 30), "tvl_delta_7d").reason, Some("stale"));
        assert_eq!(unknown.items.len(), 9);
        assert_eq!(corrected.attribution, ["TVL, stablecoins and exchange volume: DefiLlama (defillama.com)"]);
    }

    #[test]
    fn a_market_has_the_series_of_its_chain_and_asset_where_they_are_fetched() {
        let names = [
            "defillama.tvl.all",
            "defillama.tvl.ethereum",
            "glassnode.eth.transactions.transfers_volume_exchanges_net",
        ];
        let pit = "glassnode.btc.transactions.transfers_volume_exchanges_net_pit";
        let all: Vec<SignalPoint> =
            (0..8).flat_map(|d| names.iter().chain([&pit]).map(move |name| point(name, d, 2.0, 26))).collect();
        let (_folder, reader) = stored(&all);
        let of = |market: &str, id: &str| {
            let market = InstrumentName::parse(market).unwrap();
            let view = readings(reader.as_ref(), Some(&market), T0 + Span::days(8) + Span::hours(2)).unwrap();
            let found = item(&view, id);
            (found.of.clone(), found.value)
        };
        assert_eq!(of("binance-usdm:ETHUSDT", "tvl_delta_7d"), (Some("defillama.tvl.ethereum".to_owned()), Some(0.0)));
        assert_eq!(of("binance-usdm:BTCUSDT", "tvl_delta_7d"), (Some("defillama.tvl.all".to_owned()), Some(0.0)));
        assert_eq!(of("binance-usdm:ETHUSDT", "exchange_netflow_7d"), (Some(names[2].to_owned()), Some(14.0)));
        assert_eq!(of("binance-usdm:BTCUSDT", "exchange_netflow_7d"), (Some(pit.to_owned()), Some(14.0)));
        assert_eq!(of("binance-usdm:SOLUSDT", "exchange_netflow_7d"), (None, None));
    }

    #[test]
    fn a_jump_of_a_day_is_provisional_unless_something_moved_with_it() {
        let tvl = |d| point("defillama.tvl.all", d, if d == 7 { 140.0 } else { 100.0 }, 26);
        let mut all: Vec<SignalPoint> = (0..8).map(tvl).collect();
        let note = |all: &[SignalPoint]| {
            let (_folder, reader) = stored(all);
            let view = readings(reader.as_ref(), None, T0 + Span::days(8) + Span::hours(2)).unwrap();
            item(&view, "tvl_delta_7d").note.clone().unwrap()
        };
        assert_eq!(note(&all), "+40 % on 2026-11-08, provisional: it may be a change of how the source counts");
        let dex = |d| point("defillama.dex.all", d, if d == 7 { 13.0 } else { 10.0 }, 26);
        all.extend((0..8).map(dex));
        assert_eq!(note(&all), "+40 % on 2026-11-08; defillama.dex.all moved the same way that day");
    }

    #[test]
    fn the_unit_of_a_saved_query_is_not_guessed() {
        let mut all: Vec<SignalPoint> = (0..8).map(|d| point("dune.exchange_netflow_btc", d, 2.0, 26)).collect();
        let flow = |all: &[SignalPoint]| {
            let (_folder, reader) = stored(all);
            let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
            let view = readings(reader.as_ref(), Some(&market), T0 + Span::days(8) + Span::hours(2)).unwrap();
            item(&view, "exchange_netflow_7d").clone()
        };
        let bare = flow(&all);
        assert_eq!((bare.value, bare.unit), (Some(14.0), None));
        assert!(bare.note.unwrap().contains("dune.exchange_netflow_btc=QUERY/COLUMN[USD]"));
        let name = |p: &mut SignalPoint| drop(p.tags.insert(vintage::UNIT_TAG.to_owned(), "USD".to_owned()));
        all.iter_mut().for_each(name);
        let named = flow(&all);
        assert_eq!((named.value, named.unit.as_deref(), named.note), (Some(14.0), Some("USD"), None));
        // Days in another unit are no part of the sum.
        all[..4].iter_mut().for_each(|p| drop(p.tags.remove(vintage::UNIT_TAG)));
        let mixed = flow(&all);
        assert_eq!((mixed.value, mixed.reason, mixed.n), (None, Some("warming"), 4));
    }

    #[test]
    fn a_jump_is_explained_by_the_word_of_its_own_day() {
        let tvl = |d: i64| point("defillama.tvl.all", d, if d < 7 { 100.0 } else { 140.0 }, 0);
        let mut all: Vec<SignalPoint> = (0..9).map(tvl).collect();
        all[7].tags.insert(JUMP_TAG.to_owned(), "flows".to_owned());
        all[8].tags.insert(JUMP_TAG.to_owned(), "price".to_owned());
        all[8].tags.insert(vintage::PROVISIONAL_TAG.to_owned(), vintage::YES.to_owned());
        let (_folder, reader) = stored(&all);
        let view = readings(reader.as_ref(), None, T0 + Span::days(8) + Span::hours(2)).unwrap();
        assert_eq!(item(&view, "tvl_delta_7d").note.as_deref(), Some("+40 % on 2026-11-08, provisional: flows"));
    }
}
