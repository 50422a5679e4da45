//! What is known of a currency's options at a moment: read out of what was kept, maturities made again of the expiries.

use super::record::{DVOL, EXPIRY, OPTIONS, expiry_of};
use crate::Error;
use barograph_api::options::{OptionExpiryView, OptionMaturityView, OptionNumber, OptionSummaryView, OptionsView};
use barograph_domain::{InstrumentName, OptionCurrency, SignalName, SignalPoint, SignalScope, Span, Ts};
use barograph_engine::options::{ExpiryVol, NoVol, TermPoint, term};
use barograph_store::{Range, Reader, SignalInfo, SignalQuery};
use barograph_venues::deribit::options::{has_dvol, instead_of, perpetual};
use std::collections::BTreeMap;

/// Where nothing was fetched or recorded.
pub(crate) const MISSING: &str = "missing_input";
const NOT_OFFERED: &str = "not_offered";
const STALE: &str = "stale";
/// What is older is not the present: twice the time between two askings (onchain §6). Two numbers that are younger are of one time.
const AGE_MAX: Span = Span::hours(2);
/// Days that the variance premium is of.
const PREMIUM_DAYS: i64 = 30;

/// What the price did, with the market it is of.
pub type RealizedVol = (Option<InstrumentName>, OptionNumber);

/// All that was known at `at`, beside what the price did.
///
/// # Errors
/// The store's failure, or a value that is not what was kept.
pub fn options(
    reader: &dyn Reader,
    currency: &OptionCurrency,
    at: Ts,
    realized: RealizedVol,
) -> Result<OptionsView, Error> {
    let market = perpetual(currency).ok_or_else(|| Error::NotAsKept(format!("{currency} cannot be a market")))?;
    let kept = KeptOptions::of(reader, &market, at)?;
    let (summary, expiries) = kept.summary()?;
    let dvol = match kept.newest(DVOL)? {
        Some(point) => present(number(&point, at)),
        None => absent(if has_dvol(currency) { MISSING } else { NOT_OFFERED }),
    };
    // Of a summary that is stale nothing is shown as if it were priced now; asked as of its moment, all of it is.
    let fresh = summary.as_ref().filter(|s| is_present(age_s(s.event_ts, at)));
    let maturities = fresh.map_or_else(Vec::new, |s| term(&expiries, s.event_ts).to_vec());
    let month = maturities.iter().find(|p| p.days == PREMIUM_DAYS).map(|p| p.atm);
    let iv_atm_30d = match (month, &summary) {
        (Some(Ok(iv)), Some(s)) => OptionNumber { value: Some(iv), ..number(s, at) },
        (Some(Err(reason)), _) => absent(reason.name()),
        (None, Some(s)) => OptionNumber { value: None, reason: Some(STALE), ..number(s, at) },
        (_, None) => absent(MISSING),
    };
    let (realized_market, realized_vol_24h) = (realized.0, present(realized.1));
    let mut view = OptionsView {
        currency: currency.to_string(),
        source: "deribit",
        market,
        as_of: at,
        text: String::new(),
        dvol,
        iv_atm_30d,
        realized_vol_24h,
        realized_market,
        iv_rv_spread: spread(&iv_atm_30d, &realized_vol_24h),
        summary: summary.as_ref().map(|s| summary_view(s, at)),
        maturities: maturities.iter().map(maturity_view).collect(),
        expiries: fresh.map_or_else(Vec::new, |s| views(&expiries, s.event_ts)),
    };
    view.text = text(&view);
    Ok(view)
}

/// What is kept of one currency, as known at a moment.
struct KeptOptions<'a> {
    reader: &'a dyn Reader,
    scope: SignalScope,
    at: Ts,
    all: Vec<SignalInfo>,
}

impl<'a> KeptOptions<'a> {
    fn of(reader: &'a dyn Reader, market: &InstrumentName, at: Ts) -> Result<Self, Error> {
        let scope = SignalScope::Market(market.clone());
        let mut all = reader.signals(Some(at))?;
        all.retain(|info| info.scope == scope);
        Ok(Self { reader, scope, at, all })
    }

    /// The value of one moment.
    fn value(&self, name: &SignalName, moment: Ts) -> Result<Option<SignalPoint>, Error> {
        let query = SignalQuery {
            name: name.clone(),
            scope: self.scope.clone(),
            source: None,
            range: Range { start: moment, end: moment + Span(1) },
            as_of: Some(self.at),
            revisions: false,
            limit: 1,
        };
        Ok(self.reader.signal_points(&query)?.items.pop())
    }

    fn newest(&self, name: &str) -> Result<Option<SignalPoint>, Error> {
        let Some(info) = self.all.iter().find(|info| info.name.as_str() == name) else { return Ok(None) };
        self.value(&info.name, info.newest)
    }

    /// The newest summary, and its expiries in the order of their ends.
    fn summary(&self) -> Result<(Option<SignalPoint>, Vec<ExpiryVol>), Error> {
        let Some(summary) = self.newest(OPTIONS)? else { return Ok((None, Vec::new())) };
        let moment = summary.event_ts;
        let of_it = |info: &&SignalInfo| info.newest == moment && info.name.as_str().starts_with(EXPIRY);
        let mut expiries = Vec::new();
        for info in self.all.iter().filter(of_it) {
            let Some(point) = self.value(&info.name, moment)? else { continue };
            let expiry = expiry_of(&point).ok_or_else(|| {
                Error::NotAsKept(format!("the value of {} at {moment} is not what was kept of an expiry", info.name))
            })?;
            expiries.push(expiry);
        }
        expiries.sort_by_key(|e| e.expiry);
        Ok((Some(summary), expiries))
    }
}

fn number(point: &SignalPoint, at: Ts) -> OptionNumber {
    OptionNumber {
        value: point.value,
        timestamp: Some(point.event_ts),
        age_s: Some(age_s(point.event_ts, at)),
        known_ts: Some(point.known_ts),
        reason: None,
    }
}

/// The number where it is young enough to be of the present, else none: its moment and age stay.
fn present(number: OptionNumber) -> OptionNumber {
    if number.value.is_none() || number.age_s.is_none_or(is_present) {
        return number;
    }
    OptionNumber { value: None, reason: Some(STALE), ..number }
}

const fn is_present(age_s: i64) -> bool {
    age_s <= AGE_MAX.as_secs()
}

/// No number, and why.
pub(crate) fn absent(reason: &'static str) -> OptionNumber {
    OptionNumber { reason: Some(reason), ..OptionNumber::default() }
}

/// Seconds since a moment, for which a clock that is behind is none.
pub(crate) fn age_s(moment: Ts, at: Ts) -> i64 {
    (at - moment).as_secs().max(0)
}

/// The variance premium: both numbers, each of the present.
fn spread(iv: &OptionNumber, realized: &OptionNumber) -> OptionNumber {
    let of = |n: &OptionNumber| Some((n.value?, n.timestamp?, n.known_ts?, n.age_s?));
    let (Some((iv, iv_ts, iv_known, iv_age)), Some((rv, rv_ts, rv_known, rv_age))) = (of(iv), of(realized)) else {
        return absent(iv.reason.or(realized.reason).unwrap_or(MISSING));
    };
    OptionNumber {
        value: Some(iv - rv),
        timestamp: Some(iv_ts.min(rv_ts)),
        age_s: Some(iv_age.max(rv_age)),
        known_ts: Some(iv_known.max(rv_known)),
        reason: None,
    }
}

fn summary_view(point: &SignalPoint, at: Ts) -> OptionSummaryView {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of options, kept as a number")]
    let options = point.value.unwrap_or(0.0).max(0.0) as u32;
    let (timestamp, known_ts) = (point.event_ts, point.known_ts);
    OptionSummaryView { timestamp, age_s: age_s(timestamp, at), known_ts, options }
}

/// A number, or its reason under `name`.
fn part(
    reasons: &mut BTreeMap<&'static str, &'static str>,
    name: &'static str,
    value: Result<f64, NoVol>,
) -> Option<f64> {
    value.map_err(|reason| reasons.insert(name, reason.name())).ok()
}

fn maturity_view(point: &TermPoint) -> OptionMaturityView {
    let mut reasons = BTreeMap::new();
    OptionMaturityView {
        days: point.days,
        iv_atm: part(&mut reasons, "iv_atm", point.atm),
        risk_reversal_25: part(&mut reasons, "risk_reversal_25", point.risk_reversal_25),
        butterfly_25: part(&mut reasons, "butterfly_25", point.butterfly_25),
        reasons,
    }
}

fn views(expiries: &[ExpiryVol], from: Ts) -> Vec<OptionExpiryView> {
    let view = |e: &ExpiryVol| {
        let mut reasons = BTreeMap::new();
        Some(OptionExpiryView {
            expiry: e.expiry,
            days: (e.expiry - from).as_days_f64(),
            forward: e.forward,
            options: e.options,
            iv_atm: e.atm.ok()?,
            iv_call_25: part(&mut reasons, "iv_call_25", e.call_25),
            iv_put_25: part(&mut reasons, "iv_put_25", e.put_25),
            reasons,
        })
    };
    expiries.iter().filter_map(view).collect()
}

/// What to do where nothing is kept.
fn nothing(currency: &str) -> String {
    match OptionCurrency::parse(currency).ok().as_ref().and_then(instead_of) {
        Some(listed) => format!(
            "Nothing is known of {currency} options, and Deribit is not known to list any; it lists those of {}.",
            listed.join(", ")
        ),
        None => format!("Nothing is known of {currency} options; fetch them with: barograph options fetch {currency}"),
    }
}

/// What it amounts to, as people write it.
fn text(view: &OptionsView) -> String {
    let percent = |v: f64| format!("{:.1} %", v * 100.0);
    let currency = &view.currency;
    let Some(iv) = view.iv_atm_30d.value else {
        return match view.summary {
            None => nothing(currency),
            Some(s) if view.iv_atm_30d.reason == Some(STALE) => format!(
                "What is known of {currency} options is {} old, too old to be what they price now; fetch them with: barograph options \
                 fetch {currency}, or show what they priced then with: barograph options show {currency} --as-of {}",
                Span::secs(s.age_s).spoken(),
                // The first whole second at which it is known.
                s.known_ts.ceil(Span::secs(1))
            ),
            Some(_) if view.expiries.is_empty() => format!(
                "No expiry of {currency} options has a volatility at the money, so they price none for the next 30 days."
            ),
            Some(_) => format!(
                "The {currency} options with a volatility at the money expire on one side of 30 days only, so they price none for that time."
            ),
        };
    };
    let priced = format!("{currency} options price {} a year for the next 30 days", percent(iv));
    match (view.iv_rv_spread.value, view.realized_vol_24h.value, &view.realized_market) {
        (Some(spread), Some(realized), Some(market)) => {
            let points = format!("{:.1}", spread.abs() * 100.0);
            let against = if spread < 0.0 { "below" } else { "above" };
            format!(
                "{priced}, {points} points {against} the {} that {market} realized in the last 24 h.",
                percent(realized)
            )
        }
        (_, _, Some(market)) if view.iv_rv_spread.reason == Some(STALE) => {
            format!("{priced}; what is known of {market} is too old to compare it with.")
        }
        _ => format!("{priced}; no realized volatility is at hand to compare it with."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{dvol_points, points};
    use super::*;
    use crate::signals::SignalDesk;
    use barograph_domain::{OptionQuote, OptionRight};
    use barograph_store::{StoreTarget, open_reader};
    use barograph_venues::deribit::options::{OptionChain, Unusable};

    const AT: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn of(value: f64, minutes_ago: i64) -> OptionNumber {
        let timestamp = AT - Span::mins(minutes_ago);
        OptionNumber {
            value: Some(value),
            timestamp: Some(timestamp),
            age_s: Some(age_s(timestamp, AT)),
            known_ts: Some(timestamp + Span::secs(1)),
            reason: None,
        }
    }

    #[test]
    fn the_premium_is_of_two_numbers_of_one_time() {
        let found = spread(&of(0.45, 50), &of(0.39, 1));
        assert!((found.value.unwrap() - 0.06).abs() < 1e-12);
        assert_eq!((found.age_s, found.timestamp), (Some(3_000), Some(AT - Span::mins(50))), "as old as the older");
        assert_eq!(found.known_ts, Some(AT - Span::mins(1) + Span::secs(1)), "known since both were");
        assert_eq!(present(of(0.45, 120)), of(0.45, 120));
        let old = present(of(0.45, 121));
        assert_eq!((old.value, old.reason, old.age_s), (None, Some(STALE), Some(7_260)), "its age stays");
        assert_eq!(spread(&old, &of(0.39, 0)), absent(STALE));
        assert_eq!(spread(&of(0.45, 0), &old), absent(STALE));
        assert_eq!(spread(&absent("no_bracket"), &of(0.39, 0)), absent("no_bracket"));
        assert_eq!(spread(&of(0.45, 0), &absent("warming")), absent("warming"));
    }

    #[test]
    fn a_summary_of_last_month_is_not_the_present() {
        let (_folder, reader, currency) = kept(&[7, 35, 98]);
        let at = |age: Span| options(reader.as_ref(), &currency, AT + age, (None, absent(MISSING))).unwrap();
        let fresh = at(Span::hours(2));
        assert!(fresh.iv_atm_30d.value.is_some() && fresh.dvol.value.is_some(), "{fresh:?}");
        assert_eq!((fresh.expiries.len(), fresh.maturities.len()), (3, 4));
        let old = at(Span::days(30));
        assert_eq!((old.iv_atm_30d.value, old.iv_atm_30d.reason), (None, Some(STALE)), "{}", old.text);
        assert_eq!((old.dvol.value, old.dvol.reason), (None, Some(STALE)));
        assert_eq!((old.iv_atm_30d.age_s, old.dvol.timestamp), (Some(30 * 86_400), Some(AT)));
        assert_eq!((old.expiries.len(), old.maturities.len()), (0, 0));
        assert_eq!(old.summary.map(|s| s.timestamp), Some(AT), "when they were asked last is known");
        assert!(old.text.starts_with("What is known of BTC options is 30 d old"), "{}", old.text);
        assert!(old.text.ends_with("barograph options show BTC --as-of 2026-11-20T12:00:00Z"), "{}", old.text);
        let mut within = at(Span::days(30));
        within.summary.as_mut().unwrap().known_ts = AT + Span::millis(250);
        assert!(
            super::text(&within).ends_with("--as-of 2026-11-20T12:00:01Z"),
            "known within a second: {}",
            super::text(&within)
        );
    }

    #[test]
    fn without_a_month_the_sentence_has_the_cause() {
        let text = |days: &[i64]| {
            let (_folder, reader, currency) = kept(days);
            options(reader.as_ref(), &currency, AT, (None, absent(MISSING))).unwrap().text
        };
        assert!(text(&[7, 14]).contains("expire on one side of 30 days only"), "{}", text(&[7, 14]));
        assert!(text(&[]).starts_with("No expiry of BTC options has a volatility at the money"), "{}", text(&[]));
    }

    /// A store with the summary of one moment, of expiries after so many days, and the index of the same.
    fn kept(days: &[i64]) -> (tempfile::TempDir, Box<dyn Reader>, OptionCurrency) {
        let currency = OptionCurrency::parse("BTC").unwrap();
        let quote = |days: i64, strike: f64| OptionQuote {
            expiry: AT + Span::days(days),
            strike,
            right: if strike < 91_500.0 { OptionRight::Put } else { OptionRight::Call },
            iv: 0.45,
            forward: 91_500.0,
        };
        let quotes = days.iter().flat_map(|d| [80_000.0, 100_000.0].map(|k| quote(*d, k))).collect();
        let chain = OptionChain { at: AT, quotes, left_out: Unusable::default() };
        let market = perpetual(&currency).unwrap();
        let mut points = points(&currency, &chain, AT).unwrap().points;
        points.extend(dvol_points(&market, &[(AT, 0.43)], AT));
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(folder.path().to_owned());
        SignalDesk::new(target.clone()).put(&points).unwrap();
        (folder, open_reader(&target).unwrap(), currency)
    }
}
