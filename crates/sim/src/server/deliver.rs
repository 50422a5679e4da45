//! A message on its way to one connection, and what may happen to it there.

use crate::Venue;
use crate::fault::{FaultPlan, Injected, InjectedFault, Scope};
use crate::num::Text;
use crate::server::conn::ClientConn;
use barograph_domain::Ts;

/// One message for one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutgoingMessage<'a> {
    pub(crate) venue: Venue,
    pub(crate) market: Option<&'a str>,
    /// Name of the stream, or of channel and product.
    pub(crate) name: &'a str,
    /// What goes before the payload; after it goes `}` unless this is empty.
    pub(crate) prefix: &'a [u8],
    pub(crate) payload: &'a Text,
}

/// Puts a message into a connection's buffer, unless a fault wills otherwise. How many copies were put there.
pub(crate) fn deliver(conn: &mut ClientConn, plan: &mut FaultPlan, now: Ts, message: &OutgoingMessage<'_>) -> u64 {
    let mut number = Text::default();
    if message.payload.hole.is_some() {
        jump(conn, plan, now, message);
        number.u(conn.sequence);
        conn.sequence += 1;
    }
    let (before, after) = message.payload.bytes.split_at(message.payload.hole.unwrap_or(0));
    let end: &[u8] = if message.prefix.is_empty() { b"" } else { b"}" };
    let pieces = [message.prefix, before, &number.bytes, after, end];
    if !plan.concerns(Scope::Message) || conn.silent || conn.ended {
        conn.text(&pieces);
        return 1;
    }
    let place = (message.venue, message.market, Some(message.name));
    let Some(fault) = plan.draw(Scope::Message, now, true, place) else {
        conn.text(&pieces);
        return 1;
    };
    if fault == InjectedFault::WrongCheck && falsified(&pieces).is_none() {
        conn.text(&pieces);
        return 1;
    }
    record(plan, conn, fault, now, message, shortened(&pieces));
    apply(conn, fault, now, &pieces)
}

fn apply(conn: &mut ClientConn, fault: InjectedFault, now: Ts, pieces: &[&[u8]; 5]) -> u64 {
    match fault {
        InjectedFault::Drop => return 0,
        InjectedFault::Duplicate => {
            conn.text(pieces);
            conn.text(pieces);
            return 2;
        }
        InjectedFault::Reorder => conn.text_after_next(pieces),
        InjectedFault::Delay(span) => {
            conn.text(pieces);
            conn.hold_until = conn.hold_until.max(Some(now + span));
        }
        InjectedFault::TruncatedText => {
            conn.half_text(pieces);
        }
        InjectedFault::TruncatedFrame => conn.half_frame(pieces),
        InjectedFault::WrongCheck => match falsified(pieces) {
            Some(whole) => conn.text(&[&whole]),
            None => conn.text(pieces),
        },
        // Other scopes are not drawn here.
        InjectedFault::SequenceJump(_)
        | InjectedFault::RefuseRequest(_)
        | InjectedFault::HalfOpen
        | InjectedFault::Cut
        | InjectedFault::ServerShutdown
        | InjectedFault::RefuseSockets(_)
        | InjectedFault::StaleBook(_)
        | InjectedFault::ClockSkew(..)
        | InjectedFault::TooManyRequests(_)
        | InjectedFault::Banned(_)
        | InjectedFault::ServerError(_)
        | InjectedFault::SlowRest(_)
        | InjectedFault::CutBody => conn.text(pieces),
    }
    1
}

/// The message with one digit too many in the number it is checked by; `None` where it has none.
fn falsified(pieces: &[&[u8]; 5]) -> Option<Vec<u8>> {
    let mut whole = pieces.concat();
    let field = [&b"\"pu\":"[..], b"\"U\":", b"\"sequence_num\":", b"\"checksum\":"];
    let end = field.iter().find_map(|name| {
        let at = whole.windows(name.len()).position(|w| w == *name)? + name.len();
        Some(at + whole[at..].iter().take_while(|b| b.is_ascii_digit()).count())
    })?;
    whole.insert(end, b'7');
    Some(whole)
}

/// The numbering of a Coinbase connection leaves numbers out.
fn jump(conn: &mut ClientConn, plan: &mut FaultPlan, now: Ts, message: &OutgoingMessage<'_>) {
    if !plan.concerns(Scope::Sequence) {
        return;
    }
    let place = (message.venue, message.market, Some(message.name));
    if let Some(fault @ InjectedFault::SequenceJump(by)) = plan.draw(Scope::Sequence, now, true, place) {
        let detail = format!("number {} follows {}", conn.sequence + by, conn.sequence);
        conn.sequence += by;
        record(plan, conn, fault, now, message, detail);
    }
}

fn record(
    plan: &mut FaultPlan,
    conn: &ClientConn,
    fault: InjectedFault,
    now: Ts,
    message: &OutgoingMessage<'_>,
    detail: String,
) {
    plan.record(Injected {
        at: now,
        fault,
        venue: message.venue,
        market: message.market.map(str::to_owned),
        stream: Some(message.name.to_owned()),
        connection: Some(conn.id),
        detail,
    });
}

/// The beginning of a message, enough to see its ids.
fn shortened(pieces: &[&[u8]; 5]) -> String {
    let whole = pieces.concat();
    String::from_utf8_lossy(&whole).chars().take(240).collect()
}
