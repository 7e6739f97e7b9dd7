//! An outbox relay, tested against a broker that stores a message and dies before it answers.
//!
//! A service that must tell others about each change of its database writes the message into a table, the outbox, in the
//! same transaction. A relay sends the rows and removes those that are stored. The test: no row is lost whatever
//! happens; rows may arrive twice, and a consumer that remembers the key of each row takes each once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocketmq_driver::{Message, Outcome, Producer};
use rocketmq_sim::lab::{self, Lab, LabBuilder, SendFault};

const TOPIC: &str = "placed";
const ROWS: u64 = 30;
const DEATHS: u64 = 3;

/// The table: what is still to be sent, by row number.
#[derive(Clone, Default)]
struct Outbox(Arc<Mutex<BTreeMap<u64, String>>>);

impl Outbox {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<u64, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self) -> Option<(u64, String)> {
        self.rows().first_key_value().map(|(row, text)| (*row, text.clone()))
    }
}

/// The code under test: sends every row, in order, and removes it once it is stored. It knows nothing of the
/// simulation; `pause` waits until it is worth while to look again.
async fn relay(outbox: Outbox, producer: Producer, pause: impl AsyncFn()) {
    loop {
        let Some((row, text)) = outbox.first() else {
            pause().await;
            continue;
        };
        // The key goes with the message, so that a consumer can tell a copy from another order.
        let message =
            Message::builder(TOPIC.parse().expect("a topic's name")).body(text).key(&key(row)).build();
        match producer.send(message.expect("rows make good messages")).await {
            Ok(_) => drop(outbox.rows().remove(&row)),
            Err(error) => match error.outcome() {
                // The row stays and is sent again. It must not count as sent because it *may* be stored; the price
                // is a copy when it was.
                Outcome::NotStored | Outcome::MayBeStored => pause().await,
            },
        }
    }
}

fn key(row: u64) -> String {
    format!("order-{row}")
}

/// Runs the relay while a broker dies between store and answer. Returns how many copies too many were stored.
async fn relay_meets_dying_broker(lab: Lab) -> usize {
    for death in 0..DEATHS {
        let at = Duration::from_millis(death * 10_000 + lab.random_below(8_000));
        lab.at(at, |lab| lab.broker(0).next_sends(1, SendFault::StoreThenCrash));
    }
    let operator = lab.clone();
    drop(lab.spawn(async move {
        loop {
            operator.sleep(Duration::from_secs(4)).await;
            operator.broker(0).restart();
        }
    }));
    // The service writes a row each second.
    let (outbox, service) = (Outbox::default(), lab.clone());
    let table = outbox.clone();
    let writing = lab.spawn(async move {
        for row in 0..ROWS {
            table.rows().insert(row, format!("{row} apples"));
            service.sleep(Duration::from_secs(1)).await;
        }
    });
    let producer = lab.client().producer("relay").await.expect("the settings are in order");
    let clock = lab.clone();
    let pause = async move || clock.sleep(Duration::from_millis(200)).await;
    // The relay runs for ever; two minutes are enough for all rows.
    let running = lab.timeout(Duration::from_secs(120), relay(outbox.clone(), producer, pause));
    running.await.expect_err("the relay does not end by itself");
    writing.await.expect("the service does not panic");

    // At least once: every row is there, and the table is empty.
    assert_eq!(outbox.first(), None);
    for row in 0..ROWS {
        assert!(!lab.stored_with_key(TOPIC, &key(row)).is_empty(), "row {row} is lost");
    }
    // Once, where it counts: a consumer drops what it knows by its key.
    let (stored, mut seen) = (lab.stored(TOPIC), BTreeSet::new());
    let taken = stored.iter().filter(|message| seen.insert(message.keys.join(" "))).count();
    assert_eq!(taken as u64, ROWS, "the key tells copies from orders");
    stored.len() - taken
}

fn cluster() -> LabBuilder {
    lab::builder().topic(TOPIC, 4)
}

fn main() {
    let mut doubles = 0;
    for seed in 0..50 {
        doubles += cluster().run(seed, relay_meets_dying_broker).value;
    }
    println!(
        "50 runs of {ROWS} rows and {DEATHS} deaths of the broker: no row lost, {doubles} copies too many,"
    );
    println!("none of which a consumer takes that knows the keys.");
}

#[cfg(test)]
mod tests {
    use super::{DEATHS, cluster, relay_meets_dying_broker};

    #[test]
    fn no_row_is_lost_and_keys_tell_copies() {
        cluster().check(0..50, |lab| async move {
            let copies = relay_meets_dying_broker(lab).await;
            // Each death leaves the copy that the client or the relay sends again; more when that one is not
            // answered in time either.
            assert!(
                copies as u64 >= DEATHS,
                "only {copies} copies: the broker did not die at the right moment"
            );
        });
    }
}
