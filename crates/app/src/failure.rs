//! How a command ends when it does not end well: an exit code and one sentence.

pub(crate) use barograph_query::chain;
use clap::CommandFactory as _;
use core::fmt;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The check said no: stale, not causal, different. The answer is on standard output already.
    No(String),
    /// Usage or configuration; nothing was done.
    Usage(String),
    /// Something failed while running.
    Broken(String),
    /// Whoever read our output has gone; that is their right.
    ReaderGone,
    /// Asked to stop before it had begun.
    Stopped,
}

impl Failure {
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }
    pub(crate) fn broken(text: impl fmt::Display) -> Self {
        Self::Broken(text.to_string())
    }

    /// A file of `--out` that could not be written.
    #[cfg(feature = "lab")]
    pub(crate) fn writing(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |e| match Self::from(e) {
            Self::Broken(why) => Self::Broken(format!("cannot write {path}: {why}; choose another place with --out")),
            other => other,
        }
    }

    /// The sentence, if there is one.
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Self::No(text) | Self::Usage(text) | Self::Broken(text) => Some(text),
            Self::ReaderGone | Self::Stopped => None,
        }
    }

    /// Prints the sentence and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (code, text) = match self {
            Self::No(text) => (1, text),
            Self::Usage(text) => (2, text),
            Self::Broken(text) => (3, text),
            Self::ReaderGone | Self::Stopped => return ExitCode::SUCCESS,
        };
        if !text.is_empty() {
            // Standard error may be closed too; there is nobody left to report to.
            drop(writeln!(std::io::stderr(), "barograph: {text}"));
        }
        ExitCode::from(code)
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match e.kind() {
            ErrorKind::BrokenPipe => Self::ReaderGone,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::Broken("no space left on the disk; free some and run it again".to_owned())
            }
            _ => Self::Broken(e.to_string()),
        }
    }
}
impl From<barograph_lake::Error> for Failure {
    fn from(e: barograph_lake::Error) -> Self {
        Self::Usage(chain(&e))
    }
}
#[cfg(feature = "lab")]
impl From<barograph_research::ResearchError> for Failure {
    fn from(e: barograph_research::ResearchError) -> Self {
        match e {
            barograph_research::ResearchError::Refused(text) => Self::Usage(text),
            barograph_research::ResearchError::Failed(text) => Self::Broken(text),
        }
    }
}
#[cfg(feature = "lab")]
impl From<barograph_lake::layers::LayerError> for Failure {
    fn from(e: barograph_lake::layers::LayerError) -> Self {
        barograph_research::ResearchError::from(e).into()
    }
}
impl From<barograph_store::Error> for Failure {
    fn from(e: barograph_store::Error) -> Self {
        Self::Broken(chain(&e))
    }
}
impl From<barograph_live::Error> for Failure {
    fn from(e: barograph_live::Error) -> Self {
        match e {
            barograph_live::Error::Refused(text) => Self::Usage(text),
            barograph_live::Error::Failed(text) => Self::Broken(text),
            barograph_live::Error::ReaderGone => Self::ReaderGone,
            barograph_live::Error::Stopped => Self::Stopped,
        }
    }
}
/// What is handed to a live process is read while it begins; what is wrong with it comes back as it was.
impl From<Failure> for barograph_live::Error {
    fn from(e: Failure) -> Self {
        match e {
            Failure::Usage(text) => Self::Refused(text),
            Failure::No(text) | Failure::Broken(text) => Self::Failed(text),
            Failure::ReaderGone => Self::ReaderGone,
            Failure::Stopped => Self::Stopped,
        }
    }
}
impl From<barograph_objects::Error> for Failure {
    fn from(e: barograph_objects::Error) -> Self {
        match e {
            barograph_objects::Error::Key { .. } | barograph_objects::Error::Address(_) => Self::Usage(chain(&e)),
            _ => Self::Broken(chain(&e)),
        }
    }
}
impl From<barograph_query::Error> for Failure {
    fn from(e: barograph_query::Error) -> Self {
        Self::Broken(chain(&e))
    }
}
impl From<barograph_api::Error> for Failure {
    fn from(e: barograph_api::Error) -> Self {
        Self::Broken(chain(&e))
    }
}

/// What the parser of the command line has to say: help goes out as it is, a refusal becomes one sentence like any other.
pub(crate) fn of_command_line(refused: &clap::Error, typed: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    use clap::error::ErrorKind;
    match refused.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(refused.print()?),
        // No command was given: the list of them says more than a sentence.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            refused.print()?;
            Err(Failure::Usage(String::new()))
        }
        _ => Err(Failure::Usage(one_sentence(&refused.to_string(), &command_of(typed)))),
    }
}

/// The command that was typed, as far as its words name one.
fn command_of(typed: impl Iterator<Item = OsString>) -> String {
    let root = crate::cli::Cli::command();
    let (mut at, mut named) = (&root, vec!["barograph"]);
    let takes_value = |word: &str| {
        let is_it = |arg: &clap::Arg| word.strip_prefix("--").is_some_and(|name| arg.get_long() == Some(name));
        root.get_arguments().any(|arg| is_it(arg) && arg.get_action().takes_values())
    };
    let mut words = typed.skip(1);
    while let Some(word) = words.next() {
        let Some(word) = word.to_str() else { continue };
        // Options of the program may stand before a command; what follows one that takes a value is none.
        if takes_value(word) {
            words.next();
        } else if let Some(next) = at.find_subcommand(word) {
            at = next;
            named.push(next.get_name());
        }
    }
    named.join(" ")
}

/// What the standard library says of text that is no number, and what is meant by it.
const NUMBERS: [(&str, &str); 5] = [
    ("invalid digit found in string", "write a whole number"),
    ("cannot parse integer from empty string", "write a whole number"),
    ("number too large to fit in target type", "it is too large"),
    ("invalid float literal", "write a number, as in 10000 or 0.5"),
    ("cannot parse float from empty string", "write a number, as in 10000 or 0.5"),
];

/// Paragraphs of a refusal joined, without its usage line, and with where to look: the command of the usage line, else the one that was typed.
fn one_sentence(text: &str, typed: &str) -> String {
    let words = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut said = Vec::new();
    let mut usage = typed.to_owned();
    for paragraph in text.split("\n\n").map(words) {
        if let Some(line) = paragraph.strip_prefix("Usage: ") {
            let command = line.split(' ').take_while(|w| w.starts_with(|c: char| c.is_ascii_lowercase()));
            usage = command.collect::<Vec<_>>().join(" ");
        } else if !paragraph.starts_with("For more information")
            && !paragraph.is_empty()
            && !is_about_dashes(&paragraph)
        {
            let paragraph = paragraph.strip_prefix("error: ").unwrap_or(&paragraph);
            said.push(paragraph.strip_prefix("tip: ").unwrap_or(paragraph).to_owned());
        }
    }
    let said = NUMBERS.iter().fold(said.join("; "), |said, (words, meant)| said.replace(words, meant));
    format!("{said}; see {usage} --help")
}

/// `use '-- -5'` is for what no command of ours takes: a word without a flag that begins with a dash.
fn is_about_dashes(paragraph: &str) -> bool {
    paragraph.starts_with("tip: to pass '-") && paragraph.contains("use '-- -")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let full = Failure::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(full.text().unwrap(), "no space left on the disk; free some and run it again");
    }

    #[test]
    fn refusals_of_the_command_line_are_one_sentence() {
        for (line, want) in [
            ("replay", "the following required arguments were not provided: <PATHS>...; see barograph replay --help"),
            (
                "replay x --every 0s",
                "invalid value '0s' for '--every <EVERY>': '0s' is not a positive length of time; see barograph replay --help",
            ),
            (
                "freshness --threshold -5",
                "invalid value '-5' for '--threshold <THRESHOLD>': '-5' is not a length of time; write 60s, 15m, 4h or 2d; \
                 see barograph freshness --help",
            ),
            (
                "lab train BTCUSDT --target dir_5s --folds x",
                "invalid value 'x' for '--folds <N>': write a whole number; see barograph lab train --help",
            ),
            (
                "lab execution BTCUSDT --notional much",
                "invalid value 'much' for '--notional <QUOTE>': write a number, as in 10000 or 0.5; see barograph lab execution --help",
            ),
            (
                "lab execution BTCUSDT --side up",
                "invalid value 'up' for '--side <SIDE>' [possible values: buy, sell, both]; see barograph lab execution --help",
            ),
            ("freshness -5", "unexpected argument '-5' found; see barograph freshness --help"),
            (
                "serve --listne x",
                "unexpected argument '--listne' found; a similar argument exists: '--listen'; see barograph serve --help",
            ),
            (
                "replya x",
                "unrecognized subcommand 'replya'; a similar subcommand exists: 'replay'; see barograph --help",
            ),
        ] {
            let typed = || ["barograph"].into_iter().chain(line.split(' ')).map(OsString::from);
            let refused = crate::cli::Cli::try_parse_from(typed()).unwrap_err();
            let Err(Failure::Usage(text)) = of_command_line(&refused, typed()) else { panic!("{line}") };
            assert_eq!(text, want, "{line}");
        }
    }
}
