//! Tokens over a real socket: who is answered, by header and by cookie, and who has to wait.

use super::client::{Reply, Server};
use super::stream::Listener;
use barograph_api::{Access, Caller, Role, ServeConfig, Tokens};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Two;

/// Tokens that may read, until they are taken out.
struct Book(Mutex<Vec<&'static str>>);

impl Tokens for Book {
    fn caller(&self, token: &str) -> Option<Caller> {
        let known = self.0.lock().unwrap();
        known.contains(&token).then(|| Caller { name: token.to_owned(), role: Role::Read })
    }
}

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
fn who_guesses_tokens_has_to_wait_and_nobody_else() {
    let server = server();
    let bearer =
        |token: &str| server.request("GET", "/api/v1/markets", &[("Authorization", &format!("Bearer {token}"))]);
    let statuses: Vec<u16> = (0..12).map(|n| bearer(&format!("guess{n}")).status).collect();
    assert_eq!(statuses, [[401; 10].as_slice(), &[429; 2]].concat());
    let reply = bearer("guess99");
    assert_eq!((reply.status, reply.problem().as_str()), (429, "too-many-requests"));
    assert!(reply.header("retry-after").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| (1..=60).contains(&s))));
    assert_eq!(
        post(&server, "/api/v1/session", r#"{"token":"another"}"#, &[]).status,
        429,
        "signing in is no way around"
    );
    // People behind one address share it: whoever brings a token that is known, or none, is answered as ever.
    assert_eq!(bearer("reader").status, 200);
    assert_eq!(server.request("GET", "/api/v1/markets", &[("Cookie", "barograph_session=keeper")]).status, 200);
    assert_eq!(post(&server, "/api/v1/session", r#"{"token":"keeper"}"#, &[]).status, 200);
    assert_eq!(server.get("/api/v1/markets").status, 401);
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn a_cookie_of_others_and_a_page_that_asks_again_guess_nothing() {
    let server = server();
    for n in 0..30 {
        let foreign = server.request("GET", "/api/v1/markets", &[("Cookie", &format!("theme=dark{n}; id={n}"))]);
        assert_eq!(foreign.status, 401, "{n}");
        let revoked =
            server.request("GET", "/api/v1/board/stream", &[("Cookie", "theme=dark; barograph_session=revoked")]);
        assert_eq!(revoked.status, 401, "{n}");
    }
    assert_eq!(server.request("GET", "/api/v1/markets", &[("Authorization", "Bearer guess")]).status, 401);
}

#[test]
fn an_open_stream_ends_when_its_token_is_revoked() {
    let book = Arc::new(Book(Mutex::new(vec!["leaver", "stayer"])));
    let tokens: Arc<dyn Tokens> = Arc::clone(&book) as Arc<dyn Tokens>;
    let server = Server::with(ServeConfig { access: Access::Tokens(tokens), ..ServeConfig::default() });
    let open = |path: &str, token: &str| Listener::open(&server, path, &format!("Authorization: Bearer {token}\r\n"));
    let closing = |l: &Listener| l.events().iter().any(|e| e.kind == "closing");
    let mut leave = [open("/api/v1/board/stream", "leaver"), open("/api/v1/stream", "leaver")];
    let cookie = "Cookie: barograph_session=stayer\r\n";
    let mut stay = [Listener::open(&server, "/api/v1/board/stream", cookie), open("/api/v1/stream", "stayer")];
    book.0.lock().unwrap().retain(|known| *known != "leaver");
    for listener in &mut leave {
        assert!(listener.until(closing), "it ends, and says that it does");
    }
    for listener in &mut stay {
        listener.read_for(Duration::from_millis(2_500));
        assert!(!closing(listener), "the others go on");
    }
}

/// Every address with every method that it offers: nobody is answered without a token, and nothing is changed with one that may
/// read. What holds nothing of the user's is said here, and nowhere else may it be added to in passing.
#[test]
fn every_route_asks_for_a_token_and_every_change_for_one_that_may_operate() {
    const PUBLIC: [&str; 8] =
        ["/", "/healthz", "/api/v1/session", "/assets/{file}", "/docs", "/docs/{file}", "/openapi.json", "/llms.txt"];
    const READ_WITH_POST: [&str; 4] = ["/api/v1/advice", "/api/v1/portfolio", "/api/v1/whatif", "/mcp"];
    let server = server();
    let document: serde_json::Value = serde_json::from_str(&barograph_api::openapi_json()).unwrap();
    let (mut asked, mut changes) = (0, 0);
    for (pattern, item) in document["paths"].as_object().unwrap() {
        let path = pattern.replace("{id}", "x").replace("{message}", "x").replace("{name}", "x").replace("{file}", "x");
        for method in item.as_object().unwrap().keys().map(|m| m.to_uppercase()) {
            let ask = |fields: &[(&str, &str)]| match method.as_str() {
                "POST" => post(&server, &path, "{}", fields).status,
                _ => server.request(&method, &path, fields).status,
            };
            asked += 1;
            if PUBLIC.contains(&pattern.as_str()) {
                assert_ne!(ask(&[]), 403, "{method} {path}");
                continue;
            }
            assert_eq!(ask(&[]), 401, "{method} {path} without a token");
            assert_eq!(ask(&[("Authorization", "Bearer nobody")]), 401, "{method} {path} with a wrong one");
            if method == "GET" {
                assert_eq!(server.request("HEAD", &path, &[]).status, 401, "HEAD {path} without a token");
            }
            let reads = method == "GET" || READ_WITH_POST.contains(&pattern.as_str());
            if !reads {
                changes += 1;
                assert_eq!(ask(&[("Authorization", "Bearer reader")]), 403, "{method} {path} with one that may read");
                assert_ne!(
                    ask(&[("Authorization", "Bearer keeper")]),
                    403,
                    "{method} {path} with one that may operate"
                );
            } else if !path.ends_with("/stream") {
                let status = ask(&[("Authorization", "Bearer reader")]);
                assert!(![401, 403].contains(&status), "{method} {path} with one that may read: {status}");
            }
        }
    }
    assert!(asked >= 70 && changes == 16, "{asked} asked, {changes} changes");
}

#[test]
fn where_everything_is_open_a_session_says_so() {
    let server = Server::start();
    let json = server.json("/api/v1/session");
    assert_eq!((&json["tokens"], &json["role"]), (&false.into(), &"open".into()));
}
