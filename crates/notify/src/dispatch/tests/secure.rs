//! A receiver over TLS, with certificates of the test's own.

use super::*;
use crate::sample::SampleOutcome;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// A server's side of TLS under a name, and the certificate to trust.
fn authority(name: &str) -> (TlsAcceptor, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let cert = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert)
}

/// A sample to `https://{host}`, where the certificate is that of `hooks.example` and trusted or not.
fn sample(host: &str, trusts: bool) -> (SampleOutcome, usize) {
    let bench = Bench::new();
    let (acceptor, cert) = authority("hooks.example");
    let server = bench.runtime.block_on(Server::start_with(Some(acceptor), |_, _| status(200)));
    let port = server.address.port();
    let names = Rebinding(Mutex::new(vec![vec!["127.0.0.1"]]));
    let trusted = if trusts { vec![cert] } else { Vec::new() };
    let transport = Transport::with(Arc::new(names), &trusted).unwrap();
    let receiver = Receiver {
        allow_private: vec![format!("127.0.0.1:{port}").parse().unwrap()],
        ..Receiver::new("a", &JSON, &format!("https://{host}:{port}/hook"))
    };
    let message = crate::sample::message(T0);
    let shown = bench.runtime.block_on(try_once(receiver, message, None, &transport, &bench.now())).unwrap();
    (shown, server.count())
}

#[test]
fn a_trusted_receiver_is_told_over_tls() {
    let (shown, requests) = sample("hooks.example", true);
    assert!(shown.delivered && shown.status == Some(200) && requests == 1, "{shown:?}");
}

#[test]
fn an_unknown_authority_is_refused_and_nothing_is_sent() {
    let (shown, requests) = sample("hooks.example", false);
    assert!(!shown.delivered && shown.status.is_none() && requests == 0, "{shown:?}");
    let want = "no secure connection: its certificate is signed by an authority that this machine does not trust";
    assert_eq!(shown.reply, want);
}

#[test]
fn a_certificate_of_another_name_is_refused() {
    let (shown, requests) = sample("other.example", true);
    assert!(!shown.delivered && requests == 0, "{shown:?}");
    assert_eq!(shown.reply, "no secure connection: its certificate is for another name");
}
