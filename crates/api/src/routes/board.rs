//! The board: all markets in one answer.

use crate::board::{BoardPart, BoardView, label_words};
use crate::etag;
use crate::names::nearest;
use crate::params::{AsOf, Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};

/// Markets of a part at most.
const TOP_MAX: usize = 1_000;

parameters! {
    /// Which markets; without any of these all, in the order of their numbers.
    pub(super) struct Part {
        /// Only markets of this venue.
        #[param(example = "binance-usdm")]
        venue: Option<String>,
        /// Only markets with this label on any axis.
        #[param(example = "SQUEEZE_RISK")]
        label: Option<String>,
        /// Only markets with this in their name.
        #[param(example = "BTC")]
        text: Option<String>,
        /// Only markets with at least this open interest, USD.
        #[param(example = 1_000_000)]
        min_oi_usd: Option<f64>,
        /// The first so many, the worst risk label first; 1 to 1000.
        #[param(example = 20)]
        top: Option<usize>,
    }
}

impl Part {
    fn read(self) -> Result<BoardPart, Problem> {
        let top = self.top.text().map(|_| self.top.count((TOP_MAX, TOP_MAX), "ask for at most 1000")).transpose()?;
        let label = self.label.text().map(str::to_uppercase);
        if let Some(label) = label.as_ref().filter(|label| !label_words().contains(&label.as_str())) {
            let words = label_words();
            let near = nearest(label, words.iter().copied()).map(|near| format!("did you mean {near}?"));
            return Err(Problem::new(ProblemKind::BadWord, format!("label: no axis has '{label}'"))
                .value(label.as_str())
                .hint(near.unwrap_or_else(|| "name one of the candidates".to_owned()))
                .candidates(words.into_iter().map(str::to_owned).collect()));
        }
        let least = |text: &str| text.parse().ok().filter(|least: &f64| least.is_finite());
        let min_oi_usd = match self.min_oi_usd.text() {
            None => None,
            Some(text) => Some(least(text).ok_or_else(|| {
                Problem::new(ProblemKind::BadNumber, format!("min_oi_usd: '{text}' is not a number"))
                    .value(text)
                    .hint("write an amount in USD, as in 1000000")
            })?),
        };
        Ok(BoardPart { venue: self.venue.owned(), label, text: self.text.owned(), min_oi_usd, top })
    }
}

/// All markets in one table: labels, readings, ages, the price of this moment, and what changed in the last hour.
///
/// Without `as_of` this is the table that `/api/v1/board/stream` begins with and goes on from; `n` is the last batch in it. With
/// `as_of` it is the table as it was known at that moment, prices those of the minute. Of a part, those at risk come first, `found`
/// counts the markets that fit, and what is shown is at most a second old.
#[utoipa::path(
    get,
    path = "/api/v1/board",
    operation_id = "getBoard",
    tag = "board",
    params(AsOf, Part),
    responses(
        (status = 200, description = "the table", body = BoardView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn now(
    State(app): State<SharedState>,
    Params((as_of, part)): Params<(AsOf, Part)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let part = part.read()?;
    let json = app
        .read("board", move |q| match as_of {
            None if part.is_whole() => q.board().map(|hub| hub.json()),
            None => q.recent_board().map(|hub| hub.part(&part)),
            Some(moment) if part.is_whole() => q.board_at(moment).and_then(|view| super::reply::json(&view)),
            Some(moment) => q.board_at(moment).and_then(|view| super::reply::json(&part.of(view))),
        })
        .await?;
    Ok(etag::answer(&headers, json))
}
