//! Which texts are keys: relative paths with `/`, so that an object of a bucket can be a file of a folder and the other way round.

use crate::{Error, Result};

/// Longest key S3 allows, in bytes.
const KEY_BYTES_MAX: usize = 1_024;
/// Longest name of a file that common file systems allow, less what is put around it while it is written.
const NAME_BYTES_MAX: usize = 200;
/// Ending of the file beside an object in which its digest stands.
pub(crate) const DIGEST_ENDING: &str = ".sha256";

/// Refuses what cannot be a key in both places: an empty name between two `/`, one that begins with a dot, one with a backslash or a
/// control character, and the ending of the files in which digests stand.
pub(crate) fn check_key(key: &str) -> Result<()> {
    let refuse = |why: &'static str| Err(Error::Key { key: key.to_owned(), why });
    if key.len() > KEY_BYTES_MAX {
        return refuse("it is longer than 1024 bytes");
    }
    for name in key.split('/') {
        if name.is_empty() {
            return refuse("a name between two '/' is empty");
        }
        if name.starts_with('.') {
            return refuse("a name in it begins with a dot");
        }
        if name.len() > NAME_BYTES_MAX {
            return refuse("a name in it is longer than 200 bytes");
        }
        if name.contains('\\') || name.chars().any(char::is_control) {
            return refuse("it has a backslash or a control character");
        }
    }
    if key.ends_with(DIGEST_ENDING) {
        return refuse("'.sha256' is the ending of the files in which digests stand");
    }
    Ok(())
}

/// Is this a key?
pub(crate) fn is_key(key: &str) -> bool {
    check_key(key).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_within_their_folder() {
        for good in ["a", "journal/venue=okx/date=2026-02-05/public-0.zst", "x y/%20ü", "_manifest.json", "a.."] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "..", "a/../b", ".hidden", "a\\b", "a\n", "a.sha256", &"n".repeat(201)] {
            assert!(!is_key(bad), "{bad}");
        }
        assert!(!is_key(&"abcdefg/".repeat(129)[..1_031]));
    }
}
