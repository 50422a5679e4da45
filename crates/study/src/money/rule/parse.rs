//! From text to a rule, by recursive descent: `or` binds least, then `and`, `not`, comparisons, `+ -`, `* /`.

use super::fault::RuleFault;
use super::term::{RuleOrder, RuleSign, RuleTerm, RuleTest};
use super::word::{RuleWord, words};
use super::{RuleLine, RuleRequest, RuleVocabulary, TradingRule};
use crate::money::blotter::Stance;

/// Brackets and negations within one another; beyond that nobody could read it.
const DEPTH_MAX: usize = 50;

pub(super) fn rule(text: &str, known: &RuleVocabulary) -> Result<TradingRule, Vec<RuleFault>> {
    let (mut lines, mut otherwise, mut faults) = (Vec::new(), None, Vec::new());
    // The mark that editors of some systems put before a text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, written) in text.lines().enumerate() {
        let meant = written.split_once('#').map_or(written, |(before, _)| before);
        let mut from = 0;
        for part in meant.split(';') {
            let found: Vec<RuleWord<'_>> = words(part).into_iter().map(|w| RuleWord { at: w.at + from, ..w }).collect();
            from += part.chars().count() + 1;
            if found.is_empty() {
                continue;
            }
            let mut reading = Reading { words: &found, next: 0, depth: 0, known };
            let done = match (reading.line(), otherwise) {
                (Ok(_), Some(_)) => Err((found.first().copied(), "nothing follows 'otherwise'".to_owned())),
                (Ok(Read::Line(line)), None) => {
                    lines.push(line);
                    Ok(())
                }
                (Ok(Read::Otherwise(request)), None) => {
                    otherwise = Some(request);
                    Ok(())
                }
                (Err(why), _) => Err(why),
            };
            if let Err((word, why)) = done {
                faults.push(RuleFault::new(number + 1, written, word, why));
            }
        }
    }
    if lines.is_empty() && faults.is_empty() {
        let first = text.lines().next().unwrap_or_default();
        faults.push(RuleFault::new(1, first, None, format!("a rule needs at least one line; {SHAPE}")));
    }
    if faults.is_empty() {
        Ok(TradingRule { lines, otherwise: otherwise.unwrap_or(RuleRequest::Hold(Stance::Flat)) })
    } else {
        Err(faults)
    }
}

const SHAPE: &str = "write 'long when CONDITION', 'short when CONDITION', 'flat when CONDITION', 'keep when CONDITION' or \
                     'otherwise flat'";

type Fault<'a> = (Option<RuleWord<'a>>, String);

enum Read {
    Line(RuleLine),
    Otherwise(RuleRequest),
}

struct Reading<'a> {
    words: &'a [RuleWord<'a>],
    next: usize,
    depth: usize,
    known: &'a RuleVocabulary,
}

impl<'a> Reading<'a> {
    fn peek(&self) -> Option<RuleWord<'a>> {
        self.words.get(self.next).copied()
    }

    fn take(&mut self) -> Option<RuleWord<'a>> {
        let word = self.peek();
        self.next += usize::from(word.is_some());
        word
    }

    fn takes(&mut self, text: &str) -> bool {
        let is = self.peek().is_some_and(|w| w.text == text);
        self.next += usize::from(is);
        is
    }

    fn needs(&mut self, text: &str) -> Result<(), Fault<'a>> {
        if self.takes(text) { Ok(()) } else { Err(self.expected(&format!("'{text}'"))) }
    }

    fn expected(&self, what: &str) -> Fault<'a> {
        let here = self.peek();
        let why = here.map_or_else(
            || format!("the line ends where {what} is expected"),
            |w| format!("'{}' stands where {what} is expected", w.text),
        );
        (here, why)
    }

    /// Goes one level in, as long as anybody could follow.
    fn deeper<T>(&mut self, of: impl FnOnce(&mut Self) -> Result<T, Fault<'a>>) -> Result<T, Fault<'a>> {
        if self.depth == DEPTH_MAX {
            return Err((self.peek(), format!("more than {DEPTH_MAX} brackets and negations within one another")));
        }
        self.depth += 1;
        let done = of(self);
        self.depth -= 1;
        done
    }

    fn line(&mut self) -> Result<Read, Fault<'a>> {
        let first = self.take();
        let request = |word: &str| match word {
            "long" => Some(RuleRequest::Hold(Stance::Long)),
            "short" => Some(RuleRequest::Hold(Stance::Short)),
            "flat" => Some(RuleRequest::Hold(Stance::Flat)),
            "keep" => Some(RuleRequest::Keep),
            _ => None,
        };
        let read = match first {
            Some(word) if word.text == "otherwise" => {
                let meant = self.peek().and_then(|w| request(w.text));
                let Some(meant) = meant else { return Err(self.expected("flat, keep, long or short")) };
                self.next += 1;
                Read::Otherwise(meant)
            }
            Some(word) => {
                let Some(request) = request(word.text) else {
                    return Err((first, format!("a line does not begin with '{}'; {SHAPE}", word.text)));
                };
                self.needs("when")?;
                Read::Line(RuleLine { request, when: self.either()? })
            }
            None => return Err((None, SHAPE.to_owned())),
        };
        match self.peek() {
            None => Ok(read),
            rest @ Some(word) => {
                let why = format!("'{}' does not belong here; join conditions by and, or", word.text);
                Err((rest, why))
            }
        }
    }

    fn either(&mut self) -> Result<RuleTest, Fault<'a>> {
        let mut test = self.both()?;
        while self.takes("or") {
            test = RuleTest::Either(Box::new(test), Box::new(self.both()?));
        }
        Ok(test)
    }

    fn both(&mut self) -> Result<RuleTest, Fault<'a>> {
        let mut test = self.negated()?;
        while self.takes("and") {
            test = RuleTest::Both(Box::new(test), Box::new(self.negated()?));
        }
        Ok(test)
    }

    fn negated(&mut self) -> Result<RuleTest, Fault<'a>> {
        if self.takes("not") {
            return self.deeper(|r| Ok(RuleTest::Not(Box::new(r.negated()?))));
        }
        // A bracket holds a condition or a number; which of them shows behind it.
        if self.peek().is_some_and(|w| w.text == "(") {
            let here = self.next;
            self.next += 1;
            if let Ok(test) = self.deeper(Self::either)
                && self.takes(")")
                && !self.peek().is_some_and(|w| joins_numbers(w.text))
            {
                return Ok(test);
            }
            self.next = here;
        }
        self.compared()
    }

    fn compared(&mut self) -> Result<RuleTest, Fault<'a>> {
        if let Some((axis, labels)) = self.peek().and_then(|w| self.known.axes.iter().find(|(name, _)| name == w.text))
        {
            self.next += 1;
            return self.labelled(axis, labels);
        }
        let a = self.sum()?;
        if self.takes("is") {
            let is_not = self.takes("not");
            self.needs("missing")?;
            let test = RuleTest::NoNumber(a);
            return Ok(if is_not { RuleTest::Not(Box::new(test)) } else { test });
        }
        let order = match self.peek().map(|w| w.text) {
            Some("<") => RuleOrder::Below,
            Some("<=") => RuleOrder::AtMost,
            Some(">") => RuleOrder::Above,
            Some(">=") => RuleOrder::AtLeast,
            Some("==" | "=") => RuleOrder::Equal,
            Some("!=") => RuleOrder::Unequal,
            _ => return Err(self.expected("<, <=, >, >=, ==, != or 'is missing'")),
        };
        self.next += 1;
        Ok(RuleTest::Compare(a, order, self.sum()?))
    }

    fn labelled(&mut self, axis: &str, labels: &[String]) -> Result<RuleTest, Fault<'a>> {
        self.needs("is")?;
        let is_not = self.takes("not");
        let test = if self.takes("missing") {
            RuleTest::NoLabel(axis.to_owned())
        } else if self.takes("(") {
            let mut any = vec![self.label(axis, labels)?];
            while self.takes(",") || self.takes("or") {
                any.push(self.label(axis, labels)?);
            }
            self.needs(")")?;
            RuleTest::Labelled { axis: axis.to_owned(), labels: any }
        } else {
            RuleTest::Labelled { axis: axis.to_owned(), labels: vec![self.label(axis, labels)?] }
        };
        Ok(if is_not { RuleTest::Not(Box::new(test)) } else { test })
    }

    fn label(&mut self, axis: &str, labels: &[String]) -> Result<String, Fault<'a>> {
        let word = self.take();
        match word {
            Some(w) if labels.iter().any(|l| l == w.text) => Ok(w.text.to_owned()),
            Some(w) => {
                let near = nearest(&w.text.to_uppercase(), labels.iter().map(String::as_str));
                Err((word, format!("{axis} has no label '{}'; it has {}{near}", w.text, labels.join(", "))))
            }
            None => Err((None, format!("the line ends where a label of {axis} is expected: {}", labels.join(", ")))),
        }
    }

    fn sum(&mut self) -> Result<RuleTerm, Fault<'a>> {
        let mut term = self.product()?;
        loop {
            let sign = match self.peek().map(|w| w.text) {
                Some("+") => RuleSign::Plus,
                Some("-") => RuleSign::Minus,
                _ => return Ok(term),
            };
            self.next += 1;
            term = RuleTerm::Of(sign, Box::new(term), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<RuleTerm, Fault<'a>> {
        let mut term = self.factor()?;
        loop {
            let sign = match self.peek().map(|w| w.text) {
                Some("*") => RuleSign::Times,
                Some("/") => RuleSign::Over,
                _ => return Ok(term),
            };
            self.next += 1;
            term = RuleTerm::Of(sign, Box::new(term), Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Result<RuleTerm, Fault<'a>> {
        if self.takes("-") {
            return self.deeper(|r| Ok(RuleTerm::Negative(Box::new(r.factor()?))));
        }
        if self.takes("(") {
            let term = self.deeper(Self::sum)?;
            self.needs(")")?;
            return Ok(term);
        }
        let Some(word) = self.peek() else { return Err(self.expected("a column or a number")) };
        if word.text == "abs" {
            self.next += 1;
            self.needs("(")?;
            let term = self.deeper(Self::sum)?;
            self.needs(")")?;
            return Ok(RuleTerm::Absolute(Box::new(term)));
        }
        if self.known.columns.iter().any(|c| c == word.text) {
            self.next += 1;
            return Ok(RuleTerm::Column(word.text.to_owned()));
        }
        if word.text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            self.next += 1;
            let number = word.text.parse().ok().filter(|n: &f64| n.is_finite());
            let not = || (Some(word), format!("'{}' is no number", word.text));
            return number.map(RuleTerm::Number).ok_or_else(not);
        }
        if !word.text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.expected("a column or a number"));
        }
        let axes = self.known.axes.iter().map(|(name, _)| name.as_str());
        let near = nearest(word.text, self.known.columns.iter().map(String::as_str).chain(axes));
        Err((Some(word), format!("there is no column and no axis '{}'{near}", word.text)))
    }
}

/// Does a number go on behind a bracket with this?
fn joins_numbers(word: &str) -> bool {
    ["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "=", "!=", "is"].contains(&word)
}

/// `; did you mean 'x'?` where one is near.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|k| (strsim::damerau_levenshtein(word, k), k)).min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, name)) if distance <= (word.chars().count() / 3).max(2) => {
            format!(" — did you mean '{name}'?")
        }
        _ => String::new(),
    }
}
