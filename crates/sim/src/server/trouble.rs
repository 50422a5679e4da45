//! Faults that concern connections, markets, venues and REST answers, where a message is not the occasion.

use crate::Venue;
use crate::fault::{Injected, InjectedFault, Scope};
use crate::num::Text;
use crate::server::core::ServerCore;
use crate::server::query::Reply;
use barograph_domain::Span;

/// Between the announcement of a connection's end and the end.
const SHUTDOWN_NOTICE: Span = Span::secs(2);

impl ServerCore {
    /// Asks the rules that concern connections, books and clocks; `shares` once a second.
    pub(crate) fn trouble(&mut self, shares: bool) {
        if self.hub.plan.concerns(Scope::Connection) {
            self.trouble_connections(shares);
        }
        if self.hub.plan.concerns(Scope::Market) {
            self.trouble_books(shares);
        }
        if self.hub.plan.concerns(Scope::Venue) {
            self.trouble_clocks(shares);
        }
    }

    fn note(
        &mut self,
        fault: InjectedFault,
        venue: Venue,
        market: Option<&str>,
        connection: Option<u64>,
        detail: String,
    ) {
        let market = market.map(str::to_owned);
        self.hub.plan.record(Injected { at: self.now(), fault, venue, market, stream: None, connection, detail });
    }

    fn trouble_connections(&mut self, shares: bool) {
        let now = self.now();
        for slot in 0..self.hub.conns.len() {
            let Some(conn) = self.hub.conns[slot].as_ref().filter(|c| !c.ended && !c.silent) else { continue };
            let (id, venue) = (conn.id, conn.venue);
            let names = names(conn);
            let Some(fault) = self.hub.plan.draw(Scope::Connection, now, shares, (venue, None, Some(&names))) else {
                continue;
            };
            self.note(fault, venue, None, Some(id), names.chars().take(240).collect());
            let skew = self.hub.skew_ms(venue);
            let Some(conn) = self.hub.conns[slot].as_mut() else { continue };
            match fault {
                InjectedFault::HalfOpen => {
                    conn.flush(now);
                    conn.silent = true;
                }
                InjectedFault::ServerShutdown => {
                    let mut text = Text::skewed(skew);
                    text.s(if conn.envelope { "{\"stream\":\"!serverShutdown\",\"data\":" } else { "" });
                    text.s("{\"e\":\"serverShutdown\",\"E\":").ms(now.as_millis()).s("}");
                    text.s(if conn.envelope { "}" } else { "" });
                    conn.text(&[&text.bytes]);
                    conn.ends_at = Some(now + SHUTDOWN_NOTICE);
                }
                _ => conn.close(1001, "connection lifetime reached"),
            }
        }
        self.hub.plan.end_round(Scope::Connection, now);
    }

    fn trouble_books(&mut self, shares: bool) {
        let now = self.now();
        for number in 0..self.world.markets.len() {
            let spec = &self.world.markets[number].spec;
            let (venue, symbol) = (spec.venue, spec.symbol.clone());
            let drawn = self.hub.plan.draw(Scope::Market, now, shares, (venue, Some(&symbol), Some("depth")));
            if let Some(fault @ InjectedFault::StaleBook(span)) = drawn {
                self.hub.hold_book(number, now + span);
                self.note(fault, venue, Some(&symbol), None, format!("book held back until {}", now + span));
            }
        }
        self.hub.plan.end_round(Scope::Market, now);
    }

    fn trouble_clocks(&mut self, shares: bool) {
        let now = self.now();
        for venue in Venue::ALL {
            if let Some(fault @ InjectedFault::ClockSkew(by, span)) =
                self.hub.plan.draw(Scope::Venue, now, shares, (venue, None, None))
            {
                self.hub.skews[venue as usize] = (by.0 / 1_000_000, now + span);
                self.note(
                    fault,
                    venue,
                    None,
                    None,
                    format!("clock wrong by {} ms until {}", by.0 / 1_000_000, now + span),
                );
            }
        }
        self.hub.plan.end_round(Scope::Venue, now);
    }

    /// Whether new sockets are refused on purpose.
    pub(crate) fn refuse_socket(&mut self, venue: Venue) -> Option<Reply> {
        let now = self.now();
        if let Some(fault @ InjectedFault::RefuseSockets(span)) =
            self.hub.plan.draw(Scope::Sockets, now, true, (venue, None, None))
        {
            self.refused_until[venue as usize] = now + span;
            self.note(fault, venue, None, None, format!("sockets refused until {}", now + span));
        }
        (now < self.refused_until[venue as usize]).then(|| Reply::error(503, 0, "Service Unavailable"))
    }

    /// Whether a request on a socket is refused on purpose: the code.
    pub(crate) fn refuse_request(&mut self, venue: Venue, connection: u64, method: &str) -> Option<u32> {
        if !self.hub.plan.concerns(Scope::Request) {
            return None;
        }
        let drawn = self.hub.plan.draw(Scope::Request, self.now(), true, (venue, None, Some(method)));
        let Some(fault @ InjectedFault::RefuseRequest(code)) = drawn else { return None };
        self.note(fault, venue, None, Some(connection), method.to_owned());
        Some(code)
    }

    /// What happens to a REST request on purpose.
    pub(crate) fn rest_fault(&mut self, venue: Venue, path: &str, symbol: Option<&str>) -> Option<InjectedFault> {
        if !self.hub.plan.concerns(Scope::Rest) {
            return None;
        }
        let now = self.now();
        let fault = self.hub.plan.draw(Scope::Rest, now, true, (venue, symbol, Some(path)))?;
        self.hub.plan.record(Injected {
            at: now,
            fault,
            venue,
            market: symbol.map(str::to_owned),
            stream: Some(path.to_owned()),
            connection: None,
            detail: String::new(),
        });
        Some(fault)
    }
}

/// Everything a connection asked for, as one text to search in.
fn names(conn: &crate::server::conn::ClientConn) -> String {
    let channels = conn.channels.iter().flat_map(|(c, products)| products.iter().map(move |p| format!("{c}:{p}")));
    conn.names.iter().cloned().chain(channels).collect::<Vec<_>>().join(" ")
}
