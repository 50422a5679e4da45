//! Parcels to all who follow.

use crate::Bus;
use crate::open::ANSWER_WITHIN;
use async_nats::HeaderMap;
use bytes::Bytes;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// What became of parcels.
#[derive(Debug, Default)]
pub struct SentParcels {
    /// Acknowledged by the server, which does not mean that it keeps them.
    pub acknowledged: AtomicU64,
    /// Refused, too large for the server, or without an answer.
    pub failed: AtomicU64,
}

/// Sends parcels in order. Clones send in turn.
#[derive(Clone, Debug)]
pub struct ParcelPublisher {
    sending: tokio::sync::mpsc::Sender<(i64, Vec<u8>)>,
    counts: Arc<SentParcels>,
}

/// Parcels between the one who makes them and the socket.
const WAITING_MAX: usize = 64;

impl Bus {
    /// A sender, and its task. It ends with the last clone.
    #[must_use]
    pub fn publisher(&self) -> ParcelPublisher {
        let (sending, mut waiting) = tokio::sync::mpsc::channel::<(i64, Vec<u8>)>(WAITING_MAX);
        let counts = Arc::new(SentParcels::default());
        let (js, subject, tally) = (self.js.clone(), self.frames(), Arc::clone(&counts));
        self.runtime.spawn(async move {
            while let Some((last, bytes)) = waiting.recv().await {
                let mut headers = HeaderMap::new();
                // A server that sees it twice, because the first answer was lost, keeps it once.
                headers.insert(async_nats::header::NATS_MESSAGE_ID, last.to_string());
                let sent = js.publish_with_headers(subject.clone(), headers, Bytes::from(bytes));
                let tally = Arc::clone(&tally);
                match tokio::time::timeout(ANSWER_WITHIN, sent).await {
                    Ok(Ok(acknowledged)) => {
                        tokio::spawn(async move {
                            let count = if acknowledged.await.is_ok() { &tally.acknowledged } else { &tally.failed };
                            count.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                    Ok(Err(_)) | Err(_) => {
                        tally.failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        ParcelPublisher { sending, counts }
    }
}

impl ParcelPublisher {
    /// Hands a parcel over, known by the stamp of its last entry. Without room it is let go: whoever follows sees the hole.
    pub fn send(&self, last: i64, bytes: Vec<u8>) {
        if self.sending.try_send((last, bytes)).is_err() {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What became of them.
    #[must_use]
    pub fn counts(&self) -> &SentParcels {
        &self.counts
    }
}
