//! The way between machines, over a real server.

#[cfg(test)]
mod server;
