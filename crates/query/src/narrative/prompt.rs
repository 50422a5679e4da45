//! What a language model is asked, and what it answers: the body of a request for a chat completion, in the form that OpenAI has made
//! usual, and the text out of its reply. The rules in it are a courtesy; [`super::check`] is what holds.

use super::check::TEXT_MAX;
use super::facts::NarrativeFacts;
use serde_json::{Value, json};

/// Tokens of an answer: a text of [`TEXT_MAX`] characters has some 250.
const TOKENS_MAX: u32 = 400;

const RULES: &str = "You rephrase facts about a crypto market as two to five plain English sentences for a trader. \
Use the facts given and nothing else. Write each number, date and time in digits, as its fact's text has it, with its unit; \
leave out what you do not need, and compute nothing. Name no asset, venue, person or event that the facts do not name. \
Keep the minus of a number that has one. Give no advice and no forecast; do not explain why something happened. No headings, lists, links or markup.";

/// The body of the request.
#[must_use]
pub fn request(model: &str, facts: &NarrativeFacts) -> Value {
    json!({
        "model": model,
        "temperature": 0,
        "max_tokens": TOKENS_MAX,
        "messages": [
            {"role": "system", "content": format!("{RULES} At most {TEXT_MAX} characters.")},
            {"role": "user", "content": json!({"facts": facts.items}).to_string()},
        ],
    })
}

/// The text of a reply.
///
/// # Errors
/// What is wrong with the reply.
pub fn answer(body: &[u8]) -> Result<String, String> {
    let reply: Value = serde_json::from_slice(body).map_err(|e| format!("the answer is no JSON ({e})"))?;
    let choice = reply.pointer("/choices/0").ok_or("the answer has no choices[0]")?;
    let text = choice.pointer("/message/content").and_then(Value::as_str).ok_or("the answer has no text")?;
    if choice.get("finish_reason").and_then(Value::as_str) == Some("length") {
        return Err("the answer was cut off at its longest".to_owned());
    }
    Ok(text.trim().to_owned())
}
