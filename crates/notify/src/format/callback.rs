//! A function of the program in the place of an address: it is called with the notice itself, so there is nothing to render.

use super::FormatDef;

/// Wants each notice on its own. No setting can name it.
pub const CALLBACK: FormatDef = FormatDef { name: "callback", groups: false, ..FormatDef::WEBHOOK };
