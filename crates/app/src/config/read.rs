//! How each kind of setting is read: from its text to what it means, or why it cannot be meant.

use super::secret;
use crate::cli::{contested, forecaster};
use barograph_domain::Span;
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_engine::liquidity::ClusterMethod;
use barograph_engine::models::ModelMarkets;
use barograph_engine::models::policy::MARKETS_MAX;
use barograph_engine::rules::CLUSTER_METHODS;
use barograph_mirror::MirrorAddress;
use barograph_notify::ask::AskedService;
use barograph_notify::secret::Secret;
use barograph_objects::s3::S3Style;
use barograph_venues::onchain::{OnchainHost, OnchainSeries};
use core::iter::once;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A century: what is kept for longer is kept for ever, and 64 bits of nanoseconds hold no more than three.
pub(crate) const KEEP_DAYS_MAX: u32 = 36_500;

/// Nothing where nothing is written.
pub(super) fn optional<T: From<String>>(text: &str) -> Result<Option<T>, String> {
    Ok(Some(text).filter(|text| !text.is_empty()).map(|text| text.to_owned().into()))
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(text.into())
}

/// Parts between commas.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

pub(super) fn names(text: &str) -> Result<Vec<String>, String> {
    Ok(parts(text).map(str::to_owned).collect())
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meant);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    Err(format!("'{text}': write {} or {last}", others.join(", ")))
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    one_of(text, &[("on", true), ("off", false)])
}

pub(super) fn number(text: &str) -> Result<usize, String> {
    let known = text.parse().ok().filter(|n| *n > 0);
    known.ok_or_else(|| format!("'{text}' is not a whole number above zero"))
}

/// How long something is kept.
pub(super) fn days(text: &str) -> Result<Span, String> {
    let days = number(text)?;
    match u32::try_from(days) {
        Ok(n @ ..=KEEP_DAYS_MAX) => Ok(Span::days(i64::from(n))),
        _ => Err(format!("'{days}' is more than {KEEP_DAYS_MAX} days")),
    }
}

/// A time that is a whole number of `unit`.
pub(super) fn whole(text: &str, unit: Span) -> Result<Span, String> {
    let fits = |span: &Span| span.0 % unit.0 == 0;
    let not = || format!("'{text}' is not a whole number of {}", unit.compact());
    Some(Span::parse(text)?).filter(fits).ok_or_else(not)
}

/// The address as written, wherever it points.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_e| format!("'{text}' is not an address; write 127.0.0.1:8600"))
}

/// Does whoever asks need a token even on a loopback address?
pub(super) fn tokens_always(text: &str) -> Result<bool, String> {
    match text {
        "auto" => Ok(false),
        "tokens" => Ok(true),
        other => Err(format!("'{other}' is not one of auto, tokens")),
    }
}

/// Address of the page without a slash at its end.
pub(super) fn page_address(text: &str) -> Result<Option<String>, String> {
    match text.trim_end_matches('/') {
        "" => Ok(None),
        set if set.starts_with("http://") || set.starts_with("https://") => Ok(Some(set.to_owned())),
        set => Err(format!("'{set}' is no address; write https://host")),
    }
}

/// Quote units a day.
pub(super) fn volume(text: &str) -> Result<f64, String> {
    let known = text.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0);
    known.ok_or_else(|| format!("'{text}' is not a number from 0 up"))
}

/// How much history is fetched at the first start; none leaves it to the command.
pub(super) fn backfill(text: &str) -> Result<Option<Span>, String> {
    match text {
        "auto" => Ok(None),
        "0" | "none" => Ok(Some(Span::ZERO)),
        text => Span::parse(text).map(Some).map_err(|why| format!("{why}, or auto, or 0")),
    }
}

/// Markets with statistical models; none leaves it to the command.
pub(super) fn models(text: &str) -> Result<Option<ModelMarkets>, String> {
    Ok(match text {
        "auto" => None,
        "on" => Some(ModelMarkets::First(MARKETS_MAX)),
        "off" => Some(ModelMarkets::Off),
        _ if parts(text).next().is_none() => return Err("it is empty: write auto, on, off or symbols".to_owned()),
        _ => Some(ModelMarkets::Named(names(text)?)),
    })
}

/// Whose forecasts of an event are used.
pub(super) fn contest(text: &str) -> Result<Vec<(ForecastEvent, Forecaster)>, String> {
    let one = |part: &str| {
        let (event, who) =
            part.split_once('=').ok_or_else(|| format!("'{part}': write event=classifier, as in hv_1h=hmm"))?;
        let event = contested(event.trim())?;
        Ok((event, forecaster(who.trim())?))
    };
    let all = parts(text).map(one).collect::<Result<Vec<_>, String>>()?;
    match all.iter().find(|(event, _)| all.iter().filter(|(e, _)| e == event).count() > 1) {
        Some((twice, _)) => Err(format!("{} is named twice", twice.id())),
        None => Ok(all),
    }
}

/// How equal highs and lows are found; none leaves it to the rule book.
pub(super) fn clusters(text: &str) -> Result<Option<ClusterMethod>, String> {
    let own = CLUSTER_METHODS.map(|(word, method)| (word, Some(method)));
    one_of(text, &once(("book", None)).chain(own).collect::<Vec<_>>())
}

/// The database, where it is not the data folder's own.
pub(super) fn database(text: &str) -> Result<Option<String>, String> {
    secret::check_url(text)?;
    optional(text)
}

/// The server of a cluster; none is no cluster.
pub(super) fn nats(text: &str) -> Result<Option<String>, String> {
    let known = ["nats://", "tls://"].iter().any(|scheme| text.starts_with(scheme));
    if text.is_empty() || known { optional(text) } else { Err("write nats://host:4222 or tls://host:4222".to_owned()) }
}

/// What names on the server begin with.
pub(super) fn cluster_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (1..=32).contains(&text.len()) && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err("write 1 to 32 letters, digits and -".to_owned())
}

/// The name of a worker; none is made up.
pub(super) fn worker(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() { Ok(None) } else { cluster_name(text).map(Some) }
}

/// How many groups there are.
pub(super) fn groups(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|n| (1..=1_024).contains(n));
    number.ok_or_else(|| "write a whole number from 1 to 1024".to_owned())
}

/// How long a lease lives.
pub(super) fn lease(text: &str) -> Result<Span, String> {
    let span = Span::parse(text)?;
    if (Span::secs(1)..=Span::secs(60)).contains(&span) { Ok(span) } else { Err("write 1s to 60s".to_owned()) }
}

/// Where the newest weather is mirrored; none writes nothing anywhere.
pub(super) fn redis(text: &str) -> Result<Option<MirrorAddress>, String> {
    Some(text).filter(|text| !text.is_empty()).map(MirrorAddress::parse).transpose()
}

/// How a bucket stands in its address; none leaves it to the server.
pub(super) fn s3_style(text: &str) -> Result<Option<S3Style>, String> {
    one_of(text, &[("auto", None), ("path", Some(S3Style::Path)), ("virtual", Some(S3Style::VirtualHost))])
}

/// The service that phrases summaries; none asks nobody.
pub(super) fn narrative(text: &str) -> Result<Option<AskedService>, String> {
    Some(text).filter(|text| !text.is_empty()).map(|text| AskedService::parse(text, "chat/completions")).transpose()
}

/// A key; none where nothing is written.
pub(super) fn key(text: &str) -> Result<Option<Secret>, String> {
    Ok(Some(Secret::new(text)).filter(|key| !key.is_empty()))
}

/// Series of on-chain and sentiment sources.
pub(super) fn onchain(text: &str) -> Result<Vec<OnchainSeries>, String> {
    parts(text).map(OnchainSeries::parse).collect()
}

/// Where those sources are reached.
pub(super) fn onchain_endpoints(text: &str) -> Result<BTreeMap<OnchainHost, AskedService>, String> {
    let ids = OnchainHost::ALL.map(OnchainHost::id).join(", ");
    let one = |part: &str| {
        let (id, url) =
            part.split_once('=').ok_or_else(|| format!("write SOURCE=https://host, where SOURCE is one of {ids}"))?;
        let host = OnchainHost::ALL.into_iter().find(|host| host.id() == id.trim());
        let host = host.ok_or_else(|| format!("'{id}' is no source; there are {ids}"))?;
        Ok((host, AskedService::source(url.trim()).map_err(|why| format!("{id}: {why}"))?))
    };
    parts(text).map(one).collect()
}
