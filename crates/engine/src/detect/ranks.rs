//! What rarity has to remember of one market: the greatest readings of 90 days, what it made of open episodes, and the labels that
//! stand and were called less severe than the book has them.
//!
//! A crash is seldom most extreme at the moment a label changes. So a label that stands is reported once more, with its own severity,
//! when the reading behind it exceeds everything of the last 90 days, and again after a day when it does so again. How severity is decided is
//! [`super::rarity`].

use super::changes::Happening;
use super::inputs::Inputs;
use super::judge::RuleFinding;
use super::lifts::LiftReading;
use super::rarity::{Extremes, KeptBy, Occurrence, PEAK_FRESH, PEAK_OF, Ranked, SeverityBy, SeverityTable};
use super::shown::Shown;
use barograph_domain::alert::{BaseRate, Datum, Word};
use barograph_domain::regime::Label as _;
use barograph_domain::{Cell, Pattern, RiskRegime, Severity, Span, Trigger, Ts, VolRegime};
use serde::{Deserialize, Serialize};

/// Readings whose greatest values are remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Peak {
    Vol1h,
    Vol24h,
    Move24h,
    FundingScore,
}

impl Peak {
    const ALL: [Self; 4] = [Self::Vol1h, Self::Vol24h, Self::Move24h, Self::FundingScore];

    /// The feature.
    const fn name(self) -> &'static str {
        match self {
            Self::Vol1h => "realized_vol_1h",
            Self::Vol24h => "realized_vol_24h",
            Self::Move24h => "price_change_24h",
            Self::FundingScore => "funding_zscore_24h",
        }
    }

    const fn of(self, inputs: &Inputs) -> &Cell {
        match self {
            Self::Vol1h => &inputs.volatility_1h,
            Self::Vol24h => &inputs.volatility,
            Self::Move24h => &inputs.move_24h,
            Self::FundingScore => &inputs.funding_zscore,
        }
    }

    /// The readings that say how extreme a label is, the clearest first; labels that ask for no care have none. A day can be
    /// the wildest of a quarter without its wildest hour, so HIGH_VOL goes by three.
    fn behind(trigger: Option<Trigger>, label: u16) -> &'static [Self] {
        match trigger {
            Some(Trigger::Risk) if label == u16::from(RiskRegime::HighVol.code()) => {
                &[Self::Vol1h, Self::Vol24h, Self::Move24h]
            }
            Some(Trigger::Risk) if label == u16::from(RiskRegime::SqueezeRisk.code()) => &[Self::FundingScore],
            Some(Trigger::Volatility) => &[Self::Vol24h],
            Some(Trigger::Risk | Trigger::Trend | Trigger::Heat | Trigger::Burst | Trigger::Sustained) | None => &[],
        }
    }
}

/// The episodes of one detector, or of one pair.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rank {
    extremes: Extremes,
    running: Option<Ranked>,
}

impl Rank {
    /// A finding with the severity that people hear of.
    pub(super) fn take(
        &mut self,
        pattern: Pattern,
        (t, is_open): (Ts, bool),
        finding: RuleFinding,
        (rate, lift): (impl FnOnce() -> BaseRate, Option<LiftReading>),
        table: &SeverityTable,
    ) -> RuleFinding {
        if table.by == SeverityBy::Fixed {
            return finding;
        }
        let peak = self.extremes.take(t, finding.u);
        if !finding.fires {
            return finding;
        }
        let occurrence = Occurrence { peak, lift, ..Occurrence::of(pattern, finding.severity) };
        let new = table.rank(&occurrence, &rate());
        let fixed = self.running.filter(|_| is_open).map_or(new.fixed, |old| old.fixed.max(new.fixed));
        let worse = self.running.filter(|old| is_open && old.severity >= new.severity);
        self.running = Some(Ranked { fixed, ..worse.unwrap_or(new) });
        RuleFinding { severity: new.severity, ..finding }
    }

    /// Notes in the facts of a record what rarity did to its episode.
    pub(super) fn note(&self, table: &SeverityTable, data: &mut Vec<(Word, Datum)>) {
        if let Some(ranked) = self.running.filter(|_| table.by == SeverityBy::Rarity) {
            ranked.note(data);
        }
    }
}

/// A label is reported so often, at most, for readings beyond all others.
const LOUD_EVERY: Span = barograph_domain::time::DAY;

/// A label that is more severe than what is common, while it stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Standing {
    /// Pattern, axis and code of the label.
    happening_of: (Pattern, Option<Trigger>, u16),
    entered: Ts,
    ranked: Ranked,
    rate: BaseRate,
    data: Vec<(Word, Datum)>,
    /// When it was last reported with the severity that the book gives it.
    loud_at: Option<Ts>,
    /// Records of it so far.
    records: u32,
}

/// Labels of one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct LabelRanks {
    extremes: [Extremes; Peak::ALL.len()],
    /// Of the risk and the volatility axis.
    standing: [Option<Standing>; 2],
    /// Until when readings beyond all others are reported on these axes: while the label stands that was reported for one.
    told: [Option<Ts>; 2],
    /// Such a label stands.
    loud: [bool; 2],
    /// What was measured of the label that is being judged; asked anew each time.
    #[serde(skip)]
    lift: Option<LiftReading>,
}

/// A label is reported once more.
#[derive(Debug)]
pub(super) struct Risen {
    /// What it is, as of now.
    pub(super) happening: Happening,
    /// When the label was entered.
    pub(super) entered: Ts,
    /// When the alert began: with the label, or now where the label was reported before with the severity that it has.
    pub(super) opened: Ts,
    /// How often it was entered before that.
    pub(super) rate: BaseRate,
    /// Which record of it this is, from 2 on.
    pub(super) revision: u32,
}

impl LabelRanks {
    /// Takes the readings of a minute.
    #[inline]
    pub(super) fn read(&mut self, inputs: &Inputs) {
        for (peak, extremes) in Peak::ALL.into_iter().zip(&mut self.extremes) {
            if let Some(value) = peak.of(inputs).ready() {
                extremes.take(inputs.ts, value.abs());
            }
        }
    }

    /// What was measured of the label that is judged next.
    pub(super) const fn measured(&mut self, lift: Option<LiftReading>) {
        self.lift = lift;
    }

    /// A label came so often before: its severity, noted in its facts.
    pub(super) fn entered(&mut self, happening: &mut Happening, t: Ts, rate: &BaseRate, table: &SeverityTable) {
        let place = place_of(happening.trigger).filter(|_| is_label(happening.pattern));
        let (ranked, peak) = self.rank(happening, &happening.shown.data, t, PEAK_FRESH, rate, table);
        if let Some(place) = place {
            self.loud[place] = false;
            let Happening { pattern, trigger, which, .. } = *happening;
            let standing = || Standing {
                happening_of: (pattern, trigger, which),
                entered: t,
                ranked,
                rate: *rate,
                data: happening.shown.data.clone(),
                loud_at: (ranked.severity == ranked.fixed).then_some(t),
                records: 1,
            };
            let may_rise = ranked.severity < ranked.fixed || ranked.fixed >= Severity::High;
            self.standing[place] = may_rise.then(standing);
        }
        self.note(happening, ranked, peak, t);
    }

    /// Labels that stand and whose reading has just exceeded everything before: a storm that goes on for days is news again when it
    /// is worse than it was, once a day at most.
    pub(super) fn risen(&mut self, inputs: &Inputs, table: &SeverityTable, mut emit: impl FnMut(Risen)) {
        // Only what is beyond everything before is reported again, and that stays loud by itself.
        self.lift = None;
        for place in 0..self.standing.len() {
            let loud_at = self.standing[place].as_ref().and_then(|standing| standing.loud_at);
            if loud_at.map_or(self.loud[place], |at| inputs.ts - at < LOUD_EVERY) {
                self.told[place] = Some(inputs.ts);
            }
            let Some(standing) = self.standing[place].take_if(|standing| stands(standing, inputs)) else { continue };
            let (pattern, trigger, which) = standing.happening_of;
            let fixed = Happening { pattern, trigger, which, severity: standing.ranked.fixed, shown: Shown::default() };
            let (ranked, peak) = self.rank(&fixed, &standing.data, inputs.ts, Span::ZERO, &standing.rate, table);
            if peak.is_none() || (standing.loud_at.is_none() && ranked.severity <= standing.ranked.severity) {
                self.standing[place] = Some(standing);
                continue;
            }
            // What was reported with its own severity is an alert of its own when it is worse a day later; else people would not hear.
            let (entered, opened) = (standing.entered, standing.loud_at.map_or(standing.entered, |_| inputs.ts));
            let revision = standing.records + 1;
            self.standing[place] =
                Some(Standing { ranked, loud_at: Some(inputs.ts), records: revision, ..standing.clone() });
            let Standing { rate, mut data, .. } = standing;
            let now = inputs.volatility.ready().map(Datum::Number);
            if let (Some((_, volatility)), Some(now)) = (data.iter_mut().find(|(name, _)| name == "volatility"), now) {
                *volatility = now;
            }
            let mut happening = Happening { shown: Shown { data, ..Shown::default() }, ..fixed };
            self.note(&mut happening, ranked, peak, inputs.ts);
            emit(Risen { happening, entered, opened, rate, revision });
        }
    }

    /// The severity of a label whose facts these are, and the reading that is beyond everything before.
    fn rank(
        &self,
        happening: &Happening,
        data: &[(Word, Datum)],
        t: Ts,
        fresh: Span,
        rate: &BaseRate,
        table: &SeverityTable,
    ) -> (Ranked, Option<Peak>) {
        let Happening { pattern, trigger, which, severity, .. } = *happening;
        let is_extreme = trigger == Some(Trigger::Volatility) && which == u16::from(VolRegime::Extreme.code());
        let label = data.iter().find(|(name, _)| name == "to").and_then(|(_, datum)| match datum {
            Datum::Word(word) => Some(&**word),
            Datum::Number(_) | Datum::Words(_) | Datum::Missing(_) | Datum::Flag(_) => None,
        });
        let peak = self.peak(trigger, which, t, fresh);
        let floor = if is_extreme { Severity::High } else { Severity::Info };
        let lift = self.lift;
        let occurrence = Occurrence { label, peak: peak.is_some(), floor, lift, ..Occurrence::of(pattern, severity) };
        (table.rank(&occurrence, rate), peak)
    }

    /// Notes in the facts what rarity did. What was reported for a reading is not reported for it again.
    fn note(&mut self, happening: &mut Happening, ranked: Ranked, peak: Option<Peak>, t: Ts) {
        happening.severity = ranked.severity;
        ranked.note(&mut happening.shown.data);
        if let Some(peak) = peak.filter(|_| ranked.kept_by == Some(KeptBy::Peak)) {
            happening.shown.word(PEAK_OF, peak.name());
            if let Some(place) = place_of(happening.trigger) {
                (self.told[place], self.loud[place]) = (Some(t), true);
            }
        }
    }

    /// The reading behind a label that exceeded everything before, so long ago at most.
    fn peak(&self, trigger: Option<Trigger>, which: u16, t: Ts, fresh: Span) -> Option<Peak> {
        let told = place_of(trigger).and_then(|place| self.told[place]);
        let is_fresh = |peak: Peak| {
            let mut all = Peak::ALL.into_iter().zip(&self.extremes);
            all.any(|(of, extremes)| of == peak && extremes.peak_since(t - fresh, told))
        };
        Peak::behind(trigger, which).iter().copied().find(|peak| is_fresh(*peak))
    }
}

const fn is_label(pattern: Pattern) -> bool {
    matches!(pattern, Pattern::RegimeChange | Pattern::VolatilityRegimeChange)
}

const fn place_of(trigger: Option<Trigger>) -> Option<usize> {
    match trigger {
        Some(Trigger::Risk) => Some(0),
        Some(Trigger::Volatility) => Some(1),
        Some(Trigger::Trend | Trigger::Heat | Trigger::Burst | Trigger::Sustained) | None => None,
    }
}

/// Is it still the label of its axis?
fn stands(standing: &Standing, inputs: &Inputs) -> bool {
    let (_, trigger, which) = standing.happening_of;
    let now = match trigger {
        Some(Trigger::Risk) => inputs.labels.risk.map(|label| label.code()),
        _ => inputs.labels.volatility.map(|label| label.code()),
    };
    now.map(u16::from) == Some(which)
}
