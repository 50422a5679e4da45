//! What an answer costs, and how one that costs too much is cut (agents §2).

use crate::answer::{Part, ToolAnswer};
use crate::text;
use serde_json::{Map, Value};

/// What stands for a token, in tenths of one: letters of a word and digits of a number that come together, and what any other
/// character is of one. Numbers in tables cost far more than text; counted so, an answer is within a tenth of what tokenizers of models
/// make of it (`make agents` compares).
const LETTERS: usize = 7;
const FIGURES: usize = 3;
const SIGN: usize = 7;
const WHOLE: usize = 10;
/// Tokens of an answer: by default, at least and at most.
pub(crate) const DEFAULT: usize = 800;
pub(crate) const LEAST: usize = 200;
pub(crate) const MOST: usize = 8_000;
/// Least characters of a text that was cut.
const STUMP: usize = 40;

/// Tokens of a text, as a budget counts them.
#[must_use]
pub fn tokens(text: &str) -> usize {
    let kind = |byte: u8| (byte.is_ascii_alphabetic(), byte.is_ascii_digit());
    let runs = text.as_bytes().chunk_by(|a, b| kind(*a) == kind(*b));
    let tenths = runs.map(|run| match kind(run[0]) {
        (true, _) => WHOLE * run.len().div_ceil(LETTERS),
        (_, true) => WHOLE * run.len().div_ceil(FIGURES),
        _ => run.iter().copied().map(sign).sum(),
    });
    tenths.sum::<usize>().div_ceil(WHOLE)
}

/// Tenths of a token for a byte that is no letter and no digit: a character beyond ASCII counts with its first byte.
const fn sign(byte: u8) -> usize {
    match byte {
        b' ' | 0x80..=0xbf => 0,
        0..=0x7f => SIGN,
        _ => WHOLE,
    }
}

/// An answer that fits: for programs, and the same facts for readers.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FittedAnswer {
    pub(crate) structured: Value,
    pub(crate) text: String,
}

impl FittedAnswer {
    fn of(parts: &[Part], omitted: usize, left_out: &[&str], next: Option<String>) -> Self {
        let mut fields = Map::new();
        let mut lines = Vec::new();
        for part in parts {
            match part {
                Part::Field(name, value) => {
                    lines.push(text::field(name, value));
                    fields.insert(name.clone(), value.clone());
                }
                Part::Rows(table) => {
                    lines.push(text::table(table));
                    fields.insert(table.name.to_owned(), table.value());
                }
            }
        }
        if omitted > 0 {
            lines.push(format!("omitted: {omitted}"));
            fields.insert("omitted".into(), omitted.into());
        }
        if !left_out.is_empty() {
            lines.push(format!("left_out: {}", left_out.join(", ")));
            fields.insert("left_out".into(), left_out.into());
        }
        if let Some(next) = next {
            lines.push(format!("next: {next}"));
            fields.insert("next".into(), next.into());
        }
        Self { structured: Value::Object(fields), text: lines.join("\n") }
    }

    /// Tokens of both.
    pub(crate) fn tokens(&self) -> usize {
        tokens(&self.structured.to_string()) + tokens(&self.text)
    }
}

/// Cuts an answer from its end until it fits. `omitted` counts rows that are not shown, as far as they are known; `left_out` names what
/// else is not. `next` makes the cursor of a row, where there can be one.
pub(crate) fn fit(answer: &ToolAnswer, budget: usize, next: impl Fn(usize) -> Option<String>) -> FittedAnswer {
    let rows = |parts: &[Part]| parts.iter().filter_map(Part::row_count).sum::<usize>();
    let paged = |parts: &[Part]| parts.iter().find_map(Part::row_count).unwrap_or(0);
    let all = rows(&answer.parts) + answer.beyond;
    let made = |parts: &[Part]| {
        let omitted = all - rows(parts);
        let left_out: Vec<&str> =
            answer.parts[parts.len().min(answer.parts.len())..].iter().filter_map(Part::field_name).collect();
        let has_more = paged(&answer.parts) + answer.beyond > paged(parts);
        FittedAnswer::of(parts, omitted, &left_out, if has_more { next(answer.from + paged(parts)) } else { None })
    };
    let fits = |parts: &[Part]| made(parts).tokens() <= budget;
    let mut kept: Vec<Part> = Vec::new();
    let mut rest = answer.parts.as_slice();
    while let Some(first) = rest.first() {
        if let Part::Rows(table) = first {
            // As many rows as there is room for: a thousand are never written for the sake of ten.
            let count = most(table.rows.len(), FIRST_ROWS, |count| {
                kept.push(Part::Rows(table.first(count)));
                let holds = fits(&kept);
                kept.pop();
                holds
            });
            kept.extend(count.filter(|count| *count > 0 || table.rows.is_empty()).map(|n| Part::Rows(table.first(n))));
            if count != Some(table.rows.len()) {
                break;
            }
            rest = &rest[1..];
            continue;
        }
        // Fields up to the next rows, usually all of them.
        let together = rest.iter().take_while(|part| part.row_count().is_none()).count();
        let before = kept.len();
        let count = most(together, together, |count| {
            kept.extend_from_slice(&rest[..count]);
            let holds = fits(&kept);
            kept.truncate(before);
            holds
        });
        let count = count.unwrap_or(0);
        kept.extend_from_slice(&rest[..count]);
        if count < together {
            shorten(&rest[count], &mut kept, &fits);
            break;
        }
        rest = &rest[together..];
    }
    made(&kept)
}

/// The largest number up to `all` that holds, where a smaller one does if a larger one does; `None`: not even none. Tried first are
/// `step`, then twice as many more each time.
fn most(all: usize, mut step: usize, mut holds: impl FnMut(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (0, all);
    while low < high {
        let next = (low + step).min(high);
        if !holds(next) {
            high = next - 1;
            break;
        }
        (low, step) = (next, 2 * step);
    }
    while low < high {
        let middle = (low + high).div_ceil(2);
        if holds(middle) { low = middle } else { high = middle - 1 }
    }
    (low > 0 || holds(0)).then_some(low)
}

/// Rows that are tried first.
const FIRST_ROWS: usize = 8;

/// The sentence that comes first is rather cut than left out.
fn shorten(part: &Part, kept: &mut Vec<Part>, fits: &impl Fn(&[Part]) -> bool) {
    let Part::Field(name, Value::String(whole)) = part else { return };
    if kept.len() >= 2 {
        return;
    }
    let mut most = whole.chars().count();
    while most > STUMP {
        most -= most / 8 + 1;
        let cut: String = whole.chars().take(most).chain(['…']).collect();
        kept.push(Part::Field(name.clone(), cut.into()));
        if fits(kept) {
            return;
        }
        kept.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::RowTable;

    fn answer(sentence: usize, rows: usize) -> ToolAnswer {
        let mut answer = ToolAnswer::default();
        answer.field("sentence", "w".repeat(sentence));
        let row = |n: usize| vec![Value::from(format!("binance-usdm:M{n:04}USDT")), Value::from(n)];
        answer.rows(RowTable::new("markets", ["market", "n"], (0..rows).map(row)));
        answer.field("note", "last");
        answer
    }

    #[test]
    fn words_and_numbers_are_counted_as_tokenizers_do() {
        let cases = [
            ("", 0),
            ("volatility", 2),
            ("risk", 1),
            ("69365.5", 4),
            ("a b c", 3),
            ("2026-02-05", 6),
            ("−", 1),
            ("{}", 2),
        ];
        for (text, expected) in cases {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }

    #[test]
    fn no_answer_is_larger_than_its_budget_and_what_is_left_out_is_counted() {
        for (sentence, rows, budget) in
            [(10, 5, 800), (100, 1_000, 800), (100, 1_000, 200), (5_000, 10, 200), (10, 300, 8_000)]
        {
            let fitted = fit(&answer(sentence, rows), budget, |n| (n > 0).then(|| format!("c{n}")));
            assert!(fitted.tokens() <= budget, "{sentence} {rows} {budget}: {}", fitted.tokens());
            let shown = fitted.structured["markets"]["rows"].as_array().map_or(0, Vec::len);
            let omitted = fitted.structured["omitted"].as_u64().unwrap_or(0);
            let fields = ["sentence", "note"].iter().filter(|f| fitted.structured[**f].is_string()).count();
            let left_out = fitted.structured["left_out"].as_array().map_or(0, Vec::len);
            assert_eq!((shown as u64 + omitted, fields + left_out), (rows as u64, 2), "{fitted:?}");
            assert_eq!(fitted.structured["next"].as_str().is_some(), shown > 0 && shown < rows);
            if shown > 0 && shown < rows {
                assert_eq!(fitted.structured["next"], format!("c{shown}").as_str());
            }
        }
    }

    #[test]
    fn what_fits_is_whole() {
        let fitted = fit(&answer(10, 5), 800, |_| None);
        assert_eq!(fitted.structured.get("omitted"), None);
        assert!(fitted.text.ends_with("note: last"), "{}", fitted.text);
    }
}
