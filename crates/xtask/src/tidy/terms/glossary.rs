//! The two tables of the glossary that this check reads: words with what is not said instead of them, and shared names of types.

/// Markers around the tables.
const WORDS: (&str, &str) = ("<!-- words: checked by tidy -->", "<!-- /words -->");
const TYPES: (&str, &str) = ("<!-- types: checked by tidy -->", "<!-- /types -->");

/// What the tables say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Glossary {
    pub(super) words: Vec<Word>,
    pub(super) types: Vec<SharedType>,
}

/// One word, and what is not said instead of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Word {
    /// The word to use.
    pub(super) word: String,
    /// Not a word of a name; one that begins with a capital letter is not a name by itself.
    pub(super) not_in_names: Vec<String>,
    /// Not said in comments.
    pub(super) not_in_comments: Vec<String>,
    /// What is said all the same when one of these words follows soon.
    pub(super) unless_before: Vec<String>,
}

/// A name that types of several crates have because they are one idea.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SharedType {
    pub(super) name: String,
    /// Folders of the crates.
    pub(super) crates: Vec<String>,
}

impl Glossary {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let words = rows(text, WORDS)?.into_iter().map(|cells| match &cells[..] {
            [word, _, names, comments, unless] => Ok(Word {
                word: quoted(word).join(", "),
                not_in_names: quoted(names),
                not_in_comments: quoted(comments),
                unless_before: quoted(unless),
            }),
            _ => Err(format!("'{}' has not five cells", cells.join("|"))),
        });
        let types = rows(text, TYPES)?.into_iter().map(|cells| match (quoted(cells[0]).pop(), &cells[..]) {
            (Some(name), [_, _, crates]) => Ok(SharedType { name, crates: quoted(crates) }),
            _ => Err(format!("'{}' has not three cells, the first with a name in backticks", cells.join("|"))),
        });
        Ok(Self { words: words.collect::<Result<_, _>>()?, types: types.collect::<Result<_, _>>()? })
    }
}

/// Cells of each row between the markers, without the heading.
fn rows<'a>(text: &'a str, (begin, end): (&str, &str)) -> Result<Vec<Vec<&'a str>>, String> {
    let inside = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map(|(inside, _)| inside);
    let inside = inside.ok_or_else(|| format!("the glossary has no table between '{begin}' and '{end}'"))?;
    let lines = inside.lines().filter_map(|l| l.trim().strip_prefix('|')?.strip_suffix('|'));
    Ok(lines.skip(2).map(|line| line.split('|').map(str::trim).collect()).collect())
}

/// The texts in backticks, in order.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_read() {
        let text = "# Glossary\n| `no` | x |\n<!-- words: checked by tidy -->\n| a | b | c | d | e |\n|---|---|---|---|---|\n\
                    | `deliver` | hand over | `tell`, `Told` | `tell` | `apart` |\n<!-- /words -->\n\
                    <!-- types: checked by tidy -->\n| a | b | c |\n|---|---|---|\n| `Error` | why | `a`, `b` |\n<!-- /types -->";
        let of = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let word = Word {
            word: "deliver".into(),
            not_in_names: of(&["tell", "Told"]),
            not_in_comments: of(&["tell"]),
            unless_before: of(&["apart"]),
        };
        let types = vec![SharedType { name: "Error".into(), crates: of(&["a", "b"]) }];
        assert_eq!(Glossary::parse(text), Ok(Glossary { words: vec![word], types }));
        assert!(Glossary::parse("").unwrap_err().contains("no table"));
        assert!(Glossary::parse(&text.replace(" | `apart`", "")).unwrap_err().contains("five cells"));
        assert!(Glossary::parse(&text.replace("`Error`", "Error")).unwrap_err().contains("three cells"));
    }
}
