//! Text that others wrote — a venue's error, a market's name, a person's comment — made fit for one line.
//!
//! A line break in such a text would begin a line that looks like ours, and other control characters move the cursor or turn the
//! order of what follows. Whatever puts foreign text before people or into logs passes it through [`escape_control`].

use std::borrow::Cow;

/// The text on one line: control characters, line separators and marks that change the direction of writing are spelled out
/// (`\n`, `\u{1b}`). Text without any is handed back as it is, and escaping twice changes nothing.
#[must_use]
pub fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unfit(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The text as one word of a shell, so that a command in a sentence can be typed as it stands.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What a noun ends with behind a number: nothing behind 1.
#[must_use]
pub fn plural<N: Copy + PartialEq + From<u8>>(n: N) -> &'static str {
    if n == N::from(1) { "" } else { "s" }
}

/// A number with its noun, which is given for one: `1 market`, `3 markets`, `0 deliveries`.
#[must_use]
pub fn number_of<N: Copy + PartialEq + From<u8> + core::fmt::Display>(n: N, noun: &str) -> String {
    let before_y = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) if n != N::from(1) => format!("{n} {stem}ies"),
        _ => format!("{n} {noun}{}", plural(n)),
    }
}

/// Does this character move the cursor, end a line or turn the direction of writing?
const fn is_unfit(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_word_of_a_shell_whatever_it_is_called() {
        for (text, want) in [
            ("data/lake", "data/lake"),
            ("my lake", "'my lake'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), want);
        }
    }

    #[test]
    fn a_noun_follows_its_number() {
        let said =
            [0_u64, 1, 2].map(|n| [number_of(n, "market"), number_of(n, "delivery"), number_of(n, "day")].join(" "));
        assert_eq!(
            said,
            ["0 markets 0 deliveries 0 days", "1 market 1 delivery 1 day", "2 markets 2 deliveries 2 days"]
        );
    }

    #[test]
    fn foreign_text_stays_on_its_line() {
        for (text, said) in [
            ("", ""),
            ("no such symbol", "no such symbol"),
            ("naïve ✓ 牛", "naïve ✓ 牛"),
            ("404\n[CASCADE] forged", "404\\n[CASCADE] forged"),
            ("a\r\nb\tc\0", "a\\r\\nb\\tc\\u{0}"),
            ("\u{1b}[2Jgone\u{9b}1m", "\\u{1b}[2Jgone\\u{9b}1m"),
            ("x\u{2028}y\u{202e}z\u{feff}", "x\\u{2028}y\\u{202e}z\\u{feff}"),
            ("back\\slash", "back\\slash"),
        ] {
            let escaped = escape_control(text);
            assert_eq!(escaped, said);
            assert_eq!(escape_control(&escaped), said, "twice is once");
            assert_eq!(matches!(escaped, Cow::Borrowed(_)), text == said);
        }
    }
}
