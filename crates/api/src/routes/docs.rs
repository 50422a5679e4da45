//! Parameters that several routes share, described once for the OpenAPI document. They are documentation only: requests
//! are read by [`crate::params`], and a test holds the two together.
#![expect(dead_code, reason = "the fields are read by the schema generator alone")]

use utoipa::IntoParams;

/// Which instrument.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Id {
    /// `venue:symbol`, or a bare symbol where only one instrument answers to it.
    #[param(example = "binance-usdm:BTCUSDT")]
    id: String,
}

/// Which moment.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// Answer with what was known then: `known_ts ≤ as_of`. ISO-8601 (UTC where no offset is given) or an epoch number.
    /// A moment that lies ahead is refused; up to a minute ahead means now.
    #[param(example = "2026-02-05T14:35:00Z")]
    as_of: Option<String>,
}

/// Which rule book.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Book {
    /// Another stored rule book instead of the configured one.
    #[param(example = "default")]
    book: Option<String>,
}

/// Which stretch.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Range {
    /// First instant, included. Left out: from the beginning.
    #[param(example = "2026-02-05T00:00:00Z")]
    start: Option<String>,
    /// Last instant, excluded. Left out: to the newest.
    #[param(example = "2026-02-06T00:00:00Z")]
    end: Option<String>,
}

/// Which page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Rows on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before, with all other parameters as they were.
    cursor: Option<String>,
}

/// How dense.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Every {
    /// Keep only rows whose instant is a whole multiple of this many minutes since 1970.
    #[param(example = "5m")]
    every: Option<String>,
}

/// Which symbol, on the original paths.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Symbol {
    /// A bare symbol means the default venue where it trades there; `venue:symbol` is understood too.
    #[param(example = "BTCUSDT")]
    symbol: String,
}
