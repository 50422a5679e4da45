//! A week of decisions: how many, taken and skipped by verdict, what came of each group, whether confidence said anything.
//!
//! Decisions belong to the ISO week of their bar's close, in UTC. Skipped ones are resolved like taken ones, so that both can be
//! compared. Win rates carry the 95 % Wilson interval; a confidence gap needs 30 resolved trades in either group.

use super::log::{ArmOutcome, PaperDecision, PaperOutcome, PaperRecord, PaperStart};
use barograph_domain::advice::Verdict;
use barograph_domain::paper::{
    ConfidenceReview, GroupOutcome, ListedTrade, PaperEnd, PaperReview, PaperView, PaperWeek,
};
use barograph_domain::{Span, Ts};
use barograph_engine::advice::wilson;
use barograph_engine::kpi::TradeExit;
use std::collections::BTreeMap;

/// 97.5 % quantile of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;
/// Confidence below which a decision is an event of its own (R2.47).
const LOW: f64 = 0.4;
const HIGH: f64 = 0.7;
/// Decisions of a week that are listed at most.
const DECISIONS: usize = 1_000;
const GROUP_MIN: u32 = 30;
/// Best and worst trades that are listed.
const LISTED: usize = 3;
const WEEK: Span = Span::days(7);
/// 1970-01-05, a Monday.
const MONDAY: Ts = Ts(4 * 86_400_000_000_000);

/// Monday 00:00 UTC of an ISO week such as `2026-W08`; `None` for anything else.
pub fn week_start(text: &str) -> Option<Ts> {
    let (year, week) = text.split_once("-W")?;
    let (year, week) = (year.parse::<i64>().ok().filter(|y| (1970..2200).contains(y))?, week.parse::<i64>().ok()?);
    // The fourth of January lies in the first week.
    let first = monday_of(Ts::from_civil(year, 1, 4, 0, 0, 0));
    let start = first + WEEK.times(week - 1);
    (text.len() == 8 && week >= 1 && week_name(start) == text).then_some(start)
}

fn monday_of(t: Ts) -> Ts {
    MONDAY + WEEK.times((t - MONDAY).0.div_euclid(WEEK.0))
}

/// The ISO week of an instant.
pub fn week_name(t: Ts) -> String {
    let monday = monday_of(t);
    // A week belongs to the year of its Thursday.
    let year = (monday + Span::days(3)).civil().0;
    let first = monday_of(Ts::from_civil(year, 1, 4, 0, 0, 0));
    format!("{year:04}-W{:02}", (monday - first).0 / WEEK.0 + 1)
}

struct Case<'a> {
    decision: &'a PaperDecision,
    outcome: Option<&'a PaperOutcome>,
}

impl Case<'_> {
    fn context(&self) -> Option<&ArmOutcome> {
        self.outcome.map(|o| &o.context)
    }
    fn end(&self) -> PaperEnd {
        match self.context().map(|c| c.exit) {
            None => PaperEnd::Open,
            Some(None) => PaperEnd::Unresolved,
            Some(Some(TradeExit::Target)) => PaperEnd::Target,
            Some(Some(TradeExit::Stop)) => PaperEnd::Stop,
            Some(Some(TradeExit::Time)) => PaperEnd::Time,
        }
    }
    fn listed(&self) -> ListedTrade {
        let d = self.decision;
        ListedTrade {
            id: d.id.clone(),
            market: d.market.clone(),
            strategy: d.strategy.clone(),
            readings: d.readings(),
            bar_close: d.bar_close,
            side: d.side,
            entry: d.entry,
            verdict: d.verdict,
            reasons: d.reasons.clone(),
            taken: d.taken,
            skipped: d.skipped.clone(),
            confidence: d.confidence,
            end: self.end(),
            ended_at: self.context().and_then(|c| c.exit_ts),
            r_after_costs: self.context().and_then(|c| c.r_after_costs),
            plain_r_after_costs: self.outcome.and_then(|o| o.plain.r_after_costs),
        }
    }
}

/// When something was decided or passed over.
fn moment(record: &PaperRecord) -> Option<Ts> {
    match record {
        PaperRecord::Decision(d) => Some(d.bar_close),
        PaperRecord::NotMade(n) => Some(n.ts),
        PaperRecord::Started(_) | PaperRecord::LowConfidence { .. } | PaperRecord::Outcome(_) => None,
    }
}

/// Decisions of a week with what came of each, in the order of the log.
fn cases(records: &[PaperRecord], from: Ts) -> Vec<Case<'_>> {
    let mut outcomes: BTreeMap<&str, &PaperOutcome> = BTreeMap::new();
    let mut decisions: Vec<&PaperDecision> = Vec::new();
    for record in records {
        match record {
            PaperRecord::Outcome(o) => {
                outcomes.insert(&o.id, o);
            }
            PaperRecord::Decision(d) if is_of(from, d.bar_close) => decisions.push(d),
            PaperRecord::Decision(_)
            | PaperRecord::NotMade(_)
            | PaperRecord::Started(_)
            | PaperRecord::LowConfidence { .. } => {}
        }
    }
    let with = |d: &&'_ PaperDecision| outcomes.get(d.id.as_str()).copied();
    decisions.iter().map(|d| Case { decision: d, outcome: with(d) }).collect()
}

fn is_of(from: Ts, t: Ts) -> bool {
    from <= t && t < from + WEEK
}

/// Of a week that begins then, else of the newest line's; `None` where nothing was decided or passed over.
pub fn review(records: &[PaperRecord], week: Option<Ts>) -> Option<PaperReview> {
    let newest = records.iter().filter_map(moment).max()?;
    let from = week.unwrap_or_else(|| monday_of(newest));
    let mut not_made: BTreeMap<String, u32> = BTreeMap::new();
    for record in records {
        if let PaperRecord::NotMade(n) = record
            && is_of(from, n.ts)
        {
            *not_made.entry(n.reason.clone()).or_default() += 1;
        }
    }
    let cases = cases(records, from);
    let mut by_strategy: BTreeMap<String, u32> = BTreeMap::new();
    for case in &cases {
        *by_strategy.entry(case.decision.strategy.clone()).or_default() += 1;
    }
    let of = |wanted: Wanted<'_>| group(cases.iter().filter(|c| wanted(c.decision)));
    let mut ranked: Vec<ListedTrade> =
        cases.iter().map(Case::listed).filter(|l| l.taken && l.r_after_costs.is_some()).collect();
    ranked.sort_by(|a, b| b.r_after_costs.unwrap_or(0.0).total_cmp(&a.r_after_costs.unwrap_or(0.0)));
    Some(PaperReview {
        week: week_name(from),
        from,
        until: from + WEEK,
        by_strategy,
        all: of(&|_| true),
        taken: of(&|d| d.taken),
        skipped: of(&|d| !d.taken),
        by_verdict: [Verdict::Allow, Verdict::Caution, Verdict::Avoid]
            .into_iter()
            .map(|v| (v.name(), of(&|d| d.verdict == v)))
            .collect(),
        confidence: confidence(&of),
        low_confidence: cases.iter().filter(|c| c.decision.is_unsure()).map(Case::listed).collect(),
        not_made,
        best: ranked.iter().take(LISTED).cloned().collect(),
        worst: ranked.iter().rev().take(LISTED).cloned().collect(),
    })
}

/// The weeks of a log, and one of them in full: the one that begins then, else the newest.
pub fn view(records: &[PaperRecord], week: Option<Ts>) -> PaperView {
    let mut weeks: BTreeMap<Ts, u32> = BTreeMap::new();
    for record in records {
        let Some(t) = moment(record) else { continue };
        *weeks.entry(monday_of(t)).or_default() += u32::from(matches!(record, PaperRecord::Decision(_)));
    }
    let started = last_start(records);
    let review = review(records, week);
    let listed = review.as_ref().map(|r| cases(records, r.from)).unwrap_or_default();
    PaperView {
        weeks: weeks
            .iter()
            .rev()
            .map(|(from, decisions)| PaperWeek { week: week_name(*from), from: *from, decisions: *decisions })
            .collect(),
        more: u32::try_from(listed.len().saturating_sub(DECISIONS)).unwrap_or(u32::MAX),
        decisions: listed.iter().rev().take(DECISIONS).map(Case::listed).collect(),
        review,
        started_at: started.map(|s| s.ts),
        strategy: started.map(|s| s.strategy.clone()),
    }
}

fn last_start(records: &[PaperRecord]) -> Option<&PaperStart> {
    records.iter().rev().find_map(|r| if let PaperRecord::Started(s) = r { Some(s) } else { None })
}

/// The strategy that the log followed last.
pub fn followed(records: &[PaperRecord]) -> Option<&str> {
    last_start(records).map(|s| s.strategy.as_str())
}

/// Which decisions a group is of.
type Wanted<'a> = &'a dyn Fn(&PaperDecision) -> bool;

fn confidence(of: &dyn Fn(Wanted<'_>) -> GroupOutcome) -> ConfidenceReview {
    let above_07 = of(&|d| d.confidence.is_some_and(|c| c > HIGH));
    let below_04 = of(&|d| d.confidence.is_some_and(|c| c < LOW));
    let enough = above_07.resolved.min(below_04.resolved) >= GROUP_MIN;
    let gap = above_07.win_rate.zip(below_04.win_rate).filter(|_| enough).map(|(a, b)| a - b);
    ConfidenceReview {
        between: of(&|d| d.confidence.is_some_and(|c| (LOW..=HIGH).contains(&c))),
        null: of(&|d| d.confidence.is_none()),
        gap,
        gap_missing: gap.is_none().then_some("too few"),
        above_07,
        below_04,
    }
}

fn group<'a>(cases: impl Iterator<Item = &'a Case<'a>>) -> GroupOutcome {
    let mut g = GroupOutcome::default();
    let (mut r, mut net, mut plain) = (0.0, 0.0, (0.0, 0_u32));
    for case in cases {
        g.decisions += 1;
        let Some(outcome) = case.outcome else {
            g.open += 1;
            continue;
        };
        let (Some(own), Some(after)) = (outcome.context.r, outcome.context.r_after_costs) else {
            g.unresolved += 1;
            continue;
        };
        g.resolved += 1;
        g.won += u32::from(own > 0.0);
        r += own;
        net += after;
        if let Some(x) = outcome.plain.r_after_costs {
            plain = (plain.0 + x, plain.1 + 1);
        }
    }
    let mean = |sum: f64, n: u32| (n > 0).then(|| sum / f64::from(n));
    g.win_rate = mean(f64::from(g.won), g.resolved);
    g.win_rate_band = wilson(g.won, g.resolved, Z_95);
    g.mean_r = mean(r, g.resolved);
    g.mean_r_after_costs = mean(net, g.resolved);
    g.plain_mean_r_after_costs = mean(plain.0, plain.1);
    g
}

#[cfg(test)]
mod tests {
    use super::super::log::parse;
    use super::*;

    /// Lines as they are logged: a decision at a bar's close, and what came of it.
    fn decision(close: &str, verdict: &str, taken: bool, confidence: Option<f64>) -> String {
        let reason = if confidence.is_some_and(|c| c < LOW) { "low_confidence" } else { "x" };
        let confidence = confidence.map_or("null".to_owned(), |c| c.to_string());
        format!(
            r#"{{"type":"DECISION","id":"{close}","ts":"{close}","market":"binance-usdm:BTCUSDT","side":"long","bar_close":"{close}","entry":100,"vwap":99,"volume_ratio":2,"verdict":"{verdict}","decided_by":"ok","reasons":["{reason}"],"confidence":{confidence},"confidence_kind":"calibrated","taken":{taken},"skipped":null,"size":null,"risk_fraction":null,"atr_14":1,"stop":98,"target":103,"target_source":"ratio","planned_rr":1.5,"plain_stop":98.5,"plain_target":102,"session":null,"snapshot_id":null,"logic_version":null,"timeframe_s":900,"horizon_s":3600,"cost_share":0.001}}"#
        )
    }
    fn outcome(id: &str, ts: &str, r: Option<f64>) -> String {
        let arm = |r: Option<f64>| match r {
            Some(r) => {
                let exit = if r > 0.0 { "target" } else { "stop" };
                format!(
                    r#"{{"exit":"{exit}","exit_ts":"{ts}","exit_price":1,"r":{r},"r_after_costs":{},"unresolved":null}}"#,
                    r - 0.1
                )
            }
            None => {
                r#"{"exit":null,"exit_ts":null,"exit_price":null,"r":null,"r_after_costs":null,"unresolved":"gap"}"#
                    .to_owned()
            }
        };
        format!(r#"{{"type":"OUTCOME","id":"{id}","ts":"{ts}","context":{},"plain":{}}}"#, arm(r), arm(r.map(|_| -1.0)))
    }

    fn log() -> Vec<PaperRecord> {
        let lines = [
            decision("2026-02-16T00:15:00Z", "ALLOW", true, Some(0.8)),
            outcome("2026-02-16T00:15:00Z", "2026-02-16T02:00:00Z", Some(1.5)),
            decision("2026-02-16T04:00:00Z", "CAUTION", true, Some(0.39)),
            outcome("2026-02-16T04:00:00Z", "2026-02-16T05:00:00Z", None),
            decision("2026-02-22T23:45:00Z", "AVOID", false, None),
            outcome("2026-02-22T23:45:00Z", "2026-02-23T08:00:00Z", Some(-1.0)),
            r#"{"type":"NOT_MADE","ts":"2026-02-23T00:00:00Z","market":null,"id":null,"reason":"late","detail":""}"#
                .to_owned(),
            decision("2026-02-23T00:15:00Z", "ALLOW", true, Some(0.5)),
            decision("2026-02-23T00:30:00Z", "ALLOW", true, Some(0.5)).replace(
                r#""vwap":99,"volume_ratio":2"#,
                r#""strategy":"multi_tf","readings":{"fast":101.5,"slow":101}"#,
            ),
        ];
        parse(format!("{}\n", lines.join("\n")).as_bytes()).unwrap()
    }

    #[test]
    fn a_week_has_its_decisions_with_what_came_of_them_even_later() {
        let view = view(&log(), week_start("2026-W08"));
        let weeks: Vec<(&str, u32)> = view.weeks.iter().map(|w| (w.week.as_str(), w.decisions)).collect();
        assert_eq!(weeks, [("2026-W09", 2), ("2026-W08", 3)]);
        let review = view.review.unwrap();
        assert_eq!((review.all.decisions, review.all.resolved, review.all.unresolved, review.all.open), (3, 2, 1, 0));
        assert_eq!((review.taken.won, review.taken.win_rate, review.skipped.mean_r), (1, Some(1.0), Some(-1.0)));
        assert_eq!((review.taken.mean_r_after_costs, review.taken.plain_mean_r_after_costs), (Some(1.4), Some(-1.1)));
        assert_eq!((review.confidence.below_04.decisions, review.confidence.null.decisions), (1, 1));
        assert_eq!((review.low_confidence.len(), review.not_made.len()), (2, 0));
        let ends: Vec<PaperEnd> = view.decisions.iter().map(|d| d.end).collect();
        assert_eq!(ends, [PaperEnd::Stop, PaperEnd::Unresolved, PaperEnd::Target], "the newest first");
    }

    #[test]
    fn without_a_week_it_is_the_newest_and_without_a_log_there_is_none() {
        let newest = view(&log(), None);
        let review = newest.review.unwrap();
        assert_eq!((review.week.as_str(), review.all.open, review.not_made["late"]), ("2026-W09", 2, 1));
        assert_eq!(newest.decisions[0].end, PaperEnd::Open);
        let empty = view(&[], None);
        assert_eq!((empty.review, empty.weeks.len(), empty.decisions.len()), (None, 0, 0));
    }

    /// Lines of the time of one strategy say neither its name nor readings as a map.
    #[test]
    fn decisions_name_their_strategy_and_what_it_read() {
        let newest = view(&log(), None);
        let of: Vec<(&str, Vec<(&str, f64)>)> = newest
            .decisions
            .iter()
            .map(|d| (d.strategy.as_str(), d.readings.iter().map(|(k, v)| (k.as_str(), *v)).collect()))
            .collect();
        let old = ("volume_vwap", vec![("volume_ratio", 2.0), ("vwap", 99.0)]);
        assert_eq!(of, [("multi_tf", vec![("fast", 101.5), ("slow", 101.0)]), old]);
        let by: Vec<(String, u32)> = newest.review.unwrap().by_strategy.into_iter().collect();
        assert_eq!(by, [("multi_tf".to_owned(), 1), ("volume_vwap".to_owned(), 1)]);
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (day, name) in [
            ((2026, 1, 1), "2026-W01"),
            ((2025, 12, 29), "2026-W01"),
            ((2024, 12, 30), "2025-W01"),
            ((2021, 1, 3), "2020-W53"),
            ((2026, 2, 22), "2026-W08"),
            ((2026, 2, 23), "2026-W09"),
        ] {
            let t = Ts::from_civil(day.0, day.1, day.2, 12, 0, 0);
            assert_eq!(week_name(t), name, "{day:?}");
            let start = week_start(name).unwrap();
            assert!(start <= t && t < start + WEEK, "{name} begins at {start}");
        }
        for wrong in ["2026-W00", "2025-W53", "2026-08", "2026-W8", "W08", "2026-W54"] {
            assert_eq!(week_start(wrong), None, "{wrong}");
        }
    }
}
