//! The scorecard and the forecasts behind it, with the last answers kept: a year of many markets takes a second and both cores.
//!
//! Whoever asks asks for one at a time ([`AskScores::scorecard`]). What is kept is the answer to a question while the ledger ends with
//! the same tick, for a quarter of an hour at most: an import may make ticks before the newest.

use super::{Service, internal};
use crate::Error;
use crate::drift::{DriftAsked, drift};
use crate::scores::{ForecastsAsked, ScorecardAsked, newest, scorecard};
use crate::session_forecasts::session_cases;
use barograph_api::agent_sessions::{SessionCase, SessionForecast};
use barograph_api::{AskScores, DriftFilter, ForecastFilter, ForecastView, Page, QueryError, ScorecardFilter};
use barograph_domain::drift::DriftReport;
use barograph_domain::forecast::Forecaster;
use barograph_domain::scorecard::Scorecard;
use barograph_domain::{Span, Ts};
use barograph_store::{LedgerProgress, Range};
use barograph_verify::contest::ledger_of;
use barograph_verify::scorecard::ScoreFilter;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Answers that are kept.
const KEPT_MAX: usize = 32;
/// How long one is good for.
const KEPT_FOR: Span = Span::mins(15);
/// Cases that an answer may hold at once. One is 80 bytes, and while a group of markets is scored its cases lie side by side once more
/// with 8 bytes of order: 4 million are 320 MB, and 0.7 GB at the worst moment. A market has 105,120 cases of an event a year, so they
/// are 38 years of one market, of ten markets nearly four, of a thousand two weeks.
const CASES_MAX: usize = 4_000_000;
/// Stretch of forecasts without a beginning.
const STRETCH: Span = Span::days(1);

/// What an answer follows from.
#[derive(Clone, PartialEq, Debug)]
struct Question {
    logic: String,
    newest: Ts,
    progress: Option<LedgerProgress>,
    asked: ScorecardFilter,
}

struct Kept {
    question: Question,
    at: Ts,
    card: Arc<Scorecard>,
}

/// Answers as they were given, the newest last.
#[derive(Default)]
pub(super) struct Answered {
    kept: Mutex<VecDeque<Kept>>,
}

impl Answered {
    fn known(&self, question: &Question, now: Ts) -> Option<Arc<Scorecard>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|k| (Span::ZERO..=KEPT_FOR).contains(&(now - k.at)));
        kept.iter().find(|k| k.question == *question).map(|k| Arc::clone(&k.card))
    }

    fn keep(&self, question: Question, at: Ts, card: &Arc<Scorecard>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // The same question about an older ledger is not asked again.
        kept.retain(|k| k.question.asked != question.asked);
        while kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Kept { question, at, card: Arc::clone(card) });
    }

    /// The answer as it was given before, else a new one.
    fn answer(
        &self,
        question: Question,
        now: Ts,
        make: impl FnOnce() -> Result<Scorecard, QueryError>,
    ) -> Result<Arc<Scorecard>, QueryError> {
        // Whoever was before may have asked the same.
        if let Some(card) = self.known(&question, now) {
            return Ok(card);
        }
        let card = Arc::new(make()?);
        self.keep(question, now, &card);
        Ok(card)
    }
}

impl AskScores for Service {
    fn scorecard_kept(&self, asked: &ScorecardFilter) -> Result<Option<Arc<Scorecard>>, QueryError> {
        Ok(self.scores.known(&self.question(asked)?, self.clock.now()))
    }

    fn scorecard(&self, asked: &ScorecardFilter) -> Result<Arc<Scorecard>, QueryError> {
        let question = self.question(asked)?;
        let logic = question.logic.clone();
        let wanted = ScoreFilter { windows: asked.windows.clone(), scopes: asked.scopes.clone() };
        let of = ScorecardAsked {
            events: asked.events.clone(),
            classifier: asked.classifier,
            wanted,
            as_of: asked.as_of,
            cases_max: Some(CASES_MAX),
        };
        self.scores.answer(question, self.clock.now(), || {
            scorecard(self.reader.as_ref(), &logic, &self.book.name, &of).map_err(failed)
        })
    }

    fn drift(&self, asked: &DriftFilter) -> Result<DriftReport, QueryError> {
        let (logic, newest) = self.ledger(None, asked.as_of)?;
        let of = DriftAsked { markets: asked.markets.clone(), weeks: asked.weeks, as_of: asked.as_of };
        drift(self.reader.as_ref(), &logic, &self.book.name, newest, &of).map_err(failed)
    }

    fn forecasts(&self, asked: &ForecastFilter) -> Result<Page<ForecastView>, QueryError> {
        let (logic, last) = self.ledger(asked.classifier, asked.as_of)?;
        let end = asked.to.unwrap_or(Ts::MAX).min(Ts(last.0.saturating_add(1)));
        let start = asked.from.unwrap_or_else(|| Ts(end.0.saturating_sub(STRETCH.0)));
        if ForecastFilter::is_too_long(start, end) {
            let until = asked.to.unwrap_or(Ts::MAX).min(last);
            let reason = format!("from: {start} is more than 31 days before {until}; ask for shorter stretches");
            return Err(QueryError::BadField { field: "from".to_owned(), value: start.iso(), reason });
        }
        let of = ForecastsAsked {
            range: Some(Range { start, end }),
            events: asked.events.clone(),
            classifier: asked.classifier,
            market: asked.market.clone(),
            only: None,
            as_of: asked.as_of,
        };
        let wanted = asked.limit.saturating_add(asked.skip).saturating_add(1);
        let mut items = newest(self.reader.as_ref(), &logic, &of, wanted).map_err(failed)?;
        items.truncate(items.len().saturating_sub(asked.skip));
        let more = items.len() > asked.limit;
        items.drain(..items.len().saturating_sub(asked.limit));
        Ok(Page { items, more })
    }

    fn session_cases(
        &self,
        session: &str,
        stated: &[SessionForecast],
        as_of: Option<Ts>,
    ) -> Result<Vec<SessionCase>, QueryError> {
        let logic = match self.ledger(None, as_of) {
            Ok((logic, _)) => logic,
            Err(QueryError::NoForecasts { .. }) => self.versions()?.pop().unwrap_or_default(),
            Err(other) => return Err(other),
        };
        session_cases(self.reader.as_ref(), &logic, session, stated, as_of).map_err(failed)
    }
}

impl Service {
    fn question(&self, asked: &ScorecardFilter) -> Result<Question, QueryError> {
        let (logic, newest) = self.ledger(asked.classifier, asked.as_of)?;
        let progress = self.reader.ledger_progress(&logic).map_err(internal)?;
        Ok(Question { logic, newest, progress, asked: asked.clone() })
    }

    /// The logic version of the configured book beside which the forecaster has a ledger, and the newest tick of that.
    fn ledger(&self, who: Option<Forecaster>, as_of: Option<Ts>) -> Result<(String, Ts), QueryError> {
        for version in self.versions()?.into_iter().rev() {
            let ledger = ledger_of(&version, who.unwrap_or(Forecaster::Rules));
            if let Some(tick) = self.reader.latest_ledger(&ledger, as_of).map_err(internal)? {
                return Ok((version, tick.ts));
            }
        }
        self.is_own_book()?;
        Err(QueryError::NoForecasts { as_of })
    }
}

fn failed(e: Error) -> QueryError {
    match e {
        Error::Store(e) => internal(e),
        few @ Error::TooManyCases { .. } => QueryError::TooMuch {
            reason: few.to_string(),
            hint: "ask for single markets (market=), which counts only theirs; `barograph scorecard` beside the data folder computes \
                   all of it with as much memory as it takes"
                .to_owned(),
        },
        other @ (Error::Book { .. } | Error::NotEarned { .. } | Error::NotAsKept(_)) => QueryError::Internal { source: Box::new(other) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(newest: i64, window: &str) -> Question {
        let asked = ScorecardFilter { windows: vec![window.to_owned()], ..ScorecardFilter::default() };
        Question { logic: "v1".to_owned(), newest: Ts(newest), progress: None, asked }
    }

    fn card(seed: u64) -> Scorecard {
        Scorecard {
            logic_version: "v1".to_owned(),
            book: "default".to_owned(),
            span: None,
            markets: Vec::new(),
            seed,
            rows: Vec::new(),
            alerts: Vec::new(),
            stability: Vec::new(),
            heads: Vec::new(),
        }
    }

    #[test]
    fn an_answer_is_given_again_until_the_ledger_moves_or_it_is_old() {
        let answered = Answered::default();
        let ask = |newest, window: &str, at, seed| {
            answered.answer(question(newest, window), at, || Ok(card(seed))).unwrap().seed
        };
        let later = Ts(0) + KEPT_FOR + Span::secs(1);
        for (newest, window, at, seed, want) in [
            (1, "all", Ts(0), 1, 1),
            (1, "all", Ts(0), 2, 1),
            (1, "90d", Ts(0), 3, 3),
            (2, "all", Ts(0), 4, 4),
            (2, "all", Ts(0) + KEPT_FOR, 5, 4),
            (2, "all", later, 6, 6),
        ] {
            assert_eq!(ask(newest, window, at, seed), want, "{newest} {window} {at}");
        }
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let answered = Answered::default();
        for n in 0..100 {
            answered.answer(question(1, &n.to_string()), Ts(0), || Ok(card(n))).unwrap();
        }
        assert_eq!(answered.kept.lock().unwrap().len(), KEPT_MAX);
    }
}
