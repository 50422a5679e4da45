//! The calendar that comes with the program: decisions of the FOMC, US consumer prices and payrolls of 2026. Where the dates are from is in
//! `crates/venues/calendars/README.md`.

use super::{Format, Known, Parsed, Within, Zones, parse};

/// What the setting `calendar` calls it, and what its entries come from where they name nobody.
pub const SHIPPED: &str = "shipped";

const TEXT: &str = include_str!("../../calendars/us-2026.csv");

/// The shipped calendar. Each date is known by the rule `known` unless the file names the moment; the two that were moved name it for
/// both words.
///
/// # Errors
/// None that a user can cause: the file is tested.
pub fn shipped(known: Known, within: Within, zones: &dyn Zones) -> Result<Parsed, String> {
    parse(TEXT, Format::Csv, SHIPPED, known, within, zones)
}
