//! Signals of one's own and readings of on-chain sources, over the API.

use super::advice::unwritable;
use super::{Service, internal, unreadable};
use crate::signals::{self, SignalDesk, refusals, taken};
use barograph_api::onchain::OnchainView;
use barograph_api::signals::{SignalBarsQuery, SignalBarsView, SignalsTaken, SignalsView};
use barograph_api::{AskSignals, MetricPoint, Page, QueryError, SeriesWindow};
use barograph_domain::{InstrumentName, SignalName, SignalScope, Span, Ts};
use barograph_store::{Range, SignalQuery, StoreTarget};
use barograph_venues::signals::{KnownSince, SignalDefaults, parse};

/// Most values of one request.
const POINTS_MAX: usize = 5_000;

impl AskSignals for Service {
    fn signals(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<SignalsView, QueryError> {
        let at = as_of.unwrap_or_else(|| self.clock.now());
        let items = signals::listed(self.reader.as_ref(), Some(id), Some(at), at).map_err(|e| unreadable(&e))?;
        Ok(SignalsView { instrument: id.clone(), items })
    }

    fn onchain(&self, id: Option<&InstrumentName>, as_of: Option<Ts>) -> Result<OnchainView, QueryError> {
        // A whole second that is over no sooner than now: asked for again, it has everything that this answer has.
        let at = as_of.unwrap_or_else(|| self.clock.now().ceil(Span::secs(1)));
        crate::onchain::readings(self.reader.as_ref(), id, at).map_err(|e| unreadable(&e))
    }

    fn signal_points(
        &self,
        id: &InstrumentName,
        name: &SignalName,
        window: &SeriesWindow,
    ) -> Result<Page<MetricPoint>, QueryError> {
        // A value of a clock that is a little fast is known once this one has come as far.
        let as_of = Some(window.as_of.unwrap_or_else(|| self.clock.now()));
        let scope = signals::scope_of(self.reader.as_ref(), id, name, as_of).map_err(|e| unreadable(&e))?;
        let scope = scope.map_err(|known| QueryError::UnknownMetric { name: name.to_string(), known })?;
        let query = SignalQuery {
            name: name.clone(),
            scope,
            source: None,
            range: Range { start: window.start.unwrap_or(Ts::MIN), end: window.end.unwrap_or(Ts::MAX) },
            as_of,
            revisions: false,
            limit: window.limit + window.skip,
        };
        let page = self.reader.signal_points(&query).map_err(internal)?;
        let more = page.next.is_some() || page.items.len() > window.limit + window.skip;
        let items = page.items.into_iter().skip(window.skip).take(window.limit).map(signals::shown).collect();
        Ok(Page { items, more })
    }

    fn signal_bars(&self, id: &InstrumentName, asked: &SignalBarsQuery) -> Result<SignalBarsView, QueryError> {
        let now = asked.as_of.unwrap_or_else(|| self.clock.now());
        crate::signal_bars::signal_bars(self.reader.as_ref(), id, asked, now)
    }

    fn put_signals(&self, id: &InstrumentName, text: &str) -> Result<SignalsTaken, QueryError> {
        let desk = self
            .signal_desk
            .get()
            .ok_or_else(|| QueryError::Unavailable { reason: "this process stores no signals".to_owned() })?;
        let now = self.clock.now();
        let scope = SignalScope::Market(id.clone());
        let of = SignalDefaults { scope: Some(scope), name: None, source: None, known: KnownSince::Arrival(now) };
        let bad = |value: String, reason: String| QueryError::BadField { field: "body".to_owned(), value, reason };
        let symbol = |text: &str| {
            if text == id.symbol.as_str() {
                return Ok(SignalScope::Market(id.clone()));
            }
            SignalScope::parse(text).map_err(|e| e.to_string())
        };
        let read = parse(text, &of, &symbol).map_err(|why| bad(String::new(), why))?;
        if let Some(first) = read.refused.first() {
            return Err(bad(format!("point {}", first.number), refusals(&read.refused)));
        }
        if read.points.len() > POINTS_MAX {
            return Err(QueryError::TooMuch {
                reason: format!("the body holds {} values, at most {POINTS_MAX} are taken at once", read.points.len()),
                hint: "send them in parts, or give the file to: barograph signals import".to_owned(),
            });
        }
        signals::not_ahead(&read.points, now).map_err(|why| bad(String::new(), why))?;
        let put = desk.put(&read.points).map_err(|e| match e {
            barograph_store::Error::Invalid(why) => bad(String::new(), why),
            other => unwritable(other),
        })?;
        Ok(taken(put, &read))
    }
}

impl Service {
    /// Signals that are brought are stored there from now on.
    pub fn keep_signals(&self, target: StoreTarget) {
        // Set once, where the process begins.
        drop(self.signal_desk.set(SignalDesk::new(target)));
    }
}
