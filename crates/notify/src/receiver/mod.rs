//! To whom, where, how, and of what. Parsed and checked here once; everything behind takes it as valid.

mod config;
mod env;
mod filter;
pub(crate) mod permit;
mod settings;

pub use config::ReceiverConfig;
pub use env::{Permitted, from_env};
pub use filter::{Filter, axis_of};
pub use permit::Allowed;
pub use settings::{Callback, FormatSettings};

use crate::budget::AlertBudget;
use crate::format::FormatDef;
use crate::format::callback::CALLBACK;
use crate::plan::{DeliveryPace, Endpoint};
use crate::secret::Secret;
use crate::sign::SigningKey;
use barograph_domain::delivery::{DELIVER_FIRED_WITHIN, DELIVER_RESOLVED_WITHIN, Notice};
use barograph_domain::{Span, Ts};
use url::Url;

/// How a request proves who sends it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Auth {
    /// Not at all, or by its address or signature.
    #[default]
    None,
    /// A token, in the header that the format has for it.
    Bearer(Secret),
    /// User and password.
    Basic {
        /// User name.
        user: String,
        /// What only they know.
        password: Secret,
    },
}

/// One receiver.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its name: lower-case letters, digits, dash and underscore.
    pub name: String,
    /// How it wants it.
    pub format: &'static FormatDef,
    /// What only its format asks for.
    pub settings: FormatSettings,
    /// Where; the address is a credential at most services.
    pub url: Secret,
    /// Signing secrets; several while one replaces another.
    pub secrets: Vec<Secret>,
    /// How a request proves who sends it.
    pub auth: Auth,
    /// Of what.
    pub filter: Filter,
    /// Plain `http` may be used.
    pub allow_http: bool,
    /// Private addresses that may be used.
    pub allow_private: Vec<Allowed>,
    /// How long a beginning is worth delivering, where it is not the usual time.
    pub fired_within: Option<Span>,
    /// How long an end is worth delivering.
    pub resolved_within: Option<Span>,
    /// Address of the dashboard, for links; empty: no links.
    pub dashboard: String,
    /// Storms become groups; `None`: as the format has it.
    pub groups: Option<bool>,
    /// How many alerts it is sent within a time; `None`: any number.
    pub budget: Option<AlertBudget>,
    /// It comes from a variable of the environment: what permits its address is a variable too.
    pub from_variable: bool,
    /// It was made on the page, and can be removed there.
    pub made: bool,
}

/// Variables that permit addresses of `WEBHOOKS_…` lists: plain http, and private ranges separated by commas.
pub const ALLOW_HTTP: &str = "WEBHOOKS_ALLOW_HTTP";
/// See [`ALLOW_HTTP`].
pub const ALLOW_PRIVATE: &str = "WEBHOOKS_ALLOW_PRIVATE";

impl Receiver {
    /// One with the usual settings.
    #[must_use]
    pub fn new(name: &str, format: &'static FormatDef, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            format,
            settings: FormatSettings::default(),
            url: Secret::new(url),
            secrets: Vec::new(),
            auth: Auth::None,
            filter: Filter::default(),
            allow_http: false,
            allow_private: Vec::new(),
            fired_within: None,
            resolved_within: None,
            dashboard: String::new(),
            groups: None,
            budget: None,
            from_variable: false,
            made: false,
        }
    }

    /// A function of the program, with the usual settings.
    #[must_use]
    pub fn calling(name: &str, callback: Callback) -> Self {
        let settings = FormatSettings { callback: Some(callback), ..FormatSettings::default() };
        Self { settings, ..Self::new(name, &CALLBACK, "") }
    }

    /// What is wrong with its address, with the settings that permit it under the names they have in this receiver's form.
    #[must_use]
    pub fn in_form(&self, why: &str) -> String {
        if !self.from_variable {
            return why.to_owned();
        }
        why.replace("allow_http = true", &format!("{ALLOW_HTTP}=true")).replace("allow_private", ALLOW_PRIVATE)
    }

    /// Says what is wrong with it.
    ///
    /// # Errors
    /// A sentence with what to do; never a secret.
    pub fn check(&self) -> Result<(), String> {
        let named = |why: String| format!("receiver '{}': {}", self.name, self.in_form(&why));
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if self.name.is_empty() || self.name.len() > 60 || !self.name.chars().all(fine) {
            return Err(named("a name has 1 to 60 lower-case letters, digits, dashes and underscores".into()));
        }
        self.keys().map_err(named)?;
        (self.format.check)(self).map_err(named)?;
        if self.settings.callback.is_some() {
            return Ok(());
        }
        self.address().map(drop).map_err(named)
    }

    /// Where requests go. Checked: scheme, port, no credentials, no fragment; a host that is an address already, whether it may
    /// be used.
    ///
    /// # Errors
    /// What is wrong, without the address.
    pub fn address(&self) -> Result<Url, String> {
        let mut url = Url::parse(self.url.expose())
            .map_err(|e| format!("its url cannot be read ({e}); write https://host/path"))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err("its url is http; use https, or set allow_http = true".to_owned()),
            other => return Err(format!("its url begins with {other}; write https://host/path")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("its url holds a user or password; put them into user and password".to_owned());
        }
        if url.fragment().is_some() {
            return Err("its url has a part after '#', which is never sent; take it out".to_owned());
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let plain = url.scheme() == "http";
        // Which of its addresses a name leads to, and whether the port was opened there, is seen at each try.
        if !permit::is_usual(port, plain) && !self.allow_private.iter().any(|a| a.names_port(port)) {
            return Err(format!("its port {port} is not 443 or 8443; add the address with its port to allow_private"));
        }
        let ip = match url.host() {
            Some(url::Host::Ipv4(ip)) => Some(ip.into()),
            Some(url::Host::Ipv6(ip)) => Some(ip.into()),
            Some(url::Host::Domain(_)) => None,
            None => return Err("its url names no host".to_owned()),
        };
        if let Some(ip) = ip {
            permit::check(ip, port, plain, &self.allow_private)?;
        }
        (self.format.complete)(&mut url);
        Ok(url)
    }

    /// Signing keys.
    ///
    /// # Errors
    /// See [`SigningKey::new`].
    pub fn keys(&self) -> Result<Vec<SigningKey>, String> {
        self.secrets.iter().map(SigningKey::new).collect()
    }

    /// Is this notice for it, in a format that has words for it?
    #[must_use]
    pub fn wants(&self, notice: &Notice) -> bool {
        (self.format.covers)(notice) && self.filter.wants(notice)
    }

    /// No try of a notice after this.
    #[must_use]
    pub fn deliver_until(&self, notice: &Notice) -> Ts {
        self.endpoint().until(notice.phase, notice.known_at)
    }

    /// What the planner has to know of it.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        let format = self.format;
        Endpoint {
            name: self.name.clone(),
            pace: format.pace,
            in_flight_max: if format.pace == DeliveryPace::FREE { 32 } else { 4 },
            groups: self.groups.unwrap_or(format.groups),
            filter: self.filter.clone(),
            hears_weaker: format.hears_weaker,
            budget: self.budget,
            fired_within: self.fired_within.unwrap_or(DELIVER_FIRED_WITHIN),
            resolved_within: self.resolved_within.unwrap_or(DELIVER_RESOLVED_WITHIN),
        }
    }

    /// Digits that follow from format and address: what is known of an endpoint holds while these are the same.
    #[must_use]
    pub fn identity(&self) -> String {
        let FormatSettings { chat_id, thread, .. } = &self.settings;
        let chat = if chat_id.is_empty() { String::new() } else { format!("{chat_id}|{thread:?}") };
        digits(&format!("{}|{}|{chat}", self.format.name, self.url.expose()))
    }

    /// Host and the last four characters: enough to tell addresses apart, not enough to use one.
    #[must_use]
    pub fn shown(&self) -> String {
        let Ok(url) = Url::parse(self.url.expose()) else { return "…".to_owned() };
        let tail: Vec<char> = self.url.expose().chars().rev().take(4).collect();
        let tail: String = tail.into_iter().rev().collect();
        let tail = if url.path().len() + url.query().map_or(0, str::len) > 12 { tail } else { String::new() };
        format!("{}…{tail}", url.host_str().unwrap_or_default())
    }

    /// Everything that must not be seen in what others say.
    #[must_use]
    pub fn hidden(&self) -> Vec<String> {
        let mut all: Vec<String> = self.secrets.iter().map(|s| s.expose().to_owned()).collect();
        all.push(self.url.expose().to_owned());
        if let Ok(url) = Url::parse(self.url.expose()) {
            all.push(url[url::Position::BeforePath..].to_owned());
            // A token may come back on its own.
            all.extend(url.path_segments().into_iter().flatten().filter(|s| s.len() >= 16).map(str::to_owned));
            all.extend(url.query_pairs().filter(|(_, v)| v.len() >= 8).map(|(_, v)| v.into_owned()));
        }
        match &self.auth {
            Auth::None => {}
            Auth::Bearer(token) => all.push(token.expose().to_owned()),
            Auth::Basic { password, .. } => all.push(password.expose().to_owned()),
        }
        all.sort_by_key(|s| core::cmp::Reverse(s.len()));
        all
    }
}

/// Eight hex digits of a text: enough to see that an address is another, too few to find one out.
fn digits(text: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(text.as_bytes());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{alertmanager, discord, plain, push, slack, standard, telegram};

    type Mistake = fn(&mut Receiver);

    #[test]
    fn a_receiver_is_checked_and_says_what_to_do_without_its_secrets() {
        let with = |f: Mistake| {
            let mut r = Receiver::new("mine", &plain::JSON, "https://hooks.example/abcdefgh1234");
            f(&mut r);
            r.check()
        };
        assert_eq!(with(|_| ()), Ok(()));
        let cases: [(Mistake, &str); 12] = [
            (|r| r.name = "Mine".into(), "lower-case"),
            (|r| r.url = Secret::new("http://hooks.example/abcdefgh1234"), "allow_http"),
            (|r| r.url = Secret::new("ftp://hooks.example/abcdefgh1234"), "ftp"),
            (|r| r.url = Secret::new("https://u:abcdefgh1234@hooks.example/"), "password"),
            (|r| r.url = Secret::new("https://hooks.example/#abcdefgh1234"), "#"),
            (|r| r.url = Secret::new("https://hooks.example:9000/abcdefgh1234"), "9000"),
            (|r| r.url = Secret::new("https://127.0.0.1/abcdefgh1234"), "allow_private"),
            (|r| r.url = Secret::new("https://0x7f000001/abcdefgh1234"), "allow_private"),
            (|r| r.url = Secret::new("https://0251.0376.0251.0376/abcdefgh1234"), "allow_private"),
            (|r| r.url = Secret::new("https://2130706433/abcdefgh1234"), "allow_private"),
            (|r| r.format = &standard::STANDARD, "signing secret"),
            (|r| r.secrets = vec![Secret::new("whsec_abcdefgh1234")], "24 to 64"),
        ];
        for (change, says) in cases {
            let error = with(change).unwrap_err();
            assert!(error.contains(says) && !error.contains("abcdefgh1234"), "{error}");
        }
    }

    #[test]
    fn services_get_their_paths() {
        let path = |format, url| Receiver::new("r", format, url).address().unwrap().to_string();
        assert!(path(&discord::DISCORD, "https://discord.com/api/webhooks/1/t").ends_with("/t?wait=true"));
        assert!(path(&alertmanager::API, "https://am.example").ends_with("example/api/v2/alerts"));
        assert!(path(&push::GOTIFY, "https://g.example/").ends_with("example/message"));
        assert!(path(&telegram::TELEGRAM, "https://api.telegram.org/bot1:x").ends_with("/bot1:x/sendMessage"));
    }

    /// The longest first: a part of it hidden before would leave the rest to be read.
    #[test]
    fn what_is_hidden_is_hidden_whole() {
        let mut r = Receiver::new("r", &plain::JSON, "https://hooks.example/services/secretsecret9876");
        r.auth = Auth::Basic { user: "me".into(), password: Secret::new("pass") };
        r.secrets = vec![Secret::new("abc")];
        let hidden = r.hidden();
        assert!(["abc", "pass", "secretsecret9876"].iter().all(|s| hidden.iter().any(|h| h == s)), "{hidden:?}");
        assert!(hidden.is_sorted_by_key(|s| core::cmp::Reverse(s.len())), "{hidden:?}");
    }

    #[test]
    fn addresses_are_shown_by_their_ends() {
        let r = Receiver::new("r", &slack::SLACK, "https://hooks.slack.com/services/T0/B0/secretsecret9876");
        assert_eq!(r.shown(), "hooks.slack.com…9876");
        assert!(!format!("{r:?}").contains("secretsecret"));
    }
}
