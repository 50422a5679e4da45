//! Venues that are not asked over plain HTTP: whoever knows their wire carries out what their sessions ask for.

use super::client::{HttpReply, PostHeaders};
use crate::error::Result;
use crate::world::NetState;
use bytes::Bytes;
use core::fmt;
use core::pin::Pin;
use hyper::HeaderMap;
use std::sync::Arc;

/// The answer that a [`Carrier`] promises.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Bytes>> + Send + 'a>>;

/// The end that a [`Carrier`] promises.
pub type Closing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Carries out the requests of a venue whose wire is its own. What limits and repeats requests of other venues does so here too.
pub trait Carrier: Send + Sync + fmt::Debug {
    /// The answer to a request, as a session reads it. An error is tried again as those of HTTP are.
    fn call(&self, door: PostDoor, address: String, body: String) -> Calling<'_>;

    /// Ends what it holds open, within half a second.
    fn close(&self) -> Closing<'_>;
}

/// Posts over the connections of this program.
#[derive(Clone)]
pub struct PostDoor(pub(crate) Arc<NetState>);

impl fmt::Debug for PostDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostDoor")
    }
}

/// What was answered to a post.
#[derive(Debug)]
pub struct PostReply {
    /// HTTP status.
    pub status: u16,
    headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

impl PostReply {
    /// A header of it, where there is one that is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl PostDoor {
    /// Posts JSON with further headers, and reads the whole answer. The caller limits the time.
    ///
    /// # Errors
    /// The address is none, or nobody answers there as HTTP demands.
    pub async fn post(&self, url: &str, headers: PostHeaders<'_>, body: &str) -> Result<PostReply> {
        let HttpReply { status, headers, body } = self.0.client.post(&self.0, url, headers, body).await?;
        Ok(PostReply { status, headers, body })
    }
}
