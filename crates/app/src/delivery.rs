//! From facts to people: what is told of an alert or a position ([`notice`]), to whom ([`mail`]), the dispatcher that tells
//! them ([`room`]) over the store ([`outbox`]). What people ask of deliveries is `barograph_query::delivery`.

pub(crate) mod exposition;
pub(crate) mod http;
pub(crate) mod mail;
pub(crate) mod notice;
pub(crate) mod outbox;
pub(crate) mod room;
