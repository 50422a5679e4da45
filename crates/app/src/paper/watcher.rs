//! Asks a running process for bars and advice, decides on paper, and resolves what was decided.
//!
//! A moment of the strategy is judged while its bar is news; one that is seen later, after an outage or a restart, is logged as not made, never judged
//! with what was known afterwards. Candles are taken ten seconds after their close. An outcome is final: it waits until both pairs are
//! resolved, and for a missing bar until an hour past the horizon.

use super::log::PaperLog;
use crate::cli::PaperArgs;
use crate::failure::Failure;
use crate::http::escaped;
use crate::watch::client::ServerTarget;
use barograph_domain::advice::Verdict;
use barograph_domain::{Side, Span, Ts};
use barograph_engine::kpi::{
    ClosedTrade, EntryMoment, FillBar, Strategy, StrategyName, TradeCosts, TradePlan, Unresolved, plain,
};
use barograph_query::paper::{ArmOutcome, NoDecision, PaperDecision, PaperOutcome, PaperRecord, PaperStart};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

/// A candle is taken for closed so long after its end: the last of its parts has come by then.
const SETTLED: Span = Span::secs(10);
/// Markets unless they are named.
const MARKETS: usize = 20;
/// Most candles of one answer.
pub(crate) const CANDLES_MAX: i64 = 2_000;
/// Candles that are read at least, and windows of the strategy.
const CANDLES_MIN: (i64, usize) = (60, 2);
/// How long after the horizon a missing bar may still come.
const PATIENCE: Span = Span::hours(1);

/// A watch over some markets.
#[derive(Debug)]
pub(crate) struct PaperWatch<'a> {
    args: &'a PaperArgs,
    server: ServerTarget,
    log: PaperLog,
    /// Ids that the log has.
    known: BTreeSet<String>,
    /// Decisions without an outcome, by id.
    open: BTreeMap<String, PaperDecision>,
    /// Since when moments of this strategy are expected to have been seen.
    since: Ts,
    /// What is wrong with each market, or with the server (no market).
    trouble: BTreeMap<Option<String>, String>,
    /// Why the last check saw nothing.
    pub(crate) failed: Option<String>,
}

impl<'a> PaperWatch<'a> {
    /// Goes on where the log ends.
    pub(crate) fn new(
        args: &'a PaperArgs,
        server: ServerTarget,
        mut log: PaperLog,
        records: Vec<PaperRecord>,
        now: Ts,
    ) -> Result<Self, Failure> {
        let (mut known, mut open, mut since) = (BTreeSet::new(), BTreeMap::new(), now);
        for record in records {
            match record {
                PaperRecord::Started(start) if start.strategy == args.strategy.name() => since = since.min(start.ts),
                PaperRecord::Decision(d) => {
                    known.insert(d.id.clone());
                    open.insert(d.id.clone(), *d);
                }
                PaperRecord::NotMade(NoDecision { id: Some(id), .. }) => {
                    known.insert(id);
                }
                PaperRecord::Outcome(outcome) => {
                    open.remove(&outcome.id);
                }
                PaperRecord::Started(_) | PaperRecord::NotMade(_) | PaperRecord::LowConfidence { .. } => {}
            }
        }
        log.append(&[PaperRecord::Started(PaperStart {
            ts: now,
            strategy: args.strategy.name().to_owned(),
            address: server.address(),
            timeframe_s: args.timeframe.as_secs(),
            horizon_s: args.horizon.as_secs(),
            cost_share: costs(args).share(),
            equity: args.equity,
        })])?;
        Ok(Self { args, server, log, known, open, since, trouble: BTreeMap::new(), failed: None })
    }

    /// Checks every market once.
    pub(crate) fn check(&mut self, now: Ts) -> Result<(), Failure> {
        let markets = match self.markets() {
            Ok(markets) => markets,
            Err((reason, why)) => {
                self.failed = Some(why.clone());
                return self.troubled(None, reason, &why, now);
            }
        };
        self.failed = None;
        self.well(None)?;
        let mut all: BTreeSet<String> = markets.into_iter().collect();
        all.extend(self.open.values().map(|d| d.market.clone()));
        for market in all {
            let own = self.args.timeframe;
            match self.candles(&market, own, now) {
                Ok(bars) => self.market(&market, &bars, now)?,
                Err(why) => self.troubled(Some(&market), "no_bars", &why, now)?,
            }
            // Decided by a process that watched other bars.
            for frame in self.frames(&market).into_iter().filter(|frame| *frame != own) {
                if let Ok(bars) = self.candles(&market, frame, now) {
                    self.resolve(&market, frame, &bars, now)?;
                }
            }
        }
        Ok(())
    }

    /// Timeframes of the decisions of a market that are open.
    fn frames(&self, market: &str) -> BTreeSet<Span> {
        self.open.values().filter(|d| d.market == market).map(PaperDecision::timeframe).collect()
    }

    fn candles_min(&self) -> i64 {
        let (least, windows) = CANDLES_MIN;
        i64::try_from(windows * self.args.strategy.window()).unwrap_or(CANDLES_MAX).max(least)
    }

    fn markets(&self) -> Result<Vec<String>, (&'static str, String)> {
        let found = self.server.get("/api/v1/markets").map_err(|why| ("no_server", why))?;
        let items = found["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let names: Vec<&str> = items.iter().filter_map(|m| m["instrument"].as_str()).collect();
        if self.args.symbols.is_empty() {
            return Ok(names.into_iter().take(MARKETS).map(str::to_owned).collect());
        }
        let is = |name: &str, wanted: &str| name == wanted || name.split_once(':').is_some_and(|(_, s)| s == wanted);
        let of = |wanted: &String| {
            let named = names.iter().find(|name| is(name, wanted)).map(|name| (*name).to_owned());
            named.ok_or_else(|| ("no_market", format!("there is no market '{wanted}'; there is {}", names.join(", "))))
        };
        self.args.symbols.iter().map(of).collect()
    }

    /// Closed candles, by close.
    fn candles(&self, market: &str, frame: Span, now: Ts) -> Result<Vec<FillBar>, String> {
        let oldest = self.open.values().filter(|d| d.market == market).map(|d| d.bar_close).min().unwrap_or(now);
        let bars = ((now - oldest).0 / frame.0 + 3).clamp(self.candles_min(), CANDLES_MAX);
        let path = format!("/api/v1/markets/{}/chart?interval={}&bars={bars}", escaped(market), frame.compact());
        let found = self.server.get(&path)?;
        let column = |name: &str, at: usize| &found[name][at];
        let bar = |at: usize| {
            Some(FillBar {
                close_ts: Ts::from_secs(column("t", at).as_i64()?) + frame,
                open: column("o", at).as_f64()?,
                high: column("h", at).as_f64()?,
                low: column("l", at).as_f64()?,
                close: column("c", at).as_f64()?,
                volume: column("v", at).as_f64(),
            })
        };
        let n = found["t"].as_array().map_or(0, Vec::len);
        Ok((0..n).filter_map(bar).filter(|b| b.close_ts + SETTLED <= now).collect())
    }

    fn market(&mut self, market: &str, bars: &[FillBar], now: Ts) -> Result<(), Failure> {
        let frame = self.args.timeframe;
        self.resolve(market, frame, bars, now)?;
        let newest = bars.last().map(|b| b.close_ts);
        match newest {
            Some(at) if now - at <= frame.times(2) + Span::mins(1) => self.well(Some(market))?,
            Some(at) => {
                let why = format!("its newest bar closed at {at}");
                self.troubled(Some(market), "stale", &why, now)?;
            }
            None => self.troubled(Some(market), "stale", "it has no closed bar", now)?,
        }
        self.gaps(market, bars, now)?;
        let mut strategy = Strategy::new(self.args.strategy, frame);
        for moment in bars.iter().filter_map(|bar| strategy.push(bar)).collect::<Vec<_>>() {
            self.consider(market, &moment, now)?;
        }
        Ok(())
    }

    /// A bar is missing within the strategy's window: it picks nothing, and so there is no decision.
    fn gaps(&mut self, market: &str, bars: &[FillBar], now: Ts) -> Result<(), Failure> {
        let silent = self.args.strategy.window();
        let window = bars.len().saturating_sub(silent + 1);
        for pair in bars[window..].windows(2) {
            let [a, b] = [pair[0].close_ts, pair[1].close_ts];
            let id = format!("gap {market} {a}");
            if a + self.args.timeframe < b && b > self.since && !self.known.contains(&id) {
                let detail = format!("no bars between {a} and {b}: nothing is considered for {silent} bars after it");
                self.not_made((Some(market), Some(id)), "gap", detail, now)?;
            }
        }
        Ok(())
    }

    fn consider(&mut self, market: &str, moment: &EntryMoment, now: Ts) -> Result<(), Failure> {
        let side = if moment.side == Side::Long { "long" } else { "short" };
        let id = id(self.args.strategy, market, moment);
        if self.known.contains(&id) {
            return Ok(());
        }
        let fresh = Span((self.args.timeframe.0 / 4).clamp(Span::secs(90).0, Span::mins(5).0));
        if now - moment.at > fresh {
            // What closed before the first start was never watched for.
            if moment.at <= self.since {
                return Ok(());
            }
            let detail =
                format!("{side} at {}: seen {} after its bar closed", moment.price, (now - moment.at).spoken());
            return self.not_made((Some(market), Some(id)), "late", detail, now);
        }
        let body = json!({
            "symbol": market, "side": side, "entry": moment.price, "strategy": self.args.strategy.name(), "equity": self.args.equity,
            "taker_fee": self.args.taker_fee, "half_spread": moment.price * self.args.half_spread,
        });
        let advice = match self.server.post("/api/v1/advice", &body) {
            Ok(advice) => advice,
            Err(why) => return self.not_made((Some(market), Some(id)), "no_advice", why, now),
        };
        let reasons: Vec<String> = words(&advice["reasons"]);
        if reasons.iter().any(|r| r == "data_stale" || r == "no_data") {
            let summary = advice["summary"].as_str().unwrap_or_default().to_owned();
            return self.not_made((Some(market), Some(id)), "stale", summary, now);
        }
        let Some(decision) = self.decided(&id, market, moment, &advice, reasons, now) else {
            let detail = "advice has no stop, target or average true range".to_owned();
            return self.not_made((Some(market), Some(id)), "no_plan", detail, now);
        };
        self.write(decision)
    }

    fn decided(
        &self,
        id: &str,
        market: &str,
        moment: &EntryMoment,
        advice: &Value,
        reasons: Vec<String>,
        now: Ts,
    ) -> Option<PaperDecision> {
        let verdict: Verdict = serde_json::from_value(advice["verdict"].clone()).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let atr_14 = advice["stop"]["atr"].as_f64()?;
        let plain = plain(moment.side, moment.price, atr_14)?;
        let (stop, target) = (advice["stop"]["used"].as_f64()?, advice["target"]["price"].as_f64()?);
        let parameters = &advice["parameters"];
        let kind = text(&parameters["confidence_kind"]).unwrap_or_else(|| "not_available".to_owned());
        let held = self.open.values().any(|d| d.market == market && d.taken);
        let skipped = match verdict {
            Verdict::Avoid => Some("avoid"),
            _ if held => Some("position_open"),
            Verdict::Allow | Verdict::Caution => None,
        };
        Some(PaperDecision {
            id: id.to_owned(),
            ts: now,
            market: market.to_owned(),
            side: moment.side,
            bar_close: moment.at,
            entry: moment.price,
            strategy: self.args.strategy.name().to_owned(),
            readings: moment.readings.iter().map(|(name, x)| ((*name).to_owned(), *x)).collect(),
            vwap: None,
            volume_ratio: None,
            verdict,
            decided_by: text(&advice["decided_by"]).unwrap_or_default(),
            reasons,
            confidence: parameters["confidence"].as_f64().filter(|_| kind != "not_available"),
            confidence_kind: kind,
            taken: skipped.is_none(),
            skipped: skipped.map(str::to_owned),
            size: advice["size"]["size_base_units"].as_f64(),
            risk_fraction: advice["size"]["risk_fraction"].as_f64(),
            atr_14,
            stop,
            target,
            target_source: text(&advice["target"]["target_source"]).unwrap_or_default(),
            planned_rr: TradePlan { side: moment.side, entry: moment.price, stop, target }.ratio(),
            plain_stop: plain.stop,
            plain_target: plain.target,
            session: text(&advice["snapshot"]["session"]),
            snapshot_id: text(&advice["snapshot"]["snapshot_id"]),
            logic_version: text(&advice["snapshot"]["logic_version"]),
            timeframe_s: self.args.timeframe.as_secs(),
            horizon_s: self.args.horizon.as_secs(),
            cost_share: costs(self.args).share(),
        })
    }

    /// Logs a decision, and a low confidence as an event of its own, in one piece.
    fn write(&mut self, d: PaperDecision) -> Result<(), Failure> {
        let what = if d.taken { "taken" } else { "skipped" };
        let sure = d.confidence.map_or_else(|| "no confidence".to_owned(), |c| format!("confidence {c:.2}"));
        let said = format!("{}: {} by {}, {sure}, {what} on paper", d.id, d.verdict.name(), d.decided_by);
        let mut records = vec![PaperRecord::Decision(Box::new(d.clone()))];
        if d.is_unsure() {
            records.push(PaperRecord::LowConfidence {
                ts: d.ts,
                id: d.id.clone(),
                market: d.market.clone(),
                confidence: d.confidence,
                confidence_kind: d.confidence_kind.clone(),
            });
        }
        self.log.append(&records)?;
        report(&said)?;
        self.known.insert(d.id.clone());
        self.open.insert(d.id.clone(), d);
        Ok(())
    }

    /// Ends what the bars say has ended.
    fn resolve(&mut self, market: &str, frame: Span, bars: &[FillBar], now: Ts) -> Result<(), Failure> {
        let own: Vec<PaperDecision> =
            self.open.values().filter(|d| d.market == market && d.timeframe() == frame).cloned().collect();
        for d in own {
            let [context, plain] = d.plans();
            let ends = [&context, &plain].map(|plan| plan.follow(d.bar_close, d.horizon(), frame, bars));
            let over = now > d.bar_close + d.horizon() + PATIENCE;
            if !over && ends.iter().any(Result::is_err) {
                continue;
            }
            let [a, b] = ends;
            let outcome = PaperOutcome {
                id: d.id.clone(),
                ts: now,
                context: of_arm(&context, a, d.cost_share),
                plain: of_arm(&plain, b, d.cost_share),
            };
            let said = match (outcome.context.exit, outcome.context.r_after_costs) {
                (Some(exit), Some(r)) => format!("{}: {} {r:+.2} R after costs", d.id, exit.name()),
                _ => format!("{}: unresolved, bars are missing", d.id),
            };
            self.log.append(&[PaperRecord::Outcome(outcome)])?;
            report(&said)?;
            self.open.remove(&d.id);
        }
        Ok(())
    }

    fn not_made(
        &mut self,
        (market, id): (Option<&str>, Option<String>),
        reason: &str,
        detail: String,
        now: Ts,
    ) -> Result<(), Failure> {
        let what = id.as_deref().or(market).unwrap_or("all markets");
        report(&format!("{what}: no decision, {reason}: {detail}"))?;
        self.known.extend(id.clone());
        let (market, reason) = (market.map(str::to_owned), reason.to_owned());
        self.log.append(&[PaperRecord::NotMade(NoDecision { ts: now, market, id, reason, detail })])
    }

    /// A state in which nothing can be decided: said and logged once, until it is over or another.
    fn troubled(&mut self, market: Option<&str>, reason: &str, detail: &str, now: Ts) -> Result<(), Failure> {
        let before = self.trouble.insert(market.map(str::to_owned), reason.to_owned());
        if before.as_deref() == Some(reason) {
            return Ok(());
        }
        self.not_made((market, None), reason, detail.to_owned(), now)
    }

    fn well(&mut self, market: Option<&str>) -> Result<(), Failure> {
        match self.trouble.remove(&market.map(str::to_owned)) {
            Some(reason) => report(&format!("{}: no longer {reason}", market.unwrap_or("all markets"))),
            None => Ok(()),
        }
    }
}

/// Made of market, bar and side, and of the strategy where it is not the first one, whose ids are older than its name in them.
fn id(strategy: StrategyName, market: &str, moment: &EntryMoment) -> String {
    let side = if moment.side == Side::Long { "long" } else { "short" };
    let of = format!("{market} {} {side}", moment.at);
    if strategy == StrategyName::default() { of } else { format!("{of} {}", strategy.name()) }
}

/// The costs that were typed.
pub(crate) fn costs(args: &PaperArgs) -> TradeCosts {
    TradeCosts { taker_fee: args.taker_fee, half_spread: args.half_spread }
}

fn of_arm(plan: &TradePlan, end: Result<ClosedTrade, Unresolved>, cost_share: f64) -> ArmOutcome {
    let costs = TradeCosts { taker_fee: 0.0, half_spread: cost_share };
    match end {
        Ok(closed) => ArmOutcome {
            exit: Some(closed.exit),
            exit_ts: Some(closed.at),
            exit_price: Some(closed.price),
            r: Some(closed.r),
            r_after_costs: Some(closed.r - plan.cost(&costs)),
            unresolved: None,
        },
        Err(why) => ArmOutcome {
            exit: None,
            exit_ts: None,
            exit_price: None,
            r: None,
            r_after_costs: None,
            unresolved: Some(why),
        },
    }
}

fn words(reasons: &Value) -> Vec<String> {
    let all = reasons.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|r| r["code"].as_str()).map(str::to_owned).collect()
}

/// A line on standard error, with its moment.
fn report(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stderr(), "{} {text}", crate::clock::now().floor(Span::secs(1)))?)
}
