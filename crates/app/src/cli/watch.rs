//! `watch` as written.

use clap::Args;

/// Where the board is followed.
#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    /// Address of a running barograph, as in http://127.0.0.1:8600; without it that of the setting listen
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Access token, where the process asks for one; without it that of the setting token
    #[arg(long)]
    pub(crate) token: Option<String>,
}
