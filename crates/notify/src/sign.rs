//! Signatures of Standard Webhooks, version `v1` (delivery §2): HMAC-SHA256 over id, time and body.

use crate::secret::Secret;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Keys are found with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const PREFIX: &str = "whsec_";
/// How far the time of a request may be from the receiver's.
pub const TOLERANCE_S: i64 = 300;

/// A key, decoded.
#[derive(Clone)]
pub struct SigningKey(Vec<u8>);

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl SigningKey {
    /// From `whsec_` and base64; the prefix may be missing.
    ///
    /// # Errors
    /// When it is no base64, or shorter than 24 or longer than 64 bytes. The text is not repeated.
    pub fn new(secret: &Secret) -> Result<Self, String> {
        let text = secret.expose().strip_prefix(PREFIX).unwrap_or(secret.expose());
        let bytes = LENIENT
            .decode(text)
            .map_err(|_e| "a signing secret is not base64; write whsec_ and the base64 of 24 to 64 bytes".to_owned())?;
        if (24..=64).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(format!("a signing secret has {} bytes; it needs 24 to 64", bytes.len()))
        }
    }
    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        Some(mac)
    }
}

/// The header `webhook-signature`: one signature per key, separated by spaces.
#[must_use]
pub fn header(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let one = |key: &SigningKey| {
        let mac = key.mac(id, timestamp, body)?.finalize().into_bytes();
        Some(format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(mac)))
    };
    keys.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

/// Does any signature of the header fit, and is the time near enough? For receivers of ours and for tests.
#[must_use]
pub fn verifies(key: &SigningKey, id: &str, timestamp: i64, body: &[u8], header: &str, now: i64) -> bool {
    if (now - timestamp).abs() > TOLERANCE_S {
        return false;
    }
    header.split(' ').filter_map(|entry| entry.strip_prefix("v1,")).any(|text| {
        let Ok(given) = base64::engine::general_purpose::STANDARD.decode(text) else { return false };
        // Compares in constant time.
        key.mac(id, timestamp, body).is_some_and(|mac| mac.verify_slice(&given).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const B: &str = "whsec_YmFyb2dyYXBoLXNlY29uZC1rZXktMzItYnl0ZXMtISE=";
    const ID: &str = "msg_barograph0001";
    const AT: i64 = 1_795_158_000;
    const BODY: &[u8] =
        br#"{"type":"alert.fired","timestamp":"2026-11-20T07:00:00Z","data":{"rule":"funding_extreme","symbol":"BTC"}}"#;

    fn key(text: &str) -> SigningKey {
        SigningKey::new(&Secret::new(text)).unwrap()
    }

    #[test]
    fn the_sheets_vectors_come_out_bit_for_bit() {
        let a = "v1,KkyAk7XkTDzM+dq1j1VbjS7WUjxTXFM84CPcE+AfZcs=";
        let b = "v1,CozrFtoV1VcYfOqLo9mH+v6BlyU9xAG5LS7+F8L0aEY=";
        assert_eq!(header(&[key(A)], ID, AT, BODY), a);
        assert_eq!(header(&[key(B)], ID, AT, BODY), b);
        let both = header(&[key(A), key(B)], ID, AT, BODY);
        assert_eq!(both, format!("{a} {b}"));
        assert!(verifies(&key(A), ID, AT, BODY, &both, AT) && verifies(&key(B), ID, AT, BODY, &both, AT));
    }

    #[test]
    fn any_changed_byte_and_a_far_time_break_it() {
        let signed = header(&[key(A)], ID, AT, BODY);
        let mut other = BODY.to_vec();
        other[10] ^= 1;
        assert!(!verifies(&key(A), ID, AT, &other, &signed, AT));
        assert!(!verifies(&key(A), "msg_barograph0002", AT, BODY, &signed, AT));
        assert!(!verifies(&key(A), ID, AT + 1, BODY, &signed, AT));
        for (now, fine) in [(300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(verifies(&key(A), ID, AT, BODY, &signed, AT + now), fine, "{now}");
        }
    }

    #[test]
    fn the_official_library_agrees_in_both_directions() {
        let official = standardwebhooks::Webhook::new(A).unwrap();
        assert_eq!(official.sign(ID, AT, BODY).unwrap(), header(&[key(A)], ID, AT, BODY));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let mut headers = hyper::HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", now.to_string().parse().unwrap());
        headers.insert("webhook-signature", header(&[key(B), key(A)], ID, now, BODY).parse().unwrap());
        assert!(official.verify(BODY, &headers).is_ok());
        let wrong = header(&[key(B)], ID, now, BODY);
        headers.insert("webhook-signature", wrong.parse().unwrap());
        assert!(official.verify(BODY, &headers).is_err());
    }

    #[test]
    fn the_published_vectors_verify_or_do_not() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/vectors/standard_webhooks.json");
        let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let cases = all["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let number = |name: &str| case[name].as_i64().unwrap();
            let body = text("payload").as_bytes();
            let fine =
                verifies(&key(text("secret")), text("id"), number("timestamp"), body, text("signature"), number("now"));
            assert_eq!(fine, case["ok"].as_bool().unwrap(), "{}", text("name"));
        }
    }

    #[test]
    fn secrets_that_are_none_are_refused_without_being_repeated() {
        for text in ["whsec_!!!!", "whsec_AAEC", &format!("whsec_{}", "A".repeat(100))] {
            let error = SigningKey::new(&Secret::new(text)).unwrap_err();
            assert!(!error.contains(text) && !error.contains("AAEC"), "{error}");
        }
        assert!(SigningKey::new(&Secret::new(&A.replace("whsec_", ""))).is_ok());
        assert!(SigningKey::new(&Secret::new(A.trim_end_matches('='))).is_ok());
    }
}
