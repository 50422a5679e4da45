//! From facts to people: what is delivered of an alert or a position ([`notice`]), or to try a receiver ([`sample`]), to whom
//! ([`mail`]), the dispatcher that delivers them ([`room`]) over the store ([`outbox`]). What people ask of deliveries is
//! `barograph_query::delivery`.

mod exposition;
mod mail;
mod notice;
mod outbox;
mod room;
mod sample;

pub(crate) use exposition::exposition;
pub use room::Room;
pub use sample::sample;
