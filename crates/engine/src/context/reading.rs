//! Everything a frame says at its newest bar, for a price: session, trend, volatility, stops, the risk axis (features §3, §5,
//! §4.10; regimes §2–§4, §7).
//!
//! Labels come from the rules of the book, asked once, without the memory that a market's axes have. What needs inputs that
//! bars do not carry is "not offered", so that its rules are left out and named.

use super::{Frame, KnownLevels};
use crate::catalogue::{CATALOGUE, Feature};
use crate::chart::{Chart, RangeVolatility, Read, Trend, trend_span};
use crate::explain::headline::{Sight, headline};
use crate::liquidity::{Face, density};
use crate::rules::{RuleBook, Ruled as _, SessionBase, VerdictTable, evaluate};
use crate::sessions::{Adjusted, Conditions, adjust};
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{
    Cell, Confirmation, Headline, Kind, Reason, RiskRegime, Span, State, StopVulnerability, TIMEFRAMES, TradingSession,
    TrendRegime, Ts, VolRegime,
};

/// Bars below which spread-out stops are not believed.
const BARS_MIN: u64 = 50;
/// What a doubtful input costs (regimes §7), and what is left at least.
const LOST_PER_INPUT: f64 = 0.1;
const LEFT_AT_LEAST: f64 = 0.5;
const MISSING: State = State::Undefined(Reason::MissingInput);

/// The session and its stop distance.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SessionReading {
    /// Session under way.
    pub name: TradingSession,
    /// Since when.
    pub from: Ts,
    /// Until when.
    pub until: Ts,
    /// Base multiplier.
    pub base: f64,
    /// It was measured from the frame's own sessions.
    pub base_measured: bool,
    /// Volatility of the last hour over the session's usual one.
    pub vol_ratio: Option<f64>,
    /// Quote volume a minute over the session's usual one.
    pub volume_ratio: Option<f64>,
    /// The multiplier with its parts.
    pub adjusted: Adjusted,
}

/// Trend of the frame's own bars, and of the four timeframes.
#[derive(Clone, Copy, Debug)]
pub struct TrendReading {
    /// Label on the frame's own bars.
    pub label: TrendRegime,
    /// Regression on them.
    pub line: Read<Trend>,
    /// The time it is drawn over.
    pub over: Span,
    /// Labels on 1 h, 4 h, 1 d, 1 w.
    pub timeframes: [TrendRegime; 4],
    /// What they agree on.
    pub confirmation: Confirmation<TrendRegime>,
}

/// Volatility: windows, class, views.
#[derive(Clone, Copy, Debug)]
pub struct FrameVolatility {
    /// Annualised, of 1 h, 4 h and 24 h.
    pub realized: [Read<f64>; 3],
    /// Standard deviation a day.
    pub daily: Read<f64>,
    /// Class that the volatility is in.
    pub label: VolRegime,
    /// Class on 1 h, 4 h, 1 d, 1 w.
    pub timeframes: [VolRegime; 4],
}

/// A frame at its newest bar.
#[derive(Clone, Copy, Debug)]
pub struct FrameReading {
    /// Close of the newest bar.
    pub now: Ts,
    /// The price all distances are taken from.
    pub price: f64,
    /// Move of the close within 24 h, a fraction.
    pub change_24h: Option<f64>,
    /// ATR(14) of the frame's bars.
    pub atr: Option<f64>,
    /// Session under way.
    pub session: SessionReading,
    /// Trend of the bars.
    pub trend: TrendReading,
    /// Volatility of the bars.
    pub volatility: FrameVolatility,
    /// Stop density below and above the price.
    pub density: Option<[f64; 2]>,
    /// Its class below, above, and for both in one word.
    pub stops: [Option<StopVulnerability>; 3],
    /// Risk label by the rules that bars allow, NORMAL where they allow none; UNKNOWN below fifteen bars.
    pub risk: RiskRegime,
    /// Risk rules left out because their inputs are not offered; bit n is rule n.
    pub risk_left_out: u32,
    /// All of them are: bars of more than an hour say nothing of risk, and NORMAL stands in.
    pub risk_is_left_out: bool,
    /// Heuristic confidence in [0, 1].
    pub confidence: f64,
    /// What the book makes of findings.
    pub verdict: VerdictTable,
}

impl Frame {
    /// The reading at the newest bar; `None` before the first. `price` is the present one.
    #[must_use]
    pub fn read(&self, book: &RuleBook, price: f64) -> Option<FrameReading> {
        self.read_with_levels(book, price).map(|(reading, _)| reading)
    }

    /// The same with the levels that can matter to a trade near the price.
    #[must_use]
    pub fn read_with_levels(&self, book: &RuleBook, price: f64) -> Option<(FrameReading, KnownLevels)> {
        let now = self.anchor()?;
        let realized = [1, 4, 24].map(|h| self.windows.realized(Span::hours(h)));
        let chart = self.chart();
        let session = self.session(book, now, realized[0].ok());
        let daily = match (&realized[2], chart) {
            (Ok(v), _) => Ok(v / YEAR_DAYS.sqrt()),
            // Bars of more than a day: the last 24 of them.
            (Err(State::Undefined(Reason::NotOffered)), Some(c)) => c.vol_daily(),
            (Err(state), _) => Err(*state),
        };
        let mut cells = vec![Cell::undefined(Reason::NotOffered); CATALOGUE.len()];
        put(&mut cells, Feature::RealizedVol1h, realized[0], now);
        put(&mut cells, Feature::RealizedVol4h, realized[1], now);
        let percentile = Cell { state: State::Warming { have: 0, need: 336 }, ..cells[0] };
        cells[Feature::RealizedVol1hPct90d.index()] = percentile;
        cells[Feature::RealizedVol4hPct90d.index()] = percentile;
        let risk = evaluate::<RiskRegime>(book, &cells);
        let (trend, vol_timeframes) = self.trend(book, &mut cells, chart, now);
        put(&mut cells, Feature::VolDaily, daily, now);
        let volatility = evaluate::<VolRegime>(book, &cells).raw;
        let atr = chart.and_then(|c| c.atr().value());
        let risk_label = match atr {
            // Without an average range nothing can be measured against: that is no calm market.
            None => RiskRegime::Unknown,
            // Bars of more than an hour leave every rule out: which ones is said beside the label, and advice goes by the other axes.
            Some(_) if risk.is_left_out(book.risk()) => RiskRegime::RESTING,
            Some(_) => risk.raw,
        };
        let levels = self.levels_near(price);
        let density = atr
            .filter(|a| *a > 0.0)
            .map(|a| Face::BOTH.map(|face| density::of_known(&levels.0, price, density::REACH_ATR * a, face)));
        let reading = FrameReading {
            now,
            price,
            change_24h: self.windows.day_change(),
            atr,
            session,
            confidence: confidence(&session, &trend),
            trend,
            volatility: FrameVolatility { realized, daily, label: volatility, timeframes: vol_timeframes },
            density,
            stops: density.map_or([None; 3], |d| self.vulnerability(d).map(Some)),
            risk: risk_label,
            risk_left_out: risk.not_applicable,
            risk_is_left_out: atr.is_some() && risk.is_left_out(book.risk()),
            verdict: book.verdict,
        };
        Some((reading, levels))
    }

    /// Range estimators over the frame's own bars.
    ///
    /// # Errors
    /// As [`Chart::range_volatility`].
    pub fn range_volatility(&self) -> Read<RangeVolatility> {
        self.chart().map_or(Err(MISSING), |c| c.range_volatility().map(|(v, _)| v))
    }

    /// Mid-rank of the day's volatility within 90 d.
    ///
    /// # Errors
    /// Not offered for bars longer than an hour; warming below two weeks.
    pub fn volatility_rank(&self) -> Read<f64> {
        self.windows.day_rank()
    }

    /// A reading of this frame in one or two sentences, as far as bars reach (UX §1). The rank of the day's volatility takes all
    /// hours of 90 d, so it is worked out here, for the one class that the sentences say it of.
    #[must_use]
    pub fn headline(&self, of: &FrameReading) -> Headline {
        let volatility = of.volatility.label;
        headline(&Sight {
            risk: of.risk,
            trend: of.trend.label,
            trend_over: Some(of.trend.over),
            volatility,
            vol_1h: of.volatility.realized[0].ok(),
            vol_24h: of.volatility.realized[2].ok(),
            vol_rank: if volatility == VolRegime::HighVol { self.volatility_rank().ok() } else { None },
            change_24h: of.change_24h,
            bars_alone: true,
            risk_is_left_out: of.risk_is_left_out,
            ..Sight::default()
        })
    }

    fn session(&self, book: &RuleBook, now: Ts, vol: Option<f64>) -> SessionReading {
        let stretch = self.sessions.stretch(now);
        let name = stretch.session;
        let ratio = |x: Option<f64>, usual: Result<(f64, bool), usize>| {
            x.zip(usual.ok()).and_then(|(x, (usual, _))| (usual > 0.0).then(|| x / usual))
        };
        let vol_ratio = ratio(vol, self.volatility.usual(name, now));
        let volume_ratio = ratio(self.windows.volume(), self.volume.usual(name, now));
        let fixed = self.base.unwrap_or(book.session_multipliers)[name.index()];
        let measured = (self.base.is_none() && book.session_base != SessionBase::Seed)
            .then(|| self.volatility.base(now))
            .flatten()
            .map(|(base, _)| base[name.index()]);
        let base = measured.unwrap_or(fixed);
        SessionReading {
            name,
            from: stretch.from,
            until: stretch.until,
            base,
            base_measured: measured.is_some(),
            vol_ratio,
            volume_ratio,
            adjusted: adjust(&Conditions { base, vol_ratio, volume_ratio }),
        }
    }

    fn trend(
        &self,
        book: &RuleBook,
        cells: &mut [Cell],
        chart: Option<&Chart>,
        now: Ts,
    ) -> (TrendReading, [VolRegime; 4]) {
        let mut label_of = |line: &Read<Trend>, timeframe: Span| {
            // Thresholds are stated for the book's timeframe and grow with the root of the bar's length.
            let scale = (book.trend_tf.as_secs_f64() / timeframe.as_secs_f64()).sqrt();
            put(cells, Feature::SlopePct, line.map(|l| l.slope_pct * scale), now);
            put(cells, Feature::TrendP, line.map(|l| l.p), now);
            evaluate::<TrendRegime>(book, cells).raw
        };
        let line = chart.map_or(Err(MISSING), Chart::trend);
        let label = label_of(&line, self.step);
        let mut timeframes = [TrendRegime::Unknown; 4];
        let mut vol = [VolRegime::Unknown; 4];
        let charts = self.charts.as_ref().map_or([None; 4], |c| c.all());
        for (i, chart) in charts.into_iter().enumerate() {
            let Some(chart) = chart else { continue };
            timeframes[i] = if TIMEFRAMES[i] == self.step { label } else { label_of(&chart.trend(), TIMEFRAMES[i]) };
            if let Ok(daily) = chart.vol_daily() {
                vol[i] = crate::vol_class(daily);
            }
        }
        let over = trend_span(self.step);
        (TrendReading { label, line, over, timeframes, confirmation: Confirmation::of(&timeframes) }, vol)
    }

    /// LOW is never said for want of bars.
    fn vulnerability(&self, densities: [f64; 2]) -> [StopVulnerability; 3] {
        let [long, short] = densities.map(|d| density::class(d, density::SIDE_CUTS));
        let both = density::class(densities[0].max(densities[1]), density::WORSE_CUTS);
        [long, short, both].map(|class| match class {
            c if c >= 2.0 => StopVulnerability::High,
            c if c >= 1.0 || self.bars < BARS_MIN => StopVulnerability::Medium,
            _ => StopVulnerability::Low,
        })
    }
}

fn put(cells: &mut [Cell], feature: Feature, read: Read<f64>, now: Ts) {
    cells[feature.index()] = match read {
        Ok(value) => Cell::ready_at(value, now, Kind::Proxy),
        Err(state) => Cell { state, ..Cell::undefined(Reason::MissingInput) },
    };
}

/// Share of the timeframes that agree with the trend, less a tenth for every input of it that had to be defaulted.
fn confidence(session: &SessionReading, trend: &TrendReading) -> f64 {
    if trend.label == TrendRegime::Unknown {
        return 0.0;
    }
    let doubtful = u32::from(session.vol_ratio.is_none()) + u32::from(session.volume_ratio.is_none());
    let quality = (1.0 - LOST_PER_INPUT * f64::from(doubtful)).max(LEFT_AT_LEAST);
    quality * trend.confirmation.agreement()
}
