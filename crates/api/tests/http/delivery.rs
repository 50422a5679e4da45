//! Deliveries, endpoints, groups and silences over HTTP: as documented, in pages, and with a problem document for what cannot be.

use super::advice::{JSON, post, send};
use super::client::Server;
use super::schema::{differences, document};
use serde_json::{Value, json};

fn as_documented(server: &Server, path: &str, address: &str) -> Value {
    let api = document();
    let schema = &api["paths"][path]["get"]["responses"]["200"]["content"][JSON]["schema"];
    assert!(schema.is_object(), "{path} has no schema");
    let whole = server.json(address);
    assert_eq!(differences(&api, schema, &whole, path), Vec::<String>::new(), "{address}");
    whole
}

fn names(page: &Value) -> Vec<String> {
    let name = |d: &Value| format!("{} {}", d["message"].as_str().unwrap(), d["endpoint"].as_str().unwrap());
    page["items"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn deliveries_come_in_pages_and_can_be_chosen() {
    let server = Server::start();
    let all = as_documented(&server, "/api/v1/deliveries", "/api/v1/deliveries");
    assert_eq!((names(&all).len(), &all["next_cursor"]), (24, &Value::Null));
    let (mut joined, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("/api/v1/deliveries?limit=7&state=dead&cursor={cursor}"));
        joined.extend(names(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    let dead: Vec<String> = names(&all).into_iter().filter(|n| n.ends_with("gone.example")).collect();
    assert_eq!(joined, dead);
    for (query, count) in [
        ("state=DEAD", 12),
        ("endpoint=phone", 12),
        ("kind=group", 6),
        ("market=binance-usdm:BTCUSDT", 18),
        ("market=bybit:BTCUSDT", 0),
        ("as_of=2026-02-05T00:20:00Z", 6),
        ("endpoint=phone&kind=alert&limit=5", 5),
    ] {
        assert_eq!(names(&server.json(&format!("/api/v1/deliveries?{query}"))).len(), count, "{query}");
    }
    for (query, problem, said) in [
        ("state=lost", "bad-word", "waiting, grouped"),
        ("kind=mail", "bad-word", "there is no kind 'mail'"),
        ("market=DOGE", "unknown-symbol", "DOGE"),
        ("limit=1001", "bad-number", "1000"),
        ("endpont=x", "unknown-parameter", "did you mean 'endpoint'?"),
        ("cursor=1.2", "bad-cursor", "none of this server's"),
        (&format!("cursor={cursor}"), "bad-cursor", "another query"),
    ] {
        let reply = server.get(&format!("/api/v1/deliveries?{query}"));
        assert_eq!((reply.status >= 400, reply.problem().as_str()), (true, problem), "{query}");
        assert!(reply.text().contains(said), "{query}: {}", reply.text());
    }
}

#[test]
fn a_message_is_shown_and_sent_again() {
    let server = Server::start();
    let id = format!("msg_{:026}", 5);
    let place = format!("/api/v1/deliveries/{id}");
    let message = as_documented(&server, "/api/v1/deliveries/{message}", &place);
    assert_eq!(message["notice"]["figures"][0]["number"], 7.0);
    assert_eq!(message["attempts"][0]["status"], 200);
    let again = |endpoint: &str| post(&server, &format!("{place}/replay"), &json!({ "endpoint": endpoint }));
    let reply = again("gone.example");
    assert_eq!((reply.status, &reply.json()["state"]), (202, &json!("waiting")), "{}", reply.text());
    let api = document();
    let schema =
        &api["paths"]["/api/v1/deliveries/{message}/replay"]["post"]["responses"]["202"]["content"][JSON]["schema"];
    assert_eq!(differences(&api, schema, &reply.json(), "replay"), Vec::<String>::new());
    let said = |reply: super::client::Reply| (reply.status, reply.problem());
    assert_eq!(said(again("phone")), (409, "conflict".to_owned()));
    assert_eq!(said(again("fax")), (404, "unknown-endpoint".to_owned()));
    assert_eq!(said(server.get("/api/v1/deliveries/msg_none")), (404, "unknown-message".to_owned()));
    let path = format!("{place}/replay");
    assert_eq!(said(send(&server, "POST", &path, "text/plain", "{}")), (415, "unsupported-media-type".to_owned()));
    assert_eq!(said(post(&server, &path, &json!({"endpont": "x"}))), (400, "bad-body".to_owned()));
    assert_eq!(said(server.get(&path)), (405, "method-not-allowed".to_owned()));
}

#[test]
fn endpoints_and_groups_are_listed() {
    let server = Server::start();
    let all = as_documented(&server, "/api/v1/endpoints", "/api/v1/endpoints");
    assert_eq!(all["items"][0]["disabled"], "answered 410");
    let enable = |name: &str| post(&server, &format!("/api/v1/endpoints/{name}/enable"), &json!({}));
    assert_eq!((enable("gone.example").status, enable("fax").problem().as_str()), (200, "unknown-endpoint"));
    assert_eq!(server.json("/api/v1/endpoints")["items"][0]["disabled"], Value::Null);
    // A page of another site can send no JSON without being asked first.
    let bare = server.request("POST", "/api/v1/endpoints/phone/enable", &[]);
    assert_eq!(bare.status, 415);
    let groups = as_documented(&server, "/api/v1/groups", "/api/v1/groups");
    assert_eq!(groups["items"].as_array().unwrap().len(), 3);
    assert_eq!(groups["items"][0]["notice"]["members"][0]["instrument"], "bybit:BTCUSDT");
    assert_eq!(server.json("/api/v1/groups?as_of=2026-02-05T01:00:00Z")["items"].as_array().unwrap().len(), 1);
}

#[test]
fn silences_come_and_go() {
    let server = Server::start();
    let matchers = json!([{"label": "venue", "op": "=~", "value": "binance.*"}]);
    let new = json!({"matchers": matchers, "author": "ann", "reason": "maintenance", "duration": "2h"});
    let reply = post(&server, "/api/v1/silences", &new);
    assert_eq!((reply.status, &reply.json()["active"]), (201, &json!(true)), "{}", reply.text());
    let list = as_documented(&server, "/api/v1/silences", "/api/v1/silences");
    assert_eq!(list["items"][0]["silence"]["matchers"], matchers);
    let count = |query: &str| server.json(&format!("/api/v1/silences{query}"))["items"].as_array().unwrap().len();
    assert_eq!(server.request("DELETE", "/api/v1/silences/sil%200", &[]).status, 204);
    assert_eq!((count(""), count("?all=true"), count("?all=true&as_of=2026-02-05")), (0, 1, 0));
    let gone = server.request("DELETE", "/api/v1/silences/sil%200", &[]);
    assert_eq!((gone.status, gone.problem().as_str()), (404, "unknown-silence"));
    for (body, problem) in [
        (json!({"matchers": matchers, "author": "ann", "reason": "x", "duration": "soon"}), "bad-field"),
        (json!({"matchers": [{"label": "venue", "op": "~", "value": "x"}], "author": "a", "reason": "x"}), "bad-body"),
        (json!({"author": "ann", "reason": "x", "duration": "2h"}), "bad-body"),
        (json!({"matchers": matchers, "author": "a", "reason": "x", "until": "2h"}), "bad-body"),
    ] {
        let reply = post(&server, "/api/v1/silences", &body);
        assert_eq!((reply.status, reply.problem().as_str()), (400, problem), "{body}: {}", reply.text());
    }
    assert_eq!(server.get("/api/v1/silences?all=perhaps").status, 400);
}

#[test]
fn watches_come_and_go() {
    let server = Server::start();
    assert_eq!(server.json("/api/v1/watches")["judged_here"], true);
    let new = json!({"market": "BTCUSDT", "when": "price above 63000", "note": "take profit"});
    let reply = post(&server, "/api/v1/watches", &new);
    assert_eq!((reply.status, &reply.json()["watch"]["repeat"]), (201, &json!(false)), "{}", reply.text());
    let list = as_documented(&server, "/api/v1/watches", "/api/v1/watches");
    assert_eq!(list["items"][0]["watch"]["note"], "take profit");
    let tried = "/api/v1/watches/past?market=BTCUSDT&when=price%20below%20100";
    assert_eq!(as_documented(&server, "/api/v1/watches/past", tried)["turns"], 1);
    assert_eq!(server.get("/api/v1/watches/past?market=BTCUSDT").problem(), "missing-parameter");
    assert_eq!(server.request("DELETE", "/api/v1/watches/wat%200", &[]).status, 204);
    let gone = server.request("DELETE", "/api/v1/watches/wat%200", &[]);
    assert_eq!((gone.status, gone.problem().as_str()), (404, "unknown-watch"));
    for (body, problem) in [
        (json!({"market": "BTCUSDT", "when": ""}), "bad-field"),
        (json!({"market": "BTCUSDT"}), "bad-body"),
        (json!({"market": "BTCUSDT", "when": "risk changes", "wen": 1}), "bad-body"),
    ] {
        assert_eq!(post(&server, "/api/v1/watches", &body).problem(), problem, "{body}");
    }
}

#[test]
fn a_receiver_is_made_tried_and_removed() {
    let server = Server::start();
    let listed = server.json("/api/v1/endpoints");
    assert_eq!((&listed["delivers_here"], &listed["why_not"]), (&json!(true), &Value::Null));
    assert_eq!(listed["items"][0]["budget_next_at"], "2026-02-05T14:05:00Z");
    let new = json!({"name": "made", "format": "ntfy", "url": "https://ntfy.example/s3cret", "budget": "3/day"});
    let made = post(&server, "/api/v1/endpoints", &new);
    assert_eq!((made.status, &made.json()["made_here"]), (201, &json!(true)), "{}", made.text());
    assert!(!made.text().contains("s3cret"), "its address is not shown again");
    let tried = post(&server, "/api/v1/endpoints/phone/test", &json!({}));
    assert_eq!((tried.status, &tried.json()["delivered"]), (200, &json!(true)), "{}", tried.text());
    assert_eq!(post(&server, "/api/v1/endpoints/fax/test", &json!({})).problem(), "unknown-endpoint");
    let taken = json!({"name": "phone", "format": "ntfy", "url": "https://ntfy.example/x"});
    assert_eq!(post(&server, "/api/v1/endpoints", &taken).problem(), "bad-field");
    let remove = |name: &str| server.request("DELETE", &format!("/api/v1/endpoints/{name}"), &[]);
    assert_eq!(remove("made").status, 204);
    assert_eq!(
        (remove("phone").problem().as_str(), remove("fax").problem().as_str()),
        ("conflict", "unknown-endpoint")
    );
}

#[test]
fn a_watch_on_a_signal_has_its_values_and_why_there_is_none() {
    let server = Server::start();
    let when = "signal x.mood from news within 2h; x.mood.z_7d above 2";
    let reply = post(&server, "/api/v1/watches", &json!({"market": "BTCUSDT", "when": when}));
    assert_eq!(reply.status, 201, "{}", reply.text());
    let view = as_documented(&server, "/api/v1/watches", "/api/v1/watches")["items"][0].clone();
    let why = "no value of x.mood is known yet";
    assert_eq!((&view["watch"]["when"], &view["now"], &view["why_not_now"]), (&json!(when), &Value::Null, &json!(why)));
    let tried = "/api/v1/watches/past?market=BTCUSDT&when=x.mood%20above%201";
    let past = as_documented(&server, "/api/v1/watches/past", tried);
    assert_eq!((&past["unit"], &past["signals"][0]["assumed"]), (&json!("points"), &json!(4)));
    let plain =
        as_documented(&server, "/api/v1/watches/past", "/api/v1/watches/past?market=BTCUSDT&when=price%20%3C%201");
    assert_eq!((&plain["unit"], &plain["signals"]), (&Value::Null, &json!([])));
}

/// A process that only reads says who can.
#[test]
fn only_the_process_that_delivers_changes_anything() {
    let server = Server::start();
    server.world.told.lock().unwrap().elsewhere = true;
    let matchers = json!([{"label": "venue", "op": "=", "value": "bybit"}]);
    let silence = json!({"matchers": matchers, "author": "a", "reason": "x", "duration": "2h"});
    let id = format!("msg_{:026}", 5);
    for reply in [
        post(&server, "/api/v1/silences", &silence),
        post(&server, &format!("/api/v1/deliveries/{id}/replay"), &json!({"endpoint": "gone.example"})),
        post(&server, "/api/v1/endpoints/phone/enable", &json!({})),
        server.request("DELETE", "/api/v1/silences/s", &[]),
        post(&server, "/api/v1/endpoints/phone/test", &json!({})),
        post(&server, "/api/v1/endpoints", &json!({"name": "x", "format": "ntfy", "url": "https://ntfy.example/x"})),
        post(&server, "/api/v1/watches", &json!({"market": "BTCUSDT", "when": "risk changes"})),
    ] {
        assert_eq!((reply.status, reply.problem().as_str()), (503, "not-ready"), "{}", reply.text());
        assert!(reply.text().contains("this process delivers no alerts"), "{}", reply.text());
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(server.get("/api/v1/deliveries").status, 200);
    // Asked before anything is filled in.
    let listed = server.json("/api/v1/endpoints");
    assert_eq!((&listed["delivers_here"], &listed["why_not"]), (&json!(false), &json!("this process only serves")));
    assert_eq!(server.json("/api/v1/watches")["judged_here"], false);
}
