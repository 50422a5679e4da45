//! The server against a real client over loopback: what the venue sheets say, line by line, and every fault.

#[cfg(test)]
mod client;
#[cfg(test)]
mod coinbase;
#[cfg(test)]
mod coinex;
#[cfg(test)]
mod deflate;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod spot;
#[cfg(test)]
mod usdm;
#[cfg(test)]
mod worlds;
