//! Which addresses may be connected to (delivery §2.2). Everything that is not the public internet is refused, unless an operator
//! has opened it by range and port.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, de};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A range of addresses that may be used although it is private: `192.168.1.20`, `10.0.0.0/8:8080`, `[::1]:9000`, `fd00::/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed {
    net: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

impl Allowed {
    fn holds(&self, ip: IpAddr, port: u16) -> bool {
        let same = match (self.net, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32 - u32::from(self.prefix.min(32));
                u32::from(net).checked_shr(shift) == u32::from(ip).checked_shr(shift)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128 - u32::from(self.prefix.min(128));
                u128::from(net).checked_shr(shift) == u128::from(ip).checked_shr(shift)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        };
        same && self.port.is_none_or(|p| p == port)
    }
    /// Was the port opened, or all?
    pub(super) fn names_port(&self, port: u16) -> bool {
        self.port.is_none_or(|p| p == port)
    }
}

impl FromStr for Allowed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}' is no range of addresses; write 192.168.1.0/24, 192.168.1.20:8080 or [::1]:9000");
        let (range, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, rest)) => (inside.to_owned(), rest.strip_prefix(':').map(str::to_owned)),
            None => match text.rsplit_once(':') {
                // More than one colon is an IPv6 address without a port.
                Some((before, port)) if !before.contains(':') => (before.to_owned(), Some(port.to_owned())),
                Some(_) | None => (text.to_owned(), None),
            },
        };
        let port = port.map(|p| p.parse::<u16>().map_err(|_e| wrong())).transpose()?;
        let (net, prefix) = range.split_once('/').map_or((range.as_str(), None), |(n, p)| (n, Some(p)));
        let net: IpAddr = net.parse().map_err(|_e| wrong())?;
        let most = if net.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(most), |p| p.parse::<u8>().map_err(|_e| wrong()))?;
        if prefix > most { Err(wrong()) } else { Ok(Self { net, prefix, port }) }
    }
}

impl<'de> Deserialize<'de> for Allowed {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.net, self.prefix)
    }
}

/// Ports of receivers on the public internet; 80 where plain http was permitted.
pub(super) const fn is_usual(port: u16, plain: bool) -> bool {
    matches!(port, 443 | 8443) || (port == 80 && plain)
}

/// May this address be connected to? A range opens ports of its own addresses only.
///
/// # Errors
/// Why not; the address itself is part of the operator's own settings and is named.
pub(crate) fn check(ip: IpAddr, port: u16, plain: bool, allowed: &[Allowed]) -> Result<(), String> {
    let ip = unwrapped(ip);
    if allowed.iter().any(|a| a.holds(ip, port)) {
        return Ok(());
    }
    let at = SocketAddr::new(ip, port);
    match (is_public(ip), is_usual(port, plain)) {
        (true, true) => Ok(()),
        (true, false) => Err(format!("its port {port} is not 443 or 8443; add {at} to allow_private if it is meant")),
        (false, _) => {
            Err(format!("its address {ip} is not on the public internet; add {at} to allow_private if it is meant"))
        }
    }
}

/// The IPv4 address inside an IPv6 one, for the forms that carry one to an IPv4 host.
fn unwrapped(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    let s = six.segments();
    let four = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match s {
        // Mapped (::ffff:0:0/96), translated (64:ff9b::/96), compatible (::/96 but :: and ::1).
        [0, 0, 0, 0, 0, 0xffff, h, l] | [0x64, 0xff9b, 0, 0, 0, 0, h, l] => four(h, l),
        [0, 0, 0, 0, 0, 0, h, l] if h != 0 || l > 1 => four(h, l),
        // 6to4 carries it behind its prefix.
        [0x2002, h, l, ..] => four(h, l),
        _ => ip,
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

const fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
    )
}

/// Only 2000::/3 is given out; of it documentation, benchmarks and tunnels are not hosts of anybody.
const fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    a & 0xe000 == 0x2000 && !matches!((a, b), (0x2001, 0 | 0x2 | 0xdb8) | (0x3fff, _))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_open() {
        let refused = [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "192.0.0.8",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "::a00:1",
            "2001:db8::1",
            "64:ff9b:1::1",
        ];
        for ip in refused {
            let error = check(ip.parse().unwrap(), 443, false, &[]).unwrap_err();
            assert!(error.contains("allow_private"), "{ip}: {error}");
        }
        for ip in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "2002:808:808::",
        ] {
            assert_eq!(check(ip.parse().unwrap(), 443, false, &[]), Ok(()), "{ip}");
        }
    }

    #[test]
    fn an_operator_opens_ranges_and_ports() {
        let cases = [
            ("192.168.1.0/24", "192.168.1.77", 80, true),
            ("192.168.1.0/24", "192.168.2.77", 80, false),
            ("192.168.1.20:8080", "192.168.1.20", 8080, true),
            ("192.168.1.20:8080", "192.168.1.20", 8081, false),
            ("127.0.0.0/8:9000", "::ffff:127.0.0.1", 9000, true),
            ("[::1]:9000", "::1", 9000, true),
            ("fd00::/8", "fd12::7", 443, true),
            ("0.0.0.0/0", "10.0.0.1", 1, true),
            ("::/0", "10.0.0.1", 1, false),
        ];
        for (range, ip, port, want) in cases {
            let allowed: Allowed = range.parse().unwrap();
            assert_eq!(check(ip.parse().unwrap(), port, false, &[allowed]).is_ok(), want, "{range} {ip}:{port}");
        }
        // A range that names no port opens every port of its own addresses, and of no others.
        let home: Allowed = "10.0.0.0/8".parse().unwrap();
        for (ip, port, plain, want) in [
            ("10.1.2.3", 9_200, false, true),
            ("1.1.1.1", 9_200, false, false),
            ("1.1.1.1", 443, false, true),
            ("1.1.1.1", 80, true, true),
            ("1.1.1.1", 80, false, false),
        ] {
            let said = check(ip.parse().unwrap(), port, plain, &[home]);
            assert_eq!(said.is_ok(), want, "{ip}:{port}: {said:?}");
        }
        for wrong in ["10.0.0.0/33", "home", "10.0.0.1:99999", "", "[::1", "1.2.3.4/x"] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
    }
}
