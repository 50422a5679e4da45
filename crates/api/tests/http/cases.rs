//! Cases over HTTP: filed once, written into, exported and replayed; as documented, with a problem document for what cannot be.

use super::advice::{JSON, post};
use super::client::{Reply, Server};
use super::found::event;
use super::schema::{differences, document};
use serde_json::{Value, json};

fn fits(path: &str, method: &str, status: &str, answer: &Value) {
    let api = document();
    let schema = &api["paths"][path][method]["responses"][status]["content"][JSON]["schema"];
    assert!(schema.is_object(), "{method} {path} has no schema for {status}");
    assert_eq!(differences(&api, schema, answer, path), Vec::<String>::new(), "{method} {path}");
}

fn file(server: &Server) -> Reply {
    let new = json!({"alerts": [event(3).alert_id], "author": "ann", "note": "looks odd"});
    post(server, "/api/v1/cases", &new)
}

#[test]
fn a_case_is_filed_once_and_written_into() {
    let server = Server::start();
    let reply = file(&server);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let case = reply.json();
    fits("/api/v1/cases", "post", "201", &case);
    let place = format!("/api/v1/cases/{}", case["case_id"].as_str().unwrap());
    assert_eq!(reply.header("location"), Some(place.as_str()));
    let again = file(&server);
    assert_eq!((again.status, again.header("location")), (200, None));
    fits("/api/v1/cases", "post", "200", &again.json());
    fits("/api/v1/cases/{id}", "get", "200", &server.json(&place));

    let entries = format!("{place}/entries");
    let closed = json!({"kind": "closed", "author": "bob", "disposition": "true", "note": "seen on the tape"});
    let reply = post(&server, &entries, &closed);
    assert_eq!((reply.status, &reply.json()["state"]), (201, &json!("closed")), "{}", reply.text());
    fits("/api/v1/cases/{id}/entries", "post", "201", &reply.json());
    let list = server.json("/api/v1/cases?state=closed");
    fits("/api/v1/cases", "get", "200", &list);
    assert_eq!(list["items"][0]["disposition"], "true");
    assert_eq!(list["precision"][0]["precision_by_disposition"]["value"], 1.0);
    assert_eq!(server.json("/api/v1/cases?state=OPEN")["items"], json!([]));
    assert_eq!(server.json("/api/v1/cases?as_of=2026-02-05T01:00:00Z")["items"], json!([]));

    for (path, body, status, problem) in [
        (entries.as_str(), json!({"kind": "acknowledged", "author": "bob"}), 409, "conflict"),
        (&entries, json!({"kind": "forgotten", "author": "bob"}), 400, "bad-body"),
        (&entries, json!({"kind": "note", "note": "x"}), 400, "bad-body"),
        ("/api/v1/cases/none/entries", json!({"kind": "note", "author": "bob", "note": "x"}), 404, "unknown-case"),
        ("/api/v1/cases", json!({"alerts": ["none"], "author": "bob"}), 404, "unknown-alert"),
        ("/api/v1/cases", json!({"alerts": [], "author": "bob", "why": "x"}), 400, "bad-body"),
    ] {
        let reply = post(&server, path, &body);
        assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{body}: {}", reply.text());
    }
    for (query, problem, said) in [
        ("state=lost", "bad-word", "open, acknowledged, closed"),
        ("limit=1001", "bad-number", "1000"),
        ("stat=open", "unknown-parameter", "did you mean 'state'?"),
    ] {
        let reply = server.get(&format!("/api/v1/cases?{query}"));
        assert_eq!((reply.status, reply.problem().as_str()), (400, problem), "{query}");
        assert!(reply.text().contains(said), "{query}: {}", reply.text());
    }
}

#[test]
fn a_case_is_exported_and_replayed() {
    let server = Server::start();
    let place = format!("/api/v1/cases/{}", file(&server).json()["case_id"].as_str().unwrap());
    let page = server.get(&format!("{place}/export?format=html"));
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.header("content-security-policy"), Some("default-src 'none'; style-src 'unsafe-inline'"));
    let json = server.get(&format!("{place}/export"));
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.json()["case"]["entries"][0]["author"], "ann");
    assert_eq!(server.get(&format!("{place}/export?format=pdf")).problem(), "bad-word");

    let replay = server.json(&format!("{place}/replay"));
    fits("/api/v1/cases/{id}/replay", "get", "200", &replay);
    let count = |replay: &Value, what: &str| replay["items"][0][what].as_array().unwrap().len();
    assert_eq!((count(&replay, "books"), count(&replay, "trades")), (20, 200));
    let more = server.json(&format!("{place}/replay?books=3&trades=5"));
    assert_eq!((count(&more, "books"), count(&more, "trades")), (3, 5));
    for query in ["books=201", "trades=2001", "books=0"] {
        assert_eq!(server.get(&format!("{place}/replay?{query}")).problem(), "bad-number", "{query}");
    }
    assert_eq!(server.get("/api/v1/cases/none/replay").problem(), "unknown-case");
}
