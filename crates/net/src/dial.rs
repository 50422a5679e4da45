//! From an address to a stream of bytes: name lookup, TCP, TLS.

use crate::address::Address;
use crate::error::{Error, Result};
use barograph_tls::{CertificateDer, Connector, HTTP, ServerName, TlsStream};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Opens streams.
#[derive(Clone)]
pub(crate) struct Dialer {
    tls: Connector,
}

impl Dialer {
    /// With the usual trusted certificates and `extra` ones.
    pub(crate) fn new(extra: &[CertificateDer<'static>]) -> Result<Self> {
        let tls = barograph_tls::roots(extra).and_then(|roots| Connector::new(Some(roots), HTTP));
        Ok(Self { tls: tls.map_err(|e| Error::Certificate { source: io::Error::other(e) })? })
    }

    /// Opens a stream to `address`. The caller limits the time.
    pub(crate) async fn open(&self, address: &Address) -> Result<DialedStream> {
        let lost = |source| Error::Connect { to: address.place(), source };
        let tcp = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(lost)?;
        tcp.set_nodelay(true).map_err(lost)?;
        if !address.secure {
            return Ok(DialedStream::Plain(tcp));
        }
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_e| Error::Address { url: address.place(), why: "its host is no valid name" })?;
        let tls = self.tls.connect(name, tcp).await.map_err(|source| Error::Tls { to: address.place(), source })?;
        Ok(DialedStream::Tls(Box::new(tls)))
    }
}

impl core::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Dialer")
    }
}

/// A plain or a secure stream.
#[derive(Debug)]
pub(crate) enum DialedStream {
    /// TCP as it is.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for DialedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for DialedStream {
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
