//! Facts about this process that the core only copies: address, process id, seed.

use rocketmq_core::interface::Identity;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};
use std::time::{SystemTime, UNIX_EPOCH};

/// Who this process is.
pub(crate) fn identity() -> Identity {
    Identity { ip: local_ip(), pid: std::process::id(), ..Identity::default() }
}

/// A number that no other client of this or another process has. A container's process id is often 1 and
/// its address often the same, so the system's randomness decides; time and process id only add to it.
pub(crate) fn seed() -> u64 {
    // Each `RandomState` has other keys, also within one process.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u128(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos());
    hasher.finish()
}

/// An address of this machine that others may know it by; `127.0.0.1` when none is found. Nobody connects
/// to it: it tells clients apart in the eyes of an operator.
fn local_ip() -> IpAddr {
    from_tables().or_else(from_host_name).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Linux lists routes and own addresses in files, so neither a socket nor a name server is needed.
fn from_tables() -> Option<IpAddr> {
    let routes = std::fs::read_to_string("/proc/net/route").ok()?;
    let addresses = own_addresses(&std::fs::read_to_string("/proc/net/fib_trie").ok()?);
    let networks = default_networks(&routes);
    let behind_default = |ip: &&Ipv4Addr| networks.iter().any(|(net, mask)| u32::from(**ip) & mask == *net);
    addresses.iter().find(behind_default).or_else(|| addresses.first()).map(|ip| IpAddr::V4(*ip))
}

fn from_host_name() -> Option<IpAddr> {
    let name = std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok()?;
    let found: Vec<IpAddr> = (name.as_str(), 0).to_socket_addrs().ok()?.map(|address| address.ip()).collect();
    let usable = |ip: &&IpAddr| !ip.is_loopback() && !ip.is_unspecified();
    found.iter().filter(usable).find(|ip| ip.is_ipv4()).or_else(|| found.iter().find(usable)).copied()
}

/// The addresses that `/proc/net/fib_trie` marks as local to this machine, loopback left out.
fn own_addresses(trie: &str) -> Vec<Ipv4Addr> {
    let mut own: Vec<Ipv4Addr> = Vec::new();
    let mut last = None;
    for line in trie.lines() {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("|-- ") {
            last = text.trim().parse().ok();
        } else if line == "/32 host LOCAL"
            && let Some(ip) = last
            && !own.contains(&ip)
            && !ip.is_loopback()
        {
            own.push(ip);
        }
    }
    own
}

/// The networks, with their masks, of the interfaces that `/proc/net/route` gives a default route.
fn default_networks(routes: &str) -> Vec<(u32, u32)> {
    let rows: Vec<(&str, u32, u32)> = routes.lines().filter_map(route).collect();
    let has_default = |name: &str| rows.iter().any(|(of, net, mask)| *of == name && *net == 0 && *mask == 0);
    rows.iter()
        .filter(|(name, net, _)| *net != 0 && has_default(name))
        .map(|(_, net, mask)| (*net, *mask))
        .collect()
}

/// Interface, destination and mask of one line. The numbers are in the byte order of the machine.
fn route(line: &str) -> Option<(&str, u32, u32)> {
    let mut fields = line.split_whitespace();
    let name = fields.next()?;
    let number =
        |text: &str| u32::from_str_radix(text, 16).ok().map(|raw| u32::from_be_bytes(raw.to_ne_bytes()));
    let net = number(fields.next()?)?;
    let mask = number(fields.nth(5)?)?;
    Some((name, net, mask))
}

#[cfg(test)]
mod tests {
    use super::{default_networks, local_ip, own_addresses, seed};
    use std::net::Ipv4Addr;

    const TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 172.17.0.0/16 2 0 2
           |-- 172.17.0.1
              /32 host LOCAL
           |-- 172.17.255.255
              /32 link BROADCAST
     +-- 192.168.7.0/24 2 0 2
           |-- 192.168.7.20
              /32 host LOCAL
";

    /// As a little-endian machine prints it; the test turns the numbers round elsewhere.
    fn routes() -> String {
        let hex = |ip: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(ip));
        let (none, gateway) = (hex([0; 4]), hex([192, 168, 7, 1]));
        let (bridge, bridge_mask) = (hex([172, 17, 0, 0]), hex([255, 255, 0, 0]));
        let (home, home_mask) = (hex([192, 168, 7, 0]), hex([255, 255, 255, 0]));
        format!(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
             docker0\t{bridge}\t{none}\t0001\t0\t0\t0\t{bridge_mask}\t0\n\
             eth0\t{none}\t{gateway}\t0003\t0\t0\t0\t{none}\t0\n\
             eth0\t{home}\t{none}\t0001\t0\t0\t0\t{home_mask}\t0\n"
        )
    }

    #[test]
    fn the_address_behind_the_default_route_is_found() {
        let own = own_addresses(TRIE);
        assert_eq!(own, [Ipv4Addr::new(172, 17, 0, 1), Ipv4Addr::new(192, 168, 7, 20)]);
        let networks = default_networks(&routes());
        assert_eq!(networks, [(u32::from(Ipv4Addr::new(192, 168, 7, 0)), 0xffff_ff00)]);
    }

    #[test]
    fn there_is_always_an_address_and_never_the_same_seed() {
        assert!(!local_ip().is_unspecified());
        assert_ne!(seed(), seed());
    }
}
