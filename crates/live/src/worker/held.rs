//! Leases as the broker's entries hold them, and one that is kept beside other work.

use super::outside::Outside;
use super::stand::UniverseStand;
use crate::Error;
use barograph_cluster::{
    CasOutcome, FencingToken, Holder, LeaseEntry, LeaseInput, LeaseOutput, Revision, Tenure, TenurePace, WorkerId,
};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

/// A lease is written as `worker/boot`; nobody's as `-`.
const NOBODY: &str = "-";
/// Bits of a store's token behind the revision: a broker that lost an acknowledged write gives its revision twice, to two owners.
const NONCE_BITS: u32 = 16;
/// How often time passes for a lease.
const TICK: Duration = Duration::from_millis(100);

/// The key of a group's lease.
pub(super) fn key(group: u16) -> String {
    format!("group-{group}")
}

/// A holder as the entry has it.
pub(super) fn written(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| NOBODY.to_owned(), |h| format!("{}/{}", h.worker, h.boot))
}

/// An entry as it was written.
pub(super) fn entry((revision, value): (u64, Vec<u8>)) -> LeaseEntry {
    let text = String::from_utf8_lossy(&value);
    let holder = text
        .rsplit_once('/')
        .and_then(|(worker, boot)| Some(Holder { worker: WorkerId::new(worker), boot: boot.parse().ok()? }));
    LeaseEntry { revision: Revision(revision), holder }
}

/// The token that the store compares: the revision first, and what tells two owners of one revision apart.
pub(super) fn store_token(token: FencingToken, me: &Holder) -> u64 {
    let mask = (1_u64 << NONCE_BITS) - 1;
    let nonce = me.worker.0.bytes().fold(me.boot, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (token.0.0 << NONCE_BITS) | ((nonce ^ (nonce >> 32)) & mask)
}

/// A lease that a thread of its own takes and renews, for work that may take longer than it lives.
#[derive(Debug)]
pub(super) struct HeldLease {
    token: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl HeldLease {
    /// Starts to want it.
    pub(super) fn start(
        key: &str,
        (me, pace): (Holder, TenurePace),
        outside: Arc<dyn Outside>,
        stand: Arc<UniverseStand>,
    ) -> Result<Self, Error> {
        let (token, refused, stop) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (t, r, s, key) = (Arc::clone(&token), Arc::clone(&refused), Arc::clone(&stop), key.to_owned());
        let thread = std::thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || hold(&key, Tenure::new(me, pace), (outside.as_ref(), &stand), (&t, &r, &s)))
            .map_err(Error::failed)?;
        Ok(Self { token, refused, stop, thread })
    }

    /// The token, while it is held.
    pub(super) fn token(&self) -> Option<FencingToken> {
        Some(self.token.load(Ordering::Acquire)).filter(|t| *t > 0).map(|t| FencingToken(Revision(t)))
    }

    /// The store knows a newer owner than this one.
    pub(super) fn refused(&self, token: FencingToken) {
        self.refused.store(token.0.0, Ordering::Release);
    }

    /// Gives it back.
    pub(super) fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.join());
    }
}

fn hold(
    key: &str,
    mut tenure: Tenure,
    (outside, stand): (&dyn Outside, &UniverseStand),
    (token, refused, stop): (&AtomicU64, &AtomicU64, &AtomicBool),
) {
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut out = Vec::new();
    tenure.want(true);
    tenure.step(now(), LeaseInput::Tick, &mut out);
    loop {
        stand.lease.beat();
        while let Some(output) = out.pop() {
            let answer = match output {
                LeaseOutput::Read => outside.lease(key).map(|found| LeaseInput::Seen(found.map(entry))),
                LeaseOutput::Write { ticket, expected, holder } => {
                    outside.swap_lease(key, expected.0, written(holder.as_ref()).as_bytes()).map(|done| {
                        let outcome =
                            done.map_or(CasOutcome::Other, |revision| CasOutcome::Written(Revision(revision)));
                        LeaseInput::Answered(ticket, outcome)
                    })
                }
                LeaseOutput::Acquired(_) | LeaseOutput::Lost(_) => continue,
            };
            // What is not answered is asked for again.
            stand.broker.answered(answer.as_ref().map(|_| ()).map_err(Clone::clone));
            if let Ok(answer) = answer {
                tenure.step(now(), answer, &mut out);
            }
            token.store(tenure.token().map_or(0, |t| t.0.0), Ordering::Release);
        }
        if stop.load(Ordering::Relaxed) {
            if tenure.token().is_none() {
                return;
            }
            tenure.want(false);
            tenure.release(now(), &mut out);
            continue;
        }
        std::thread::sleep(TICK);
        if tenure.token().is_some_and(|t| t.0.0 == refused.load(Ordering::Acquire)) {
            tenure.forfeit(&mut out);
        }
        tenure.step(now(), LeaseInput::Tick, &mut out);
        token.store(tenure.token().map_or(0, |t| t.0.0), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(worker: &str, boot: u64) -> Holder {
        Holder { worker: WorkerId::new(worker), boot }
    }

    #[test]
    fn a_lease_is_read_as_it_was_written() {
        let me = holder("rack/7", 42);
        let back = entry((9, written(Some(&me)).into_bytes()));
        assert_eq!(back, LeaseEntry { revision: Revision(9), holder: Some(me) });
        assert_eq!(entry((9, written(None).into_bytes())).holder, None);
        assert_eq!(entry((9, b"\xff/x".to_vec())).holder, None);
    }

    #[test]
    fn later_revisions_have_greater_tokens_and_two_owners_of_one_revision_differ() {
        let token = |revision, boot| store_token(FencingToken(Revision(revision)), &holder("a", boot));
        assert!(token(8, 1) > token(7, u64::MAX));
        assert_ne!(token(7, 1), token(7, 2));
        // Revisions begin with the milliseconds of the bucket's making; there is room for more than four thousand years of them.
        assert!(i64::try_from(token(1 << 46, 3)).is_ok());
    }
}
