//! The Binance sessions against recordings, fixtures and the checklists of their sheets.

mod archiver;
mod captures;
mod checklist_spot;
mod checklist_usdm;
mod fixtures;
mod rig;
mod suite;
