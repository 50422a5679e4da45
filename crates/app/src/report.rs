//! The weather report of a replay: where each market stands at the end, a ribbon over the stretch, the episodes found and
//! what happened after each (UX section 3).

use crate::failure::Failure;
use crate::run::RunSink;
use crate::term::{Paint, fold, minus, minute, percent, price};
use barograph_domain::snapshot::WireValue;
use barograph_domain::{
    InstrumentName, MinuteRow, RiskRegime, Snapshot, Span, Status, StatusState, StreamIndex, Ts, spoken_margin,
};
use barograph_engine::Feature;
use barograph_query::render::Lens;
use std::collections::BTreeMap;
use std::io::Write;

const RIBBON: usize = 66;
const EPISODES_SHOWN: usize = 8;
const HOUR: Span = Span::hours(1);

/// A stretch of one label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabelEpisode {
    pub(crate) label: RiskRegime,
    pub(crate) start: Ts,
    /// First minute of another label; the end of the data where `open`.
    pub(crate) end: Ts,
    pub(crate) open: bool,
    pub(crate) price: Option<f64>,
    /// `▼` where longs are crowded, `▲` where shorts are (UX section 2); squeezes only.
    side: &'static str,
}

/// What one market left behind.
#[derive(Debug)]
pub(crate) struct MarketWeather {
    lens: Lens,
    last: Option<MinuteRow>,
    before_last: Option<MinuteRow>,
    first: Option<Ts>,
    /// Price at whole hours.
    prices: BTreeMap<i64, f64>,
    /// Most severe label of each hour.
    hours: BTreeMap<i64, RiskRegime>,
    episodes: Vec<LabelEpisode>,
    minutes: BTreeMap<RiskRegime, u64>,
}

/// Gathers the weather of all markets of a run.
#[derive(Debug)]
pub(crate) struct Reports {
    markets: Vec<MarketWeather>,
    from: Option<Ts>,
    until: Option<Ts>,
    gaps: u64,
}

impl Reports {
    pub(crate) fn new(lenses: Vec<Lens>, from: Option<Ts>, until: Option<Ts>) -> Self {
        Self { markets: lenses.into_iter().map(MarketWeather::new).collect(), from, until, gaps: 0 }
    }

    /// Prints every market.
    pub(crate) fn print(&self, out: &mut impl Write, paint: Paint) -> Result<(), Failure> {
        for market in &self.markets {
            market.print(out, paint)?;
        }
        writeln!(out, "{}", paint.faint(&self.legend()))?;
        if self.gaps > 0 {
            let plural = if self.gaps == 1 { " gap was" } else { " gaps were" };
            writeln!(out, "{}", paint.faint(&format!("{}{plural} declared in the data", self.gaps)))?;
        }
        Ok(())
    }

    /// What the characters of a ribbon mean.
    fn legend(&self) -> String {
        let hours = self.markets.iter().map(MarketWeather::ribbon_hours).max().unwrap_or(0);
        let covers = match hours.div_ceil(RIBBON) {
            0 | 1 => "each character of a ribbon is an hour".to_owned(),
            n => format!("each character covers {n} hours and shows the worst label that held for a fifth of them"),
        };
        let signs: Vec<String> =
            [RiskRegime::Normal, RiskRegime::ChopRisk, RiskRegime::SqueezeRisk, RiskRegime::HighVol]
                .into_iter()
                .map(|label| {
                    let side = if label == RiskRegime::SqueezeRisk { " (▼ longs, ▲ shorts)" } else { "" };
                    format!("{} {}{side}", ribbon_sign(label), label.spoken())
                })
                .collect();
        format!("{}\n{}", fold(&covers, 80, ""), signs.join("  "))
    }

    /// The most severe moment of each market: the start of its most severe closed episode.
    pub(crate) fn moments(&self) -> Vec<(InstrumentName, Ts)> {
        self.markets
            .iter()
            .filter_map(|m| {
                let best = m.notable().into_iter().max_by_key(|e| (e.label.severity(), e.end - e.start))?;
                Some((m.lens.instrument.name.clone(), best.start + HOUR))
            })
            .collect()
    }

    /// What explains the minutes of each market, in the order of the plan.
    pub(crate) fn lenses(&self) -> impl Iterator<Item = &Lens> {
        self.markets.iter().map(|m| &m.lens)
    }

    /// Is there nothing to report?
    pub(crate) fn is_empty(&self) -> bool {
        self.markets.iter().all(|m| m.last.is_none())
    }
}

impl RunSink for Reports {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if crate::input::shown(row.ts, self.from, self.until) {
            self.markets[row.instrument as usize].row(row);
        }
        Ok(())
    }
    fn gap(&mut self, _stream: StreamIndex, status: &Status, _known_ts: Ts) -> Result<(), Failure> {
        self.gaps += u64::from(status.state == StatusState::Gap);
        Ok(())
    }
}

impl MarketWeather {
    fn new(lens: Lens) -> Self {
        Self {
            lens,
            last: None,
            before_last: None,
            first: None,
            prices: BTreeMap::new(),
            hours: BTreeMap::new(),
            episodes: Vec::new(),
            minutes: BTreeMap::new(),
        }
    }

    fn row(&mut self, row: &MinuteRow) {
        self.first.get_or_insert(row.ts);
        let hour = row.ts.floor(HOUR).0 / HOUR.0;
        let label = row.risk.label;
        let known =
            self.last.as_ref().map(|last| (last.ts.floor(HOUR).0 / HOUR.0, last.risk.label, last.price.is_some()));
        // Of an hour's minutes few say anything new.
        if known != Some((hour, label, true)) {
            if let Some(p) = row.price {
                self.prices.entry(hour).or_insert(p);
            }
            let worst = self.hours.entry(hour).or_insert(label);
            if label.severity() > worst.severity() {
                *worst = label;
            }
        }
        *self.minutes.entry(label).or_default() += 1;
        match self.episodes.last_mut() {
            Some(e) if e.label == label => e.end = row.ts + Span::mins(1),
            _ => {
                if let Some(e) = self.episodes.last_mut() {
                    e.open = false;
                }
                self.episodes.push(LabelEpisode {
                    side: side(row),
                    label,
                    start: row.ts,
                    end: row.ts + Span::mins(1),
                    open: true,
                    price: row.price,
                });
            }
        }
        core::mem::swap(&mut self.last, &mut self.before_last);
        match &mut self.last {
            Some(last) => last.clone_from(row),
            none => *none = Some(row.clone()),
        }
    }

    /// Hours that its ribbon covers.
    fn ribbon_hours(&self) -> usize {
        let ends = self.hours.first_key_value().zip(self.hours.last_key_value());
        ends.and_then(|((first, _), (last, _))| usize::try_from(last - first + 1).ok()).unwrap_or(0)
    }

    /// The snapshot at the end of the stretch.
    fn snapshot(&self) -> Option<Snapshot> {
        Some(self.lens.snapshot(self.last.as_ref()?, self.before_last.as_ref()))
    }

    fn notable(&self) -> Vec<LabelEpisode> {
        let severe = |e: &&LabelEpisode| matches!(e.label, RiskRegime::SqueezeRisk | RiskRegime::HighVol);
        let mut found: Vec<LabelEpisode> = self.episodes.iter().filter(severe).copied().collect();
        // Squeezes are rare and all worth a line; of the rest the longest.
        found.sort_by_key(|e| (e.label != RiskRegime::SqueezeRisk, core::cmp::Reverse(e.end - e.start)));
        found.truncate(EPISODES_SHOWN);
        found.sort_by_key(|e| e.start);
        found
    }

    fn print(&self, out: &mut impl Write, paint: Paint) -> Result<(), Failure> {
        let Some(s) = self.snapshot() else { return Ok(()) };
        let risk = &s.regimes.risk;
        let margin = risk
            .turning()
            .map_or(String::new(), |m| format!(", margin {}, {}", minus(&format!("{m:.1}")), spoken_margin(m)));
        let word = format!("{} {}", risk.label.name(), risk.label.sign());
        let at = s.price.map_or(String::new(), |p| format!("  at {}", price(p)));
        writeln!(out, "{}  {}{at}", paint.strong(&s.instrument.to_string()), minute(s.timestamp))?;
        let held = format!("for {}{margin}, posture {}", Span::secs(risk.age_s).spoken(), s.guidance.posture.name());
        let bias = format!(", bias {}", s.guidance.risk_bias.name());
        let fits = [&word, &held, &bias].iter().map(|text| text.chars().count()).sum::<usize>() <= 76;
        let bias = if fits { bias } else { String::new() };
        writeln!(out, "  {}  {held}{bias}", paint.label(risk.label, &word))?;
        writeln!(out, "{}", paint.strong(&fold(&s.headline, 78, "  ")))?;
        writeln!(out, "{}", fold(&s.explanation.reasoning, 78, "  "))?;
        self.print_ribbon(out, paint)?;
        self.print_episodes(out, paint)?;
        writeln!(out)?;
        Ok(())
    }

    fn print_ribbon(&self, out: &mut impl Write, paint: Paint) -> Result<(), Failure> {
        let (Some((&first, _)), Some((&last, _))) = (self.hours.first_key_value(), self.hours.last_key_value()) else {
            return Ok(());
        };
        let hours = usize::try_from(last - first + 1).unwrap_or(1);
        let columns = hours.min(RIBBON);
        write!(out, "  ")?;
        for column in 0..columns {
            let from = first + i64::try_from(column * hours / columns).unwrap_or(0);
            let to = first + i64::try_from((column + 1) * hours / columns).unwrap_or(0);
            let worst = typical(&self.hours.range(from..to).map(|(_, l)| *l).collect::<Vec<_>>());
            write!(out, "{}", paint.label(worst, ribbon_sign(worst)))?;
        }
        writeln!(out)?;
        let (start, end) = (minute(Ts(first * HOUR.0)), minute(Ts(last * HOUR.0)));
        let gap = " ".repeat(columns.saturating_sub(start.len() + end.len()).max(2));
        writeln!(out, "  {}", paint.faint(&format!("{start}{gap}{end}")))?;
        let total: u64 = self.minutes.values().sum();
        #[expect(clippy::cast_precision_loss, reason = "minutes of a replay")]
        let share = |n: &u64| 100.0 * *n as f64 / total.max(1) as f64;
        let parts: Vec<String> = self
            .minutes
            .iter()
            .map(|(l, n)| format!("{}\u{a0}{:.1}\u{a0}%", l.spoken().replace(' ', "\u{a0}"), share(n)))
            .collect();
        for line in fold(&parts.join(", "), 78, "  ").lines() {
            writeln!(out, "{}", paint.faint(&line.replace('\u{a0}', " ")))?;
        }
        Ok(())
    }

    fn print_episodes(&self, out: &mut impl Write, paint: Paint) -> Result<(), Failure> {
        let notable = self.notable();
        if notable.is_empty() {
            writeln!(out, "  no squeeze risk and no high volatility in this stretch")?;
            return Ok(());
        }
        // 80 columns in all; the price 4 and 24 hours after the beginning says what happened next.
        let header =
            format!("{:<15} {:<17} {:<15} {:>10} {:>8} {:>8}", "episode", "began", "lasted", "price", "+4 h", "+24 h");
        writeln!(out, "  {}", paint.faint(&header))?;
        for e in notable {
            let word = format!("{} {}{}", e.label.name(), ribbon_sign(e.label), e.side);
            let lasted = format!("{}{}", (e.end - e.start).spoken(), if e.open { " so far" } else { "" });
            let later = |hours| self.change_after(&e, hours).map_or("unknown".to_owned(), percent);
            let pad = " ".repeat(15_usize.saturating_sub(word.chars().count()));
            writeln!(
                out,
                "  {}{pad} {} {lasted:<15} {:>10} {:>8} {:>8}",
                paint.label(e.label, &word),
                minute(e.start),
                e.price.map_or("unknown".to_owned(), price),
                later(4),
                later(24)
            )?;
        }
        Ok(())
    }

    /// Price change from the start of an episode; `None` where the data end before.
    fn change_after(&self, e: &LabelEpisode, hours: i64) -> Option<f64> {
        let then = (e.start + HOUR.times(hours)).floor(HOUR).0 / HOUR.0;
        Some(self.prices.get(&then)? / e.price? - 1.0)
    }
}

fn side(row: &MinuteRow) -> &'static str {
    if row.risk.label != RiskRegime::SqueezeRisk {
        return "";
    }
    match barograph_query::render::wire_value(Feature::SqueezeDirection, &row.cells[Feature::SqueezeDirection.index()])
    {
        WireValue::Word("LONG_SQUEEZE") => "▼",
        WireValue::Word("SHORT_SQUEEZE") => "▲",
        _ => "",
    }
}

/// The most severe label that, with what is more severe still, holds a fifth of the hours.
fn typical(hours: &[RiskRegime]) -> RiskRegime {
    let known = hours.iter().filter(|l| l.severity().is_some()).count();
    if 2 * known < hours.len() {
        return RiskRegime::Unknown;
    }
    let mut labels: Vec<RiskRegime> = RiskRegime::ALL.into_iter().filter(|l| l.severity().is_some()).collect();
    labels.sort_by_key(|l| core::cmp::Reverse(l.severity()));
    labels
        .into_iter()
        .find(|l| known > 0 && 5 * hours.iter().filter(|h| h.severity() >= l.severity()).count() >= known)
        .unwrap_or(RiskRegime::Unknown)
}

/// One column wide everywhere, unlike some of the signs of UX section 2.
const fn ribbon_sign(label: RiskRegime) -> &'static str {
    match label {
        RiskRegime::Normal => "·",
        RiskRegime::ChopRisk => "≈",
        RiskRegime::SqueezeRisk => "⇥",
        RiskRegime::HighVol => "█",
        RiskRegime::Unknown => " ",
    }
}
