//! Is anybody there? Asked before the first message, so that a wrong address is no flood of failed sends.

use std::thread;
use std::time::{Duration, Instant};

use rocketmq_driver::NameServers;

use crate::dial::dial;

/// Between two rounds through the list.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest wait for one address, so that one which swallows packets does not hide the others.
const LONGEST_CONNECT: Duration = Duration::from_secs(3);

/// Returns as soon as one name server accepts a connection.
///
/// # Errors
/// None did within the given time; tells what each one said last.
pub(crate) fn any(name_servers: &NameServers, within: Duration) -> Result<(), String> {
    let end = Instant::now() + within;
    loop {
        let mut reasons = Vec::new();
        for endpoint in name_servers {
            let left = end.saturating_duration_since(Instant::now());
            // A round that has begun asks every server, the last ones for a moment only.
            let patience = left.clamp(PAUSE, LONGEST_CONNECT);
            match dial(endpoint, patience) {
                Ok(_) => return Ok(()),
                Err(error) => reasons.push(format!("{endpoint}: {error}")),
            }
        }
        if Instant::now() + PAUSE >= end {
            return Err(reasons.join("; "));
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn closed_port() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").to_string()
    }

    #[test]
    fn one_of_several_is_enough() {
        let open = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let list = format!("{};{}", closed_port(), open.local_addr().expect("an address"));
        let list: NameServers = list.parse().expect("a list");
        assert_eq!(any(&list, Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn each_refusal_is_told() {
        let (a, b) = (closed_port(), closed_port());
        let list: NameServers = format!("{a};{b}").parse().expect("a list");
        let reasons = any(&list, Duration::from_millis(1)).expect_err("nobody listens");
        assert!(reasons.contains(&a) && reasons.contains(&b), "{reasons}");
    }
}
