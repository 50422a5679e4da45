//! `watch`: the board in a terminal, or one table where there is none.

use crate::cli::WatchArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::watch::client::ServerTarget;
use crate::watch::{follow, plain};
use std::io::IsTerminal as _;

pub(crate) fn run(args: WatchArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let token = args.token.or_else(|| settings.token.clone());
    let target = ServerTarget::new(args.url.as_deref(), &settings.listen.to_string(), token)?;
    if json || !std::io::stdout().is_terminal() {
        return plain::print(&target, json);
    }
    follow(&target)
}
