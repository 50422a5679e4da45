//! The server of one client, over whichever transport it came.

use crate::budget::FittedAnswer;
use crate::fault::CallFault;
use crate::locked::{LOCKED_TOOLS, LockedSession};
use crate::tools::TOOLS;
use barograph_api::{Inside, nearest};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// How long a client may keep the list of tools: it changes with the program alone.
const LIST_HOLDS_MS: u64 = 3_600_000;

/// Longest sentence of a refusal, in characters, and most values that would do.
const SENTENCE_MAX: usize = 300;
const CANDIDATES_MAX: usize = 5;

/// What a client reads once.
const INSTRUCTIONS: &str = "Weather of crypto derivatives markets: what it is, why, what would change it. Times are UTC. as_of answers \
with what was known then. Every number has a unit and an age; UNKNOWN means no reading, never calm. It places no order and picks no \
side: do not read a label as a signal to buy or sell.";

static LIST: LazyLock<Vec<Tool>> =
    LazyLock::new(|| TOOLS.iter().map(|tool| listed(tool.name, tool.about, &tool.schema())).collect());

fn listed(name: &'static str, about: &'static str, schema: &Value) -> Tool {
    Tool::new(name, about, Arc::new(schema.as_object().cloned().unwrap_or_default()))
}

/// Answers the messages of one client.
#[derive(Clone, Debug)]
pub struct AgentServer {
    inside: Inside,
    version: String,
    /// Whose clock holds, where it is not that of the program.
    session: Option<Arc<LockedSession>>,
}

impl AgentServer {
    /// A server whose tools ask these routes; `version` is the program's.
    #[must_use]
    pub fn new(inside: Inside, version: impl Into<String>) -> Self {
        Self { inside, version: version.into(), session: None }
    }

    /// The same in a session with a clock of its own: two tools more, and nothing later than that clock.
    #[must_use]
    pub fn within(self, session: Arc<LockedSession>) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Answers a call; `None`: there is no such tool.
    async fn answer(&self, tool: &str, given: JsonObject) -> Option<Result<FittedAnswer, CallFault>> {
        if let Some(session) = &self.session {
            // To its end, also where the client leaves: a clock that has moved is on record.
            let (called, inside) = (Arc::clone(session), self.inside.clone());
            let (name, arguments) = (tool.to_owned(), given.clone());
            return match tokio::spawn(async move { called.call(&inside, &name, arguments).await }).await {
                Ok(answered) => answered,
                Err(_panic) => Some(Err(session.broke_off(tool, &given).await)),
            };
        }
        let tool = TOOLS.iter().find(|known| known.name == tool)?;
        Some(tool.call(&self.inside, given, None).await)
    }

    /// Names of all tools here.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let locked = self.session.iter().flat_map(|_| LOCKED_TOOLS.iter().map(|tool| tool.name));
        TOOLS.iter().map(|tool| tool.name).chain(locked)
    }
}

/// A call without an answer: the sentence, and the values that would have one.
fn refused(mut fault: CallFault) -> CallToolResult {
    // What was given is repeated in it, however long it was.
    if let Some((at, _)) = fault.sentence.char_indices().nth(SENTENCE_MAX) {
        fault.sentence.truncate(at);
        fault.sentence.push('…');
    }
    fault.candidates.truncate(CANDIDATES_MAX);
    let mut result = CallToolResult::error(vec![ContentBlock::text(fault.sentence.clone())]);
    let mut structured = json!({"error": fault.sentence});
    if !fault.candidates.is_empty() {
        structured["candidates"] = Value::from(fault.candidates);
    }
    result.structured_content = Some(structured);
    result
}

impl ServerHandler for AgentServer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("barograph", &self.version))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools = LIST.clone();
        if let Some(session) = &self.session {
            tools.extend(LOCKED_TOOLS.iter().map(|tool| listed(tool.name, tool.about, &tool.schema())));
            if let Some(mask) = session.mask() {
                for tool in &mut tools {
                    let schema = mask.schema(&tool.name, Value::Object((*tool.input_schema).clone()));
                    tool.input_schema = Arc::new(schema.as_object().cloned().unwrap_or_default());
                }
            }
        }
        let mut list = ListToolsResult::with_all_items(tools);
        (list.ttl_ms, list.cache_scope) = (Some(LIST_HOLDS_MS), Some(CacheScope::Public));
        Ok(list)
    }

    async fn call_tool(
        &self,
        asked: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(answered) = self.answer(&asked.name, asked.arguments.unwrap_or_default()).await else {
            let like = nearest(&asked.name, self.names());
            let hint = like.map_or_else(|| "tools/list names all".to_owned(), |like| format!("did you mean {like}?"));
            return Err(ErrorData::invalid_params(format!("there is no tool '{}'; {hint}", asked.name), None));
        };
        let result = match answered {
            Ok(fitted) => {
                let mut result = CallToolResult::success(vec![ContentBlock::text(fitted.text)]);
                result.structured_content = Some(fitted.structured);
                result
            }
            Err(fault) => refused(fault),
        };
        Ok(result.into())
    }
}
