//! What the HTTP surface may ask of a live process, answered from memory.

use crate::live::board::Board;
use crate::live::meter::Meter;
use barograph_net::{Net, Stamper};
use std::sync::Arc;

/// Handles to the live process's memory.
#[derive(Clone, Debug)]
pub(crate) struct LiveView {
    pub(crate) board: Arc<Board>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) net: Arc<Net>,
    pub(crate) stamper: Stamper,
}
