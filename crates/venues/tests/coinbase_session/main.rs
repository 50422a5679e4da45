//! Evidence for the Coinbase session.

mod replay;
mod rig;
