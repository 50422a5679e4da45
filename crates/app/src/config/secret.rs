//! Addresses of databases and servers: which kinds there are, and how one is shown without its password.

use barograph_mirror::MirrorAddress;

/// Is this an address that a store can be opened with? Nothing means the data folder.
pub(crate) fn check_url(url: &str) -> Result<(), String> {
    let scheme = url.split("://").next().unwrap_or_default();
    match scheme {
        "postgres" | "postgresql" if url.contains("://") => Ok(()),
        _ if url.is_empty() => Ok(()),
        // The text itself may hold a password and is not repeated.
        _ => Err("write postgres://user:password@host/name, or nothing for SQLite in the data folder".to_owned()),
    }
}

/// The address with its passwords as asterisks.
pub(crate) fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    // A password may hold what should have been escaped in it: the host begins behind the last @.
    let shown = match place.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            let secret = if user.contains(':') { ":***" } else { "" };
            format!("{name}{secret}@{host}")
        }
        None if query.is_some_and(|q| q.contains('@')) && place.contains(':') => return format!("{scheme}://***"),
        None => place.to_owned(),
    };
    let query = query.map_or(String::new(), |query| {
        let hide = |pair: &str| match pair.split_once('=') {
            Some((key, _)) if key.eq_ignore_ascii_case("password") || key.eq_ignore_ascii_case("sslpassword") => {
                format!("{key}=***")
            }
            _ => pair.to_owned(),
        };
        format!("?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{shown}{query}")
}

/// A server's address without its password; what is no such address may hold one anywhere.
pub(crate) fn redis(text: &str) -> String {
    MirrorAddress::parse(text).map_or_else(|_wrong| hidden(text), |address| address.to_string())
}

/// Asterisks, where there is anything to hide.
pub(crate) fn hidden(text: &str) -> String {
    if text.is_empty() { String::new() } else { "***".to_owned() }
}

/// An address of the web without what follows its host, which may hold a key; anything else as it is.
pub(crate) fn host_only(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) else {
        return text.to_owned();
    };
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = place.rsplit('@').next().unwrap_or_default();
    let hidden = if rest.len() > place.len() { "/***" } else { "" };
    format!("{scheme}://{host}{hidden}")
}

/// Addresses of sources, each as [`host_only`] shows it.
pub(crate) fn hosts_only(text: &str) -> String {
    let one = |part: &str| match part.split_once('=') {
        Some((name, url)) => format!("{}={}", name.trim(), host_only(url.trim())),
        None => hidden(part),
    };
    text.split(',').filter(|part| !part.trim().is_empty()).map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        for (url, shown) in [
            ("postgres://me:se@cret@db.example:5432/baro", "postgres://me:***@db.example:5432/baro"),
            ("postgres://me@/baro?host=/run", "postgres://me@/baro?host=/run"),
            (
                "postgresql://db/baro?user=me&password=x&sslmode=require",
                "postgresql://db/baro?user=me&password=***&sslmode=require",
            ),
            ("postgres://db/baro", "postgres://db/baro"),
            ("", ""),
        ] {
            assert_eq!(masked(url), shown);
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for (url, shown) in [
            ("postgres://me:pa/ss@db.example/baro", "postgres://me:***@db.example/baro"),
            ("postgres://me:pa?ss@db.example/baro", "postgres://***"),
        ] {
            assert_eq!(masked(url), shown);
        }
        for (text, shown) in [
            ("https://calendar.example/private-s3cret/feed.ics?key=x", "https://calendar.example/***"),
            ("http://me:secret@calendar.example", "http://calendar.example"),
            ("a/b.csv", "a/b.csv"),
            ("", ""),
        ] {
            assert_eq!(host_only(text), shown);
        }
        assert_eq!(
            hosts_only("fng=http://127.0.0.1:9, dune=https://u:s3cret@dune.example/key-s3cret,s3cret"),
            "fng=http://127.0.0.1:9,dune=https://dune.example/***,***"
        );
        assert_eq!(hosts_only(""), "");
        for (text, shown) in
            [("redis://:s3cret@cache:6379/1", "redis://:***@cache:6379/1"), ("redis//:s3cret@cache", "***"), ("", "")]
        {
            assert_eq!(redis(text), shown);
        }
        for url in ["mysql://me:secret@db/baro", "me:secret@db", "postgres"] {
            let why = check_url(url).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
