//! Who reaches the program, and under which address.

use super::Settings;
use crate::failure::Failure;
use crate::tokens::TokenBook;
use barograph_api::Access;
use std::sync::Arc;

impl Settings {
    /// Address under which people reach the page, for links.
    pub(crate) fn dashboard(&self) -> Result<String, Failure> {
        let set = self.text("dashboard_url").trim_end_matches('/');
        if set.is_empty() {
            return Ok(format!("http://{}", self.address()?));
        }
        if set.starts_with("http://") || set.starts_with("https://") {
            return Ok(set.to_owned());
        }
        Err(self.wrong("dashboard_url", &format!("'{set}' is no address; write https://host")))
    }

    /// Who may ask: whoever reaches a loopback address, else whoever brings a token.
    pub(crate) fn access(&self) -> Result<Access, Failure> {
        let wants = match self.text("access") {
            "auto" => !self.address()?.ip().to_canonical().is_loopback(),
            "tokens" => true,
            other => return Err(self.wrong("access", &format!("'{other}' is not one of auto, tokens"))),
        };
        if !wants {
            return Ok(Access::Open);
        }
        let book = TokenBook::open(&self.data())?;
        // Without any token everything would be refused, which nobody means.
        let why = "there is no access token yet; make one with: barograph token add NAME --role read";
        match (book.is_empty(), self.text("access")) {
            (true, "tokens") => Err(self.wrong("access", why)),
            (true, _) => Ok(Access::Open),
            (false, _) => Ok(Access::Tokens(Arc::new(book))),
        }
    }
}
