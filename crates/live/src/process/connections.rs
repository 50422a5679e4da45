//! Lines about connections: one when a connection is lost, and one under the same name when it is back, with how long that took.

use barograph_domain::Ts;
use barograph_domain::text::escape_control;
use barograph_venues::session::{CloseReason, ConnId, Link, LinkId};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

/// What was said of the connections of all venues.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// The wanted connection that an instance is of: its number stays when it is made again.
    links: BTreeMap<(usize, ConnId), LinkId>,
    /// Those that sessions want.
    wanted: BTreeSet<(usize, LinkId)>,
    /// Since when wanted connections are lost.
    lost: BTreeMap<(usize, LinkId), Ts>,
}

impl Connections {
    /// The connections that a venue's session wants from now on. One it has given up does not come back, so nothing of it is remembered.
    pub(super) fn want(&mut self, venue: usize, links: &[Link]) {
        self.wanted.retain(|(of, _)| *of != venue);
        self.wanted.extend(links.iter().map(|link| (venue, link.id)));
        self.lost.retain(|link, _| self.wanted.contains(link));
    }

    /// An instance is open; the line where the connection had been lost.
    pub(super) fn opened(&mut self, venue: (usize, &str), link: LinkId, conn: ConnId, at: Ts) -> Option<String> {
        self.links.insert((venue.0, conn), link);
        let since = self.lost.remove(&(venue.0, link))?;
        Some(format!("{} connection {} is back after {}", venue.1, link.0, (at - since).spoken()))
    }

    /// An instance is closed; no line where another has taken its place.
    pub(super) fn closed(
        &mut self,
        venue: (usize, &str),
        conn: ConnId,
        (reason, detail): (CloseReason, &str),
        at: Ts,
    ) -> Option<String> {
        let link = self.links.remove(&(venue.0, conn));
        if reason == CloseReason::Replaced {
            return None;
        }
        let detail = escape_control(detail);
        let Some(link) = link else {
            return Some(format!("{} connection cannot be made: {detail}", venue.1));
        };
        // While one replaces the other both are open, and either may go: nothing is lost.
        if self.links.iter().any(|((of, _), other)| *of == venue.0 && *other == link) {
            return None;
        }
        if self.wanted.contains(&(venue.0, link)) {
            self.lost.entry((venue.0, link)).or_insert(at);
        }
        let how = if reason == CloseReason::Asked { "closed" } else { "lost" };
        Some(format!("{} connection {} {how}: {detail}", venue.1, link.0))
    }
}

/// Prints such a line.
pub(super) fn write_line(line: &str) {
    // Standard error may be closed; there is nobody left to report to.
    drop(writeln!(std::io::stderr(), "barograph: [MKT] {line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(id: LinkId) -> Link {
        Link { id, url: "wss://x".to_owned(), ping: None }
    }

    #[test]
    fn what_was_lost_comes_back_under_the_same_name() {
        let (mut lines, venue) = (Connections::default(), (1, "bybit"));
        let (link, at) = (LinkId(2), Ts::from_secs);
        lines.want(venue.0, &[self::link(link)]);
        assert_eq!(lines.opened(venue, link, ConnId(7), at(0)), None, "nothing was lost");
        let gone = lines.closed(venue, ConnId(7), (CloseReason::Network, "reset by peer\n"), at(60));
        assert_eq!(gone.as_deref(), Some("bybit connection 2 lost: reset by peer\\n"));
        let failed = lines.closed(venue, ConnId(8), (CloseReason::Network, "timed out"), at(65));
        assert_eq!(failed.as_deref(), Some("bybit connection cannot be made: timed out"));
        let back = lines.opened(venue, link, ConnId(9), at(72));
        assert_eq!(back.as_deref(), Some("bybit connection 2 is back after 12 s"));
        // Replaced before its time is over: the next one is there already.
        assert_eq!(lines.opened(venue, link, ConnId(10), at(80)), None);
        assert_eq!(lines.closed(venue, ConnId(9), (CloseReason::Replaced, ""), at(81)), None);
    }

    /// The venue closes the old one itself while both are open, or the new one fails while the old one serves on.
    #[test]
    fn while_another_serves_nothing_is_lost() {
        let (mut lines, venue, link, at) = (Connections::default(), (1, "okx"), LinkId(2), Ts::from_secs);
        lines.want(venue.0, &[self::link(link)]);
        for conn in [9, 10] {
            assert_eq!(lines.opened(venue, link, ConnId(conn), at(0)), None);
        }
        assert_eq!(lines.closed(venue, ConnId(9), (CloseReason::ByVenue, "going away"), at(5)), None);
        assert_eq!(lines.opened(venue, link, ConnId(11), at(86_000)), None, "nothing was lost");
        assert_eq!(lines.closed(venue, ConnId(11), (CloseReason::Network, "reset"), at(86_001)), None);
        let gone = lines.closed(venue, ConnId(10), (CloseReason::Network, "reset"), at(86_002));
        assert_eq!(gone.as_deref(), Some("okx connection 2 lost: reset"));
    }

    /// Sessions make and give up connections as the list of markets changes, for as long as the process runs.
    #[test]
    fn of_connections_that_were_given_up_nothing_is_remembered() {
        let (mut lines, venue, at) = (Connections::default(), (0, "binance-usdm"), Ts::from_secs);
        let [kept, gone, broken] = [LinkId(0), LinkId(1), LinkId(2)];
        lines.want(venue.0, &[kept, gone, broken].map(link));
        for (conn, link) in [(1, kept), (2, gone), (3, broken)] {
            assert_eq!(lines.opened(venue, link, ConnId(conn), at(0)), None);
        }
        let lost = lines.closed(venue, ConnId(3), (CloseReason::Network, "reset"), at(50));
        assert_eq!(lost.as_deref(), Some("binance-usdm connection 2 lost: reset"));
        lines.want(venue.0, &[kept].map(link));
        let closed = lines.closed(venue, ConnId(2), (CloseReason::Asked, "closed by us"), at(60));
        assert_eq!(closed.as_deref(), Some("binance-usdm connection 1 closed: closed by us"));
        assert_eq!((lines.lost.len(), lines.links.len(), lines.wanted.len()), (0, 1, 1));
        // One that is closed because nothing came on it is wanted still.
        let mute = lines.closed(venue, ConnId(1), (CloseReason::Asked, "closed by us"), at(70));
        assert_eq!(mute.as_deref(), Some("binance-usdm connection 0 closed: closed by us"));
        let back = lines.opened(venue, kept, ConnId(4), at(75));
        assert_eq!(back.as_deref(), Some("binance-usdm connection 0 is back after 5 s"));
    }
}
