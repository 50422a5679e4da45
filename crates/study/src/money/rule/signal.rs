//! Signals that a rule declares: numbers of somebody's own, which are no columns of the data set (R1.19).
//!
//! A declaration is a line of its own, `signal x.desk_flow from desk within 2h`; from then on the rule may name its value and three
//! readings of it. Whose values these are on a row is for the caller to state, as they were known when the row was.

use super::fault::RuleFault;
use barograph_domain::signal::source_in_rule;
use barograph_domain::{SignalName, SignalNumber, Span};

/// The word that begins a declaration.
const WORD: &str = "signal";
/// How one is written.
const SHAPE: &str = "write 'signal NAME', 'signal NAME from SOURCE' or 'signal NAME from SOURCE within AGE', as in 'signal x.desk_flow \
                     from desk within 2h'";

/// The oldest value that `within` may let count: the longest window of a reading. Values further back are read for no row.
const WITHIN_MAX: Span = Span::days(30);

/// A signal that a rule has declared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredSignal {
    /// What is measured.
    pub name: SignalName,
    /// By whom; `None`: by the one source there is.
    pub source: Option<String>,
    /// An older value is absent, and so is what is made of it; `None`: as old as a chart shows.
    pub within: Option<Span>,
}

impl DeclaredSignal {
    /// The signals that a text declares, and its other parts as they are written: for whoever asks otherwise than a rule does.
    ///
    /// # Errors
    /// Everything that declares no signal though it begins so, each with its place.
    pub fn split(text: &str) -> Result<(Vec<Self>, Vec<&str>), Vec<RuleFault>> {
        super::parse::declarations(text)
    }

    /// As it can be read again.
    #[must_use]
    pub fn written(&self) -> String {
        let source = self.source.as_deref().map(|source| format!(" from {}", source_in_rule(source)));
        let within = self.within.map(|within| format!(" within {within}"));
        format!("{WORD} {}{}{}", self.name, source.unwrap_or_default(), within.unwrap_or_default())
    }
}

/// Does this part of a rule declare a signal?
pub(super) fn declares(part: &str) -> bool {
    part.split_whitespace().next() == Some(WORD)
}

/// The signal that a part declares, which begins with the word.
pub(super) fn declared(part: &str, before: &[DeclaredSignal]) -> Result<DeclaredSignal, String> {
    let words = words(part).ok_or(SHAPE)?;
    let (name, source, within) = match words.get(1..).unwrap_or_default()[..] {
        [name] => (name, None, None),
        [name, "within", age] => (name, None, Some(age)),
        [name, "from", source] => (name, Some(source), None),
        [name, "from", source, "within", age] => (name, Some(source), Some(age)),
        _ => return Err(SHAPE.to_owned()),
    };
    let name = SignalName::any(name).map_err(|e| e.to_string())?;
    let within = within.map(Span::parse).transpose().map_err(|e| format!("{e}; {SHAPE}"))?;
    if within.is_some_and(|within| within > WITHIN_MAX) {
        return Err("within is 30d at most: a value that is older says nothing of now".to_owned());
    }
    let names = |of: &SignalName| SignalNumber::ALL.map(|number| number.of(of));
    let own = names(&name);
    if let Some(other) = before.iter().find(|other| names(&other.name).iter().any(|n| own.contains(n))) {
        return Err(format!("{name} and {} would have the same names; declare one of them", other.name));
    }
    Ok(DeclaredSignal { name, source: source.map(str::to_owned), within })
}

/// The words of a declaration; those between quotation marks are one. `None` where a mark has no other, or nothing stands between them.
fn words(part: &str) -> Option<Vec<&str>> {
    let (mut out, mut rest) = (Vec::new(), part.trim());
    while let Some(first) = rest.chars().next() {
        let (word, after) = if is_mark(first) {
            let (word, after) = rest.get(1..)?.split_once(first)?;
            if word.is_empty() || after.starts_with(|c: char| !c.is_whitespace()) {
                return None;
            }
            (word, after)
        } else {
            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
        };
        out.push(word);
        rest = after.trim_start();
    }
    Some(out)
}

/// Does a source stand between two of these?
pub(super) fn is_mark(c: char) -> bool {
    c == '\'' || c == '"'
}

/// What to do about a name that would be one of a signal, beside the columns that are known; `None` where it is none.
pub(super) fn undeclared(word: &str, columns: &[String]) -> Option<String> {
    let bare = SignalNumber::ALL[1..].iter().find_map(|number| word.strip_suffix(number.ending())).unwrap_or(word);
    let name = SignalName::any(bare).or_else(|_| SignalName::any(word)).ok()?;
    let of = columns.iter().filter_map(|c| SignalName::any(c).ok()).find(|declared| {
        let begins = word.strip_prefix(declared.as_str()).is_some_and(|rest| rest.starts_with('.'));
        begins && columns.contains(&SignalNumber::Delta24h.of(declared))
    });
    Some(match of {
        Some(declared) => format!(
            "'{word}' is not declared; of {declared} there are {}. Another signal has a line above it: signal {name}",
            SignalNumber::ALL.map(|number| number.of(&declared)).join(", ")
        ),
        None => format!("'{word}' is not declared; put a line above it: signal {name}"),
    })
}
