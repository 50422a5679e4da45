//! Bytes in and out: LEB128 numbers, zigzag for signed differences.

use super::CodecError;

/// Appends an unsigned number, seven bits per byte, low ones first.
pub(super) fn put_uint(out: &mut Vec<u8>, mut n: u64) {
    loop {
        let low = (n & 0x7f).to_le_bytes()[0];
        n >>= 7;
        if n == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Maps small negative and positive differences to small numbers; wraps, so every pair of bit patterns has one.
pub(super) const fn zigzag(n: u64) -> u64 {
    (n << 1) ^ (n.cast_signed() >> 63).cast_unsigned()
}

/// Inverse of [`zigzag`].
pub(super) const fn unzigzag(n: u64) -> u64 {
    (n >> 1) ^ (n & 1).wrapping_neg()
}

/// What is left to read of a chunk.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.0.split_first().ok_or(CodecError("ends too early"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(CodecError("ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn uint(&mut self) -> Result<u64, CodecError> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(CodecError("has a number of more than 64 bits"))
    }

    pub(super) fn size(&mut self, max: usize) -> Result<usize, CodecError> {
        usize::try_from(self.uint()?).ok().filter(|n| *n <= max).ok_or(CodecError("has a count out of range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive() {
        for n in [0, 1, 127, 128, 300, u64::MAX, u64::MAX / 2, 1 << 63] {
            let mut out = Vec::new();
            put_uint(&mut out, n);
            assert_eq!(Input(&out).uint(), Ok(n));
            assert_eq!(unzigzag(zigzag(n)), n);
            assert!(Input(&out[..out.len() - 1]).uint().is_err());
        }
        assert_eq!(zigzag((-1_i64).cast_unsigned()), 1);
        assert!(Input(&[0xff; 11]).uint().is_err());
    }
}
