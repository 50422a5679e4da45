//! The one signal of the small world, of which it has three values.

use super::found::page;
use super::world::World;
use barograph_api::onchain::{OnchainReadingView, OnchainView};
use barograph_api::signals::{
    SignalBars, SignalBarsQuery, SignalBarsView, SignalOffer, SignalView, SignalsTaken, SignalsView,
};
use barograph_api::{AskSignals, MetricPoint, Page, QueryError, SeriesWindow};
use barograph_domain::{InstrumentName, SignalName, Span, Ts};
use std::collections::BTreeMap;

const DAY: Ts = Ts::from_civil(2026, 2, 5, 0, 0, 0);
pub(crate) const NAME: &str = "x.desk_flow";

impl AskSignals for World {
    fn signals(&self, id: &InstrumentName, _: Option<Ts>) -> Result<SignalsView, QueryError> {
        self.disk()?;
        let view = SignalView {
            name: NAME.to_owned(),
            scope: "*".to_owned(),
            source: "desk".to_owned(),
            value: Some(2.0),
            timestamp: Some(DAY),
            age_s: Some(60),
            delta_24h: None,
            z_7d: Some(1.0),
            percentile_30d: Some(0.75),
            reasons: BTreeMap::from([("delta_24h", "warming")]),
            points: 3,
            revisions: 1,
            known_ts: DAY,
        };
        Ok(SignalsView { instrument: id.clone(), items: vec![view] })
    }

    fn onchain(&self, id: Option<&InstrumentName>, as_of: Option<Ts>) -> Result<OnchainView, QueryError> {
        let reading = |id, value: Option<f64>| OnchainReadingView {
            id,
            value,
            word: None,
            reason: value.is_none().then_some("missing_input"),
            unit: Some("fraction".to_owned()),
            of: value.map(|_| "defillama.tvl.all".to_owned()),
            source: value.map(|_| "defillama".to_owned()),
            n: 2,
            need: 2,
            assumed: 1,
            until: value.map(|_| DAY),
            age_s: value.map(|_| 60),
            note: None,
        };
        let items = vec![reading("tvl_delta_7d", Some(0.5)), reading("sentiment_z_7d", None)];
        let attribution = vec!["TVL: DefiLlama"];
        Ok(OnchainView { as_of: as_of.unwrap_or(DAY), instrument: id.cloned(), items, attribution })
    }

    fn signal_points(
        &self,
        _: &InstrumentName,
        name: &SignalName,
        window: &SeriesWindow,
    ) -> Result<Page<MetricPoint>, QueryError> {
        if name.as_str() != NAME {
            return Err(QueryError::UnknownMetric { name: name.to_string(), known: vec![NAME.to_owned()] });
        }
        let points = (0..3_i32).map(|n| {
            let ts = DAY + Span::hours(n.into());
            let point = MetricPoint {
                timestamp: ts,
                symbol: "*".to_owned(),
                metric_name: NAME.into(),
                value: Some(n.into()),
                source: "desk".to_owned(),
                tags: BTreeMap::new(),
                known_ts: ts,
                known: Some("received"),
            };
            (ts, point)
        });
        Ok(page(points, window))
    }

    fn signal_bars(&self, id: &InstrumentName, asked: &SignalBarsQuery) -> Result<SignalBarsView, QueryError> {
        let (name, scope, source) = (NAME.to_owned(), "*".to_owned(), "desk".to_owned());
        let seconds = |t: Ts| t.0 / 1_000_000_000;
        let item = |name: &SignalName| SignalBars {
            name: name.to_string(),
            scope: scope.clone(),
            source: source.clone(),
            unit: Some("USD".to_owned()),
            revisions: 1,
            stated: 0,
            assumed: 0,
            v: vec![None, Some(2.0)],
            of: vec![None, Some(seconds(DAY))],
        };
        Ok(SignalBarsView {
            instrument: id.clone(),
            interval_s: asked.interval.as_secs(),
            t: vec![seconds(DAY - asked.interval), seconds(DAY)],
            items: asked.names.iter().filter(|n| n.as_str() == NAME).map(item).collect(),
            too_long: Vec::new(),
            offered: if asked.names.is_empty() {
                vec![SignalOffer { name, scope: scope.clone(), source: source.clone() }]
            } else {
                Vec::new()
            },
        })
    }

    fn put_signals(&self, _: &InstrumentName, text: &str) -> Result<SignalsTaken, QueryError> {
        if text.contains("bad") {
            let (field, value, reason) = ("body".to_owned(), "point 2".to_owned(), "point 2: it is bad".to_owned());
            return Err(QueryError::BadField { field, value, reason });
        }
        Ok(SignalsTaken { new: text.lines().count() as u64, revised: 0, same: 0, empty: 0 })
    }
}
