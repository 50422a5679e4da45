//! Over HTTP, at `/mcp` of the server that everybody asks: JSON answers, and no state but that of a session of ours.

use crate::locked::LockedSession;
use crate::server::AgentServer;
use axum::body::Body;
use axum::http::{Request, Response};
use barograph_api::{Agents, Inside};
use core::pin::Pin;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;

/// Longest message: the longest useful one has some hundred bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Answers what is sent to `/mcp`.
#[derive(Debug)]
pub struct OverHttp {
    version: String,
    sessions: Arc<NeverSessionManager>,
    config: StreamableHttpServerConfig,
    /// Whose clock holds, where it is not that of the program.
    locked: Option<Arc<LockedSession>>,
}

impl OverHttp {
    /// For a program of this version.
    #[must_use]
    pub fn new(version: impl Into<String>) -> Self {
        // Host and origin are checked before: by the rules that hold for every route.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(MESSAGE_BYTES_MAX);
        Self { version: version.into(), sessions: Arc::new(NeverSessionManager::default()), config, locked: None }
    }

    /// The same for whoever is in this session.
    #[must_use]
    pub fn within(self, session: Arc<LockedSession>) -> Self {
        Self { locked: Some(session), ..self }
    }
}

impl Agents for OverHttp {
    fn answer(
        &self,
        inside: Inside,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>> {
        let server = AgentServer::new(inside, self.version.clone());
        let server = match &self.locked {
            Some(session) => server.within(Arc::clone(session)),
            None => server,
        };
        let service =
            StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&self.sessions), self.config.clone());
        Box::pin(async move { service.handle(request).await.map(Body::new) })
    }
}
