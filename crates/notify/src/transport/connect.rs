//! A connection to one of several addresses: each gets a head start, none can use up the time of the others (RFC 8305 §5).

use super::Error;
use barograph_tls::Distrust;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Head start of an address before the next is tried beside it (RFC 8305 §8).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried: with their head starts they leave most of the time to the last.
const TRIED_MAX: usize = 8;

/// The first connection that stands.
pub(super) async fn first_that_answers(addresses: &[IpAddr], port: u16) -> Result<TcpStream, Error> {
    let mut last = io::Error::other("no address");
    let mut tries = JoinSet::new();
    let mut rest = addresses.iter().take(TRIED_MAX);
    loop {
        if let Some(ip) = rest.next() {
            drop(tries.spawn(TcpStream::connect(SocketAddr::new(*ip, port))));
        }
        let answer =
            if rest.len() > 0 { timeout(HEAD_START, tries.join_next()).await } else { Ok(tries.join_next().await) };
        match answer {
            Ok(Some(Ok(Ok(tcp)))) => return Ok(tcp),
            Ok(Some(Ok(Err(e)))) => last = e,
            Ok(Some(Err(e))) => last = io::Error::other(e),
            Ok(None) if rest.len() == 0 => return Err(Error::Connect(last.to_string())),
            Ok(None) | Err(_) => {}
        }
    }
}

/// Why there is no secure connection, in words of ours where people can do something about it.
pub(super) fn insecure(e: &io::Error) -> Error {
    Error::Tls(match barograph_tls::distrust(e) {
        Some(Distrust::Authority) => {
            "its certificate is signed by an authority that this machine does not trust".to_owned()
        }
        Some(Distrust::Name) => "its certificate is for another name".to_owned(),
        Some(Distrust::Expired) => "its certificate has expired".to_owned(),
        Some(Distrust::Other(why)) => format!("its certificate is not valid: {why}"),
        None => e.to_string(),
    })
}
