//! From ticks to cases: each issue meets its outcome, with the references of its own moment.

use super::alerts::{Bases, alert_rows};
use super::coverage::{Coverage, since};
use super::entry::{Entry, Step, Waiting, bare, resolve};
use super::row::{score_row, whole};
use super::stability::stability_rows;
use super::{EventScores, Scope, ScoreFilter, horizon};
use crate::contest::{CaseLoss, Numbering};
use barograph_domain::forecast::{
    CLIMATOLOGY_MIN, ForecastEvent, Forecaster, Issue, LedgerTick, OutcomeKey, ReferenceCounts, Resolution, Stated,
    SymbolGroup,
};
use barograph_domain::scorecard::{AlertRow, ScoreRow, StabilityRow};
use barograph_domain::{InstrumentName, Span, Ts};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What outcomes are waited for: market and subject.
type Key = (u16, Option<Box<str>>);

/// Cases of one event.
#[derive(Debug)]
pub struct Gather {
    event: ForecastEvent,
    /// Whose ledger it is: what is not registered is counted with theirs.
    of: Forecaster,
    markets: Vec<InstrumentName>,
    /// Of each of them.
    groups: Vec<SymbolGroup>,
    /// Position here of each position in ticks of `named`.
    places: Vec<u16>,
    named: Arc<[InstrumentName]>,
    /// Scopes that are scored; empty: all there are.
    wanted: Vec<String>,
    /// Which markets are of none of them: their cases are not kept.
    outside: Vec<bool>,
    /// By forecaster, in the order of issue.
    entries: BTreeMap<Forecaster, Vec<Entry>>,
    /// In the order of issue.
    waiting: BTreeMap<Key, VecDeque<Waiting>>,
    revised: BTreeSet<OutcomeKey>,
    newest: Option<Ts>,
    /// Windows of each market at any time, and those in which the price moved as alerts say it may; by the tick that says it.
    bases: BTreeMap<u16, Vec<(Ts, [u64; 2])>>,
    /// Instants at which each market had something to be judged.
    judged: BTreeMap<u16, Vec<Ts>>,
}

impl Gather {
    /// Nothing yet, of the ledger of the rules.
    #[must_use]
    pub fn new(event: ForecastEvent) -> Self {
        Self::of(event, Forecaster::Rules)
    }

    /// Nothing yet, of a forecaster's ledger.
    #[must_use]
    pub fn of(event: ForecastEvent, of: Forecaster) -> Self {
        Self {
            event,
            of,
            markets: Vec::new(),
            groups: Vec::new(),
            places: Vec::new(),
            named: Arc::default(),
            wanted: Vec::new(),
            outside: Vec::new(),
            entries: BTreeMap::new(),
            waiting: BTreeMap::new(),
            revised: BTreeSet::new(),
            newest: None,
            bases: BTreeMap::new(),
            judged: BTreeMap::new(),
        }
    }

    /// Keeps the cases of these scopes only: the others cannot be scored then. To be said before the first tick.
    #[must_use]
    pub fn only(mut self, scopes: &[String]) -> Self {
        self.wanted = scopes.to_vec();
        self
    }

    /// Cases that are held.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.entries.values().map(Vec::len).sum()
    }

    /// These outcomes stand although their minutes, since corrected, would say otherwise.
    pub fn revised(&mut self, outcomes: impl IntoIterator<Item = OutcomeKey>) {
        self.revised.extend(outcomes);
    }

    /// Takes the next tick.
    pub fn tick(&mut self, tick: &LedgerTick) {
        self.newest = Some(tick.ts);
        self.name(&tick.markets);
        let event = self.event;
        if event == ForecastEvent::AlertMove1h {
            for one in &tick.bases {
                let counted = (tick.ts, [u64::from(one.windows), u64::from(one.moved)]);
                self.bases.entry(self.place(one.market)).or_default().push(counted);
            }
        }
        let everywhere = |i: &&Issue| i.event == ForecastEvent::HighVol1h && i.forecaster == Forecaster::Rules;
        for issue in tick.issues.iter().filter(everywhere) {
            self.judged.entry(self.place(issue.market)).or_default().push(tick.ts);
        }
        for resolution in tick.resolutions.iter().filter(|r| r.event == event) {
            let revised = !self.revised.is_empty() && self.is_revised(tick, resolution);
            self.resolve(resolution, revised);
        }
        for one in tick.not_issued.iter().filter(|n| n.event == event) {
            let entry = Entry { step: Step::NotIssued(one.reason), ..bare(tick.ts, self.place(one.market)) };
            let is_outside = self.is_outside(one.market);
            // A forecaster has rows of every scope once there is a case of it anywhere.
            let list = self.entries.entry(self.of).or_default();
            if !is_outside {
                list.push(entry);
            }
        }
        for issue in tick.issues.iter().filter(|i| i.event == event) {
            if self.is_outside(issue.market) {
                self.entries.entry(issue.forecaster).or_default();
            } else {
                self.issue(tick, issue);
            }
        }
    }

    fn issue(&mut self, tick: &LedgerTick, issue: &Issue) {
        let market = self.place(issue.market);
        let group = self.groups.get(usize::from(market));
        let reference = group.and_then(|group| tick.reference_of(issue.event, *group));
        let classes = (self.event == ForecastEvent::VolClass24h).then(|| of_classes(reference, issue.state)).flatten();
        let abstained = match issue.stated {
            Stated::Abstained(why) => Some(why),
            Stated::Probability(_) | Stated::Classes(_) => None,
        };
        let entry = Entry {
            abstained,
            label: issue.label,
            raw_label: issue.raw_label,
            state: issue.state,
            ..bare(tick.ts, market)
        };
        let list = self.entries.entry(issue.forecaster).or_default();
        list.push(entry);
        let waiting = Waiting {
            issued: tick.ts,
            forecaster: issue.forecaster,
            at: list.len() - 1,
            stated: issue.stated,
            climatology: reference.and_then(climatology),
            persistence: reference.and_then(|r| persistence(r, issue.state)),
            references: classes,
        };
        self.waiting.entry((market, issue.subject.clone())).or_default().push_back(waiting);
    }

    /// Windows of one length end in the order in which they began, so what is resolved is nearly always the first.
    fn resolve(&mut self, resolution: &Resolution, revised: bool) {
        let key = (self.place(resolution.market), resolution.subject.clone());
        let Some(queue) = self.waiting.get_mut(&key) else { return };
        let first = queue.partition_point(|w| w.issued < resolution.issued_ts);
        while queue.get(first).is_some_and(|w| w.issued == resolution.issued_ts) {
            let Some(waiting) = queue.remove(first) else { break };
            let entry = self.entries.get_mut(&waiting.forecaster).and_then(|e| e.get_mut(waiting.at));
            if let Some(entry) = entry {
                resolve(entry, resolution.outcome, &waiting);
                entry.revised = revised;
            }
        }
        if queue.is_empty() && key.1.is_some() {
            self.waiting.remove(&key);
        }
    }

    fn is_revised(&self, tick: &LedgerTick, one: &Resolution) -> bool {
        let (event, issued_ts, subject) = (one.event, one.issued_ts, one.subject.clone());
        let key = tick.market(one.market).map(|m| OutcomeKey { issued_ts, event, market: m.clone(), subject });
        key.is_some_and(|key| self.revised.contains(&key))
    }

    fn name(&mut self, named: &Arc<[InstrumentName]>) {
        if Arc::ptr_eq(named, &self.named) {
            return;
        }
        if *named == self.named && !self.places.is_empty() {
            // The next tick of the same part of the store has the same ones.
            self.named = Arc::clone(named);
            return;
        }
        self.places.clear();
        for name in named.iter() {
            let at = self.markets.iter().position(|m| m == name).unwrap_or_else(|| {
                let group = SymbolGroup::of(name);
                let is_of = |scope: &String| scope == "all" || *scope == group.id() || *scope == name.to_string();
                self.outside.push(!self.wanted.is_empty() && !self.wanted.iter().any(is_of));
                self.markets.push(name.clone());
                self.groups.push(group);
                self.markets.len() - 1
            });
            self.places.push(u16::try_from(at).unwrap_or(u16::MAX));
        }
        self.named = Arc::clone(named);
    }

    fn is_outside(&self, market: u16) -> bool {
        self.outside.get(usize::from(self.place(market))).copied().unwrap_or_default()
    }

    fn place(&self, market: u16) -> u16 {
        self.places.get(usize::from(market)).copied().unwrap_or(u16::MAX)
    }

    /// Scores what there is.
    #[must_use]
    pub fn finish(&self, wanted: &ScoreFilter) -> EventScores {
        let mut out = EventScores::default();
        let (Some(newest), scopes) = (self.newest, self.scopes()) else { return out };
        for (forecaster, entries) in &self.entries {
            let mut of_markets = None;
            for (id, scope) in scopes.iter().filter(|(id, _)| wanted.scope(id)) {
                // Side by side, because they are gone through a dozen times.
                let own = match *scope {
                    Scope::All => Cow::Borrowed(entries.as_slice()),
                    Scope::Group(group) => Cow::Owned(self.within(group, entries)),
                    Scope::Market(at) => {
                        let all = of_markets.get_or_insert_with(|| self.by_market(entries));
                        Cow::Owned(all.get_mut(usize::from(at)).map(core::mem::take).unwrap_or_default())
                    }
                };
                self.rows(&mut out.rows, *forecaster, (id, newest), &own, wanted);
                if *forecaster == Forecaster::Rules {
                    self.labels(&mut out, (id, newest), &own, wanted);
                }
            }
        }
        if !self.judged.is_empty() {
            let coverage = self.coverage(wanted);
            coverage.fill(&mut out.alerts);
            out.coverage = Some(coverage);
        }
        out
    }

    /// In how much time there was something to judge, of each scope and window that is wanted.
    #[must_use]
    pub fn coverage(&self, wanted: &ScoreFilter) -> Coverage {
        let mut out = Coverage::default();
        let Some(newest) = self.newest else { return out };
        for (id, scope) in self.scopes().iter().filter(|(id, _)| wanted.scope(id)) {
            for (window, length) in wanted.lengths() {
                let from = length.map_or(Ts::MIN, |l| newest - l);
                for (_, instants) in self.judged.iter().filter(|(market, _)| self.is_in(scope, **market)) {
                    out.add(window, id, since(instants, from));
                }
            }
        }
        out
    }

    /// Alerts and steadiness of labels in each window; of one that reaches as far back as the one before it they are the same.
    fn labels(&self, out: &mut EventScores, (scope, newest): (&str, Ts), of: &[Entry], wanted: &ScoreFilter) {
        let mut before: Option<(usize, Bases, Vec<AlertRow>, Option<StabilityRow>)> = None;
        for (window, length) in wanted.lengths() {
            let from = length.map_or(Ts::MIN, |l| newest - l);
            let first = of.partition_point(|e| e.issued < from);
            let bases = self.bases_since(from);
            let (alerts, steady) = match before.take() {
                Some((same, known, alerts, steady)) if same == first && known == bases => (alerts, steady),
                _ => (
                    alert_rows(self.event, scope, &of[first..], &bases),
                    stability_rows(self.event, scope, &of[first..]),
                ),
            };
            let window = window.to_owned();
            out.alerts.extend(alerts.iter().map(|a| AlertRow { window: window.clone(), ..a.clone() }));
            out.stability.extend(steady.iter().map(|s| StabilityRow { window: window.clone(), ..s.clone() }));
            before = Some((first, bases, alerts, steady));
        }
    }

    fn bases_since(&self, from: Ts) -> Bases {
        let sum = |said: &[(Ts, [u64; 2])]| {
            let since = said.iter().filter(|(t, _)| *t >= from);
            since.fold([0, 0], |[n, k], (_, [windows, moved])| [n + windows, k + moved])
        };
        self.bases.iter().map(|(market, said)| (*market, sum(said))).collect()
    }

    /// Losses of a forecaster's resolved cases that stated a probability, by issue and market, and how many stated none.
    #[must_use]
    pub fn losses(&self, numbers: &mut Numbering) -> (Vec<CaseLoss>, u64) {
        let mut all = Vec::new();
        let mut abstained = 0;
        for e in self.entries.get(&self.of).into_iter().flatten() {
            let Some(name) = self.markets.get(usize::from(e.market)) else { continue };
            match (e.scored, e.step) {
                (Some(scored), _) => all.push(CaseLoss {
                    issued: e.issued,
                    market: numbers.of(name),
                    loss: scored.loss(),
                    persistence: e.persistence_loss(),
                }),
                (None, Step::Resolved(_)) => abstained += 1,
                _ => {}
            }
        }
        all.sort_by_key(|c| (c.issued, c.market));
        (all, abstained)
    }

    /// A row of each window. A window that reaches as far back as the one before it has the same cases.
    fn rows(
        &self,
        rows: &mut Vec<ScoreRow>,
        forecaster: Forecaster,
        (scope, newest): (&str, Ts),
        of: &[Entry],
        wanted: &ScoreFilter,
    ) {
        let mut before: Option<(usize, ScoreRow)> = None;
        for (window, length) in wanted.lengths() {
            let from = length.map_or(Ts::MIN, |l| newest - l);
            let first = of.partition_point(|e| e.issued < from);
            let row = match before.take() {
                Some((same, row)) if same == first => row,
                _ => score_row((self.event, forecaster), scope, &of[first..]),
            };
            let shown = ScoreRow { window: window.to_owned(), ..row.clone() };
            rows.push(if length.is_none() { whole(shown, &of[first..]) } else { shown });
            before = Some((first, row));
        }
    }

    fn within(&self, group: SymbolGroup, entries: &[Entry]) -> Vec<Entry> {
        let is_in = |e: &&Entry| self.groups.get(usize::from(e.market)) == Some(&group);
        let mut own = Vec::with_capacity(entries.iter().filter(is_in).count());
        own.extend(entries.iter().filter(is_in));
        own
    }

    /// The cases of each market.
    fn by_market(&self, entries: &[Entry]) -> Vec<Vec<Entry>> {
        let mut sizes = vec![0; self.markets.len()];
        for e in entries {
            if let Some(n) = sizes.get_mut(usize::from(e.market)) {
                *n += 1;
            }
        }
        let mut all: Vec<Vec<Entry>> = sizes.into_iter().map(Vec::with_capacity).collect();
        for e in entries {
            if let Some(own) = all.get_mut(usize::from(e.market)) {
                own.push(*e);
            }
        }
        all
    }

    /// Scopes with their ids, pooled ones first; a group of one market is that market.
    fn scopes(&self) -> Vec<(String, Scope)> {
        let mut all = vec![("all".to_owned(), Scope::All)];
        let members = |g: SymbolGroup| self.groups.iter().filter(|of| **of == g).count();
        let groups = SymbolGroup::ALL.into_iter().filter(|g| members(*g) > 1);
        all.extend(groups.map(|g| (g.id().to_owned(), Scope::Group(g))));
        let mut markets: Vec<(String, Scope)> =
            (0_u16..).zip(&self.markets).map(|(at, name)| (name.to_string(), Scope::Market(at))).collect();
        markets.sort_by(|a, b| a.0.cmp(&b.0));
        all.extend(markets);
        all
    }

    fn is_in(&self, scope: &Scope, market: u16) -> bool {
        match scope {
            Scope::All => true,
            Scope::Group(group) => self.groups.get(usize::from(market)) == Some(group),
            Scope::Market(at) => *at == market,
        }
    }

    /// Length of the event's windows.
    #[must_use]
    pub fn horizon(&self) -> Span {
        horizon(self.event)
    }
}

/// Of two outcomes; a reference that has seen too little is none.
fn climatology(reference: &ReferenceCounts) -> Option<f64> {
    let (p, few) = reference.climatology(1);
    (!few).then_some(p)
}

fn persistence(reference: &ReferenceCounts, state: Option<u8>) -> Option<f64> {
    let enough = reference.persistence_cases(state?) >= CLIMATOLOGY_MIN;
    reference.persistence(state, 1).filter(|_| enough)
}

/// Four of climatology and four of persistence; `None` where either has seen too little.
fn of_classes(reference: Option<&ReferenceCounts>, state: Option<u8>) -> Option<Box<[f64; 8]>> {
    let reference = reference?;
    if reference.climatology(0).1 || reference.persistence_cases(state?) < CLIMATOLOGY_MIN {
        return None;
    }
    let mut out = [0.0; 8];
    for class in 0..4 {
        out[class] = reference.climatology(class).0;
        out[4 + class] = reference.persistence(state, class)?;
    }
    Some(Box::new(out))
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Dense, Scored};
    use super::super::score_event;
    use super::*;
    use crate::ledger::GRID;
    use barograph_domain::forecast::{Abstention, NotIssued, NotIssuedReason, WindowOutcome};
    use barograph_domain::scorecard::SkillVerdict;
    use barograph_domain::{Label as _, Pattern, RiskRegime};

    /// A ledger of these cases, the newest tick being the last of them.
    fn gathered(event: ForecastEvent, markets: &[&str], entries: Vec<Entry>) -> Gather {
        let mut gather = Gather::new(event);
        gather.markets = markets.iter().map(|m| InstrumentName::parse(m).unwrap()).collect();
        gather.groups = gather.markets.iter().map(SymbolGroup::of).collect();
        gather.newest = entries.last().map(|e| e.issued);
        gather.entries.insert(Forecaster::Rules, entries);
        gather
    }

    /// Hours of two days of price, three years after a year of funding alone: what is not registered is no time in which alerts could come.
    #[test]
    fn alerts_a_day_are_over_the_time_in_which_there_was_something_to_judge() {
        let pattern = u8::try_from(Pattern::ALL.iter().position(|p| *p == Pattern::FundingAnomaly).unwrap()).unwrap();
        let markets: Arc<[InstrumentName]> =
            ["x:BTCUSDT", "x:ETHUSDT"].map(|m| InstrumentName::parse(m).unwrap()).into();
        let issue = |event, market, label| Issue {
            event,
            market,
            subject: None,
            forecaster: Forecaster::Rules,
            resolve_after: Ts::MAX,
            label,
            raw_label: label,
            state: None,
            stated: Stated::Abstained(Abstention::FewForecasts),
            scope: None,
            cases: 0,
            separate: 0,
            input_digest: 0,
        };
        let silent = NotIssued { event: ForecastEvent::HighVol1h, market: 0, reason: NotIssuedReason::NoPrice };
        let tick = |n: i64| {
            let mut tick =
                LedgerTick { ts: Ts(0) + GRID.times(n), markets: Arc::clone(&markets), ..LedgerTick::default() };
            // A year of funding with its alerts, then four days of one market and two of the other.
            if n < 288 * 360 {
                tick.not_issued.push(silent);
            } else {
                let high = u8::from(n % 288 == 100) * RiskRegime::HighVol.code();
                tick.issues.push(issue(ForecastEvent::HighVol1h, 0, high));
                if n >= 288 * 362 {
                    tick.issues.push(issue(ForecastEvent::HighVol1h, 1, 0));
                }
            }
            if n % 288 == 50 && n > 288 * 359 {
                tick.issues.push(issue(ForecastEvent::AlertMove1h, 0, pattern));
            }
            tick
        };
        let ticks: Vec<LedgerTick> = (0..288 * 364).map(tick).collect();
        let wanted = ScoreFilter { windows: vec!["30d".to_owned(), "all".to_owned()], ..ScoreFilter::default() };
        let of = |event| {
            let rows = score_event(event, &ticks, &wanted).alerts;
            let seen = |r: &AlertRow| (r.window.clone(), r.scope.clone(), r.alerts, r.days, r.per_day);
            rows.iter().map(seen).collect::<Vec<_>>()
        };
        for window in ["30d", "all"] {
            let row = |scope: &str, alerts: u64, days: f64| {
                let rate = f64::from(u32::try_from(alerts).unwrap()) / days;
                (window.to_owned(), scope.to_owned(), alerts, Some(days), Some(rate))
            };
            for (event, alerts) in [(ForecastEvent::HighVol1h, 4), (ForecastEvent::AlertMove1h, 5)] {
                let got = of(event);
                assert!(
                    got.contains(&row("all", alerts, 6.0)) && got.contains(&row("x:BTCUSDT", alerts, 4.0)),
                    "{got:?}"
                );
            }
        }
    }

    /// Alerts and labels of a window are those of it.
    #[test]
    fn alerts_and_steadiness_are_of_the_window() {
        let entry = |n: i64| {
            let high = n % 72 == 0;
            let came = if high { WindowOutcome::Happened } else { WindowOutcome::Missed };
            let label = if high { RiskRegime::HighVol.code() } else { 0 };
            Entry { step: Step::Resolved(came), label, state: Some(0), ..bare(Ts(0) + GRID.times(n), 0) }
        };
        let gather = gathered(ForecastEvent::HighVol1h, &["x:BTCUSDT"], (0..288 * 100).map(entry).collect());
        let wanted = ScoreFilter { windows: vec!["30d".to_owned(), "all".to_owned()], ..ScoreFilter::default() };
        let scores = gather.finish(&wanted);
        let all = |of: &str| scores.alerts.iter().find(|a| a.window == of && a.scope == "all").unwrap().alerts;
        let days = |of: &str| scores.stability.iter().find(|s| s.window == of && s.scope == "all").unwrap().days;
        // The first instant of the ledger is no entry: nobody saw the label before it.
        assert_eq!((all("30d"), all("all")), (120, 399));
        assert!((days("30d") - 30.0).abs() < 0.01 && (days("all") - 100.0).abs() < 0.01);
    }

    /// A skill that is there in every window is decided over the whole ledger alone.
    #[test]
    fn windows_that_move_are_never_decided() {
        let entry = |n: i64| {
            let came = if n % 5 == 0 { WindowOutcome::Happened } else { WindowOutcome::Missed };
            let (scored, of_persistence) = (Scored::of(0.5, 0.2), Dense::of(0.4));
            Entry { step: Step::Resolved(came), scored, of_persistence, ..bare(Ts(0) + Span::hours(n), 0) }
        };
        let gather = gathered(ForecastEvent::HighVol1h, &["x:BTCUSDT"], (0..24 * 100).map(entry).collect());
        let wanted = ScoreFilter { scopes: vec!["all".to_owned()], ..ScoreFilter::default() };
        let rows = gather.finish(&wanted).rows;
        let got: Vec<_> = rows.iter().map(|r| (r.window.as_str(), r.verdict, r.sequence.is_some())).collect();
        let moving = |window| (window, SkillVerdict::BetterSoFar, false);
        assert_eq!(got, [moving("30d"), moving("90d"), moving("365d"), ("all", SkillVerdict::Skill, true)]);
        // The year is the same cases: what was decided of all of them is not said of it.
        assert!(rows.iter().all(|r| r.timeline.is_empty() == (r.window != "all")));
    }
}
