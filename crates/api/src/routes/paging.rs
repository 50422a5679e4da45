//! Ascending series in pages: from parameters to a window, from rows to a page with its cursor.

use crate::cursor::CursorPosition;
use crate::params::{AsOf, Bound, Every, Given, Paging, ParameterGroup, TimeRange};
use crate::problem::Problem;
use crate::query::{Page, SeriesWindow};
use barograph_domain::Ts;
use serde::Serialize;
use utoipa::ToSchema;

/// Parameters of every series.
#[derive(Debug)]
pub(super) struct Listed {
    range: TimeRange,
    paging: Paging,
    as_of: AsOf,
    bound: Bound,
}

impl ParameterGroup for Listed {
    fn names() -> Vec<&'static str> {
        [TimeRange::names(), Paging::names(), AsOf::names()].concat()
    }
    fn read(pairs: &[(String, String)]) -> Self {
        let (range, paging) = (TimeRange::read(pairs), Paging::read(pairs));
        Self { range, paging, as_of: AsOf::read(pairs), bound: Bound::read(pairs) }
    }
}

/// One page of a series, ascending unless asked for the other way round.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageView<T> {
    /// Rows by time.
    pub(crate) items: Vec<T>,
    /// Hand this back as `cursor` for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// A request for one page.
pub(super) struct Series {
    pub(super) window: SeriesWindow,
    from: Option<CursorPosition>,
    fingerprint: String,
}

impl Listed {
    /// The page asked for of what `whose` names. Of lists that lead back in time the next page ends where this one does.
    pub(super) fn series(
        &self,
        whose: &str,
        every: Option<&Every>,
        now: Ts,
        limits: (usize, usize),
        newest_first: bool,
    ) -> Result<Series, Problem> {
        let (start, end) = self.range.instants()?;
        let limit = self.paging.limit.limit(limits)?;
        let fingerprint = self.bound.fingerprint(whose);
        let from = self.paging.cursor.text().map(|text| CursorPosition::decode(text, &fingerprint)).transpose()?;
        let (start, end) = match from {
            Some(p) if newest_first => (start, Some(Ts(p.ts.0.saturating_add(1)))),
            Some(p) => (Some(p.ts), end),
            None => (start, end),
        };
        let window = SeriesWindow {
            start,
            end,
            every: every.map(Every::span).transpose()?.flatten(),
            skip: from.map_or(0, |p| p.skip),
            limit,
            as_of: self.as_of.moment(now)?,
        };
        Ok(Series { window, from, fingerprint })
    }

    /// Is neither a stretch nor a later page asked for?
    pub(super) fn is_newest(&self) -> bool {
        ![&self.range.start, &self.range.end, &self.paging.cursor].into_iter().any(Given::is_given)
    }

    /// The first of the parameters of stretch and page that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let all = [&self.range.start, &self.range.end, &self.paging.limit, &self.paging.cursor];
        all.into_iter().find(|one| one.is_given()).map(Given::name)
    }

    /// The moment alone.
    pub(super) fn moment(&self, now: Ts) -> Result<Option<Ts>, Problem> {
        self.as_of.moment(now)
    }
}

impl Series {
    /// The page as it goes over the wire.
    pub(super) fn view<T>(&self, page: Page<T>, ts: impl Fn(&T) -> Ts) -> PageView<T> {
        let after = CursorPosition::after(self.from, page.items.iter().map(ts).collect::<Vec<_>>().into_iter());
        let next_cursor = after.filter(|_| page.more).map(|p| p.encode(&self.fingerprint));
        PageView { items: page.items, next_cursor }
    }
}
