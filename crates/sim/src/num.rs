//! Numbers into text, and the few casts between number types, in one place.
//!
//! A price is a whole number of units of a power of ten; it is never printed through a float, so that what a client
//! parses is exactly what the server holds.

use barograph_domain::Ts;

/// Nearest whole number; saturates at the ends of `i64`.
#[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
#[must_use]
pub(crate) fn round_i64(x: f64) -> i64 {
    x.round() as i64
}

/// Largest whole number not above; saturates.
#[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
#[must_use]
pub(crate) fn floor_i64(x: f64) -> i64 {
    x.floor() as i64
}

/// A count or index; negative numbers become 0.
#[must_use]
pub(crate) fn index(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// A magnitude; negative numbers become 0.
#[must_use]
pub(crate) fn natural(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// 10 to the power of `n`, for `n` up to 18.
#[must_use]
pub(crate) const fn pow10(n: u8) -> i64 {
    10_i64.pow(n as u32)
}

/// Text of a frame or a body, appended piece by piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    /// By how much the venue's clock is wrong: added to every time that is written.
    pub(crate) skew_ms: i64,
    /// Where a number of the connection belongs (Coinbase numbers every message).
    pub(crate) hole: Option<usize>,
}

impl Text {
    /// An empty text of a venue whose clock is wrong by `skew_ms`.
    pub(crate) const fn skewed(skew_ms: i64) -> Self {
        Self { bytes: Vec::new(), skew_ms, hole: None }
    }

    /// A time in milliseconds, as the venue's clock has it.
    pub(crate) fn ms(&mut self, ms: i64) -> &mut Self {
        self.n(ms + self.skew_ms)
    }

    /// The text as it is.
    pub(crate) fn s(&mut self, text: &str) -> &mut Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// A time as ISO-8601 with six decimals, as the venue's clock has it.
    pub(crate) fn iso(&mut self, ms: i64) -> &mut Self {
        let (year, month, day, hour, minute, second, ns) = Ts::from_millis(ms + self.skew_ms).civil();
        let parts =
            [(year, 4, "-"), (month, 2, "-"), (day, 2, "T"), (hour, 2, ":"), (minute, 2, ":"), (second, 2, ".")];
        for (n, width, after) in parts {
            self.padded(natural(n), width).s(after);
        }
        self.padded(natural(ns / 1_000), 6).s("Z")
    }

    /// Begins anew, keeping the memory.
    pub(crate) fn restart(&mut self, skew_ms: i64) {
        self.bytes.clear();
        self.skew_ms = skew_ms;
        self.hole = None;
    }

    /// Leaves the place where the connection's number goes.
    pub(crate) const fn number_here(&mut self) -> &mut Self {
        self.hole = Some(self.bytes.len());
        self
    }

    /// A whole number.
    pub(crate) fn n(&mut self, n: i64) -> &mut Self {
        if n < 0 {
            self.bytes.push(b'-');
        }
        self.u(n.unsigned_abs())
    }

    /// A whole number without a sign.
    pub(crate) fn u(&mut self, mut n: u64) -> &mut Self {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + low_digit(n);
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
        self
    }

    /// `units` of 10^-`decimals`, with all its decimals.
    pub(crate) fn d(&mut self, units: i64, decimals: u8) -> &mut Self {
        if units < 0 {
            self.bytes.push(b'-');
        }
        let scale = pow10(decimals).unsigned_abs();
        let units = units.unsigned_abs();
        self.u(units / scale);
        if decimals > 0 {
            self.bytes.push(b'.');
            self.padded(units % scale, decimals);
        }
        self
    }

    /// `units` of 10^-`decimals`, shown with `width` decimals, at least as many.
    pub(crate) fn dw(&mut self, units: i64, decimals: u8, width: u8) -> &mut Self {
        self.d(units, decimals);
        if decimals == 0 && width > 0 {
            self.bytes.push(b'.');
        }
        for _ in decimals..width {
            self.bytes.push(b'0');
        }
        self
    }

    /// A float rounded to `decimals`.
    pub(crate) fn f(&mut self, x: f64, decimals: u8) -> &mut Self {
        self.d(round_i64(x * pow10(decimals) as f64), decimals)
    }

    /// `n` with leading zeros up to `width` digits.
    pub(crate) fn padded(&mut self, mut n: u64, width: u8) -> &mut Self {
        let start = self.bytes.len();
        self.bytes.resize(start + usize::from(width), b'0');
        for place in self.bytes[start..].iter_mut().rev() {
            *place = b'0' + low_digit(n);
            n /= 10;
        }
        self
    }
}

/// The last decimal digit.
const fn low_digit(n: u64) -> u8 {
    (n % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl Fn(&mut Text)) -> String {
        let mut text = Text::default();
        write(&mut text);
        String::from_utf8(text.bytes).unwrap()
    }

    #[test]
    fn numbers_are_written_exactly() {
        let cases: [(i64, u8, u8, &str); 7] = [
            (8_312_070, 2, 2, "83120.70"),
            (-5, 4, 4, "-0.0005"),
            (0, 0, 0, "0"),
            (7, 0, 8, "7.00000000"),
            (9_125_011, 2, 8, "91250.11000000"),
            (i64::MAX, 0, 0, "9223372036854775807"),
            (1, 18, 18, "0.000000000000000001"),
        ];
        for (units, decimals, width, want) in cases {
            assert_eq!(shown(|t| _ = t.dw(units, decimals, width)), want);
        }
        assert_eq!(shown(|t| _ = t.f(0.000_025_3, 8)), "0.00002530");
        assert_eq!(shown(|t| _ = t.f(-0.000_007_43, 8)), "-0.00000743");
        assert_eq!(shown(|t| _ = t.n(i64::MIN)), "-9223372036854775808");
    }
}
