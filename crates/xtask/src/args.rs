//! The few command line words xtask needs: flags, options with a value, and names.
//!
//! Left out on purpose: abbreviations, `--key=value`, defaults kept apart from their use. The product has a real parser.

use crate::Failure;

/// Words after the command, taken out one kind at a time; whatever is left in the end is an error.
#[derive(Debug)]
pub(crate) struct Args {
    words: Vec<String>,
    known: Vec<&'static str>,
}

impl Args {
    pub(crate) fn new(words: impl Iterator<Item = String>) -> Self {
        Self { words: words.collect(), known: Vec::new() }
    }

    /// Was `--name` given?
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        self.known.push(name);
        let before = self.words.len();
        self.words.retain(|w| w != name);
        self.words.len() != before
    }

    /// The value after `--name`, if given.
    pub(crate) fn value(&mut self, name: &'static str) -> Result<Option<String>, Failure> {
        self.known.push(name);
        let Some(at) = self.words.iter().position(|w| w == name) else { return Ok(None) };
        if at + 1 >= self.words.len() {
            return Err(Failure::Usage(format!("{name} needs a value")));
        }
        let value = self.words.remove(at + 1);
        self.words.remove(at);
        Ok(Some(value))
    }

    /// The value after `--name` as a number from `low` to `high`, or `default`.
    pub(crate) fn number(&mut self, name: &'static str, default: u64, low: u64, high: u64) -> Result<u64, Failure> {
        match self.value(name)? {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(n) if (low..=high).contains(&n) => Ok(n),
                _ => Err(Failure::Usage(format!("{name} is '{text}'; write a whole number from {low} to {high}"))),
            },
        }
    }

    /// Everything that is left and no option: names.
    pub(crate) fn names(mut self) -> Result<Vec<String>, Failure> {
        if let Some(at) = self.words.iter().position(|w| w.starts_with('-')) {
            let word = self.words.swap_remove(at);
            return Err(Failure::Usage(format!("unknown option '{word}'{}", did_you_mean(&word, &self.known))));
        }
        Ok(self.words)
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.names()?.first() {
            None => Ok(()),
            Some(word) => Err(Failure::Usage(format!("unexpected '{word}'"))),
        }
    }

    /// Everything, untouched.
    #[cfg(not(all(feature = "gen", feature = "mutants")))]
    pub(crate) fn rest(self) -> Vec<String> {
        self.words
    }
}

/// `; did you mean 'x'?` when one of `known` is close.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(word, k), k))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map_or_else(String::new, |(_, k)| format!("; did you mean '{k}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Args {
        Args::new(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_and_the_rest_is_refused() {
        let mut a = args("--out here --plain --days 3");
        assert_eq!(a.value("--out").unwrap().as_deref(), Some("here"));
        assert!(a.flag("--plain"));
        assert_eq!(a.number("--days", 365, 1, 4_000).unwrap(), 3);
        assert_eq!(a.number("--seed", 7, 0, 9).unwrap(), 7);
        assert!(a.finish().is_ok());
    }

    #[test]
    fn mistakes_are_named() {
        fn text(f: Failure) -> String {
            match f {
                Failure::Usage(text) | Failure::Runtime(text) => text,
                Failure::Refused => String::new(),
            }
        }
        let mut a = args("--dyas 3");
        assert_eq!(a.number("--days", 1, 1, 2).unwrap(), 1);
        assert_eq!(text(a.finish().unwrap_err()), "unknown option '--dyas'; did you mean '--days'?");
        assert_eq!(text(args("--out").value("--out").unwrap_err()), "--out needs a value");
        assert!(text(args("--days 0").number("--days", 1, 1, 2).unwrap_err()).contains("from 1 to 2"));
        assert_eq!(text(args("stray").finish().unwrap_err()), "unexpected 'stray'");
    }
}
