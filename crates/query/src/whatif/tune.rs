//! A threshold chosen by a budget in one stretch and judged in the next: where it was chosen it would always look good.

use super::ask::{Plan, WhatIfQuestion, bad, forecasts, in_parallel, unread};
use super::show::{Forecast, forecast};
use barograph_api::QueryError;
use barograph_domain::whatif::{TunedStretch, TunedView, WhatIfRequest};
use barograph_domain::{HeatRegime, RiskRegime, Span, TrendRegime, Ts, VolRegime};
use barograph_engine::rules::{RuleBook, Ruled};
use barograph_engine::whatif::{
    Place, ReplayedAxis, Setting, StoredHistory, WrittenBook, alert_entries, place_of, replay,
};

/// A month, and the month that follows.
const MONTH: Span = Span::days(30);
/// Thresholds that are tried at most: quantiles of the feature in the first stretch.
const TRIED: usize = 400;
/// Of a market every so many rows is looked at for them.
const EVERY: usize = 7;

/// Finds the mildest threshold with at most the budget's entries a day and market.
pub(super) fn tune(
    asked: &WhatIfQuestion<'_>,
    plan: &Plan,
    name: &str,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<TunedView, QueryError> {
    let budget = plan.budget.ok_or_else(|| bad("budget", "", &"a threshold is chosen by a budget, as in 1/day"))?;
    let (place, is_exit) = place_of(&plan.books.changed, name).map_err(|e| bad("tune", name, &e))?;
    if is_exit || place.op == "==" {
        return Err(bad("tune", name, &"a full threshold is chosen; its exit goes along"));
    }
    let (first, following) = stretches(plan);
    // The clause to be varied is compared anew, so its numbers are read: as if it were changed already.
    let varied = with(plan, name, place.value.next_up())?;
    let request =
        WhatIfRequest { book: Some(varied.text), tune: None, when: None, set: Vec::new(), ..asked.request.clone() };
    let asked = WhatIfQuestion { request: &request, ..*asked };
    let read = Plan {
        books: super::books::Books { base: plan.books.base.clone(), changed: varied.book },
        text: String::new(),
        markets: Vec::new(),
        from: first.0,
        to: following.1,
        budget: None,
        condition: None,
    };
    let read = Plan { markets: super::ask::markets(&asked, &read.books, None)?, ..read };
    let at_once = asked.limits.at_once(&read.markets, (read.from, read.to), true)?;
    let histories = read.each(&asked, at_once, progress, |_, history, _| Ok(history))?;
    let histories: Vec<StoredHistory> = histories.into_iter().filter(|h: &StoredHistory| !h.ts.is_empty()).collect();
    let tries = candidates(&histories, &place, first);
    let entries = |value: f64, range| per_day(plan, name, &place, value, &histories, range);
    // From the mildest on entries become fewer, as a rule: the first that keeps the budget is looked for by halves.
    let (mut low, mut high) = (0, tries.len());
    while low < high {
        let middle = low.midpoint(high);
        if entries(tries[middle], first)?.is_none_or(|n| n <= budget) { high = middle } else { low = middle + 1 }
    }
    let value = tries.get(low).copied();
    let label = label_of(&plan.books.changed, &place).to_owned();
    let stretch = |range: (Ts, Ts), n| TunedStretch { from: range.0, to: range.1, entries_per_day: n };
    let Some(chosen) = value else {
        let n = entries(place.value, first)?;
        return Ok(TunedView {
            name: place.name(),
            label,
            before: place.value,
            value,
            budget_per_day: budget,
            chosen_on: stretch(first, n),
            following: None,
            forecasts: Vec::new(),
        });
    };
    let judged = judged(plan, name, chosen, &histories, following)?;
    Ok(TunedView {
        chosen_on: stretch(first, entries(chosen, first)?),
        following: Some(stretch(following, entries(chosen, following)?)),
        forecasts: judged.iter().filter(|f| f.label == label).map(forecast).collect(),
        name: place.name(),
        label,
        before: place.value,
        value,
        budget_per_day: budget,
    })
}

/// Two months in a row at the end of the stretch, or its halves where it is shorter.
fn stretches(plan: &Plan) -> ((Ts, Ts), (Ts, Ts)) {
    let half = Span((plan.to - plan.from).0 / 2).min(MONTH);
    let middle = plan.to - half;
    ((middle - half, middle), (middle, plan.to))
}

/// The changed book with the threshold at a value.
fn with(plan: &Plan, name: &str, value: f64) -> Result<WrittenBook, QueryError> {
    let written = WrittenBook { text: plan.text.clone(), book: plan.books.changed.clone() };
    let setting = Setting { name: name.to_owned(), value };
    written.with("book", &setting).map_err(|e| bad("tune", name, &e))
}

/// Thresholds to try, the mildest first.
fn candidates(histories: &[StoredHistory], place: &Place, range: (Ts, Ts)) -> Vec<f64> {
    let mut seen: Vec<f64> = Vec::new();
    for history in histories {
        let Some(column) = history.columns.get(&place.feature) else { continue };
        let rows = history.row_at(range.0)..history.row_at(range.1);
        let read = rows.step_by(EVERY).filter_map(|row| column.ready(row));
        seen.extend(read.map(|x| if place.abs { x.abs() } else { x }));
    }
    seen.sort_by(f64::total_cmp);
    if place.op.starts_with('<') {
        seen.reverse();
    }
    // Three digits: more would be read into a month of data.
    let step = (seen.len() / TRIED).max(1);
    let mut tries: Vec<f64> =
        seen.iter().step_by(step).chain(seen.last()).map(|x| format!("{x:.2e}").parse().unwrap_or(*x)).collect();
    tries.dedup_by(|a, b| a.total_cmp(b).is_eq());
    tries
}

fn label_of<'a>(book: &'a RuleBook, place: &'a Place) -> &'a str {
    fn of<'a, L: Ruled>(book: &'a RuleBook, place: &'a Place) -> Option<&'a str> {
        L::of(book).rules().iter().find(|r| r.id == place.rule).map(|r| r.label.word())
    }
    let found = match place.axis {
        "risk" => of::<RiskRegime>(book, place),
        "trend" => of::<TrendRegime>(book, place),
        "volatility" => of::<VolRegime>(book, place),
        "heat" => of::<HeatRegime>(book, place),
        _ => None,
    };
    found.unwrap_or(&place.rule)
}

/// Entries of the rule's label, or firings of the alert rule, a day and market.
fn per_day(
    plan: &Plan,
    name: &str,
    place: &Place,
    value: f64,
    histories: &[StoredHistory],
    (from, to): (Ts, Ts),
) -> Result<Option<f64>, QueryError> {
    let book = with(plan, name, value)?.book;
    let label = label_of(&book, place);
    let one = |at: usize| -> Result<(u64, u64), QueryError> {
        let history = &histories[at];
        let (first, until) = (history.row_at(from), history.row_at(to));
        let entries = match place.axis {
            "risk" => entered::<RiskRegime>(&book, history, label, first, until)?,
            "trend" => entered::<TrendRegime>(&book, history, label, first, until)?,
            "volatility" => entered::<VolRegime>(&book, history, label, first, until)?,
            "heat" => entered::<HeatRegime>(&book, history, label, first, until)?,
            _ => {
                let all = alert_entries(&book, history).map_err(unread)?;
                let own = all.into_iter().find(|(rule, _)| *rule == place.rule).and_then(|(_, opened)| opened);
                own.map_or(0, |opened| opened.iter().filter(|t| from <= **t && **t < to).count() as u64)
            }
        };
        Ok((entries, u64::from(until - first)))
    };
    let counted = in_parallel(histories.len(), histories.len(), one)?;
    let (entries, minutes) = counted.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    #[expect(clippy::cast_precision_loss, reason = "counts of minutes and entries")]
    let rate = (minutes > 0).then(|| entries as f64 / (minutes as f64 / 1_440.0));
    Ok(rate)
}

fn entered<L: Ruled>(
    book: &RuleBook,
    history: &StoredHistory,
    label: &str,
    first: u32,
    until: u32,
) -> Result<u64, QueryError> {
    let replayed: ReplayedAxis<L> = replay(book, history).map_err(unread)?;
    let inside = |start: u32| start > 0 && start >= first && start < until;
    Ok(replayed.labels.iter().filter(|(start, _, l)| inside(*start) && l.word() == label).count() as u64)
}

/// The chosen book's labels as forecasts, over all markets.
fn judged(
    plan: &Plan,
    name: &str,
    value: f64,
    histories: &[StoredHistory],
    range: (Ts, Ts),
) -> Result<Vec<Forecast>, QueryError> {
    let book = with(plan, name, value)?.book;
    let one = |at: usize| {
        let history = &histories[at];
        let before = replay(&plan.books.base, history).map_err(unread)?;
        let after = replay(&book, history).map_err(unread)?;
        Ok(forecasts(history, &before, &after, range))
    };
    let mut all = in_parallel(histories.len(), histories.len(), one)?.into_iter();
    let mut out = all.next().unwrap_or_default();
    for more in all.flatten() {
        match out.iter_mut().find(|f| f.event == more.event) {
            Some(own) => own.hits.iter_mut().zip(&more.hits).for_each(|(a, b)| a.add(b)),
            None => out.push(more),
        }
    }
    Ok(out)
}
