//! `rocketmq topic status`: the offsets of every queue of a topic.

use rocketmq_driver::{Admin, AdminError, BrokerName, MessageQueue, TopicName, TopicRouteData};
use serde_json::{Value, json};

use super::{Shown, is_missing};
use crate::runtime::Runtime;
use crate::text::{date_time, printable, push_table};

/// Queues that are asked about at the same time.
const AT_ONCE: usize = 16;
/// Most queues that are shown.
const MOST_QUEUES: usize = 65_536;

/// How a queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offsets {
    min: i64,
    max: i64,
    /// When the first message was stored.
    earliest: Option<i64>,
}

impl Offsets {
    fn messages(self) -> i64 {
        self.max.saturating_sub(self.min).max(0)
    }
}

type Found = Result<Offsets, AdminError>;

pub(super) async fn status(runtime: Runtime, admin: Admin, topic: TopicName) -> Result<Shown, AdminError> {
    let route = match admin.topic_route(topic.clone()).await {
        Ok(route) if route.static_topic => return Err(AdminError::StaticTopic(topic)),
        Ok(route) => route,
        Err(error) if is_missing(&error) => {
            let json = json!({ "topic": topic.as_str(), "found": false });
            return Ok(Shown { text: String::new(), json, complaint: Some(error.to_string()) });
        }
        Err(error) => return Err(error),
    };
    let queues = queues_of(&topic, &route);
    let found = ask_all(&runtime, &admin, queues).await;
    let failed = found.iter().filter(|(_, found)| found.is_err()).count();
    let complaint = (failed > 0).then(|| format!("{failed} of {} queues did not answer", found.len()));
    Ok(Shown { text: to_text(&topic, &found), json: to_json(&topic, &found), complaint })
}

/// All queues that can be read or written.
fn queues_of(topic: &TopicName, route: &TopicRouteData) -> Vec<MessageQueue> {
    let mut queues = Vec::new();
    for data in &route.queue_datas {
        // A name that cannot be one is no broker's.
        if let Ok(broker_name) = data.broker_name.parse::<BrokerName>() {
            let count = data.read_queue_nums.max(data.write_queue_nums);
            queues.extend((0..count).map(|queue_id| MessageQueue {
                topic: topic.clone(),
                broker_name: broker_name.clone(),
                queue_id,
            }));
        }
        queues.truncate(MOST_QUEUES);
    }
    queues
}

async fn ask_all(runtime: &Runtime, admin: &Admin, queues: Vec<MessageQueue>) -> Vec<(MessageQueue, Found)> {
    let (give, take) = async_channel::unbounded();
    let (tell, told) = async_channel::unbounded();
    for queue in queues {
        // Both ends of both channels are here until all is asked.
        let _ = give.try_send(queue);
    }
    give.close();
    for _ in 0..AT_ONCE {
        let (admin, take, tell) = (admin.clone(), take.clone(), tell.clone());
        runtime.spawn(async move {
            while let Ok(queue) = take.recv().await {
                let found = ask(&admin, &queue).await;
                if tell.send((queue, found)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(tell);
    let mut found = Vec::new();
    while let Ok(one) = told.recv().await {
        found.push(one);
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

async fn ask(admin: &Admin, queue: &MessageQueue) -> Found {
    Ok(Offsets {
        min: admin.min_offset(queue).await?,
        max: admin.max_offset(queue).await?,
        earliest: admin.earliest_store_time(queue).await?,
    })
}

fn to_text(topic: &TopicName, found: &[(MessageQueue, Found)]) -> String {
    let mut rows = vec![["BROKER", "QUEUE", "MIN", "MAX", "MESSAGES", "EARLIEST"].map(str::to_owned)];
    for (queue, found) in found {
        let (broker, id) = (printable(queue.broker_name.as_str()), queue.queue_id.to_string());
        rows.push(match found {
            Ok(offsets) => {
                let numbers = [offsets.min, offsets.max, offsets.messages()].map(|number| number.to_string());
                let [min, max, messages] = numbers;
                let earliest = offsets.earliest.map_or_else(|| "-".to_owned(), date_time);
                [broker, id, min, max, messages, earliest]
            }
            Err(error) => {
                let [min, max, messages] = ["-"; 3].map(str::to_owned);
                [broker, id, min, max, messages, error.to_string()]
            }
        });
    }
    let mut text = format!("topic {topic}: {} messages in {} queues\n\n", total(found), found.len());
    push_table(&mut text, &rows);
    text
}

fn to_json(topic: &TopicName, found: &[(MessageQueue, Found)]) -> Value {
    let row = |(queue, found): &(MessageQueue, Found)| {
        let (broker, id) = (queue.broker_name.as_str(), queue.queue_id);
        match found {
            Ok(offsets) => json!({
                "broker": broker,
                "queue": id,
                "min": offsets.min,
                "max": offsets.max,
                "messages": offsets.messages(),
                "earliest_ms": offsets.earliest,
            }),
            Err(error) => json!({ "broker": broker, "queue": id, "error": error.to_string() }),
        }
    };
    json!({
        "topic": topic.as_str(),
        "found": true,
        "messages": total(found),
        "queues": found.iter().map(row).collect::<Vec<_>>(),
    })
}

/// Messages in the queues that answered.
fn total(found: &[(MessageQueue, Found)]) -> i64 {
    let messages = found.iter().filter_map(|(_, found)| Some(found.as_ref().ok()?.messages()));
    messages.fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_for_each_queue_with_its_messages() {
        let topic: TopicName = "T".parse().expect("a name");
        let queue = |queue_id| MessageQueue {
            topic: topic.clone(),
            broker_name: "broker-a".parse().expect("a name"),
            queue_id,
        };
        let offsets = Offsets { min: 2, max: 10, earliest: Some(0) };
        let empty = Offsets { min: 0, max: 0, earliest: None };
        let found = [(queue(0), Ok(offsets)), (queue(1), Ok(empty)), (queue(2), Err(AdminError::NotFound))];
        let expected = "topic T: 8 messages in 3 queues\n\
            \n\
            BROKER    QUEUE  MIN  MAX  MESSAGES  EARLIEST\n\
            broker-a  0      2    10   8         1970-01-01 00:00:00.000 UTC\n\
            broker-a  1      0    0    0         -\n\
            broker-a  2      -    -    -         no message found\n";
        assert_eq!(to_text(&topic, &found), expected);
        let json = to_json(&topic, &found);
        assert_eq!((&json["messages"], &json["queues"][0]["max"]), (&8.into(), &10.into()));
        assert_eq!(json["queues"][1]["earliest_ms"], Value::Null);
        assert_eq!(json["queues"][2]["error"], "no message found");
    }
}
