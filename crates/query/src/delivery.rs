//! What people ask of deliveries: silences, another try, an endpoint in use again.
//!
//! In a process that delivers, the dispatcher's thread owns the outbox in its role; a [`DeliveryDesk`] beside it writes over a
//! connection of its own, without a role, and then notifies the dispatcher, which changes what it has in memory. The store comes
//! first: whatever is delivered has happened, and a dispatcher that ends before it hears finds it when it starts again. A command
//! line takes the role itself, which shows that nobody has to be notified.

pub mod ask;
mod desk;
pub mod made;

pub use desk::{DeliveryCommand, DeliveryDesk, Failed, Outlet, Outlets};
