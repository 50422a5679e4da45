//! A receiver as people write it, in `[[receiver]]` tables.

use super::{Allowed, Auth, Filter, Receiver};
use crate::budget::AlertBudget;
use crate::format::{FORMATS, FormatDef};
use crate::secret::Secret;
use barograph_domain::{Axis, Pattern, Severity, Span};
use core::fmt;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// One table. [`ReceiverConfig::receiver`] makes it a receiver.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverConfig {
    /// Its name.
    pub name: String,
    /// The name of one of [`FORMATS`].
    pub format: String,
    /// Address to deliver to.
    pub url: Secret,
    /// Signing secrets, the one in use first; a single one may stand alone.
    #[serde(deserialize_with = "one_or_more")]
    pub secrets: Vec<Secret>,
    /// A bearer token.
    pub token: Option<Secret>,
    /// User of basic authentication.
    pub user: Option<String>,
    /// Password of basic authentication.
    pub password: Option<Secret>,
    /// Telegram's chat.
    pub chat_id: Option<String>,
    /// Telegram's topic.
    pub thread: Option<i64>,
    /// Text of a template.
    pub template: Option<String>,
    /// Content type of a template; `application/json` where there is none.
    pub content_type: Option<String>,
    /// Event types; empty for all.
    pub types: Vec<String>,
    /// The least severity.
    pub severity: Option<Severity>,
    /// Markets, as `binance-usdm:BTCUSDT` or `BTCUSDT`; empty for all.
    pub markets: Vec<String>,
    /// Axes whose changes are delivered; empty for all.
    pub axes: Vec<Axis>,
    /// Also when something is over; true where nothing is said.
    pub resolved: Option<bool>,
    /// Also when it cannot be seen whether something goes on.
    pub no_data: bool,
    /// Storms become groups; as the format has it where nothing is said.
    pub groups: Option<bool>,
    /// How many alerts it is sent within a time, as `3/day`; any number where nothing is said.
    pub budget: Option<String>,
    /// Plain http may be used.
    pub allow_http: bool,
    /// Private addresses that may be used.
    pub allow_private: Vec<Allowed>,
    /// How long a beginning is worth delivering, as `30m`.
    pub deliver_within: Option<String>,
    /// How long an end is worth delivering, as `24h`.
    pub deliver_resolved_within: Option<String>,
    /// Links lead here; the program's own address where nothing is said.
    pub dashboard: Option<String>,
}

/// A text, or a list of texts.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Secret>, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<Secret>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![Secret::new(text)])
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut out = Vec::new();
            while let Some(one) = items.next_element()? {
                out.push(one);
            }
            Ok(out)
        }
    }
    from.deserialize_any(Texts)
}

impl ReceiverConfig {
    /// The receiver, checked.
    ///
    /// # Errors
    /// What is wrong and what to do, without secrets.
    pub fn receiver(&self, dashboard: &str) -> Result<Receiver, String> {
        let named = |why: String| format!("receiver '{}': {why}", self.name);
        let span = |text: &Option<String>| text.as_deref().map(Span::parse).transpose().map_err(named);
        let types = self.types.iter().map(|word| {
            Pattern::from_name(word)
                .ok_or_else(|| named(format!("'{word}' is no event type, as in LIQUIDATION_CASCADE")))
        });
        let format = self.format().map_err(named)?;
        let receiver = Receiver {
            name: self.name.clone(),
            format,
            settings: (format.settings)(self).map_err(named)?,
            url: self.url.clone(),
            secrets: self.secrets.clone(),
            auth: self.auth().map_err(named)?,
            filter: Filter {
                types: types.collect::<Result<_, _>>()?,
                severity_min: self.severity.unwrap_or(Severity::Info),
                markets: self.markets.clone(),
                axes: self.axes.clone(),
                resolved: self.resolved.unwrap_or(true),
                no_data: self.no_data,
            },
            allow_http: self.allow_http,
            allow_private: self.allow_private.clone(),
            fired_within: span(&self.deliver_within)?,
            resolved_within: span(&self.deliver_resolved_within)?,
            dashboard: self.dashboard.as_deref().unwrap_or(dashboard).trim_end_matches('/').to_owned(),
            groups: self.groups,
            budget: self.budget.as_deref().map(AlertBudget::parse).transpose().map_err(named)?,
            from_variable: false,
            made: false,
        };
        receiver.check()?;
        Ok(receiver)
    }

    fn format(&self) -> Result<&'static FormatDef, String> {
        FORMATS.iter().copied().find(|f| f.name == self.format).ok_or_else(|| {
            let names: Vec<&str> = FORMATS.iter().map(|f| f.name).collect();
            let (last, others) = names.split_last().unwrap_or((&"", &[]));
            format!("'{}' is no format; write {} or {last}", self.format, others.join(", "))
        })
    }

    fn auth(&self) -> Result<Auth, String> {
        match (&self.token, &self.user, &self.password) {
            (None, None, None) => Ok(Auth::None),
            (Some(token), None, None) => Ok(Auth::Bearer(token.clone())),
            (None, Some(user), Some(password)) => Ok(Auth::Basic { user: user.clone(), password: password.clone() }),
            (None, Some(_), None) | (None, None, Some(_)) => Err("user and password go together".to_owned()),
            (Some(_), _, _) => Err("give a token or user and password, not both".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Receiver, String> {
        serde_json::from_str::<ReceiverConfig>(json).map_err(|e| e.to_string())?.receiver("http://127.0.0.1:8600/")
    }

    #[test]
    fn tables_become_receivers_and_mistakes_are_named() {
        let r = read(
            r#"{"name":"ops","format":"standard","url":"https://h.example/x","secrets":["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
                "types":["CASCADE"],"severity":"HIGH","axes":["risk"],"budget":"3/day","allow_private":["10.0.0.0/8:8080"],"deliver_within":"10m"}"#,
        )
        .unwrap();
        assert_eq!(r.filter.types, [Pattern::LiquidationCascade]);
        assert_eq!((r.fired_within, r.dashboard.as_str()), (Some(Span::mins(10)), "http://127.0.0.1:8600"));
        assert_eq!(r.endpoint().budget.map(|b| b.to_string()).as_deref(), Some("3/day"));
        let alone = read(
            r#"{"name":"ops","format":"standard","url":"https://h.example/x","secrets":"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#,
        );
        assert_eq!(alone.unwrap().secrets.len(), 1);
        for (json, says) in [
            (r#"{"name":"a","format":"slack","url":"https://h.example/x","typo":1}"#, "typo"),
            (
                r#"{"name":"a","format":"carrier","url":"https://h.example/x"}"#,
                "'carrier' is no format; write standard, discord, slack, telegram, alertmanager, alertmanager_api, json, \
                 seed4, envelope, template, ntfy or gotify",
            ),
            (r#"{"name":"a","format":"slack","url":"https://h.example/x","types":["NOPE"]}"#, "NOPE"),
            (r#"{"name":"a","format":"slack","url":"https://h.example/x","user":"u"}"#, "together"),
            (r#"{"name":"a","format":"slack","url":"https://h.example/x","deliver_within":"soon"}"#, "soon"),
            (r#"{"name":"a","format":"slack","url":"https://h.example/x","budget":"3 per day"}"#, "write 3/day"),
            (r#"{"name":"a","format":"telegram","url":"https://h.example/x"}"#, "chat_id"),
            (r#"{"name":"a","format":"template","url":"https://h.example/x","template":"{nope}"}"#, "nope"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
