//! Encrypted connections to a real server whose certificate an authority of our own has signed.

use crate::server::Server;
use barograph_store::{Error, PgReader, PgWriter, WriterRole};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};

/// An authority.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server whose certificate is made out to these names.
fn server(authority: &CertifiedIssuer<'static, KeyPair>, names: &[&str]) -> Option<Server> {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, authority).unwrap();
    let files = [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Server::start_with(&["ssl = on", "fsync = off"], &files)
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Opens for writing and for reading: how many connections the server then has of us, and whether all and any are encrypted.
fn connected(url: &str, plain: &str) -> Result<Vec<Option<String>>, Error> {
    // The server may not have noticed yet that earlier ones are gone.
    let before = Server::ask(plain, "SELECT clock_timestamp()").remove(0).remove(0).unwrap_or_default();
    let writer = PgWriter::connect(url, &WriterRole::ALL)?;
    let reader = PgReader::connect(url)?;
    let sql = format!(
        "SELECT count(*), bool_and(ssl), bool_or(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE application_name = 'barograph {}' AND backend_start > '{before}'",
        std::process::id()
    );
    let answer = Server::ask(plain, &sql).remove(0);
    drop((writer, reader));
    Ok(answer)
}

#[track_caller]
fn check(url: &str, plain: &str, encrypted: bool) {
    let want = if encrypted { ["2", "t", "t"] } else { ["2", "f", "f"] };
    assert_eq!(connected(url, plain).unwrap(), want.map(|w| Some(w.to_owned())), "{url}");
}

#[test]
fn connections_are_encrypted_as_asked_and_only_the_right_server_is_trusted() {
    let (ours, theirs) = (authority(), authority());
    let Some(named) = server(&ours, &["localhost", "127.0.0.1"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (right, wrong) =
        (written(folder.path(), "right.pem", &ours.pem()), written(folder.path(), "wrong.pem", &theirs.pem()));
    let plain = named.schema();
    let file = |path: &Path| path.display().to_string().replace('/', "%2F");
    let both = format!("sslmode=verify-full&sslrootcert={}", file(&right));
    for (more, want) in [
        ("sslmode=disable", false),
        ("sslmode=prefer", true),
        ("sslmode=require", true),
        (both.as_str(), true),
        (&format!("sslmode=verify-ca&sslrootcert={}", file(&right)), true),
        (&format!("sslrootcert={}", file(&right)), true),
    ] {
        check(&format!("{plain}&{more}"), &plain, want);
    }
    for more in [
        // The machine's authorities have never heard of ours; the other one has the same name and another key.
        "sslmode=verify-full".to_owned(),
        format!("sslmode=verify-full&sslrootcert={}", file(&wrong)),
        format!("sslmode=require&sslrootcert={}", file(&wrong)),
    ] {
        let url = format!("{plain}&{more}");
        for error in [PgWriter::connect(&url, &WriterRole::ALL).unwrap_err(), PgReader::connect(&url).unwrap_err()] {
            let text = error.to_string();
            assert!(matches!(error, Error::Invalid(_)), "{more}: {text}");
            assert!(
                text.contains("certificate of postgres://127.0.0.1:") && text.contains("sslrootcert=FILE"),
                "{text}"
            );
        }
    }

    // The right authority for another host.
    let Some(other) = server(&ours, &["db.example"]) else { return };
    let plain = other.schema();
    let error = PgWriter::connect(&format!("{plain}&{both}"), &WriterRole::ALL).unwrap_err().to_string();
    assert!(error.contains("made out to another name"), "{error}");
    // Who it is is not asked here.
    check(&format!("{plain}&sslmode=require"), &plain, true);

    // Encryption was asked for and the server has none.
    let Some(bare) = crate::server::shared() else { return };
    let error =
        PgWriter::connect(&format!("{}&sslmode=require", bare.schema()), &WriterRole::ALL).unwrap_err().to_string();
    assert!(error.contains("TLS"), "{error}");
}
