//! The headline of a market: the worst of all axes, the 24 h move and the open alerts, in at most two sentences (UX §1).
//!
//! What cannot be used comes first, then a position whose stop is reached or near. What is too old, and that risk cannot be
//! judged, is said whatever else is reported. "Nothing unusual" is said only where everything is known and as usual and no alert is
//! open. A volatility class of its market's every day is no news: HIGH_VOL counts from the 80th percentile of the market's own
//! 24 h volatility on. Made from labels and numbers alone, so that whoever has them, rows or frames of bars, says the same.

use super::eased::Eased;
use super::facts::Facts;
use super::numbers::{Style, capitalised, rank_percent, written};
use super::{notes, waiting};
use crate::advice::digits;
use crate::catalogue::Feature;
use crate::chart::trend_span;
use crate::detect::words::of_pattern;
use barograph_domain::advice::{StopReach, StopState};
use barograph_domain::{
    Axis, AxisState, Headline, HeadlineKind as Kind, HeadlinePart, HeatRegime, Label, OpenAlerts, OpenExperimental,
    RiskRegime, Severity, Side, Span, TrendRegime, VolRegime,
};

/// From this percentile on a move, or a day's volatility, is unusual for its market.
pub const UNUSUAL_FROM: f64 = 0.80;
/// From these on it is as rare as a strong label.
const RARE_FROM: f64 = 0.95;
const RAREST_FROM: f64 = 0.99;
/// Things reported in the first sentence.
const FIRST_MAX: usize = 2;

/// Where the stop of a position stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HeldStop {
    /// The price has come close to it.
    Near,
    /// The price is at it or beyond.
    Reached,
}

impl HeldStop {
    /// The word on the wire and in rule books.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Near => "NEAR",
            Self::Reached => "REACHED",
        }
    }
}

/// The worst placed position of a market, as a headline reports it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Held {
    /// Of a long; else of a short.
    pub is_long: bool,
    /// Its stop.
    pub stop: f64,
    /// The price it was compared with.
    pub price: f64,
    /// What that means.
    pub state: HeldStop,
}

impl Held {
    /// The stop of a position as its check found it; `None` while it is far.
    #[must_use]
    pub fn of(side: Side, found: &StopState) -> Option<Self> {
        let state = match found.state {
            StopReach::Reached => HeldStop::Reached,
            StopReach::Near => HeldStop::Near,
            StopReach::Far => return None,
        };
        Some(Self { is_long: side == Side::Long, stop: found.stop, price: found.price, state })
    }

    /// The worst placed of several: reached before near, the farther beyond or the nearer first.
    #[must_use]
    pub fn worst(all: impl Iterator<Item = Self>) -> Option<Self> {
        let away = |h: &Self| if h.is_long { h.price - h.stop } else { h.stop - h.price };
        all.min_by(|a, b| b.state.cmp(&a.state).then_with(|| away(a).total_cmp(&away(b))))
    }
}

/// Everything a headline is made from.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// Why nothing can be said at all.
    pub no_reading: Option<String>,
    /// What is too old, as a sentence.
    pub old: Option<String>,
    /// Why the risk axis has no reading, as a sentence.
    pub no_risk: Option<String>,
    /// Published labels; UNKNOWN also where an axis rests on old data.
    pub risk: RiskRegime,
    /// The newest reading says something calmer than a published HIGH_VOL.
    pub risk_eases: Option<Eased>,
    /// The side that is crowded, in a squeeze.
    pub squeezed: Option<&'static str>,
    /// Label of the trend axis.
    pub trend: TrendRegime,
    /// The time that the trend is taken over.
    pub trend_over: Option<Span>,
    /// Volatility class.
    pub volatility: VolRegime,
    /// Label of the heat axis.
    pub heat: HeatRegime,
    /// This market lacks what heat is made of: nobody waits for it, and nothing is said of it.
    pub heat_is_left_out: bool,
    /// 1 h volatility, annualised.
    pub vol_1h: Option<f64>,
    /// 24 h volatility, annualised; what the class is made of.
    pub vol_24h: Option<f64>,
    /// Its percentile within 90 d.
    pub vol_rank: Option<f64>,
    /// The 24 h move, a fraction.
    pub change_24h: Option<f64>,
    /// Percentile of its size within 90 d.
    pub change_rank: Option<f64>,
    /// Open alerts.
    pub open: OpenAlerts,
    /// Id of the user's own rule, where the worst of them is one's.
    pub open_rule: Option<String>,
    /// A position whose stop is reached or near.
    pub held: Option<Held>,
    /// Seen are the bars of a frame and nothing else.
    pub bars_alone: bool,
    /// They are too far apart for every risk rule: NORMAL says nothing.
    pub risk_is_left_out: bool,
}

impl Sight {
    /// A minute's readings under its book.
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let axes = &facts.axes;
        let others_unread = unread(&axes.trend) && unread(&axes.volatility) && unread(&axes.heat);
        let no_risk = facts.is_unread();
        Self {
            no_reading: (no_risk && others_unread).then(|| waiting::sentence(facts)),
            no_risk: no_risk.then(|| waiting::risk_sentence(facts)),
            old: old(facts),
            risk: known(&axes.risk),
            risk_eases: Eased::of(facts),
            squeezed: facts.direction(),
            trend: known(&axes.trend),
            trend_over: Some(trend_span(facts.ctx.book.trend_tf)),
            volatility: known(&axes.volatility),
            heat: known(&axes.heat),
            heat_is_left_out: facts.heat_is_left_out(),
            vol_1h: facts.value(Feature::RealizedVol1h),
            vol_24h: facts.value(Feature::RealizedVol24h),
            vol_rank: facts.value(Feature::VolPctRank),
            change_24h: facts.value(Feature::PriceChange24h),
            change_rank: facts.value(Feature::PriceMove24hPct90d),
            open: facts.row.open,
            open_rule: open_rule(facts),
            held: facts.ctx.held,
            bars_alone: false,
            risk_is_left_out: false,
        }
    }
}

fn unread<L: Label>(axis: &AxisState<L>) -> bool {
    axis.raw_label == L::UNKNOWN
}

/// A last label that only stands for want of a new one is no reading.
fn known<L: Label>(axis: &AxisState<L>) -> L {
    if unread(axis) { L::UNKNOWN } else { axis.label }
}

/// The oldest of what is too old, but for the stream whose loss is the reason why risk cannot be judged.
fn old(facts: &Facts<'_>) -> Option<String> {
    let lost = facts.is_unread().then(|| waiting::lost(facts)).flatten();
    let mut others = facts.stale.iter().filter(|s| lost.is_none() || s.input.stream != lost);
    others.next().map(|s| notes::stale(core::iter::once(s)))
}

fn open_rule(facts: &Facts<'_>) -> Option<String> {
    let place = facts.row.open.worst?.rule?;
    facts.ctx.book.alerts().get(usize::from(place)).map(|rule| rule.id.clone())
}

/// The headline of what is seen.
#[must_use]
pub fn headline(sight: &Sight) -> Headline {
    let mut made = Made::default();
    let held = sight.held.as_ref().map(position);
    if let Some(why) = &sight.no_reading {
        let why = with_old(sight, why);
        let second: Vec<_> = held.into_iter().chain(alerts(sight).filter(|p| p.severity > 0)).collect();
        // What the last reading was is left out where another sentence has its place.
        let why = if second.is_empty() { why.as_str() } else { why.split(". ").next().unwrap_or(&why) };
        made.sentence(vec![plain(Kind::Data, why)]);
        made.sentence(second);
        return made.done();
    }
    if sight.old.is_some() || sight.no_risk.is_some() {
        made.sentence(worst_beside_data(sight, held));
        made.sentence(data(sight));
        return made.done();
    }
    made.sentence(held.into_iter().collect());
    let (alerts, mut others): (Vec<_>, Vec<_>) =
        worst_first(sight).into_iter().partition(|told| told.iter().any(|p| p.kind == Kind::Alerts));
    others.truncate(FIRST_MAX);
    let risk_told = others.iter().flatten().any(|p| p.kind == Kind::Risk);
    let mut sentences = [others.concat(), alerts.concat()];
    sentences.sort_by_key(|parts| core::cmp::Reverse(severity(parts)));
    if sentences.iter().all(Vec::is_empty) {
        let (calm, all_known) = calm(sight);
        made.sentence(vec![calm]);
        // Whatever is open weighs nothing here, and is named all the same.
        made.sentence(self::alerts(sight).into_iter().collect());
        made.sentence(if all_known { Vec::new() } else { rest(sight, &made.parts) });
        return made.done();
    }
    sentences.into_iter().for_each(|parts| made.sentence(parts));
    made.sentence(if risk_told { whereabouts(sight, &made.parts) } else { rest(sight, &made.parts) });
    made.done()
}

/// The one sentence that is left of the market where the other one says what is missing or too old.
fn worst_beside_data(sight: &Sight, held: Option<HeadlinePart>) -> Vec<HeadlinePart> {
    let room = FIRST_MAX - usize::from(held.is_some());
    let told = held.into_iter().chain(worst_first(sight).into_iter().take(room).flatten());
    let told: Vec<HeadlinePart> = told.collect();
    if !told.is_empty() {
        return told;
    }
    // Where nothing is known the other sentence says why: that is not for want of history.
    Some(calm(sight).0).filter(|calm| calm.text != TOO_YOUNG).into_iter().collect()
}

/// What is missing and what is too old.
fn data(sight: &Sight) -> Vec<HeadlinePart> {
    let why = sight.no_risk.as_ref().map(|why| with_old(sight, why)).or_else(|| sight.old.clone());
    why.iter().map(|why| plain(Kind::Data, why)).collect()
}

/// Why there is no reading, and what is too old where that does not say it: "No reading: a gap in open interest is too recent
/// and mark price is 14 min old (limit 5 min). Last reading was chop risk."
fn with_old(sight: &Sight, why: &str) -> String {
    let Some(old) = sight.old.as_ref().filter(|old| !why.contains(old.as_str())) else { return why.to_owned() };
    match why.split_once(". ") {
        Some((head, tail)) => format!("{head} and {old}. {tail}"),
        None => format!("{} and {old}.", why.trim_end_matches('.')),
    }
}

/// Where the price goes, beside a sentence that says nothing of it.
fn whereabouts(sight: &Sight, told: &[HeadlinePart]) -> Vec<HeadlinePart> {
    if told.iter().any(|p| matches!(p.kind, Kind::Trend | Kind::Move)) {
        return Vec::new();
    }
    let plain_trend = || of_axis(Kind::Trend, sight.trend, 0, &trend_with_horizon(sight));
    let trend = trend(sight).or_else(|| (sight.trend != TrendRegime::Unknown).then(plain_trend));
    trend.into_iter().chain(moved(sight).map(|text| number_of_move(sight, &text))).collect()
}

fn severity(parts: &[HeadlinePart]) -> u8 {
    parts.iter().map(|p| p.severity).max().unwrap_or(0)
}

/// Sentences and parts in the making; two sentences are the most.
#[derive(Default)]
struct Made {
    text: String,
    parts: Vec<HeadlinePart>,
    sentences: usize,
}

/// Most sentences of a headline.
const SENTENCES: usize = 2;

impl Made {
    fn sentence(&mut self, parts: Vec<HeadlinePart>) {
        if parts.is_empty() || self.sentences == SENTENCES {
            return;
        }
        let words: Vec<&str> = parts.iter().map(|p| p.text.trim_end_matches('.')).collect();
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&capitalised(&words.join(", ")));
        self.text.push('.');
        self.sentences += 1;
        for mut part in parts {
            part.nth = u8::try_from(self.parts.len() + 1).unwrap_or(u8::MAX);
            part.sentence = u8::try_from(self.sentences).unwrap_or(u8::MAX);
            self.parts.push(part);
        }
    }
    fn done(self) -> Headline {
        Headline { text: self.text, parts: self.parts }
    }
}

fn plain(kind: Kind, text: &str) -> HeadlinePart {
    HeadlinePart {
        nth: 0,
        sentence: 0,
        kind,
        axis: None,
        word: None,
        metric: None,
        value: None,
        unit: None,
        horizon: None,
        severity: 0,
        text: text.to_owned(),
    }
}

fn of_axis<L: Label>(kind: Kind, label: L, severity: u8, text: &str) -> HeadlinePart {
    let axis: Axis = L::AXIS;
    HeadlinePart { axis: Some(axis), word: Some(label.word()), severity, ..plain(kind, text) }
}

fn with_number(part: HeadlinePart, feature: Feature, value: Option<f64>, horizon: &'static str) -> HeadlinePart {
    let spec = feature.spec();
    match value {
        Some(_) => HeadlinePart { metric: Some(spec.id), value, unit: Some(spec.unit), horizon: Some(horizon), ..part },
        None => part,
    }
}

/// "stop 2.5 of your long reached: price 2.4"
fn position(held: &Held) -> HeadlinePart {
    let side = if held.is_long { "long" } else { "short" };
    let (stop, price) = (digits::own(held.stop), digits::price(held.price, Some(held.price - held.stop)));
    let (at, severity) = match held.state {
        HeldStop::Reached => ("reached", 4),
        HeldStop::Near => ("near", 3),
    };
    let text = format!("stop {stop} of your {side} {at}: price {price}");
    HeadlinePart {
        word: Some(held.state.name()),
        value: Some(held.stop),
        unit: Some("price"),
        severity,
        ..plain(Kind::Position, &text)
    }
}

/// What is not as usual, the worst first; of equals risk before alerts, volatility, trend, move and heat. A strong trend is
/// reported with its move.
fn worst_first(sight: &Sight) -> Vec<Vec<HeadlinePart>> {
    let trend: Vec<HeadlinePart> = match trend(sight) {
        Some(trend) => {
            [Some(trend), moved(sight).map(|text| number_of_move(sight, &text))].into_iter().flatten().collect()
        }
        None => day_move(sight).into_iter().collect(),
    };
    let one = |part: Option<HeadlinePart>| part.into_iter().collect::<Vec<_>>();
    let all = [one(risk(sight)), one(alerts(sight)), one(volatility(sight)), trend, one(heat(sight))];
    let mut told: Vec<Vec<HeadlinePart>> = all.into_iter().filter(|parts| severity(parts) > 0).collect();
    told.sort_by_key(|parts| core::cmp::Reverse(severity(parts)));
    told
}

/// "−6.1 % in 24 h"
fn moved(sight: &Sight) -> Option<String> {
    let x = sight.change_24h?;
    let sign = if x > 0.0 { "+" } else { "" };
    Some(format!("{sign}{} in 24 h", written(Style::Percent, x)))
}

fn number_of_move(sight: &Sight, text: &str) -> HeadlinePart {
    let severity = sight.change_rank.map_or(0, rarity);
    let part = HeadlinePart { severity, ..plain(Kind::Move, text) };
    with_number(part, Feature::PriceChange24h, sight.change_24h, "24h")
}

const fn rarity(rank: f64) -> u8 {
    match rank {
        r if r >= RAREST_FROM => 3,
        r if r >= RARE_FROM => 2,
        r if r >= UNUSUAL_FROM => 1,
        _ => 0,
    }
}

fn day_move(sight: &Sight) -> Option<HeadlinePart> {
    let rank = sight.change_rank.filter(|r| *r >= UNUSUAL_FROM)?;
    let text = format!("{}, larger than {} of its 24 h moves", moved(sight)?, rank_percent(rank));
    Some(number_of_move(sight, &text))
}

fn risk(sight: &Sight) -> Option<HeadlinePart> {
    let (text, severity) = match (sight.risk, sight.squeezed) {
        (RiskRegime::HighVol, _) => (high_volatility(sight), 4),
        (RiskRegime::SqueezeRisk, Some("LONG_SQUEEZE")) => ("squeeze risk, longs crowded".to_owned(), 3),
        (RiskRegime::SqueezeRisk, Some(_)) => ("squeeze risk, shorts crowded".to_owned(), 3),
        (RiskRegime::SqueezeRisk, None) => ("squeeze risk".to_owned(), 3),
        (RiskRegime::ChopRisk, _) => ("chop risk".to_owned(), 2),
        (RiskRegime::Normal | RiskRegime::Unknown, _) => return None,
    };
    let part = of_axis(Kind::Risk, sight.risk, severity, &text);
    let of_vol = sight.vol_1h.filter(|_| sight.risk == RiskRegime::HighVol);
    Some(with_number(part, Feature::RealizedVol1h, of_vol, "1h"))
}

/// "high volatility (1 h vol 129 % annualised)", "volatility back below its limit (1 h vol 76 % annualised, limit 80 %)"
fn high_volatility(sight: &Sight) -> String {
    let what = match &sight.risk_eases {
        None => "high volatility",
        Some(Eased { in_band: true, .. }) => "volatility still near its limit",
        Some(Eased { in_band: false, .. }) => "volatility back below its limit",
    };
    let Some(vol) = sight.vol_1h else { return what.to_owned() };
    let short_of = sight.risk_eases.as_ref().and_then(|e| e.short_of.as_ref());
    let short_of = short_of.map(|of| format!(", {of}")).unwrap_or_default();
    format!("{what} (1 h vol {} annualised{short_of})", written(Style::Volatility, vol))
}

fn volatility(sight: &Sight) -> Option<HeadlinePart> {
    let rank = sight.vol_rank.filter(|r| *r >= UNUSUAL_FROM);
    let (words, severity) = match (sight.volatility, rank) {
        (VolRegime::Extreme, _) => ("moves extreme", 4),
        (VolRegime::Explosive, _) => ("moves explosive", 3),
        (VolRegime::HighVol, Some(rank)) => ("moves larger than usual", rarity(rank).min(2)),
        (VolRegime::HighVol | VolRegime::Stable | VolRegime::Unknown, _) => return None,
    };
    let vol =
        sight.vol_24h.map(|v| format!(" (24 h vol {} annualised)", written(Style::Volatility, v))).unwrap_or_default();
    let part = of_axis(Kind::Volatility, sight.volatility, severity, &format!("{words}{vol}"));
    Some(with_number(part, Feature::RealizedVol24h, sight.vol_24h, "24h"))
}

/// A trend in words.
#[must_use]
pub const fn spoken_trend(label: TrendRegime) -> &'static str {
    match label {
        TrendRegime::Unknown => "trend not known",
        known => known.spoken(),
    }
}

/// Below this, hours are hours and no days: "sideways over 50 h" stands beside a move of 24 h.
const WRITTEN_IN_HOURS: Span = Span::hours(100);

/// "sideways over 50 h"
fn trend_with_horizon(sight: &Sight) -> String {
    let word = spoken_trend(sight.trend);
    match sight.trend_over {
        None => word.to_owned(),
        Some(over) if over < WRITTEN_IN_HOURS && over.0 % Span::hours(1).0 == 0 => {
            format!("{word} over {} h", over.0 / Span::hours(1).0)
        }
        Some(over) => format!("{word} over {}", over.spoken()),
    }
}

fn trend(sight: &Sight) -> Option<HeadlinePart> {
    let strong = sight.trend.is_strong();
    // A day's move the other way is no contradiction once the horizon of the trend stands beside it.
    let against = sight.change_24h.is_some_and(|x| match sight.trend {
        TrendRegime::StrongUptrend => x < 0.0,
        _ => x > 0.0,
    });
    let text = if against { trend_with_horizon(sight) } else { spoken_trend(sight.trend).to_owned() };
    strong.then(|| of_axis(Kind::Trend, sight.trend, 3, &text))
}

fn heat(sight: &Sight) -> Option<HeadlinePart> {
    let (text, severity) = match sight.heat {
        HeatRegime::SuperHot => ("activity far above usual", 3),
        HeatRegime::Hot => ("activity above usual", 1),
        HeatRegime::Cold | HeatRegime::Cool | HeatRegime::Neutral | HeatRegime::Unknown => return None,
    };
    Some(of_axis(Kind::Heat, sight.heat, severity, text))
}

/// "alert open: liquidation cascade (HIGH)", "3 alerts open, 1 experimental, the worst: liquidation cascade (HIGH)"
fn alerts(sight: &Sight) -> Option<HeadlinePart> {
    let Some(worst) = sight.open.worst else { return experimental(sight.open.experimental) };
    let what = sight
        .open_rule
        .as_ref()
        .map_or_else(|| of_pattern(worst.pattern).short.to_owned(), |id| format!("own rule {id}"));
    let severity = worst.severity.name();
    let text = match (all_open(sight), sight.open.experimental.count) {
        (0 | 1, _) => format!("alert open: {what} ({severity})"),
        (n, 0) => format!("{n} alerts open, the worst: {what} ({severity})"),
        (n, apart) => format!("{n} alerts open, {apart} experimental, the worst: {what} ({severity})"),
    };
    let weight = match worst.severity {
        Severity::Info => 0,
        Severity::Low | Severity::Medium => 1,
        Severity::High => 3,
        Severity::Critical => 4,
    };
    let part = HeadlinePart { word: Some(severity), severity: weight, ..plain(Kind::Alerts, &text) };
    Some(HeadlinePart { value: Some(f64::from(all_open(sight))), unit: Some("count"), ..part })
}

/// Alerts that a headline counts.
fn all_open(sight: &Sight) -> u16 {
    sight.open.count.saturating_add(sight.open.experimental.count.into())
}

/// "experimental alert open: large orders pulled". Such alerts weigh nothing: nothing else gives way to them.
fn experimental(open: OpenExperimental) -> Option<HeadlinePart> {
    let what = of_pattern(open.first?).short;
    let text = match open.count {
        0 | 1 => format!("experimental alert open: {what}"),
        n => format!("{n} experimental alerts open, among them: {what}"),
    };
    let part = HeadlinePart { word: Some("EXPERIMENTAL"), ..plain(Kind::Alerts, &text) };
    Some(HeadlinePart { value: Some(f64::from(open.count)), unit: Some("count"), ..part })
}

/// Said where there is no history to compare with.
const TOO_YOUNG: &str = "too little history yet to say what is usual here";

/// What is known is as usual; `true` where everything is known, and only then is it said so.
fn calm(sight: &Sight) -> (HeadlinePart, bool) {
    let volatility_known = match sight.volatility {
        VolRegime::Stable => true,
        VolRegime::HighVol => sight.vol_rank.is_some(),
        VolRegime::Explosive | VolRegime::Extreme | VolRegime::Unknown => false,
    };
    let all_known = sight.risk == RiskRegime::Normal
        && sight.trend != TrendRegime::Unknown
        && volatility_known
        && (sight.heat != HeatRegime::Unknown || sight.heat_is_left_out)
        && sight.change_rank.is_some()
        && sight.old.is_none()
        && sight.no_risk.is_none();
    let now: Vec<String> = whereabouts(sight, &[]).into_iter().map(|p| p.text).collect();
    let now = now.join(", ");
    // Beside a stop that is reached or near, only the market is quiet; beside an open alert of any weight not even that. What this
    // market cannot have is not called usual.
    let quiet = match (sight.held.is_some(), all_open(sight)) {
        (_, 1..) => "",
        (true, 0) if sight.heat_is_left_out => "",
        (false, 0) if sight.heat_is_left_out => "nothing unusual in risk, volatility or trend: ",
        (false, 0) => "nothing unusual: ",
        (true, 0) => "the market is quiet: ",
    };
    let part = match (all_known, now.is_empty()) {
        (true, _) => plain(Kind::Quiet, &format!("{quiet}{now}")),
        (false, true) => plain(Kind::History, TOO_YOUNG),
        (false, false) => plain(Kind::History, &now),
    };
    (part, all_known)
}

/// The sentence after one that says nothing of risk: that no rule fires.
fn rest(sight: &Sight, told: &[HeadlinePart]) -> Vec<HeadlinePart> {
    if sight.risk != RiskRegime::Normal {
        return Vec::new();
    }
    let young = sight.change_rank.is_none() || (sight.heat == HeatRegime::Unknown && !sight.heat_is_left_out);
    let said = told.iter().any(|p| p.text == TOO_YOUNG);
    if sight.risk_is_left_out {
        return vec![plain(Kind::History, "no risk rule can be judged from these candles")];
    }
    let more = match (sight.bars_alone, young && !said) {
        (true, _) => "; judged from candles alone".to_owned(),
        (false, true) => format!("; {TOO_YOUNG}"),
        (false, false) => String::new(),
    };
    vec![of_axis(Kind::Risk, sight.risk, 0, &format!("no risk rule fires{more}"))]
}
