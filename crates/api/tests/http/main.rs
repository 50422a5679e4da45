//! The HTTP surface, asked over a real socket: every route, error, limit, validator, page, stream and the shutdown.

#[cfg(test)]
mod access;
#[cfg(test)]
mod advice;
#[cfg(test)]
mod alias;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod board;
#[cfg(test)]
mod brought;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod client;
#[cfg(test)]
mod crossed;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod events;
#[cfg(test)]
mod exposition;
#[cfg(test)]
mod feeds;
#[cfg(test)]
mod filed;
#[cfg(test)]
mod found;
#[cfg(test)]
mod held;
#[cfg(test)]
mod levels;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod live;
#[cfg(test)]
mod optioned;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod scored;
#[cfg(test)]
mod scores;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod studied;
mod studies;
#[cfg(test)]
mod supposed;
#[cfg(test)]
mod told;
mod universe;
#[cfg(test)]
mod weather;
#[cfg(test)]
mod whatif;
#[cfg(test)]
mod world;
