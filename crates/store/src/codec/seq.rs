//! Sequences: one number per row, written the cheapest of a few ways.
//!
//! Most sequences of a chunk are constant (states, flags) or equal to one written before (fifty features whose newest
//! sample is the same minute), so that is tried first; the rest is left to the caller's choice and to zstd.

use super::bytes::{Input, put_uint, unzigzag, zigzag};
use super::{CodecError, ROWS_MAX};

/// One number per row; places beyond the rows of the chunk are zero.
pub(super) type Seq = [u64; ROWS_MAX];

/// How a sequence that is neither constant nor a repetition is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Coder {
    /// Second differences: clocks and counters.
    Steps,
    /// Runs of equal values: states and flags.
    Runs,
    /// XOR with the one before: bits of numbers.
    Xor,
}

const CONSTANT: u8 = 0;
const AGAIN: u8 = 1;
const STEPS: u8 = 2;
const RUNS: u8 = 3;
const XOR: u8 = 4;

/// The sequences of a chunk so far, in order.
#[derive(Default)]
pub(super) struct Dictionary {
    seen: Vec<(u64, Seq)>,
}

impl Dictionary {
    pub(super) fn clear(&mut self) {
        self.seen.clear();
    }

    /// Appends the first `rows` of `seq` to `out`.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, seq: &Seq, rows: usize, coder: Coder) {
        let values = &seq[..rows];
        if values.iter().all(|v| *v == values[0]) {
            out.push(CONSTANT);
            put_uint(out, values[0]);
            return;
        }
        let print = fingerprint(values);
        if let Some(at) = self.seen.iter().position(|(p, s)| *p == print && s[..rows] == *values) {
            out.push(AGAIN);
            put_uint(out, at as u64);
            return;
        }
        match coder {
            Coder::Steps => {
                out.push(STEPS);
                let (mut last, mut step) = (0_u64, 0_u64);
                for v in values {
                    let next = v.wrapping_sub(last);
                    put_uint(out, zigzag(next.wrapping_sub(step)));
                    (last, step) = (*v, next);
                }
            }
            Coder::Runs => {
                out.push(RUNS);
                for run in values.chunk_by(|a, b| a == b) {
                    put_uint(out, run.len() as u64);
                    put_uint(out, run[0]);
                }
            }
            Coder::Xor => {
                out.push(XOR);
                let mut last = 0;
                for v in values {
                    put_uint(out, v ^ last);
                    last = *v;
                }
            }
        }
        self.seen.push((print, *seq));
    }

    /// Steps over so many sequences; those that later ones may repeat are kept.
    pub(super) fn skip(&mut self, input: &mut Input<'_>, rows: usize, count: usize) -> Result<(), CodecError> {
        for _ in 0..count {
            match input.0.first() {
                Some(&CONSTANT) => drop((input.byte()?, input.uint()?)),
                Some(&AGAIN) => drop((input.byte()?, input.size(self.seen.len())?)),
                _ => drop(self.get(input, rows)?),
            }
        }
        Ok(())
    }

    /// Reads what [`Self::put`] wrote.
    pub(super) fn get(&mut self, input: &mut Input<'_>, rows: usize) -> Result<Seq, CodecError> {
        let mut seq = [0; ROWS_MAX];
        let values = &mut seq[..rows];
        match input.byte()? {
            CONSTANT => {
                values.fill(input.uint()?);
                return Ok(seq);
            }
            AGAIN => {
                let at = input.size(self.seen.len())?;
                return self.seen.get(at).map(|(_, s)| *s).ok_or(CodecError("repeats what was never written"));
            }
            STEPS => {
                let (mut last, mut step) = (0_u64, 0_u64);
                for v in values {
                    step = step.wrapping_add(unzigzag(input.uint()?));
                    last = last.wrapping_add(step);
                    *v = last;
                }
            }
            RUNS => {
                let mut done = 0;
                while done < rows {
                    let n = input.size(rows - done)?;
                    if n == 0 {
                        return Err(CodecError("has an empty run"));
                    }
                    values[done..done + n].fill(input.uint()?);
                    done += n;
                }
            }
            XOR => {
                let mut last = 0;
                for v in values {
                    last ^= input.uint()?;
                    *v = last;
                }
            }
            _ => return Err(CodecError("has an unknown kind of sequence")),
        }
        self.seen.push((0, seq));
        Ok(seq)
    }
}

/// Tells most different sequences apart at a glance.
fn fingerprint(values: &[u64]) -> u64 {
    values.iter().fold(0x9e37_79b9_7f4a_7c15, |h, v| (h ^ v).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(29))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_coder_gives_back_what_it_got() {
        let mut constant = [0; ROWS_MAX];
        constant[..5].fill(7);
        let mut clock = [0; ROWS_MAX];
        for (i, v) in clock.iter_mut().take(5).enumerate() {
            *v = 1_700_000_000_000_000_000 + 60_000_000_000 * i as u64;
        }
        let mut wild = [0; ROWS_MAX];
        wild[..5].copy_from_slice(&[u64::MAX, 0, 1, 1 << 63, 1 << 63]);
        for coder in [Coder::Steps, Coder::Runs, Coder::Xor] {
            let all = [constant, clock, wild, clock, constant];
            let (mut out, mut dictionary) = (Vec::new(), Dictionary::default());
            for seq in &all {
                dictionary.put(&mut out, seq, 5, coder);
            }
            let (mut input, mut dictionary) = (Input(&out), Dictionary::default());
            for seq in &all {
                assert_eq!(dictionary.get(&mut input, 5).as_ref(), Ok(seq), "{coder:?}");
            }
            assert!(input.0.is_empty());
        }
    }

    #[test]
    fn nonsense_is_an_error_not_a_panic() {
        for bytes in [&[][..], &[9], &[AGAIN, 0], &[RUNS, 0, 0], &[RUNS, 61, 0], &[STEPS, 1]] {
            assert!(Dictionary::default().get(&mut Input(bytes), 5).is_err(), "{bytes:?}");
        }
    }
}
