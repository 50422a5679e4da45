//! A body with the first bytes of its SHA-256 behind it: one changed bit and it is no longer what was written.
//!
//! For bodies that are small and not compressed; compressed ones carry the checksum of zstd.

use super::CodecError;
use sha2::{Digest, Sha256};

/// One damaged body in four thousand million passes.
const SUM: usize = 4;

pub(super) const ALTERED: CodecError = CodecError("is not what was written");

fn sum(body: &[u8], beside: &[u8]) -> [u8; SUM] {
    Sha256::new().chain_update(body).chain_update(beside).finalize().first_chunk().copied().unwrap_or_default()
}

/// Closes a body.
pub(super) fn seal(body: Vec<u8>) -> Vec<u8> {
    seal_with(body, &[])
}

/// Closes a body that belongs beside these bytes.
pub(super) fn seal_with(mut body: Vec<u8>, beside: &[u8]) -> Vec<u8> {
    let sum = sum(&body, beside);
    body.extend_from_slice(&sum);
    body
}

/// The body that was closed; its first byte is its format.
pub(super) fn open(blob: &[u8], format: u8) -> Result<&[u8], CodecError> {
    open_with(blob, format, &[])
}

/// The body that was closed beside these bytes.
pub(super) fn open_with<'b>(blob: &'b [u8], format: u8, beside: &[u8]) -> Result<&'b [u8], CodecError> {
    let found = blob.first().ok_or(CodecError("ends too early"))?;
    if *found != format {
        return Err(CodecError("has a format this build does not know"));
    }
    let (body, said) = blob.split_last_chunk::<SUM>().ok_or(CodecError("ends too early"))?;
    if sum(body, beside) != *said {
        return Err(ALTERED);
    }
    body.get(1..).ok_or(CodecError("ends too early"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_every_cut_is_noticed() {
        let blob = seal(vec![2, 0, 7, 255]);
        assert_eq!(open(&blob, 2), Ok(&[0, 7, 255][..]));
        for bit in 0..blob.len() * 8 {
            let mut bad = blob.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&bad, 2).is_err(), "bit {bit}");
        }
        assert!((0..blob.len()).all(|cut| open(&blob[..cut], 2).is_err()));
    }
}
