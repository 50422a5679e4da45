//! The summary in our own sentences: what is printed without a language model, and in place of a text that was refused.

use super::facts::NarrativeFacts;

/// Sentences made of the facts' own texts, so that [`super::check`] has nothing to say of them.
#[must_use]
pub fn own(facts: &NarrativeFacts) -> String {
    let of = |name: &str| facts.text(name).unwrap_or_default();
    let mut parts = vec![sentence(of("headline"))];
    let counts = ["alerts_opened", "alerts_open", "label_changes"];
    let day: Vec<&str> = counts.iter().filter_map(|name| facts.text(name)).collect();
    parts.push(sentence(&format!("In {}: {}", of("window"), day.join(", "))));
    let listed: Vec<&str> =
        facts.items.iter().filter(|f| f.name.starts_with("alert_")).map(|f| f.text.trim_end_matches('.')).collect();
    if !listed.is_empty() {
        parts.push(sentence(&format!("Newest: {}", listed.join("; "))));
    }
    let readings = ["funding_rate_8h", "oi_delta_24h", "realized_vol_24h"];
    let known: Vec<&str> = readings.iter().filter_map(|name| facts.text(name)).collect();
    if !known.is_empty() {
        parts.push(sentence(&capitalised(&known.join("; "))));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
