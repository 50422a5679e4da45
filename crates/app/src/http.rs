//! One request to the API of a running process on this machine: what a command line needs, and no more.

use crate::failure::Failure;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A process that lives answers within milliseconds; its store may be away for longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is read: a message is a few kilobytes.
const ANSWER_MAX: u64 = 1024 * 1024;

/// A part of a path, percent-encoded.
pub(crate) fn escaped(part: &str) -> String {
    part.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

/// Sends a request and reads the JSON of the answer; null where it has none.
/// `to` is the address, and the token to bring where it wants one.
pub(crate) fn send(
    to: (SocketAddr, Option<&str>),
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, Failure> {
    let (address, _token) = to;
    let away = |e: std::io::Error| {
        Failure::broken(format!(
            "another process delivers from this data folder and does not answer at {address} ({e}); run this where the \
             setting listen is the address of its API"
        ))
    };
    let text = ask(to, method, path, body).map_err(away)?;
    let (head, content) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse::<u16>().ok());
    let value: Value = serde_json::from_str(content).unwrap_or_default();
    match status {
        Some(200..=299) => Ok(value),
        Some(status) => {
            let said = |field: &str| value[field].as_str().map(str::to_owned);
            let detail = said("detail").unwrap_or_else(|| format!("{address} answered {status}"));
            let text = said("hint").map_or_else(|| detail.clone(), |hint| format!("{detail}; {hint}"));
            Err(if status < 500 { Failure::usage(text) } else { Failure::broken(text) })
        }
        None => Err(Failure::broken(format!("what listens at {address} is not the API of this program"))),
    }
}

fn ask(
    (address, token): (SocketAddr, Option<&str>),
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let body = body.map(ToString::to_string).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let bearer = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    // HTTP/1.0 keeps the answer in one piece.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{bearer}{kind}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// What is said of an answer, and what was asked.
    fn answered(answer: &'static str) -> (Result<Value, Failure>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = vec![0; 4096];
            let mut length = 0;
            while !asked[..length].ends_with(b"}") {
                length += stream.read(&mut asked[length..]).unwrap();
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let body = serde_json::json!({"endpoint": "phone"});
        let path = format!("/a/{}", escaped("x y/ü"));
        (send((address, None), "POST", &path, Some(&body)), server.join().unwrap())
    }

    #[test]
    fn answers_are_understood() {
        let (answer, asked) =
            answered("HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n\r\n{\"state\":\"waiting\"}");
        assert_eq!(answer.unwrap()["state"], "waiting");
        assert!(asked.starts_with("POST /a/x%20y%2F%C3%BC HTTP/1.0\r\nHost: 127.0.0.1:"), "{asked}");
        assert!(
            asked.contains("\r\nContent-Type: application/json\r\n") && asked.ends_with("{\"endpoint\":\"phone\"}")
        );
        assert_eq!(answered("HTTP/1.1 204 No Content\r\n\r\n").0.unwrap(), Value::Null);
        let said = |answer| match answered(answer).0.unwrap_err() {
            Failure::Usage(text) => ("usage", text),
            Failure::Broken(text) => ("broken", text),
            other => panic!("{other:?}"),
        };
        let no = "HTTP/1.1 404 Not Found\r\n\r\n{\"detail\":\"no message 'x' is stored\",\"hint\":\"look\"}";
        assert_eq!(said(no), ("usage", "no message 'x' is stored; look".to_owned()));
        assert_eq!(said("HTTP/1.1 503 Busy\r\n\r\n").0, "broken");
        assert!(said("SSH-2.0-OpenSSH\r\n").1.contains("is not the API"));
    }
}
