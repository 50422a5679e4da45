//! What every venue is known to allow, and the margins kept, frozen: a changed limit is read before it is committed.
//!
//! `BAROGRAPH_BLESS=1` writes what is now.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and reads its table")]

use barograph_domain::Span;
use barograph_venues::session::{Limits, VENUES};
use std::fmt::Write as _;

fn described(id: &str, l: &Limits, out: &mut String) {
    let span = |s: Option<Span>| s.map_or_else(|| "never".to_owned(), |s| s.to_string());
    writeln!(
        out,
        "{id} operator {} messages_per_s {} connects {} per {} rotate {} overlap {} ping {} dead {} bytes {} rest_403 {} deflate {} \
         host_rests {}",
        l.operator,
        l.messages_per_s,
        l.connects_max,
        l.connects_per,
        span(l.rotate_after),
        l.rotate_overlap,
        span(l.ping_every),
        l.dead_after,
        l.message_bytes_max,
        span(l.rest_after_403),
        l.deflate,
        l.host_rests_on_429
    )
    .unwrap();
    for p in &l.pools {
        writeln!(
            out,
            "{id} pool {} {} weight {} per {} aligned {} header {} in_flight {} shared {}",
            p.id.0,
            p.name,
            p.weight,
            p.per,
            p.aligned,
            p.used_header.unwrap_or("none"),
            p.in_flight_max,
            p.shared.unwrap_or("none")
        )
        .unwrap();
    }
}

#[test]
fn limits_of_every_venue_are_those_that_were_read() {
    let mut now = String::new();
    VENUES.iter().for_each(|def| described(def.id, &(def.limits)(), &mut now));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/limits.txt");
    if std::env::var_os("BAROGRAPH_BLESS").is_some_and(|v| v == "1") {
        std::fs::write(&path, &now).unwrap();
    }
    let frozen = std::fs::read_to_string(&path).unwrap();
    for (is, was) in now.lines().zip(frozen.lines()) {
        assert_eq!(is, was);
    }
    assert_eq!(now.lines().count(), frozen.lines().count());
}
