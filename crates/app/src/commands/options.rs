//! `options`: what options state of volatility to come. Fetched from Deribit, kept, shown as of a moment (R4.66).

use super::advise::{refused, service};
use super::asking::VenueAsked;
use super::{market, reader, target};
use crate::cli::{OptionsCommand, OptionsFetch, OptionsShow};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{columns, fold, minus, minute, number_of};
use barograph_api::AskOptions as _;
use barograph_api::options::{OptionExpiryView, OptionMaturityView, OptionNumber, OptionsView};
use barograph_domain::text::escape_control;
use barograph_domain::{OptionCurrency, Span};
use barograph_net::Clock as _;
use barograph_query::options::{FetchedOptions, OptionsSource};
use barograph_query::signals::SignalDesk;
use barograph_store::SignalsPut;
use barograph_venues::deribit;
use std::io::{StdoutLock, Write as _};

pub(crate) fn run(command: &OptionsCommand, settings: &Settings, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match command {
        OptionsCommand::Fetch(args) => fetch(args, settings, json, &mut out)?,
        OptionsCommand::Show(args) => show(args, settings, json, &mut out)?,
    }
    Ok(out.flush()?)
}

/// Each currency is kept as it comes; the first that cannot be had ends the command.
fn fetch(args: &OptionsFetch, settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let asked = VenueAsked::open(&deribit::VENUE, settings)?;
    let source =
        OptionsSource { net: &asked.net, venue: asked.index, endpoints: &asked.endpoints, clock: &asked.clock };
    let desk = SignalDesk::new(target(settings));
    let done = args.currencies.iter().try_for_each(|currency| {
        let from = args.history.map(|span| asked.clock.now() - span);
        let found = asked.runtime.block_on(source.fetch(currency, from));
        let found = found.map_err(|why| Failure::broken(escape_control(&why)))?;
        let put = desk.put(&found.points)?;
        if json { fetched_line(out, currency, &found, put) } else { fetched_text(out, currency, &found, put) }
    });
    asked.close();
    done
}

fn fetched_line(
    out: &mut StdoutLock<'_>,
    currency: &OptionCurrency,
    found: &FetchedOptions,
    put: SignalsPut,
) -> Result<(), Failure> {
    let (dvol, dvol_reason) = match &found.dvol {
        Ok((_, value)) => (Some(*value), None),
        Err(why) => (None, Some(why)),
    };
    let left_out = &found.left_out;
    let line = serde_json::json!({
        "currency": currency.as_str(), "market": found.market, "timestamp": found.at, "options": found.options,
        "left_out": { "expired": left_out.expired, "unmarked": left_out.unmarked, "unnamed": left_out.unnamed },
        "expiries": found.expiries.0, "expiries_without": found.expiries.1, "dvol": dvol, "dvol_reason": dvol_reason,
        "history": found.history, "new": put.new, "revised": put.revised, "same": put.same,
    });
    Ok(writeln!(out, "{line}")?)
}

fn fetched_text(
    out: &mut StdoutLock<'_>,
    currency: &OptionCurrency,
    found: &FetchedOptions,
    put: SignalsPut,
) -> Result<(), Failure> {
    let (with, without) = found.expiries;
    let mut text = format!(
        "{currency}: {} of {} at {}, {} kept",
        number_of(found.options, "option"),
        if with + without == 1 { "1 expiry".to_owned() } else { format!("{} expiries", with + without) },
        minute(found.at),
        number_of(put.new + put.revised, "value"),
    );
    let left_out = &found.left_out;
    for (count, what) in [
        (left_out.unmarked, "without a volatility"),
        (left_out.expired, "expired"),
        (left_out.unnamed, "of another form"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} left out ({what})"));
        }
    }
    match &found.dvol {
        Ok((at, value)) => text.push_str(&format!("; DVOL {} at {}", percent(*value), minute(*at))),
        Err(why) => text.push_str(&format!("; no DVOL: {}", escape_control(why))),
    }
    if found.history > 0 {
        text.push_str(&format!(", with {} of its history", number_of(found.history, "hour")));
    }
    Ok(writeln!(out, "{}", fold(&text, columns(), ""))?)
}

fn show(args: &OptionsShow, settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let service = service(settings)?;
    let named = args.market.as_deref().map(|name| market(reader(settings)?.as_ref(), settings, name)).transpose()?;
    let view = service.options(&args.currency, named.as_ref(), args.as_of).map_err(refused)?;
    if json {
        serde_json::to_writer(&mut *out, &view).map_err(std::io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    writeln!(out, "{}", fold(&view.text, columns(), ""))?;
    if view.summary.is_none() && view.dvol.timestamp.is_none() {
        return Ok(());
    }
    write!(out, "{}", shown(&view))?;
    Ok(())
}

fn shown(view: &OptionsView) -> String {
    let mut text = String::from("\n");
    let realized =
        view.realized_market.as_ref().map_or_else(|| "realized, 24 h".to_owned(), |m| format!("realized, 24 h, {m}"));
    for (name, number, write) in [
        ("DVOL, 30 d", &view.dvol, percent as fn(f64) -> String),
        ("at the money, 30 d", &view.iv_atm_30d, percent),
        (realized.as_str(), &view.realized_vol_24h, percent),
        ("implied less realized", &view.iv_rv_spread, points),
    ] {
        text.push_str(&format!("{name:<42} {}\n", number_text(number, write)));
    }
    if !view.maturities.is_empty() {
        text.push_str("\nmaturity   at the money   25Δ risk reversal   25Δ butterfly\n");
        view.maturities.iter().for_each(|m| text.push_str(&maturity_text(m)));
    }
    if !view.expiries.is_empty() {
        text.push_str("\nexpiry        days    forward   at the money   25Δ call   25Δ put   options\n");
        view.expiries.iter().for_each(|e| text.push_str(&expiry_text(e)));
    }
    text
}

fn number_text(number: &OptionNumber, write: fn(f64) -> String) -> String {
    let age = number.age_s.map(|age| Span::secs(age).spoken());
    match (number.value, age) {
        (Some(value), Some(age)) => format!("{:>9}  {age} ago", write(value)),
        (_, age) => {
            let reason = number.reason.unwrap_or("missing_input").replace('_', " ");
            age.map_or_else(|| reason.clone(), |age| format!("{reason:>9}  {age} ago"))
        }
    }
}

fn maturity_text(m: &OptionMaturityView) -> String {
    let of = |name: &str, value: Option<f64>, write: fn(f64) -> String| {
        value.map_or_else(|| m.reasons.get(name).copied().unwrap_or("missing_input").replace('_', " "), write)
    };
    format!(
        "{:<8} {:>14} {:>19} {:>15}\n",
        format!("{} d", m.days),
        of("iv_atm", m.iv_atm, percent),
        of("risk_reversal_25", m.risk_reversal_25, points),
        of("butterfly_25", m.butterfly_25, points),
    )
}

fn expiry_text(e: &OptionExpiryView) -> String {
    let of = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), percent);
    let (year, month, day, ..) = e.expiry.civil();
    format!(
        "{year:04}-{month:02}-{day:02} {:>7.1} {:>10} {:>14} {:>10} {:>9} {:>9}\n",
        e.days,
        crate::term::price(e.forward),
        percent(e.iv_atm),
        of(e.iv_call_25),
        of(e.iv_put_25),
        e.options
    )
}

/// "45.2 %"
fn percent(v: f64) -> String {
    format!("{:.1} %", v * 100.0)
}

/// A difference of volatilities: "+6.1 pts"
fn points(v: f64) -> String {
    minus(&format!("{:+.1} pts", v * 100.0))
}
