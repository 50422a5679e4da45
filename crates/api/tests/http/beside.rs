//! Options and best prices over HTTP: asked for, narrowed, refused with a problem document.

use super::client::Server;

#[test]
fn a_currency_is_named_in_any_case_and_a_market_beside_it() {
    let server = Server::start();
    let view = server.json("/api/v1/options/btc?market=ETHUSDT&as_of=2026-02-05T03:00:00Z");
    assert_eq!((&view["currency"], &view["realized_market"]), (&"BTC".into(), &"binance-usdm:ETHUSDT".into()));
    assert_eq!(view["as_of"], "2026-02-05T03:00:00Z");
    for (path, status, kind) in [
        ("/api/v1/options/BTC-USD", 400, "bad-word"),
        ("/api/v1/options/BTC?market=NOSUCH", 404, "unknown-symbol"),
        ("/api/v1/options/BTC?markte=ETHUSDT", 400, "unknown-parameter"),
    ] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.problem().as_str()), (status, kind), "{path}: {}", reply.text());
    }
}

#[test]
fn a_process_that_listens_to_nothing_has_no_quotes() {
    let server = Server::start();
    let reply = server.get("/api/v1/cross-venue?base=NOBODY");
    assert_eq!((reply.status, reply.problem().as_str()), (404, "not-live"), "{}", reply.text());
    assert_eq!(server.json("/api/v1/cross-venue?base=BTC")["items"][0]["bid"]["fee_from"], "published");
}
