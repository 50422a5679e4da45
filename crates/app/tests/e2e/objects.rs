//! Copies of a data folder in a bucket: pushed, killed, pushed on, damaged, found, mended and brought back.

use crate::support::s3_proxy::{Fault, Proxy};
use crate::support::s3_server::S3Server;
use crate::support::{Outcome, Place, json_lines, until};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{ControlRecord, JournalConfig, JournalWriter};
use serde_json::Value;
use std::path::Path;

/// More than one part of a large object.
const CHECKPOINT: usize = 40 << 20;
const NAME: &str = "checkpoint/00000001772366400000.ckpt";

/// A journal that is being written, with an hour that is closed.
fn journal(place: &Place) -> JournalWriter {
    let begin = Ts::from_civil(2026, 3, 1, 12, 0, 0);
    let (mut writer, _) = JournalWriter::open(JournalConfig::new(place.path("data/journal")), begin).unwrap();
    for at in [begin + Span::mins(1), begin + Span::hours(1)] {
        writer.control(at, &ControlRecord::Tick).unwrap();
        writer.sync().unwrap().wait().unwrap();
    }
    writer
}

fn asked(place: &Place, line: &str, env: &[(&'static str, String)]) -> Outcome {
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    place.run_with(line, &env)
}

fn json(outcome: &Outcome) -> Value {
    json_lines(&outcome.out).remove(0)
}

#[test]
fn a_data_folder_goes_to_a_bucket_and_comes_back_whoever_is_killed() {
    let Some(server) = S3Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let place = Place::new();
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recordings");
    let recording = recording.join("binance-usdm_btcusdt_20240718.gz");
    place.ok(&format!("lake import BTCUSDT --source {} --lake data", recording.display()));
    place.ok("lake compact --close --lake data");
    let writer = journal(&place);
    let checkpoint: Vec<u8> = (0..CHECKPOINT).map(|n| (n / 4_096 + n).to_le_bytes()[0]).collect();
    std::fs::create_dir_all(place.path("data/checkpoint")).unwrap();
    std::fs::write(place.path("data").join(NAME), &checkpoint).unwrap();

    // Killed while the second part of the checkpoint is on its way.
    let env = server.variables(proxy.port());
    let push = "lake push data --to s3://lake/desk --json";
    proxy.plan("partNumber=2", [Fault::Hang]);
    let shown: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut pushing = place.start_with(push, &shown);
    until("the second part", || (proxy.count("partNumber=2") > 0).then_some(()));
    assert!(pushing.kill());
    assert!(proxy.take().iter().any(|p| p.served && p.line.contains("partNumber=1&")));
    let first = json(&asked(&place, push, &env).exits(0));
    let parts: Vec<_> = proxy.take().into_iter().filter(|p| p.line.contains("partNumber=")).collect();
    assert_eq!(parts.len(), 2, "the first part of three is there already: {parts:?}");
    assert!(parts.iter().all(|p| !p.line.contains("partNumber=1&")));
    assert!(first["under_way"].as_u64() >= Some(1) && first["sent"].as_u64() > Some(0), "{first}");
    let again = json(&asked(&place, push, &env).exits(0));
    assert_eq!((&again["sent"], &again["manifest"]), (&0.into(), &first["manifest"]), "{again}");
    let checked = asked(&place, "lake check --at s3://lake/desk data", &env).exits(0);
    assert!(checked.out.contains("is as its manifest says"), "{}", checked.out);

    // Damage is found by a check and by a pull, and mended by a push that reads back.
    server.damage(&format!("desk/{NAME}"));
    let found = json(&asked(&place, "lake check --at s3://lake/desk --json", &env).exits(1));
    assert_eq!(found["findings"][0]["key"], NAME);
    let what = found["findings"][0]["what"].as_str().unwrap();
    assert!(what.contains("its SHA-256 has to be ") && what.contains(" and is "), "{what}");
    let pull = "lake pull restored --from s3://lake/desk --json";
    let torn = json(&asked(&place, pull, &env).exits(1));
    assert_eq!(torn["findings"][0]["key"], NAME, "{torn}");
    assert!(!place.path("restored").join(NAME).exists(), "damage is no file");
    let mended = json(&asked(&place, &format!("{push} --verify"), &env).exits(0));
    assert_eq!(mended["sent"], 1, "{mended}");
    let rest = json(&asked(&place, pull, &env).exits(0));
    assert_eq!((&rest["came"], &rest["present"]), (&1.into(), &torn["came"]), "{rest}");
    assert!(std::fs::read(place.path("restored").join(NAME)).unwrap() == checkpoint);
    asked(&place, "lake check restored --at s3://lake/desk", &env).exits(0);
    assert!(place.ok("lake check --lake restored").contains("every row is as its manifest says"));

    // Refusals: a folder that is written, a key that is none, a folder of nothing.
    asked(&place, "lake pull data --from s3://lake/desk", &env).exits(2).says("a process writes the journal");
    drop(writer);
    let mut wrong = env.clone();
    wrong[2].1 = "wr0ng-s3cret".to_owned();
    let refused = asked(&place, push, &wrong).exits(3).says("SignatureDoesNotMatch");
    assert!(!refused.err.contains("wr0ng-s3cret") && !refused.err.contains(&env[2].1), "{}", refused.err);
    let shown = asked(&place, "config show", &env).exits(0).out;
    assert!(shown.contains(&env[1].1) && !shown.contains(&env[2].1), "{shown}");
    asked(&place, "lake push data --to s3://lake/desk", &env[..1]).exits(2).says("set AWS_ACCESS_KEY_ID");
    std::fs::create_dir(place.path("empty")).unwrap();
    place.run("lake push empty --to depot").exits(2).says("holds no journal, no lake and no checkpoint");
}

#[test]
fn a_folder_is_a_place_too() {
    let place = Place::new();
    journal(&place).close().unwrap();
    let pushed = place.ok("lake push data --to depot");
    assert!(pushed.starts_with("2 files sent") && pushed.contains("depot has 2 files in all"), "{pushed}");
    place.run("lake check --at elsewhere").exits(3).says("'manifests/' is not in elsewhere");
    let pulled = place.ok("lake pull back --from depot");
    assert!(pulled.starts_with("2 files came") && pulled.contains("0 there already, all verified"), "{pulled}");
    assert!(place.ok("lake check back --at depot").contains("and so is back"));
    place.run("lake check back").exits(2).says("--at");
}
