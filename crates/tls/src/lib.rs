//! Secure connections to others: whose certificates count, the handshake, why a certificate was refused, and keeping connections
//! for the next request.
//!
//! Below ring 2: what crates that open sockets have in common. Absent on purpose: names, addresses and who may be connected to,
//! limits of time, and the words for what went wrong; each caller has its own.
#![warn(missing_docs)]

mod anyone;
mod kept;
mod roots;

pub use kept::KeptConnections;
pub use roots::{roots, roots_of_file};
pub use tokio_rustls::client::TlsStream;
pub use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
pub use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

use anyone::Anyone;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;

/// HTTP/1.1 and no other, as WebSocket needs it.
pub const HTTP: &[&[u8]] = &[b"http/1.1"];

/// Makes handshakes as a client.
#[derive(Clone)]
pub struct Connector(TlsConnector);

impl Connector {
    /// Trusts what these authorities have signed; `None` is anyone, who then still has to hold the key of the certificate.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(roots: Option<RootCertStore>, protocols: &[&[u8]]) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let mut config = match roots {
            Some(roots) => builder.with_root_certificates(roots).with_no_client_auth(),
            None => {
                let anyone = Arc::new(Anyone(provider));
                builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()
            }
        };
        config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// The handshake, with the certificate checked against `name`. The caller limits the time.
    ///
    /// # Errors
    /// When the other side ends it or is not trusted; see [`distrust`].
    pub async fn connect<S>(&self, name: ServerName<'static>, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.0.connect(name, stream).await
    }
}

impl core::fmt::Debug for Connector {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Connector")
    }
}

/// Why a certificate was refused.
#[derive(Clone, PartialEq, Debug)]
pub enum Distrust {
    /// No trusted authority has signed it.
    Authority,
    /// It is for another name.
    Name,
    /// Its time is over.
    Expired,
    /// Anything else.
    Other(CertificateError),
}

/// Why a handshake failed, where the certificate of the other side was the reason.
#[must_use]
pub fn distrust(failed: &io::Error) -> Option<Distrust> {
    let Error::InvalidCertificate(why) = failed.get_ref()?.downcast_ref::<Error>()? else { return None };
    Some(match why {
        CertificateError::UnknownIssuer => Distrust::Authority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Distrust::Name,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        other => Distrust::Other(other.clone()),
    })
}
