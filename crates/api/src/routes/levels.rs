//! Price levels of one market as they were known to be (features §4).

use super::context::{Id, instrument};
use super::paging::{PageView, SERIES, Series};
use super::{docs, reply};
use crate::etag;
use crate::params::{Params, stranger};
use crate::problem::{Problem, ProblemKind};
use crate::query::LevelFilter;
use crate::state::Shared;
use crate::view::LevelView;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response};
use barograph_domain::{LevelType, Span};
use utoipa::IntoParams;

/// Levels on a page: by default, and at most. A level is about 500 bytes of JSON.
const LIMITS: (usize, usize) = (500, 5_000);
/// Timeframes that levels are built on.
const TIMEFRAMES: [&str; 2] = ["15m", "1h"];

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the schema generator alone")]
pub(super) struct Which {
    /// Levels of this timeframe only: 15m or 1h.
    #[param(example = "1h")]
    timeframe: Option<String>,
    /// Only these types, separated by commas.
    #[param(rename = "type", example = "EQUAL_HIGHS,EQUAL_LOWS")]
    kind: Option<String>,
    /// `true`: only levels that nothing has traded through and that are not older than ten half-lives.
    #[param(example = "true")]
    active: Option<bool>,
}

/// Price levels, ascending by confirmation: of each the latest revision known at `as_of`.
///
/// A level is never shown before its `known_at`, and what is set stays as it is. `start` and `end` are by `confirmed_at`.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/levels",
    operation_id = "getLevels",
    tag = "context",
    params(docs::Id, Which, docs::Range, docs::Paging, docs::AsOf, docs::Book),
    responses(
        (status = 200, description = "one page, at most 5000 levels, 500 unless told", body = PageView<LevelView>),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn list(
    State(app): State<Shared>,
    id: Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &[SERIES, &["timeframe", "type", "active", "book"]].concat())?;
    let id = instrument(&app, "levels", id)?;
    let filter = filter(&params)?;
    let series = Series::read(&params, "levels", &id, app.query.now(), LIMITS)?;
    let book = params.text("book").map(str::to_owned);
    let json = app
        .read("levels", move |q| {
            let page = q.levels(&id, book.as_deref(), &filter, &series.window)?;
            reply::json(&series.view(page, |l| l.confirmed_at))
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

fn filter(params: &Params) -> Result<LevelFilter, Problem> {
    let active = params.flag("active", "all levels")?;
    let timeframe = match params.text("timeframe") {
        None => None,
        Some(text) => {
            let known = TIMEFRAMES.iter().find(|t| **t == text).and_then(|t| Span::parse(t).ok());
            Some(known.ok_or_else(|| {
                Problem::new(ProblemKind::BadRequest, format!("timeframe: there are no levels of '{text}'"))
                    .value(text)
                    .hint("levels are built on 15m and 1h")
                    .candidates(TIMEFRAMES.map(str::to_owned).to_vec())
            })?)
        }
    };
    let mut kinds = Vec::new();
    for word in params.text("type").into_iter().flat_map(|t| t.split(',')).map(str::trim).filter(|w| !w.is_empty()) {
        kinds.push(
            LevelType::from_name(word)
                .ok_or_else(|| stranger("type", "level type", word, &LevelType::ALL.map(LevelType::name)))?,
        );
    }
    Ok(LevelFilter { timeframe, kinds, active })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<LevelFilter, Problem> {
        filter(&Params::parse(Some(query), &["timeframe", "type", "active"]).unwrap())
    }

    #[test]
    fn filters_are_read_strictly() {
        let all = of("").unwrap();
        assert_eq!((all.timeframe, all.kinds.len(), all.active), (None, 0, false));
        let some = of("timeframe=1h&type=EQUAL_LOWS,%20BULLISH_OB&active=true").unwrap();
        assert_eq!(some.timeframe, Some(Span::hours(1)));
        assert_eq!((some.kinds, some.active), (vec![LevelType::EqualLows, LevelType::BullishOb], true));
        for (query, words) in [
            ("active=yes", "neither true nor false"),
            ("timeframe=2h", "no levels of '2h'"),
            ("type=EQUAL_LOW", "no level type 'EQUAL_LOW'"),
        ] {
            let problem = of(query).unwrap_err();
            assert!(problem.document().detail.contains(words), "{query}");
        }
        assert_eq!(of("type=EQUAL_LOW").unwrap_err().document().hint, Some("did you mean EQUAL_LOWS?"));
    }
}
