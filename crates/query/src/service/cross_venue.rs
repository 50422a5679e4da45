//! One asset over the venues that are listened to, from the memory of a live process (R4.67).

use super::Service;
use crate::live::board::{BestQuote, LiveMarket};
use barograph_api::cross_venue::{CrossVenueItem, CrossVenueQuote, CrossVenueSide, CrossVenueView};
use barograph_api::{AskCrossVenue, QueryError};
use barograph_domain::leg::is_comparable;
use barograph_domain::{Instrument, InstrumentName, Metric, Reason, Span, StatusState, Ts};
use barograph_engine::cross_venue::{CrossVenueSpread, VenueQuote, cross_venue_spread};
use barograph_venues::fees::TakerFees;
use std::collections::BTreeSet;

/// A quote older than this is not held against another (the age at which a best bid and ask is stale: features §1).
const MAX_AGE: Span = Metric::BestBidAsk.max_age_base();

/// A market and what it quotes.
struct Quoted {
    instrument: Instrument,
    quote: Option<BestQuote>,
    /// Why it does not count.
    reason: Option<Reason>,
}

impl AskCrossVenue for Service {
    fn cross_venue(&self, base: Option<&str>) -> Result<CrossVenueView, QueryError> {
        let live = self.live.as_ref().ok_or(QueryError::NotLive { instrument: None })?;
        let now = self.clock.now();
        let mut all: Vec<Quoted> = Vec::new();
        live.board().each(|name, market| all.extend(quoted(name, market, now)));
        let wanted = |q: &Quoted| {
            let of = q.instrument.name.base_quote().map(|(base, _)| base);
            of.is_some_and(|of| base.is_none_or(|wanted| wanted.eq_ignore_ascii_case(&of)))
        };
        all.retain(wanted);
        all.sort_by(|a, b| a.instrument.name.cmp(&b.instrument.name));
        let fees = self.taker_fees.get().cloned().unwrap_or_default();
        let mut items: Vec<CrossVenueItem> = items_of(&groups(&all), now, &fees);
        // What is quoted in one currency comes before what is quoted in several.
        let place = |i: &CrossVenueItem| (i.base.clone(), i.kind, i.expiry, i.quote.is_none(), i.quote.clone());
        items.sort_by_key(place);
        Ok(CrossVenueView { ts: now.floor(Span::secs(1)), items })
    }
}

impl Service {
    /// Spreads are held against these fees. Once.
    pub fn use_taker_fees(&self, fees: TakerFees) {
        // Set once, where the process begins.
        drop(self.taker_fees.set(fees));
    }
}

/// What a market quotes; `None` where it has no such stream.
fn quoted(name: &InstrumentName, market: &LiveMarket, now: Ts) -> Option<Quoted> {
    let stream = market.streams.iter().find(|s| s.metric == Metric::BestBidAsk)?;
    let reason = match (stream.state, market.best) {
        (StatusState::NotOffered, _) => return None,
        (_, None) => Some(Reason::MissingInput),
        (StatusState::Gap | StatusState::Resync, _) => Some(Reason::Gap),
        (StatusState::Stale, _) => Some(Reason::Stale),
        (StatusState::Live, Some(best)) => (age(&best, now) > MAX_AGE).then_some(Reason::Stale),
    };
    Some(Quoted { instrument: crate::render::instrument(name), quote: market.best, reason })
}

/// How old a quote is: by the venue's stamp, or by ours where the venue's clock is ahead.
fn age(best: &BestQuote, now: Ts) -> Span {
    now - best.event_ts.min(best.recv_ts)
}

/// In which currency the prices of a market are.
fn currency(name: &InstrumentName) -> Option<String> {
    name.base_quote().map(|(_, quote)| quote)
}

/// Markets that are held against each other.
struct AssetGroup<'a> {
    /// The currency of all their prices; `None`: several dollars.
    quote: Option<String>,
    markets: Vec<&'a Quoted>,
}

impl AssetGroup<'_> {
    fn has_two_venues(&self) -> bool {
        self.markets.iter().any(|q| q.instrument.name.venue != self.markets[0].instrument.name.venue)
    }
}

/// Markets of one asset at two venues or more: those that are quoted in one currency, and where there are several dollars, all of them. A
/// crossing in one currency would not show beside one that a dollar coin off its dollar makes.
fn groups(all: &[Quoted]) -> Vec<AssetGroup<'_>> {
    let mut assets: Vec<Vec<&Quoted>> = Vec::new();
    for one in all {
        match assets.iter_mut().find(|group| is_comparable(&group[0].instrument, &one.instrument)) {
            Some(group) => group.push(one),
            None => assets.push(vec![one]),
        }
    }
    let mut groups = Vec::new();
    for markets in assets {
        let quotes: BTreeSet<String> = markets.iter().filter_map(|q| currency(&q.instrument.name)).collect();
        for quote in &quotes {
            let of_it = |q: &&&Quoted| currency(&q.instrument.name).as_ref() == Some(quote);
            let markets = markets.iter().filter(of_it).copied().collect();
            groups.push(AssetGroup { quote: Some(quote.clone()), markets });
        }
        if quotes.len() > 1 {
            groups.push(AssetGroup { quote: None, markets });
        }
    }
    groups.retain(AssetGroup::has_two_venues);
    groups
}

/// An item for each group. Where the highest bid and the lowest ask of all dollars are in one of them, that currency's own item has it.
fn items_of(groups: &[AssetGroup<'_>], now: Ts, fees: &TakerFees) -> Vec<CrossVenueItem> {
    let mut out: Vec<CrossVenueItem> = Vec::new();
    for found in groups.iter().filter_map(|group| item(group, now, fees)) {
        let one = found.bid.as_ref().zip(found.ask.as_ref()).filter(|(bid, ask)| bid.quote == ask.quote);
        let repeats = |own: &CrossVenueItem| {
            (&own.base, own.kind, own.expiry) == (&found.base, found.kind, found.expiry)
                && one.is_some_and(|(bid, _)| own.quote.as_ref() == Some(&bid.quote))
        };
        if found.quote.is_some() || !out.iter().any(repeats) {
            out.push(found);
        }
    }
    out
}

fn item(group: &AssetGroup<'_>, now: Ts, fees: &TakerFees) -> Option<CrossVenueItem> {
    let first = &group.markets.first()?.instrument;
    let (base, _) = first.name.base_quote()?;
    let fresh: Vec<(&Quoted, VenueQuote<'_>)> = group
        .markets
        .iter()
        .filter(|q| q.reason.is_none())
        .filter_map(|q| {
            let BestQuote { bid, ask, .. } = q.quote?;
            Some((*q, VenueQuote { venue: q.instrument.name.venue.as_str(), bid, ask }))
        })
        .collect();
    let quotes: Vec<VenueQuote<'_>> = fresh.iter().map(|(_, quote)| *quote).collect();
    let found = cross_venue_spread(&quotes);
    let side = |at: usize, price: f64| {
        let Instrument { name, kind, .. } = &fresh.get(at)?.0.instrument;
        let fee = fees.of(name, *kind);
        Some(CrossVenueSide {
            market: name.clone(),
            quote: currency(name)?,
            price,
            taker_fee_bps: fee.map(|(bps, _)| bps),
            fee_from: fee.map(|(_, from)| from.name()),
        })
    };
    let sides = found.ok().and_then(|CrossVenueSpread { bid, ask, .. }| {
        Some((side(bid, quotes.get(bid)?.bid)?, side(ask, quotes.get(ask)?.ask)?))
    });
    let spread_bps = found.ok().map(|f| f.spread_bps);
    let both = sides.as_ref().and_then(|(bid, ask)| Some(bid.taker_fee_bps? + ask.taker_fee_bps?));
    // What it costs to turn one currency into the other is not known here.
    let in_one = sides.as_ref().is_some_and(|(bid, ask)| bid.quote == ask.quote);
    let (bid, ask) = sides.unzip();
    Some(CrossVenueItem {
        text: text(&base, spread_bps, both, (bid.as_ref(), ask.as_ref())),
        base,
        kind: first.kind,
        expiry: first.expiry,
        quote: group.quote.clone(),
        spread_bps,
        after_fees_bps: spread_bps.zip(both).filter(|_| in_one).map(|(spread, both)| spread - both),
        reason: found.err().map(Reason::name),
        bid,
        ask,
        quotes: group.markets.iter().filter_map(|q| quote_view(q, now)).collect(),
    })
}

fn quote_view(q: &Quoted, now: Ts) -> Option<CrossVenueQuote> {
    let market = q.instrument.name.clone();
    Some(CrossVenueQuote {
        quote: currency(&market)?,
        market,
        bid: q.quote.map(|b| b.bid),
        ask: q.quote.map(|b| b.ask),
        age_ms: q.quote.map(|b| (age(&b, now).0 / 1_000_000).max(0)),
        reason: q.reason.map(Reason::name),
    })
}

/// A fact, as people write it.
fn text(
    base: &str,
    spread_bps: Option<f64>,
    both: Option<f64>,
    sides: (Option<&CrossVenueSide>, Option<&CrossVenueSide>),
) -> String {
    let (Some(spread), (Some(bid), Some(ask))) = (spread_bps, sides) else {
        return format!("{base}: fewer than two venues have a fresh quote");
    };
    if bid.market == ask.market {
        return format!("{} has both the highest bid and the lowest ask of {base}; nothing crosses", bid.market);
    }
    let fees = match both {
        Some(both) => format!("taker fees of both are {both:.1} bps"),
        None => "the taker fee of one of them is not known; set taker_fees".to_owned(),
    };
    let (apart, way) = (spread.abs(), if spread < 0.0 { "below" } else { "above" });
    if bid.quote == ask.quote {
        return format!("the bid of {} is {apart:.1} bps {way} the ask of {}; {fees}", bid.market, ask.market);
    }
    format!(
        "the bid of {} in {} is {apart:.1} bps {way} the ask of {} in {}; all of that may be the price of one of these currencies in the \
         other, which is not known here; {fees}",
        bid.market, bid.quote, ask.market, ask.quote
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::MarketKind;

    const NOW: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn of(name: &str, bid: f64, ask: f64, reason: Option<Reason>) -> Quoted {
        let name = InstrumentName::parse(name).unwrap();
        let stamp = NOW - Span::millis(250);
        let quote = Some(BestQuote { bid, ask, event_ts: stamp, recv_ts: stamp });
        Quoted { instrument: Instrument::from_name(name, MarketKind::Perpetual), quote, reason }
    }

    fn items(all: &[Quoted], fees: &str) -> Vec<CrossVenueItem> {
        let fees = TakerFees::parse(fees).unwrap();
        items_of(&groups(all), NOW, &fees)
    }

    #[test]
    fn a_bid_above_an_ask_elsewhere_is_named_with_the_fees_of_both() {
        let all = vec![
            of("bybit:BTCUSDT", 91_511.0, 91_512.0, None),
            of("okx:BTC-USDT-SWAP", 91_499.0, 91_500.0, None),
            of("binance-usdm:BTCUSDT", 99_999.0, 99_999.5, Some(Reason::Stale)),
            of("binance-usdm:ETHUSDT", 3_000.0, 3_000.1, None),
        ];
        let [found] = &items(&all, "bybit=4.5")[..] else { panic!("ETH has one venue") };
        // 11 of 91505.5.
        assert!((found.spread_bps.unwrap() - 1.202_113_534_159_149).abs() < 1e-9, "{found:?}");
        assert!((found.after_fees_bps.unwrap() - (1.202_113_534_159_149 - 9.5)).abs() < 1e-9);
        assert_eq!(
            found.text,
            "the bid of bybit:BTCUSDT is 1.2 bps above the ask of okx:BTC-USDT-SWAP; taker fees of both are 9.5 bps"
        );
        let fee = |side: &Option<CrossVenueSide>| side.as_ref().and_then(|s| s.fee_from);
        assert_eq!((fee(&found.bid), fee(&found.ask)), (Some("settings"), Some("published")));
        let reasons: Vec<_> = found.quotes.iter().map(|q| (q.age_ms, q.reason)).collect();
        assert_eq!(reasons, [(Some(250), None), (Some(250), None), (Some(250), Some("stale"))]);
    }

    #[test]
    fn markets_of_one_venue_that_cross_are_not_denied() {
        let all = vec![
            of("bybit:BTCUSDT", 91_500.0, 91_501.0, None),
            of("bybit:BTCUSDC", 91_450.0, 91_451.0, None),
            of("okx:BTC-USDT-SWAP", 91_460.0, 91_502.0, None),
        ];
        let found = items(&all, "");
        let mixed = found.last().unwrap();
        assert!(mixed.quote.is_none() && mixed.spread_bps.unwrap() > 0.0, "{mixed:?}");
        assert!(mixed.text.starts_with("the bid of bybit:BTCUSDT in USDT is 5.4 bps above"), "{}", mixed.text);
    }

    #[test]
    fn prices_in_two_dollars_are_named_as_such_and_those_in_one_are_held_against_each_other() {
        let all = vec![
            of("bybit:BTCUSDT", 91_500.0, 91_501.0, None),
            of("okx:BTC-USDT-SWAP", 91_497.0, 91_499.0, None),
            of("hyperliquid:BTC/USDC", 91_300.0, 91_301.0, None),
        ];
        let [one, mixed] = &items(&all, "")[..] else { panic!("USDT, and both dollars") };
        assert_eq!(
            (one.quote.as_deref(), one.quotes.len(), mixed.quote.as_deref(), mixed.quotes.len()),
            (Some("USDT"), 2, None, 3)
        );
        assert!((one.after_fees_bps.unwrap() - (one.spread_bps.unwrap() - 10.5)).abs() < 1e-9, "{one:?}");
        let sides = (mixed.bid.as_ref().unwrap(), mixed.ask.as_ref().unwrap());
        assert_eq!((sides.0.quote.as_str(), sides.1.quote.as_str()), ("USDT", "USDC"));
        assert_eq!(mixed.after_fees_bps, None, "what it costs to turn USDC into USDT is not known");
        assert_eq!(
            mixed.text,
            "the bid of bybit:BTCUSDT in USDT is 21.8 bps above the ask of hyperliquid:BTC/USDC in USDC; all of that may be the price of \
             one of these currencies in the other, which is not known here; taker fees of both are 10.0 bps"
        );
        let one_each = vec![of("bybit:BTCUSDT", 10.0, 11.0, None), of("coinbase:BTC-USD", 10.0, 11.0, None)];
        assert_eq!(items(&one_each, "").len(), 1, "no currency has two venues");
        let inside = vec![of("bybit:BTCUSDT", 10.0, 11.0, None), of("coinbase:BTC-USD", 9.0, 12.0, None)];
        assert_eq!(items(&inside, "").len(), 1, "and none has an item of its own");
    }

    #[test]
    fn dollars_that_cross_in_one_currency_alone_are_one_item() {
        let all = vec![
            of("bybit:BTCUSDT", 91_500.0, 91_501.0, None),
            of("okx:BTC-USDT-SWAP", 91_497.0, 91_499.0, None),
            of("hyperliquid:BTC/USDC", 91_300.0, 91_601.0, None),
        ];
        let found = items(&all, "");
        let quotes: Vec<_> = found.iter().map(|i| i.quote.as_deref()).collect();
        assert_eq!(quotes, [Some("USDT")], "both sides of all dollars are in USDT");
    }

    #[test]
    fn what_is_not_known_is_absent_with_a_reason() {
        let few = vec![of("bybit:BTCUSDT", 10.0, 11.0, None), of("okx:BTC-USDT-SWAP", 10.0, 11.0, Some(Reason::Gap))];
        let [found] = &items(&few, "")[..] else { panic!("one asset") };
        assert_eq!((found.spread_bps, found.reason, &found.bid), (None, Some("missing_input"), &None));
        assert!(found.text.contains("fewer than two"), "{}", found.text);
        let unknown = vec![of("bybit:BTCUSDT", 10.0, 11.0, None), of("kraken:BTCUSDT", 12.0, 13.0, None)];
        let [found] = &items(&unknown, "")[..] else { panic!("one asset") };
        assert_eq!(found.after_fees_bps, None);
        assert!(found.text.contains("set taker_fees"), "{}", found.text);
        let inside = vec![of("bybit:BTCUSDT", 10.0, 11.0, None), of("okx:BTC-USDT-SWAP", 9.0, 12.0, None)];
        let [found] = &items(&inside, "")[..] else { panic!("one asset") };
        assert!(found.spread_bps.unwrap() < 0.0 && found.text.contains("nothing crosses"), "{}", found.text);
    }

    #[test]
    fn a_quote_counts_while_its_stream_lives_and_it_is_five_seconds_old_at_most() {
        use crate::live::board::LiveStream;
        use barograph_domain::{GapReason, Kind, Stamp, StreamDecl};
        let name = InstrumentName::parse("bybit:BTCUSDT").unwrap();
        let decl = StreamDecl {
            instrument: name.clone(),
            metric: Metric::BestBidAsk,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "bybit".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        };
        let market = |state, age: Option<(i64, i64)>| {
            let stream = LiveStream {
                decl: std::sync::Arc::new(decl.clone()),
                metric: Metric::BestBidAsk,
                state,
                reason: GapReason::Starting,
                since: None,
                last: None,
                losses: 0,
            };
            let best = age.map(|(event, recv)| BestQuote {
                bid: 10.0,
                ask: 11.0,
                event_ts: NOW - Span::millis(event),
                recv_ts: NOW - Span::millis(recv),
            });
            LiveMarket { streams: vec![stream], best, ..LiveMarket::default() }
        };
        let reason = |state, age| quoted(&name, &market(state, age), NOW).map(|q| q.reason);
        assert_eq!(reason(StatusState::Live, Some((5_000, 4_990))), Some(None));
        assert_eq!(reason(StatusState::Live, Some((5_001, 4_990))), Some(Some(Reason::Stale)));
        let ahead = reason(StatusState::Live, Some((-60_000, 5_001)));
        assert_eq!(ahead, Some(Some(Reason::Stale)), "a venue's clock that is ahead makes nothing fresh");
        assert_eq!(reason(StatusState::Live, None), Some(Some(Reason::MissingInput)));
        assert_eq!(reason(StatusState::Gap, Some((0, 0))), Some(Some(Reason::Gap)));
        assert_eq!(reason(StatusState::Resync, Some((0, 0))), Some(Some(Reason::Gap)));
        assert_eq!(reason(StatusState::NotOffered, None), None);
    }
}
