//! Access tokens: made here, printed once, stored as hashes in the data folder, and compared in constant time.
//!
//! A token is 256 random bits, so that its plain SHA-256 cannot be searched for. A running server looks at the file with every
//! request and reads it again when it has changed, so that a revoked token is refused at once.

use crate::failure::Failure;
use barograph_api::{Caller, Role, Tokens};
use barograph_domain::Ts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

const FILE: &str = "tokens.json";
/// What every token begins with, so that a scanner for leaked secrets finds it.
const PREFIX: &str = "brg_";
const NAME_MAX: usize = 64;

/// A token as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) role: String,
    /// SHA-256 of the token, in hex.
    hash: String,
    pub(crate) created_at: Ts,
}

/// State of the file when it was last read.
#[derive(Debug, Default)]
struct Read {
    changed: Option<(SystemTime, u64)>,
    tokens: Vec<Stored>,
}

/// The tokens of a data folder.
#[derive(Debug)]
pub(crate) struct TokenBook {
    path: PathBuf,
    read: Mutex<Read>,
}

impl TokenBook {
    /// Of this data folder, which need not exist yet.
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        let book = Self { path: data.join(FILE), read: Mutex::default() };
        book.refresh()?;
        Ok(book)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().tokens.is_empty()
    }

    pub(crate) fn list(&self) -> Vec<Stored> {
        self.lock().tokens.clone()
    }

    /// Makes a token; what is returned is nowhere else.
    pub(crate) fn add(&self, name: &str, role: Role, now: Ts) -> Result<String, Failure> {
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(Failure::usage(format!("a token's name has 1 to {NAME_MAX} characters; '{name}' has not")));
        }
        let mut tokens = self.list();
        if tokens.iter().any(|t| t.name == name) {
            return Err(Failure::usage(format!("there is a token '{name}'; revoke it first, or choose another name")));
        }
        let token = drawn(PREFIX)?;
        tokens.push(Stored {
            name: name.to_owned(),
            role: role.name().to_owned(),
            hash: hashed(&token),
            created_at: now,
        });
        self.write(&tokens)?;
        Ok(token)
    }

    /// Takes one out.
    pub(crate) fn revoke(&self, name: &str) -> Result<(), Failure> {
        let mut tokens = self.list();
        let before = tokens.len();
        tokens.retain(|t| t.name != name);
        if tokens.len() == before {
            let known: Vec<&str> = tokens.iter().map(|t| t.name.as_str()).collect();
            let hint =
                if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
            return Err(Failure::usage(format!("there is no token '{name}'; {hint}")));
        }
        self.write(&tokens)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refresh(&self) -> Result<(), Failure> {
        let changed = std::fs::metadata(&self.path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
        let mut read = self.lock();
        if read.changed == changed {
            return Ok(());
        }
        read.tokens = match changed {
            None => Vec::new(),
            Some(_) => {
                let text = std::fs::read_to_string(&self.path).map_err(|e| self.unreadable(&e.to_string()))?;
                serde_json::from_str(&text).map_err(|e| self.unreadable(&e.to_string()))?
            }
        };
        read.changed = changed;
        Ok(())
    }

    fn unreadable(&self, why: &str) -> Failure {
        Failure::usage(format!("the tokens in {} cannot be read: {why}", self.path.display()))
    }

    /// Replaces the file whole; nobody but its owner may read it.
    fn write(&self, tokens: &[Stored]) -> Result<(), Failure> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let text = serde_json::to_string_pretty(tokens).map_err(Failure::broken)?;
        writeln!(file, "{text}")?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|e| Failure::from(e.error))?;
        self.refresh()
    }
}

impl Tokens for TokenBook {
    fn caller(&self, token: &str) -> Option<Caller> {
        // A file that cannot be read admits nobody.
        self.refresh().ok()?;
        let hash = hashed(token);
        let mut found = None;
        for stored in &self.lock().tokens {
            if same(stored.hash.as_bytes(), hash.as_bytes())
                && let Some(role) = Role::from_name(&stored.role)
            {
                found = Some(Caller { name: stored.name.clone(), role });
            }
        }
        found
    }
}

/// A token nobody has had: 256 random bits behind what its kind begins with.
pub(crate) fn drawn(prefix: &str) -> Result<String, Failure> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits).map_err(Failure::broken)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits)))
}

/// What is kept of a token.
pub(crate) fn hashed(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Equality whose time does not show where the difference is.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_until_it_is_revoked_also_for_a_server_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        let server = TokenBook::open(folder.path()).unwrap();
        assert!(server.is_empty() && server.caller("x").is_none());
        let tool = TokenBook::open(folder.path()).unwrap();
        let read = tool.add("desk", Role::Read, Ts(0)).unwrap();
        let operate = tool.add("me", Role::Operate, Ts(0)).unwrap();
        assert!(read.starts_with("brg_") && read.len() == 47 && read != operate, "{read}");
        let role = |token: &str| server.caller(token).map(|c| (c.name, c.role));
        assert_eq!(role(&read), Some(("desk".to_owned(), Role::Read)));
        assert_eq!(role(&operate), Some(("me".to_owned(), Role::Operate)));
        assert_eq!(role(&read[..46]), None);
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!text.contains(&read) && !text.contains(&read[4..]), "{text}");
        assert!(tool.add("desk", Role::Read, Ts(0)).unwrap_err().text().unwrap().contains("there is a token 'desk'"));
        tool.revoke("desk").unwrap();
        assert_eq!(role(&read), None);
        assert!(tool.revoke("desk").unwrap_err().text().unwrap().contains("there are me"));
        std::fs::write(folder.path().join(FILE), "not json").unwrap();
        assert_eq!(role(&operate), None, "a file that cannot be read admits nobody");
    }
}
