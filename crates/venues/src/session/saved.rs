//! Saved state of a session: a format number, the settings it belongs to, the state, and a seal against damage; of older formats
//! without the seal.
//!
//! Markets are not among the settings: those of a saved session may be more than those asked for now, as long as they begin with
//! the same ones.

use crate::session::seen::identity;
use crate::session::{RestoreError, SessionConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What must be the same for saved state to be usable.
fn key(config: &SessionConfig) -> Vec<u8> {
    let settings = SessionConfig { markets: Vec::new(), ..config.clone() };
    postcard::to_allocvec(&settings).unwrap_or_default()
}

/// What was added while it ran is in the state, and in the list it is opened with since.
fn fits(config: &SessionConfig, known: &[String]) -> bool {
    config.markets.len() <= known.len()
        && config.markets.iter().zip(known).all(|(wanted, known)| wanted.symbol == *known)
}

/// State as bytes.
pub fn save(format: u8, config: &SessionConfig, state: &impl Serialize) -> Vec<u8> {
    // Writing to memory cannot fail; an empty save would be refused on restore.
    sealed(postcard::to_allocvec(&(format, key(config), state)).unwrap_or_default())
}

/// The state in `bytes`. `symbols` gives those of its markets, in their order.
///
/// # Errors
/// When the bytes are damaged, of another format or of other settings, or the markets do not fit.
pub fn restore<S: DeserializeOwned>(
    format: u8,
    config: &SessionConfig,
    bytes: &[u8],
    symbols: impl Fn(&S) -> Vec<String>,
) -> Result<S, RestoreError> {
    let bytes = unsealed(bytes).ok_or(RestoreError)?;
    let Ok((saved, [])) = postcard::take_from_bytes::<(u8, Vec<u8>, S)>(bytes) else {
        return Err(RestoreError);
    };
    let (saved_format, saved_key, state) = saved;
    let good = saved_format == format && saved_key == key(config) && fits(config, &symbols(&state));
    if good { Ok(state) } else { Err(RestoreError) }
}

/// State as bytes, without a seal: `whole` begins with the settings.
pub fn save_plain(format: u8, whole: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![format];
    bytes.extend(postcard::to_allocvec(whole).unwrap_or_default());
    bytes
}

/// The state in bytes of [`save_plain`]. `told` gives its settings, and the symbols of its markets in their order.
///
/// # Errors
/// As [`restore`].
pub fn restore_plain<S: DeserializeOwned>(
    format: u8,
    config: &SessionConfig,
    bytes: &[u8],
    told: impl Fn(&S) -> (&SessionConfig, Vec<String>),
) -> Result<S, RestoreError> {
    let Some((_, body)) = bytes.split_first().filter(|(first, _)| **first == format) else { return Err(RestoreError) };
    let Ok((state, [])) = postcard::take_from_bytes::<S>(body) else { return Err(RestoreError) };
    let (settings, known) = told(&state);
    let good = settings.differs_in_markets_only(config) && fits(config, &known);
    if good { Ok(state) } else { Err(RestoreError) }
}

/// Saved state with its identity behind it, so that damage shows.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let seal = identity(&[&bytes]);
    bytes.extend_from_slice(&seal.to_le_bytes());
    bytes
}

/// What [`sealed`] was given, if it is whole.
fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (state, seal) = bytes.split_last_chunk::<8>()?;
    (identity(&[state]) == u64::from_le_bytes(*seal)).then_some(state)
}
