//! What is declared by default about each metric: how long after its stamp an archived row was known (features §1,
//! "delays"), and how its rows follow each other.

use barograph_domain::{Metric, Span};

/// Release of these rules; part of the policy text, so that a changed default changes the configuration hash.
pub const VERSION: u32 = 2;

/// Delay of archived rows: bars and the closes of mark, index and premium bars 2 s after their close, archive metrics
/// 60 s after their stamp, settled funding 60 s. Trades and liquidations of an archive: 1 s, what a socket needs at
/// worst. Recorded streams are known at receipt and use none of this.
#[must_use]
pub const fn archive_delay(metric: Metric) -> Span {
    match metric {
        Metric::Bar | Metric::MarkPrice | Metric::IndexPrice | Metric::PremiumIndex => Span::secs(2),
        Metric::Trade | Metric::BestBidAsk | Metric::Book | Metric::Liquidation => Span::secs(1),
        Metric::FundingRate
        | Metric::FundingRateSettled
        | Metric::OpenInterest
        | Metric::OpenInterestUsd
        | Metric::TopTraderAccountRatio
        | Metric::TopTraderPositionRatio
        | Metric::LongShortRatio
        | Metric::TakerVolumeRatio
        | Metric::SpotPrice => Span::secs(60),
    }
}

/// Rows come when something happens, not on a grid: no cadence to miss.
#[must_use]
pub const fn is_event_stream(metric: Metric) -> bool {
    matches!(metric, Metric::Trade | Metric::Liquidation | Metric::BestBidAsk | Metric::Book)
}

/// Declared cadence of event streams and recorded streams.
pub const STREAM_CADENCE: Span = Span::secs(1);

/// Declared cadence of settled funding whatever its interval is, which each settlement carries; and the interval to start
/// from where the file has none.
pub const FUNDING_INTERVAL: Span = Span::hours(8);

/// The defaults as text, one line per metric.
#[must_use]
pub fn text() -> String {
    let mut out = format!("import policy {VERSION}\nbar stamp=open\nseries stamp=instant\n");
    for metric in Metric::ALL {
        out.push_str(&format!("{} delay={}\n", metric.name(), archive_delay(metric)));
    }
    out.push_str("recorded delay=receipt\nbinance metrics label +5m from 2026-06-25T00:00:00Z\n");
    out.push_str(&format!(
        "settled funding cadence={FUNDING_INTERVAL}\nfunding interval={FUNDING_INTERVAL} until shorter steps are seen\n"
    ));
    out
}
