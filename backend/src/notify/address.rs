//! Which network addresses a receiver may have. A receiver's name is the client's to choose, so without this a webhook could be made to talk to what
//! only this machine can reach. Source: the IANA special-purpose address registries (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a receiver may be on this machine: for development only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    Refused,
    Allowed,
}

/// Which receivers may be spoken to without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// In test mode.
    Anywhere,
    /// In live mode, where loopback is allowed at all.
    OnLoopback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverPolicy {
    pub plain_http: PlainHttp,
    pub loopback: Loopback,
}

impl ReceiverPolicy {
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if address.is_loopback() { self.loopback == Loopback::Allowed } else { is_public(address) }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !SPECIAL_V4.iter().any(|(net, bits)| in_v4(v4, *net, *bits)),
        // Only global unicast is given out at all; of it a few blocks are special.
        IpAddr::V6(v6) => in_v6(v6, 0x2000 << 112, 3) && !SPECIAL_V6.iter().any(|(net, bits)| in_v6(v6, *net, *bits)),
    }
}

const SPECIAL_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Carrier-grade NAT.
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local, with the metadata services of clouds.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, reserved and broadcast.
    ([224, 0, 0, 0], 3),
];

const SPECIAL_V6: &[(u128, u32)] = &[
    // Protocol assignments, Teredo among them.
    (0x2001 << 112, 23),
    // Documentation.
    (0x2001_0db8 << 96, 32),
    // 6to4: an IPv4 address inside, which nobody has checked.
    (0x2002 << 112, 16),
    (0x3fff << 112, 20),
];

fn in_v4(address: Ipv4Addr, net: [u8; 4], bits: u32) -> bool {
    let shift = 32 - bits;
    u32::from(address) >> shift == u32::from_be_bytes(net) >> shift
}

fn in_v6(address: Ipv6Addr, net: u128, bits: u32) -> bool {
    let shift = 128 - bits;
    u128::from(address) >> shift == net >> shift
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LIVE: ReceiverPolicy = ReceiverPolicy { plain_http: PlainHttp::OnLoopback, loopback: Loopback::Refused };

    #[test]
    fn only_public_addresses_are_spoken_to() {
        let refused = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001:0:1::1",
            "2001:db8::1",
            "2002:7f00:1::1",
        ];
        for text in refused {
            assert!(!LIVE.allows(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]
        {
            assert!(LIVE.allows(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn this_machine_is_spoken_to_only_where_the_configuration_says_so() {
        let here = ReceiverPolicy { loopback: Loopback::Allowed, ..LIVE };
        for text in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(here.allows(text.parse().unwrap()), "{text}");
        }
        assert!(!here.allows("10.0.0.1".parse().unwrap()) && !here.allows("169.254.169.254".parse().unwrap()));
    }
}
