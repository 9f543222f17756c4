//! Who may connect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::Error;

/// Which addresses may connect to a [listener](crate::ListenerBuilder::allow).
///
/// It is parsed from rules with commas between them, each a `+` (allow) or a `-` (deny) and a network: an address, IPv4
/// or IPv6, and the length of its prefix, where that is not all of it. The last rule that matches decides. Where none
/// does the address is denied, unless the list is empty, which allows all.
///
/// An IPv4 address that comes as IPv6 (`::ffff:10.1.2.3`) is the IPv4 address. C's `mg_check_ip_acl` reads the same
/// rules, but answers -1 for all of IPv6.
///
/// ```
/// let list: mongoose::AccessList = "+10.0.0.0/8, -10.1.2.3, +2001:db8::/32".parse()?;
/// assert!(list.allows("10.1.2.4".parse().unwrap()));
/// assert!(!list.allows("10.1.2.3".parse().unwrap()));
/// assert!(!list.allows("192.0.2.1".parse().unwrap()), "no rule matches");
/// assert!(list.allows("2001:db8::1".parse().unwrap()));
/// # Ok::<(), mongoose::Error>(())
/// ```
#[doc(alias = "mg_check_ip_acl")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    allow: bool,
    network: Network,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Network {
    V4 { address: u32, mask: u32 },
    V6 { address: u128, mask: u128 },
}

impl AccessList {
    /// Whether an address may connect.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let last = self.rules.iter().rev().find(|rule| rule.network.contains(address));
        last.map_or(self.rules.is_empty(), |rule| rule.allow)
    }

    /// Whether a peer may connect. One without an address, as that of a Unix socket, is denied by any rule.
    pub(crate) fn admits(&self, peer: Option<IpAddr>) -> bool {
        self.rules.is_empty() || peer.is_some_and(|address| self.allows(address))
    }
}

impl FromStr for AccessList {
    type Err = Error;

    /// # Errors
    /// [`Error::AccessList`], with the rule that cannot be read: one without sign, with something that is no address, or
    /// with a prefix that is too long or cuts off bits of the address.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let rules = text.split(',').map(str::trim).map(|rule| {
            Rule::parse(rule).map_err(|reason| Error::AccessList { rule: rule.to_owned(), reason })
        });
        Ok(Self { rules: rules.collect::<Result<_, _>>()? })
    }
}

impl Rule {
    fn parse(rule: &str) -> Result<Self, &'static str> {
        let (allow, network) = match rule.split_at_checked(1) {
            Some(("+", network)) => (true, network),
            Some(("-", network)) => (false, network),
            _ => return Err("a rule begins with + or -"),
        };
        let (address, prefix) = match network.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (network, None),
        };
        let prefix = match prefix {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse::<u32>().map_err(|_| "the prefix is too long")?)
            }
            Some(_) => return Err("the prefix is not a number"),
            None => None,
        };
        let network = match address.parse().map_err(|_| "not an IP address")? {
            IpAddr::V4(address) => Network::v4(address, prefix.unwrap_or(32))?,
            IpAddr::V6(address) => Network::v6(address, prefix.unwrap_or(128))?,
        };
        Ok(Self { allow, network })
    }
}

/// Most often a slip: `10.1.2.3/8` allows 16 million addresses more than it looks like.
const STRAY_BITS: &str = "the address has bits behind the prefix";

impl Network {
    fn v4(address: Ipv4Addr, prefix: u32) -> Result<Self, &'static str> {
        let behind = 32u32.checked_sub(prefix).ok_or("the prefix is too long")?;
        let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
        let address = address.to_bits();
        if address & !mask != 0 { Err(STRAY_BITS) } else { Ok(Self::V4 { address, mask }) }
    }

    fn v6(address: Ipv6Addr, prefix: u32) -> Result<Self, &'static str> {
        if let Some(v4) = address.to_ipv4_mapped()
            && let Some(prefix) = prefix.checked_sub(96)
        {
            return Self::v4(v4, prefix);
        }
        let behind = 128u32.checked_sub(prefix).ok_or("the prefix is too long")?;
        let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
        let address = address.to_bits();
        if address & !mask != 0 { Err(STRAY_BITS) } else { Ok(Self::V6 { address, mask }) }
    }

    fn contains(&self, other: IpAddr) -> bool {
        match (self, other) {
            (Self::V4 { address, mask }, IpAddr::V4(other)) => other.to_bits() & mask == *address,
            (Self::V6 { address, mask }, IpAddr::V6(other)) => other.to_bits() & mask == *address,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: &str, address: &str) -> bool {
        list.parse::<AccessList>().expect(list).allows(address.parse().expect(address))
    }

    #[test]
    fn the_last_rule_that_matches_decides() {
        for (list, address, expected) in [
            ("", "1.2.3.4", true),
            (" ", "::1", true),
            ("-1.2.3.4", "1.2.3.4", false),
            ("-1.2.3.4", "1.2.3.5", false),
            ("+0.0.0.0/0,-1.2.3.4", "1.2.3.5", true),
            ("+0.0.0.0/0,-1.2.3.4", "1.2.3.4", false),
            ("-0.0.0.0/0,+10.0.0.0/8", "10.255.0.1", true),
            ("+10.0.0.0/8,-0.0.0.0/0", "10.255.0.1", false),
            ("+10.0.0.0/8", "11.0.0.0", false),
            ("+192.168.1.128/25", "192.168.1.127", false),
            ("+192.168.1.128/25", "192.168.1.128", true),
            ("+1.2.3.4/32", "1.2.3.5", false),
            ("+0.0.0.0/0", "255.255.255.255", true),
        ] {
            assert_eq!(allows(list, address), expected, "{list:?} {address}");
        }
    }

    #[test]
    fn hazard_47_ipv6_is_a_match_as_ipv4_is() {
        for (list, address, expected) in [
            ("+::1", "::1", true),
            ("+::1", "::2", false),
            ("+2001:db8::/32,-2001:db8:1::/48", "2001:db8:2::1", true),
            ("+2001:db8::/32,-2001:db8:1::/48", "2001:db8:1::1", false),
            ("+fe80::/10", "fe80::1", true),
            ("+::/0", "fe80::1", true),
            ("+::/0", "1.2.3.4", false),
            ("+0.0.0.0/0", "::1", false),
            ("+10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("+::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("-::ffff:10.0.0.0/104", "::ffff:10.1.2.3", false),
        ] {
            assert_eq!(allows(list, address), expected, "{list:?} {address}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_names_the_rule() {
        for list in [
            "10.0.0.0/8",
            "+",
            "-",
            "+10.0.0.0/33",
            "+10.0.0/8",
            "+::/129",
            "+10.0.0.1/8",
            "+10.0.0.0/",
            "+10.0.0.0/+8",
            "+10.0.0.0/4294967296",
            "+x",
            "\u{e9}",
            "+::1/64",
            "+ 1.2.3.4",
            "+::ffff:10.0.0.1/104",
        ] {
            for text in [list.to_owned(), format!("+1.2.3.4,{list}"), format!("{list},+1.2.3.4")] {
                let error = text.parse::<AccessList>().expect_err(&text);
                assert!(matches!(&error, Error::AccessList { rule, .. } if rule == list), "{text}: {error}");
            }
        }
        assert!("+1.2.3.4,".parse::<AccessList>().is_err(), "an empty rule");
    }

    #[test]
    fn a_peer_without_an_address_is_denied_by_any_rule() {
        assert!(AccessList::default().admits(None));
        assert!(!"+0.0.0.0/0,+::/0".parse::<AccessList>().expect("rules").admits(None));
    }
}
