//! What a record shows: statistics against their thresholds, and the facts of the event's payload (surveillance §7, payloads §5).

use super::inputs::Inputs;
use super::judge::extremity;
use super::thresholds::Thresholds;
use crate::features::funding_signals::AnomalyReasons;
use crate::liquidations::{Made, Side3};
use barograph_domain::alert::{Datum, Statistic, Word};
use barograph_domain::{Cell, Reason, Span, State, Trigger};

/// Over so long a score of running funding is one; of settlements over longer.
const RUNNING: Span = Span::hours(24);

/// What a record shows.
#[derive(Debug, Default)]
pub struct Shown {
    /// Against thresholds.
    pub statistics: Vec<Statistic>,
    /// The event's payload.
    pub data: Vec<(Word, Datum)>,
}
impl Shown {
    pub(super) fn statistic(
        &mut self,
        name: &'static str,
        cell: &Cell,
        threshold: f64,
        unit: &'static str,
        decides: bool,
    ) {
        let value = cell.ready();
        self.statistics.push(Statistic {
            name: Word::from(name),
            value,
            reason: cell.reason(),
            threshold,
            u: value.map(|x| x.abs() / threshold),
            unit: Word::from(unit),
            kind: cell.kind,
            coverage: if matches!(cell.state, State::Ready) { cell.coverage } else { 0.0 },
            decides,
            uncalibrated: false,
        });
    }

    /// Funding among its own 30 days, against the end it is near to.
    pub(super) fn rank(&mut self, i: &Inputs, t: &Thresholds) {
        let low = i.funding_pct.ready().is_some_and(|p| p < 0.5);
        let limit = if low { 1.0 - t.funding_anomaly_pct } else { t.funding_anomaly_pct };
        self.statistic("funding_pct_30d", &i.funding_pct, limit, "[0,1]", t.own_history);
        if let Some(last) = self.statistics.last_mut() {
            last.u = last.value.map(|p| extremity(p) / t.funding_anomaly_pct);
            last.uncalibrated = t.own_history && last.value.is_none();
        }
    }

    pub(super) fn calibration(&mut self, uncalibrated: bool) {
        if let Some(last) = self.statistics.last_mut() {
            last.uncalibrated = uncalibrated;
        }
    }

    pub(super) fn cell(&mut self, name: &'static str, cell: &Cell) {
        let datum = match cell.reason() {
            None => Datum::Number(cell.value),
            Some(reason) => Datum::Missing(reason),
        };
        self.data.push((Word::from(name), datum));
    }

    pub(super) fn word(&mut self, name: &'static str, word: impl Into<Word>) {
        self.data.push((Word::from(name), Datum::Word(word.into())));
    }

    pub(super) fn number(&mut self, name: &'static str, value: f64) {
        self.data.push((Word::from(name), Datum::Number(value)));
    }

    fn flag(&mut self, name: &'static str, is: bool) {
        self.data.push((Word::from(name), Datum::Flag(is)));
    }

    pub(super) fn words(&mut self, name: &'static str, words: &[&'static str]) {
        self.data.push((Word::from(name), Datum::Words(words.iter().map(|w| Word::from(*w)).collect())));
    }

    pub(super) fn funding(&mut self, i: &Inputs, t: &Thresholds) {
        let (z, change, volatility) =
            (i.funding_zscore.ready(), i.funding_change.ready(), i.funding_volatility.ready());
        let reasons = AnomalyReasons::of(z, change, volatility, &t.funding);
        self.cell("funding_rate", &i.funding_rate);
        self.cell("funding_z_score", &i.funding_zscore);
        match z {
            Some(z) => self.data.push((Word::from("anomaly_score"), Datum::Number(reasons.score(z)))),
            None => self.cell("anomaly_score", &i.funding_zscore),
        }
        self.data.push((Word::from("reasons"), Datum::Words(super::explain::reasons(reasons, z, change, volatility))));
    }

    /// What is paid: of running funding when it settles, of settlements the last one and when it was. A score of a week may be of
    /// settlements while a running rate is there as well.
    pub(super) fn settlement(&mut self, i: &Inputs) {
        if i.funding_window > RUNNING {
            self.cell("settled_rate", &i.settled_rate);
            match i.settled_rate.ready() {
                Some(_) => self.word("settled_at", i.settled_rate.anchor.iso()),
                None => self.cell("settled_at", &i.settled_rate),
            }
            return;
        }
        match i.minutes_to_funding.ready() {
            Some(minutes) => {
                #[expect(clippy::cast_possible_truncation, reason = "settlements are hours apart")]
                let left = Span::secs((minutes * 60.0).round() as i64);
                self.word("settles_at", (i.ts + left).iso());
            }
            None => self.cell("settles_at", &i.minutes_to_funding),
        }
    }

    /// What is paid out first, in the order of the payload (payloads §5).
    fn cascade(&mut self, usd: f64, velocity: f64, side: Option<Side3>, t: &Thresholds) {
        self.number("total_liquidated_usd", usd);
        self.number("velocity_usd_per_hour", velocity);
        match side {
            Some(side) => self.word("side_bias", side.name()),
            None => self.data.push((Word::from("side_bias"), Datum::Missing(Reason::ZeroDenominator))),
        }
        self.number("severity_ratio", velocity / t.liquidations.critical_velocity);
    }

    /// The closes of the burst itself; before the first of them was heard, the reasons of what is not known.
    pub(super) fn burst(&mut self, i: &Inputs, t: &Thresholds) {
        let l = &i.liquidations;
        match &l.made {
            Some(made) => self.made(made, t),
            None => self.unheard(i),
        }
        self.word("trigger", Trigger::Burst.name());
        self.cell("count_60s", &l.count_60s);
    }

    /// What the closes of a burst add up to.
    pub(super) fn made(&mut self, made: &Made, t: &Thresholds) {
        let velocity = made.velocity(t.liquidations.elapsed_floor_h);
        self.cascade(made.usd(), velocity, made.side(t.liquidations.one_sided_share), t);
        self.number("count", f64::from(made.count));
        self.number("liquidated_long_usd", made.long_usd);
        self.number("liquidated_short_usd", made.short_usd);
        self.number("span_s", made.span().as_secs_f64());
        self.number("price_low", made.low);
        self.number("price_high", made.high);
        self.flag("lower_bound", made.lower_bound);
    }

    /// Sums over the window, or lower bounds where it was not heard as a whole.
    pub(super) fn sustained(&mut self, i: &Inputs, t: &Thresholds) {
        let l = &i.liquidations;
        let side =
            |code: f64| [Side3::Balanced, Side3::Long, Side3::Short].into_iter().find(|s| f64::from(*s as u8) >= code);
        match (l.total.ready().zip(l.velocity.ready()), l.so_far) {
            (Some((usd, velocity)), so_far) => {
                self.cascade(usd, velocity, l.side.ready().and_then(side), t);
                self.flag("lower_bound", so_far.is_some());
            }
            (None, Some(so_far)) => {
                self.cascade(so_far.usd, so_far.velocity, so_far.side, t);
                self.flag("lower_bound", true);
            }
            (None, None) => self.unheard(i),
        }
        self.word("trigger", Trigger::Sustained.name());
        self.cell("count_60s", &l.count_60s);
    }

    fn unheard(&mut self, i: &Inputs) {
        let l = &i.liquidations;
        self.cell("total_liquidated_usd", &l.total);
        self.cell("velocity_usd_per_hour", &l.velocity);
        self.cell("side_bias", &l.side);
        self.cell("severity_ratio", &l.severity_ratio);
    }
}
