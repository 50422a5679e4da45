//! Texts that must not be seen: signing keys, tokens, passwords, and the addresses of receivers, which are credentials themselves.

use core::fmt;
use serde::Deserialize;

/// A text that prints as `…` wherever somebody prints it.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
    /// The text itself, for a request or a signature and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
    /// Is there nothing to hide?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"…\"")
    }
}
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A text with every one of these secrets replaced, for what others wrote: answers, errors.
#[must_use]
pub fn redacted<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = text.to_owned();
    for secret in secrets {
        // Short words would tear ordinary text apart and guard nothing.
        if secret.len() >= 6 {
            out = out.replace(secret, "…");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let secret = Secret::new("whsec_abcdefgh");
        for text in [format!("{secret}"), format!("{secret:?}"), format!("{:?}", Some(&secret))] {
            assert!(!text.contains("abc"), "{text}");
        }
        assert_eq!(redacted("bad token whsec_abcdefgh here", [secret.expose(), "a"]), "bad token … here");
    }
}
