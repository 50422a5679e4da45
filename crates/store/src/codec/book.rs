//! An order book as one blob: price and quantity of each level, best first, as bits.
//!
//! Prices and quantities are XORed with those of the level before, written byte column by byte column and compressed.

use super::CodecError;
use super::bytes::{Input, put_uint};

/// Written first in every blob.
const FORMAT: u8 = 1;
const ZSTD_LEVEL: i32 = 1;
/// A blob that claims more is damaged.
const RAW_BYTES_MAX: usize = 1 << 16;

/// Price and quantity of each level, best first.
pub type BookSide = Vec<(f64, f64)>;

/// Packs both sides.
///
/// # Errors
/// When the compressor fails (memory).
pub fn encode(bids: &[(f64, f64)], asks: &[(f64, f64)]) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::with_capacity(16 * (bids.len() + asks.len()) + 4);
    put_uint(&mut raw, bids.len() as u64);
    put_uint(&mut raw, asks.len() as u64);
    for side in [bids, asks] {
        for numbers in [side.iter().map(|l| l.0).collect::<Vec<_>>(), side.iter().map(|l| l.1).collect()] {
            for byte in 0..8 {
                let mut before = 0;
                for n in &numbers {
                    let now = n.to_be_bytes()[byte];
                    raw.push(now ^ before);
                    before = now;
                }
            }
        }
    }
    let mut out = vec![FORMAT];
    put_uint(&mut out, raw.len() as u64);
    out.extend_from_slice(&zstd::bulk::compress(&raw, ZSTD_LEVEL)?);
    Ok(out)
}

/// Both sides of a blob.
///
/// # Errors
/// When the blob is damaged or of a newer format.
pub fn decode(blob: &[u8]) -> Result<(BookSide, BookSide), CodecError> {
    let mut input = Input(blob);
    if input.byte()? != FORMAT {
        return Err(CodecError("has a format this build does not know"));
    }
    let size = input.size(RAW_BYTES_MAX)?;
    let raw = zstd::bulk::decompress(input.0, size).map_err(|_e| CodecError("does not decompress"))?;
    let mut input = Input(&raw);
    let (bids, asks) = (input.size(RAW_BYTES_MAX)?, input.size(RAW_BYTES_MAX)?);
    let mut side = |n: usize| {
        let (prices, quantities) = (numbers(&mut input, n)?, numbers(&mut input, n)?);
        Ok(prices.into_iter().zip(quantities).collect())
    };
    let found = (side(bids)?, side(asks)?);
    if input.0.is_empty() { Ok(found) } else { Err(CodecError("goes on after its end")) }
}

fn numbers(input: &mut Input<'_>, n: usize) -> Result<Vec<f64>, CodecError> {
    let columns = input.take(n * 8)?;
    let mut bits = vec![[0_u8; 8]; n];
    for byte in 0..8 {
        let mut before = 0;
        for (number, x) in bits.iter_mut().zip(&columns[byte * n..]) {
            before ^= x;
            number[byte] = before;
        }
    }
    Ok(bits.into_iter().map(f64::from_be_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_survive_bit_for_bit() {
        let side = |n: i32, step: f64| (0..n).map(|i| (50_000.1 + step * f64::from(i), 0.1 * f64::from(i))).collect();
        for (bids, asks) in [(0, 0), (1, 0), (25, 25), (3, 25)] {
            let (bids, asks): (BookSide, BookSide) = (side(bids, -0.1), side(asks, 0.1));
            let blob = encode(&bids, &asks).unwrap();
            assert_eq!(decode(&blob), Ok((bids, asks)));
            assert!((0..blob.len()).all(|cut| decode(&blob[..cut]).is_err()));
        }
    }
}
