//! What makes a format: one row for each, `const` in its own module.

use super::{DeliveryRequest, RequestContext};
use crate::outcome::by_status;
use crate::plan::{DeliveryPace, Outcome};
use crate::receiver::{FormatSettings, Receiver, ReceiverConfig};
use crate::transport::{ReceiverReply, ReplyReading};
use barograph_domain::Span;
use barograph_domain::delivery::{Message, Notice};
use core::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Who reads what is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// People, of ten members of a group.
    People,
    /// Programs, of all members there are.
    Programs,
}

/// Makes one request of several messages.
pub type RenderMany = fn(&[Arc<Message>], &RequestContext<'_>) -> DeliveryRequest;

/// One format: what a receiver of it needs, what it is sent, and what it answers. A row states what differs from
/// [`FormatDef::WEBHOOK`].
pub struct FormatDef {
    /// The word in settings.
    pub name: &'static str,
    /// Who reads what is sent.
    pub reader: Audience,
    /// The requests of a message, to be sent one after the other; none where the format has no words for it.
    pub render: fn(&Message, &RequestContext<'_>) -> Vec<DeliveryRequest>,
    /// Alerts that were delivered are delivered again every minute while they fire, as this one request; `None`: once is enough.
    pub refresh: Option<RenderMany>,
    /// Has it words for a notice?
    pub covers: fn(&Notice) -> bool,
    /// Its own settings, from a table that names it; what is missing there.
    pub settings: fn(&ReceiverConfig) -> Result<FormatSettings, String>,
    /// What is wrong with a receiver of this format, and what to do.
    pub check: fn(&Receiver) -> Result<(), String>,
    /// Adds the service's own path or query, where people write only the beginning of the address.
    pub complete: fn(&mut Url),
    /// Domains whose addresses have this format where an address is all that is given.
    pub hosts: &'static [&'static str],
    /// Takes settings out of such an address.
    pub unpack: fn(&mut Receiver, &mut Url),
    /// The header of a token; `None`: `Authorization`, as a bearer token.
    pub token_header: Option<&'static str>,
    /// Requests have the headers of Standard Webhooks, signed where there is a key.
    pub signed: bool,
    /// How fast one endpoint may be written to.
    pub pace: DeliveryPace,
    /// The least time between two requests to the service, over all endpoints there.
    pub host_gap: Duration,
    /// Storms become groups unless the receiver says otherwise.
    pub groups: bool,
    /// Sent an alert although a stronger one that is sent as well says the same.
    pub hears_weaker: bool,
    /// Where an answer says what became of the message.
    pub verdict: ReplyReading,
    /// What an answer means; the span is the rest it asks for.
    pub judge: fn(&ReceiverReply, Option<Span>, &Receiver) -> Outcome,
    /// Where an answer's JSON asks for a rest, in seconds (RFC 6901); the header `Retry-After` counts for every format.
    pub rest_in_body: Option<&'static str>,
    /// Nothing distinguishes a repetition from news there: what may have been taken is sent once more after this, marked. `None`: the
    /// id does, and it is tried until it is confirmed.
    pub doubt: Option<Span>,
}

impl FormatDef {
    /// A program's own address that answers with a status and asks nothing of its callers.
    pub const WEBHOOK: Self = Self {
        name: "",
        reader: Audience::Programs,
        render: |_, _| Vec::new(),
        refresh: None,
        covers: |_| true,
        settings: |_| Ok(FormatSettings::default()),
        check: |_| Ok(()),
        complete: |_| (),
        hosts: &[],
        unpack: |_, _| (),
        token_header: None,
        signed: false,
        pace: DeliveryPace::FREE,
        host_gap: Duration::ZERO,
        groups: true,
        hears_weaker: false,
        verdict: ReplyReading::Status,
        judge: |reply, rest, _| by_status(reply.status, rest),
        rest_in_body: None,
        doubt: None,
    };

    /// Is this host one of the service's?
    #[must_use]
    pub fn is_at(&self, host: &str) -> bool {
        self.hosts.iter().any(|d| host == *d || host.strip_suffix(d).is_some_and(|before| before.ends_with('.')))
    }
}

impl fmt::Debug for FormatDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Ends the path with the service's own part, where it does not yet.
pub(super) fn end_path(url: &mut Url, end: &str) {
    if !url.path().ends_with(end) {
        url.set_path(&format!("{}{end}", url.path().trim_end_matches('/')));
    }
}
