//! Who reaches the program, and under which address.

use super::Settings;
use crate::failure::Failure;
use crate::tokens::TokenBook;
use barograph_api::Access;
use std::net::SocketAddr;
use std::sync::Arc;

impl Settings {
    /// The address to serve on.
    pub(crate) fn listen(&self) -> Result<SocketAddr, Failure> {
        barograph_api::check_listen(self.listen, &self.access()?).map_err(|e| self.written.wrong("listen", e))?;
        Ok(self.listen)
    }

    /// Address under which people reach the page, for links.
    pub(crate) fn dashboard(&self) -> Result<String, Failure> {
        let set = self.dashboard_url.clone().map_err(|why| self.written.wrong("dashboard_url", why))?;
        Ok(set.unwrap_or_else(|| format!("http://{}", self.listen)))
    }

    /// Who may ask: whoever reaches a loopback address, else whoever brings a token.
    pub(crate) fn access(&self) -> Result<Access, Failure> {
        let always = self.access.clone().map_err(|why| self.written.wrong("access", why))?;
        if !always && self.listen.ip().to_canonical().is_loopback() {
            return Ok(Access::Open);
        }
        let book = TokenBook::open(&self.data)?;
        // Without any token everything would be refused, which nobody means.
        let why = "there is no access token yet; make one with: barograph token add NAME --role read";
        match (book.is_empty(), always) {
            (true, true) => Err(self.written.wrong("access", why)),
            (true, false) => Ok(Access::Open),
            (false, _) => Ok(Access::Tokens(Arc::new(book))),
        }
    }
}
