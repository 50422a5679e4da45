//! Price levels of one market as they were known to be (features §4).

use super::context::instrument;
use super::paging::{Listed, PageView};
use super::reply;
use super::segment::{MarketId, Segment};
use crate::etag;
use crate::params::{AsOf, Paging, Params, RuleBookChoice, TimeRange, parameters, stranger};
use crate::problem::{Problem, ProblemKind};
use crate::query::LevelFilter;
use crate::state::SharedState;
use crate::view::LevelView;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::{LevelType, Span};

/// Levels on a page: by default, and at most. A level is about 500 bytes of JSON.
const LIMITS: (usize, usize) = (500, 5_000);
/// Timeframes that levels are built on.
const TIMEFRAMES: [&str; 2] = ["15m", "1h"];

parameters! {
    /// Which levels.
    pub(super) struct Which {
        /// Levels of this timeframe only: 15m or 1h.
        #[param(example = "1h")]
        timeframe: Option<String>,
        /// Only these types, separated by commas.
        #[param(example = "EQUAL_HIGHS,EQUAL_LOWS")]
        r#type: Option<String>,
        /// `true`: only levels that nothing has traded through and that are not older than ten half-lives.
        #[param(example = "true")]
        active: Option<bool>,
    }
}

/// Price levels, ascending by confirmation: of each the latest revision known at `as_of`.
///
/// A level is never shown before its `known_at`, and what is set stays as it is. `start` and `end` are by `confirmed_at`.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/levels",
    operation_id = "getLevels",
    tag = "context",
    params(MarketId, Which, TimeRange, Paging, AsOf, RuleBookChoice),
    responses(
        (status = 200, description = "one page, at most 5000 levels, 500 by default", body = PageView<LevelView>),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((listed, which, book)): Params<(Listed, Which, RuleBookChoice)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "levels", id)?;
    let filter = filter(&which)?;
    let series = listed.series(&format!("levels {id}"), None, app.query.now(), LIMITS, false)?;
    let book = book.name();
    let json = app
        .read("levels", move |q| {
            let page = q.levels(&id, book.as_deref(), &filter, &series.window)?;
            reply::json(&series.view(page, |l| l.confirmed_at))
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

fn filter(which: &Which) -> Result<LevelFilter, Problem> {
    let active = which.active.flag("all levels")?;
    let timeframe = match which.timeframe.text() {
        None => None,
        Some(text) => {
            let known = TIMEFRAMES.iter().find(|t| **t == text).and_then(|t| Span::parse(t).ok());
            Some(known.ok_or_else(|| {
                let why = format!("there are no levels of '{text}'");
                let problem = which.timeframe.refused(ProblemKind::BadRequest, why, "levels are built on 15m and 1h");
                problem.candidates(TIMEFRAMES.map(str::to_owned).to_vec())
            })?)
        }
    };
    let mut kinds = Vec::new();
    for word in which.r#type.words() {
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
        filter(&Params::parse(Some(query)).unwrap().0)
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
