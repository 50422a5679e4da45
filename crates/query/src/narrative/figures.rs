//! Numbers, dates and times as people write them in a text: `1,234.5`, `−3`, `12 %`, `1.2 M`, `25 bps`, `24 hours`, `2026-11-28`,
//! `28 November`, `14:30`. What looks like a number and cannot be read is one of them, so that nothing with a digit in it slips by.

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FigureKind {
    /// Anything without one of the units below: a price, a count, a ratio, standard deviations.
    Plain,
    /// Hundredths; basis points are hundredths of these.
    Percent,
    /// A stretch of time, in seconds.
    Seconds,
}

/// A number that was read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TextFigure {
    /// In the unit of its kind; negative only where a sign stands before it.
    pub value: f64,
    /// Half a unit of its last digit: how far what it was rounded from may lie.
    pub half: f64,
    /// What it counts.
    pub kind: FigureKind,
    /// Is there a sign before it?
    pub is_signed: bool,
}

/// Something with a digit in it, or a number written as a word.
#[derive(Clone, PartialEq, Debug)]
pub enum WrittenNumber {
    /// A number.
    Figure(TextFigure),
    /// A day, its year where that is written.
    Day(Option<u32>, u32, u32),
    /// A time of day, UTC: hour and minute.
    Clock(u32, u32),
    /// `two`, `half`, `million`.
    Word,
    /// Letters and digits, or a number in a form that is not understood.
    Other,
}

/// One of them with its place in the text.
#[derive(Clone, PartialEq, Debug)]
pub struct NumberInText {
    /// What was read.
    pub number: WrittenNumber,
    /// As it stands there, with its sign and unit.
    pub text: String,
    /// Where it begins, in characters.
    pub at: usize,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Numbers as words; `first` and `second` are ordinary words too.
const WORDS: [&str; 49] = [
    "one",
    "once",
    "thrice",
    "couple",
    "third",
    "thirds",
    "quarter",
    "quarters",
    "trillion",
    "zero",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "billion",
    "dozen",
    "half",
    "twice",
    "double",
    "doubled",
    "triple",
    "tripled",
    "quadrupled",
    "halved",
];

/// Spaces that people put between a number and its unit, or between thousands.
const fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// Is this a month, in full or as its first three letters?
fn month(word: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|m| *m == word || (word.len() == 3 && m.starts_with(word)))?;
    u32::try_from(at + 1).ok()
}

/// Everything in a text that is a number or may pass for one, in its order.
#[must_use]
pub fn written(text: &str) -> Vec<NumberInText> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, found: Vec::new() };
    while let Some(c) = reader.peek(0) {
        if c.is_alphabetic() || c == '_' {
            reader.word();
        } else if c.is_numeric() {
            reader.number();
        } else {
            reader.at += 1;
        }
    }
    reader.found
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    found: Vec<NumberInText>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn push(&mut self, number: WrittenNumber, from: usize) {
        let text = self.chars[from..self.at].iter().collect();
        self.found.push(NumberInText { number, text, at: from });
    }

    /// The word that begins at a place, without moving.
    fn word_at(&self, from: usize) -> String {
        self.chars.iter().skip(from).take_while(|c| c.is_alphabetic()).collect()
    }

    /// So many digits at a place, as a number.
    fn digits(&self, from: usize, count: usize) -> Option<u32> {
        let digits = self.chars.get(from..from + count)?;
        digits.iter().all(char::is_ascii_digit).then(|| digits.iter().collect::<String>().parse().ok())?
    }

    fn is_digit(&self, at: usize) -> bool {
        self.chars.get(at).is_some_and(char::is_ascii_digit)
    }

    /// Letters; with digits behind them a name such as `BTC2`, with a month's day behind them a date.
    fn word(&mut self) {
        let from = self.at;
        while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_')
            || (matches!(self.peek(0), Some('-' | '/' | ':')) && self.peek(1).is_some_and(char::is_numeric))
        {
            self.at += 1;
        }
        let word: String = self.chars[from..self.at].iter().collect();
        if word.chars().any(char::is_numeric) {
            return self.push(WrittenNumber::Other, from);
        }
        if let Some(month) = month(&word) {
            return self.day_behind(month, from);
        }
        if WORDS.contains(&word.to_lowercase().as_str()) {
            // `one-sided` is a word of its own, which a fact may have.
            while self.peek(0) == Some('-') && self.peek(1).is_some_and(char::is_alphabetic) {
                self.at += 1 + self.word_at(self.at + 1).chars().count();
            }
            self.push(WrittenNumber::Word, from);
        }
    }

    /// `November 28`, `Nov 28, 2026`; a month alone is an ordinary word.
    fn day_behind(&mut self, month: u32, from: usize) {
        let mut at = self.at + usize::from(self.peek(0) == Some('.'));
        if !self.chars.get(at).copied().is_some_and(is_gap) {
            return;
        }
        at += 1;
        let length = if self.is_digit(at + 1) { 2 } else { 1 };
        let Some(day) = self.digits(at, length).filter(|d| (1..=31).contains(d) && !self.is_digit(at + length)) else {
            return;
        };
        self.at = at + length;
        self.skip_ordinal();
        let year = self.year_behind();
        self.push(WrittenNumber::Day(year, month, day), from);
    }

    fn skip_ordinal(&mut self) {
        if ["st", "nd", "rd", "th"].contains(&self.word_at(self.at).as_str()) {
            self.at += 2;
        }
    }

    /// ` 2026` or `, 2026`, which is taken.
    fn year_behind(&mut self) -> Option<u32> {
        let mut at = self.at + usize::from(self.peek(0) == Some(','));
        at += usize::from(self.chars.get(at).copied().is_some_and(is_gap));
        let year = self.digits(at, 4).filter(|y| (1_900..2_200).contains(y) && !self.is_digit(at + 4))?;
        if at == self.at {
            return None;
        }
        self.at = at + 4;
        Some(year)
    }

    fn number(&mut self) {
        let from = self.at;
        if !self.chars[from].is_ascii_digit() {
            self.at += 1;
            return self.push(WrittenNumber::Other, from);
        }
        if !(self.iso_day(from) || self.clock(from) || self.day_before_month(from)) {
            self.figure(from);
        }
    }

    /// `2026-11-28`, of `2026-11-28T14:30Z` the day.
    fn iso_day(&mut self, from: usize) -> bool {
        let dashes = self.chars.get(from + 4) == Some(&'-') && self.chars.get(from + 7) == Some(&'-');
        let parts = (self.digits(from, 4), self.digits(from + 5, 2), self.digits(from + 8, 2));
        let (true, (Some(year), Some(month), Some(day))) = (dashes && !self.is_digit(from + 10), parts) else {
            return false;
        };
        self.at = from + 10;
        self.push(WrittenNumber::Day(Some(year), month, day), from);
        // What stands between day and time is no word.
        self.at += usize::from(self.peek(0) == Some('T') && self.is_digit(self.at + 1));
        true
    }

    /// `14:30`, `9:05`, `14:30:00Z`; seconds are read over.
    fn clock(&mut self, from: usize) -> bool {
        let length = if self.is_digit(from + 1) { 2 } else { 1 };
        let parts = (self.digits(from, length), self.digits(from + length + 1, 2));
        let (Some(':'), (Some(hour), Some(minute))) = (self.chars.get(from + length), parts) else { return false };
        self.at = from + length + 3;
        if self.peek(0) == Some(':') && self.digits(self.at + 1, 2).is_some() {
            self.at += 3;
            while self.peek(0) == Some('.') && self.is_digit(self.at + 1) || self.is_digit(self.at) {
                self.at += 1;
            }
        }
        self.at += usize::from(self.peek(0) == Some('Z'));
        let is_whole = !self.peek(0).is_some_and(char::is_alphanumeric);
        self.push(if is_whole { WrittenNumber::Clock(hour, minute) } else { WrittenNumber::Other }, from);
        true
    }

    /// `28 November`, `28th Nov 2026`.
    fn day_before_month(&mut self, from: usize) -> bool {
        let length = if self.is_digit(from + 1) { 2 } else { 1 };
        let Some(day) = self.digits(from, length).filter(|d| (1..=31).contains(d) && !self.is_digit(from + length))
        else {
            return false;
        };
        let before = self.at;
        self.at = from + length;
        self.skip_ordinal();
        let gap = usize::from(self.peek(0).is_some_and(is_gap));
        let word = self.word_at(self.at + gap);
        let Some(month) = month(&word).filter(|_| gap == 1) else {
            self.at = before;
            return false;
        };
        self.at += gap + word.chars().count();
        let year = self.year_behind();
        self.push(WrittenNumber::Day(year, month, day), from);
        true
    }

    fn figure(&mut self, digits_from: usize) {
        let sign = self.sign_before(digits_from);
        let from = if sign.is_some() { digits_from - 1 } else { digits_from };
        let Some((amount, decimals)) = self.amount() else {
            // To the end of what belongs to it; a sentence's own full stop does not.
            while self
                .peek(0)
                .is_some_and(|c| c.is_alphanumeric() || (matches!(c, '.' | ',') && self.is_digit(self.at + 1)))
            {
                self.at += 1;
            }
            return self.push(WrittenNumber::Other, from);
        };
        let Some((kind, factor)) = self.unit() else {
            while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
                self.at += 1;
            }
            return self.push(WrittenNumber::Other, from);
        };
        let half = 0.5 * 10_f64.powi(-decimals) * factor;
        let value = amount * factor * if sign == Some('−') { -1.0 } else { 1.0 };
        self.push(WrittenNumber::Figure(TextFigure { value, half, kind, is_signed: sign.is_some() }), from);
    }

    /// A sign right before a number, where one can stand; between two numbers, or behind a word, it is a dash.
    fn sign_before(&self, at: usize) -> Option<char> {
        let sign = match self.chars.get(at.checked_sub(1)?)? {
            '-' | '−' | '–' => '−',
            '+' => '+',
            _ => return None,
        };
        let begins = at < 2 || self.chars.get(at - 2).is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '%' | '.'));
        begins.then_some(sign)
    }

    /// Digits with their thousands and decimals, and how many of these there are; `None` where it is written otherwise.
    fn amount(&mut self) -> Option<(f64, i32)> {
        let mut digits = String::new();
        let mut groups = 0;
        loop {
            while let Some(c) = self.peek(0).filter(char::is_ascii_digit) {
                digits.push(c);
                self.at += 1;
            }
            let separates = self.peek(0).is_some_and(|c| c == ',' || (is_gap(c) && c != ' '));
            let three = (1..=3).all(|ahead| self.is_digit(self.at + ahead));
            let is_group = separates && three && !self.is_digit(self.at + 4) && (groups > 0 || digits.len() <= 3);
            if !is_group {
                break;
            }
            groups += 1;
            self.at += 1;
        }
        if self.peek(0) == Some(',') && self.is_digit(self.at + 1) {
            return None;
        }
        let mut decimals = 0;
        if self.peek(0) == Some('.') && self.is_digit(self.at + 1) {
            digits.push('.');
            self.at += 1;
            while let Some(c) = self.peek(0).filter(char::is_ascii_digit) {
                digits.push(c);
                decimals += 1;
                self.at += 1;
            }
            if matches!(self.peek(0), Some('.' | ',')) && self.is_digit(self.at + 1) {
                return None;
            }
        }
        Some((digits.parse().ok()?, decimals))
    }

    /// The unit behind a number, which is taken, and what one of it is in that of its kind. Letters that are no unit and stand
    /// right behind it make it something else: `None`.
    fn unit(&mut self) -> Option<(FigureKind, f64)> {
        let scale = self.scale();
        let from = self.at;
        let gap = usize::from(self.peek(0).is_some_and(|c| is_gap(c) || c == '-'));
        if matches!(self.chars.get(from + gap), Some('%')) {
            self.at = from + gap + 1;
            return Some((FigureKind::Percent, scale));
        }
        let word = self.word_at(from + gap);
        let length = word.chars().count();
        let ends = !self.chars.get(from + gap + length).is_some_and(|c| c.is_numeric() || *c == '_');
        let known = unit(&word, gap == 0).filter(|_| ends);
        if let Some((kind, factor)) = known {
            self.at = from + gap + length;
            return Some((kind, factor * scale));
        }
        if word == "per" && self.word_at(from + gap + length + 1) == "cent" {
            self.at = from + gap + length + 5;
            return Some((FigureKind::Percent, scale));
        }
        if word == "basis" && self.word_at(from + gap + length + 1).starts_with("point") {
            self.at = from + gap + length + 1;
            self.at += self.word_at(self.at).chars().count();
            return Some((FigureKind::Percent, 0.01 * scale));
        }
        if gap == 0 {
            self.skip_ordinal();
            if matches!(self.peek(0), Some('σ' | '×' | 'x'))
                && !self.chars.get(self.at + 1).is_some_and(|c| c.is_alphanumeric())
            {
                self.at += 1;
            }
            if self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
                return None;
            }
        }
        Some((FigureKind::Plain, scale))
    }

    /// Thousands, millions and billions, as letters or words, which are taken.
    fn scale(&mut self) -> f64 {
        let gap = usize::from(self.peek(0).is_some_and(is_gap));
        let word = self.word_at(self.at + gap);
        let factor = match word.as_str() {
            "K" | "k" | "thousand" => 1e3,
            "M" | "mn" | "million" => 1e6,
            "B" | "bn" | "billion" => 1e9,
            "T" | "tn" | "trillion" => 1e12,
            _ => return 1.0,
        };
        self.at += gap + word.chars().count();
        factor
    }
}

/// A unit that is a word; letters alone only right behind the number or behind one space, as in `24 h`.
fn unit(word: &str, is_attached: bool) -> Option<(FigureKind, f64)> {
    let seconds = match word {
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "min" | "mins" | "minute" | "minutes" => 60.0,
        "m" if is_attached => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        "percent" | "pct" => return Some((FigureKind::Percent, 1.0)),
        "bp" | "bps" => return Some((FigureKind::Percent, 0.01)),
        _ => return None,
    };
    Some((FigureKind::Seconds, seconds))
}
