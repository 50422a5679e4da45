//! Columns of a frame, checked: stamps that rise in steps of one bar length, prices that can be prices.
//!
//! Stamps are bar opens. The length of a bar is the smallest distance of two stamps, and every distance must be a whole
//! multiple of it: what is missing in between is a gap, which the engine respects. Nothing is filled, sorted or repaired:
//! a frame that is wrong is named with its row.

use barograph_domain::{Price, Span, Ts};
use barograph_engine::context::{Frame, FrameOptions};
use barograph_engine::features::bars::BarSample;
use barograph_engine::features::run::BarSeries;
use core::fmt;

/// Columns of equal length; stamps are bar opens in units of `unit` since 1970 UTC.
#[derive(Clone, Copy, Debug)]
pub struct FrameColumns<'a> {
    /// Opens of the bars, in `unit` since 1970 UTC.
    pub time: &'a [i64],
    /// Nanoseconds of one unit of `time`.
    pub unit: i64,
    /// First prices.
    pub open: &'a [f64],
    /// Highest prices.
    pub high: &'a [f64],
    /// Lowest prices.
    pub low: &'a [f64],
    /// Last prices.
    pub close: &'a [f64],
    /// Base volumes; not a number where there is none.
    pub volume: &'a [f64],
}

/// How pandas and NumPy write a stamp that is none.
const NOT_A_TIME: i64 = i64::MIN;

/// What is wrong with a frame, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameError(pub String);

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for FrameError {}

fn wrong<T>(text: String) -> Result<T, FrameError> {
    Err(FrameError(text))
}

impl<'a> FrameColumns<'a> {
    /// Rows of each column.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.time.len()
    }

    /// Without a row?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Without the last row: a bar that is still open.
    #[must_use]
    pub fn without_last(&self) -> Self {
        let n = self.len().saturating_sub(1);
        let cut = |c: &'a [f64]| &c[..n.min(c.len())];
        Self {
            time: &self.time[..n],
            unit: self.unit,
            open: cut(self.open),
            high: cut(self.high),
            low: cut(self.low),
            close: cut(self.close),
            volume: cut(self.volume),
        }
    }

    /// All columns equally long?
    ///
    /// # Errors
    /// Names the column that is not.
    pub fn check_lengths(&self) -> Result<(), FrameError> {
        let n = self.len();
        for (name, column) in [
            ("open", self.open),
            ("high", self.high),
            ("low", self.low),
            ("close", self.close),
            ("volume", self.volume),
        ] {
            if column.len() != n {
                return wrong(format!("column '{name}' has {} rows, the time column has {n}", column.len()));
            }
        }
        Ok(())
    }

    /// Length of a bar: as given, else the smallest distance of two stamps.
    ///
    /// # Errors
    /// When stamps do not rise, or a distance is no whole multiple of the length.
    pub fn step(&self, given: Option<Span>) -> Result<Option<Span>, FrameError> {
        if given.is_none()
            && let Some(step) = self.even_step()
        {
            return Ok(Some(Span(step * self.unit)));
        }
        if let Some(row) = self.time.iter().position(|t| *t == NOT_A_TIME) {
            return wrong(format!("the stamp of row {row} is not a time: drop the row"));
        }
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for pair in self.time.windows(2) {
            let distance = pair[1].wrapping_sub(pair[0]);
            least = least.min(distance);
            most = most.max(distance);
        }
        if least <= 0
            && let Some(row) = self.time.windows(2).position(|p| p[1] <= p[0])
        {
            let same = self.time[row + 1] == self.time[row];
            let what = if same { "repeats the one before" } else { "is earlier than the one before" };
            return wrong(format!("the stamp of row {} {what}: sort the frame by time and drop doubles", row + 1));
        }
        let step = match given {
            Some(step) if step.0 <= 0 || step.0 % self.unit != 0 => {
                return wrong(format!("timeframe of {} s is no bar length", step.as_secs_f64()));
            }
            Some(step) => step.0 / self.unit,
            None if least == i64::MAX => return Ok(None),
            None => least,
        };
        // A division only where a bar is missing.
        let mut distances = self.time.windows(2).map(|p| p[1] - p[0]);
        let uneven =
            if (least, most) == (step, step) { None } else { distances.position(|d| d != step && d % step != 0) };
        if let Some(row) = uneven {
            return wrong(format!(
                "rows {row} and {} are no whole number of bars of {} s apart: bars must have one length (or give timeframe=)",
                row + 1,
                Span(step * self.unit).as_secs_f64()
            ));
        }
        Ok(Some(Span(step * self.unit)))
    }

    /// The distance of neighbours where it is the same everywhere: nearly every frame is without a hole, and that is seen without a
    /// branch a row.
    fn even_step(&self) -> Option<i64> {
        let (first, last) = (*self.time.first()?, *self.time.last()?);
        let step = self.time.get(1)?.checked_sub(first).filter(|step| *step > 0 && first != NOT_A_TIME)?;
        let pairs = self.time.iter().zip(&self.time[1..]);
        let differs = pairs.fold(0, |differs, (a, b)| differs | (b.wrapping_sub(*a) ^ step));
        // Equal distances that went through the end of all numbers do not lead from the first to the last.
        let whole = i64::try_from(self.len() - 1).ok()?.checked_mul(step)?;
        (differs == 0 && first.checked_add(whole) == Some(last)).then_some(step)
    }

    /// A frame of all rows, oldest first; `None` when one row or none leaves the length of a bar unknown.
    ///
    /// # Errors
    /// Names the first row that cannot be a bar.
    pub fn frame(&self, step: Option<Span>, options: &FrameOptions) -> Result<Option<Frame>, FrameError> {
        self.check_lengths()?;
        let Some(step) = self.step(step)? else { return Ok(None) };
        let (Some(first), Some(last)) = (self.time.first(), self.time.last()) else { return Ok(None) };
        let phase = Span((first * self.unit).rem_euclid(step.0));
        let mut frame = Frame::new(step, phase, options);
        frame.will_not_ask_before(Ts(last * self.unit) + step);
        self.check_bars()?;
        let all = self.len();
        #[expect(clippy::cast_possible_wrap, reason = "rows of a frame")]
        let even = (last - first) * self.unit == (all as i64 - 1) * step.0;
        let one_run = even && self.volume.iter().fold(true, |every, v| every & !v.is_nan());
        let mut from = 0;
        while from < all {
            let upto = if one_run { all } else { self.run_end(from, step) };
            if self.volume[from].is_nan() {
                (from..upto).for_each(|row| {
                    frame.push(Ts(self.time[row] * self.unit) + step, &self.bar(row));
                });
            } else {
                frame.push_run(&BarSeries {
                    first: Ts(self.time[from] * self.unit) + step,
                    step,
                    phase,
                    open: &self.open[from..upto],
                    high: &self.high[from..upto],
                    low: &self.low[from..upto],
                    close: &self.close[from..upto],
                    volume: &self.volume[from..upto],
                });
            }
            from = upto;
        }
        Ok(Some(frame))
    }

    /// Row after the last that follows `from` without a hole, all of them with a volume or all without.
    fn run_end(&self, from: usize, step: Span) -> usize {
        let distance = step.0 / self.unit;
        let volume = self.volume[from].is_nan();
        let follows = self.time[from..].windows(2).zip(&self.volume[from + 1..]);
        let same = follows.take_while(|(t, v)| t[1] - t[0] == distance && v.is_nan() == volume);
        from + 1 + same.count()
    }

    /// Every row can be a bar.
    fn check_bars(&self) -> Result<(), FrameError> {
        let n = self.len();
        // Of one length, so that no row is looked for beyond an end.
        let [open, high, low, close, volume] =
            [self.open, self.high, self.low, self.close, self.volume].map(|column| &column[..n]);
        // Column by column without a branch; the row that is wrong is looked for where there is one.
        let pairs = [(low, open), (low, close), (open, high), (close, high)];
        let ordered = |(a, b): (&[f64], &[f64])| a.iter().zip(b).fold(true, |every, (a, b)| every & (a <= b));
        let known = |volume: &f64| (*volume >= 0.0) | volume.is_nan();
        if pairs.into_iter().all(ordered)
            && low.iter().fold(true, |every, price| every & (*price >= Price::LEAST))
            && high.iter().fold(true, |every, price| every & (*price <= Price::MOST))
            && volume.iter().fold(true, |every, volume| every & known(volume))
        {
            return Ok(());
        }
        (0..n).try_for_each(|row| {
            check_bar((open[row], high[row], low[row], close[row]), volume[row])
                .map_err(|why| FrameError(format!("row {row}: {why}")))
        })
    }

    fn bar(&self, row: usize) -> BarSample {
        let volume = self.volume[row];
        BarSample {
            open: self.open[row],
            high: self.high[row],
            low: self.low[row],
            close: self.close[row],
            volume: (!volume.is_nan()).then_some(volume),
            quote_volume: None,
        }
    }

    /// 128 bits that distinguish this content from any other.
    #[must_use]
    pub fn digest(&self, extra: u64) -> u128 {
        let mut d = Digest::new(extra ^ self.unit.cast_unsigned(), self.len() as u64);
        d.column(self.time, i64::cast_unsigned);
        for column in [self.open, self.high, self.low, self.close, self.volume] {
            d.column(column, f64::to_bits);
        }
        d.end()
    }
}

/// A false comparison covers what is not a number.
#[inline]
fn is_bar((open, high, low, close): (f64, f64, f64, f64), volume: f64) -> bool {
    let inside =
        low >= Price::LEAST && low <= open && low <= close && high >= open && high >= close && high <= Price::MOST;
    inside && (volume >= 0.0 || volume.is_nan())
}

/// Can these numbers be a bar?
///
/// # Errors
/// Says which cannot and why.
#[inline]
pub fn check_bar((open, high, low, close): (f64, f64, f64, f64), volume: f64) -> Result<(), String> {
    if is_bar((open, high, low, close), volume) {
        return Ok(());
    }
    for (name, x) in [("open", open), ("high", high), ("low", low), ("close", close)] {
        if !(x.is_finite() && x > 0.0) {
            return Err(format!("{name} is {x}: a price must be a number above zero; drop the row, do not fill it"));
        }
        if Price::new(x).is_none() {
            return Err(format!("{name} is {x:e}: no market has such a price; drop the row, do not fill it"));
        }
    }
    if volume < 0.0 {
        return Err(format!("volume is {volume}: it must be zero or above, or not a number where it is not known"));
    }
    Err(format!("open {open}, high {high}, low {low}, close {close}: low must be the smallest and high the largest"))
}

/// Multiply and fold, four words at a time in lanes that do not wait for each other, with two keys.
#[derive(Clone, Copy, Debug)]
struct Digest([[u64; 4]; 2]);

/// Odd constants from the fractional part of π.
const KEYS: [u64; 2] = [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7345];

#[inline]
fn fold(a: u64, key: u64) -> u64 {
    let wide = u128::from(a) * u128::from(key);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the product")]
    let folded = (wide as u64) ^ ((wide >> 64) as u64);
    folded
}

impl Digest {
    fn new(a: u64, b: u64) -> Self {
        Self([[a ^ 1, b ^ 2, a ^ 3, b ^ 4], [b ^ 5, a ^ 6, b ^ 7, a ^ 8]])
    }
    #[inline]
    fn add(&mut self, lane: usize, x: u64) {
        // What is folded away is added again, so that no word is lost to a zero factor.
        self.0[0][lane] = fold(self.0[0][lane] ^ x, KEYS[0]).wrapping_add(x.rotate_left(23));
        self.0[1][lane] = fold(self.0[1][lane] ^ x, KEYS[1]).wrapping_add(x.rotate_left(41));
    }
    fn column<T: Copy>(&mut self, column: &[T], bits: impl Fn(T) -> u64) {
        let mut fours = column.chunks_exact(4);
        for four in &mut fours {
            for (lane, x) in four.iter().enumerate() {
                self.add(lane, bits(*x));
            }
        }
        for (lane, x) in fours.remainder().iter().enumerate() {
            self.add(lane, bits(*x));
        }
        self.add(0, column.len() as u64);
    }
    fn end(self) -> u128 {
        let mut out = [0; 2];
        for (key, lanes) in self.0.into_iter().enumerate() {
            for lane in lanes {
                out[key] = fold(out[key] ^ lane, KEYS[key]).wrapping_add(lane.rotate_left(32));
            }
        }
        u128::from(out[0]) << 64 | u128::from(out[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn check(time: &[i64], prices: &[f64], want: &str) {
        let volume = vec![1.0; prices.len()];
        let columns = FrameColumns {
            time,
            unit: 1_000_000,
            open: prices,
            high: prices,
            low: prices,
            close: prices,
            volume: &volume,
        };
        let options = FrameOptions::of(&barograph_engine::rules::RuleBook::shipped("default").unwrap());
        let got = columns.frame(None, &options).map(|f| f.map(|f| (f.step().0 / 1_000_000, f.bars())));
        assert_eq!(format!("{got:?}"), want);
    }

    #[test]
    fn steps_are_inferred_gaps_are_kept_and_errors_name_the_row() {
        check(&[0, HOUR_MS, 3 * HOUR_MS], &[1.0, 2.0, 3.0], "Ok(Some((3600000, 3)))");
        check(&[0], &[1.0], "Ok(None)");
        check(&[], &[], "Ok(None)");
        let wrong = |text: &str| format!("Err(FrameError({text:?}))");
        check(
            &[0, HOUR_MS, HOUR_MS],
            &[1.0; 3],
            &wrong("the stamp of row 2 repeats the one before: sort the frame by time and drop doubles"),
        );
        check(
            &[0, 2, 5],
            &[1.0; 3],
            &wrong(
                "rows 1 and 2 are no whole number of bars of 0.002 s apart: bars must have one length (or give timeframe=)",
            ),
        );
        check(&[i64::MIN, HOUR_MS], &[1.0; 2], &wrong("the stamp of row 0 is not a time: drop the row"));
        check(
            &[i64::MIN, i64::MIN + 9, i64::MIN + 18],
            &[1.0; 3],
            &wrong("the stamp of row 0 is not a time: drop the row"),
        );
        // As far apart as each other, through the end of all numbers.
        check(&[0, 1 << 62, i64::MIN], &[1.0; 3], &wrong("the stamp of row 2 is not a time: drop the row"));
        check(
            &[0, HOUR_MS],
            &[1.0, -1.0],
            &wrong("row 1: open is -1: a price must be a number above zero; drop the row, do not fill it"),
        );
        check(
            &[0, HOUR_MS],
            &[1.0, 1e20],
            &wrong("row 1: open is 1e20: no market has such a price; drop the row, do not fill it"),
        );
        check(&[0, HOUR_MS], &[1.0], &wrong("column 'open' has 1 rows, the time column has 2"));
    }

    #[test]
    fn the_first_row_that_is_no_bar_is_named_whatever_is_wrong_with_it() {
        let options = FrameOptions::of(&barograph_engine::rules::RuleBook::shipped("default").unwrap());
        let time: Vec<i64> = (0..40).map(|i| i * HOUR_MS).collect();
        let good = [vec![2.0; 40], vec![3.0; 40], vec![1.0; 40], vec![2.0; 40], vec![f64::NAN; 40]];
        let nan = f64::NAN;
        let wrong = [
            (0, 3.5, "open 3.5"),
            (0, 0.5, "open 0.5"),
            (0, nan, "open is NaN"),
            (1, 1.5, "open 2, high 1.5"),
            (1, f64::INFINITY, "high is inf"),
            (1, nan, "high is NaN"),
            (2, 2.5, "open 2, high 3, low 2.5"),
            (2, 0.0, "low is 0"),
            (2, nan, "low is NaN"),
            (3, 0.5, "open 2, high 3, low 1, close 0.5"),
            (3, 3.5, "open 2, high 3, low 1, close 3.5"),
            (3, nan, "close is NaN"),
            (4, -1.0, "volume is -1"),
        ];
        for (column, value, want) in wrong {
            for rows in [vec![0], vec![38], vec![39], vec![17, 30]] {
                let mut columns = good.clone();
                rows.iter().for_each(|row| columns[column][*row] = value);
                let [open, high, low, close, volume] = &columns;
                let frame = FrameColumns { time: &time, unit: 1_000_000, open, high, low, close, volume };
                let text = frame.frame(None, &options).unwrap_err().0;
                assert!(text.starts_with(&format!("row {}: {want}", rows[0])), "{text}");
            }
        }
    }

    #[test]
    fn every_value_and_its_place_count_in_the_digest() {
        let time: Vec<i64> = (0..64).collect();
        let base: Vec<f64> = (0..64).map(f64::from).collect();
        let digest = |c: &[f64], extra| {
            FrameColumns { time: &time, unit: 1, open: c, high: &base, low: &base, close: &base, volume: &base }
                .digest(extra)
        };
        let mut seen = vec![digest(&base, 0), digest(&base, 1)];
        for i in 0..64 {
            let mut changed = base.clone();
            changed[i] += 1e-12;
            changed.swap(i, (i + 1) % 64);
            seen.push(digest(&changed, 0));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 66);
    }
}
