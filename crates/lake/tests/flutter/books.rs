//! Books that differ from the default one in how labels are entered and left, and in nothing else.

use barograph_engine::rules::RuleBook;

/// How one rule of the default book is entered and left: what is `None` stays as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dwell<'a> {
    pub(crate) rule: &'a str,
    pub(crate) enter: Option<&'a str>,
    pub(crate) leave: Option<&'a str>,
    /// Text of a clause and what stands in its place.
    pub(crate) clauses: &'a [(&'a str, &'a str)],
}

/// Text of a shipped book with these rules changed.
///
/// # Panics
/// Where a rule, or what is to be replaced in it, is not there.
pub(crate) fn with(text: &str, changes: &[Dwell<'_>]) -> String {
    let mut parts: Vec<String> = text.split_inclusive("[[rule]]\n").map(str::to_owned).collect();
    for change in changes {
        let id = format!("id = \"{}\"", change.rule);
        let part = parts.iter_mut().find(|p| p.starts_with(&id)).unwrap_or_else(|| panic!("no rule {}", change.rule));
        if let Some(enter) = change.enter {
            replace_line(part, "enter", &format!("enter = {}", quoted(enter)));
        }
        if let Some(leave) = change.leave {
            replace_line(part, "enter", &format!("leave = {}\n{}", quoted(leave), line(part, "enter")));
        }
        for (was, is) in change.clauses {
            assert!(part.contains(was), "{} has no {was}", change.rule);
            *part = part.replace(was, is);
        }
    }
    parts.concat()
}

/// The line of a rule that begins with this key.
fn line(part: &str, key: &str) -> String {
    let found = part.lines().find(|l| l.starts_with(&format!("{key} = ")));
    found.unwrap_or_else(|| panic!("no {key} in {part}")).to_owned()
}

fn replace_line(part: &mut String, key: &str, with: &str) {
    let was = line(part, key);
    *part = part.replace(&format!("\n{was}\n"), &format!("\n{with}\n"));
}

/// Words and lengths of time stand in quotes, counts do not.
fn quoted(value: &str) -> String {
    if value.parse::<u32>().is_ok() { value.to_owned() } else { format!("{value:?}") }
}

/// What the choice changed in the default book, as it stands there and as it stood before.
const CHANGED: [(&str, &str); 5] = [
    ("dwell_counts = \"bars\"", "dwell_counts = \"readings\""),
    ("op = \">\", value = 0.80, exit = 0.48,", "op = \">\", value = 0.80, exit = 0.72,"),
    ("value = 0.90, exit = 0.60,", "value = 0.90, exit = 0.85,"),
    ("leave = \"5h\"\n", ""),
    ("enter = \"4h\"\n", "enter = 2\n"),
];

/// The default book as labels were entered and left before the choice.
pub(crate) fn before(text: &str) -> String {
    let mut text = text.to_owned();
    for (is, was) in CHANGED {
        assert_eq!(text.matches(is).count(), 1, "{is} stands once in the default book");
        text = text.replace(is, was);
    }
    text
}

/// The clause on open interest of CHOP_RISK.
const FLAT: &str =
    "  { feature = \"oi_delta_1h\", abs = true, op = \"<\", value = 0.02, exit = 0.022, scale = 0.01 },\n";

/// The same with CHOP_RISK judged by prices alone, as if open interest stood still.
pub(crate) fn without_open_interest(text: &str) -> String {
    with(text, &[Dwell { rule: "CHOP_RISK", enter: None, leave: None, clauses: &[(FLAT, "")] }])
}

pub(crate) fn parse(name: &str, text: &str) -> RuleBook {
    RuleBook::parse(name, text).unwrap_or_else(|e| panic!("{name}: {e:?}\n{text}"))
}
