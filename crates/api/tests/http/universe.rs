//! Several markets at once over HTTP: answers fit their schemas, and what is not there says so.

use super::client::Server;
use super::schema::{differences, document};
use barograph_api::AskMarkets as _;
use barograph_domain::Span;

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
    let stranger = server.get("/api/v1/universe?pair=BTC,XRP");
    assert_eq!(stranger.problem(), "bad-field");
    // Pairs are named as they are asked for.
    assert!(stranger.text().contains("'BTC,XRP' is not compared; there are BTC,ETH"), "{}", stranger.text());
    assert_eq!(server.get("/api/v1/universe?as_of=2020-01-01").problem(), "nothing-yet");
}
