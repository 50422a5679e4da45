//! The wanted connections of a live process as the HTTP surface shows them: in `/feeds`, one by one, and in `/metrics`.
//!
//! The network knows what a connection does and carried so far; how many subscriptions it holds is the session's to say, and
//! the core notes it in the meter whenever that may have changed.

use crate::meter::{Meter, VenueMeter, push};
use barograph_api::feeds::{ConnectionState, ConnectionView};
use barograph_domain::{Span, Ts};
use barograph_net::{LinkState, LinkStats, VenueStats};

/// One wanted connection that carries so many subscriptions.
pub(crate) fn shown(link: &LinkStats, streams: u64, now: Ts) -> ConnectionView {
    ConnectionView {
        link: link.link.to_string(),
        url: link.url.clone(),
        state: match link.state {
            LinkState::Waiting => ConnectionState::Waiting,
            LinkState::Connecting => ConnectionState::Connecting,
            LinkState::Open => ConnectionState::Open,
            LinkState::Rotating => ConnectionState::Rotating,
        },
        since: link.since,
        streams,
        frames: link.frames,
        bytes: link.bytes,
        last_frame_age_s: link.last_frame.map(|at| (now - at).max(Span::ZERO).as_secs_f64()),
        reconnects: link.opened.saturating_sub(1),
        lost: link.lost,
        compressed: link.compressed,
        replaced_at: link.rotate_at,
    }
}

/// For `/metrics`. Moments are Unix seconds: whoever reads them subtracts them from its own clock.
pub(crate) fn exposition(meter: &Meter, network: &[VenueStats]) -> String {
    let mut out = String::new();
    type Of = fn(&VenueMeter, &LinkStats) -> Option<f64>;
    let all: [(&str, &str, &str, Of); 9] = [
        ("barograph_link_open", "gauge", "Open instances: 2 while one replaces the other.", |_, l| {
            Some(match l.state {
                LinkState::Waiting | LinkState::Connecting => 0.0,
                LinkState::Open => 1.0,
                LinkState::Rotating => 2.0,
            })
        }),
        ("barograph_link_compressed", "gauge", "1 where messages come compressed.", |_, l| {
            l.compressed.map(|c| f64::from(u8::from(c)))
        }),
        ("barograph_link_streams", "gauge", "Subscriptions carried.", |v, l| Some(v.carried(l.link) as f64)),
        ("barograph_link_frames_total", "counter", "Messages received.", |_, l| Some(l.frames as f64)),
        ("barograph_link_bytes_total", "counter", "Bytes of messages received.", |_, l| Some(l.bytes as f64)),
        ("barograph_link_openings_total", "counter", "Instances opened.", |_, l| Some(l.opened as f64)),
        ("barograph_link_losses_total", "counter", "Instances that ended unplanned.", |_, l| Some(l.lost as f64)),
        ("barograph_link_last_frame_timestamp_seconds", "gauge", "When the newest message came.", |_, l| {
            l.last_frame.map(seconds)
        }),
        ("barograph_link_replaced_at_timestamp_seconds", "gauge", "When it is to be replaced.", |_, l| {
            l.rotate_at.map(seconds)
        }),
    ];
    let venues: Vec<(&VenueMeter, &VenueStats)> =
        network.iter().filter_map(|n| Some((meter.venues.iter().find(|v| v.id == n.venue)?, n))).collect();
    for (name, kind, help, of) in all {
        push(&mut out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for (venue, stats) in &venues {
            for link in &stats.links {
                if let Some(value) = of(venue, link) {
                    let labels = format_args!("venue=\"{}\",link=\"{}\"", venue.id, link.link);
                    push(&mut out, format_args!("{name}{{{labels}}} {value}\n"));
                }
            }
        }
    }
    out
}

fn seconds(at: Ts) -> f64 {
    (at - Ts(0)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_link_is_in_the_exposition() {
        let meter = Meter::new(&["okx"]);
        meter.carries(0, BTreeMap::from([(0, 12)]));
        let open = LinkStats {
            state: LinkState::Rotating,
            frames: 7,
            opened: 3,
            lost: 1,
            compressed: Some(true),
            last_frame: Some(Ts::from_secs(1_770_000_000)),
            ..LinkStats::default()
        };
        let closed = LinkStats { link: 1, ..LinkStats::default() };
        let stats = VenueStats { venue: "okx", links: vec![open, closed], ..VenueStats::default() };
        let text = exposition(&meter, &[stats]);
        for line in [
            "barograph_link_open{venue=\"okx\",link=\"0\"} 2",
            "barograph_link_open{venue=\"okx\",link=\"1\"} 0",
            "barograph_link_streams{venue=\"okx\",link=\"0\"} 12",
            "barograph_link_frames_total{venue=\"okx\",link=\"0\"} 7",
            "barograph_link_losses_total{venue=\"okx\",link=\"0\"} 1",
            "barograph_link_last_frame_timestamp_seconds{venue=\"okx\",link=\"0\"} 1770000000",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
        assert_eq!(text.matches("barograph_link_compressed{").count(), 1, "nothing is said of what is not open");
    }
}
