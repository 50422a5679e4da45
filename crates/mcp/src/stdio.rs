//! Over standard input and output, for a client that starts the program.

use crate::server::AgentServer;
use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use std::io;

/// Answers until the client closes its end. Nothing else may be written to standard output meanwhile.
///
/// # Errors
/// What is wrong with the first message, or with the streams.
pub async fn serve_stdio(server: AgentServer) -> io::Result<()> {
    let running = match server.serve(rmcp::transport::stdio()).await {
        Ok(running) => running,
        // Closed before a word was exchanged: nobody wanted anything.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(io::Error::other(error)),
    };
    running.waiting().await.map(|_reason| ()).map_err(io::Error::other)
}
