//! Readings that have moved and forecasts that have been worse than persistence, as episodes (verification §5).
//!
//! The ledger says once a week how far readings lie from the weeks before, and once a day how good forecasts were; a book may ask to
//! hear of it. A reading's record belongs to its market; that of a group's forecasts to the group's first market by name. An episode
//! about a reading goes on while the index is above four fifths of its limit, one about forecasts while they are estimated below
//! theirs.

use super::episode::{DueRecord, Episode};
use super::judge::{Judgement, RuleFinding};
use super::shown::Shown;
use crate::rules::{DriftLimit, DriftRule, DriftRules, SkillRule};
use barograph_domain::alert::{AlertChange, BaseRate, Statistic, Word};
use barograph_domain::forecast::{FeatureDrift, GroupSkill, LedgerTick, SymbolGroup};
use barograph_domain::time::LATENESS;
use barograph_domain::{Alert, InstrumentName, Kind, KnownAlert, Pattern, Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Part of its limit above which an index keeps an episode open.
const KEEP: f64 = 0.8;
const WEEK: Span = Span::days(7);
const MONTH: Span = Span::days(30);
const QUARTER: Span = Span::days(90);
/// Values of a week on the grid.
const WEEK_VALUES: f32 = 2_016.0;

/// A record about a market's readings or its group's forecasts.
#[derive(Clone, PartialEq, Debug)]
pub struct DriftAlert {
    /// The market that the record is kept with.
    pub instrument: InstrumentName,
    /// The record, and when it was known: with its tick.
    pub known: KnownAlert,
}

/// One rule at one market, or of one group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Watched {
    episode: Episode,
    /// Since when it has held without a break.
    pending: Option<Ts>,
    /// When it was first judged.
    since: Option<Ts>,
    /// When episodes of the last 90 days began.
    began: Vec<Ts>,
}

/// All rules of a book, at all markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct DriftWatches {
    /// By rule and by market or group.
    of: BTreeMap<(String, String), Watched>,
}

impl DriftWatches {
    /// Judges what a tick says of weeks and days that are over.
    pub fn step(&mut self, tick: &LedgerTick, rules: &DriftRules) -> Vec<DriftAlert> {
        let mut out = Vec::new();
        if rules.is_empty() || (tick.drift.is_empty() && tick.skills.is_empty()) {
            return out;
        }
        let mut tell = |instrument: &InstrumentName, alert: Option<Alert>| {
            let known = |alert| KnownAlert { known_at: tick.ts + LATENESS, alert };
            out.extend(alert.map(|alert| DriftAlert { instrument: instrument.clone(), known: known(alert) }));
        };
        for rule in rules.drifts.iter().filter(|_| !tick.drift.is_empty()) {
            for (at, market) in (0..).zip(tick.markets.iter()) {
                let mut own = tick.drift.iter().filter(|d| d.market == at).peekable();
                if own.peek().is_some() {
                    let found = own.find(|d| *d.feature == *rule.feature.id());
                    tell(market, self.of(&rule.id, market.to_string()).drift(tick.ts, rule, found));
                }
            }
        }
        for rule in rules.skills.iter().filter(|_| !tick.skills.is_empty()) {
            for group in SymbolGroup::ALL {
                let Some(first) = tick.markets.iter().find(|m| SymbolGroup::of(m) == group) else { continue };
                let found = tick.skills.iter().find(|s| (s.event, s.group) == (rule.event, group));
                tell(first, self.of(&rule.id, group.id().to_owned()).skill(tick.ts, rule, found));
            }
        }
        out
    }

    fn of(&mut self, rule: &str, whose: String) -> &mut Watched {
        self.of.entry((rule.to_owned(), whose)).or_default()
    }
}

impl Watched {
    fn drift(&mut self, t: Ts, rule: &DriftRule, found: Option<&FeatureDrift>) -> Option<Alert> {
        let limit = |f: &FeatureDrift| match rule.above {
            DriftLimit::OwnWeeks => f.p95.map(|p| p.max(FeatureDrift::LARGE)),
            DriftLimit::Index(x) => Some(x.max(f64::MIN_POSITIVE)),
        };
        let judged = found.and_then(|f| Some((f, limit(f)?)));
        let judgement = judged.map_or(Judgement::NoData, |(f, limit)| {
            let u = f.psi / limit;
            Judgement::Of(RuleFinding { fires: u > 1.0, u, severity: rule.severity })
        });
        let report = self.step(t, &judgement, KEEP)?;
        let mut shown = Shown::default();
        shown.word("feature", rule.feature.id());
        if let Some((f, limit)) = judged {
            shown.statistics.push(statistic("psi", "index", f.psi, limit));
            if let Some(statistic) = shown.statistics.last_mut() {
                statistic.coverage = f32::from(u16::try_from(f.n).unwrap_or(u16::MAX)) / WEEK_VALUES;
            }
            shown.number("psi", f.psi);
            shown.number("psi_limit", limit);
            shown.number("weeks", f64::from(f.weeks));
        }
        Some(self.record(Pattern::FeatureDrift, (t, t - WEEK), &rule.id, &report, shown))
    }

    fn skill(&mut self, t: Ts, rule: &SkillRule, found: Option<&GroupSkill>) -> Option<Alert> {
        let below = found.is_some_and(|s| s.band.is_some_and(|[_, high]| high < rule.below));
        self.pending = if below { self.pending.or(Some(t)) } else { None };
        let lasted = self.pending.is_some_and(|since| t - since >= rule.lasts);
        let judgement = found.map_or(Judgement::NoData, |s| {
            let u = if s.skill < rule.below { 1.0 } else { 0.0 };
            Judgement::Of(RuleFinding { fires: lasted, u, severity: rule.severity })
        });
        let report = self.step(t, &judgement, KEEP)?;
        let mut shown = Shown::default();
        shown.word("event", rule.event.id());
        if let Some(s) = found {
            shown.statistics.push(statistic("brier_skill_30d", "skill", s.skill, rule.below));
            shown.word("group", s.group.id());
            shown.number("skill", s.skill);
            for (name, x) in ["skill_low", "skill_high"].into_iter().zip(s.band.into_iter().flatten()) {
                shown.number(name, x);
            }
            shown.number("forecasts", f64::from(s.n));
            shown.number("separate", f64::from(s.separate));
        }
        Some(self.record(Pattern::SkillLost, (t, t - MONTH), &rule.id, &report, shown))
    }

    fn step(&mut self, t: Ts, judgement: &Judgement, keep: f64) -> Option<DueRecord> {
        if matches!(judgement, Judgement::Of(_)) {
            self.since.get_or_insert(t);
        }
        self.episode.step(t, judgement, keep, Span::ZERO)
    }

    fn record(&mut self, pattern: Pattern, (t, from): (Ts, Ts), id: &str, report: &DueRecord, shown: Shown) -> Alert {
        let opened = report.of.opened_at;
        let within = |span: Span| self.began.iter().filter(|at| **at > t - span && **at < opened).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let known = |span: Span| self.since.map_or(0.0, |since| (t - since).min(span).as_days_f64());
        let base_rate = BaseRate {
            fired_90d: count(within(QUARTER)),
            fired_30d: count(within(MONTH)),
            known_days: known(QUARTER),
            known_days_30d: Some(known(MONTH)),
            held_share_90d: None,
        };
        if report.change == AlertChange::Opened {
            self.began.retain(|at| *at > t - QUARTER);
            self.began.push(opened);
        }
        let Shown { statistics, data } = shown;
        let rule = Some(Word::from(id.to_owned()));
        Alert { window_from: from, statistics, data, base_rate, rule, ..report.record(pattern, t) }
    }
}

fn statistic(name: &'static str, unit: &'static str, value: f64, threshold: f64) -> Statistic {
    Statistic {
        name: Word::from(name),
        value: Some(value),
        reason: None,
        threshold,
        u: None,
        unit: Word::from(unit),
        kind: Kind::Measured,
        coverage: 1.0,
        decides: true,
        uncalibrated: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Feature;
    use crate::detect::explain::description;
    use barograph_domain::forecast::ForecastEvent;
    use barograph_domain::{AlertState, Severity};

    fn rules() -> DriftRules {
        let drift = |id: &str, above| DriftRule {
            id: id.to_owned(),
            feature: Feature::RealizedVol1h,
            above,
            severity: Severity::Low,
        };
        let skill = SkillRule {
            id: "worse".to_owned(),
            event: ForecastEvent::HighVol1h,
            below: 0.0,
            lasts: Span::days(2),
            severity: Severity::Medium,
        };
        DriftRules {
            drifts: vec![drift("own", DriftLimit::OwnWeeks), drift("one", DriftLimit::Index(1.0))],
            skills: vec![skill],
        }
    }

    fn tick(day: i64) -> LedgerTick {
        let markets = ["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT"].map(|n| InstrumentName::parse(n).unwrap());
        LedgerTick { ts: Ts(0) + Span::days(day), markets: markets.into(), ..LedgerTick::default() }
    }

    fn weekly(week: i64, psi: Option<f64>, p95: Option<f64>) -> LedgerTick {
        let one = |feature: &str, psi| FeatureDrift {
            market: 1,
            feature: feature.into(),
            psi,
            by_chance: 0.01,
            n: 2_016,
            reference: 26_208,
            weeks: 40,
            p80: p95,
            p95,
        };
        let found = psi.map(|psi| one(Feature::RealizedVol1h.id(), psi));
        LedgerTick { drift: found.into_iter().chain([one("other", 9.0)]).collect(), ..tick(7 * week) }
    }

    /// What each rule said, week by week.
    fn told(weeks: &[(Option<f64>, Option<f64>)]) -> Vec<(i64, String, AlertChange)> {
        let mut watches = DriftWatches::default();
        let mut out = Vec::new();
        for (week, (psi, p95)) in (0..).zip(weeks) {
            for a in watches.step(&weekly(week, *psi, *p95), &rules()) {
                assert_eq!(a.instrument.symbol, "ETHUSDT");
                out.push((week, a.known.alert.rule.unwrap_or_default().into_owned(), a.known.alert.change));
            }
            // A stop in between changes nothing.
            watches = postcard::from_bytes(&postcard::to_allocvec(&watches).unwrap()).unwrap();
        }
        out
    }

    #[test]
    fn an_index_opens_above_its_limit_and_closes_below_four_fifths_of_it() {
        use AlertChange::{Closed, Opened, Resumed, Suspended};
        let at = |week, rule: &str, change| (week, rule.to_owned(), change);
        let p95 = Some(0.5);
        let weeks =
            [(Some(0.6), p95), (Some(0.45), p95), (Some(0.39), p95), (Some(1.1), p95), (None, None), (Some(0.7), p95)];
        let want = [
            at(0, "own", Opened),
            at(2, "own", Closed),
            at(3, "own", Opened),
            at(3, "one", Opened),
            at(4, "own", Suspended),
            at(4, "one", Suspended),
            at(5, "own", Resumed),
            at(5, "one", Closed),
        ];
        assert_eq!(told(&weeks), want);
        // Small is small, however quiet the weeks before were; and before there are enough of them nothing is said.
        assert_eq!(told(&[(Some(0.24), Some(0.1)), (Some(0.9), None)]), []);
    }

    #[test]
    fn a_skill_must_stay_below_and_is_said_of_the_group() {
        let mut watches = DriftWatches::default();
        let mut said = Vec::new();
        for (day, (skill, high)) in (0..).zip([(-0.2, -0.1), (-0.2, -0.1), (-0.2, -0.1), (-0.05, 0.1), (0.02, 0.1)]) {
            let group = SymbolGroup::Eth;
            let one = GroupSkill {
                event: ForecastEvent::HighVol1h,
                group,
                skill,
                band: Some([-0.4, high]),
                n: 900,
                separate: 90,
            };
            let tick = LedgerTick { skills: vec![one], ..tick(day) };
            said.extend(watches.step(&tick, &rules()).into_iter().map(|a| (day, a)));
        }
        let changes: Vec<(i64, AlertChange)> = said.iter().map(|(day, a)| (*day, a.known.alert.change)).collect();
        assert_eq!(changes, [(2, AlertChange::Opened), (4, AlertChange::Closed)]);
        let alert = &said[0].1.known.alert;
        assert_eq!(
            (alert.severity, alert.state, alert.pattern),
            (Severity::Medium, AlertState::Open, Pattern::SkillLost)
        );
        assert_eq!((said[0].1.instrument.symbol.as_str(), alert.number("skill_high")), ("ETHUSDT", Some(-0.1)));
        assert_eq!(
            description(alert),
            "Brier skill over persistence in 30 days, markets of eth: −0.20, 90 % band −0.40 to −0.10, of 900 forecasts. First time \
             on this market in 2 days of data."
        );
    }

    #[test]
    fn a_week_that_moved_is_said_in_words() {
        let said = DriftWatches::default().step(&weekly(0, Some(0.6), Some(0.5)), &rules());
        let alert = &said[0].known.alert;
        assert_eq!(
            description(alert),
            "1 h volatility last week differs from the 13 weeks before: PSI 0.60 (alert at 0.50)."
        );
    }
}
