//! What is to be written, in order: a group's message and what goes with it before the end of the message it replaces.

use crate::outbox::{Change, Join, Outbox, OutboxError, Outgoing};
use barograph_domain::delivery::{Attempt, EndpointState};
use std::collections::{BTreeSet, VecDeque};

#[derive(Debug)]
enum Write {
    Enqueue(Vec<Outgoing>, Vec<Join>),
    Record(Vec<Change>, Vec<Attempt>, Vec<EndpointState>),
}

#[derive(Debug, Default)]
pub(super) struct Writes {
    queue: VecDeque<Write>,
    /// Messages that are not stored yet.
    unsaved: BTreeSet<String>,
    size: usize,
}

impl Writes {
    pub(super) const fn len(&self) -> usize {
        self.size
    }
    pub(super) fn is_unsaved(&self, message: &str) -> bool {
        self.unsaved.contains(message)
    }
    pub(super) fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }
    pub(super) fn enqueue(&mut self, messages: Vec<Outgoing>, joins: Vec<Join>) {
        self.size += messages.len() + joins.len();
        self.unsaved.extend(messages.iter().map(|o| o.message.id.clone()));
        if let Some(Write::Enqueue(m, j)) = self.queue.back_mut() {
            m.extend(messages);
            j.extend(joins);
        } else {
            self.queue.push_back(Write::Enqueue(messages, joins));
        }
    }
    fn record(&mut self) -> Option<(&mut Vec<Change>, &mut Vec<Attempt>, &mut Vec<EndpointState>)> {
        self.size += 1;
        if !matches!(self.queue.back(), Some(Write::Record(..))) {
            self.queue.push_back(Write::Record(Vec::new(), Vec::new(), Vec::new()));
        }
        match self.queue.back_mut() {
            Some(Write::Record(c, a, s)) => Some((c, a, s)),
            Some(Write::Enqueue(..)) | None => None,
        }
    }
    pub(super) fn change(&mut self, change: Change) {
        if let Some((changes, ..)) = self.record() {
            changes.push(change);
        }
    }
    pub(super) fn attempt(&mut self, attempt: Attempt) {
        if let Some((_, attempts, _)) = self.record() {
            attempts.push(attempt);
        }
    }
    pub(super) fn state(&mut self, state: EndpointState) {
        if let Some((.., states)) = self.record() {
            states.push(state);
        }
    }
    /// Writes everything; what was not taken stays, in order.
    pub(super) fn flush(&mut self, outbox: &mut dyn Outbox) -> Result<(), OutboxError> {
        while let Some(write) = self.queue.front() {
            match write {
                Write::Enqueue(messages, joins) => {
                    outbox.enqueue(messages, joins)?;
                    for outgoing in messages {
                        self.unsaved.remove(&outgoing.message.id);
                    }
                }
                Write::Record(changes, attempts, states) => outbox.record(changes, attempts, states)?,
            }
            self.queue.pop_front();
        }
        self.size = 0;
        Ok(())
    }
}
