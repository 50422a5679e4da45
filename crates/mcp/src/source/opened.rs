//! A server that is open: its process, where it has one, and the protocol over it.

use super::ServerPlace;
use super::over_http::PostedMessages;
use barograph_net::PostDoor;
use core::time::Duration;
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Longest part of what a program wrote that is shown, in characters.
const WORDS_MAX: usize = 200;
/// A program may take this long to end once its input is closed.
const ENDS_WITHIN: Duration = Duration::from_millis(400);

/// A server that answered the handshake.
pub(super) struct OpenServer {
    service: RunningService<RoleClient, ClientConfig>,
    /// Ends with this; first its input is closed.
    child: Option<Child>,
    words: LastWords,
}

/// The last line that a program wrote to its standard error.
#[derive(Clone, Default)]
struct LastWords(Arc<Mutex<Option<String>>>);

impl LastWords {
    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, line: &str) {
        if !line.trim().is_empty() {
            let short = line.trim().chars().take(WORDS_MAX).collect();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(short);
        }
    }
}

/// The newer revision where the server has it, else the older one.
fn lifecycle() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::V_2025_11_25),
    }
}

/// The reason behind an error that others wrapped: what they add names their types.
pub(super) fn innermost(error: &dyn core::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

impl OpenServer {
    /// Starts the program or goes to the address, and agrees on a revision. The caller limits the time.
    pub(super) async fn open(place: &ServerPlace, door: &PostDoor) -> Result<Self, String> {
        let name = Implementation::new("barograph", env!("CARGO_PKG_VERSION"));
        let client = ClientConfig::new(ClientCapabilities::default(), name);
        match place {
            ServerPlace::Address { url, token } => {
                let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
                config.auth_header = token.clone();
                let transport = StreamableHttpClientTransport::with_client(PostedMessages(door.clone()), config);
                let service = client.serve_with_lifecycle(transport, lifecycle()).await.map_err(|e| innermost(&e))?;
                Ok(Self { service, child: None, words: LastWords::default() })
            }
            ServerPlace::Program { command, environment } => {
                let (program, arguments) = command.split_first().ok_or("no program is named")?;
                let mut child = Command::new(program)
                    .args(arguments)
                    .envs(environment.iter().map(|(name, value)| (name, value)))
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    // Ctrl-C in a terminal is for this process, which ends the other one.
                    .process_group(0)
                    .kill_on_drop(true)
                    .spawn()
                    .map_err(|e| format!("cannot be started: {e}"))?;
                let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
                    return Err("its standard input and output cannot be had".to_owned());
                };
                let words = LastWords::default();
                if let Some(errors) = child.stderr.take() {
                    let words = words.clone();
                    tokio::spawn(async move {
                        let mut lines = BufReader::new(errors).lines();
                        while let Ok(Some(line)) = lines.next_line().await {
                            words.note(&line);
                        }
                    });
                }
                let service = client.serve_with_lifecycle((output, input), lifecycle()).await;
                let service = service.map_err(|e| match words.get() {
                    Some(words) => format!("{}; it wrote: {words}", innermost(&e)),
                    None => innermost(&e),
                })?;
                Ok(Self { service, child: Some(child), words })
            }
        }
    }

    /// Closes its input and waits a little for it to end by itself; what has not is killed.
    pub(super) async fn end(self) {
        drop(self.service);
        if let Some(mut child) = self.child {
            // Dropped behind this, it is killed if it still runs.
            drop(tokio::time::timeout(ENDS_WITHIN, child.wait()).await);
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.service.is_closed()
    }

    /// What its program wrote last.
    pub(super) fn last_words(&self) -> Option<String> {
        self.words.get()
    }

    pub(super) async fn call(&self, call: CallToolRequestParams) -> Result<CallToolResult, ServiceError> {
        self.service.call_tool(call).await
    }

    /// Names of its tools.
    pub(super) async fn tools(&self) -> Result<Vec<String>, ServiceError> {
        let mut names: Vec<String> =
            self.service.list_all_tools().await?.into_iter().map(|tool| tool.name.into_owned()).collect();
        names.sort_unstable();
        Ok(names)
    }
}
