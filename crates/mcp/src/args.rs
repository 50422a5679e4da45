//! Arguments of a call, read strictly: every one is known and has a value of its kind.

use crate::budget;
use crate::fault::CallFault;
use barograph_api::nearest;
use serde_json::{Map, Value, json};

/// What an argument may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum ArgKind {
    Text,
    Number,
    /// From 0 or more up to this.
    Whole(u64, u64),
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    Texts,
    /// Objects with these fields.
    Objects(&'static [Param]),
}

/// An argument as it is declared.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: ArgKind,
    /// What it means, with an example where that is not plain.
    pub(crate) about: &'static str,
    pub(crate) is_needed: bool,
}

impl Param {
    pub(crate) const fn new(name: &'static str, kind: ArgKind, about: &'static str) -> Self {
        Self { name, kind, about, is_needed: false }
    }

    pub(crate) const fn needed(self) -> Self {
        Self { is_needed: true, ..self }
    }

    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            ArgKind::Text => json!({"type": "string"}),
            ArgKind::Number => json!({"type": "number"}),
            ArgKind::Whole(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            ArgKind::Flag => json!({"type": "boolean"}),
            ArgKind::Word(words) => json!({"type": "string", "enum": words}),
            ArgKind::Texts => json!({"type": "array", "items": {"type": "string"}}),
            ArgKind::Objects(params) => json!({"type": "array", "items": schema(params)}),
        };
        if !self.about.is_empty() {
            schema["description"] = self.about.into();
        }
        schema
    }

    fn checked(&self, value: &Value) -> Result<(), CallFault> {
        let wanted = |what: &str| Err(CallFault::new(format!("{}: {value} is not {what}", self.name)));
        match self.kind {
            ArgKind::Text if value.is_string() => Ok(()),
            ArgKind::Text => wanted("a text"),
            ArgKind::Number if value.is_number() => Ok(()),
            ArgKind::Number => wanted("a number"),
            ArgKind::Whole(least, most) => match value.as_u64() {
                Some(n) if (least..=most).contains(&n) => Ok(()),
                _ => wanted(&format!("a whole number from {least} to {most}")),
            },
            ArgKind::Flag if value.is_boolean() => Ok(()),
            ArgKind::Flag => wanted("true or false"),
            ArgKind::Word(words) => match value.as_str() {
                Some(word) if words.contains(&word) => Ok(()),
                Some(word) => {
                    let like = nearest(word, words.iter().copied());
                    let hint = like
                        .map_or_else(|| format!("there are {}", words.join(", ")), |l| format!("did you mean {l}?"));
                    Err(CallFault::new(format!("{}: '{word}' is not understood; {hint}", self.name)))
                }
                None => wanted("a word"),
            },
            ArgKind::Texts => match value.as_array() {
                Some(all) if all.iter().all(Value::is_string) => Ok(()),
                _ => wanted("a list of texts"),
            },
            ArgKind::Objects(params) => {
                let Some(all) = value.as_array() else { return wanted("a list") };
                all.iter().try_for_each(|one| match one.as_object() {
                    Some(fields) => check(fields, params),
                    None => Err(CallFault::new(format!("{}: {one} is not an object", self.name))),
                })
            }
        }
    }
}

/// What every tool takes.
pub(crate) const AS_OF: Param = Param::new("as_of", ArgKind::Text, "as known then, e.g. 2026-02-05T14:35Z");
pub(crate) const BUDGET: Param =
    Param::new("budget", ArgKind::Whole(budget::LEAST as u64, budget::MOST as u64), "tokens, default 800");
/// What a tool with rows takes.
pub(crate) const CURSOR: Param = Param::new("cursor", ArgKind::Text, "next from the previous answer");

/// A plain schema of these arguments.
pub(crate) fn schema(params: &[Param]) -> Value {
    let properties: Map<String, Value> = params.iter().map(|p| (p.name.to_owned(), p.schema())).collect();
    let required: Vec<&str> = params.iter().filter(|p| p.is_needed).map(|p| p.name).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn check(given: &Map<String, Value>, params: &[Param]) -> Result<(), CallFault> {
    for (name, value) in given {
        let Some(param) = params.iter().find(|p| p.name == name) else {
            let known = || params.iter().map(|p| p.name);
            let hint = match nearest(name, known()) {
                Some(like) => format!("did you mean '{like}'?"),
                None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
            };
            return Err(CallFault::new(format!("unknown argument '{name}'; {hint}")));
        };
        // Clients fill what they leave out with null.
        if !value.is_null() {
            param.checked(value)?;
        }
    }
    let missing = params.iter().find(|p| p.is_needed && given.get(p.name).is_none_or(Value::is_null));
    missing.map_or(Ok(()), |p| Err(CallFault::new(format!("'{}' is missing: {}", p.name, p.about))))
}

/// Arguments that are known to fit what was declared.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ToolArgs(Map<String, Value>);

impl ToolArgs {
    pub(crate) fn read(given: Map<String, Value>, params: &[Param]) -> Result<Self, CallFault> {
        check(&given, params)?;
        Ok(Self(given.into_iter().filter(|(_, value)| !value.is_null()).collect()))
    }

    /// Arguments that were read, in other terms.
    pub(crate) fn of(given: Map<String, Value>) -> Self {
        Self(given)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// One that is declared as needed; an empty one finds nothing, and the route says so.
    pub(crate) fn needed(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.value(name).and_then(Value::as_f64)
    }

    pub(crate) fn whole(&self, name: &str) -> Option<usize> {
        self.value(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        self.value(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub(crate) fn as_of(&self) -> Option<&str> {
        self.text(AS_OF.name)
    }

    pub(crate) fn budget(&self) -> usize {
        self.whole(BUDGET.name).unwrap_or(budget::DEFAULT)
    }

    /// What a cursor is bound to: all that chooses rows.
    pub(crate) fn bound(&self) -> String {
        let chosen = self.0.iter().filter(|(name, _)| ![BUDGET.name, CURSOR.name].contains(&name.as_str()));
        let mut chosen: Vec<String> = chosen.map(|(name, value)| format!("{name}={value}")).collect();
        chosen.sort();
        chosen.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &[Param] = &[
        Param::new("market", ArgKind::Text, "market").needed(),
        Param::new("side", ArgKind::Word(&["long", "short"]), ""),
        Param::new("stop", ArgKind::Number, ""),
        Param::new("holdings", ArgKind::Objects(&[Param::new("symbol", ArgKind::Text, "").needed()]), ""),
        BUDGET,
    ];

    fn refused(given: &Value) -> String {
        ToolArgs::read(given.as_object().cloned().unwrap_or_default(), PARAMS).unwrap_err().sentence
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_could() {
        for (given, words) in [
            (json!({"markt": "a"}), "unknown argument 'markt'; did you mean 'market'?"),
            (json!({"zzz": "a"}), "there are market, side, stop, holdings, budget"),
            (json!({}), "'market' is missing: market"),
            (json!({"market": null}), "'market' is missing"),
            (json!({"market": 5}), "market: 5 is not a text"),
            (json!({"market": "a", "side": "lang"}), "side: 'lang' is not understood; did you mean long?"),
            (json!({"market": "a", "stop": "1"}), "stop: \"1\" is not a number"),
            (json!({"market": "a", "budget": 100}), "budget: 100 is not a whole number from 200 to 8000"),
            (json!({"market": "a", "budget": 1e9}), "budget: 1000000000.0 is not a whole number"),
            (json!({"market": "a", "holdings": [{}]}), "'symbol' is missing"),
            (json!({"market": "a", "holdings": [[]]}), "holdings: [] is not an object"),
        ] {
            let sentence = refused(&given);
            assert!(sentence.contains(words), "{given}: {sentence}");
        }
    }

    #[test]
    fn schemas_are_plain() {
        let made = schema(PARAMS);
        assert_eq!(made["required"], json!(["market"]));
        assert_eq!(made["properties"]["side"], json!({"type": "string", "enum": ["long", "short"]}));
        assert_eq!(made["properties"]["holdings"]["items"]["required"], json!(["symbol"]));
        assert!(!made.to_string().contains("$ref") && !made.to_string().contains("anyOf"));
    }
}
