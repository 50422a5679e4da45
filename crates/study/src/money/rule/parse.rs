//! From text to a rule, by recursive descent: `or` binds least, then `and`, `not`, comparisons, `+ -`, `* /`.

use super::fault::RuleFault;
use super::signal::{DeclaredSignal, declared, declares, is_mark, undeclared};
use super::term::{RuleOrder, RuleSign, RuleTerm, RuleTest};
use super::word::{RuleWord, words};
use super::{RuleCondition, RuleLine, RuleRequest, RuleVocabulary, TradingRule};
use crate::money::blotter::Stance;
use barograph_domain::SignalNumber;

/// Brackets and negations within one another; beyond that nobody could read it.
const DEPTH_MAX: usize = 50;

pub(super) fn rule(text: &str, known: &RuleVocabulary) -> Result<TradingRule, Vec<RuleFault>> {
    let (mut lines, mut otherwise, mut faults) = (Vec::new(), None, Vec::new());
    let mut declared = Declared { signals: Vec::new(), known: known.clone() };
    for part in parts(text) {
        if declared.take(&part, &mut faults) {
            continue;
        }
        let mut reading = part.reading(&declared.known);
        let done = match (reading.line(), otherwise) {
            (Ok(_), Some(_)) => Err((part.words.first().copied(), "nothing follows 'otherwise'".to_owned())),
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
        if let Err(why) = done {
            faults.push(part.fault(why));
        }
    }
    if lines.is_empty() && faults.is_empty() {
        let first = text.lines().next().unwrap_or_default();
        faults.push(RuleFault::new(1, first, None, format!("a rule needs at least one line; {SHAPE}")));
    }
    if faults.is_empty() {
        let otherwise = otherwise.unwrap_or(RuleRequest::Hold(Stance::Flat));
        Ok(TradingRule { signals: declared.signals, lines, otherwise })
    } else {
        Err(faults)
    }
}

pub(super) fn condition(text: &str, known: &RuleVocabulary) -> Result<RuleCondition, Vec<RuleFault>> {
    let (mut test, mut faults) = (None, Vec::new());
    let mut declared = Declared { signals: Vec::new(), known: known.clone() };
    for part in parts(text) {
        if declared.take(&part, &mut faults) {
            continue;
        }
        let mut reading = part.reading(&declared.known);
        match reading.either().and_then(|found| reading.ended(found)) {
            Ok(found) if test.is_none() => test = Some(found),
            Ok(_) => {
                let why = "there is one condition; join what belongs to it by and, or".to_owned();
                faults.push(part.fault((part.words.first().copied(), why)));
            }
            Err(why) => faults.push(part.fault(why)),
        }
    }
    match test {
        Some(when) if faults.is_empty() => Ok(RuleCondition { signals: declared.signals, when }),
        None if faults.is_empty() => {
            let first = text.lines().next().unwrap_or_default();
            let why = "a condition is missing, as in 'signal x.desk_flow; x.desk_flow.z_7d > 2'".to_owned();
            Err(vec![RuleFault::new(1, first, None, why)])
        }
        _ => Err(faults),
    }
}

/// What a text declares, and its other parts as they are written.
pub(super) fn declarations(text: &str) -> Result<(Vec<DeclaredSignal>, Vec<&str>), Vec<RuleFault>> {
    let (mut others, mut faults) = (Vec::new(), Vec::new());
    let mut declared = Declared { signals: Vec::new(), known: RuleVocabulary::default() };
    for part in parts(text) {
        if !declared.take(&part, &mut faults) {
            others.push(part.text.trim());
        }
    }
    if faults.is_empty() { Ok((declared.signals, others)) } else { Err(faults) }
}

/// A line, or what stands between two semicolons of one.
struct RulePart<'a> {
    /// Of the line, from 1.
    number: usize,
    written: &'a str,
    text: &'a str,
    words: Vec<RuleWord<'a>>,
}

fn parts(text: &str) -> Vec<RulePart<'_>> {
    let mut out = Vec::new();
    // The mark that editors of some systems put before a text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, written) in text.lines().enumerate() {
        let mut from = 0;
        for text in texts(written) {
            let words: Vec<RuleWord<'_>> = words(text).into_iter().map(|w| RuleWord { at: w.at + from, ..w }).collect();
            from += text.chars().count() + 1;
            if !words.is_empty() {
                out.push(RulePart { number: number + 1, written, text, words });
            }
        }
    }
    out
}

/// What stands between semicolons in a line, up to a remark. Both mean nothing in a source between quotation marks.
fn texts(line: &str) -> Vec<&str> {
    let (mut out, mut from, mut open) = (Vec::new(), 0, None);
    for (at, c) in line.char_indices() {
        match open {
            Some(mark) if c == mark => open = None,
            Some(_) => {}
            None if c == '#' => {
                out.push(&line[from..at]);
                return out;
            }
            None if c == ';' => {
                out.push(&line[from..at]);
                from = at + 1;
            }
            None if is_mark(c) && declares(&line[from..at]) => open = Some(c),
            None => {}
        }
    }
    out.push(&line[from..]);
    out
}

impl<'a> RulePart<'a> {
    fn reading(&'a self, known: &'a RuleVocabulary) -> Reading<'a> {
        Reading { words: &self.words, next: 0, depth: 0, known }
    }

    fn fault(&self, (word, why): Fault<'_>) -> RuleFault {
        RuleFault::new(self.number, self.written, word, why)
    }
}

/// Signals declared so far, and what may be named with them.
struct Declared {
    signals: Vec<DeclaredSignal>,
    known: RuleVocabulary,
}

impl Declared {
    /// Takes a part that declares a signal; false: it is something else.
    fn take(&mut self, part: &RulePart<'_>, faults: &mut Vec<RuleFault>) -> bool {
        if !declares(part.text) {
            return false;
        }
        match declared(part.text, &self.signals) {
            Ok(signal) => {
                self.known.columns.extend(SignalNumber::ALL.map(|number| number.of(&signal.name)));
                self.signals.push(signal);
            }
            Err(why) => faults.push(part.fault((part.words.get(1).copied(), why))),
        }
        true
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
        self.ended(read)
    }

    /// What was read, where nothing follows it.
    fn ended<T>(&self, read: T) -> Result<T, Fault<'a>> {
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
        if let Some(why) = undeclared(word.text, &self.known.columns) {
            return Err((Some(word), why));
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

/// ` — did you mean 'x'?` where one is near.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = alike(word, known, (word.chars().count() / 3).max(2));
    near.map_or_else(String::new, |name| format!(" — did you mean '{name}'?"))
}

/// Of names the one that is written most alike, at most so many letters away; among equals the first.
pub fn alike<'a>(word: &str, known: impl Iterator<Item = &'a str>, letters_max: usize) -> Option<&'a str> {
    let near = known.map(|k| (strsim::damerau_levenshtein(word, k), k)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, _)| *distance <= letters_max).map(|(_, name)| name)
}
