//! Somebody else's server as a source of market data (R3.9): opened as a child process or reached over HTTP, asked through the network's
//! own budgets, and opened again where it has gone away. What its answers mean is in [`barograph_venues::mcp`].

mod opened;
mod over_http;

use barograph_net::{Calling, Carrier, Closing, Error, PostDoor};
use barograph_venues::mcp::{Offered, SCHEME};
use barograph_venues::session::MarketSpec;
use bytes::Bytes;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use opened::{OpenServer, innermost};
use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock, JsonObject};
use rmcp::service::ServiceError;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A server that could not be opened is left alone for this long.
const AGAIN: Duration = Duration::from_secs(5);
/// After so many calls in a row that nobody answered it is opened anew.
const UNANSWERED_MAX: u32 = 8;

/// Where a server is.
#[derive(Clone, PartialEq, Eq)]
pub enum ServerPlace {
    /// A program that speaks over its standard input and output.
    Program {
        /// Program and arguments.
        command: Vec<String>,
        /// Variables of its environment, beside our own.
        environment: Vec<(String, String)>,
    },
    /// Streamable HTTP.
    Address {
        /// Complete address.
        url: String,
        /// Bearer token.
        token: Option<String>,
    },
}

impl core::fmt::Debug for ServerPlace {
    /// Without secrets.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl ServerPlace {
    /// For people: the program, or the address.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Program { command, .. } => command.first().cloned().unwrap_or_default(),
            Self::Address { url, .. } => url.clone(),
        }
    }
}

/// Calls the tools of one server.
pub struct SourceServer {
    place: ServerPlace,
    markets: Vec<MarketSpec>,
    state: Mutex<State>,
    /// Calls since the last answer.
    unanswered: AtomicU32,
}

#[derive(Default)]
struct State {
    open: Option<Arc<OpenServer>>,
    /// When it could last not be opened, and why.
    refused: Option<(Instant, String)>,
}

impl core::fmt::Debug for SourceServer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SourceServer").field("place", &self.place).finish_non_exhaustive()
    }
}

impl SourceServer {
    /// A server that is opened with the first call. `markets` are those that the settings name.
    #[must_use]
    pub fn new(place: ServerPlace, markets: Vec<MarketSpec>) -> Self {
        Self { place, markets, state: Mutex::default(), unanswered: AtomicU32::new(0) }
    }

    /// The open server; it is opened where it is not.
    async fn open(&self, door: &PostDoor) -> Result<Arc<OpenServer>, Error> {
        let mut state = self.state.lock().await;
        if let Some(open) = state.open.as_ref().filter(|open| !open.is_closed()) {
            return Ok(Arc::clone(open));
        }
        state.open = None;
        if let Some((_, why)) = state.refused.as_ref().filter(|(at, _)| at.elapsed() < AGAIN) {
            return Err(self.gone(why.clone()));
        }
        match OpenServer::open(&self.place, door).await {
            Ok(open) => {
                let open = Arc::new(open);
                (state.open, state.refused) = (Some(Arc::clone(&open)), None);
                self.unanswered.store(0, Ordering::Relaxed);
                Ok(open)
            }
            Err(why) => {
                state.refused = Some((Instant::now(), why.clone()));
                Err(self.gone(why))
            }
        }
    }

    fn gone(&self, why: String) -> Error {
        Error::Connect { to: self.place.shown(), source: std::io::Error::other(why) }
    }

    async fn forget(&self) {
        self.state.lock().await.open = None;
    }

    async fn answer(&self, door: PostDoor, tool: &str, arguments: &str) -> Result<Bytes, Error> {
        if self.unanswered.fetch_add(1, Ordering::Relaxed) >= UNANSWERED_MAX {
            self.forget().await;
        }
        let open = self.open(&door).await?;
        let answered = if tool.is_empty() {
            open.tools().await.map(|tools| written(&Offered { tools, markets: self.markets.clone() }))
        } else {
            let arguments: JsonObject = serde_json::from_str(arguments).unwrap_or_default();
            let call = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
            open.call(call).await.map(|result| written(&result))
        };
        let answered = match answered {
            // What a server says of a call is an answer, whether as a result or as an error of the protocol.
            Err(ServiceError::McpError(error)) => {
                Ok(written(&CallToolResult::error(vec![ContentBlock::text(error.message.into_owned())])))
            }
            Ok(answer) => Ok(answer),
            Err(error) => Err(error),
        };
        match answered {
            Ok(answer) => {
                self.unanswered.store(0, Ordering::Relaxed);
                answer.map_err(|e| Error::Protocol { to: self.place.shown(), detail: e.to_string() })
            }
            Err(error) => {
                self.forget().await;
                Err(self.gone(open.last_words().unwrap_or_else(|| innermost(&error))))
            }
        }
    }
}

fn written(value: &impl serde::Serialize) -> serde_json::Result<Bytes> {
    serde_json::to_vec(value).map(Bytes::from)
}

impl Carrier for SourceServer {
    fn call(&self, door: PostDoor, address: String, body: String) -> Calling<'_> {
        Box::pin(async move {
            let tool = address.strip_prefix(SCHEME).unwrap_or_default();
            self.answer(door, tool, &body).await
        })
    }

    fn close(&self) -> Closing<'_> {
        Box::pin(async move {
            let open = self.state.lock().await.open.take();
            if let Some(open) = open.and_then(Arc::into_inner) {
                open.end().await;
            }
        })
    }
}
