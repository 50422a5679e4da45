//! The connection, and what the server has to hold.

use crate::error::{away, refused};
use crate::{Error, Result};
use async_nats::jetstream::{self, kv, stream};
use core::time::Duration;
use std::sync::Arc;

/// Where the server is and what is kept there.
#[derive(Clone)]
pub struct BusOptions {
    /// `nats://host:4222` or `tls://…`; user and password may stand in it.
    pub url: String,
    /// What the names on the server begin with: several clusters share a server under several names.
    pub name: String,
    /// Parcels are kept for so long; what is older comes from the journal.
    pub keep: Duration,
    /// And no more bytes of them than this.
    pub keep_bytes: i64,
}

impl core::fmt::Debug for BusOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The address may hold a password.
        f.debug_struct("BusOptions").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How long a server may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long it may take to answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Pauses between tries to connect again.
const AGAIN: Duration = Duration::from_millis(250);

/// An open way to the server. When the connection is lost it is made anew by itself, however long that takes.
pub struct Bus {
    pub(crate) runtime: Arc<tokio::runtime::Runtime>,
    pub(crate) client: async_nats::Client,
    pub(crate) js: jetstream::Context,
    pub(crate) leases: kv::Store,
    pub(crate) name: String,
}

impl core::fmt::Debug for Bus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Bus").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bus {
    /// Connects, and makes stream and bucket where they are missing.
    ///
    /// # Errors
    /// [`Error::Away`] where nobody answers at the address, [`Error::Refused`] where the server has no JetStream or asks for other
    /// credentials.
    pub fn open(options: &BusOptions) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("nats")
            .enable_all()
            .build()
            .map_err(refused)?;
        let (client, js, leases) = runtime.block_on(connect(options))?;
        Ok(Self { runtime: Arc::new(runtime), client, js, leases, name: options.name.clone() })
    }

    /// Where parcels go.
    pub(crate) fn frames(&self) -> String {
        format!("{}.frames", self.name)
    }

    /// Where questions go.
    pub(crate) fn ranges(&self) -> String {
        format!("{}.ranges", self.name)
    }

    /// The stream that keeps parcels.
    pub(crate) fn stream(&self) -> String {
        format!("{}-frames", self.name)
    }
}

async fn connect(options: &BusOptions) -> Result<(async_nats::Client, jetstream::Context, kv::Store)> {
    let connecting = async_nats::ConnectOptions::new()
        .name("barograph")
        .connection_timeout(CONNECT_WITHIN)
        .request_timeout(Some(ANSWER_WITHIN))
        .reconnect_delay_callback(|_tries| AGAIN);
    let client = connecting.connect(&options.url).await.map_err(|e| match e.kind() {
        async_nats::ConnectErrorKind::Authentication
        | async_nats::ConnectErrorKind::AuthorizationViolation
        | async_nats::ConnectErrorKind::ServerParse => refused(e),
        _ => away(e),
    })?;
    let mut js = jetstream::new(client.clone());
    js.set_timeout(ANSWER_WITHIN);
    let frames = stream::Config {
        name: format!("{}-frames", options.name),
        subjects: vec![format!("{}.frames", options.name)],
        max_age: options.keep,
        max_bytes: options.keep_bytes,
        storage: stream::StorageType::File,
        discard: stream::DiscardPolicy::Old,
        allow_direct: true,
        ..stream::Config::default()
    };
    js.get_or_create_stream(frames).await.map_err(|e| kept(&e))?;
    let bucket = format!("{}-leases", options.name);
    let leases = match js.get_key_value(&bucket).await {
        Ok(found) => found,
        Err(_none) => {
            js.get_or_create_stream(lease_stream(&bucket)?).await.map_err(|e| kept(&e))?;
            js.get_key_value(&bucket).await.map_err(away)?
        }
    };
    Ok((client, js, leases))
}

/// The stream under a bucket, as the server's own clients make it, but for the first revision: the milliseconds since 1970. A bucket that
/// is made anew after a server has lost everything then gives no revision that the one before has given, while fewer than a thousand
/// entries are written a second.
fn lease_stream(bucket: &str) -> Result<stream::Config> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(refused)?;
    Ok(stream::Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        discard: stream::DiscardPolicy::New,
        storage: stream::StorageType::File,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        first_sequence: Some(u64::try_from(now.as_millis()).map_err(refused)?),
        ..stream::Config::default()
    })
}

/// A server that has just begun may not have read its streams yet; one without any says so.
fn kept(e: &jetstream::context::CreateStreamError) -> Error {
    use jetstream::context::CreateStreamErrorKind::{JetStreamUnavailable, TimedOut};
    match e.kind() {
        JetStreamUnavailable => refused(format!("{e}; it has to be started with JetStream (nats-server -js)")),
        TimedOut => away(e),
        _ => refused(e),
    }
}
