//! A bucket's address and the key for it, from an address as it is typed and the usual variables of AWS.

use super::sign::S3Credentials;
use crate::{Error, Result};
use core::time::Duration;
use url::{Host, Url};

/// Most keys of one answer to a list.
const PAGE: u32 = 1_000;

/// Bytes of a part, and of the largest object that goes in one request: large enough that requests do not count, small enough to be sent
/// again and to be held by each of several threads.
const PART: u64 = 16 << 20;

/// How a bucket stands in an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum S3Style {
    /// `https://endpoint/bucket/key`: servers of one's own.
    Path,
    /// `https://bucket.endpoint/key`: AWS.
    VirtualHost,
}

impl S3Style {
    /// `path` or `virtual`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "path" => Some(Self::Path),
            "virtual" => Some(Self::VirtualHost),
            _ => None,
        }
    }
}

/// How long and how often something is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct S3Patience {
    /// Tries of one request; it is at least one.
    pub tries: u32,
    /// Pause behind the first try; each further one is twice as long.
    pub pause: Duration,
    /// The longest pause, whatever the server asks for.
    pub pause_max: Duration,
    /// From nothing to a connection, its handshake included.
    pub connect: Duration,
    /// From a request that has left to the head of its answer, and between two pieces of a body. Sending a body has a second more for
    /// each 64 KiB.
    pub answer: Duration,
}

impl Default for S3Patience {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self { tries: 6, pause: ms(200), pause_max: ms(5_000), connect: ms(5_000), answer: ms(30_000) }
    }
}

/// A bucket and the key for it.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with in the bucket: nothing, or a path that ends in `/`.
    pub prefix: String,
    /// The server: scheme, host and port.
    pub endpoint: Url,
    /// The region that signatures are made for.
    pub region: String,
    /// How the bucket stands in the address.
    pub style: S3Style,
    /// Who asks.
    pub credentials: S3Credentials,
    /// How long and how often something is tried.
    pub patience: S3Patience,
    /// Most keys of one answer to a list, at most 1,000.
    pub page: u32,
    /// Bytes of a part of a large object, and of the largest object that goes in one request; S3 wants at least 5 MiB.
    pub part: u64,
    /// A PEM file of authorities whose certificates count instead of the usual ones.
    pub authorities: Option<std::path::PathBuf>,
}

impl S3Config {
    /// The bucket of an address `s3://bucket/prefix`, with endpoint, region and keys from variables: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ENDPOINT_URL_S3` (or
    /// `AWS_ENDPOINT_URL`) and `AWS_CA_BUNDLE`. Without an endpoint it is AWS, with the bucket as a host; with one, its path.
    ///
    /// # Errors
    /// When the address or a variable cannot be meant.
    pub fn of(address: &str, var: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let wrong = |why: String| Err(Error::Address(why));
        let value = |name: &str| var(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let Some(rest) = address.strip_prefix("s3://") else {
            return wrong(format!("'{address}' is no address of a bucket; write s3://bucket/prefix"));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_bucket = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
        if !is_bucket {
            return wrong(format!(
                "'{bucket}' is no name of a bucket: 3 to 63 lower-case letters, digits, '-' and '.'; write s3://bucket/prefix"
            ));
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        if !prefix.is_empty() {
            crate::key::check_key(prefix.trim_end_matches('/'))?;
        }
        let Some((key_id, secret)) = value("AWS_ACCESS_KEY_ID").zip(value("AWS_SECRET_ACCESS_KEY")) else {
            return wrong(format!(
                "no key for {address}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
            ));
        };
        let region = value("AWS_REGION").or_else(|| value("AWS_DEFAULT_REGION")).unwrap_or_else(|| "us-east-1".into());
        let own = value("AWS_ENDPOINT_URL_S3").or_else(|| value("AWS_ENDPOINT_URL"));
        let style = if own.is_some() { S3Style::Path } else { S3Style::VirtualHost };
        let endpoint = own.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let endpoint = read_endpoint(&endpoint)?;
        // The certificate of AWS is for one name before its own, and a bucket with dots would be several.
        let style = if bucket.contains('.') { S3Style::Path } else { style };
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix,
            endpoint,
            region,
            style,
            credentials: S3Credentials::new(&key_id, &secret, value("AWS_SESSION_TOKEN").as_deref()),
            patience: S3Patience::default(),
            page: PAGE,
            part: PART,
            authorities: value("AWS_CA_BUNDLE").map(Into::into),
        })
    }

    /// `s3://bucket/prefix`, with the server where it is not AWS.
    pub(super) fn place(&self) -> String {
        let own = !self.endpoint.host_str().unwrap_or_default().ends_with(".amazonaws.com");
        let at = if own { format!(" at {}", self.endpoint.as_str().trim_end_matches('/')) } else { String::new() };
        format!("s3://{}/{}{at}", self.bucket, self.prefix)
    }

    /// The host that is connected to and signed for, without its port.
    pub(super) fn host(&self) -> String {
        let host = self.endpoint.host_str().unwrap_or_default();
        match (self.style, self.endpoint.host()) {
            (S3Style::VirtualHost, Some(Host::Domain(_))) => format!("{}.{host}", self.bucket),
            // An address of numbers has no names before it.
            (S3Style::VirtualHost | S3Style::Path, _) => host.to_owned(),
        }
    }

    /// Path of the bucket, without a `/` at its end.
    pub(super) fn bucket_path(&self) -> String {
        let base = self.endpoint.path().trim_end_matches('/');
        let is_host = self.host() != self.endpoint.host_str().unwrap_or_default();
        if is_host { base.to_owned() } else { format!("{base}/{}", self.bucket) }
    }
}

fn read_endpoint(text: &str) -> Result<Url> {
    let wrong = |why: &str| Error::Address(format!("the endpoint '{text}' {why}; write https://host:port"));
    let url = Url::parse(text).map_err(|e| wrong(&format!("cannot be read: {e}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("is no address of a server"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Address(
            "the endpoint holds a user or a password; the key belongs into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or a fragment"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn of(address: &str, vars: Pairs<'_>) -> Result<S3Config> {
        let keys = [("AWS_ACCESS_KEY_ID", "ID"), ("AWS_SECRET_ACCESS_KEY", "s3cret-s3cret")];
        let all = [vars, &keys].concat();
        S3Config::of(address, &|name| all.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn addresses_and_variables_make_hosts_and_paths() {
        let local = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000");
        let cases: [(&str, Pairs<'_>, &str, &str, &str); 6] = [
            ("s3://lake", &[], "lake.s3.us-east-1.amazonaws.com", "", ""),
            ("s3://lake/a/b/", &[("AWS_REGION", "eu-west-3")], "lake.s3.eu-west-3.amazonaws.com", "", "a/b/"),
            ("s3://la.ke", &[("AWS_DEFAULT_REGION", "eu-west-3")], "s3.eu-west-3.amazonaws.com", "/la.ke", ""),
            ("s3://lake/x", &[local], "127.0.0.1", "/lake", "x/"),
            (
                "s3://lake",
                &[local, ("AWS_ENDPOINT_URL_S3", "https://s3.example/base/")],
                "s3.example",
                "/base/lake",
                "",
            ),
            ("s3://lake", &[("AWS_ENDPOINT_URL", " ")], "lake.s3.us-east-1.amazonaws.com", "", ""),
        ];
        for (address, vars, host, path, prefix) in cases {
            let config = of(address, vars).unwrap();
            assert_eq!((config.host().as_str(), config.bucket_path().as_str()), (host, path), "{address}");
            assert_eq!(config.prefix, prefix, "{address}");
        }
        let mut config = of("s3://lake", &[local]).unwrap();
        assert_eq!(config.place(), "s3://lake/ at http://127.0.0.1:9000");
        config.style = S3Style::VirtualHost;
        assert_eq!(config.bucket_path(), "/lake", "an address of numbers stays what it is");
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_its_secrets() {
        let endpoint = |url| [("AWS_ENDPOINT_URL", url)];
        let cases: [(&str, Pairs<'_>, &str); 8] = [
            ("lake", &[], "write s3://bucket/prefix"),
            ("s3://La", &[], "no name of a bucket"),
            ("s3://lake/a//b", &[], "between two '/' is empty"),
            ("s3://lake/../b", &[], "begins with a dot"),
            ("s3://lake", &endpoint("ftp://h"), "no address of a server"),
            ("s3://lake", &endpoint("h:9000"), "no address of a server"),
            ("s3://lake", &endpoint("https://u:pw-of-u@h"), "holds a user or a password"),
            ("s3://lake", &endpoint("https://h/?a"), "has a query"),
        ];
        for (address, vars, why) in cases {
            let refused = of(address, vars).unwrap_err().to_string();
            assert!(refused.contains(why) && !refused.contains("pw-of-u"), "{address}: {refused}");
        }
        let none = S3Config::of("s3://lake", &|_| None).unwrap_err().to_string();
        assert!(none.contains("AWS_SECRET_ACCESS_KEY"), "{none}");
    }
}
