//! What this program was built without.

/// What a program that lacks something says after its version.
#[cfg(feature = "lab")]
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
#[cfg(not(feature = "lab"))]
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (without the lab)");

/// Whatever is behind a command that is not there.
#[cfg(not(all(feature = "lab", feature = "mcp")))]
#[derive(clap::Args, Debug)]
pub(crate) struct NotBuilt {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _words: Vec<std::ffi::OsString>,
}
