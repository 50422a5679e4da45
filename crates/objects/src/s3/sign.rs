//! Requests signed with AWS Signature Version 4 in the header `Authorization`, the digest of the body signed with them.
//!
//! By "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API Reference; the tests have its four examples.

use crate::ObjectDigest;
use barograph_domain::Ts;
use core::fmt;
use core::fmt::Write as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Who asks. Prints the key id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// The key id, which is no secret.
    pub key_id: String,
    secret: String,
    token: Option<String>,
}

impl S3Credentials {
    /// A key id with its secret, and the token of a session that ends.
    #[must_use]
    pub fn new(key_id: &str, secret: &str, token: Option<&str>) -> Self {
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        Self { key_id: key_id.trim().to_owned(), secret: secret.trim().to_owned(), token: token.map(str::to_owned) }
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Credentials({}, …)", self.key_id)
    }
}

/// A request as it is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    /// Host and, where it is not that of the scheme, port.
    pub(super) host: &'a str,
    /// Path, percent-encoded.
    pub(super) path: &'a str,
    /// Query, percent-encoded and sorted.
    pub(super) query: &'a str,
    /// Headers to sign beside those made here: names in lower case.
    pub(super) headers: &'a [(String, String)],
    pub(super) body: ObjectDigest,
}

/// The headers to send: those given, and those of the signature; `host` is signed and not among them.
pub(super) fn signed(unsigned: Unsigned<'_>, who: &S3Credentials, region: &str, now: Ts) -> Vec<(String, String)> {
    let (year, month, day, hour, minute, second, _) = now.civil();
    let date = format!("{year:04}{month:02}{day:02}");
    let stamp = format!("{date}T{hour:02}{minute:02}{second:02}Z");
    let mut headers = unsigned.headers.to_vec();
    headers.push(("x-amz-content-sha256".to_owned(), unsigned.body.to_string()));
    headers.push(("x-amz-date".to_owned(), stamp.clone()));
    headers.extend(who.token.clone().map(|token| ("x-amz-security-token".to_owned(), token)));
    let mut all = headers.clone();
    all.push(("host".to_owned(), unsigned.host.to_owned()));
    all.sort();
    let names = all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let mut canonical = format!("{}\n{}\n{}\n", unsigned.method, unsigned.path, unsigned.query);
    for (name, value) in &all {
        let _infallible = writeln!(canonical, "{name}:{}", value.trim());
    }
    let _infallible = write!(canonical, "\n{names}\n{}", unsigned.body);
    let scope = format!("{date}/{region}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", ObjectDigest::of(canonical.as_bytes()));
    let mut key = format!("AWS4{}", who.secret).into_bytes();
    for part in [date.as_str(), region, "s3", "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature = keyed(&key, &text).iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    });
    let credential = format!("{}/{scope}", who.key_id);
    // With a comma and a blank between the three: some servers read no other form.
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
    headers.push(("authorization".to_owned(), authorization));
    headers
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A text percent-encoded as S3 wants it: all but letters, digits and `-._~`; `/` only where `keep_slash`.
pub(super) fn encoded(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep_slash && byte == b'/';
        if plain {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A text out of its percent-encoding; `None` where it is none.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                out.push(u8::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    /// The examples of the reference, with the key it prints for them.
    #[test]
    fn requests_are_signed_as_in_the_examples_of_the_reference() {
        let who = S3Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
        let now = Ts::from_civil(2013, 5, 24, 0, 0, 0);
        let date = ("date", "Fri, 24 May 2013 00:00:00 GMT");
        let storage = ("x-amz-storage-class", "REDUCED_REDUNDANCY");
        let cases: [(&str, &str, &str, Pairs<'_>, &str, &str); 4] = [
            (
                "GET",
                "/test.txt",
                "",
                &[("range", "bytes=0-9")],
                "",
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                "/test%24file.text",
                "",
                &[date, storage],
                "Welcome to Amazon S3.",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            ("GET", "/", "lifecycle=", &[], "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (
                "GET",
                "/",
                "max-keys=2&prefix=J",
                &[],
                "",
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ];
        for (method, path, query, headers, body, want) in cases {
            let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            let body = ObjectDigest::of(body.as_bytes());
            let host = "examplebucket.s3.amazonaws.com";
            let unsigned = Unsigned { method, host, path, query, headers: &headers, body };
            let sent = signed(unsigned, &who, "us-east-1", now);
            let authorization = &sent.last().unwrap().1;
            assert!(authorization.ends_with(&format!("Signature={want}")), "{method} {path}?{query}: {authorization}");
        }
    }

    #[test]
    fn a_session_token_is_sent_and_no_secret_is_printed() {
        let who = S3Credentials::new("ID", "s3cret-s3cret", Some("t0ken-t0ken"));
        let unsigned =
            Unsigned { method: "GET", host: "h", path: "/", query: "", headers: &[], body: ObjectDigest::of(b"") };
        let sent = signed(unsigned, &who, "r", Ts(0));
        assert!(sent.contains(&("x-amz-security-token".to_owned(), "t0ken-t0ken".to_owned())));
        let shown = format!("{who:?} {sent:?}");
        assert!(!format!("{who:?}").contains("t0ken") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn texts_come_back_from_their_encoding() {
        assert_eq!(encoded("venue=okx/a b+ü~", true), "venue%3Dokx/a%20b%2B%C3%BC~");
        assert_eq!(encoded("a/b", false), "a%2Fb");
        for text in ["venue=okx/a b+ü~", "%25", ""] {
            assert_eq!(decoded(&encoded(text, true)).as_deref(), Some(text));
        }
        assert_eq!((decoded("%"), decoded("%zz"), decoded("a+b")), (None, None, Some("a b".to_owned())));
    }
}
