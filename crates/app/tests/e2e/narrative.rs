//! `narrative` against a language model that is a double on loopback: what it is sent, what of its answers is printed, and what is kept.

use crate::support::Place;
use crate::support::data::{Mood, market, now};
use barograph_domain::Span;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

const KEY: &str = "sk-of-the-double";

/// One request as it came.
#[derive(Clone, Debug)]
struct Asked {
    head: String,
    body: Value,
}

/// A service that answers the same to everybody.
struct Double {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Double {
    /// `answer` makes the body out of the request.
    fn start(status: u16, answer: impl Fn(&Value) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, asked) = (listener.local_addr().unwrap(), Arc::default());
        let kept: Arc<Mutex<Vec<Asked>>> = Arc::clone(&asked);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                        break;
                    }
                    if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
                        length = n.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let body: Value = serde_json::from_slice(&body).unwrap();
                let text = answer(&body);
                kept.lock().unwrap().push(Asked { head, body });
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    text.len()
                );
                stream.write_all(format!("{head}{text}").as_bytes()).unwrap();
            }
        });
        Self { addr, asked }
    }

    /// One that says this.
    fn saying(text: &str) -> Self {
        let text = text.to_owned();
        Self::start(200, move |_| completion(&text))
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BAROGRAPH_NARRATIVE_URL", format!("http://{}/v1", self.addr)),
            ("BAROGRAPH_NARRATIVE_MODEL", "a-model".to_owned()),
            ("OPENAI_API_KEY", KEY.to_owned()),
        ]
    }
}

fn completion(text: &str) -> String {
    json!({"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}).to_string()
}

/// A folder with a market.
fn stored() -> Place {
    let place = Place::new();
    market(&place.path("in"), "BTCUSDT", Mood::Calm, (now() - Span::hours(30), now() - Span::secs(10)));
    place.ok("replay in --data data");
    place
}

const LINE: &str = "narrative BTCUSDT --data data";

fn run(place: &Place, double: &Double, more: &str) -> crate::support::Outcome {
    let env = double.env();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = place.run_with(&format!("{LINE}{more}"), &env).exits(0);
    assert!(!done.out.contains(KEY) && !done.err.contains(KEY), "{}{}", done.out, done.err);
    done
}

/// The record's lines.
fn record(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path("data/narrative/answers.jsonl")).unwrap();
    assert!(!text.contains(KEY), "{text}");
    crate::support::json_lines(&text)
}

/// A text on one line, as it was before it was folded.
fn unfolded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn without_a_model_the_sentences_are_ours_and_nothing_is_sent() {
    let place = stored();
    let own = place.ok(LINE);
    assert!(unfolded(&own).contains("In the last 24 h: ") && own.contains("our own sentences, from "), "{own}");
    assert!(!place.path("data/narrative").exists());
    // A key alone names nobody to send to.
    let key = place.run_with(LINE, &[("OPENAI_API_KEY", KEY)]).exits(0);
    assert_eq!(key.out, own);
    let double = Double::saying("It is calm.");
    assert_eq!(run(&place, &double, " --own").out, own);
    assert_eq!(double.asked().len(), 0);
    let url = format!("http://{}/v1", double.addr);
    place.run_with(LINE, &[("BAROGRAPH_NARRATIVE_URL", &url)]).exits(2).says("narrative_model is not set");
    assert_eq!(double.asked().len(), 0);
}

#[test]
fn a_text_of_the_facts_is_printed_and_what_was_sent_is_the_facts() {
    let place = stored();
    // What a good model does: it repeats the texts that it was given.
    let repeats = |body: &Value| {
        let sent: Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
        let text = |name: &str| {
            let facts = sent["facts"].as_array().unwrap().iter();
            facts.clone().find(|f| f["name"] == name).unwrap()["text"].as_str().unwrap().to_owned()
        };
        completion(&format!("The market has its {} {}.", text("price"), text("until")))
    };
    let double = Double::start(200, repeats);
    let done = run(&place, &double, "");
    assert!(
        done.out.contains("phrased by a-model from ") && done.out.contains("The market has its price "),
        "{}",
        done.out
    );
    let asked = double.asked();
    assert_eq!(asked.len(), 1);
    let head = asked[0].head.to_lowercase();
    assert!(asked[0].head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: bearer {KEY}\r\n")), "{head}");
    let body = &asked[0].body;
    assert_eq!((&body["model"], &body["temperature"]), (&"a-model".into(), &0.into()));
    // Nothing but what `--json` says the facts are.
    let printed: Value = serde_json::from_str(&run(&place, &double, " --json").out).unwrap();
    let sent: Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(sent, json!({"facts": printed["facts"]}));
    assert_eq!((&printed["phrased_by"], &printed["verdict"]), (&"a-model".into(), &"phrased".into()));
    let lines = record(&place);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["request"], *body);
    assert_eq!(lines[0]["answer"].as_str().unwrap(), printed["text"].as_str().unwrap());
    assert_eq!(lines[0]["service"], format!("http://{}", double.addr));
    // Asked again, the same question with the same answer has the same digest.
    assert_eq!((&lines[0]["sha256"], lines[0]["sha256"].as_str().unwrap().len()), (&printed["sha256"], 64));
}

#[test]
fn what_is_not_of_the_facts_is_refused_and_kept_with_the_reason() {
    let place = stored();
    let own = place.ok(LINE);
    let ours = unfolded(own.split("our own sentences").next().unwrap());
    let cases = [
        ("The market fell 77.7 % in 24 h.", "no fact has the number '77.7 %'"),
        ("It is time to buy.", "'buy' is advice"),
        ("It will recover.", "'will' is about the future"),
        ("See https://example.org for more.", "it is not plain text: http"),
        ("", "it is empty"),
    ];
    for (at, (text, why)) in cases.into_iter().enumerate() {
        let done = run(&place, &Double::saying(text), "");
        let printed = unfolded(&done.out);
        assert!(printed.starts_with(&ours), "our own sentences stand in its place: {printed}");
        assert!(printed.contains("the text of a-model was refused: ") && printed.contains(why), "{printed}");
        let lines = record(&place);
        assert_eq!(lines.len(), at + 1, "each is kept");
        let last = &lines[at];
        assert_eq!((&last["verdict"], &last["answer"]), (&"refused".into(), &text.into()));
        assert!(last["reasons"].as_array().unwrap().iter().any(|r| r == why), "{last}");
    }
}

#[test]
fn a_service_that_fails_leaves_our_own_sentences_and_a_line() {
    let place = stored();
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Double { addr: away, asked: Arc::default() };
    let echo = format!("{{\"error\":{{\"message\":\"Incorrect API key provided: {KEY}\"}}}}");
    let cases = [
        (Double::start(401, move |_| echo.clone()), "the service answered 401: Incorrect API key provided: …"),
        (Double::start(500, |_| "oops".to_owned()), "the service answered 500"),
        (Double::start(200, |_| "<html>".to_owned()), "the answer is no JSON"),
        (Double::start(200, |_| "{\"choices\":[]}".to_owned()), "the answer has no choices[0]"),
        (gone, "could not connect"),
    ];
    for (double, why) in cases {
        let done = run(&place, &double, "");
        let printed = unfolded(&done.out);
        assert!(printed.contains("a-model has written nothing: ") && printed.contains(why), "{printed}");
    }
    let lines = record(&place);
    assert!(
        lines.len() == 5 && lines.iter().all(|l| l["verdict"] == "unanswered" && l["answer"].is_null()),
        "{lines:?}"
    );
}
