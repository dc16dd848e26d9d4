//! Why: one address must not take all places. An IPv6 caller has as many addresses as it likes, so
//! the network of its line (/64) counts as one.
//!
//! Refuses: a connection beyond the address's share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Who is at the other end, as far as limits go.
pub(crate) fn line(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => {
            IpAddr::V6(Ipv6Addr::from_bits(long.to_bits() & !(u128::from(u64::MAX))))
        }
        short => short,
    }
}

/// How many connections each line has.
#[derive(Clone, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection's place, until dropped.
pub(super) struct Place {
    line: IpAddr,
    peers: Peers,
}

impl Peers {
    /// A place for one more connection of `line`, when it has fewer than `most`.
    pub fn enter(&self, line: IpAddr, most: usize) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(line).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { line, peers: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.line) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_share_and_gives_it_back() {
        let peers = Peers::default();
        let (one, two) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = peers.enter(one, 2).unwrap();
        let _second = peers.enter(one, 2).unwrap();
        assert!(peers.enter(one, 2).is_none());
        assert!(peers.enter(two, 2).is_some());
        drop(first);
        assert!(peers.enter(one, 2).is_some());
        assert_eq!(peers.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_network_of_the_long_addresses_is_one_line() {
        let line_of = |text: &str| line(text.parse().unwrap());
        assert_eq!(line_of("2001:db8::1"), line_of("2001:db8::ffff:1"));
        assert_ne!(line_of("2001:db8::1"), line_of("2001:db8:0:1::1"));
        assert_eq!(line_of("::ffff:192.0.2.7"), line_of("192.0.2.7"));
    }
}
