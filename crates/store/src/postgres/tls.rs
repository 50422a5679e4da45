//! Encryption of connections to a server, as `sslmode` in its address asks for.
//!
//! As in PostgreSQL's own clients, `prefer` (the default) and `require` encrypt without asking who the other side is, and
//! `verify-full` does ask; `verify-ca` is treated as `verify-full`. `disable` never encrypts. `sslrootcert` names a PEM file
//! whose certificates alone are trusted, and makes `require` ask as well; `system` is the machine's list and Mozilla's.

use barograph_tls::{CertificateError, Connector, Distrust, ServerName, TlsStream};
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};

/// Who may be on the other side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Trust {
    /// Any certificate will do.
    Anyone,
    /// Whom the machine, or Mozilla's list, trusts.
    System,
    /// Whom a certificate of this PEM file vouches for.
    File(PathBuf),
}

/// Makes connections encrypted.
#[derive(Clone)]
pub(crate) struct Tls(Connector);

impl Tls {
    /// # Errors
    /// What is wrong with the certificates, as people read it.
    pub(crate) fn new(trust: &Trust) -> Result<Self, String> {
        let failed = |e| format!("TLS: {e}");
        let roots = match trust {
            Trust::Anyone => None,
            Trust::System => Some(barograph_tls::roots(&[]).map_err(failed)?),
            Trust::File(path) => Some(
                barograph_tls::roots_of_file(path).map_err(|why| format!("sslrootcert: {}: {why}", path.display()))?,
            ),
        };
        Connector::new(roots, &[]).map(Self).map_err(failed)
    }
}

/// Why the certificate of the other side was refused, where that is what went wrong.
pub(crate) fn refused(e: &tokio_postgres::Error) -> Option<String> {
    let io = std::error::Error::source(e)?.downcast_ref::<io::Error>()?;
    Some(match barograph_tls::distrust(io)? {
        // The second: by one of the same name with another key.
        Distrust::Authority | Distrust::Other(CertificateError::BadSignature) => {
            "no authority that is trusted here has signed it; name the right one with sslrootcert=FILE".to_owned()
        }
        Distrust::Name => "it is made out to another name than the one in the address".to_owned(),
        Distrust::Expired => "it has expired".to_owned(),
        Distrust::Other(why) => why.to_string(),
    })
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Encrypted<S>;
    type TlsConnect = To;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<To> {
        let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
        Ok(To { connector: self.0.clone(), name })
    }
}

/// One handshake.
pub(crate) struct To {
    connector: Connector,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for To {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { Ok(Encrypted(self.connector.connect(self.name, stream).await?)) })
    }
}

/// An encrypted connection.
pub(crate) struct Encrypted<S>(TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
