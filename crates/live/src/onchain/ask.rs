//! One question to one source, and what came of it: asked, kept raw, read, compared with what is stored, stored.

use super::state::SeriesState;
use super::{OnchainSettings, ScoredTexts, bodies};
use crate::chain;
use barograph_domain::{InstrumentName, SignalPoint, SignalScope, Span, Ts};
use barograph_net::Clock;
use barograph_notify::ask::{AskedService, SourceQuestion, read_source};
use barograph_notify::secret::redacted;
use barograph_notify::transport::{ReceiverReply, Transport};
use barograph_query::signals::SignalDesk;
use barograph_store::{Range, Reader, SignalQuery, StoreTarget, open_reader};
use barograph_venues::onchain::reply::{ReplyVerdict, SourceRest, verdict};
use barograph_venues::onchain::schedule::is_whole_due;
use barograph_venues::onchain::vintage::{BodyReading, OnchainNews, is_provisional, news};
use barograph_venues::onchain::{BODY_BYTES_MAX, OnchainBody, OnchainHost, OnchainSeries};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// From the request to the end of the answer: several megabytes over a slow line.
const WITHIN: Duration = Duration::from_secs(60);
/// The sheet's pace for free hosts.
const GAP: Duration = Duration::from_secs(1);
/// Values of one question to the store.
const PAGE: usize = 10_000;

/// What is needed to ask.
pub struct OnchainMeans {
    /// What is set.
    pub settings: OnchainSettings,
    /// The data folder.
    pub data: PathBuf,
    /// The store.
    pub target: StoreTarget,
    /// How long bodies are kept.
    pub keep: Span,
    /// Whose market a bare symbol means where several have it.
    pub default_venue: String,
    /// What values are stamped with.
    pub clock: Arc<dyn Clock>,
}

/// Asks the sources that the settings name, and keeps what they answered.
pub struct OnchainAsker {
    means: OnchainMeans,
    transport: Transport,
    desk: SignalDesk,
    /// Its own: what is kept open between two questions is watched by its thread, and nobody waits for it at the end.
    runtime: tokio::runtime::Runtime,
}

/// What came of a question.
#[derive(Clone, PartialEq, Debug)]
pub enum SeriesResult {
    /// It was read; what of it is new is stored.
    Read {
        /// What was stored.
        news: OnchainNews,
        /// Rows that were left out, the first few with their reasons.
        left_out: Vec<String>,
    },
    /// Nothing has changed since it was asked last.
    Unchanged,
    /// Its source wants a rest or refuses; nothing is asked before then.
    Rests(SourceRest),
    /// It could not be reached, or its answer could not be taken; it is asked again after a pause.
    Failed(String),
    /// Its body is not what was expected; it is kept raw, and the values of before stay.
    Quarantined(String),
}

/// What came of a question about one series.
#[derive(Clone, PartialEq, Debug)]
pub struct SeriesOutcome {
    /// The series.
    pub name: String,
    /// What came of it.
    pub result: SeriesResult,
    /// What the operator should know all the same.
    pub note: Option<String>,
}

/// What a source holds, before it is read.
enum SourceAnswer {
    Body { bytes: Vec<u8>, etag: Option<String> },
    Unchanged,
    Rests(SourceRest),
    Failed(String),
}

impl core::fmt::Debug for OnchainAsker {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OnchainAsker").field("settings", &self.means.settings).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for OnchainMeans {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OnchainMeans").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl OnchainAsker {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the system has no thread left.
    pub fn new(means: OnchainMeans) -> Result<Self, String> {
        let transport = Transport::new()?;
        let desk = SignalDesk::new(means.target.clone());
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("onchain-http").enable_all().build();
        Ok(Self { means, transport, desk, runtime: runtime.map_err(|e| e.to_string())? })
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Ts {
        self.means.clock.now()
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.means.data
    }

    /// Asks about one series, stores what is new and notes in `state` what came of it.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn ask(&self, series: &OnchainSeries, state: &mut SeriesState) -> Result<SeriesOutcome, String> {
        let asked = self.now();
        let whole = is_whole_due(&series.rules(), &state.past(), asked);
        let answer = self.answer(series, whole, state.etag.as_deref(), asked);
        let recv = self.now();
        state.tried = Some(recv);
        let mut note = None;
        let result = match answer {
            SourceAnswer::Body { bytes, etag } => {
                let kept = self.keep_raw(series, &bytes, recv, state);
                match series.read(&bytes, recv) {
                    Ok(body) => {
                        note = body.note.clone().or(kept);
                        let result = self.store(series, body, recv, state)?;
                        state.etag = etag;
                        answered(state, recv, whole);
                        state.note.clone_from(&note);
                        result
                    }
                    Err(why) => {
                        state.failed(&format!("its body is not used: {why}"));
                        SeriesResult::Quarantined(why.to_string())
                    }
                }
            }
            SourceAnswer::Unchanged => {
                answered(state, recv, false);
                SeriesResult::Unchanged
            }
            SourceAnswer::Rests(rest) => {
                state.rests(&rest);
                SeriesResult::Rests(rest)
            }
            SourceAnswer::Failed(why) => {
                state.failed(&why);
                SeriesResult::Failed(why)
            }
        };
        Ok(SeriesOutcome { name: series.name().to_string(), result, note })
    }

    fn answer(&self, series: &OnchainSeries, whole: bool, etag: Option<&str>, now: Ts) -> SourceAnswer {
        let host = series.host();
        let address = match (&self.means.settings.scored, host) {
            (Some(ScoredTexts::File(path)), OnchainHost::Scored) => return of_file(path),
            (Some(ScoredTexts::Url(feed)), OnchainHost::Scored) => feed.clone(),
            _ => match self.base(host) {
                Ok(base) => base.at(&series.path(whole, now)),
                Err(why) => return SourceAnswer::Failed(why),
            },
        };
        let key = self.means.settings.keys.get(&host);
        if host.key_header().is_some() && key.is_none() {
            let setting = format!("{}_key", host.id());
            return SourceAnswer::Failed(format!(
                "it wants a key; write it into the setting {setting}, or BAROGRAPH_{}",
                setting.to_uppercase()
            ));
        }
        let mut headers = vec![("accept", if host == OnchainHost::Scored { "*/*" } else { "application/json" })];
        // All is read again from time to time, whatever its source says about it.
        headers.extend(etag.filter(|_| !whole).map(|etag| ("if-none-match", etag)));
        let question = SourceQuestion {
            address: &address,
            name: host.id(),
            headers: &headers,
            key: host.key_header().or((host == OnchainHost::Scored).then_some("authorization")).zip(key),
            within: WITHIN,
            bytes_max: BODY_BYTES_MAX,
            gap: GAP,
        };
        let reply = self.runtime.block_on(read_source(&self.transport, question));
        let hidden = |text: &str| redacted(text, key.map(|key| key.expose()));
        match reply {
            Ok(reply) => of_reply(&reply, self.now()),
            Err(e) => SourceAnswer::Failed(hidden(&e.to_string())),
        }
    }

    fn base(&self, host: OnchainHost) -> Result<AskedService, String> {
        self.means.settings.bases.get(&host).cloned().map_or_else(|| AskedService::source(host.base()), Ok)
    }

    /// Keeps the body before anything is read in it; a disk that refuses it is noted, and the values count all the same.
    fn keep_raw(&self, series: &OnchainSeries, body: &[u8], recv: Ts, state: &mut SeriesState) -> Option<String> {
        let digest = bodies::digest(body);
        if state.body.as_ref() == Some(&digest) {
            return None;
        }
        match bodies::keep(&self.means.data, series.name().as_str(), recv, body, self.means.keep) {
            Ok(()) => {
                state.body = Some(digest);
                None
            }
            Err(e) => Some(format!("its body could not be kept: {e}")),
        }
    }

    fn store(
        &self,
        series: &OnchainSeries,
        body: OnchainBody,
        recv: Ts,
        state: &mut SeriesState,
    ) -> Result<SeriesResult, String> {
        // Makes the store where there is none.
        self.desk.put(&[]).map_err(|e| chain(&e))?;
        let reader = open_reader(&self.means.target).map_err(|e| chain(&e))?;
        let from = body.points.first().map_or(recv, |p| p.event_ts);
        let (stored, newest) = stored(reader.as_ref(), series, from).map_err(|e| chain(&e))?;
        let names = markets(reader.as_ref()).map_err(|e| chain(&e))?;
        let scope = |symbol: &str| scope(&names, &self.means.default_venue, symbol);
        let reading = BodyReading {
            name: series.name(),
            source: series.host().source(),
            rules: series.rules(),
            recv,
            before: state.fetched.or(newest),
        };
        let left_out = body.left_out;
        let mut news = news(&reading, body.points, &stored, &scope);
        self.desk.put(&news.points).map_err(|e| chain(&e))?;
        let interval = series.rules().interval;
        let covered =
            news.points.iter().filter(|p| p.value.is_some() && !is_provisional(p)).map(|p| p.event_ts + interval).max();
        state.covered = state.covered.max(covered);
        state.revisions += news.revised as u64;
        let mut left_out = left_out;
        left_out.append(&mut news.refused);
        Ok(SeriesResult::Read { news, left_out })
    }
}

/// It has answered.
fn answered(state: &mut SeriesState, recv: Ts, whole: bool) {
    (state.fetched, state.failures, state.rests_until, state.note) = (Some(recv), 0, None, None);
    if whole {
        state.whole = Some(recv);
    }
}

fn of_reply(reply: &ReceiverReply, now: Ts) -> SourceAnswer {
    let header = |name: &str| reply.headers.get(name).and_then(|v| v.to_str().ok());
    match verdict(reply.status, header("retry-after"), header("x-rate-limit-reset"), now) {
        ReplyVerdict::Body if reply.body.len() >= BODY_BYTES_MAX => {
            SourceAnswer::Failed(format!("its answer is larger than {} MiB, and was cut off", BODY_BYTES_MAX >> 20))
        }
        ReplyVerdict::Body if !reply.whole => SourceAnswer::Failed("its answer broke off before its end".to_owned()),
        ReplyVerdict::Body => {
            // What is sent back is what was sent, where it may be.
            let etag = header("etag").filter(|etag| etag.len() <= 256).map(str::to_owned);
            SourceAnswer::Body { bytes: reply.body.to_vec(), etag }
        }
        ReplyVerdict::Unchanged => SourceAnswer::Unchanged,
        ReplyVerdict::Rest(rest) => SourceAnswer::Rests(rest),
        ReplyVerdict::Failed(why) => SourceAnswer::Failed(why),
    }
}

/// What a file of scored texts holds. What is no regular file may never end.
fn of_file(path: &Path) -> SourceAnswer {
    let read = || -> Result<Vec<u8>, String> {
        if !std::fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
            return Err("it is no regular file".to_owned());
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
        std::io::Read::read_to_end(&mut std::io::Read::take(file, BODY_BYTES_MAX as u64 + 1), &mut bytes)
            .map_err(|e| e.to_string())?;
        if bytes.len() > BODY_BYTES_MAX {
            return Err(format!("it is larger than {} MiB; leave what is old out of it", BODY_BYTES_MAX >> 20));
        }
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => SourceAnswer::Body { bytes, etag: None },
        Err(why) => SourceAnswer::Failed(format!("{}: {why}", path.display())),
    }
}

/// The newest revisions of a series from a moment on, and since when the newest of all was known.
fn stored(
    reader: &dyn Reader,
    series: &OnchainSeries,
    from: Ts,
) -> Result<(Vec<SignalPoint>, Option<Ts>), barograph_store::Error> {
    let (mut points, mut newest) = (Vec::new(), None);
    for info in reader.signals_of(series.name(), None)? {
        newest = newest.max(Some(info.newest_known));
        let mut query = SignalQuery {
            name: info.name.clone(),
            scope: info.scope.clone(),
            source: Some(info.source.clone()),
            range: Range { start: from, end: Ts::MAX },
            as_of: None,
            revisions: false,
            limit: PAGE,
        };
        loop {
            let page = reader.signal_points(&query)?;
            points.extend(page.items);
            match page.next {
                Some(next) => query.range.start = next,
                None => break,
            }
        }
    }
    Ok((points, newest))
}

fn markets(reader: &dyn Reader) -> Result<Vec<InstrumentName>, barograph_store::Error> {
    Ok(reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect())
}

/// Which market a provider's symbol means: every one, one by its full name, or the one that alone has it, that of the default venue first.
fn scope(known: &[InstrumentName], default_venue: &str, symbol: &str) -> Result<SignalScope, String> {
    if let Ok(scope) = SignalScope::parse(symbol) {
        return Ok(scope);
    }
    let mut like = known.iter().filter(|name| name.symbol.eq_ignore_ascii_case(symbol)).peekable();
    let first = like.peek().copied();
    let own =
        known.iter().find(|name| name.venue.as_str() == default_venue && name.symbol.eq_ignore_ascii_case(symbol));
    match (own, first, like.count()) {
        (Some(name), ..) | (None, Some(name), 1) => Ok(SignalScope::Market(name.clone())),
        (None, Some(_), _) => Err(format!("'{symbol}' is a market of several venues; write venue:symbol")),
        (None, None, _) => {
            Err(format!("'{symbol}' is no market that is recorded; write venue:symbol, or * for every market"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_a_market_by_its_name_or_the_one_that_has_it() {
        let known: Vec<InstrumentName> =
            ["binance-usdm:BTCUSDT", "bybit:BTCUSDT", "okx:ETH-USDT-SWAP", "bybit:SOLUSDT", "coinex:SOLUSDT"]
                .iter()
                .map(|n| InstrumentName::parse(n).unwrap())
                .collect();
        for (symbol, scope_or_why) in [
            ("*", "*"),
            ("kraken:XBTUSD", "kraken:XBTUSD"),
            ("BTCUSDT", "binance-usdm:BTCUSDT"),
            ("eth-usdt-swap", "okx:ETH-USDT-SWAP"),
            ("SOLUSDT", "'SOLUSDT' is a market of several venues"),
            ("DOGE", "'DOGE' is no market that is recorded"),
        ] {
            let found = scope(&known, "binance-usdm", symbol).map_or_else(|why| why, |scope| scope.to_string());
            assert!(found.starts_with(scope_or_why), "{symbol}: {found}");
        }
    }

    #[test]
    fn a_body_that_is_too_long_or_cut_is_no_body() {
        let reply =
            |body: Vec<u8>, whole| ReceiverReply { status: 200, headers: Default::default(), body: body.into(), whole };
        for (reply, words) in [
            (reply(vec![b' '; BODY_BYTES_MAX], false), "larger than 32 MiB"),
            (reply(b"[{\"da".to_vec(), false), "broke off"),
        ] {
            let SourceAnswer::Failed(why) = of_reply(&reply, Ts(0)) else { panic!("it was taken") };
            assert!(why.contains(words), "{why}");
        }
        assert!(matches!(of_reply(&reply(b"[]".to_vec(), true), Ts(0)), SourceAnswer::Body { .. }));
    }
}
