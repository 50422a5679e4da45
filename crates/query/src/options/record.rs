//! Answers of the venue as values to keep, and the names they are kept under.
//!
//! `deribit.dvol` is the index; `deribit.iv_atm_30d` (7d, 90d, 180d), `deribit.rr25_30d` and `deribit.bf25_30d` are of one maturity;
//! `deribit.options` counts the options of a summary and so marks its moment. Each expiry has a name of its own,
//! `deribit.iv_expiry.e20261225`, with what else is known of it in its tags: out of these all maturities can be made again, as of any
//! moment. Volatilities are annualised fractions.

use barograph_domain::{InstrumentName, OptionCurrency, SignalKnown, SignalName, SignalPoint, SignalScope, Ts};
use barograph_engine::options::{ExpiryVol, NoVol, expiries, term};
use barograph_venues::deribit::options::{OptionChain, perpetual};
use std::collections::BTreeMap;

/// Who measured it.
pub(super) const SOURCE: &str = "deribit";
/// What the names of expiries begin with.
pub(super) const EXPIRY: &str = "deribit.iv_expiry.e";
/// Options of a summary, counted.
pub(super) const OPTIONS: &str = "deribit.options";
/// The volatility index.
pub(super) const DVOL: &str = "deribit.dvol";

/// Is it the name of one expiry? There are dozens, most of them over; an answer about options has those that are not.
pub(crate) fn is_of_expiry(name: &SignalName) -> bool {
    name.as_str().starts_with(EXPIRY)
}

/// What one summary amounts to.
#[derive(Clone, PartialEq, Debug)]
pub struct OptionPoints {
    /// To keep.
    pub points: Vec<SignalPoint>,
    /// Expiries that have a volatility at the money.
    pub expiries: usize,
    /// Expiries that have none.
    pub without: usize,
}

/// A value of the program about one currency.
pub(super) struct PointOf {
    scope: SignalScope,
    event_ts: Ts,
    known_ts: Ts,
}

impl PointOf {
    /// Of a moment; known since `known_ts`, or since the moment where that is later.
    pub(super) fn at(market: &InstrumentName, event_ts: Ts, known_ts: Ts) -> Self {
        Self { scope: SignalScope::Market(market.clone()), event_ts, known_ts: known_ts.max(event_ts) }
    }

    pub(super) fn value(&self, name: &str, value: f64, tags: BTreeMap<String, String>) -> Option<SignalPoint> {
        Some(SignalPoint {
            name: SignalName::any(name).ok()?,
            scope: self.scope.clone(),
            source: SOURCE.to_owned(),
            event_ts: self.event_ts,
            value: Some(value),
            tags,
            known_ts: self.known_ts,
            known: SignalKnown::Received,
        })
    }
}

/// The unit, as tags state it.
fn annualised() -> BTreeMap<String, String> {
    BTreeMap::from([("unit".to_owned(), "annualised fraction".to_owned())])
}

/// The index at the closes of its bars, which arrived at `known`.
pub(super) fn dvol_points(market: &InstrumentName, closes: &[(Ts, f64)], known: Ts) -> Vec<SignalPoint> {
    closes.iter().filter_map(|(at, v)| PointOf::at(market, *at, known).value(DVOL, *v, annualised())).collect()
}

/// What a summary that arrived at `known` amounts to; `None` for a currency that cannot have a market.
#[must_use]
pub fn points(currency: &OptionCurrency, chain: &OptionChain, known: Ts) -> Option<OptionPoints> {
    let market = perpetual(currency)?;
    let of = PointOf::at(&market, chain.at, known);
    let all = expiries(&chain.quotes, chain.at);
    let mut points = Vec::new();
    let counts = [
        ("unmarked", chain.left_out.unmarked),
        ("expired", chain.left_out.expired),
        ("unnamed", chain.left_out.unnamed),
    ];
    let counts = counts.iter().map(|(name, n)| ((*name).to_owned(), n.to_string())).collect();
    let used = u32::try_from(chain.quotes.len()).unwrap_or(u32::MAX);
    points.extend(of.value(OPTIONS, f64::from(used), counts));
    let known_ones = || all.iter().filter_map(|e| Some((e, e.atm.ok()?)));
    points.extend(known_ones().filter_map(|(e, atm)| of.value(&expiry_name(e.expiry), atm, expiry_tags(e))));
    for point in term(&all, chain.at) {
        let parts = [("iv_atm", point.atm), ("rr25", point.risk_reversal_25), ("bf25", point.butterfly_25)];
        let named = parts.iter().filter_map(|(word, v)| Some((format!("deribit.{word}_{}d", point.days), v.ok()?)));
        points.extend(named.filter_map(|(name, v)| of.value(&name, v, annualised())));
    }
    let expiries = known_ones().count();
    Some(OptionPoints { points, expiries, without: all.len() - expiries })
}

fn expiry_name(expiry: Ts) -> String {
    let (year, month, day, ..) = expiry.civil();
    format!("{EXPIRY}{year:04}{month:02}{day:02}")
}

fn expiry_tags(e: &ExpiryVol) -> BTreeMap<String, String> {
    let part = |v: Result<f64, NoVol>| v.map_or_else(|reason| reason.name().to_owned(), |v| v.to_string());
    let tags = [
        ("expiry", e.expiry.to_string()),
        ("forward", e.forward.to_string()),
        ("options", e.options.to_string()),
        ("call_25", part(e.call_25)),
        ("put_25", part(e.put_25)),
    ];
    tags.into_iter().map(|(name, text)| (name.to_owned(), text)).chain(annualised()).collect()
}

/// An expiry as it was kept; `None` where a tag is not what [`points`] writes.
pub(super) fn expiry_of(point: &SignalPoint) -> Option<ExpiryVol> {
    let tag = |name: &str| point.tags.get(name).map(String::as_str);
    let part = |name: &str| {
        let text = tag(name)?;
        NoVol::of(text).map(Err).or_else(|| text.parse().ok().filter(|v: &f64| v.is_finite()).map(Ok))
    };
    Some(ExpiryVol {
        expiry: Ts::parse(tag("expiry")?).ok()?,
        forward: tag("forward")?.parse().ok().filter(|f: &f64| f.is_finite())?,
        options: tag("options")?.parse().ok()?,
        atm: Ok(point.value?),
        call_25: part("call_25")?,
        put_25: part("put_25")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{OptionQuote, OptionRight, Span};
    use barograph_venues::deribit::options::Unusable;

    const AT: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn chain() -> OptionChain {
        let expiry = |days| Ts::from_civil(2026, 11, 20, 8, 0, 0) + Span::days(days);
        let of = |days: i64, level: f64| {
            [(70_000.0, 0.1), (80_000.0, 0.05), (90_000.0, 0.0), (100_000.0, 0.01), (120_000.0, 0.04)].map(
                |(k, add)| {
                    let right = if k < 91_500.0 { OptionRight::Put } else { OptionRight::Call };
                    OptionQuote { expiry: expiry(days), strike: k, right, iv: level + add, forward: 91_500.0 }
                },
            )
        };
        let mut quotes: Vec<OptionQuote> = [of(7, 0.5), of(35, 0.45), of(98, 0.44)].concat();
        // An expiry whose strikes lie on one side.
        quotes.push(OptionQuote {
            expiry: expiry(14),
            strike: 90_000.0,
            right: OptionRight::Put,
            iv: 0.4,
            forward: 91_500.0,
        });
        OptionChain { at: AT, quotes, left_out: Unusable { unmarked: 3, ..Unusable::default() } }
    }

    #[test]
    fn what_is_kept_of_an_expiry_is_read_back_to_the_last_bit() {
        let currency = OptionCurrency::parse("BTC").unwrap();
        let known = AT + Span::secs(2);
        let made = points(&currency, &chain(), known).unwrap();
        assert_eq!((made.expiries, made.without), (3, 1));
        for point in &made.points {
            point.check().unwrap();
            assert_eq!(
                (point.event_ts, point.known_ts, point.scope.to_string()),
                (AT, known, "deribit:BTC-PERPETUAL".to_owned())
            );
        }
        let read: Vec<ExpiryVol> =
            made.points.iter().filter(|p| p.name.as_str().starts_with(EXPIRY)).filter_map(expiry_of).collect();
        let all = expiries(&chain().quotes, AT);
        let want: Vec<ExpiryVol> = all.iter().filter(|e| e.atm.is_ok()).copied().collect();
        assert_eq!(read, want);
        // The maturities can be made again out of what is kept.
        assert_eq!(term(&read, AT), term(&all, AT));
        let names: Vec<&str> = made.points.iter().map(|p| p.name.as_str()).collect();
        assert!(names.contains(&"deribit.iv_atm_30d") && names.contains(&"deribit.iv_expiry.e20261127"), "{names:?}");
        assert!(!names.contains(&"deribit.iv_atm_180d"), "no expiry beyond: {names:?}");
        let counted = &made.points[0];
        assert_eq!(
            (counted.name.as_str(), counted.value, counted.tags["unmarked"].as_str()),
            (OPTIONS, Some(16.0), "3")
        );
    }

    #[test]
    fn what_arrives_is_not_known_before_its_moment() {
        let market = perpetual(&OptionCurrency::parse("ETH").unwrap()).unwrap();
        let [point] = &dvol_points(&market, &[(AT, 0.52)], AT - Span::secs(1))[..] else { panic!("one") };
        assert_eq!((point.known_ts, point.value, point.name.as_str()), (AT, Some(0.52), DVOL));
        point.check().unwrap();
    }
}
