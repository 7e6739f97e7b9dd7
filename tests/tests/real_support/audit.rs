//! Compares what senders were told with what the brokers stored.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use rocketmq_sim::real::{RealCluster, StoredMessage};
use rocketmq_tokio::{Outcome, SendError, SendReceipt, TopicName};

use super::load::{Sent, body};

/// What became of the messages of one load, in numbers.
pub(crate) struct Figures {
    pub(crate) stored: usize,
    pub(crate) not_stored: usize,
    pub(crate) may_be_stored: usize,
    /// Messages of which the brokers hold more than one copy.
    pub(crate) twice: usize,
    /// How long each stored message took, in order.
    times: Vec<Duration>,
    /// Errors by their text, without what differs from one to the next: how many, and the first of them in full.
    errors: HashMap<String, (usize, String)>,
    /// Messages of which a killed broker kept a part, see [`is_torn`].
    torn: usize,
}

impl Figures {
    /// Fails unless every message was stored.
    pub(crate) fn all_stored(self) -> Self {
        assert!(
            self.not_stored == 0 && self.may_be_stored == 0,
            "not all were stored: {self} {:#?}",
            self.errors
        );
        self
    }

    pub(crate) fn once(self) -> Self {
        assert_eq!(self.twice, 0, "messages stand there twice");
        assert_eq!(self.torn, 0, "messages stand there in part");
        self
    }

    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} stored, {} not stored, {} may be stored, {} twice; p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            self.stored,
            self.not_stored,
            self.may_be_stored,
            self.twice,
            self.percentile(50),
            self.percentile(99),
            self.percentile(100),
        )?;
        if self.torn > 0 { write!(f, ", {} torn by a kill", self.torn) } else { Ok(()) }
    }
}

/// A broker has a handful of threads that can be in the middle of a message when it is killed.
const MOST_TORN: usize = 8;

/// Checks every verdict against the stores of all brokers, which must be running: what was told to be stored stands
/// where its receipt says, with its unique id; what was told not to be stored stands nowhere; no message stands there
/// more often than its attempts allow, all copies have the same unique id, and there are no other messages.
pub(crate) fn audit(cluster: &RealCluster, topic: &TopicName, sent: &[Sent]) -> Figures {
    let store = cluster.stored(topic.as_str()).expect("the store");
    let mut copies: HashMap<&str, Vec<&StoredMessage>> = HashMap::new();
    let (torn, whole): (Vec<_>, Vec<_>) = store.iter().partition(|message| is_torn(message));
    for message in whole {
        assert_eq!(message.body, body(message.keys()), "{message:?}");
        copies.entry(message.keys()).or_default().push(message);
    }
    let mut figures = Figures {
        stored: 0,
        not_stored: 0,
        may_be_stored: 0,
        twice: 0,
        times: Vec::new(),
        errors: HashMap::new(),
        torn: torn.len(),
    };
    for one in sent {
        let copies = copies.remove(one.key.as_str()).unwrap_or_default();
        figures.twice += usize::from(copies.len() > 1);
        match &one.result {
            Ok(receipt) => {
                stands_there(receipt, topic, &copies, &one.key);
                figures.stored += 1;
                figures.times.push(one.took);
            }
            Err(error) => {
                may_stand_there(error, &copies, &one.key);
                match error.outcome() {
                    Outcome::NotStored => figures.not_stored += 1,
                    Outcome::MayBeStored => figures.may_be_stored += 1,
                }
                let kind = figures.errors.entry(kind_of(error));
                kind.or_insert_with(|| (0, in_full(&one.key, error))).0 += 1;
            }
        }
    }
    assert!(copies.is_empty(), "nobody sent {copies:?}");
    assert!(figures.torn <= MOST_TORN, "{} messages without properties", figures.torn);
    figures.times.sort_unstable();
    figures
}

/// A broker that is killed in the middle of copying a message into its log can keep one without its last part, the
/// properties: its recovery looks at the checksum of the body alone. Nobody was told that it is stored.
fn is_torn(message: &StoredMessage) -> bool {
    message.properties.is_empty()
}

fn stands_there(receipt: &SendReceipt, topic: &TopicName, copies: &[&StoredMessage], key: &str) {
    assert_eq!(&receipt.queue.topic, topic);
    let told = (
        receipt.queue.broker_name.as_str(),
        receipt.queue.queue_id,
        receipt.queue_offset,
        receipt.offset_message_id.to_string(),
    );
    let has_it = copies.iter().any(|copy| {
        told == (copy.broker.as_str(), copy.queue_id, copy.queue_offset, copy.offset_message_id())
    });
    assert!(has_it, "{key} was told to be stored at {told:?}, but there is {copies:?}");
    may_be_so_often(copies, receipt.attempts, receipt.message_id.as_str(), key, receipt);
}

fn may_stand_there(error: &SendError, copies: &[&StoredMessage], key: &str) {
    if error.outcome() == Outcome::NotStored {
        assert!(copies.is_empty(), "{key} was told not to be stored, but there is {copies:?}: {error}");
        return;
    }
    let unique_key = error.message().and_then(|message| message.unique_key());
    let unique_key = unique_key.expect("a message that was written has its id").to_string();
    may_be_so_often(copies, error.written_attempts(), &unique_key, key, error);
}

fn may_be_so_often(
    copies: &[&StoredMessage],
    attempts: u32,
    unique_key: &str,
    key: &str,
    told: &dyn fmt::Debug,
) {
    assert!(
        copies.len() <= attempts as usize,
        "{key} had {attempts} attempts, but there is {copies:?}: {told:?}"
    );
    for copy in copies {
        assert_eq!(copy.unique_key(), unique_key, "{key}: {copy:?}");
    }
}

fn in_full(key: &str, error: &SendError) -> String {
    let attempts: Vec<_> = error.attempts().iter().map(ToString::to_string).collect();
    format!("{key}: {error}; {}", attempts.join("; "))
}

/// The text of an error up to its first digit.
fn kind_of(error: &SendError) -> String {
    let text = error.kind().to_string();
    let end = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(text.len());
    text[..end].to_owned()
}
