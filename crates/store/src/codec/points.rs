//! Metric points of one instrument as one blob: those of a tick, later those of an hour.
//!
//! Points lie stream by stream. Their times are differences of differences, so that a regular grid costs nothing; what
//! is left of a receipt is its jitter. Payloads of one length are XORed with the one before and written byte column by
//! byte column. Small blobs are not compressed: a tick of eight points has nothing to repeat.

use super::CodecError;
use super::bytes::{Input, put_uint, unzigzag, zigzag};
use crate::Provenance;
use barograph_domain::{Payload, Ts};
use std::cell::RefCell;

/// Written first in every blob; the high bit says that the rest is compressed.
const FORMAT: u8 = 1;
const PACKED: u8 = 0x80;
/// Below this many bytes compression costs more than it saves.
const SMALL: usize = 512;
/// Measured on an hour of eight streams: one level more saves under 1 %.
const ZSTD_LEVEL: i32 = 3;
/// A blob that claims more is damaged: an hour of a thousand trades a second has 250 MB.
const RAW_BYTES_MAX: usize = 1 << 30;

/// One point with the number of its stream.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PackedPoint {
    /// Whatever the store calls the stream by.
    pub stream: i64,
    /// When it happened.
    pub event_ts: Ts,
    /// When it was known.
    pub known_ts: Ts,
    /// Venue's own sequence.
    pub seq: u64,
    /// How it came to be known.
    pub provenance: Provenance,
    /// The observation.
    pub payload: Payload,
}

/// Packs points, which lie stream by stream.
///
/// # Errors
/// When the compressor fails (memory).
pub fn encode(points: &[PackedPoint]) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::with_capacity(points.len() * 32);
    let (mut payloads, mut ends) = (Vec::new(), Vec::new());
    let groups = points.chunk_by(|a, b| a.stream == b.stream);
    put_uint(&mut raw, groups.clone().count() as u64);
    let mut before = 0_i64;
    for group in groups {
        let Some(first) = group.first() else { continue };
        put_uint(&mut raw, zigzag(first.stream.wrapping_sub(before).cast_unsigned()));
        before = first.stream;
        put_uint(&mut raw, group.len() as u64);
        put_steps(&mut raw, group.iter().map(|p| p.event_ts.0.cast_unsigned()));
        put_steps(&mut raw, group.iter().map(|p| p.known_ts.0.wrapping_sub(p.event_ts.0).cast_unsigned()));
        put_steps(&mut raw, group.iter().map(|p| p.seq));
        raw.extend(group.iter().map(|p| p.provenance.code()));
        payloads.clear();
        ends.clear();
        for point in group {
            point.payload.encode(&mut payloads);
            ends.push(payloads.len());
        }
        put_payloads(&mut raw, &payloads, &ends);
    }
    if raw.len() < SMALL {
        raw.insert(0, FORMAT);
        return Ok(raw);
    }
    let mut out = vec![FORMAT | PACKED];
    put_uint(&mut out, raw.len() as u64);
    // Kept by each thread that writes: setting one up costs as much as a piece.
    thread_local!(static ZSTD: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) });
    ZSTD.with_borrow_mut(|kept| {
        let zstd = match kept {
            Some(zstd) => zstd,
            None => {
                let zstd = kept.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?);
                zstd.include_checksum(true)?;
                zstd
            }
        };
        out.extend_from_slice(&zstd.compress(&raw)?);
        Ok(out)
    })
}

/// Differences of differences: nothing for a regular grid.
fn put_steps(out: &mut Vec<u8>, values: impl Iterator<Item = u64>) {
    let (mut last, mut step) = (0_u64, 0_u64);
    for v in values {
        let now = v.wrapping_sub(last);
        put_uint(out, zigzag(now.wrapping_sub(step)));
        (last, step) = (v, now);
    }
}

/// Payloads one after the other, and where each ends.
fn put_payloads(out: &mut Vec<u8>, payloads: &[u8], ends: &[usize]) {
    let length = ends.first().copied().unwrap_or(0);
    let starts = || core::iter::once(0).chain(ends.iter().copied());
    if starts().zip(ends).any(|(start, end)| end - start != length) {
        out.push(0);
        for (start, end) in starts().zip(ends) {
            put_uint(out, (end - start) as u64);
            out.extend_from_slice(&payloads[start..*end]);
        }
        return;
    }
    out.push(1);
    put_uint(out, length as u64);
    for at in 0..length {
        let mut before = 0;
        out.extend(payloads[at..].iter().step_by(length).map(|p| {
            let changed = p ^ before;
            before = *p;
            changed
        }));
    }
}

/// The points of a blob. `read` turns payload bytes into a payload, given the stream; `None` from it is damage.
///
/// # Errors
/// When the blob is damaged or of a newer format.
pub fn decode(blob: &[u8], read: impl Fn(i64, &[u8]) -> Option<Payload>) -> Result<Vec<PackedPoint>, CodecError> {
    let mut input = Input(blob);
    let unpacked;
    match input.byte()? {
        FORMAT => {}
        b if b == FORMAT | PACKED => {
            let size = input.size(RAW_BYTES_MAX)?;
            unpacked = super::read::decompressed(input.0, size)?;
            input = Input(&unpacked);
        }
        _ => return Err(CodecError("has a format this build does not know")),
    }
    let mut found = Vec::new();
    let mut stream = 0_i64;
    for _ in 0..input.size(RAW_BYTES_MAX)? {
        stream = stream.wrapping_add(unzigzag(input.uint()?).cast_signed());
        // Every point takes at least four bytes.
        let count = input.size(input.0.len())?;
        let event = steps(&mut input, count)?;
        let lag = steps(&mut input, count)?;
        let seq = steps(&mut input, count)?;
        let provenance = input.take(count)?;
        let (payloads, ends) = payloads(&mut input, count)?;
        let mut start = 0;
        for at in 0..count {
            let bytes = &payloads[start..ends[at]];
            start = ends[at];
            let event_ts = Ts(event[at].cast_signed());
            found.push(PackedPoint {
                stream,
                event_ts,
                known_ts: Ts(event_ts.0.wrapping_add(lag[at].cast_signed())),
                seq: seq[at],
                provenance: Provenance::from_code(i64::from(provenance[at]))
                    .ok_or(CodecError("has a point of unknown provenance"))?,
                payload: read(stream, bytes).ok_or(CodecError("has a value that cannot be read"))?,
            });
        }
    }
    if input.0.is_empty() { Ok(found) } else { Err(CodecError("goes on after its end")) }
}

fn steps(input: &mut Input<'_>, count: usize) -> Result<Vec<u64>, CodecError> {
    let (mut last, mut step) = (0_u64, 0_u64);
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        step = step.wrapping_add(unzigzag(input.uint()?));
        last = last.wrapping_add(step);
        found.push(last);
    }
    Ok(found)
}

/// Payloads one after the other, and where each ends.
fn payloads(input: &mut Input<'_>, count: usize) -> Result<(Vec<u8>, Vec<usize>), CodecError> {
    if input.byte()? == 0 {
        let (mut found, mut ends) = (Vec::new(), Vec::with_capacity(count));
        for _ in 0..count {
            let length = input.size(input.0.len())?;
            found.extend_from_slice(input.take(length)?);
            ends.push(found.len());
        }
        return Ok((found, ends));
    }
    let length = input.size(input.0.len())?;
    let columns = input.take(length.checked_mul(count).ok_or(CodecError("ends too early"))?)?;
    let mut found = vec![0; columns.len()];
    for at in 0..length {
        let mut before = 0;
        for (p, x) in found[at..].iter_mut().step_by(length).zip(&columns[at * count..]) {
            before ^= x;
            *p = before;
        }
    }
    Ok((found, (1..=count).map(|n| n * length).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Bar, Metric, Side};

    fn metric(stream: i64) -> Metric {
        [Metric::Bar, Metric::MarkPrice, Metric::Liquidation, Metric::FundingRate][usize::try_from(stream % 4).unwrap()]
    }

    fn sample(streams: i64, each: i64) -> Vec<PackedPoint> {
        let of = |stream: i64, n: i64| {
            let x = 50_000.0 + f64::from(i32::try_from(n * 37 % 1001).unwrap()) * 0.1;
            let payload = match metric(stream) {
                Metric::Bar => {
                    Payload::Bar(Bar { open: x, high: x, low: x, close: -0.0, volume: Some(1.0), quote_volume: None })
                }
                Metric::Liquidation => Payload::Liquidation { liquidated_side: Side::Long, price: x, qty: 5e-324 },
                Metric::FundingRate => {
                    Payload::Funding { rate: x, interval_h: (n % 2 == 0).then_some(8.0), next_ts: None, special: false }
                }
                _ => Payload::Value(x),
            };
            PackedPoint {
                stream,
                event_ts: Ts(n * 60_000_000_000),
                known_ts: Ts(n * 60_000_000_000 + n * 7919 % 5000),
                seq: n.unsigned_abs(),
                provenance: Provenance::ALL[usize::try_from(n % 3).unwrap()],
                payload,
            }
        };
        (0..streams).flat_map(|s| (0..each).map(move |n| of(s, n))).collect()
    }

    #[test]
    fn points_survive_bit_for_bit() {
        let read = |stream, bytes: &[u8]| Payload::decode(metric(stream), bytes);
        for (streams, each) in [(0, 0), (1, 1), (4, 1), (8, 60), (3, 500)] {
            let points = sample(streams, each);
            let blob = encode(&points).unwrap();
            assert_eq!(decode(&blob, read), Ok(points), "{streams} × {each}");
            for cut in [0, 1, blob.len() / 2, blob.len() - 1] {
                assert!(decode(&blob[..cut], read).is_err(), "{streams} × {each} cut at {cut}");
            }
        }
        let mut blob = encode(&sample(8, 60)).unwrap();
        let middle = blob.len() / 2;
        blob[middle] ^= 4;
        assert!(decode(&blob, read).is_err());
    }
}
