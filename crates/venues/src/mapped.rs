//! A table read through the user's column map.

use crate::columns::ColumnMap;
use crate::layout::{BarColumns, Format, Layout, Shape, SideColumn};
use crate::recognise::RawTable;
use barograph_domain::{Metric, Stamp};

impl RawTable<'_> {
    pub(crate) fn mapped(&self, map: &ColumnMap) -> Result<Layout, String> {
        let at = |field: &str| map.column(field).and_then(|name| self.position(name));
        let time = at("time").ok_or("column map has no time; write time=<column>")?;
        let metric = map.metric().or(self.asked.metric);
        let mut stamp = Stamp::Instant;
        let shape = if let (Some(open), Some(high), Some(low), Some(close)) =
            (at("open"), at("high"), at("low"), at("close"))
        {
            stamp = Stamp::Open;
            let columns = BarColumns {
                open,
                high,
                low,
                close,
                volume: at("volume"),
                quote_volume: at("quote_volume"),
                close_time: at("close_time"),
                contract_size: None,
                calendar_month: self.hints.calendar_month,
            };
            let metric = metric.unwrap_or(Metric::Bar);
            if !matches!(metric, Metric::Bar | Metric::MarkPrice | Metric::IndexPrice | Metric::PremiumIndex) {
                return Err(format!("metric={} does not come as candles", metric.name()));
            }
            Shape::Bars { metric, columns }
        } else {
            self.mapped_series(map, metric, &at)?
        };
        let mut layout = self.layout(Format::Mapped, time, stamp, shape);
        layout.venue = at("venue");
        layout.symbol = at("symbol");
        layout.filter =
            map.filter().iter().filter_map(|(name, want)| Some((self.position(name)?, want.clone()))).collect();
        Ok(layout)
    }

    fn mapped_series(
        &self,
        map: &ColumnMap,
        metric: Option<Metric>,
        at: &impl Fn(&str) -> Option<usize>,
    ) -> Result<Shape, String> {
        let side = at("side").map_or(SideColumn::None, SideColumn::Word);
        let rate_of = |rate, metric| Shape::Funding { metric, rate, interval_h: at("interval_h"), rate_type: None };
        match (metric, at("value"), at("usd"), at("rate"), at("price")) {
            (Some(Metric::Liquidation), _, _, _, Some(price)) => Ok(Shape::Liquidations {
                side: at("side").ok_or("liquidations need side=<column>")?,
                price,
                average: None,
                qty: at("qty").ok_or("liquidations need qty=<column>")?,
                id: at("id"),
            }),
            (None | Some(Metric::Trade), None, None, None, Some(price)) => {
                let qty = at("qty").ok_or("trades need qty=<column>")?;
                Ok(Shape::Trades { id: at("id"), price, qty, side })
            }
            (metric, _, None, Some(rate), _) => {
                Ok(rate_of(rate, metric.filter(|m| *m == Metric::FundingRate).unwrap_or(Metric::FundingRateSettled)))
            }
            (Some(m @ (Metric::FundingRate | Metric::FundingRateSettled)), Some(rate), _, _, _) => Ok(rate_of(rate, m)),
            (Some(m @ (Metric::Bar | Metric::Trade | Metric::BestBidAsk | Metric::Liquidation)), _, _, _, _) => {
                Err(format!("metric={} is not one value per row", m.name()))
            }
            (Some(m), Some(column), _, _, _) => Ok(Shape::Values(vec![(m, column)])),
            (_, None, Some(column), _, _) => Ok(Shape::Values(vec![(Metric::OpenInterestUsd, column)])),
            _ => Err(format!("column map for {} reads nothing", map.column("time").unwrap_or("this file"))),
        }
    }
}
