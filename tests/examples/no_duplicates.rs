//! A service that must never book twice, tested for duplicates.
//!
//! By default a client sends again when it does not know whether a broker has the message, as RocketMQ's own do: the
//! broker may then hold it twice. `Resend::OnlyWhenNotStored` never takes that risk; the caller learns "may be stored"
//! instead and finds out by itself. The lab shows both: zero doubles with one setting, and those that the other makes.

use std::time::Duration;

use rocketmq_driver::{Message, Outcome, Resend};
use rocketmq_sim::lab::{self, Lab, LabBuilder, SendFault};

const TOPIC: &str = "bookings";
const BOOKINGS: u64 = 30;

/// What the service learned of its bookings.
#[derive(Debug, Default, Clone, Copy)]
struct Learned {
    stored: usize,
    unknown: usize,
    not_stored: usize,
    /// Found in the brokers afterwards: messages that are there more than once.
    doubles: usize,
}

/// The service: each booking is sent once, by the client's rules for sending again.
async fn book(lab: Lab, resend: Resend) -> Learned {
    let group = lab.client().producer("bookings").resend(resend).retries(5);
    let producer = group.open().await.expect("the settings are in order");
    let mut learned = Learned::default();
    for number in 0..BOOKINGS {
        let topic = TOPIC.parse().expect("a topic's name");
        let message = Message::builder(topic).body("seat 7").key(&number.to_string()).build();
        match producer.send(message.expect("a good message")).await {
            Ok(_) => learned.stored += 1,
            Err(error) => match error.outcome() {
                Outcome::MayBeStored => learned.unknown += 1,
                Outcome::NotStored => learned.not_stored += 1,
            },
        }
    }
    // Answers and retries that are late have come by then.
    lab.sleep(Duration::from_secs(60)).await;
    // What the client said is true of what the brokers have.
    assert!(lab.stored(TOPIC).len() >= learned.stored, "a booking that was confirmed is not there");
    learned.doubles = lab.duplicates(TOPIC).len();
    learned
}

/// Two brokers. One send in ten goes wrong: no answer, a reset in the place of the answer, a late one, a busy broker.
async fn bad_day(lab: Lab, resend: Resend) -> Learned {
    for broker in lab.brokers() {
        broker.random_sends(40, SendFault::StoreNoAnswer);
        broker.random_sends(30, SendFault::StoreThenReset);
        broker.random_sends(20, SendFault::AnswerLate(Duration::from_secs(4)));
        broker.random_sends(10, SendFault::busy());
    }
    lab.after(Duration::from_secs(2), |lab| lab.broker(1).next_sends(1, SendFault::StoreThenCrash));
    lab.after(Duration::from_secs(20), |lab| lab.broker(1).restart());
    book(lab, resend).await
}

fn cluster() -> LabBuilder {
    lab::builder().brokers(2).topic(TOPIC, 4)
}

/// All that was learned in a number of runs.
fn sum(seeds: std::ops::Range<u64>, resend: Resend) -> Learned {
    let mut sum = Learned::default();
    for seed in seeds {
        let learned = cluster().run(seed, |lab| bad_day(lab, resend)).value;
        sum.stored += learned.stored;
        sum.unknown += learned.unknown;
        sum.not_stored += learned.not_stored;
        sum.doubles += learned.doubles;
    }
    sum
}

fn main() {
    println!("never twice:    {:?}", sum(0..50, Resend::OnlyWhenNotStored));
    println!("as the default: {:?}", sum(0..50, Resend::WhenMayBeStored));
}

#[cfg(test)]
mod tests {
    use super::{bad_day, cluster, sum};
    use rocketmq_driver::Resend;

    #[test]
    fn no_booking_is_stored_twice() {
        cluster().check(0..100, |lab| async move {
            let learned = bad_day(lab, Resend::OnlyWhenNotStored).await;
            assert_eq!(learned.doubles, 0, "{learned:?}");
        });
    }

    #[test]
    fn the_wrong_setting_stores_some_twice() {
        let learned = sum(0..20, Resend::WhenMayBeStored);
        assert!(learned.doubles >= 20, "the bad day is not bad enough: {learned:?}");
    }
}
