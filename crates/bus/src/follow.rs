//! Parcels as they come.

use crate::Bus;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use core::time::Duration;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use tokio_stream::StreamExt as _;

/// Parcels that may wait for whoever takes them; more are let go, and fetched from the journal.
const WAITING_MAX: usize = 256;
/// After a failure the stream is asked for again so much later.
const AGAIN: Duration = Duration::from_millis(500);

/// Parcels that were kept since some moment, and all that follow. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Followed {
    parcels: Receiver<Vec<u8>>,
    task: tokio::task::JoinHandle<()>,
}

impl Followed {
    /// The next parcel, within a time.
    #[must_use]
    pub fn next(&self, within: Duration) -> Option<Vec<u8>> {
        self.parcels.recv_timeout(within).ok()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bus {
    /// Follows from the first parcel that the server received at or after a moment (nanoseconds since 1970, by its clock).
    #[must_use]
    pub fn follow(&self, since: i64) -> Followed {
        let (sending, parcels) = sync_channel(WAITING_MAX);
        let (js, name) = (self.js.clone(), self.stream());
        let task = self.runtime.spawn(async move {
            let mut begun = since;
            loop {
                drop(pass_on(&js, &name, begun, &sending).await);
                // What came meanwhile is in the journal; only news is wanted from here.
                begun = i64::MAX;
                tokio::time::sleep(AGAIN).await;
            }
        });
        Followed { parcels, task }
    }
}

/// Ends with the first failure; one that is too slow goes on with a hole.
async fn pass_on(
    js: &async_nats::jetstream::Context,
    stream: &str,
    since: i64,
    sending: &SyncSender<Vec<u8>>,
) -> core::result::Result<(), async_nats::Error> {
    let deliver_policy = match async_nats::datetime::from_nanos(since.into()) {
        Ok(start_time) if since < i64::MAX => DeliverPolicy::ByStartTime { start_time },
        _ => DeliverPolicy::New,
    };
    let config = pull::OrderedConfig { deliver_policy, ..pull::OrderedConfig::default() };
    let consumer = js.get_stream(stream).await?.create_consumer(config).await?;
    let mut messages = consumer.messages().await?;
    while let Some(message) = messages.next().await {
        match sending.try_send(message?.payload.to_vec()) {
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return Ok(()),
        }
    }
    Ok(())
}
