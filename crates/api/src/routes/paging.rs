//! Ascending series in pages: from parameters to a window, from rows to a page with its cursor.

use crate::cursor::Position;
use crate::params::Params;
use crate::problem::Problem;
use crate::query::{Page, Window};
use barograph_domain::Ts;
use serde::Serialize;
use utoipa::ToSchema;

/// Parameters of every series.
pub(super) const SERIES: &[&str] = &["start", "end", "limit", "cursor", "as_of"];

/// One page of an ascending series.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageView<T> {
    /// Rows, ascending by time.
    pub(crate) items: Vec<T>,
    /// Hand this back as `cursor` for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// A request for one page.
pub(super) struct Series {
    pub(super) window: Window,
    from: Option<Position>,
    fingerprint: String,
}

impl Series {
    /// Reads the parameters of [`SERIES`], and `every` where the route knows it.
    pub(super) fn read(
        params: &Params,
        route: &str,
        id: &impl core::fmt::Display,
        now: Ts,
        (limit, limit_max): (usize, usize),
    ) -> Result<Self, Problem> {
        let (start, end) = params.range()?;
        let limit = params.limit(limit, limit_max)?;
        let fingerprint = params.fingerprint(&format!("{route} {id}"));
        let from = params.text("cursor").map(|text| Position::decode(text, &fingerprint)).transpose()?;
        let window = Window {
            start: from.map(|p| p.ts).or(start),
            end,
            every: params.every()?,
            skip: from.map_or(0, |p| p.skip),
            limit,
            as_of: params.as_of(now)?,
        };
        Ok(Self { window, from, fingerprint })
    }

    /// The page as it goes over the wire.
    pub(super) fn view<T>(&self, page: Page<T>, ts: impl Fn(&T) -> Ts) -> PageView<T> {
        let after = Position::after(self.from, page.items.iter().map(ts).collect::<Vec<_>>().into_iter());
        let next_cursor = after.filter(|_| page.more).map(|p| p.encode(&self.fingerprint));
        PageView { items: page.items, next_cursor }
    }
}
