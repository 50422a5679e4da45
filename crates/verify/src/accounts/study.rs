//! The whole of surveillance §10 over one recorded set: fills by market to labelled hours to scores, by classes of activity.

use super::links::{HourLabel, LinkRule, LinkedTrip, label};
use super::score::{AccountScore, LabelledHour, labelled};
use super::tape::{AccountFill, AccountTrade, join};
use barograph_domain::{Span, Ts};
use barograph_engine::order_flow::{FlowThresholds, TapeSpanFault, WashHour, WashTape};
use serde::Serialize;
use std::collections::BTreeMap;

const HOUR: Span = Span::hours(1);

/// Fills by market, each in the order of time.
pub type FillsByMarket = BTreeMap<String, Vec<AccountFill>>;

/// A third of the markets, by trades.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolClass {
    /// The third with most trades.
    Busy,
    /// The second.
    Middle,
    /// The third with fewest.
    Quiet,
}

impl SymbolClass {
    /// All, busiest first.
    pub const ALL: [Self; 3] = [Self::Busy, Self::Middle, Self::Quiet];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Middle => "middle",
            Self::Quiet => "quiet",
        }
    }
}

/// What is known of one market's tape.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TapeReport {
    /// Its symbol in the venue's spelling.
    pub symbol: String,
    /// Its class.
    pub class: SymbolClass,
    /// Fills of accounts.
    pub fills: usize,
    /// Trades that they make.
    pub trades: usize,
    /// Trades of which both accounts are known.
    pub joined: usize,
    /// Of them those that could have been joined otherwise.
    pub ambiguous: usize,
    /// Hours with a trade.
    pub hours: usize,
    /// Of them with a round trip.
    pub linked: usize,
}

/// A round trip and where it was.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FoundTrip {
    /// The market, as `venue:symbol`.
    pub symbol: String,
    /// Beginning of the hour.
    pub hour: Ts,
    /// Salted marks of its accounts, 16 hexadecimal digits each.
    pub accounts: Vec<String>,
    /// Base volume between them.
    pub gross: f64,
    /// Part of it that stayed in other hands.
    pub net_share: f64,
    /// Trades between them.
    pub trades: u32,
}

/// Scores of one class, or of all markets.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClassScore {
    /// `all`, or the word of a class.
    pub class: String,
    /// Markets in it.
    pub symbols: Vec<String>,
    /// What the statistics were worth there.
    pub score: AccountScore,
}

/// The whole study.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AccountReport {
    /// First and last trade; `None` without any.
    pub span: Option<[Ts; 2]>,
    /// Trades that an hour needs for the characteristics.
    pub trades_min: u32,
    /// Market by market, busiest first.
    pub markets: Vec<TapeReport>,
    /// All markets, then class by class.
    pub classes: Vec<ClassScore>,
    /// Every round trip, market by market in the order of time.
    pub round_trips: Vec<FoundTrip>,
}

struct StudiedMarket {
    about: TapeReport,
    hours: Vec<LabelledHour>,
    span: Option<[Ts; 2]>,
}

/// Studies fills by market. Characteristics are of hours with at least `trades_min` trades; the detector keeps its own thresholds.
///
/// # Errors
/// When the trades of a market lie too far apart for its hours to be made.
pub fn study(
    fills: &FillsByMarket,
    rule: &LinkRule,
    t: &FlowThresholds,
    trades_min: u32,
) -> Result<AccountReport, TapeSpanFault> {
    let studied = fills.iter().map(|(symbol, fills)| market(symbol, fills, rule, t));
    let mut markets = studied.collect::<Result<Vec<StudiedMarket>, _>>()?;
    markets.sort_by(|a, b| b.about.trades.cmp(&a.about.trades).then_with(|| a.about.symbol.cmp(&b.about.symbol)));
    let third = markets.len().div_ceil(3).max(1);
    for (at, market) in markets.iter_mut().enumerate() {
        market.about.class = SymbolClass::ALL[(at / third).min(2)];
    }
    let of_class = |class: Option<SymbolClass>| {
        let chosen = || markets.iter().filter(|m| class.is_none_or(|c| m.about.class == c));
        let hours: Vec<&LabelledHour> = chosen().flat_map(|m| &m.hours).collect();
        ClassScore {
            class: class.map_or("all", SymbolClass::name).to_owned(),
            symbols: chosen().map(|m| m.about.symbol.clone()).collect(),
            score: AccountScore::of(&hours, trades_min),
        }
    };
    let classes = [None].into_iter().chain(SymbolClass::ALL.map(Some)).map(of_class).collect();
    let spans = || markets.iter().filter_map(|m| m.span);
    Ok(AccountReport {
        span: spans().map(|s| s[0]).min().zip(spans().map(|s| s[1]).max()).map(<[_; 2]>::from),
        trades_min,
        classes,
        round_trips: markets.iter().flat_map(trips).collect(),
        markets: markets.into_iter().map(|m| m.about).collect(),
    })
}

fn market(
    symbol: &str,
    fills: &[AccountFill],
    rule: &LinkRule,
    t: &FlowThresholds,
) -> Result<StudiedMarket, TapeSpanFault> {
    let tape = join(fills);
    let (mut wash, mut seen) = (WashTape::new(), Vec::<WashHour>::new());
    for trade in &tape.trades {
        wash.trade(trade.at, (trade.ticks, trade.qty, trade.aggressor_side), t, &mut seen)?;
    }
    wash.end(t, &mut seen);
    let labels = seen.iter().map(|hour| label(in_hour(&tape.trades, hour.from), rule)).collect::<Vec<_>>();
    let hours = labelled(seen.into_iter().zip(labels), t.wash_hours);
    let about = TapeReport {
        symbol: symbol.to_owned(),
        class: SymbolClass::Quiet,
        fills: fills.len(),
        trades: tape.trades.len(),
        joined: tape.joined,
        ambiguous: tape.ambiguous,
        hours: hours.iter().filter(|h| h.seen.trades > 0).count(),
        linked: hours.iter().filter(|h| h.is_linked() == Some(true)).count(),
    };
    let span = tape.trades.first().zip(tape.trades.last()).map(|(a, b)| [a.at, b.at]);
    Ok(StudiedMarket { about, hours, span })
}

/// The trades of the hour that begins then; trades are in the order of time.
fn in_hour(trades: &[AccountTrade], from: Ts) -> &[AccountTrade] {
    let first = trades.partition_point(|t| t.at < from);
    let end = trades.partition_point(|t| t.at < from + HOUR);
    &trades[first..end]
}

fn trips(of: &StudiedMarket) -> impl Iterator<Item = FoundTrip> + '_ {
    let in_hour = |hour: &LabelledHour| match &hour.label {
        HourLabel::Linked(found) => found.clone(),
        HourLabel::Clear | HourLabel::Undecided => Vec::new(),
    };
    of.hours.iter().flat_map(move |hour| {
        let from = hour.seen.from;
        in_hour(hour).into_iter().map(move |LinkedTrip { accounts, gross, net_share, trades }| FoundTrip {
            symbol: of.about.symbol.clone(),
            hour: from,
            accounts: accounts.iter().map(|a| format!("{:016x}", a.0)).collect(),
            gross,
            net_share,
            trades,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::score::SignRoc;
    use super::super::tape::AccountMark;
    use super::*;
    use barograph_domain::Side;

    /// 300 fills an hour of customers alone; in the hours of `linked` two accounts trade back and forth besides, in round sizes.
    fn fills(hours: i64, linked: &[i64]) -> Vec<AccountFill> {
        let mut out = Vec::new();
        for hour in 0..hours {
            for k in 0..300_i64 {
                let at = Ts(hour * HOUR.0) + Span::secs(k * 12);
                let odd = |k: i64| f64::from(u32::try_from((k * 37) % 89).unwrap());
                let fill = |account: u64, side, qty: f64, took| AccountFill {
                    at,
                    account: AccountMark(account),
                    side,
                    ticks: 1_000 + 5 * k,
                    qty,
                    took,
                };
                out.push(fill(100 + k.unsigned_abs() % 7, Side::Long, 1.01 + odd(k) / 100.0, true));
                if linked.contains(&hour) {
                    for (buyer, seller, taker) in [(1, 2, Side::Long), (2, 1, Side::Short)] {
                        out.push(fill(buyer, Side::Long, 2.0, taker == Side::Long));
                        out.push(fill(seller, Side::Short, 2.0, taker == Side::Short));
                    }
                }
            }
        }
        out
    }

    #[test]
    fn hours_of_linked_accounts_are_labelled_and_found() {
        let made: Vec<i64> = (30..60).filter(|h| h % 6 < 2).collect();
        let of = FillsByMarket::from([("A".to_owned(), fills(70, &made)), ("B".to_owned(), fills(10, &[]))]);
        let report = study(&of, &LinkRule::default(), &FlowThresholds::default(), 200).unwrap();
        let [a, b] = report.markets.as_slice() else { panic!("two markets") };
        assert_eq!((a.hours, a.linked, b.hours, b.linked), (70, made.len(), 10, 0));
        assert_eq!((a.joined, a.ambiguous), (made.len() * 600, 0), "two trades in each of 300 seconds");
        assert_eq!((a.class, b.class), (SymbolClass::Busy, SymbolClass::Middle));
        let all = &report.classes[0].score;
        assert_eq!((all.alerts.recall.of, all.alerts.recall.n), (made.len(), made.len()));
        assert_eq!((all.alerts.precision.of, all.alerts.precision.n), (made.len(), made.len()));
        assert!(all.alerts_shown && report.classes[3].score.hours == 0);
        let SignRoc::Drawn { auc, .. } = &all.roc[0] else { panic!("{:?}", all.roc[0]) };
        assert!((auc - 1.0).abs() < 1e-12, "pairs tell them apart: {auc}");
        let trip = &report.round_trips[0];
        assert_eq!(
            (trip.accounts.as_slice(), trip.trades),
            (&["0000000000000001".to_owned(), format!("{:016x}", 2)][..], 600)
        );
    }

    #[test]
    fn a_set_with_a_row_of_another_century_is_refused() {
        let mut wrong = fills(1, &[]);
        wrong[0].at = Ts::from_civil(1700, 1, 1, 0, 0, 0);
        let of = FillsByMarket::from([("A".to_owned(), wrong)]);
        let fault = study(&of, &LinkRule::default(), &FlowThresholds::default(), 200).unwrap_err();
        assert_eq!(fault.first, Ts::from_civil(1700, 1, 1, 0, 0, 0));
    }
}
