//! The body of the answer to `GET_ALL_TOPIC_LIST_FROM_NAMESERVER` (206).

use alloc::collections::BTreeSet;
use alloc::string::String;

use super::error::BodyError;
use super::route::RouteLimits;
use super::route_json::{RouteReader, Stop, read_body};

const TOPICS: &str = "topicList";

/// Reads the names of the topics that a name server knows, its own and those of brokers among them; at most `most`.
///
/// # Errors
/// What is wrong with the body, or that there are more.
///
/// ```
/// use rocketmq_core::body::read_topic_list;
///
/// let topics = read_topic_list(br#"{"topicList":["orders","TBW102"]}"#, 1_000)?;
/// assert_eq!(topics.into_iter().collect::<Vec<_>>(), ["TBW102", "orders"]);
/// # Ok::<(), rocketmq_core::body::BodyError>(())
/// ```
#[doc(alias = "fetchAllTopicList")]
pub fn read_topic_list(body: &[u8], most: usize) -> Result<BTreeSet<String>, BodyError> {
    let limits = RouteLimits { max_brokers: most, ..RouteLimits::default() };
    read_body(body, &limits, RouteReader::topic_list)
}

impl RouteReader<'_, '_> {
    fn topic_list(&mut self) -> Result<BTreeSet<String>, Stop> {
        let mut topics = BTreeSet::new();
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(key) = self.json.key(&mut first)? {
            if &*key.decode() != TOPICS {
                self.skip()?;
                continue;
            }
            if self.json.null()? {
                continue;
            }
            self.json.open(b'[')?;
            let mut first = true;
            while self.json.item(&mut first)? {
                let limit = self.limits.max_brokers;
                if topics.len() >= limit {
                    return Err(BodyError::TooMany { field: TOPICS, limit }.into());
                }
                topics.extend(self.name(TOPICS)?);
            }
        }
        self.json.end()?;
        Ok(topics)
    }
}

#[cfg(test)]
mod tests {
    use super::read_topic_list;
    use crate::body::BodyError;

    #[test]
    fn a_list_is_bounded_and_nothing_else_is_one() {
        let list = |text: &str| read_topic_list(text.as_bytes(), 2);
        assert_eq!(list(r#"{"topicList":null,"brokerAddr":"a:1"}"#).unwrap().len(), 0);
        assert_eq!(list(r#"{"topicList":["b","a"]}"#).unwrap().len(), 2);
        let too_many = Err(BodyError::TooMany { field: "topicList", limit: 2 });
        assert_eq!(list(r#"{"topicList":["b","a","c"]}"#), too_many);
        assert_eq!(list(""), Err(BodyError::Empty));
        for text in ["[]", r#"{"topicList":{}}"#, r#"{"topicList":["a"}"#, r#"{"topicList":[]}{}"#] {
            assert!(matches!(list(text), Err(BodyError::Json { .. })), "{text}");
        }
    }
}
