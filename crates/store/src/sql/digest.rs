//! A 64-bit digest per point, added up per stream: finds a number that changed on disk without anyone writing it. And one
//! per record of texts, for what stands nowhere else.
//!
//! Addition makes the sum independent of order, and lets a write update it without reading the rest. Not a
//! cryptographic hash; that is the content hash of `db check --hash`.

use crate::Provenance;
use barograph_domain::{Event, Payload, Ts};
use sha2::{Digest, Sha256};

/// Digest of one point.
pub(super) fn of_point(event: &Event, provenance: Provenance, scratch: &mut Vec<u8>) -> i64 {
    let plain = of_parts(event.event_ts, event.recv_ts, event.seq, &event.payload, scratch);
    // Points from files keep the digests they had before there were others.
    if provenance == Provenance::Import {
        plain
    } else {
        mix(plain.cast_unsigned(), u64::from(provenance.code())).cast_signed()
    }
}

fn of_parts(event_ts: Ts, known_ts: Ts, seq: u64, payload: &Payload, scratch: &mut Vec<u8>) -> i64 {
    scratch.clear();
    payload.encode(scratch);
    let mut h = mix(0, event_ts.0.cast_unsigned());
    h = mix(h, known_ts.0.cast_unsigned());
    h = mix(h, seq);
    for word in scratch.chunks(8) {
        let mut bytes = [0; 8];
        bytes[..word.len()].copy_from_slice(word);
        h = mix(h, u64::from_le_bytes(bytes));
    }
    mix(h, scratch.len() as u64).cast_signed()
}

/// Digest of the texts of one record: the first bytes of the SHA-256 of all of them with their lengths.
pub(super) fn of_texts(texts: &[&str]) -> i64 {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    i64::from_le_bytes(hash.finalize().first_chunk().copied().unwrap_or_default())
}

/// One step of the finaliser of splitmix64 (Steele, Lea, Flood 2014), keyed by what came before.
const fn mix(h: u64, word: u64) -> u64 {
    let mut z = (h ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The first bytes of a hash over the columns of a record, each with its length.
pub(super) fn of_columns(columns: &[&[u8]]) -> i64 {
    let mut hash = Sha256::new();
    for column in columns {
        hash.update((column.len() as u64).to_le_bytes());
        hash.update(column);
    }
    i64::from_le_bytes(hash.finalize().first_chunk::<8>().copied().unwrap_or_default())
}
