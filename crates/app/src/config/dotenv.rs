//! A `.env` in the current folder: never read for settings, and said so where it would have set something.
//!
//! The fourth original reads that file by itself. Here a variable is in the environment or it is not: a service, a container
//! and a shell each have their own way to put it there, and a file that counted in one folder alone would surprise.

use super::declared::KEYS;
use std::collections::BTreeSet;
use std::path::Path;

const FILE: &str = ".env";
/// What names of variables begin with that are read from the environment.
const PREFIXES: [&str; 2] = ["WEBHOOKS_", "BAROGRAPH_"];

/// What to say of the current folder's `.env`, if it sets anything that the environment does not have.
pub(crate) fn unread() -> Option<String> {
    unread_of(Path::new(FILE), |name| std::env::var_os(name).is_some())
}

fn unread_of(file: &Path, in_environment: impl Fn(&str) -> bool) -> Option<String> {
    // Of what is no file or cannot be read there is nothing to say.
    let text = std::fs::read(file).ok()?;
    let text = String::from_utf8_lossy(&text);
    let names: BTreeSet<&str> = text.lines().filter_map(variable).filter(|name| !in_environment(name)).collect();
    let names: Vec<&str> = names.into_iter().collect();
    (!names.is_empty()).then(|| {
        format!(
            "{FILE} is not read, and {} set in the environment: type  set -a; . ./{FILE}; set +a  and start again",
            match names[..] {
                [one] => format!("{one} is not"),
                _ => format!("{} are not", names.join(", ")),
            }
        )
    })
}

/// The variable that a line sets, where it is one that would be read.
fn variable(line: &str) -> Option<&str> {
    let line = line.trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let name = name.trim();
    let known = PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || KEYS.iter().any(|key| key.also == Some(name));
    // An empty variable says as much as none.
    (known && !value.trim().trim_matches(['"', '\'']).is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, environment: &[&str]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, text).unwrap();
        unread_of(&file, |name| environment.contains(&name))
    }

    #[test]
    fn what_a_dotenv_would_have_set_is_named_without_its_values() {
        let file = "# hooks\nexport WEBHOOKS_ALL=https://h.example/s3cret\n DB_URL = \"postgres://me:s3cret@db/x\"\nPATH=/x\n\
                    #WEBHOOKS_FUNDING=https://h.example/s3cret\nWEBHOOKS_CASCADE=\nWEBHOOKS_REGIME=''\n";
        let both = said(file, &[]).unwrap();
        assert!(
            both.contains("DB_URL, WEBHOOKS_ALL are not set") && both.contains("set -a; . ./.env; set +a"),
            "{both}"
        );
        assert!(!both.contains("s3cret"), "{both}");
        assert!(said(file, &["DB_URL"]).is_some_and(|one| one.contains("WEBHOOKS_ALL is not set")));
        for (text, environment) in [(file, ["DB_URL", "WEBHOOKS_ALL"].as_slice()), ("PATH=/x\n", &[]), ("", &[])] {
            assert_eq!(said(text, environment), None, "{text}");
        }
        assert_eq!(unread_of(Path::new("/"), |_| false), None, "a folder of that name");
    }
}
