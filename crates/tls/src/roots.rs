//! Authorities whose certificates count.

use std::path::Path;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{Error, RootCertStore};

/// Mozilla's list, which is compiled in, those of the machine, and `extra` ones: a container without any and an office with its own
/// authority both work.
///
/// # Errors
/// When one of `extra` is no certificate.
pub fn roots(extra: &[CertificateDer<'static>]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // Unreadable certificates of the machine are passed over: the list compiled in remains.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in extra {
        roots.add(certificate.clone())?;
    }
    Ok(roots)
}

/// Those of a PEM file alone.
///
/// # Errors
/// What is wrong with the file, as people read it, without its name.
pub fn roots_of_file(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| e.to_string())? {
        roots.add(certificate.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    }
    if roots.is_empty() {
        return Err("no certificate is in it; write a PEM file of the authority".to_owned());
    }
    Ok(roots)
}
