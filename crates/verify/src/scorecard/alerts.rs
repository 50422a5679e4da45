//! Labels and detectors as alerts: how many were right, how many events they came before, how early, how many a day (verification §5).

use super::entry::{Entry, Step};
use super::horizon;
use crate::ledger::GRID;
use crate::ledger::calibration::asserts;
use crate::scores::alerts::{AlertCase, Lift, Precision, dup_rate, lead_times, lift, precision};
use crate::scores::bootstrap::SEED;
use crate::scores::events::event_runs;
use crate::scores::stability::durations;
use crate::scores::wilson::wilson_90;
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::scorecard::AlertRow;
use barograph_domain::{Label as _, Pattern, RiskRegime, Span, Ts};
use std::collections::BTreeMap;

/// Of each market windows at any time and those in which the event came, where they were counted.
pub(super) type Bases = BTreeMap<u16, [u64; 2]>;

/// Rows of an event; none where nothing that people are alerted by asserts it. Window and days are the caller's.
pub(super) fn alert_rows(event: ForecastEvent, scope: &str, entries: &[Entry], bases: &Bases) -> Vec<AlertRow> {
    match event {
        ForecastEvent::HighVol1h | ForecastEvent::Squeeze4h | ForecastEvent::Chop4h => {
            vec![label_row(event, scope, entries)]
        }
        ForecastEvent::AlertMove1h | ForecastEvent::AlertCascade1h | ForecastEvent::PostFundRev8h => {
            pattern_rows(event, scope, entries, bases)
        }
        _ => Vec::new(),
    }
}

/// Windows that begin within an hour, on a grid of five minutes.
const OVERLAP: f64 = 12.0;

/// The lift of a row whose base rates were counted at every instant; as `Lift`, with windows that do not overlap on both sides. Each
/// market counts by the alerts of it that resolved: else a restless market with few alerts would make those of a calm one look poor.
fn lift_over(row: &mut AlertRow, cases: &[(u16, AlertCase)], bases: &Bases) {
    let whole = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let Some((precision, [low, _])) = row.precision.zip(row.precision_band) else { return };
    let mut resolved: BTreeMap<u16, u64> = BTreeMap::new();
    for (market, _) in cases.iter().filter(|(_, c)| c.happened.is_some()) {
        *resolved.entry(*market).or_default() += 1;
    }
    let counted = |(market, n): (u16, u64)| {
        let [windows, came] = bases.get(&market).copied().filter(|[windows, _]| *windows > 0)?;
        Some((whole(n), whole(windows), whole(came)))
    };
    let markets: Vec<(f64, f64, f64)> = resolved.into_iter().filter_map(counted).collect();
    let all: f64 = markets.iter().map(|(n, ..)| n).sum();
    let base: f64 = markets.iter().map(|(n, windows, came)| n / all * (came / windows)).sum();
    if markets.is_empty() || base <= 0.0 {
        return;
    }
    // As many windows that do not overlap as have the spread of the weighted sum.
    let spread: f64 = markets.iter().map(|(n, windows, _)| (n / all) * (n / all) / (windows / OVERLAP)).sum();
    let base = base.min(1.0);
    row.lift = Some(precision / base);
    row.lift_low = wilson_90(base / spread, 1.0 / spread).map(|(_, high)| low / high);
}

/// Share of alerts that repeat the one before: of the same market, and opened before its window was over.
fn repeats(cases: &[(u16, AlertCase)], horizon: Span) -> Option<f64> {
    let mut last: BTreeMap<u16, (Ts, usize)> = BTreeMap::new();
    dup_rate(cases.iter().map(|(market, case)| {
        let episode = match last.get(market) {
            Some((before, episode)) if case.opened - *before < horizon => *episode,
            Some((_, episode)) => episode + 1,
            None => 0,
        };
        last.insert(*market, (case.opened, episode));
        (*market, episode)
    }))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Entries into a label of the risk axis.
fn label_row(event: ForecastEvent, scope: &str, entries: &[Entry]) -> AlertRow {
    let mut of: BTreeMap<u16, Vec<&Entry>> = BTreeMap::new();
    // What was not issued has no label: nobody was alerted anew by a hole between two instants of the same one.
    for e in entries.iter().filter(|e| !matches!(e.step, Step::NotIssued(_))) {
        of.entry(e.market).or_default().push(e);
    }
    let (mut cases, mut events, mut leads) = (Vec::new(), 0, Vec::new());
    let mut base: Base = BTreeMap::new();
    for (market, list) in &of {
        let opened: Vec<&&Entry> = list
            .windows(2)
            .filter(|w| asserts(event, w[1].label) && !asserts(event, w[0].label))
            .map(|w| &w[1])
            .collect();
        cases.extend(opened.iter().map(|e| (*market, AlertCase { opened: e.issued, happened: e.happened() })));
        let states = list.iter().filter_map(|e| Some((e.issued, e.state? == 1)));
        let runs = event_runs(states, horizon(event));
        let times: Vec<Ts> = opened.iter().map(|e| e.issued).collect();
        events += runs.len();
        leads.extend(lead_times(&times, &runs, horizon(event)));
        base.insert(*market, list.iter().filter_map(|e| Some((e.issued, e.happened()?))).collect());
    }
    cases.sort_by_key(|(_, c)| c.opened);
    let word = RiskRegime::LABELS.iter().find(|l| asserts(event, l.code())).map_or("", |l| l.name());
    let found = row(event, scope, (word, None), &cases, &base);
    let (n, warned) = (float(events), float(leads.len()));
    let lead = durations(leads).map(|d| [d.median, d.p10, d.p90].map(|s| s.as_secs_f64() / 60.0));
    AlertRow {
        events: Some(count(events)),
        recall: (events > 0).then(|| warned / n),
        recall_band: wilson_90(warned, n).map(|(a, b)| [a, b]),
        lead_min: lead,
        ..found
    }
}

/// Alerts of each detector that asserts the event.
fn pattern_rows(event: ForecastEvent, scope: &str, entries: &[Entry], bases: &Bases) -> Vec<AlertRow> {
    let mut of: BTreeMap<u8, Vec<&Entry>> = BTreeMap::new();
    // What was not issued has no label.
    for e in entries.iter().filter(|e| !matches!(e.step, Step::NotIssued(_))) {
        of.entry(e.label).or_default().push(e);
    }
    of.into_iter()
        .filter_map(|(label, list)| {
            let pattern = *Pattern::ALL.get(usize::from(label))?;
            let case = |e: &&Entry| (e.market, AlertCase { opened: e.issued, happened: e.happened() });
            let cases: Vec<(u16, AlertCase)> = list.iter().map(case).collect();
            let mut row = row(event, scope, (pattern.name(), Some(pattern)), &cases, &Base::new());
            lift_over(&mut row, &cases, bases);
            Some(row)
        })
        .collect()
}

/// Resolved instants of each market, in the order of time.
type Base = BTreeMap<u16, Vec<(Ts, bool)>>;

/// How much likelier the event is after these alerts than in windows drawn at random. Windows are of the alerts' own markets, as often of
/// each as it had alerts: of a market that is always restless a label that it nearly always has would otherwise look clever.
fn lift_of(event: ForecastEvent, cases: &[(u16, AlertCase)], found: &Precision, base: &Base) -> Option<Lift> {
    let first = base.values().filter_map(|of| of.first()).map(|(t, _)| *t).min()?;
    let last = base.values().filter_map(|of| of.last()).map(|(t, _)| *t).max()?;
    let markets = cases.iter().filter(|(_, c)| c.happened.is_some()).map(|(market, _)| *market);
    let mut next = markets.cycle();
    let happens = |t: Ts| {
        let of = base.get(&next.next()?)?;
        let at = of.binary_search_by_key(&t.floor(GRID), |(issued, _)| *issued).ok()?;
        Some(of[at].1)
    };
    lift(found, (first, last + horizon(event)), horizon(event), SEED, happens)
}

fn row(
    event: ForecastEvent,
    scope: &str,
    (alert, pattern): (&str, Option<Pattern>),
    cases: &[(u16, AlertCase)],
    base: &Base,
) -> AlertRow {
    let alerts: Vec<AlertCase> = cases.iter().map(|(_, c)| *c).collect();
    let found = precision(&alerts, horizon(event));
    let lift = found.as_ref().and_then(|p| lift_of(event, cases, p, base));
    let band = found.as_ref().and_then(|p| wilson_90(p.value * float(p.n_eff), float(p.n_eff)));
    AlertRow {
        alert: alert.to_owned(),
        pattern,
        event,
        scope: scope.to_owned(),
        window: String::new(),
        alerts: count(cases.len()),
        n: found.map_or(0, |p| count(p.resolved)),
        hits: found.map_or(0, |p| count(p.hits)),
        precision: found.map(|p| p.value),
        precision_band: band.map(|(a, b)| [a, b]),
        events: None,
        recall: None,
        recall_band: None,
        lead_min: None,
        days: None,
        per_day: None,
        dup_rate: repeats(cases, horizon(event)),
        lift: lift.map(|l| l.value),
        lift_low: lift.map(|l| l.low),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::bare;
    use super::*;
    use barograph_domain::forecast::{NotIssuedReason, WindowOutcome};

    /// Days of a market: the event comes in so many of ten hours, the label is entered every fifth hour where there is one.
    fn market(market: u16, of_ten: i64, labelled: bool) -> Vec<Entry> {
        let entry = |n: i64| {
            let came = if n / 12 % 10 < of_ten { WindowOutcome::Happened } else { WindowOutcome::Missed };
            let label = if labelled && n % 60 == 0 { RiskRegime::HighVol } else { RiskRegime::Normal };
            let at = Ts(0) + GRID.times(n);
            Entry { step: Step::Resolved(came), label: label.code(), state: Some(0), ..bare(at, market) }
        };
        (0..288 * 10).map(entry).collect()
    }

    fn row_of(entries: &[Entry]) -> AlertRow {
        let mut all = entries.to_vec();
        all.sort_by_key(|e| e.issued);
        label_row(ForecastEvent::HighVol1h, "all", &all)
    }

    /// A restless market in which nobody was alerted makes the alerts of another neither better nor worse.
    #[test]
    fn lift_is_against_windows_of_the_markets_that_were_alerted_of() {
        let calm = row_of(&market(1, 2, true));
        let both = row_of(&[market(0, 9, false), market(1, 2, true)].concat());
        assert_eq!((both.precision, both.lift, both.lift_low), (calm.precision, calm.lift, calm.lift_low));
        assert!(calm.lift > Some(2.0), "{calm:?}");
    }

    #[test]
    fn what_was_not_issued_is_no_alert() {
        let not = Entry { step: Step::NotIssued(NotIssuedReason::MissingReference), ..bare(Ts(0), 0) };
        assert_eq!(pattern_rows(ForecastEvent::AlertMove1h, "all", &[not, not], &Bases::new()), []);
    }

    /// A hole between two instants of a label opens nothing anew; another label between them does.
    #[test]
    fn a_hole_does_not_enter_a_label_anew() {
        let labels = [Some(RiskRegime::Normal), Some(RiskRegime::SqueezeRisk), None, Some(RiskRegime::SqueezeRisk)];
        let after = |label| [labels.as_slice(), &[label, Some(RiskRegime::SqueezeRisk)]].concat();
        for (between, want) in [(None, 1), (Some(RiskRegime::HighVol), 2)] {
            let at = |n: usize| Ts(0) + GRID.times(i64::try_from(n).unwrap());
            let entry = |(n, label): (usize, Option<RiskRegime>)| match label {
                Some(label) => Entry { label: label.code(), ..bare(at(n), 0) },
                None => Entry { step: Step::NotIssued(NotIssuedReason::NoSide), ..bare(at(n), 0) },
            };
            let entries: Vec<Entry> = after(between).into_iter().enumerate().map(entry).collect();
            assert_eq!(label_row(ForecastEvent::Squeeze4h, "all", &entries).alerts, want, "{between:?}");
        }
    }

    fn detected(market: u16, minute: i64, came: bool) -> Entry {
        let outcome = if came { WindowOutcome::Happened } else { WindowOutcome::Missed };
        let label = u8::try_from(Pattern::ALL.iter().position(|p| *p == Pattern::FundingAnomaly).unwrap()).unwrap();
        Entry { step: Step::Resolved(outcome), label, ..bare(Ts(0) + Span::mins(minute), market) }
    }

    fn detector(entries: &[Entry], bases: &Bases) -> AlertRow {
        let mut of = entries.to_vec();
        of.sort_by_key(|e| e.issued);
        pattern_rows(ForecastEvent::AlertMove1h, "all", &of, bases).remove(0)
    }

    /// Nine alerts of a market that moves in one of ten windows, one of a market that moves in nine of ten.
    #[test]
    fn a_detector_is_held_against_the_markets_that_it_spoke_of() {
        let entries: Vec<Entry> = (0..10).map(|n| detected(u16::from(n == 9), 600 * n, n % 2 == 0)).collect();
        let got = detector(&entries, &Bases::from([(0, [12_000, 1_200]), (1, [120_000, 108_000])]));
        let base = 0.9 * 0.1 + 0.1 * 0.9;
        assert!((got.lift.unwrap() - 0.5 / base).abs() < 1e-12, "{got:?}");
        let n = 1.0 / (0.81 / 1_000.0 + 0.01 / 10_000.0);
        let want = got.precision_band.unwrap()[0] / wilson_90(base * n, n).unwrap().1;
        assert!((got.lift_low.unwrap() - want).abs() < 1e-12, "{got:?}");
        // Of one market nothing changes; of markets whose windows were not counted nothing is said.
        let one = detector(&entries[..9], &Bases::from([(0, [12_000, 1_200]), (1, [120_000, 108_000])]));
        assert_eq!(one.lift_low, detector(&entries[..9], &Bases::from([(0, [12_000, 1_200])])).lift_low);
        assert_eq!(detector(&entries, &Bases::from([(2, [12_000, 1_200])])).lift, None);
    }

    /// Of the alerts at 0, 30, 89 and 150 min of one market the second and third repeat: each opened within an hour of the one before.
    #[test]
    fn an_alert_within_the_window_of_the_one_before_repeats_it() {
        let of = |minutes: &[(u16, i64)]| {
            let entries: Vec<Entry> = minutes.iter().map(|(market, m)| detected(*market, *m, true)).collect();
            detector(&entries, &Bases::new()).dup_rate
        };
        assert_eq!(of(&[(0, 0), (0, 30), (0, 89), (0, 150)]), Some(0.5));
        assert_eq!(of(&[(0, 0), (1, 30), (0, 60), (1, 90)]), Some(0.0));
    }
}
