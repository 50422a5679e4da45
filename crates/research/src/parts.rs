//! Finished parts of a long command, kept beside its result until it has one: a command that was killed goes on where it stood when it is
//! given again, and says the same as one that never stopped.
//!
//! A part counts only for the call that made it. The first line of its file is a digest over everything the result depends on and over the
//! part; whatever else lies under its name — torn, altered, of other settings or of another program — is made anew. There is one folder for
//! a command and what it is about, written over by the next call of it and gone when a call ends well, so what is kept does not grow.

use crate::ResearchError;
use barograph_lake::whole_file::WholeFile;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Letters of what a call is about in the name of its folder, of which file systems take 255; calls that share a folder share no part.
const ABOUT_MAX: usize = 100;

/// Parts of one call.
#[derive(Debug)]
pub(crate) struct KeptParts {
    folder: PathBuf,
    /// A digest of what the result depends on.
    key: Vec<u8>,
}

impl KeptParts {
    /// Parts of a call in a folder of their own; `of` is everything that the result depends on beside the program.
    ///
    /// # Errors
    /// What the result depends on cannot be written down.
    pub(crate) fn open(folder: PathBuf, of: &impl Serialize) -> Result<Self, ResearchError> {
        let words = serde_json::to_vec(&(program(), of)).map_err(|e| ResearchError::Failed(e.to_string()))?;
        let key = Sha256::digest(words).to_vec();
        // Where nothing can be kept the command takes as long as it takes: its result is where a fault is said.
        drop(std::fs::create_dir_all(&folder));
        Ok(Self { folder, key })
    }

    /// Parts of a call that has no folder of its own, kept in the lake that it reads: of a command, and of what it is about.
    pub(crate) fn in_lake(lake: &Path, command: &str, about: &str, of: &impl Serialize) -> Result<Self, ResearchError> {
        let plain = about.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
        let about: String = plain.take(ABOUT_MAX).collect();
        Self::open(lake.join(format!(".{command}-{about}.parts")), of)
    }

    /// A part that was made before.
    pub(crate) fn found<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = std::fs::read(self.path(name)).ok()?;
        let end = text.iter().position(|b| *b == b'\n')?;
        let (digest, part) = (&text[..end], &text[end + 1..]);
        if digest != self.digest(part).as_bytes() {
            return None;
        }
        serde_json::from_slice(part).ok()
    }

    /// Keeps a part. One that cannot be kept is made again by the next call, which is all that is lost.
    pub(crate) fn keep<T: Serialize>(&self, name: &str, part: &T) {
        drop(self.write(name, part));
    }

    fn write<T: Serialize>(&self, name: &str, part: &T) -> io::Result<()> {
        let part = serde_json::to_vec(part)?;
        let (whole, mut file) = WholeFile::begin(&self.path(name))?;
        writeln!(file, "{}", self.digest(&part))?;
        file.write_all(&part)?;
        whole.finish(&file)
    }

    /// A part as it was kept, or made now and kept.
    pub(crate) fn part<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<T, ResearchError>,
    ) -> Result<T, ResearchError> {
        if let Some(kept) = self.found(name) {
            return Ok(kept);
        }
        let made = make()?;
        self.keep(name, &made);
        Ok(made)
    }

    /// The command has its result.
    pub(crate) fn end(self) {
        // What another call of the same command writes at this moment is its own to take away.
        drop(std::fs::remove_dir_all(&self.folder));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    fn digest(&self, part: &[u8]) -> String {
        let digest = Sha256::new().chain_update(&self.key).chain_update(b"\n").chain_update(part).finalize();
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// What sets this build of the program apart from another: what a part says is the work of its code.
fn program() -> (&'static str, Option<(u64, u128)>) {
    let file = std::env::current_exe().and_then(std::fs::metadata).ok();
    let made = file.and_then(|m| Some((m.len(), m.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos())));
    (env!("CARGO_PKG_VERSION"), made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_the_call_that_made_it_and_by_no_other() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("parts");
        let open = |of: &str| KeptParts::open(folder.clone(), &of).unwrap();
        let made = vec![0.1 + 0.2, f64::MIN_POSITIVE, -0.0];
        open("a").keep("one", &made);
        let found = open("a").found::<Vec<f64>>("one").unwrap();
        assert_eq!(
            found.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            made.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        );
        assert_eq!(open("b").found::<Vec<f64>>("one"), None, "of other settings");
        assert_eq!(open("a").found::<Vec<f64>>("two"), None);

        let path = folder.join("one.json");
        let whole = std::fs::read(&path).unwrap();
        let altered = String::from_utf8(whole.clone()).unwrap().replace("0.3", "0.4").into_bytes();
        for damaged in [altered, whole[..whole.len() - 1].to_vec(), whole[..70].to_vec(), Vec::new()] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(open("a").found::<Vec<f64>>("one"), None);
        }
        let again = open("a").part("one", || Ok(made.clone())).unwrap();
        assert_eq!(again, made, "what is damaged is made anew");
        let kept = open("a").part::<Vec<f64>>("one", || Err(ResearchError::Failed("made twice".to_owned()))).unwrap();
        assert_eq!(kept, made);
        open("a").end();
        assert!(!folder.exists());
    }

    #[test]
    fn where_nothing_can_be_kept_parts_are_made() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("file"), "").unwrap();
        let parts = KeptParts::open(place.path().join("file/parts"), &1).unwrap();
        assert_eq!(parts.part("one", || Ok(7)).unwrap(), 7);
        parts.end();
    }
}
