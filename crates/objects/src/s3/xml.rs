//! The XML of S3's answers: elements with texts, which is all that they have.
//!
//! Read whole, without namespaces and attributes; what is no XML is `None`. A document type, which no answer has, is refused too, so that
//! there are no entities but the five of the standard and numbers.

use core::iter::Peekable;
use core::str::Chars;

/// Deeper than any answer is.
const DEEPEST: usize = 16;

/// An element.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct XmlNode {
    /// Its name.
    pub(super) name: String,
    /// Text in it, but not in elements in it.
    pub(super) text: String,
    /// Elements in it.
    pub(super) inner: Vec<Self>,
}

impl XmlNode {
    /// The element of a document.
    pub(super) fn parse(document: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(document).ok()?.trim_start_matches('\u{feff}');
        let mut chars = text.chars().peekable();
        loop {
            skip_blanks(&mut chars);
            if chars.next()? != '<' {
                return None;
            }
            match chars.peek()? {
                '?' => skip_past(&mut chars, "?>")?,
                '!' => skip_comment(&mut chars)?,
                _ => return element(&mut chars, 0),
            }
        }
    }

    /// Elements of a name directly in this one.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.inner.iter().filter(move |node| node.name == name)
    }

    /// Text of the first element of a name directly in this one.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.inner.iter().find(|node| node.name == name).map(|node| node.text.as_str())
    }
}

/// The element whose `<` was read.
fn element(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Option<XmlNode> {
    if depth > DEEPEST {
        return None;
    }
    let mut node = XmlNode { name: name(chars)?, ..XmlNode::default() };
    if attributes(chars)? {
        return Some(node);
    }
    loop {
        match chars.next()? {
            '&' => node.text.push(entity(chars)?),
            '<' => match chars.peek()? {
                '/' => {
                    chars.next();
                    let end = name(chars)?;
                    skip_blanks(chars);
                    let closes = end == node.name && chars.next()? == '>';
                    return closes.then_some(node);
                }
                '!' => skip_comment(chars)?,
                _ => node.inner.push(element(chars, depth + 1)?),
            },
            c => node.text.push(c),
        }
    }
}

/// A name without its namespace.
fn name(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, '/' | '>' | '<' | '=')) {
        name.push(c);
    }
    let local = name.rsplit(':').next().unwrap_or_default();
    (!local.is_empty()).then(|| local.to_owned())
}

/// Passes over attributes: `true` when the element has ended with them.
fn attributes(chars: &mut Peekable<Chars<'_>>) -> Option<bool> {
    loop {
        match chars.next()? {
            '>' => return Some(false),
            '/' => return (chars.next()? == '>').then_some(true),
            quote @ ('"' | '\'') => while chars.next()? != quote {},
            _ => {}
        }
    }
}

fn entity(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let mut name = String::new();
    loop {
        match chars.next()? {
            ';' => break,
            c if name.len() < 10 => name.push(c),
            _ => return None,
        }
    }
    match name.as_str() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        other => {
            let digits = other.strip_prefix('#')?;
            let number = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(number.ok()?)
        }
    }
}

fn skip_blanks(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| c.is_whitespace()).is_some() {}
}

/// The comment whose `<` was read; anything else that begins with `<!` is refused.
fn skip_comment(chars: &mut Peekable<Chars<'_>>) -> Option<()> {
    let begins = [chars.next()?, chars.next()?, chars.next()?] == ['!', '-', '-'];
    if begins { skip_past(chars, "-->") } else { None }
}

fn skip_past(chars: &mut Peekable<Chars<'_>>, end: &str) -> Option<()> {
    let mut last = String::new();
    while !last.ends_with(end) {
        last.push(chars.next()?);
        if last.chars().count() > end.len() {
            last.remove(0);
        }
    }
    Some(())
}

/// A text as it stands between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_entities_and_without_its_namespaces() {
        let text = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->\n\
            <ListResult xmlns=\"http://x/\" a='>'>\n <Name>b</Name><Contents><Key>a&amp;b&#x20;&#65;</Key><Empty/></Contents>\
            <s3:Contents><Key >c</Key ></s3:Contents></ListResult>";
        let root = XmlNode::parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.text_of("Name")), ("ListResult", Some("b")));
        let keys: Vec<_> = root.all("Contents").filter_map(|c| c.text_of("Key")).collect();
        assert_eq!(keys, ["a&b A", "c"]);
        assert_eq!(root.text_of("None"), None);
        let back = format!("<a>{}</a>", escaped("<&>\""));
        assert_eq!(XmlNode::parse(back.as_bytes()).unwrap().text, "<&>\"");
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        let bad =
            ["", "x", "<a>", "<a></b>", "<a>&x;</a>", "<!DOCTYPE a><a/>", "<a><!ENTITY></a>", "<a", "< a/>", &deep];
        for text in bad {
            assert_eq!(XmlNode::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(XmlNode::parse(&[b'<', 0xff]), None);
    }
}
