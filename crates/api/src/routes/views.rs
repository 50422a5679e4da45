//! Written by `cargo x gen` from web/src/pages/list.ts; edit that, not this.

/// Addresses of the page's views, beside `/`.
pub(crate) const VIEWS: [&str; 16] = [
    "/regimes",
    "/volatility",
    "/funding",
    "/universe",
    "/cascades",
    "/scorecard",
    "/whatif",
    "/paper",
    "/lab",
    "/agents",
    "/positions",
    "/alerts",
    "/cases",
    "/feeds",
    "/help",
    "/m/{instrument}",
];
