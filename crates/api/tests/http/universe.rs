//! Several markets at once over HTTP: answers fit their schemas, and what is not there says so.

use super::client::Server;
use super::schema::{differences, document};
use barograph_api::Query as _;
use barograph_domain::universe::{Gauge, LeadReading, PairReading, StateHours, UniverseMarket};
use barograph_domain::{InstrumentName, Reason, RiskRegime, Span, Ts, UniverseRow, VolRegime};

/// An hour between two markets.
pub(crate) fn hour(ts: Ts) -> UniverseRow {
    let market = |asset: &str| UniverseMarket {
        instrument: InstrumentName::new("binance-usdm", &format!("{asset}USDT")).unwrap(),
        asset: asset.to_owned(),
        price: Some(100.0),
        vol_annual: None,
        risk: RiskRegime::Normal,
        volatility: VolRegime::Unknown,
        lead_score: None,
    };
    let none = Gauge::none(Reason::Warming, 1, 576);
    let pair = PairReading {
        a: 0,
        b: 1,
        corr_20: Gauge::of(0.8, 20, 18, false),
        corr_20_ci: Some([0.6, 0.9]),
        corr_30d: none,
        corr_30d_ci: None,
        corr_20_pct_180d: none,
        band: None,
        state: None,
        severity: None,
        divergence_strength: None,
        exposure_overlap: Some(false),
        held_90d: StateHours::default(),
        lead: LeadReading { ratio: none, best: None, significant: None, xcorr: Vec::new() },
    };
    UniverseRow {
        ts,
        known_ts: ts + Span::millis(200),
        markets: vec![market("BTC"), market("ETH")],
        pairs: vec![pair],
        leading: None,
    }
}

#[test]
fn answers_about_several_markets_fit_their_schemas() {
    let server = Server::start();
    let api = document();
    let newest = server.world.now().floor(Span::hours(1));
    for (path, address) in [
        ("/api/v1/universe", "/api/v1/universe"),
        ("/api/v1/universe", "/api/v1/universe?pair=ETH,BTC"),
        ("/api/v1/universe", "/api/v1/universe?pair=BTC/USDT/ETH/USDT"),
        ("/api/v1/universe/history", "/api/v1/universe/history?limit=3"),
        ("/api/v1/calendar", "/api/v1/calendar"),
    ] {
        let schema = &api["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let wrong = differences(&api, schema, &server.json(address), path);
        assert!(schema.is_object() && wrong.is_empty(), "{address}:\n{}", wrong.join("\n"));
    }
    assert_eq!(server.json("/api/v1/universe")["timestamp"], newest.iso());
    assert_eq!(server.get("/api/v1/universe?pair=BTC,XRP").problem(), "bad-field");
    assert_eq!(server.get("/api/v1/universe?as_of=2020-01-01").problem(), "nothing-yet");
}
