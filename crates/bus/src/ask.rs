//! Questions to the process that writes the journal, and its answers, which may be larger than one message.

use crate::error::{away, refused};
use crate::{Bus, Result};
use bytes::Bytes;
use core::time::Duration;
use std::sync::Arc;
use tokio_stream::StreamExt as _;

/// What a piece has before its bytes: its number and how many there are.
const HEAD: usize = 8;
/// Left to the server of its largest message.
const SPARE: usize = 1_024;
/// Questions answered at once: each reads files.
const AT_ONCE: usize = 2;

/// Answers questions until it is dropped.
#[derive(Debug)]
pub struct ServedQuestions {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for ServedQuestions {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bus {
    /// Answers questions with what `answer` makes of them, on threads that may wait for files.
    ///
    /// # Errors
    /// [`crate::Error::Away`] where the server does not take the subscription.
    pub fn serve(&self, answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Result<ServedQuestions> {
        let client = self.client.clone();
        let mut questions = self.runtime.block_on(client.subscribe(self.ranges())).map_err(away)?;
        let (answer, turns) = (Arc::new(answer), Arc::new(tokio::sync::Semaphore::new(AT_ONCE)));
        let task = self.runtime.spawn(async move {
            while let Some(question) = questions.next().await {
                let Some(to) = question.reply else { continue };
                let (client, answer) = (client.clone(), Arc::clone(&answer));
                let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
                tokio::spawn(async move {
                    let made = tokio::task::spawn_blocking(move || answer(&question.payload)).await;
                    drop(turn);
                    let Ok(made) = made else { return };
                    let most = client.server_info().max_payload.saturating_sub(SPARE).max(SPARE);
                    let count = made.len().div_ceil(most).max(1);
                    for number in 0..count {
                        let piece = &made[number * most..made.len().min((number + 1) * most)];
                        let mut message = Vec::with_capacity(HEAD + piece.len());
                        for n in [number, count] {
                            message.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
                        }
                        message.extend_from_slice(piece);
                        if client.publish(to.clone(), Bytes::from(message)).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Ok(ServedQuestions { task })
    }

    /// Asks, and gathers the answer.
    ///
    /// # Errors
    /// [`crate::Error::Away`] where no whole answer comes in time: nobody serves, or a piece was lost.
    pub fn ask(&self, question: &[u8], within: Duration) -> Result<Vec<u8>> {
        let (client, subject) = (self.client.clone(), self.ranges());
        let question = Bytes::copy_from_slice(question);
        self.runtime.block_on(async {
            let gathered = async {
                let inbox = client.new_inbox();
                let mut pieces = client.subscribe(inbox.clone()).await.map_err(away)?;
                client.publish_with_reply(subject, inbox, question).await.map_err(away)?;
                let mut answer: Vec<u8> = Vec::new();
                let mut expected: u32 = 0;
                loop {
                    let piece = pieces.next().await.ok_or_else(|| away("the connection was lost"))?;
                    if piece.status.is_some_and(|s| s == async_nats::StatusCode::NO_RESPONDERS) {
                        return Err(away("nobody answers for the journal"));
                    }
                    let (head, bytes) =
                        piece.payload.split_at_checked(HEAD).ok_or_else(|| refused("a piece without its number"))?;
                    let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap_or_default());
                    if number(0) != expected {
                        return Err(away("a piece of the answer was lost"));
                    }
                    answer.extend_from_slice(bytes);
                    expected += 1;
                    if expected >= number(4) {
                        return Ok(answer);
                    }
                }
            };
            tokio::time::timeout(within, gathered).await.map_err(|_e| away("no answer for the journal in time"))?
        })
    }
}
