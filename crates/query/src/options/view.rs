//! What is known of a currency's options at a moment: read out of what was kept, maturities made again of the expiries.

use super::record::{DVOL, EXPIRY, OPTIONS, expiry_of};
use crate::Error;
use barograph_api::options::{OptionExpiryView, OptionMaturityView, OptionNumber, OptionSummaryView, OptionsView};
use barograph_domain::{InstrumentName, OptionCurrency, SignalName, SignalPoint, SignalScope, Span, Ts};
use barograph_engine::options::{ExpiryVol, NoVol, TermPoint, term};
use barograph_store::{Range, Reader, SignalInfo, SignalQuery};
use barograph_venues::deribit::options::{has_dvol, perpetual};
use std::collections::BTreeMap;

/// Where nothing was fetched or recorded.
pub(crate) const MISSING: &str = "missing_input";
const NOT_OFFERED: &str = "not_offered";
const STALE: &str = "stale";
/// Moments of two numbers that may be this far apart for a difference of them: the summary is asked for once an hour.
const APART_MAX: Span = Span::hours(2);
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
        Some(point) => number(&point, at),
        None => absent(if has_dvol(currency) { MISSING } else { NOT_OFFERED }),
    };
    let maturities = summary.as_ref().map_or_else(Vec::new, |s| term(&expiries, s.event_ts).to_vec());
    let month = maturities.iter().find(|p| p.days == PREMIUM_DAYS).map(|p| p.atm);
    let iv_atm_30d = match (month, &summary) {
        (Some(Ok(iv)), Some(s)) => OptionNumber { value: Some(iv), ..number(s, at) },
        (Some(Err(reason)), _) => absent(reason.name()),
        _ => absent(MISSING),
    };
    let (realized_market, realized_vol_24h) = realized;
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
        expiries: summary.as_ref().map_or_else(Vec::new, |s| views(&expiries, s.event_ts)),
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

/// No number, and why.
pub(crate) fn absent(reason: &'static str) -> OptionNumber {
    OptionNumber { reason: Some(reason), ..OptionNumber::default() }
}

/// Seconds since a moment, for which a clock that is behind is none.
pub(crate) fn age_s(moment: Ts, at: Ts) -> i64 {
    (at - moment).as_secs().max(0)
}

/// The variance premium: both numbers, of moments that are near each other.
fn spread(iv: &OptionNumber, realized: &OptionNumber) -> OptionNumber {
    let of = |n: &OptionNumber| Some((n.value?, n.timestamp?, n.known_ts?, n.age_s?));
    let (Some((iv, iv_ts, iv_known, iv_age)), Some((rv, rv_ts, rv_known, rv_age))) = (of(iv), of(realized)) else {
        return absent(iv.reason.or(realized.reason).unwrap_or(MISSING));
    };
    if (iv_ts - rv_ts).0.abs() > APART_MAX.0 {
        return absent(STALE);
    }
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

/// What it amounts to, as people write it.
fn text(view: &OptionsView) -> String {
    let percent = |v: f64| format!("{:.1} %", v * 100.0);
    let currency = &view.currency;
    let Some(iv) = view.iv_atm_30d.value else {
        return match (view.summary, view.iv_atm_30d.reason) {
            (None, _) => {
                format!("Nothing is known of {currency} options; fetch them with: barograph options fetch {currency}")
            }
            (Some(_), _) => format!(
                "{currency} options expire on one side of 30 days only, so they price no volatility for that time."
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
            format!("{priced}; the realized volatility of {market} is of another time and not compared with it.")
        }
        _ => format!("{priced}; no realized volatility is at hand to compare it with."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(spread(&of(0.45, 121), &of(0.39, 0)), absent(STALE));
        assert_eq!(spread(&of(0.45, 0), &of(0.39, 121)), absent(STALE));
        assert_eq!(spread(&absent("no_bracket"), &of(0.39, 0)), absent("no_bracket"));
        assert_eq!(spread(&of(0.45, 0), &absent("warming")), absent("warming"));
    }
}
