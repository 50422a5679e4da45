//! What addresses are hashed with: without it no one can find out by trying which address a mark belongs to.

use crate::failure::Failure;
use barograph_verify::accounts::AccountMark;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::Path;

/// Its file in the data folder.
const FILE: &str = "accounts.salt";
/// Characters of a salt that is given: fewer could be tried out.
const GIVEN_MIN: usize = 16;

/// Never shown, hence no `Debug`.
pub(super) struct AccountSalt(Vec<u8>);

impl AccountSalt {
    /// The one that was given, else that of the folder, else a new one for the folder.
    pub(super) fn get(given: Option<&str>, folder: &Path) -> Result<Self, Failure> {
        if let Some(given) = given {
            // The sentence does not repeat what was typed: it may be somebody's secret.
            if given.len() < GIVEN_MIN {
                return Err(Failure::usage(format!(
                    "--salt has fewer than {GIVEN_MIN} characters; give a longer one, or leave it out"
                )));
            }
            return Ok(Self(given.as_bytes().to_vec()));
        }
        let path = folder.join(FILE);
        let unusable = |why: &str| {
            Failure::usage(format!(
                "{} {why}; give another one with --salt, or delete the file: marks of accounts are others then",
                path.display()
            ))
        };
        match std::fs::read(&path) {
            Ok(bytes) if bytes.len() >= 32 => Ok(Self(bytes)),
            Ok(_) => Err(unusable("is shorter than it was made")),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::make(&path),
            Err(e) => Err(unusable(&format!("cannot be read: {e}"))),
        }
    }

    /// Makes the file; only its owner may read it, as temporary files are made.
    fn make(path: &Path) -> Result<Self, Failure> {
        let mut bytes = vec![0_u8; 32];
        getrandom::fill(&mut bytes).map_err(Failure::broken)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(Self(bytes)),
            // Another run was first: its salt is the folder's.
            Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self(std::fs::read(path)?)),
            Err(e) => Err(Failure::from(e.error)),
        }
    }

    /// The mark of an address; its case does not matter.
    pub(super) fn mark(&self, address: &str) -> AccountMark {
        let mut hash = Sha256::new();
        hash.update(&self.0);
        hash.update([0]);
        hash.update(address.to_ascii_lowercase().as_bytes());
        let digest = hash.finalize();
        AccountMark(digest.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte)))
    }
}
