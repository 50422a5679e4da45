//! A question about a changed book becomes books, markets and a stretch; markets are counted several at a time.

use super::books::Books;
use super::gather::{Source, weeks};
use super::kept::Wanted;
use super::limits::{SET_MAX, WhatIfLimits, days};
use super::show::{Forecast, Found, counts, signal_counts, sum};
use super::{signals, tune};
use crate::service::{BookId, configured_run, internal, other_book};
use barograph_api::{QueryError, resolve};
use barograph_domain::whatif::{AlertBudgetView, MarketWhatIf, ThresholdChange, WhatIfRequest, WhatIfView};
use barograph_domain::{Axis, HeatRegime, InstrumentName, RiskRegime, Span, TrendRegime, Ts, VolRegime};
use barograph_engine::Feature;
use barograph_engine::rules::{RuleBook, Ruled};
use barograph_engine::whatif::{
    Outcomes, Place, ReplayedAxis, Setting, StoredHistory, WrittenBook, alert_entries, chop_4h, compare, hv_1h, judge,
    losses, replay,
};
use barograph_store::{Reader, RunInfo};
use barograph_study::money::rule::RuleCondition;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Why an alert rule is left out.
pub(super) const AT_EVENT: &str = "it is judged at every event, and stored minutes hold none between two of them";
/// The stretch that is meant where none is named: minutes are kept for so long.
const STRETCH: Span = Span::days(90);
/// Threads at most.
const WORKERS: usize = 8;

/// Where an answer comes from.
#[derive(Clone, Copy)]
pub struct WhatIfQuestion<'a> {
    /// The store.
    pub reader: &'a dyn Reader,
    /// The book whose rows are read, and the base where none is named.
    pub book: &'a BookId,
    /// The venue a bare symbol means.
    pub default_venue: &'a str,
    /// All markets that are stored, where whoever asks knows them: of a thousand only those that are named are read then.
    pub names: Option<&'a [InstrumentName]>,
    /// Folder for columns made of stored rows; `None`: they are made for each question.
    pub kept: Option<&'a Path>,
    /// How much may be replayed.
    pub limits: WhatIfLimits,
    /// The question.
    pub request: &'a WhatIfRequest,
}

impl core::fmt::Debug for WhatIfQuestion<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WhatIfQuestion")
            .field("book", &self.book)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// A market that is counted.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) name: InstrumentName,
    run: RunInfo,
    made_by: Arc<MadeBy>,
}

/// The book that made the rows of some markets.
#[derive(Debug)]
struct MadeBy {
    written: WrittenBook,
    /// What a question needs of those rows.
    wanted: Wanted,
}

impl Market {
    /// What the question needs of its rows.
    pub(super) fn wanted(&self) -> &Wanted {
        &self.made_by.wanted
    }
    /// Days of its stored minutes in a stretch.
    pub(super) fn days(&self, from: Ts, to: Ts) -> u64 {
        self.run.minutes.map_or(0, |stored| days(stored, (from, to)))
    }
}

/// Books, markets and stretch of a question.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) books: Books,
    pub(super) text: String,
    pub(super) markets: Vec<Market>,
    pub(super) from: Ts,
    pub(super) to: Ts,
    pub(super) budget: Option<f64>,
    /// A condition on signals.
    pub(super) condition: Option<RuleCondition>,
}

/// Replays a question's book over what is stored. `progress` hears of weeks read, and how many there are.
///
/// # Errors
/// [`QueryError::BadField`] for what cannot be meant or replayed, [`QueryError::TooMuch`] for more than the limits, the errors of names
/// and books, or the store's failure.
pub fn answer(asked: &WhatIfQuestion<'_>, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<WhatIfView, QueryError> {
    let plan = plan(asked)?;
    // A condition holds numbers, truths and times of its own, fewer than the books.
    let held_bytes = asked.limits.held_bytes / if plan.condition.is_some() { 2 } else { 1 };
    let limits = WhatIfLimits { held_bytes, ..asked.limits };
    let at_once = limits.at_once(&plan.markets, (plan.from, plan.to), false)?;
    let begun = std::time::SystemTime::now();
    let tuned = match &asked.request.tune {
        Some(name) => Some(tune::tune(asked, &plan, name, progress)?),
        None => None,
    };
    let counted: Vec<Found> =
        plan.each(asked, at_once, progress, |_, history, market| count(asked.reader, &plan, &history, market))?;
    if let Some(kept) = asked.kept {
        super::kept::bound(kept, begun);
    }
    let nothing = || QueryError::Unavailable { reason: "no market has stored minutes yet".to_owned() };
    let all = counts(&sum(&counted).ok_or_else(nothing)?);
    let markets: Vec<MarketWhatIf> = counted
        .iter()
        .map(|found| MarketWhatIf { instrument: found.instrument.clone(), counts: counts(found) })
        .collect();
    let budget = plan.budget.map(|per_day| AlertBudgetView {
        per_day,
        kept: all.alerts_per_day.after.is_none_or(|n| n <= per_day),
        exceeded_in: markets
            .iter()
            .filter(|m| m.counts.alerts_per_day.after.is_some_and(|n| n > per_day))
            .map(|m| m.instrument.clone())
            .collect(),
    });
    let signals = match &asked.request.when {
        Some(when) => Some(signal_counts(when, &counted).ok_or_else(|| {
            bad(
                "when",
                when.as_str(),
                &"no value of its signals is known for these markets; see what there is with: barograph signals ls",
            )
        })?),
        None => None,
    };
    Ok(WhatIfView {
        base: plan.books.base.name.clone(),
        changed: plan.books.changed.name.clone(),
        changes: changes(&plan.books),
        from: plan.from,
        to: plan.to,
        all,
        left_out: left_out(&plan, &counted),
        markets,
        budget,
        tuned,
        signals,
        text: plan.text,
    })
}

pub(super) fn bad(field: &str, value: impl Into<String>, reason: &dyn core::fmt::Display) -> QueryError {
    QueryError::BadField { field: field.to_owned(), value: value.into(), reason: reason.to_string() }
}

pub(super) fn base_of(book: &BookId, base: Option<&str>) -> Result<WrittenBook, QueryError> {
    let text = match base {
        Some(name) => RuleBook::shipped_text(name).map(str::to_owned).ok_or_else(|| {
            bad("base", name, &format!("name a book that comes with the program: {}", RuleBook::SHIPPED.join(", ")))
        })?,
        None => book.text.clone().or_else(|| RuleBook::shipped_text(&book.name).map(str::to_owned)).unwrap_or_default(),
    };
    let name = base.unwrap_or(&book.name);
    WrittenBook::read(&format!("{name}.toml"), text).map_err(|e| bad("base", name, &e))
}

/// A book with thresholds changed and, where one is given, another name.
pub(super) fn changed(mut written: WrittenBook, set: &[String], name: Option<&str>) -> Result<WrittenBook, QueryError> {
    if set.len() > SET_MAX {
        return Err(QueryError::TooMuch {
            reason: format!("{} thresholds are to be changed; at most {SET_MAX} at once", set.len()),
            hint: "name each threshold once, or send the text of the changed book (book)".to_owned(),
        });
    }
    for one in set {
        let setting = Setting::parse(one).map_err(|e| bad("set", one, &e))?;
        written = written.with("book", &setting).map_err(|e| bad("set", one, &e))?;
    }
    match name {
        Some(name) => written.named("book", name).map_err(|e| bad("name", name, &e)),
        None => Ok(written),
    }
}

fn plan(asked: &WhatIfQuestion<'_>) -> Result<Plan, QueryError> {
    let request = asked.request;
    let base = base_of(asked.book, request.base.as_deref())?;
    let given = request.book.clone().map(|text| WrittenBook::read("book", text)).transpose();
    let given = given.map_err(|e| bad("book", "", &e))?.unwrap_or_else(|| base.clone());
    let WrittenBook { text, book } = changed(given, &request.set, request.name.as_deref())?;
    let books = Books { base: base.book.clone(), changed: book };
    let budget = request.budget.as_deref().map(per_day).transpose()?;
    let condition = request.when.as_deref().map(signals::condition).transpose()?;
    let markets = markets(asked, &books, Some(&base))?;
    let moment = |field: &str, given: &Option<String>| {
        let read = |t: &String| Ts::parse(t).map_err(|e| bad(field, t, &e));
        given.as_ref().map(read).transpose()
    };
    let ends: Vec<(Ts, Ts)> = markets.iter().filter_map(|m| m.run.minutes).collect();
    let last = ends.iter().map(|e| e.1 + barograph_store::run::GRID).max().unwrap_or(Ts(0));
    let first = ends.iter().map(|e| e.0).min().unwrap_or(Ts(0));
    let newest = if request.from.is_none() { fullest(&ends) } else { last };
    let to = moment("to", &request.to)?.map_or(newest, |t| t.min(last));
    let from = moment("from", &request.from)?.unwrap_or(Ts(to.0.saturating_sub(STRETCH.0))).max(first);
    if from >= to {
        let given = request.from.clone().or_else(|| request.to.clone()).unwrap_or_default();
        // Whoever names an end may not be shown what is stored after it.
        let reach = match request.to {
            Some(_) => format!("minutes begin at {first}"),
            None => format!("minutes reach from {first} to {last}"),
        };
        return Err(bad("from", given, &format!("nothing is stored from {from} to {to}; {reach}")));
    }
    Ok(Plan { books, text, markets, from, to, budget, condition })
}

/// The end of the 90 days that hold most of what is stored, the newest of several: a market that began a moment ago does not
/// turn a history that ended months ago into nothing.
fn fullest(ends: &[(Ts, Ts)]) -> Ts {
    let held = |to: Ts| -> i64 {
        let from = Ts(to.0.saturating_sub(STRETCH.0));
        ends.iter().map(|(first, last)| ((*last).min(to).0 - (*first).max(from).0).max(0)).fold(0, i64::saturating_add)
    };
    let all = ends.iter().map(|e| e.1 + barograph_store::run::GRID);
    all.max_by_key(|to| (held(*to), *to)).unwrap_or(Ts(0))
}

/// `3/day`, or the number alone.
fn per_day(text: &str) -> Result<f64, QueryError> {
    let number = text.trim().strip_suffix("/day").unwrap_or(text).trim();
    let read = number.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0);
    read.ok_or_else(|| bad("budget", text, &"write it as 3/day: entries a day and market"))
}

/// The markets that are asked of. `base`: a book that is read already, as the one that made the rows mostly is.
pub(super) fn markets(
    asked: &WhatIfQuestion<'_>,
    books: &Books,
    base: Option<&WrittenBook>,
) -> Result<Vec<Market>, QueryError> {
    let runs = match runs_of_named(asked).map_err(internal)? {
        Some(runs) => runs,
        None => asked.reader.runs(None).map_err(internal)?,
    };
    let mut known: Vec<InstrumentName> =
        runs.iter().filter(|r| r.minutes.is_some()).map(|r| r.spec.key.instrument.clone()).collect();
    known.sort();
    known.dedup();
    let wanted = match asked.request.markets.as_slice() {
        [] => known.clone(),
        names => {
            let one = |name: &String| resolve(&known, asked.default_venue, name, false);
            let mut found = names.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            found.sort();
            found.dedup();
            found
        }
    };
    let mut checked: Vec<Arc<MadeBy>> = Vec::new();
    let mut out = Vec::new();
    for name in wanted {
        let Some(run) = configured_run(&runs, &name, asked.book).filter(|r| r.minutes.is_some()) else {
            if asked.request.markets.is_empty() {
                continue;
            }
            let nothing = || QueryError::NothingYet { instrument: name.clone(), as_of: None, first: None };
            return Err(other_book(&runs, Some(&name), asked.book).unwrap_or_else(nothing));
        };
        let text = &run.spec.book_text;
        let made_by = match checked.iter().find(|made| made.written.text == *text) {
            Some(made) => Arc::clone(made),
            None => {
                let written = match base.filter(|base| base.text == *text) {
                    Some(base) => base.clone(),
                    None => WrittenBook::read(&run.spec.book, text.clone()).map_err(|e| QueryError::Unavailable {
                        reason: format!(
                            "the rule book that made the rows of {name} cannot be read by this version: {e}"
                        ),
                    })?,
                };
                books.check(&written.book)?;
                let wanted = books.wanted(&written.book);
                checked.push(Arc::new(MadeBy { written, wanted }));
                Arc::clone(&checked[checked.len() - 1])
            }
        };
        out.push(Market { name, run: run.clone(), made_by });
    }
    if out.is_empty() {
        let nothing = || QueryError::Unavailable { reason: "no market has stored minutes yet".to_owned() };
        return Err(other_book(&runs, None, asked.book).unwrap_or_else(nothing));
    }
    Ok(out)
}

/// The runs of the markets that are named; `None` where none is, or one of them is not known for sure.
fn runs_of_named(asked: &WhatIfQuestion<'_>) -> barograph_store::Result<Option<Vec<RunInfo>>> {
    let (Some(known), names @ [_, ..]) = (asked.names, asked.request.markets.as_slice()) else { return Ok(None) };
    let mut runs = Vec::new();
    for name in names {
        let Ok(name) = resolve(known, asked.default_venue, name, false) else { return Ok(None) };
        runs.extend(asked.reader.runs_of(&name, None)?);
    }
    Ok(Some(runs))
}

impl Plan {
    /// Reads the history of each market and asks something of it, so many markets at a time at most; answers in the order of markets.
    pub(super) fn each<T: Send>(
        &self,
        asked: &WhatIfQuestion<'_>,
        at_once: usize,
        progress: &(dyn Fn(u64, u64) + Sync),
        ask: impl Fn(usize, StoredHistory, &Market) -> Result<T, QueryError> + Sync,
    ) -> Result<Vec<T>, QueryError> {
        let total = weeks(self.from, self.to) * self.markets.len() as u64;
        let done = AtomicU64::new(0);
        let one = |at: usize| -> Result<T, QueryError> {
            let market = &self.markets[at];
            let book = &market.made_by.written.book;
            let source = Source { reader: asked.reader, kept: asked.kept, run: &market.run, book };
            let week = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            ask(at, source.history(self.from, self.to, market.wanted(), &week)?, market)
        };
        in_parallel(self.markets.len(), at_once, one)
    }
}

/// Answers 0 to `count`, several at a time but no more than `most`, in their order.
pub(super) fn in_parallel<T: Send>(
    count: usize,
    most: usize,
    one: impl Fn(usize) -> Result<T, QueryError> + Sync,
) -> Result<Vec<T>, QueryError> {
    let cores = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
    let workers = cores.min(WORKERS).min(most).min(count).max(1);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut out = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return Ok(out);
            }
            out.push((at, one(at)?));
        }
    };
    if workers == 1 {
        return Ok(work()?.into_iter().map(|(_, t)| t).collect());
    }
    let parts: Vec<Result<Vec<(usize, T)>, QueryError>> = std::thread::scope(|scope| {
        let begun: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        begun.into_iter().map(|w| w.join().unwrap_or_else(|said| std::panic::resume_unwind(said))).collect()
    });
    let mut all = Vec::with_capacity(count);
    for part in parts {
        all.append(&mut part?);
    }
    all.sort_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, t)| t).collect())
}

/// A feature that a rule compares and that was not read, which cannot be: it was asked for.
pub(super) fn unread(feature: Feature) -> QueryError {
    QueryError::Unavailable { reason: format!("'{}' was not read", feature.id()) }
}

/// Both books over one market.
fn count(reader: &dyn Reader, plan: &Plan, history: &StoredHistory, market: &Market) -> Result<Found, QueryError> {
    let (from, until) = (history.row_at(plan.from), history.row_at(plan.to));
    let mut out = Found::new(market.name.clone(), u64::from(until.saturating_sub(from)));
    if history.ts.is_empty() {
        return Ok(out);
    }
    let (base, changed) = (&plan.books.base, &plan.books.changed);
    for axis in plan.books.axes() {
        match axis {
            Axis::Risk => {
                let before: ReplayedAxis<RiskRegime> = replay(base, history).map_err(unread)?;
                let after = replay(changed, history).map_err(unread)?;
                out.axes.push(compare(&before, &after, from, until));
                let published = ReplayedAxis { labels: history.published::<RiskRegime>(), raw: before.raw.clone() };
                let same = compare(&before, &published, from, until).same;
                out.not_as_published =
                    (*base == market.made_by.written.book).then_some(out.minutes - same.min(out.minutes));
                out.forecasts = forecasts(history, &before, &after, (plan.from, plan.to));
                if let Some(condition) = &plan.condition {
                    let range = (plan.from, plan.to);
                    out.signal = signals::count(reader, condition, (history, &before), &market.name, range)?;
                }
            }
            Axis::Trend => out.axes.push(of_axis::<TrendRegime>(plan, history, from, until)?),
            Axis::Volatility => out.axes.push(of_axis::<VolRegime>(plan, history, from, until)?),
            Axis::Heat => out.axes.push(of_axis::<HeatRegime>(plan, history, from, until)?),
        }
    }
    for (side, book) in [base, changed].into_iter().enumerate() {
        for (rule, opened) in alert_entries(book, history).map_err(unread)? {
            let Some(opened) = opened else { continue };
            let inside = opened.iter().filter(|t| plan.from <= **t && **t < plan.to).count();
            out.alert(rule, side, inside as u64);
        }
    }
    Ok(out)
}

fn of_axis<L: Ruled>(
    plan: &Plan,
    history: &StoredHistory,
    from: u32,
    until: u32,
) -> Result<barograph_engine::whatif::AxisCounts, QueryError> {
    let before: ReplayedAxis<L> = replay(&plan.books.base, history).map_err(unread)?;
    let after = replay(&plan.books.changed, history).map_err(unread)?;
    Ok(compare(&before, &after, from, until))
}

/// Labels of the risk axis as forecasts of what readings can show.
pub(super) fn forecasts(
    history: &StoredHistory,
    before: &ReplayedAxis<RiskRegime>,
    after: &ReplayedAxis<RiskRegime>,
    range: (Ts, Ts),
) -> Vec<Forecast> {
    let hv = hv_1h(history, range).map(|o| of_label(history, &o, RiskRegime::HighVol, before, after, range));
    let chop = chop_4h(history, range).map(|o| of_label(history, &o, RiskRegime::ChopRisk, before, after, range));
    hv.into_iter().chain(chop).collect()
}

fn of_label(
    history: &StoredHistory,
    outcomes: &dyn Outcomes,
    label: RiskRegime,
    before: &ReplayedAxis<RiskRegime>,
    after: &ReplayedAxis<RiskRegime>,
    range: (Ts, Ts),
) -> Forecast {
    let side = |replayed: &ReplayedAxis<RiskRegime>| {
        let time = |row: u32| usize::try_from(row).ok().and_then(|row| history.ts.get(row)).copied();
        let entered = replayed.labels.iter().filter(|(start, _, l)| *start > 0 && *l == label);
        let entries: Vec<Ts> = entered.filter_map(|(start, ..)| time(start)).collect();
        let mut hits = judge(outcomes, &entries, |t| replayed.labels.at(history.row_at(t)) == Some(label), range);
        // Moments come in order, so that rows and runs are walked once instead of looked for.
        let (mut rows, mut runs) = ((0_u32..).zip(&history.ts).peekable(), replayed.labels.iter().peekable());
        let walked = |t: Ts| {
            while rows.next_if(|(_, ts)| **ts < t).is_some() {}
            let row = rows.peek()?.0;
            while runs.next_if(|(_, end, _)| *end <= row).is_some() {}
            runs.peek().map(|(.., l)| *l).filter(|l| *l != RiskRegime::Unknown).map(|l| l == label)
        };
        hits.losses = losses(outcomes, walked, range);
        hits
    };
    Forecast {
        event: outcomes.event().to_owned(),
        label: label.name().to_owned(),
        horizon: outcomes.horizon(),
        hits: [side(before), side(after)],
    }
}

/// Thresholds that differ, by name.
fn changes(books: &Books) -> Vec<ThresholdChange> {
    let named = |book: &RuleBook| Place::all(book).into_iter().map(|p| (p.name(), p)).collect::<Vec<_>>();
    let (a, b) = (named(&books.base), named(&books.changed));
    let mut out = Vec::new();
    for (name, place) in &b {
        let was = a.iter().find(|(n, _)| n == name).map(|(_, was)| was);
        if was.is_none_or(|was| was.value.to_bits() != place.value.to_bits()) {
            out.push(ThresholdChange { name: name.clone(), before: was.map(|p| p.value), after: Some(place.value) });
        }
        if let Some(was) = was.filter(|was| was.exit.to_bits() != place.exit.to_bits()) {
            let name = format!("{name}.exit");
            out.push(ThresholdChange { name, before: Some(was.exit), after: Some(place.exit) });
        }
    }
    let gone = a.iter().filter(|(name, _)| !b.iter().any(|(n, _)| n == name));
    out.extend(gone.map(|(name, p)| ThresholdChange { name: name.clone(), before: Some(p.value), after: None }));
    out
}

fn left_out(plan: &Plan, counted: &[Found]) -> Vec<String> {
    let mut out = Vec::new();
    let at_event = plan.books.changed.alerts().iter().filter(|r| r.is_at_event());
    out.extend(at_event.map(|r| format!("alert rule {}: {AT_EVENT}", r.id)));
    let empty = counted.iter().filter(|f| f.minutes == 0);
    out.extend(empty.map(|f| format!("{}: nothing is stored of this stretch", f.instrument)));
    if plan.condition.is_some() {
        let silent = counted.iter().filter(|f| f.minutes > 0 && f.signal.is_none());
        out.extend(silent.map(|f| format!("{}: a signal of the condition does not speak of it", f.instrument)));
    }
    out.push("squeeze_4h: no stored reading holds a month of liquidation sums, which it is judged by".to_owned());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_ends_the_stretch_is_the_one_that_holds_most() {
        let day = |n: i64| Ts(0) + Span::days(n);
        let end = |n: i64| day(n) + barograph_store::run::GRID;
        for (ends, want) in [
            (vec![(day(0), day(88)), (day(1), day(88)), (day(300), day(301))], 88),
            (vec![(day(0), day(88)), (day(200), day(300))], 300),
            (vec![(day(0), day(400)), (day(310), day(400)), (day(0), day(20))], 400),
            (vec![(day(0), day(90)), (day(200), day(290))], 290),
        ] {
            assert_eq!(fullest(&ends), end(want), "{ends:?}");
        }
        assert_eq!(fullest(&[]), Ts(0));
    }
}
