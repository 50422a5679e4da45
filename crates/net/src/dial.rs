//! From an address to a stream of bytes: name lookup, TCP, TLS.
//!
//! Trusted are the certificates compiled in (Mozilla's list) and those of the machine, so that a container without any
//! and an office with its own authority both work. Only HTTP/1.1 is offered, because WebSocket needs it.

use crate::address::Address;
use crate::error::{Error, Result};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto::ring};

/// Opens streams.
#[derive(Clone)]
pub(crate) struct Dialer {
    tls: TlsConnector,
}

impl Dialer {
    /// With the usual trusted certificates and `extra` ones.
    pub(crate) fn new(extra: &[CertificateDer<'static>]) -> Result<Self> {
        let unusable = |e: rustls::Error| Error::Certificate { source: io::Error::other(e) };
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // Unreadable certificates of the machine are passed over: the list compiled in remains.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for cert in extra {
            roots.add(cert.clone()).map_err(unusable)?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Opens a stream to `address`. The caller limits the time.
    pub(crate) async fn open(&self, address: &Address) -> Result<Stream> {
        let lost = |source| Error::Connect { to: address.place(), source };
        let tcp = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(lost)?;
        tcp.set_nodelay(true).map_err(lost)?;
        if !address.secure {
            return Ok(Stream::Plain(tcp));
        }
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_e| Error::Address { url: address.place(), why: "its host is no valid name" })?;
        let tls = self.tls.connect(name, tcp).await.map_err(|source| Error::Tls { to: address.place(), source })?;
        Ok(Stream::Tls(Box::new(tls)))
    }
}

impl core::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Dialer")
    }
}

/// A plain or a secure stream.
#[derive(Debug)]
pub(crate) enum Stream {
    /// TCP as it is.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_write(cx, buf),
        }
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_flush(cx),
        }
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_shutdown(cx),
        }
    }
}
