//! A changed book kept as a file of the data folder, under a name of its own.

use super::ask::{bad, base_of, changed};
use crate::service::BookId;
use barograph_api::QueryError;
use barograph_domain::whatif::{KeptBook, NewBook};
use barograph_engine::rules::RuleBook;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

const NAME_CHARS_MAX: usize = 40;

/// Is it a name that a book of one's own can have, in its text and as its file?
///
/// # Errors
/// What is wrong with it.
pub fn book_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(plain) || name.starts_with('-') {
        return Err(format!(
            "'{name}' is no name for a book: letters, digits, - and _, at most {NAME_CHARS_MAX}, as in my-book"
        ));
    }
    if RuleBook::SHIPPED.iter().any(|shipped| shipped.eq_ignore_ascii_case(name)) {
        return Err(format!("'{name}' is a book that comes with the program; take another name"));
    }
    Ok(())
}

/// Writes the changed book into a folder. One of that name stays as it is unless it is to be replaced.
///
/// # Errors
/// [`QueryError::BadField`] for a name, a base or a threshold that cannot be meant, [`QueryError::Conflict`] where there is such a
/// book, or the folder's failure.
pub fn keep(folder: &Path, book: &BookId, new: &NewBook) -> Result<KeptBook, QueryError> {
    book_name(&new.name).map_err(|why| bad("name", &new.name, &why))?;
    let text = changed(base_of(book, new.base.as_deref())?, &new.set, Some(&new.name))?.text;
    let failed = |e: std::io::Error| QueryError::Internal {
        source: format!("cannot write a book into {}: {e}", folder.display()).into(),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = folder.join(format!("{}.toml", new.name));
    let there = file.try_exists().map_err(failed)?;
    let exists = || QueryError::Conflict {
        reason: format!("there is a book '{}' already", new.name),
        hint: "take another name, or send replace: true to write over it".to_owned(),
    };
    if there && !new.replace {
        return Err(exists());
    }
    let written = if there { written_over(&file, &text) } else { written_new(&file, &text) };
    written.map_err(|e| if e.kind() == std::io::ErrorKind::AlreadyExists { exists() } else { failed(e) })?;
    let shown = std::path::absolute(&file).unwrap_or(file).display().to_string();
    let word = if shown.contains(char::is_whitespace) { format!("\"{shown}\"") } else { shown.clone() };
    Ok(KeptBook {
        name: new.name.clone(),
        usage: format!(
            "Start with it: barograph up --book {word}; what is stored was made by the old book and is shown under the new \
             one after: barograph replay PATH --book {word} --data FOLDER."
        ),
        file: shown,
        replaced: there,
    })
}

/// Where two ask at once the second finds the first one's.
fn written_new(file: &Path, text: &str) -> std::io::Result<()> {
    let mut out = File::options().write(true).create_new(true).open(file)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).inspect_err(|_| drop(std::fs::remove_file(file)))
}

/// Whole or not at all: written beside, then put in its place.
fn written_over(file: &Path, text: &str) -> std::io::Result<()> {
    let beside = file.with_extension(format!("toml.{}", std::process::id()));
    let mut out = File::create(&beside)?;
    let put =
        out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).and_then(|()| std::fs::rename(&beside, file));
    put.inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, replace: bool) -> NewBook {
        let set = vec!["HIGH_VOL.realized_vol_1h=0.9".to_owned()];
        NewBook { name: name.to_owned(), base: None, set, replace }
    }

    #[test]
    fn a_book_is_kept_whole_and_never_written_over_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let books = folder.path().join("books");
        let book = BookId::named("default");
        let kept = keep(&books, &book, &new("mine", false)).unwrap();
        let text = std::fs::read_to_string(&kept.file).unwrap();
        assert!(text.contains("name = \"mine\"") && text.contains("value = 0.9, exit = 0.54"), "{text}");
        assert!(text.contains("# Every market against its own history"), "comments stay");
        assert_eq!(RuleBook::parse("mine.toml", &text).unwrap().name, "mine");
        assert!(kept.usage.contains(&format!("--book {}", kept.file)) && !kept.replaced, "{kept:?}");
        std::fs::write(&kept.file, "mine").unwrap();
        assert!(matches!(keep(&books, &book, &new("mine", false)), Err(QueryError::Conflict { .. })));
        assert_eq!(std::fs::read_to_string(&kept.file).unwrap(), "mine");
        assert!(keep(&books, &book, &new("mine", true)).unwrap().replaced);
        assert_eq!(std::fs::read_to_string(&kept.file).unwrap(), text);
        assert_eq!(std::fs::read_dir(&books).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn what_is_no_name_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "../up", "a b", "a/b", "default", "SEED2", "-x", ".", "é", &"x".repeat(41)] {
            let found = keep(folder.path(), &BookId::named("default"), &new(name, true));
            assert!(
                matches!(found, Err(QueryError::BadField { ref field, .. }) if field == "name"),
                "{name}: {found:?}"
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
