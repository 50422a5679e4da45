//! Problem details (RFC 9457): every answer that is not a success, in one shape.
//!
//! `detail` says what was wrong, `value` with what, `hint` what to do; `candidates` lists the names that would have
//! worked. Types are URNs, so that they mean the same on every host.

use crate::query::{DeliveryName, QueryError};
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use barograph_domain::InstrumentName;
use serde::Serialize;
use utoipa::ToSchema;

/// A problem, before it is written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    detail: Box<str>,
    value: Option<Box<str>>,
    hint: Option<Box<str>>,
    candidates: Vec<String>,
    retry_after_s: Option<u32>,
}

/// When to ask again unless something better is known, seconds.
const RETRY_AFTER_S: u32 = 2;

/// A problem document (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// Which kind of problem, as a URN that never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:barograph:problem:unknown-symbol")]
    pub(crate) type_uri: String,
    /// The kind in words.
    #[schema(example = "unknown symbol")]
    pub(crate) title: &'static str,
    /// HTTP status.
    #[schema(example = 404)]
    pub(crate) status: u16,
    /// What was wrong this time.
    #[schema(example = "'BTCUSDX' is no symbol known here")]
    pub(crate) detail: &'a str,
    /// The value that was wrong, as received.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "BTCUSDX")]
    pub(crate) value: Option<&'a str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "did you mean BTCUSDT? /api/v1/markets lists all")]
    pub(crate) hint: Option<&'a str>,
    /// Names that would have been understood.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) candidates: &'a [String],
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $status:literal $slug:literal $title:literal;)*) => {
        /// Every kind of problem this API reports.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum ProblemKind { $($(#[$doc])* $variant),* }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }
            /// Last part of the type URN.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),* }
            }
            /// The kind in words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }
        }
    };
}

kinds! {
    /// A query parameter this route does not have.
    UnknownParameter 400 "unknown-parameter" "unknown parameter";
    /// The same query parameter twice.
    RepeatedParameter 400 "repeated-parameter" "repeated parameter";
    /// A query parameter this route needs.
    MissingParameter 400 "missing-parameter" "missing parameter";
    /// A time that cannot be read.
    BadTime 400 "bad-time" "bad time";
    /// A range that ends before it begins.
    BadRange 400 "bad-range" "bad range";
    /// A number or length of time outside what is allowed.
    BadNumber 400 "bad-number" "bad number";
    /// A word that is none of those known.
    BadWord 400 "bad-word" "bad word";
    /// A cursor that is no cursor, or belongs to another query.
    BadCursor 400 "bad-cursor" "bad cursor";
    /// A body that is no JSON, or not of its shape.
    BadBody 400 "bad-body" "bad body";
    /// A field whose value cannot be meant.
    BadField 400 "bad-field" "bad field";
    /// A path or query that is not UTF-8, or a request without a usable host.
    BadRequest 400 "bad-request" "bad request";
    /// A token is wanted, and none that is known was brought.
    Unauthorized 401 "unauthorized" "unauthorized";
    /// The token does not allow it, or another site's page asks.
    Forbidden 403 "forbidden" "forbidden";
    /// No such address.
    UnknownRoute 404 "unknown-route" "unknown route";
    /// No such instrument.
    UnknownSymbol 404 "unknown-symbol" "unknown symbol";
    /// No such metric here.
    UnknownMetric 404 "unknown-metric" "unknown metric";
    /// No such feature.
    UnknownFeature 404 "unknown-feature" "unknown feature";
    /// No such rule book stored.
    UnknownBook 404 "unknown-book" "unknown rule book";
    /// What is stored was computed with other rule books than the configured one.
    OtherBook 404 "other-book" "computed with another rule book";
    /// No such venue is listened to.
    UnknownVenue 404 "unknown-venue" "unknown venue";
    /// No such position is registered.
    UnknownPosition 404 "unknown-position" "unknown position";
    /// No such message is stored.
    UnknownMessage 404 "unknown-message" "unknown message";
    /// No such endpoint.
    UnknownEndpoint 404 "unknown-endpoint" "unknown endpoint";
    /// No such silence holds.
    UnknownSilence 404 "unknown-silence" "unknown silence";
    /// There is no such watch.
    UnknownWatch 404 "unknown-watch" "unknown watch";
    /// No such case is filed.
    UnknownCase 404 "unknown-case" "unknown case";
    /// No such session of an agent is on record.
    UnknownSession 404 "unknown-session" "unknown session";
    /// No such alert is stored.
    UnknownAlert 404 "unknown-alert" "unknown alert";
    /// The venue does not have it.
    NotOffered 404 "not-offered" "not offered by the venue";
    /// This process does not listen to it.
    NotLive 404 "not-live" "not live";
    /// Nothing was known at that moment.
    NothingYet 404 "nothing-yet" "nothing yet";
    /// The address exists, the method does not.
    MethodNotAllowed 405 "method-not-allowed" "method not allowed";
    /// A bare symbol that several instruments answer to.
    AmbiguousSymbol 409 "ambiguous-symbol" "ambiguous symbol";
    /// It cannot be changed from here.
    Conflict 409 "conflict" "conflict";
    /// A body where none is read, or one that is too long.
    BodyRefused 413 "body-refused" "body refused";
    /// An address that is too long.
    AddressTooLong 414 "address-too-long" "address too long";
    /// A body of another type than JSON.
    UnsupportedMediaType 415 "unsupported-media-type" "unsupported media type";
    /// More than one answer may hold.
    TooMuch 422 "too-much" "too much at once";
    /// A host name that is not this server's.
    WrongHost 421 "wrong-host" "wrong host";
    /// One client asks too much.
    TooManyRequests 429 "too-many-requests" "too many requests";
    /// Too many or too long header fields.
    HeadersTooLarge 431 "headers-too-large" "headers too large";
    /// Something broke; the operator has the details.
    Internal 500 "internal" "internal failure";
    /// More at once than is served.
    Busy 503 "busy" "busy";
    /// It took too long.
    Timeout 503 "timeout" "timed out";
    /// Not able to answer yet, or no longer.
    NotReady 503 "not-ready" "not ready";
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<Box<str>>) -> Self {
        Self { kind, detail: detail.into(), value: None, hint: None, candidates: Vec::new(), retry_after_s: None }
    }
    /// With the value that was wrong.
    #[must_use]
    pub fn value(mut self, value: impl Into<Box<str>>) -> Self {
        self.value = Some(value.into());
        self
    }
    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// With names that would have been understood.
    #[must_use]
    pub fn candidates(mut self, names: Vec<String>) -> Self {
        self.candidates = names;
        self
    }
    /// With the time after which asking again makes sense, at least a second. Only 429 and 503 say it.
    #[must_use]
    pub fn retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after_s = seconds.map(|s| s.max(1));
        self
    }
    /// As it goes over the wire.
    pub(crate) fn document(&self) -> Document<'_> {
        Document {
            type_uri: format!("urn:barograph:problem:{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status(),
            detail: &self.detail,
            value: self.value.as_deref(),
            hint: self.hint.as_deref(),
            candidates: &self.candidates,
        }
    }

    /// The document for a failed read. The operator's part of an internal failure is not in it; see
    /// [`crate::Incident`].
    pub(crate) fn from_query(error: &QueryError) -> Self {
        let detail = error.to_string();
        match error {
            QueryError::UnknownSymbol { name, nearest } => {
                let hint = match nearest.first() {
                    Some(like) => format!("did you mean {like}? /api/v1/markets lists all"),
                    None => "/api/v1/markets lists all".to_owned(),
                };
                Self::new(ProblemKind::UnknownSymbol, detail)
                    .value(name.as_str())
                    .hint(hint)
                    .candidates(nearest.clone())
            }
            QueryError::Ambiguous { name, candidates } => {
                let names: Vec<String> = candidates.iter().map(InstrumentName::to_string).collect();
                let hint = format!("say the venue, as in {}", names.first().map_or("binance-usdm:BTCUSDT", |n| n));
                Self::new(ProblemKind::AmbiguousSymbol, detail).value(name.as_str()).hint(hint).candidates(names)
            }
            QueryError::UnknownBook { name, known } => Self::new(ProblemKind::UnknownBook, detail)
                .value(name.as_str())
                .hint("leave book out for the configured one, or name one of the candidates")
                .candidates(known.clone()),
            QueryError::OtherBook { wanted, known, .. } => Self::new(ProblemKind::OtherBook, detail)
                .value(wanted.as_str())
                .hint("add book= with one of the candidates where the address takes it, start the server with that --book, or compute with the configured one: barograph collect --source PATH")
                .candidates(known.clone()),
            QueryError::UnknownMetric { name, known } => Self::new(ProblemKind::UnknownMetric, detail)
                .value(name.as_str())
                .hint("name one of the candidates")
                .candidates(known.clone()),
            QueryError::NothingYet { as_of, .. } => {
                let hint = if as_of.is_some() { "ask for a later as_of" } else { "import or collect data first" };
                let problem = Self::new(ProblemKind::NothingYet, detail).hint(hint);
                match as_of {
                    Some(t) => problem.value(t.iso()),
                    None => problem,
                }
            }
            QueryError::NotCompared { as_of, newest } => {
                let hint = match (newest, as_of) {
                    (Some(_), _) => "ask with an as_of at most 2 hours after that hour, or collect newer data",
                    (None, Some(_)) => "ask for a later as_of",
                    (None, None) => "at least two markets of the setting watch are needed, and a whole hour of them",
                };
                let problem = Self::new(ProblemKind::NothingYet, detail).hint(hint);
                match as_of {
                    Some(t) => problem.value(t.iso()),
                    None => problem,
                }
            }
            QueryError::NoForecasts { as_of } => {
                let hint = match as_of {
                    Some(_) => "ask for a later as_of",
                    None => "every import and every live minute registers them: barograph collect --source PATH, or barograph up",
                };
                let problem = Self::new(ProblemKind::NothingYet, detail).hint(hint);
                match as_of {
                    Some(t) => problem.value(t.iso()),
                    None => problem,
                }
            }
            QueryError::NotLive { instrument } => {
                let problem = Self::new(ProblemKind::NotLive, detail)
                    .hint("start it with `barograph up`; /context and /metrics answer from what is stored");
                match instrument {
                    Some(id) => problem.value(id.to_string()),
                    None => problem,
                }
            }
            QueryError::NotOffered { metric, .. } => Self::new(ProblemKind::NotOffered, detail)
                .value(metric.name())
                .hint("leave metric_name out to see what this market has, or ask for a market of another venue"),
            QueryError::BadField { field, value, .. } => Self::new(ProblemKind::BadField, detail)
                .value(value.as_str())
                .hint(format!("correct {field}; /docs says what it means")),
            QueryError::UnknownPosition { id } => Self::new(ProblemKind::UnknownPosition, detail)
                .value(id.as_str())
                .hint("/api/v1/positions lists those that are registered"),
            QueryError::Unknown { what, id } => {
                let (kind, list) = match what {
                    DeliveryName::Message => (ProblemKind::UnknownMessage, "/api/v1/deliveries lists those of the last 30 days"),
                    DeliveryName::Endpoint => (ProblemKind::UnknownEndpoint, "/api/v1/endpoints lists those there are"),
                    DeliveryName::Silence => (ProblemKind::UnknownSilence, "/api/v1/silences lists those that hold"),
                    DeliveryName::Watch => (ProblemKind::UnknownWatch, "/api/v1/watches lists those there are"),
                    DeliveryName::Case => (ProblemKind::UnknownCase, "/api/v1/cases lists those that are filed"),
                    DeliveryName::Alert => (ProblemKind::UnknownAlert, "/api/v1/events lists alerts with their ids"),
                };
                Self::new(kind, detail).value(id.as_str()).hint(list)
            }
            QueryError::NotDelivering => Self::new(ProblemKind::NotReady, detail)
                .retry_after(Some(60))
                .hint("ask a process that was started with `barograph up` and has [[receiver]] tables in its settings"),
            QueryError::Conflict { hint, .. } => Self::new(ProblemKind::Conflict, detail).hint(hint.as_str()),
            QueryError::TooMuch { hint, .. } => Self::new(ProblemKind::TooMuch, detail).hint(hint.as_str()),
            QueryError::Away { retry_after_s, .. } => Self::new(ProblemKind::NotReady, detail)
                .retry_after(*retry_after_s)
                .hint("try again after Retry-After; nothing has to be done"),
            QueryError::Unavailable { .. } => Self::new(ProblemKind::NotReady, detail).hint("try again shortly"),
            QueryError::Internal { .. } => Self::internal(),
        }
    }

    /// What a client hears of an internal failure.
    pub(crate) fn internal() -> Self {
        Self::new(ProblemKind::Internal, "the read failed; the operator's log says why")
            .hint("try again, and report it if it stays")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let body = serde_json::to_vec(&self.document()).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(self.kind.status(), 429 | 503) {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after_s.unwrap_or(RETRY_AFTER_S)));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_own_urn_and_a_real_status() {
        let mut slugs: Vec<&str> = ProblemKind::ALL.iter().map(|k| k.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert!(StatusCode::from_u16(kind.status()).is_ok_and(|s| s.is_client_error() || s.is_server_error()));
        }
    }

    #[test]
    fn a_document_reads_as_the_rfc_says() {
        let ambiguous = QueryError::Ambiguous {
            name: "BTCUSDT".into(),
            candidates: ["binance-usdm:BTCUSDT", "bybit:BTCUSDT"].map(|t| InstrumentName::parse(t).unwrap()).to_vec(),
        };
        assert_eq!(
            serde_json::to_value(Problem::from_query(&ambiguous).document()).unwrap(),
            serde_json::json!({
                "type": "urn:barograph:problem:ambiguous-symbol",
                "title": "ambiguous symbol",
                "status": 409,
                "detail": "'BTCUSDT' is traded on 2 venues: binance-usdm:BTCUSDT, bybit:BTCUSDT; say one",
                "value": "BTCUSDT",
                "hint": "say the venue, as in binance-usdm:BTCUSDT",
                "candidates": ["binance-usdm:BTCUSDT", "bybit:BTCUSDT"],
            })
        );
        let secret = QueryError::Internal { source: "disk path and password".into() };
        assert!(!serde_json::to_string(&Problem::from_query(&secret).document()).unwrap().contains("password"));
    }
}
