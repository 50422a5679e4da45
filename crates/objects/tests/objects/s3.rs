//! A bucket behind a server of S3 that checks signatures.

use crate::proxy::{Fault, Proxy};
use crate::server::S3Server;
use crate::suite;
use barograph_objects::s3::{S3Config, S3Objects, S3Style};
use barograph_objects::{Error, ObjectSource, ObjectStore as _, Recovery};
use std::time::{Duration, Instant};

pub(crate) fn config(variables: &[(&'static str, String)]) -> S3Config {
    let var = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
    let mut config = S3Config::of("s3://lake/copies/one", &var).unwrap();
    config.patience.pause = Duration::from_millis(5);
    config.part = suite::PART;
    config
}

pub(crate) fn through(server: &S3Server, proxy: &Proxy) -> S3Objects {
    S3Objects::new(config(&server.variables(proxy.port()))).unwrap()
}

#[test]
fn a_bucket_does_what_every_place_does() {
    let Some(server) = S3Server::start() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let damage = |key: &str| server.damage(&format!("copies/one/{key}"));
    for page in [1_000, 2] {
        let mut config = config(&server.variables(server.port()));
        config.page = page;
        suite::check(&S3Objects::new(config).unwrap(), scratch.path(), &damage);
    }
}

#[test]
fn a_bucket_may_be_a_host() {
    let Some(server) = S3Server::start() else { return };
    let mut config = config(&server.variables(server.port()));
    config.endpoint = format!("http://localhost:{}", server.port()).parse().unwrap();
    config.style = S3Style::VirtualHost;
    // Names below localhost are this machine with most resolvers, and unknown with others.
    if std::net::ToSocketAddrs::to_socket_addrs(&("lake.localhost", server.port())).is_err() {
        return barograph_testkit::skipped("lake.localhost is no name of this machine");
    }
    let store = S3Objects::new(config).unwrap();
    store.put("a/b", &ObjectSource::of_bytes(b"bytes")).unwrap();
    assert_eq!(store.get("a/b").unwrap(), b"bytes");
    assert_eq!(store.list("a").unwrap().len(), 1);
}

#[test]
fn a_busy_server_and_lost_connections_are_tried_again() {
    let Some(server) = S3Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let store = through(&server, &proxy);
    let slow = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    let faults = [Fault::Answer(503, slow), Fault::Answer(500, ""), Fault::CutRequest(3), Fault::CutAnswer(0)];
    proxy.plan("PUT", faults);
    store.put("busy", &ObjectSource::of_bytes(b"bytes")).unwrap();
    assert_eq!((proxy.left(), proxy.count("PUT")), (0, 5));
    proxy.plan("GET", [Fault::Answer(503, slow), Fault::CutAnswer(10)]);
    assert_eq!(store.get("busy").unwrap(), b"bytes");
    proxy.plan("HEAD", [Fault::CutAnswer(0), Fault::Answer(504, "")]);
    assert_eq!(store.head("busy").unwrap().unwrap().size, 5);
    proxy.plan("list-type=2", [Fault::Answer(503, slow)]);
    assert_eq!(store.list("").unwrap().len(), 1);
    proxy.plan("DELETE", [Fault::Answer(503, slow)]);
    store.delete("busy").unwrap();
    assert_eq!(proxy.left(), 0);
    proxy.take();
    proxy.plan("PUT", core::iter::repeat_n(Fault::Answer(503, slow), 9));
    let refused = store.put("busy", &ObjectSource::of_bytes(b"bytes")).unwrap_err();
    assert_eq!((proxy.count("PUT"), refused.recovery()), (6, Recovery::RetryAfter));
    let shown = refused.to_string();
    assert!(
        shown.contains("put 'busy'") && shown.contains("tried 6 times: the server answers 503 SlowDown"),
        "{shown}"
    );
}

#[test]
fn a_large_object_that_breaks_off_comes_to_its_end() {
    let Some(server) = S3Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let store = through(&server, &proxy);
    let bytes = suite::large(0);
    store.put("large", &ObjectSource::of_bytes(&bytes)).unwrap();
    proxy.take();
    proxy.plan("GET", [Fault::CutAnswer(3 << 20), Fault::CutAnswer(1 << 20), Fault::Answer(503, "")]);
    assert!(store.get("large").unwrap() == bytes);
    let ranges: Vec<bool> = proxy.take().iter().map(|p| p.head.contains("range: bytes=")).collect();
    assert_eq!(ranges, [false, true, true, true], "the rest is asked for, not all of it");
    // Another object took its place meanwhile.
    proxy.plan("GET", [Fault::CutAnswer(3 << 20)]);
    let mut pieces = Swapping { store: &store, swapped: false };
    assert!(matches!(store.get_into("large", &mut pieces), Err(Error::Changed { .. })));
}

/// Takes bytes, and puts another object in the place of the one that is read.
struct Swapping<'a> {
    store: &'a S3Objects,
    swapped: bool,
}

impl std::io::Write for Swapping<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !core::mem::replace(&mut self.swapped, true) {
            // Within a call there is a runtime; another call wants a thread of its own.
            let store = self.store;
            let put = || store.put("large", &ObjectSource::of_bytes(b"small")).unwrap();
            std::thread::scope(|scope| scope.spawn(put).join().unwrap());
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Three parts, the last of one byte.
fn three_parts(seed: u8) -> Vec<u8> {
    let mut bytes = suite::large(seed);
    bytes.pop();
    bytes.extend(suite::large(seed ^ 3));
    bytes
}

/// Numbers of the parts that the server got.
fn parts(proxy: &Proxy) -> Vec<char> {
    let puts = proxy.take().into_iter().filter(|p| p.served);
    puts.filter_map(|p| p.line.split_once("partNumber=")?.1.chars().next()).collect()
}

#[test]
fn parts_that_arrived_are_not_sent_again_and_those_of_another_content_are_aborted() {
    let Some(server) = S3Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let mut impatient = config(&server.variables(proxy.port()));
    impatient.patience.tries = 1;
    let bytes = three_parts(0);
    let broken = |part: &'static str| {
        proxy.plan(part, [Fault::CutRequest(2 << 20)]);
        // Another process each time: nothing is remembered.
        let store = S3Objects::new(impatient.clone()).unwrap();
        let failed = store.put("large", &ObjectSource::of_bytes(&bytes)).unwrap_err();
        assert!(matches!(failed, Error::Away { .. }), "{failed}");
        assert_eq!(store.head("large").unwrap(), None, "nothing is there before all of it is");
        parts(&proxy)
    };
    assert_eq!(broken("partNumber=2"), ['1']);
    assert_eq!(broken("partNumber=3"), ['2']);
    let store = through(&server, &proxy);
    store.put("large", &ObjectSource::of_bytes(&bytes)).unwrap();
    assert_eq!(parts(&proxy), ['3']);
    assert!(store.get("large").unwrap() == bytes);
    store.delete("large").unwrap();

    // Of another content from its first part on.
    assert_eq!(broken("partNumber=2"), ['1']);
    let other = three_parts(9);
    store.put("large", &ObjectSource::of_bytes(&other)).unwrap();
    assert_eq!(parts(&proxy), ['1', '2', '3']);
    assert!(store.get("large").unwrap() == other);
    store.delete("large").unwrap();
    proxy.take();

    // Of another content in a part that has not arrived: known by the digest at the end, and sent anew.
    assert_eq!(broken("partNumber=2"), ['1']);
    let mut tail = bytes.clone();
    *tail.last_mut().unwrap() ^= 1;
    store.put("large", &ObjectSource::of_bytes(&tail)).unwrap();
    assert_eq!(parts(&proxy), ['2', '3', '1', '2', '3']);
    assert!(store.get("large").unwrap() == tail);

    // The answer to the last request is lost, and what it asked for was done.
    proxy.plan("POST /lake/copies/one/large?uploadId", [Fault::CutAnswer(0)]);
    store.put("large", &ObjectSource::of_bytes(&bytes)).unwrap();
    assert!(store.get("large").unwrap() == bytes);
    assert_eq!(proxy.left(), 0);
}

#[test]
fn a_server_without_checksums_is_asked_without_them() {
    let Some(server) = S3Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let store = through(&server, &proxy);
    let unknown = "<Error><Code>NotImplemented</Code><Message>A header is not implemented</Message></Error>";
    proxy.plan("x-amz-checksum-sha256: ", [Fault::Answer(501, unknown)]);
    store.put("a", &ObjectSource::of_bytes(b"a")).unwrap();
    store.put("b", &ObjectSource::of_bytes(b"b")).unwrap();
    store.put("large", &ObjectSource::of_bytes(&suite::large(0))).unwrap();
    let passed = proxy.take();
    assert_eq!(passed.iter().filter(|p| p.head.contains("x-amz-checksum-")).count(), 1);
    assert!(store.get("large").unwrap() == suite::large(0));
}

#[test]
fn refusals_name_what_to_do_and_no_secret() {
    let Some(server) = S3Server::start() else { return };
    let good = server.variables(server.port());
    let with = |name: &'static str, value: &str| {
        let mut variables = good.clone();
        variables.retain(|(n, _)| *n != name);
        variables.push((name, value.to_owned()));
        config(&variables)
    };
    let missing = {
        let mut missing = config(&good);
        missing.bucket = "no-such-bucket".to_owned();
        missing
    };
    for (config, words) in [
        (with("AWS_SECRET_ACCESS_KEY", "wr0ng-s3cret"), "SignatureDoesNotMatch): the secret is not that of the key id"),
        (with("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN"), "InvalidAccessKeyId): the key id 'AKIAUNKNOWN' is not known there"),
        (config(&server.powerless()), "AccessDenied): the key may not do that"),
        (missing, "NoSuchBucket): there is no bucket 'no-such-bucket'"),
    ] {
        let store = S3Objects::new(config).unwrap();
        let put = store.put("a", &ObjectSource::of_bytes(b"a")).unwrap_err();
        let list = store.list("").unwrap_err();
        for e in [put, list] {
            let shown = format!("{e} {e:?} {store:?}");
            assert!(e.to_string().contains(words) && matches!(e, Error::Refused { .. }), "{shown}");
            assert!(
                !shown.contains("wr0ng-s3cret")
                    && good.iter().all(|(n, v)| !n.contains("SECRET") || !shown.contains(v))
            );
        }
    }
}

#[test]
fn what_does_not_answer_is_given_up_in_time() {
    let Some(server) = S3Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let mut config = config(&server.variables(proxy.port()));
    config.patience.answer = Duration::from_millis(200);
    config.patience.tries = 2;
    proxy.plan("GET", [Fault::Hang, Fault::Hang]);
    let begun = Instant::now();
    let failed = S3Objects::new(config.clone()).unwrap().list("").unwrap_err().to_string();
    assert!(failed.contains("tried 2 times: no answer in time"), "{failed}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    config.endpoint = "http://127.0.0.1:1".parse().unwrap();
    let failed = S3Objects::new(config).unwrap().list("").unwrap_err();
    assert!(failed.to_string().contains("cannot connect to 127.0.0.1:1"), "{failed}");
    assert_eq!(failed.recovery(), Recovery::RetryAfter);
}
