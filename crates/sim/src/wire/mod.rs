//! How each venue writes: events into frames, state into REST bodies. Text only; no sockets, no clock.

pub(crate) mod coinbase;
pub(crate) mod coinex;
pub(crate) mod deflate;
pub(crate) mod frame;
pub(crate) mod spot;
pub(crate) mod usdm;
pub(crate) mod usdm_rest;
