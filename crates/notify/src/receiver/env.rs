//! Receivers under the names of the fourth original (R4.30, A26): lists of addresses in variables of the environment, which the
//! program reads and hands in.
//!
//! Each list hears what its name says, our own types of that family among them. Of funding the manipulation is left out: the
//! anomaly, which the original's programs know, says the same with severity HIGH.

use super::{ALLOW_HTTP, ALLOW_PRIVATE, Allowed, Filter, Receiver};
use crate::format::FORMATS;
use crate::format::plain::ENVELOPE;
use barograph_domain::Pattern;

/// Every variable that is read, from the one for liquidations to the one for everything. What a list hears stands with each
/// pattern (`domain`, `pattern.rs`).
const VARIABLES: [&str; 6] = [
    "WEBHOOKS_CASCADE",
    "WEBHOOKS_FUNDING",
    "WEBHOOKS_VOLATILITY",
    "WEBHOOKS_CORRELATION",
    "WEBHOOKS_REGIME",
    "WEBHOOKS_ALL",
];

/// The types of a list; none of the one that hears everything.
fn types(variable: &str) -> Vec<Pattern> {
    Pattern::ALL.iter().copied().filter(|p| p.row().variable == Some(variable)).collect()
}

/// The receivers that the variables name; `value` gives the text of a variable.
///
/// # Errors
/// What is wrong with an address, with the variable's name and the place in its list, but not the address.
pub fn from_env(value: impl Fn(&str) -> Option<String>, dashboard: &str) -> Result<Vec<Receiver>, String> {
    let mut out = Vec::new();
    let (allow_http, allow_private) = permitted(&value)?;
    for variable in VARIABLES {
        let Some(list) = value(variable) else { continue };
        for (nth, url) in list.split(',').map(str::trim).filter(|u| !u.is_empty()).enumerate() {
            // Named by its address: what is known of an endpoint, and what waits for it, must not move to another one when
            // the list changes.
            let list_name = variable.to_ascii_lowercase().replace("webhooks_", "env-");
            let name = format!("{list_name}-{}", super::digits(url));
            if out.iter().any(|r: &Receiver| r.name == name) {
                continue;
            }
            let guessed = guessed(&name, url);
            let receiver = Receiver {
                filter: Filter { types: types(variable), ..guessed.filter },
                dashboard: dashboard.to_owned(),
                allow_http,
                allow_private: allow_private.clone(),
                from_variable: true,
                ..guessed
            };
            receiver.check().map_err(|e| format!("{variable}, address {}: {e}", nth + 1))?;
            out.push(receiver);
        }
    }
    Ok(out)
}

/// What may be used beside https to public addresses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Permitted {
    /// Plain http.
    pub http: bool,
    /// Private addresses.
    pub private: Vec<Allowed>,
}

impl Permitted {
    /// What is wrong with an address, with what would permit it under the names of the variables.
    #[must_use]
    pub fn named(&self, why: &str) -> String {
        why.replace("allow_http = true", &format!("{ALLOW_HTTP}=true")).replace("allow_private", ALLOW_PRIVATE)
    }

    /// What the variables permit.
    ///
    /// # Errors
    /// The variable that cannot be read.
    pub fn from_env(value: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        permitted(value).map(|(http, private)| Self { http, private })
    }
}

fn permitted(value: impl Fn(&str) -> Option<String>) -> Result<(bool, Vec<Allowed>), String> {
    let http = match value(ALLOW_HTTP).as_deref().map(str::trim) {
        None | Some("" | "false" | "0") => false,
        Some("true" | "1") => true,
        Some(other) => return Err(format!("{ALLOW_HTTP} is '{other}'; write true or false")),
    };
    let ranges = value(ALLOW_PRIVATE).unwrap_or_default();
    let ranges = ranges.split(',').map(str::trim).filter(|r| !r.is_empty()).map(str::parse);
    let ranges: Result<Vec<Allowed>, String> = ranges.collect();
    Ok((http, ranges.map_err(|why| format!("{ALLOW_PRIVATE}: {why}"))?))
}

/// The format follows from the host, as people of the original knew it; everything else gets its envelope, which has no field
/// for an end.
fn guessed(name: &str, url: &str) -> Receiver {
    let parsed = url::Url::parse(url).ok();
    let format = |url: &url::Url| FORMATS.iter().find(|f| url.host_str().is_some_and(|host| f.is_at(host)));
    match parsed.and_then(|url| Some((format(&url)?, url))) {
        Some((format, mut parsed)) => {
            let mut receiver = Receiver::new(name, format, url);
            (format.unpack)(&mut receiver, &mut parsed);
            receiver
        }
        None => {
            let filter = Filter { resolved: false, ..Filter::default() };
            Receiver { filter, ..Receiver::new(name, &ENVELOPE, url) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{notice, with};
    use barograph_domain::delivery::Phase;
    use std::collections::BTreeSet;

    #[test]
    fn the_originals_names_make_receivers() {
        let vars = [
            ("WEBHOOKS_FUNDING", "https://discord.com/api/webhooks/1/x, https://my.example/hook"),
            ("WEBHOOKS_ALL", "https://api.telegram.org/bot1:t?chat_id=-5,https://hooks.slack.com/services/a/b/c"),
        ];
        let read = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let all = from_env(read, "").unwrap();
        let shown: Vec<(String, &str)> =
            all.iter().map(|r| (format!("{}X", r.name.trim_end_matches(|c| c != '-')), r.format.name)).collect();
        let shown: Vec<(&str, &str)> = shown.iter().map(|(name, format)| (name.as_str(), *format)).collect();
        assert_eq!(
            shown,
            [
                ("env-funding-X", "discord"),
                ("env-funding-X", "envelope"),
                ("env-all-X", "telegram"),
                ("env-all-X", "slack")
            ]
        );
        // Another order, one taken out, one twice: each keeps its name.
        let moved = "https://my.example/hook,https://my.example/hook";
        let moved = from_env(|n| (n == "WEBHOOKS_FUNDING").then(|| moved.to_owned()), "").unwrap();
        assert_eq!(moved.iter().map(|r| &r.name).collect::<Vec<_>>(), [&all[1].name]);
        assert_ne!(all[0].name, all[1].name);
        let of = |p| with(&notice("okx:BTC-USDT", Phase::Firing), |n| n.pattern = Some(p));
        assert!(all[0].wants(&of(Pattern::FundingReversal)) && !all[0].wants(&of(Pattern::LiquidationCascade)));
        assert!(all[3].wants(&of(Pattern::LiquidationCascade)));
        let unknown = with(&of(Pattern::FundingAnomaly), |n| n.seed4 = String::new());
        assert!(all[0].wants(&unknown) && !all[1].wants(&unknown));
        let wrong =
            from_env(|n| (n == "WEBHOOKS_ALL").then(|| "https://a.example, http://x.example/tokentoken".into()), "");
        let wrong = wrong.unwrap_err();
        assert!(wrong.starts_with("WEBHOOKS_ALL, address 2") && !wrong.contains("tokentoken"), "{wrong}");
    }

    fn read(vars: &[(&str, &str)]) -> Result<Vec<Receiver>, String> {
        from_env(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()), "")
    }

    #[test]
    fn a_list_hears_every_type_its_name_promises() {
        let all = read(&[("WEBHOOKS_ALL", "https://my.example/hook")]).unwrap().remove(0);
        let of = |p| with(&notice("okx:BTC-USDT", Phase::Firing), |n| (n.pattern, n.seed4) = (Some(p), String::new()));
        let deaf: Vec<&str> = Pattern::ALL.iter().filter(|p| !all.wants(&of(**p))).map(|p| p.name()).collect();
        // Of the original's own types only what the original would have sent: here nothing was.
        let original = [
            "FUNDING_ANOMALY",
            "FUNDING_REVERSAL",
            "LIQUIDATION_CASCADE",
            "VOLATILITY_REGIME_CHANGE",
            "REGIME_CONFIRMED",
            "CORRELATION_BREAK",
        ];
        assert_eq!(deaf, original);
        let known = |p| with(&of(p), |n| n.seed4 = "{}".to_owned());
        assert!(Pattern::ALL.iter().all(|p| all.wants(&known(*p))));
        let cascade = read(&[("WEBHOOKS_CASCADE", "https://my.example/hook")]).unwrap().remove(0);
        assert!(cascade.wants(&of(Pattern::ForcedLiquidations)) && !cascade.wants(&of(Pattern::DataGap)));
    }

    /// docs/alerts.md: a line for each variable, with the types it hears in any order.
    #[test]
    fn the_guide_says_what_each_list_hears() {
        let guide = include_str!("../../../../docs/alerts.md");
        for variable in VARIABLES {
            let cells = guide.lines().find_map(|l| l.strip_prefix(&format!("| `{variable}` |")));
            // What stands in brackets explains a type.
            let heard = cells.unwrap().split('(').map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
            let heard: String = heard.collect();
            let heard: BTreeSet<&str> = heard.split('`').skip(1).step_by(2).collect();
            assert_eq!(heard, types(variable).into_iter().map(Pattern::name).collect(), "{variable}");
        }
        let lost = Pattern::ALL.iter().filter_map(|p| p.row().variable).find(|v| !VARIABLES.contains(v));
        assert_eq!(lost, None, "a variable that nobody reads");
    }

    #[test]
    fn addresses_at_home_are_permitted_by_variables_and_errors_name_them() {
        let home = ("WEBHOOKS_ALL", "http://127.0.0.1:9000/hook");
        let why = read(&[home]).unwrap_err();
        assert!(why.ends_with("use https, or set WEBHOOKS_ALLOW_HTTP=true"), "{why}");
        let why = read(&[home, (ALLOW_HTTP, "true")]).unwrap_err();
        assert!(why.contains(ALLOW_PRIVATE) && !why.contains("allow_private"), "{why}");
        let found = read(&[home, (ALLOW_HTTP, "true"), (ALLOW_PRIVATE, "127.0.0.1:9000, 10.0.0.0/8")]).unwrap();
        assert_eq!((found.len(), found[0].format.name), (1, "envelope"));
        for (vars, says) in [
            ([home, (ALLOW_HTTP, "maybe")], "WEBHOOKS_ALLOW_HTTP is 'maybe'; write true or false"),
            ([home, (ALLOW_PRIVATE, "home")], "WEBHOOKS_ALLOW_PRIVATE: 'home' is no range"),
        ] {
            assert!(read(&vars).unwrap_err().starts_with(says));
        }
    }
}
