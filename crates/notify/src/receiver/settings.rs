//! What only some formats ask for.

use barograph_domain::delivery::Notice;
use core::fmt;
use std::sync::Arc;

/// What an embedding program does with a notice.
pub type Callback = Arc<dyn Fn(&Notice) -> Result<(), String> + Send + Sync>;

/// Settings beside those that every receiver has; which of them count, its format says.
#[derive(Clone, Default)]
pub struct FormatSettings {
    /// Of a chat, or `@name` of a channel.
    pub chat_id: String,
    /// Topic of a group with topics.
    pub thread: Option<i64>,
    /// The user's own text, with `{placeholders}`; see [`crate::format::template`].
    pub template: String,
    /// Of that text.
    pub content_type: String,
    /// A function of the program, in the place of an address.
    pub callback: Option<Callback>,
}

impl fmt::Debug for FormatSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
