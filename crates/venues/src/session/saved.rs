//! Saved state of a session: a format number, the settings it belongs to, the state, and a seal against damage.
//!
//! Markets are not among the settings: those of a saved session may be more than those asked for now, as long as they begin with
//! the same ones.

use crate::session::seen::identity;
use crate::session::{MarketSpec, RestoreError, SessionConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What must be the same for saved state to be usable.
fn key(config: &SessionConfig) -> Vec<u8> {
    let settings = SessionConfig { markets: Vec::new(), ..config.clone() };
    postcard::to_allocvec(&settings).unwrap_or_default()
}

/// State as bytes.
pub fn save(format: u8, config: &SessionConfig, state: &impl Serialize) -> Vec<u8> {
    // Writing to memory cannot fail; an empty save would be refused on restore.
    sealed(postcard::to_allocvec(&(format, key(config), state)).unwrap_or_default())
}

/// The state in `bytes`. `markets` tells those of a state, in their order.
///
/// # Errors
/// When the bytes are damaged, of another format or of other settings, or the markets do not fit.
pub fn restore<S: DeserializeOwned>(
    format: u8,
    config: &SessionConfig,
    bytes: &[u8],
    markets: impl Fn(&S) -> Vec<&MarketSpec>,
) -> Result<S, RestoreError> {
    let bytes = unsealed(bytes).ok_or(RestoreError)?;
    let Ok((saved, [])) = postcard::take_from_bytes::<(u8, Vec<u8>, S)>(bytes) else {
        return Err(RestoreError);
    };
    let (saved_format, saved_key, state) = saved;
    let known = markets(&state);
    let fits = config.markets.len() <= known.len()
        && config.markets.iter().zip(&known).all(|(wanted, known)| wanted.symbol == known.symbol);
    if saved_format != format || saved_key != key(config) || !fits {
        return Err(RestoreError);
    }
    drop(known);
    Ok(state)
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
