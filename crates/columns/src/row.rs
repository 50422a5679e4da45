//! A row: 197 numbers, or why there is none.

use crate::catalogue::COLUMNS;
use barograph_domain::cell::Reason;
use core::ops::Range;

/// One second of one market.
#[derive(Clone, PartialEq, Debug)]
pub struct ResearchRow {
    values: [f64; COLUMNS],
    /// 0: there is a number; else one more than the code of the reason why there is none.
    reasons: [u8; COLUMNS],
}

impl Default for ResearchRow {
    fn default() -> Self {
        Self { values: [0.0; COLUMNS], reasons: [code(Reason::MissingInput); COLUMNS] }
    }
}

fn code(reason: Reason) -> u8 {
    reason as u8 + 1
}

impl ResearchRow {
    /// The number of a column.
    ///
    /// # Errors
    /// Why there is none.
    ///
    /// # Panics
    /// When there is no such column.
    pub fn get(&self, at: usize) -> Result<f64, Reason> {
        match self.reasons[at] {
            0 => Ok(self.values[at]),
            code => Err(Reason::ALL[usize::from(code) - 1]),
        }
    }

    /// Sets a column; what is no finite number is out of its domain.
    pub(crate) fn put(&mut self, at: usize, value: f64) {
        let fits = value.is_finite();
        self.values[at] = if fits { value } else { 0.0 };
        self.reasons[at] = if fits { 0 } else { code(Reason::OutOfDomain) };
    }

    /// Sets columns that follow one another.
    pub(crate) fn put_all<const N: usize>(&mut self, at: usize, values: &[f64; N]) {
        let range = at..at + N;
        // Zero times what is no finite number is none either; two sums, so that both are made at once.
        let (pairs, rest) = values.as_chunks::<2>();
        let [even, odd] = pairs.iter().fold([0.0; 2], |sum, pair| [sum[0] + pair[0] * 0.0, sum[1] + pair[1] * 0.0]);
        if rest.iter().fold(even + odd, |sum, value| sum + value * 0.0) == 0.0 {
            self.values[range.clone()].copy_from_slice(values);
            self.reasons[range].fill(0);
        } else {
            range.zip(values).for_each(|(at, value)| self.put(at, *value));
        }
    }

    /// The same of something that may not be there.
    pub(crate) fn put_or(&mut self, at: usize, value: Result<f64, Reason>) {
        match value {
            Ok(value) => self.put(at, value),
            Err(reason) => (self.values[at], self.reasons[at]) = (0.0, code(reason)),
        }
    }

    /// These columns have no number.
    pub(crate) fn withhold(&mut self, range: Range<usize>, reason: Reason) {
        self.values[range.clone()].fill(0.0);
        self.reasons[range].fill(code(reason));
    }

    /// Bit `n`: a column is withheld for the reason with code `n`; the meta column `reason_mask`.
    #[must_use]
    pub fn reason_mask(&self) -> u16 {
        self.reasons.iter().fold(0, |mask, code| if *code == 0 { mask } else { mask | 1 << (code - 1) })
    }
}

/// `a / b`.
///
/// # Errors
/// Where the divisor is exactly zero.
pub(crate) fn ratio(a: f64, b: f64) -> Result<f64, Reason> {
    if b == 0.0 { Err(Reason::ZeroDenominator) } else { Ok(a / b) }
}
