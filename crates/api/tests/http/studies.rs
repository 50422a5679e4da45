//! Studies of the lab over HTTP: as documented, one by its place in the list, and nothing else of the folder.

use super::client::Server;
use super::schema::{differences, document};
use super::studied::STUDY;
use serde_json::{Value, json};

fn as_documented(path: &str, answer: &Value) {
    let api = document();
    let schema = &api["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{path} has no schema");
    assert_eq!(differences(&api, schema, answer, path), Vec::<String>::new());
}

#[test]
fn studies_and_one_of_them_are_as_documented() {
    let server = Server::start();
    let list = server.json("/api/v1/studies");
    as_documented("/api/v1/studies", &list);
    assert_eq!((&list["studies"][0]["study"], &list["studies"][0]["stamp"]), (&json!(STUDY), &json!("LEAK SUSPECTED")));
    let address = format!("/api/v1/study?study={STUDY}");
    let one = server.json(&address);
    as_documented("/api/v1/study", &one);
    assert_eq!(
        (&one["models"][0]["scores"]["auc"], &one["backtest"]["equity"][0]["net"]),
        (&json!(0.6), &json!(-0.01))
    );
    let regime = &one["importance"]["regimes"][0];
    assert_eq!((&regime["regime"], &regime["columns"][0]["columns"][0]), (&json!("low"), &json!("ofi")));
    let etag = server.get(&address).header("etag").unwrap().to_owned();
    assert_eq!(server.request("GET", &address, &[("if-none-match", &etag)]).status, 304);
}

#[test]
fn a_study_is_asked_for_by_its_place_and_nothing_else_is_found() {
    let server = Server::start();
    assert_eq!(server.get("/api/v1/study").problem(), "missing-parameter");
    for other in ["nothing", "../../etc", "binance-usdm/ETHUSDT"] {
        let refused = server.get(&format!("/api/v1/study?study={other}"));
        assert_eq!((refused.status, refused.problem().as_str()), (400, "bad-field"), "{other}");
    }
    assert_eq!(server.get("/api/v1/studies?study=x").problem(), "unknown-parameter");
}
