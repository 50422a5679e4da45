//! The server against a real client over loopback: what the venue sheets say, line by line.

#[cfg(test)]
mod client;
#[cfg(test)]
mod usdm;
