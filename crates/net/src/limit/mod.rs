//! Staying within what a venue allows: pure arithmetic over the moments that are passed in.

pub(crate) mod backoff;
pub(crate) mod budget;
#[cfg(test)]
mod tests;
