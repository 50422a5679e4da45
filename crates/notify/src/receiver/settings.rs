//! What only some formats ask for.

use barograph_domain::delivery::Notice;
use core::fmt;
use std::sync::Arc;

/// What an embedding program does with a notice.
pub type Callback = Arc<dyn Fn(&Notice) -> Result<(), String> + Send + Sync>;

/// A chat of a service that has one address for all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chat {
    /// Its number, or `@name` of a channel.
    pub id: String,
    /// Topic of a group with topics.
    pub thread: Option<i64>,
}

/// A text of the user's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// With `{placeholders}`; see [`crate::format::template`].
    pub text: String,
    /// Of the body.
    pub content_type: String,
}

/// Settings beside those that every receiver has; which of them there are, its format says.
#[derive(Clone)]
pub struct FormatSettings {
    /// Where it goes, beside the address.
    pub chat: Option<Chat>,
    /// What is sent.
    pub template: Option<Template>,
    /// A function of the program, in the place of an address.
    pub callback: Option<Callback>,
}

impl FormatSettings {
    /// What most formats ask for.
    pub const NONE: Self = Self { chat: None, template: None, callback: None };
}

impl fmt::Debug for FormatSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chat, template, callback } = self;
        let called = callback.is_some();
        f.debug_struct("FormatSettings")
            .field("chat", chat)
            .field("template", template)
            .field("called", &called)
            .finish()
    }
}
