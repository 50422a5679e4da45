//! A door for agents: what is asked at `/mcp` is answered by whoever the program puts there, from the same routes as everybody's.

use crate::agent_sessions::{SessionCase, SessionForecast};
use crate::query::Query;
use crate::routes;
use crate::serve::ServeConfig;
use crate::state::{App, SharedState};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderValue, Method, Request, Response};
use bytes::Bytes;
use core::fmt;
use core::pin::Pin;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::watch;

/// Answers what is sent to `/mcp`. Host, caller and limits were checked as for every request.
pub trait Agents: Send + Sync {
    /// The answer; `inside` asks the routes of this server.
    fn answer(
        &self,
        inside: Inside,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>>;
}

/// Who answers at `/mcp`.
#[derive(Clone)]
pub struct AgentDoor(pub Arc<dyn Agents>);

impl fmt::Debug for AgentDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentDoor")
    }
}

/// The routes of a server, asked from within: as a client asks them, for one that has been admitted.
#[derive(Clone)]
pub struct Inside {
    router: Router,
    app: SharedState,
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside")
    }
}

tokio::task_local! {
    /// There while a route is asked from within.
    static WITHIN: ();
}

/// Is this the read of a route that was asked from within, which may be done where it is? Such a question has a task of its own, which
/// waits for nothing else; a read of a millisecond is over before another thread has woken up for it.
pub(crate) fn reads_in_place() -> bool {
    let is_threaded = || Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread);
    WITHIN.try_with(|()| ()).is_ok() && is_threaded()
}

/// What a route answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InsideReply {
    /// Status as in HTTP.
    pub status: u16,
    /// JSON: what was asked for, or a problem (RFC 9457).
    pub body: Bytes,
}

impl Inside {
    /// The routes of a program that serves nobody else. Its reads have the limits of `config`.
    #[must_use]
    pub fn over(query: Arc<dyn Query>, config: ServeConfig) -> Self {
        let (_open, closing) = watch::channel(false);
        Self::of(&App::new(query, config, closing))
    }

    pub(crate) fn of(app: &SharedState) -> Self {
        Self { router: routes::inner(app), app: Arc::clone(app) }
    }

    /// That of the server which was asked, as it was made once: a hundred routes are not set up for each call.
    pub(crate) fn at(app: &SharedState, request: &Extensions) -> Self {
        request.get::<Self>().cloned().unwrap_or_else(|| Self::of(app))
    }

    /// Forecasts on the record of a session beside the ledger's own cases, as it is known now.
    ///
    /// # Errors
    /// In plain words: the ledger cannot be read.
    pub async fn session_cases(&self, stated: Vec<SessionForecast>) -> Result<Vec<SessionCase>, String> {
        let read = self.app.read("agent-sessions", move |q| q.session_cases("", &stated, None)).await;
        read.map_err(|problem| problem.document().detail.to_string())
    }

    /// Asks an address, as in `/api/v1/markets?limit=10`; with a body of JSON it is posted.
    pub async fn ask(&self, address: &str, body: Option<Bytes>) -> InsideReply {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::new(body.map_or_else(Body::empty, Body::from));
        *request.method_mut() = method;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let Ok(uri) = address.parse() else {
            return InsideReply { status: 404, body: Bytes::from_static(b"{\"detail\":\"this is no address\"}") };
        };
        *request.uri_mut() = uri;
        let answered = WITHIN.scope((), TowerToHyperService::new(self.router.clone()).call(request)).await;
        let response = match answered {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        // What a route answers is in memory already, so that its size is the route's affair.
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        InsideReply { status, body }
    }
}
