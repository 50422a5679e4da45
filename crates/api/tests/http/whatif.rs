//! Changed rule books and decisions on paper over HTTP: as documented, refused where it cannot be meant, kept only when asked.

use super::advice::post;
use super::client::Server;
use super::schema::{differences, document};
use serde_json::{Value, json};

fn as_documented(path: &str, method: &str, status: &str, answer: &Value) {
    let api = document();
    let schema = &api["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} has no schema for {status}");
    assert_eq!(differences(&api, schema, answer, path), Vec::<String>::new());
}

#[test]
fn thresholds_and_answers_are_as_documented() {
    let server = Server::start();
    let listed = server.json("/api/v1/whatif?base=seed2");
    as_documented("/api/v1/whatif", "get", "200", &listed);
    assert_eq!((&listed["book"], &listed["items"][0]["step"]), (&json!("seed2"), &json!(0.02)));
    let asked = json!({"set": ["HIGH_VOL.realized_vol_1h=0.9"], "name": "mine"});
    let reply = post(&server, "/api/v1/whatif", &asked);
    assert_eq!(reply.status, 200);
    as_documented("/api/v1/whatif", "post", "200", &reply.json());
    assert_eq!(reply.json()["signals"], Value::Null);
    let when = "signal x.desk_flow; x.desk_flow > 1";
    let told = post(&server, "/api/v1/whatif", &json!({ "when": when })).json();
    as_documented("/api/v1/whatif", "post", "200", &told);
    assert_eq!((&told["signals"]["when"], &told["signals"]["used"][0]["within_s"]), (&json!(when), &json!(7_200)));
    for (body, kind) in [(json!({"set": ["HIGH_VOL"]}), "bad-field"), (json!({"sett": []}), "bad-body")] {
        assert_eq!(post(&server, "/api/v1/whatif", &body).problem(), kind, "{body}");
    }
}

#[test]
fn a_book_is_kept_and_one_that_is_there_is_not_written_over_unasked() {
    let server = Server::start();
    let keep = |body: Value| post(&server, "/api/v1/whatif/books", &body);
    let kept = keep(json!({"name": "mine", "set": ["HIGH_VOL.realized_vol_1h=0.9"]}));
    assert_eq!((kept.status, &kept.json()["file"]), (201, &json!("/data/books/mine.toml")));
    as_documented("/api/v1/whatif/books", "post", "201", &kept.json());
    let there = keep(json!({"name": "there"}));
    assert_eq!((there.status, there.problem().as_str()), (409, "conflict"));
    assert_eq!(keep(json!({"name": "there", "replace": true})).json()["replaced"], true);
    assert_eq!(keep(json!({})).problem(), "bad-body", "a book has a name");
}

#[test]
fn a_week_on_paper_is_as_documented_and_as_known_then() {
    let server = Server::start();
    let newest = server.json("/api/v1/paper");
    as_documented("/api/v1/paper", "get", "200", &newest);
    assert_eq!(server.json("/api/v1/paper?week=2026-W05")["review"]["week"], "2026-W05");
    let before = server.json("/api/v1/paper?as_of=2020-01-01");
    as_documented("/api/v1/paper", "get", "200", &before);
    assert_eq!((&before["review"], &before["weeks"]), (&Value::Null, &json!([])));
    let etag = server.get("/api/v1/paper").header("etag").unwrap().to_owned();
    assert_eq!(server.request("GET", "/api/v1/paper", &[("if-none-match", &etag)]).status, 304);
}
