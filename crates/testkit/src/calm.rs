//! Words that nobody may read while an axis is at its top or a stop is reached (UX §1).

/// In lower case. Advice to go on as before is one of them.
pub const CALM: [&str; 4] = ["no action needed", "nothing unusual", "nothing to do now", "follow own rules"];

/// Does a text, in lower case, read as calm?
#[must_use]
pub fn is_calm(text: &str) -> bool {
    CALM.iter().any(|calm| text.contains(calm))
}
