//! What an import takes the stamps of its rows to mean, and whether the data bear it out.
//!
//! Cutting the input cannot see a wrong stamp: candles stamped at their open and taken for closes are an hour early in every
//! run alike. Two price streams of one market can: their returns move together at no lag, unless one of them is early or late.

use crate::failure::Failure;
use barograph_domain::{InstrumentName, Metric, Payload, Span, Stamp, Ts, math};
use barograph_lake::ImportPlan;
use serde::Serialize;
use std::collections::BTreeMap;

/// Prices looked at of each stream: two weeks of minutes.
const PRICES_MAX: usize = 20_000;
/// Returns that have to be shared before anything is said.
const RETURNS_MIN: usize = 50;
/// Steps looked at in both directions.
const LAGS: i64 = 2;
/// A correlation at a lag that says something, and by how much it has to exceed the one without.
const CORRELATED: f64 = 0.3;
const EXCESS: f64 = 0.2;

/// What is assumed of one stream.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Assumed {
    stream: String,
    stamp: Stamp,
    cadence: Span,
    delay: Span,
}

/// Two price streams of one market.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Compared {
    instrument: InstrumentName,
    first: String,
    second: String,
    returns: usize,
    /// By how much the first is ahead of the second where they move together most; negative: behind.
    ahead: Span,
    correlation: f64,
    correlation_unshifted: f64,
    contradicts: bool,
}

/// Why two price streams say nothing about each other's stamps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
enum Why {
    /// There is no second one.
    OneStream,
    /// When one begins the other is over.
    NoCommonTime,
    /// Fewer returns of both at once than anything is said from.
    FewReturns { returns: usize },
    /// One of the two never changes while both are there.
    NoMovement,
}

/// Streams of a market in which nothing can be compared, and why.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Unseen {
    instrument: InstrumentName,
    streams: Vec<String>,
    #[serde(flatten)]
    why: Why,
}

/// All of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct Stamps {
    assumed: Vec<Assumed>,
    compared: Vec<Compared>,
    /// Of markets in which nothing can be compared, each pair.
    unseen: Vec<Unseen>,
}

/// Prices of one stream by its stamps.
struct Prices {
    name: String,
    step: Span,
    prices: Vec<(Ts, f64)>,
}

impl Stamps {
    /// Reads the import once.
    pub(crate) fn of(plan: &ImportPlan) -> Self {
        let mut assumed: Vec<Assumed> = Vec::new();
        for d in plan.streams() {
            assumed.push(Assumed { stream: d.label(), stamp: d.stamp, cadence: d.cadence, delay: d.delay });
        }
        let mut markets: BTreeMap<&InstrumentName, BTreeMap<usize, Prices>> = BTreeMap::new();
        for instrument in plan.instruments() {
            markets.insert(&instrument.name, BTreeMap::new());
        }
        for event in plan.open(None) {
            let at = event.stream.index();
            let Some(decl) = plan.streams().get(at) else { continue };
            let Some(price) = price(decl.metric, &event.payload) else { continue };
            let own = markets.entry(&decl.instrument).or_default().entry(at).or_insert_with(|| Prices {
                name: decl.label(),
                step: decl.cadence.max(Span::mins(1)),
                prices: Vec::new(),
            });
            own.push(event.event_ts, price);
        }
        let mut found = Self { assumed, compared: Vec::new(), unseen: Vec::new() };
        for (instrument, own) in markets {
            found.compare(instrument, &own.into_values().collect::<Vec<_>>());
        }
        found
    }

    fn compare(&mut self, instrument: &InstrumentName, own: &[Prices]) {
        let unseen = |streams: &[&Prices], why| {
            let streams = streams.iter().map(|s| s.name.clone()).collect();
            Unseen { instrument: instrument.clone(), streams, why }
        };
        if let [alone] = own {
            self.unseen.push(unseen(&[alone], Why::OneStream));
            return;
        }
        let (mut compared, mut not) = (Vec::new(), Vec::new());
        for (i, first) in own.iter().enumerate() {
            for second in &own[i + 1..] {
                match compare(instrument, first, second) {
                    Ok(pair) => compared.push(pair),
                    Err(why) => not.push(unseen(&[first, second], why)),
                }
            }
        }
        // One pair that can be compared is enough to see a stream that is early.
        if compared.is_empty() {
            self.unseen.extend(not);
        }
        self.compared.extend(compared);
    }

    /// Do two streams of one market exclude each other?
    pub(crate) fn contradicted(&self) -> bool {
        self.compared.iter().any(|c| c.contradicts)
    }

    /// Says it in sentences.
    pub(crate) fn print(&self, out: &mut impl std::io::Write) -> Result<(), Failure> {
        for a in &self.assumed {
            let stamp = match a.stamp {
                Stamp::Open => "the beginning of the row",
                Stamp::Close => "the end of the row",
                Stamp::Instant => "the moment of the value",
            };
            writeln!(out, "assumed {}: a stamp is {stamp}, known {} later", a.stream, a.delay)?;
        }
        for c in self.compared.iter().filter(|c| c.contradicts) {
            let (early, late) = if c.ahead > Span::ZERO { (&c.first, &c.second) } else { (&c.second, &c.first) };
            writeln!(
                out,
                "stamps contradict each other: {early} tells prices {} before {late} does (correlation of returns {:.2} at that \
                 lag, {:.2} without)",
                Span(c.ahead.0.abs()).spoken(),
                c.correlation,
                c.correlation_unshifted
            )?;
        }
        let agreeing = self.compared.iter().filter(|c| !c.contradicts).count();
        if agreeing > 0 {
            writeln!(out, "stamps agree in {agreeing} pairs of price streams of one market")?;
        }
        for unseen in &self.unseen {
            writeln!(out, "{}", unseen.sentence())?;
        }
        Ok(())
    }
}

impl Unseen {
    fn sentence(&self) -> String {
        let (name, streams) = (&self.instrument, self.streams.join(" and "));
        let why = match self.why {
            Why::OneStream => {
                return format!(
                    "{name} has one price stream: a wrong meaning of its stamps would look ahead in every run alike, and cannot be seen here"
                );
            }
            Why::NoCommonTime => "one is over when the other begins".to_owned(),
            Why::FewReturns { returns } => format!("they share {returns} returns, and {RETURNS_MIN} are needed"),
            Why::NoMovement => "one of them does not move while both are there".to_owned(),
        };
        format!("{streams} say nothing about each other's stamps: {why}; a wrong meaning cannot be seen here")
    }
}

impl Prices {
    /// Of several prices in one minute the last.
    fn push(&mut self, at: Ts, price: f64) {
        let minute = |t: Ts| t.floor(Span::mins(1));
        let room = self.prices.len() < PRICES_MAX;
        match self.prices.last_mut() {
            Some(last) if self.step <= Span::mins(1) && minute(last.0) == minute(at) => *last = (at, price),
            // Seconds of lateness are no step.
            _ if room => self.prices.push((minute(at + Span::secs(30)), price)),
            _ => {}
        }
    }

    /// The last price in the step that ends at `at`.
    fn at(&self, at: Ts, step: Span) -> Option<f64> {
        let until = self.prices.partition_point(|(t, _)| *t <= at);
        let (t, price) = *self.prices.get(until.checked_sub(1)?)?;
        (t > at - step).then_some(price)
    }
}

/// The price that an event has.
fn price(metric: Metric, payload: &Payload) -> Option<f64> {
    let price = match (metric, payload) {
        (Metric::Bar, Payload::Bar(bar)) => bar.close,
        (Metric::Trade, Payload::Trade { price, .. }) => *price,
        (Metric::BestBidAsk, Payload::BestBidAsk { bid, ask }) => 0.5 * (bid + ask),
        (Metric::MarkPrice | Metric::IndexPrice, Payload::Value(price)) => *price,
        _ => return None,
    };
    (price.is_finite() && price > 0.0).then_some(price)
}

/// First and last moment at which both have a price.
fn together(a: &Prices, b: &Prices) -> Option<(Ts, Ts)> {
    let ends = (a.prices.first()?.0.max(b.prices.first()?.0), a.prices.last()?.0.min(b.prices.last()?.0));
    (ends.0 < ends.1).then_some(ends)
}

fn compare(instrument: &InstrumentName, a: &Prices, b: &Prices) -> Result<Compared, Why> {
    let step = a.step.max(b.step);
    let (first, last) = together(a, b).ok_or(Why::NoCommonTime)?;
    let mut pairs: BTreeMap<i64, Sums> = BTreeMap::new();
    let mut t = first.ceil(step) + step.times(LAGS + 1);
    while t <= last - step.times(LAGS) {
        let of = |p: &Prices, t: Ts| Some(math::ln(p.at(t, step)? / p.at(t - step, step)?));
        if let Some(x) = of(a, t) {
            for lag in -LAGS..=LAGS {
                if let Some(y) = of(b, t + step.times(lag)) {
                    pairs.entry(lag).or_default().add(x, y);
                }
            }
        }
        t = t + step;
    }
    let unshifted = pairs.get(&0).ok_or(Why::FewReturns { returns: 0 })?;
    if unshifted.n < RETURNS_MIN {
        return Err(Why::FewReturns { returns: unshifted.n });
    }
    let zero = unshifted.correlation().ok_or(Why::NoMovement)?;
    let best = pairs.iter().filter_map(|(lag, s)| Some((*lag, s.correlation()?)));
    let (lag, correlation) = best.max_by(|x, y| x.1.total_cmp(&y.1)).unwrap_or((0, zero));
    Ok(Compared {
        instrument: instrument.clone(),
        first: a.name.clone(),
        second: b.name.clone(),
        returns: unshifted.n,
        ahead: step.times(lag),
        correlation,
        correlation_unshifted: zero,
        contradicts: lag != 0 && correlation >= CORRELATED && correlation - zero >= EXCESS,
    })
}

#[derive(Default)]
struct Sums {
    n: usize,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Sums {
    fn add(&mut self, x: f64, y: f64) {
        self.n += 1;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
    }

    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    fn correlation(&self) -> Option<f64> {
        let n = self.n as f64;
        let (vx, vy) = (self.xx - self.x * self.x / n, self.yy - self.y * self.y / n);
        let found = (self.xy - self.x * self.y / n) / (vx * vy).sqrt();
        found.is_finite().then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A walk of `n` steps, each of them this long, known so much later than it happened.
    fn walk(name: &str, step: Span, n: i64, late: Span) -> Prices {
        let mut own = Prices { name: name.to_owned(), step, prices: Vec::new() };
        let (mut log, mut state) = (0.0, 7_u64);
        for minute in 0..n * step.0 / Span::mins(1).0 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            #[expect(clippy::cast_precision_loss, reason = "a test's noise")]
            let noise = (state >> 33) as f64 / f64::from(u32::MAX >> 1) - 0.5;
            log += 0.001 * noise;
            let at = Ts(0) + Span::mins(minute + 1);
            if at.floor(step) == at {
                own.push(at + late, math::exp(log));
            }
        }
        own
    }

    #[test]
    fn a_stream_stamped_at_its_open_is_seen_beside_another() {
        let name = InstrumentName::parse("x:BTCUSDT").unwrap();
        let hour = Span::hours(1);
        for (late, step, want) in [
            (Span::ZERO, Span::mins(1), false),
            (Span::ZERO, hour, false),
            (Span::ZERO - hour, Span::mins(1), true),
            (Span::ZERO - hour, hour, true),
            (hour, hour, true),
            (Span::secs(2), Span::mins(1), false),
        ] {
            let (a, b) = (walk("bars", hour, 400, late), walk("marks", step, 400 * hour.0 / step.0, Span::ZERO));
            for found in [compare(&name, &a, &b).unwrap(), compare(&name, &b, &a).unwrap()] {
                assert_eq!(found.contradicts, want, "{late:?} {step}: {found:?}");
                let early = if found.first == "bars" { found.ahead } else { Span::ZERO - found.ahead };
                assert!(!want || early == Span::ZERO - late, "{found:?}");
            }
        }
        let (a, b) = (walk("a", hour, 20, hour), walk("b", hour, 20, Span::ZERO));
        let few = compare(&name, &a, &b);
        assert!(matches!(few, Err(Why::FewReturns { returns }) if returns < RETURNS_MIN), "{few:?}");
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let name = InstrumentName::parse("x:BTCUSDT").unwrap();
        let hour = Span::hours(1);
        let said = |own: &[Prices]| -> Vec<String> {
            let mut stamps = Stamps { assumed: Vec::new(), compared: Vec::new(), unseen: Vec::new() };
            stamps.compare(&name, own);
            stamps.unseen.iter().map(Unseen::sentence).collect()
        };
        let bars = || walk("bars", hour, 400, Span::ZERO);
        let still = Prices {
            name: "marks".to_owned(),
            step: hour,
            prices: bars().prices.into_iter().map(|(at, _)| (at, 1.0)).collect(),
        };
        for (second, want) in [
            (None, "x:BTCUSDT has one price stream: "),
            (Some(walk("marks", hour, 400, Span::days(60))), ": one is over when the other begins; "),
            (Some(walk("marks", hour, 20, Span::ZERO)), " returns, and 50 are needed; "),
            (Some(still), ": one of them does not move while both are there; "),
        ] {
            let own: Vec<Prices> = [bars()].into_iter().chain(second).collect();
            let said = said(&own);
            let [sentence] = said.as_slice() else { panic!("{said:?}") };
            assert!(sentence.contains(want), "{sentence}");
            assert!(own.len() == 1 || sentence.starts_with("bars and marks say nothing"), "{sentence}");
        }
        assert_eq!(said(&[bars(), walk("marks", hour, 400, Span::ZERO)]), [""; 0], "they are compared");
        assert_eq!(said(&[]), [""; 0], "nothing to say of no prices");
    }
}
