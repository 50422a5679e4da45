//! What counts of a key that was corrected or taken back, and at whose time.
//!
//! A correction says a value and not which row it corrects: it counts at the time of the declared row of its key, where there
//! is one; else of the row that was received with the same value; else of the one that was received last.

use super::pieces::Fact;
use crate::Provenance;
use barograph_domain::{Payload, Ts};

/// One thing that counts: the position of the row at whose time it does, `None` for the declared time.
pub(super) type Placed = (Option<usize>, Payload);

/// Of the rows of one key, as far as they were known at `last`: what counts, in no order.
pub(super) fn placed(key: &[Fact], last: Ts, event_stream: bool, declared: Ts) -> Vec<Placed> {
    let mut own: Vec<usize> =
        (0..key.len()).filter(|at| !key[*at].provenance.corrects() && key[*at].event.recv_ts <= last).collect();
    own.sort_by_key(|at| key[*at].event.recv_ts);
    let place = |at: usize| (Some(at), key[at].event.payload);
    let stands = |at: &usize| {
        let (since, bytes) = (key[*at].event.recv_ts, key[*at].bytes());
        let word = newest(key, last, |f| f.event.recv_ts >= since && f.bytes() == bytes);
        word.is_none_or(|w| w.provenance == Provenance::Correction)
    };
    if event_stream {
        own.retain(stands);
        return own.into_iter().map(place).collect();
    }
    let Some(word) = newest(key, last, |_| true) else { return own.into_iter().map(place).collect() };
    // What was received later than the last word on it is an observation of its own.
    let later = own.split_off(own.partition_point(|at| key[*at].event.recv_ts <= word.event.recv_ts));
    let mut out: Vec<Placed> = later.into_iter().map(place).collect();
    if word.provenance == Provenance::Correction {
        out.extend(corrected(key, own, word, declared, stands));
    }
    out
}

/// The last word of those of a key.
fn newest(key: &[Fact], last: Ts, of: impl Fn(&Fact) -> bool) -> Option<&Fact> {
    let words = key.iter().filter(|f| f.provenance.corrects() && f.event.recv_ts <= last && of(f));
    words.max_by_key(|f| (f.event.recv_ts, f.provenance.rank()))
}

/// `own`: rows before the word, the earliest first.
fn corrected(
    key: &[Fact],
    mut own: Vec<usize>,
    word: &Fact,
    declared: Ts,
    stands: impl Fn(&usize) -> bool,
) -> Vec<Placed> {
    let says = (own.last().copied(), word.event.payload);
    if own.is_empty() {
        return vec![says];
    }
    if let Some(at) = own.iter().find(|at| key[**at].event.recv_ts == declared) {
        return vec![(Some(*at), word.event.payload)];
    }
    own.retain(stands);
    let bytes = word.bytes();
    match own.iter().position(|at| key[*at].bytes() == bytes) {
        // It counts again: what was received after it does not.
        Some(same) => own.truncate(same + 1),
        None => own.retain(|at| Some(*at) != says.0),
    }
    let again = own.last().is_some_and(|at| key[*at].bytes() == bytes);
    let rows = own.into_iter().map(|at| (Some(at), key[at].event.payload));
    rows.chain((!again).then_some(says)).collect()
}
