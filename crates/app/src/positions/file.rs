//! The positions file: TOML with `[[position]]` tables, or JSON with the same under `"position"`, or a plain JSON list.
//!
//! It is read at start and whenever it changes. What it lists is registered, what it lists no more is taken out; positions
//! registered otherwise are none of its business.

use barograph_domain::advice::NewPosition;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    position: Vec<NewPosition>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    List(Vec<NewPosition>),
    Whole(Whole),
}

/// The entries of a file, or what is wrong with it: file, place and field.
pub(crate) fn read(path: &Path) -> Result<Vec<NewPosition>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let is_json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    parse(&text, is_json).map_err(|why| format!("{}: {why}", path.display()))
}

fn parse(text: &str, is_json: bool) -> Result<Vec<NewPosition>, String> {
    if is_json {
        let any: Json = match serde_json::from_str(text) {
            Ok(any) => any,
            // The untagged form says only that nothing fits; the plain one says where.
            Err(_) => Json::Whole(serde_json::from_str(text).map_err(|e| e.to_string())?),
        };
        return Ok(match any {
            Json::List(list) => list,
            Json::Whole(whole) => whole.position,
        });
    }
    let whole: Whole = toml_edit::de::from_str(text).map_err(|e| e.to_string().trim().replace('\n', " "))?;
    Ok(whole.position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_and_their_mistakes() {
        let toml = "[[position]]\nsymbol = \"BTCUSDT\"\nside = \"long\"\nentry = 50000\nstop = 49160.5\n\n\
                    [[position]]\nsymbol = \"ETHUSDT\"\nside = \"short\"\nentry = 2500.0\n";
        let json = r#"[{"symbol": "BTCUSDT", "side": "long", "entry": 50000, "stop": 49160.5},
                       {"symbol": "ETHUSDT", "side": "short", "entry": 2500.0}]"#;
        let listed = parse(toml, false).unwrap();
        assert_eq!(listed.len(), 2);
        assert_eq!(parse(json, true).unwrap(), listed);
        assert_eq!(parse(&format!("{{\"position\": {json}}}"), true).unwrap(), listed);
        assert_eq!(parse("", false).unwrap(), []);
        let wrong = parse("[[position]]\nsymbol = \"BTCUSDT\"\nsid = \"long\"\nentry = 1.0\n", false).unwrap_err();
        assert!(wrong.contains("line 3") && wrong.contains("sid"), "{wrong}");
        let wrong = parse("{\"position\": [{\"symbol\": \"x\"}]}", true).unwrap_err();
        assert!(wrong.contains("side") && wrong.contains("line 1"), "{wrong}");
    }
}
