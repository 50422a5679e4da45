//! Tokens over a real socket: who is answered, by header and by cookie, and who has to wait.

use super::client::{Reply, Server};
use barograph_api::{Access, Caller, Role, ServeConfig, Tokens};
use std::sync::Arc;

struct Two;

impl Tokens for Two {
    fn caller(&self, token: &str) -> Option<Caller> {
        let role = match token {
            "reader" => Role::Read,
            "keeper" => Role::Operate,
            _ => return None,
        };
        Some(Caller { name: format!("the {token}"), role })
    }
}

fn server() -> Server {
    Server::with(ServeConfig { access: Access::Tokens(Arc::new(Two)), ..ServeConfig::default() })
}

fn post(server: &Server, path: &str, json: &str, fields: &[(&str, &str)]) -> Reply {
    let mut text = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", json.len()));
    fields.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
    server.raw(format!("{text}\r\n{json}").as_bytes())
}

#[test]
fn nothing_of_the_users_is_shown_without_a_token() {
    let server = server();
    for path in ["/api/v1/markets", "/metrics", "/readyz", "/api/v1/stream", "/api/features", "/api/v1/positions"] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.problem().as_str()), (401, "unauthorized"), "{path}");
        assert_eq!(server.request("GET", path, &[("Authorization", "Bearer nobody")]).status, 401, "{path}");
    }
    for path in ["/", "/alerts", "/m/binance-usdm:BTCUSDT?as_of=2026-02-05T14:35:00Z", "/healthz", "/openapi.json"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let read = [("Authorization", "Bearer reader")];
    assert_eq!(server.request("GET", "/api/v1/markets", &read).status, 200);
    let refused = server.request("DELETE", "/api/v1/positions/x", &read);
    assert_eq!((refused.status, refused.problem().as_str()), (403, "forbidden"));
    assert_eq!(server.request("DELETE", "/api/v1/positions/x", &[("Authorization", "Bearer keeper")]).status, 404);
}

#[test]
fn a_browser_signs_in_and_out_with_a_cookie_that_no_script_reads() {
    let server = server();
    let said = |reply: &Reply| {
        let json = reply.json();
        (json["tokens"].clone(), json["name"].clone(), json["role"].clone())
    };
    let nobody = server.get("/api/v1/session");
    assert_eq!(said(&nobody), (true.into(), serde_json::Value::Null, serde_json::Value::Null));
    let wrong = post(&server, "/api/v1/session", r#"{"token":"nobody"}"#, &[]);
    assert_eq!((wrong.status, wrong.problem().as_str(), wrong.header("set-cookie")), (401, "unauthorized", None));
    let signed = post(&server, "/api/v1/session", r#"{"token":"keeper"}"#, &[]);
    assert_eq!(said(&signed), (true.into(), "the keeper".into(), "operate".into()));
    let cookie = signed.header("set-cookie").unwrap();
    for part in ["barograph_session=keeper", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "over plain HTTP a browser would not send it back");
    let tls = post(&server, "/api/v1/session", r#"{"token":"keeper"}"#, &[("X-Forwarded-Proto", "https")]);
    assert!(tls.header("set-cookie").unwrap().contains("; Secure"));
    let with = [("Cookie", "barograph_session=keeper")];
    assert_eq!(server.request("GET", "/api/v1/markets", &with).status, 200);
    assert_eq!(said(&server.request("GET", "/api/v1/session", &with)).1, "the keeper");
    let foreign = [("Cookie", "barograph_session=keeper"), ("Origin", "http://evil.example")];
    assert_eq!(server.request("DELETE", "/api/v1/positions/x", &foreign).status, 403);
    let out = server.request("DELETE", "/api/v1/session", &with);
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[test]
fn who_guesses_tokens_has_to_wait() {
    let server = server();
    let guess = |n: usize| server.request("GET", "/api/v1/markets", &[("Authorization", &format!("Bearer guess{n}"))]);
    let statuses: Vec<u16> = (0..12).map(|n| guess(n).status).collect();
    assert_eq!(statuses, [[401; 10].as_slice(), &[429; 2]].concat());
    let reply = server.request("GET", "/api/v1/markets", &[("Authorization", "Bearer reader")]);
    assert_eq!((reply.status, reply.problem().as_str()), (429, "too-many-requests"));
    assert!(reply.header("retry-after").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| (1..=60).contains(&s))));
}

#[test]
fn where_everything_is_open_a_session_says_so() {
    let server = Server::start();
    let json = server.json("/api/v1/session");
    assert_eq!((&json["tokens"], &json["role"]), (&false.into(), &"operate".into()));
}
