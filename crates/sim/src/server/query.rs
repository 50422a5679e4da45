//! Query parameters of a request, and the answer to it.

use crate::num::Text;
use crate::world::candles::HistoryWindow;
use barograph_domain::Span;
use std::collections::BTreeMap;

/// The parameters of a query string; the first of a name counts.
#[derive(Debug, Default)]
pub(crate) struct QueryString(BTreeMap<String, String>);

impl QueryString {
    pub(crate) fn parse(query: &str) -> Self {
        let mut all = BTreeMap::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            all.entry(key.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(all)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A whole number, where the parameter is there.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Reply> {
        self.get(name)
            .map(|v| v.parse().map_err(|_e| Reply::refused(-1102, &format!("Parameter '{name}' was malformed."))))
            .transpose()
    }

    /// `startTime`, `endTime` and `limit`, which must not be above `limit_max`.
    pub(crate) fn window(&self, limit_default: usize, limit_max: usize) -> Result<HistoryWindow, Reply> {
        let limit = match self.number("limit")? {
            None => limit_default,
            Some(n) => usize::try_from(n)
                .ok()
                .filter(|n| (1..=limit_max).contains(n))
                .ok_or_else(|| Reply::refused(-1130, "Data sent for parameter 'limit' is not valid."))?,
        };
        Ok(HistoryWindow { start_ms: self.number("startTime")?, end_ms: self.number("endTime")?, limit })
    }
}

/// An answer before it is sent.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// How much later than at once it is sent.
    pub(crate) late: Option<Span>,
    /// Half of the body only, then the connection breaks.
    pub(crate) cut: bool,
}

impl Reply {
    pub(crate) const fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body, late: None, cut: false }
    }

    pub(crate) fn ok(text: Text) -> Self {
        Self::new(200, text.bytes)
    }

    /// A refusal in Binance's words.
    pub(crate) fn refused(code: i64, text: &str) -> Self {
        Self::error(400, code, text)
    }

    pub(crate) fn error(status: u16, code: i64, text: &str) -> Self {
        let mut t = Text::default();
        t.s("{\"code\":").n(code).s(",\"msg\":\"").s(text).s("\"}");
        Self::new(status, t.bytes)
    }

    /// What this server does not have, or this world does not offer.
    pub(crate) fn absent(text: &str) -> Self {
        Self::error(404, -5_000, text)
    }

    /// To be asked again after this long, in whole seconds.
    pub(crate) fn after(self, wait: Span) -> Self {
        self.with("retry-after", &(wait + Span(999_999_999)).as_secs().max(1))
    }

    pub(crate) fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}
