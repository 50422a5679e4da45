//! Looking up names. A trait, so that a test can change its mind between two lookups as an attacker would.

use core::future::Future;
use core::pin::Pin;
use std::io;
use std::net::IpAddr;

/// Addresses of names.
pub trait NameResolver: Send + Sync {
    /// Every address of a host.
    fn lookup<'a>(&'a self, host: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

/// The machine's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

impl NameResolver for SystemNames {
    fn lookup<'a>(&'a self, host: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()) })
    }
}
