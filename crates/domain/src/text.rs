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

/// Is this a character that nobody sees, though it changes what is read: a control character, a mark that turns or joins writing, one
/// without width, a separator of lines or paragraphs, a filler? Texts that people bring are refused where one is in them, so that two
/// that look alike are alike. The two marks that choose between the forms of an emoji are none.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    is_unfit(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// One line of 1 to `most` characters, all of them such as people see.
#[must_use]
pub fn is_one_line(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(is_hidden)
}

/// Text of at most `most` characters, all of them line breaks or such as people see.
#[must_use]
pub fn is_plain_text(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(|c| is_hidden(c) && c != '\n')
}

/// Text as it stands between tags of HTML or SVG, and in their attributes. Of what nobody sees only line breaks are left; in place of the rest
/// stands U+FFFD.
#[must_use]
pub fn escape_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if is_hidden(c) && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
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
    fn no_text_is_a_tag_or_ends_an_attribute() {
        assert_eq!(
            escape_markup("a<b & \"c\" 'd'>\ne\u{202e}f\u{1b}"),
            "a&lt;b &amp; &quot;c&quot; &#39;d&#39;&gt;\ne\u{fffd}f\u{fffd}"
        );
    }

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
    fn a_text_that_people_bring_has_nothing_that_nobody_sees() {
        for text in ["ann", "Ünal Ağca", "牛", "−6.1 % · “x”", "\u{2764}\u{fe0f}", "a\u{a0}b"] {
            assert!(is_one_line(text, 12) && is_plain_text(text, 12), "{text}");
        }
        let hidden = [
            "\0",
            "\t",
            "\r",
            "\u{1b}",
            "\u{7f}",
            "\u{85}",
            "\u{ad}",
            "\u{61c}",
            "\u{115f}",
            "\u{180e}",
            "\u{200b}",
            "\u{200d}",
            "\u{200e}",
            "\u{2028}",
            "\u{2029}",
            "\u{202a}",
            "\u{202e}",
            "\u{2060}",
            "\u{2066}",
            "\u{2069}",
            "\u{206f}",
            "\u{2800}",
            "\u{3164}",
            "\u{feff}",
            "\u{fff9}",
            "\u{e0041}",
        ];
        for c in hidden {
            let text = format!("b{c}uy");
            assert!(!is_one_line(&text, 9) && !is_plain_text(&text, 9), "{}", text.escape_unicode());
        }
        assert!(is_plain_text("a\nb", 3) && !is_one_line("a\nb", 3), "a line break is for texts of several lines");
        assert!(is_plain_text("", 0) && !is_one_line("", 1));
        assert!(is_one_line("éé", 2) && !is_one_line("ééé", 2) && !is_plain_text("ééé", 2), "characters, not bytes");
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
