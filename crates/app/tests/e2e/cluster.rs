//! Workers of a cluster on their ports: what they show of themselves while it runs, and once the broker is away. Whether what they
//! publish is right is the affair of `deploy/cluster/trial.py`.

use crate::support::http::{Reply, Server};
use crate::support::nats::Nats;
use crate::support::postgres::shared;
use crate::support::sim::Sim;
use crate::support::{Place, until};
use std::time::Duration;

/// A broker, a database and a venue, and the variables that name them.
struct Site {
    place: Place,
    sim: Sim,
    nats: Nats,
    env: Vec<(&'static str, String)>,
}

impl Site {
    fn new() -> Option<Self> {
        let (nats, postgres) = (Nats::start()?, shared()?);
        let place = Place::new();
        let sim = Sim::start(&place);
        let env = vec![
            ("BAROGRAPH_NATS_URL", nats.url()),
            ("DB_URL", postgres.schema()),
            ("BAROGRAPH_CLUSTER_OBJECTS", place.path("objects").to_string_lossy().into_owned()),
            ("BAROGRAPH_CLUSTER_GROUPS", "2".to_owned()),
            // Longer than by default: tests share the machine.
            ("BAROGRAPH_CLUSTER_LEASE", "6s".to_owned()),
        ];
        Some(Self { place, sim, nats, env })
    }

    fn line(&self, role: &str, data: &str, listen: &str) -> String {
        let endpoint = &self.sim.endpoint;
        format!(
            "up --role {role} --symbols BTCUSDT,ETHUSDT --backfill 0 --books off --endpoint {endpoint} --data {data} {listen}"
        )
    }

    fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn start(&self, role: &str, data: &str) -> Server {
        Server::of(self.place.start_with(&self.line(role, data, "--listen 127.0.0.1:0"), &self.env()))
    }
}

/// The notes of a worker that is ready, joined.
fn notes(worker: &Server) -> Option<String> {
    let reply = worker.get("/readyz");
    (reply.status == 200).then(|| reply.json()["notes"].to_string())
}

/// The value of a metric, as its line begins.
fn value(worker: &Server, line: &str) -> Option<f64> {
    let text = worker.get("/metrics").text();
    text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

fn not_ready(worker: &Server) -> Option<Reply> {
    Some(worker.get("/readyz")).filter(|reply| reply.status == 503)
}

/// Is this the folder of a venue, with something in it?
fn has_frames(entry: &std::fs::DirEntry) -> bool {
    let is_venue = entry.file_name().to_string_lossy().starts_with("venue=");
    is_venue && std::fs::read_dir(entry.path()).is_ok_and(|mut files| files.next().is_some())
}

#[test]
fn workers_show_what_they_hold_and_what_they_wait_for() {
    let Some(mut site) = Site::new() else { return };
    // Parts start in any order: what answers questions is first here, and waits.
    let mut reader = site.start("serve", "reader");
    assert_eq!((reader.get("/healthz").status, reader.get("/readyz").status), (200, 503));
    let early = reader.get("/api/v1/markets");
    assert!(early.status == 404 && early.text().contains("the role serve"), "{}", early.text());
    let ingest = site.start("ingest", "ingest");
    let mut engine = site.start("engine", "engine");
    until("both groups", || notes(&engine).filter(|notes| notes.contains("it holds 2 groups")));
    assert_eq!(engine.get("/healthz").status, 200);
    for group in 0..2 {
        let of_group = |name: &str| format!("barograph_cluster_{name}{{group=\"{group}\"}}");
        until("what is stored", || value(&engine, &of_group("group_stored_age_seconds")).filter(|age| *age < 60.0));
        until("parcels", || value(&engine, &of_group("parcels_total")).filter(|count| *count > 0.0));
        assert_eq!(value(&engine, &of_group("group_held")), Some(1.0));
        assert!(value(&engine, &of_group("takeovers_total")).is_some_and(|count| count >= 1.0));
        assert!(value(&engine, &of_group("group_token")).is_some_and(|token| token > 1e12));
    }

    let mut universe = site.start("universe", "universe");
    until("hours", || notes(&universe).filter(|notes| notes.contains("it makes hours and the ledger")));
    assert_eq!(value(&universe, "barograph_cluster_universe_held"), Some(1.0));
    until("groups that are read", || value(&universe, "barograph_cluster_groups_behind"));
    let mut spare = site.start("universe", "spare");
    until("a worker in waiting", || notes(&spare).filter(|notes| notes.contains("in waiting")));
    assert_eq!(value(&spare, "barograph_cluster_universe_held"), Some(0.0));

    for (worker, role) in [(&engine, "engine"), (&universe, "universe")] {
        for path in ["/api/v1/markets", "/", "/docs"] {
            let reply = worker.get(path);
            assert_eq!((reply.status, reply.problem().as_str()), (404, "unknown-route"), "{path}");
            let json = reply.json();
            assert!(json["detail"].as_str().unwrap().contains(&format!("the role {role}")), "{json}");
            assert!(json["hint"].as_str().unwrap().contains("the role serve answers"), "{json}");
        }
    }

    until("the first minute", || Some(reader.get("/api/v1/markets")).filter(|reply| reply.status == 200));
    let listed = reader.json("/api/v1/markets");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(reader.get("/readyz").status, 200);

    // Two workers on one port: the second one ends, and names what to change.
    let taken = site.line("engine", "other", &format!("--listen {}", engine.addr));
    let done = site.place.run_with(&taken, &site.env()).exits(3);
    assert!(done.err.contains("cannot listen on") && done.err.contains("--listen"), "{}", done.err);

    site.nats.kill();
    for worker in [&engine, &universe, &spare] {
        let reply = until("the loss of the broker", || not_ready(worker));
        assert!(reply.text().contains("NATS"), "{}", reply.text());
        assert_eq!((reply.problem().as_str(), worker.get("/healthz").status), ("not-ready", 200));
    }
    assert_eq!(value(&engine, "barograph_cluster_broker_answers"), Some(0.0));
    // Who listens does so without the broker: what venues send comes once.
    let mut late = site.start("ingest", "late");
    until("a journal", || std::fs::read_dir(site.place.path("late/journal")).ok()?.flatten().find(has_frames));
    late.process.err.wait_for("waiting for it");
    for worker in [&mut engine, &mut universe, &mut spare, &mut reader, &mut late] {
        worker.process.signal("TERM");
        assert_eq!(worker.process.wait(Duration::from_secs(60)), Some(0), "{}", worker.process.err.text());
    }
    drop(ingest);
}
