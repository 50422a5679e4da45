//! The way between machines over a real NATS server, which is killed and started again.

use barograph_bus::{Bus, BusOptions, Error, Swapped};
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A server in a folder of its own, on a free port of the loopback address.
struct NatsServer {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

/// The server of `NATS_SERVER`, or the one that `make packages-tools` installs below the target folder.
fn program() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let installed = target.join("checks/venv/bin/nats-server");
    Some(std::env::var_os("NATS_SERVER").map_or(installed, PathBuf::from)).filter(|program| program.is_file())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn started(program: &Path, port: u16, more: &[&str]) -> Child {
    let child = Command::new(program)
        .args(["-a", "127.0.0.1", "-p", &port.to_string()])
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the server does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

impl NatsServer {
    /// Starts one; none, and a word about it, where it is not installed.
    fn start() -> Option<Self> {
        let Some(program) = program() else {
            barograph_testkit::skipped("no NATS server is installed; install it with: make packages-tools");
            return None;
        };
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let child = started(&program, port, &["-js", "-sd", &folder.path().to_string_lossy()]);
        Some(Self { program, folder, port, child })
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn again(&mut self) {
        self.child = started(&self.program, self.port, &["-js", "-sd", &self.folder.path().to_string_lossy()]);
    }

    fn open(&self) -> Bus {
        Bus::open(&options(self.port)).unwrap()
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn options(port: u16) -> BusOptions {
    BusOptions {
        url: format!("nats://127.0.0.1:{port}"),
        name: "test".to_owned(),
        keep: Duration::from_secs(600),
        keep_bytes: 64 << 20,
    }
}

/// Tries until it works: a connection that was lost is made anew within a second or two.
fn patiently<T>(what: impl Fn() -> Result<T, Error>) -> T {
    let begun = Instant::now();
    loop {
        match what() {
            Ok(done) => return done,
            Err(e) => assert!(begun.elapsed() < Duration::from_secs(60), "{e}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn parcels_come_to_who_follows_also_those_from_before() {
    let Some(nats) = NatsServer::start() else { return };
    let (bus, since) = (nats.open(), 1_700_000_000_000_000_000);
    let publisher = bus.publisher();
    for n in 1..=3_u8 {
        publisher.send(n.into(), vec![n; 1_000]);
    }
    // The same once more, as after an answer that was lost.
    publisher.send(3, vec![3; 1_000]);
    let other = nats.open();
    let followed = other.follow(since);
    let next = || followed.next(Duration::from_secs(30)).expect("a parcel comes")[0];
    let mut seen = vec![next(), next(), next()];
    publisher.send(4, vec![4; 10]);
    seen.push(next());
    assert_eq!(seen, [1, 2, 3, 4]);
    // One that is larger than the server takes is counted, and the one behind it passes.
    publisher.send(5, vec![5; 2 << 20]);
    publisher.send(6, vec![6; 10]);
    assert_eq!(next(), 6);
    assert_eq!(publisher.counts().failed.load(Ordering::Relaxed), 1);
}

#[test]
fn an_answer_may_be_larger_than_a_message_and_nobody_is_asked_in_vain() {
    let Some(nats) = NatsServer::start() else { return };
    let bus = nats.open();
    let begun = Instant::now();
    assert!(matches!(bus.ask(b"?", Duration::from_secs(20)), Err(Error::Away(_))));
    assert!(begun.elapsed() < Duration::from_secs(10), "the server answers at once that nobody is there");
    let served = bus.serve(|question| question.repeat(700_000)).unwrap();
    let answer = nats.open().ask(b"abcde", Duration::from_secs(30)).unwrap();
    assert_eq!((answer.len(), &answer[3_499_995..]), (3_500_000, &b"abcde"[..]));
    assert_eq!(patiently(|| bus.ask(b"", Duration::from_secs(30))), b"");
    drop(served);
}

#[test]
fn a_lease_is_changed_only_by_who_knows_it_also_after_the_server_was_killed() {
    let Some(mut nats) = NatsServer::start() else { return };
    let bus = nats.open();
    let written = |swapped: Swapped| match swapped {
        Swapped::Written(revision) => revision,
        Swapped::Other => panic!("not written"),
    };
    assert_eq!(bus.lease("group-1").unwrap(), None);
    let first = written(bus.swap_lease("group-1", None, b"a/1").unwrap());
    assert!(first > 1_700_000_000_000, "revisions begin with the milliseconds of the bucket's making: {first}");
    assert_eq!(bus.swap_lease("group-1", None, b"b/1").unwrap(), Swapped::Other);
    let second = written(bus.swap_lease("group-1", Some(first), b"a/1").unwrap());
    assert!(second > first);
    assert_eq!(bus.swap_lease("group-1", Some(first), b"b/1").unwrap(), Swapped::Other);
    bus.swap_lease("worker-a", None, b"here").unwrap();
    nats.kill();
    assert!(matches!(bus.lease("group-1"), Err(Error::Away(_))));
    nats.again();
    let entry = patiently(|| bus.lease("group-1")).expect("it is kept");
    assert_eq!((entry.revision, &entry.value[..]), (second, &b"a/1"[..]));
    let workers = patiently(|| bus.leases("worker-"));
    assert_eq!(workers.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["worker-a"]);
    assert!(written(patiently(|| bus.swap_lease("group-1", Some(second), b"-"))) > second);
}

#[test]
fn an_address_where_nobody_is_and_a_server_without_streams_are_told_apart() {
    let Some(nats) = NatsServer::start() else { return };
    assert!(matches!(Bus::open(&options(free_port())), Err(Error::Away(_))));
    let plain = free_port();
    let mut child = started(&nats.program, plain, &[]);
    let refused = Bus::open(&options(plain));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains("-js")), "{refused:?}");
}
