//! Reading a route from the JSON that name servers write.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::BodyError;
use super::route::{BrokerData, QueueData, RouteLimits, TopicRouteData};
use crate::wire::JsonError;
use crate::wire::json::JsonReader;

const BROKERS: &str = "brokerDatas";
const QUEUES: &str = "queueDatas";

pub(super) fn parse(body: &[u8], limits: &RouteLimits) -> Result<TopicRouteData, BodyError> {
    let mut route = read_body(body, limits, RouteReader::route)?;
    check_queue_count(&route.queue_datas, limits)?;
    route.broker_datas.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
    route.queue_datas.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
    Ok(route)
}

/// The publish list is made from these numbers, so they are bounded like its memory.
fn check_queue_count(queues: &[QueueData], limits: &RouteLimits) -> Result<(), BodyError> {
    let count = queues.iter().fold(0_u64, |sum, queue| {
        let most = queue.read_queue_nums.max(queue.write_queue_nums).max(0);
        sum.saturating_add(u64::from(most.unsigned_abs()))
    });
    if count > limits.max_queues as u64 {
        return Err(BodyError::TooMany { field: QUEUES, limit: limits.max_queues });
    }
    Ok(())
}

/// Why reading stopped. The place in the text is added once, at the top.
pub(super) enum Stop {
    Json(JsonError),
    Body(BodyError),
}

impl From<JsonError> for Stop {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<BodyError> for Stop {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

pub(super) struct RouteReader<'a, 'l> {
    pub(super) json: JsonReader<'a>,
    pub(super) limits: &'l RouteLimits,
}

/// Lets `read` read a whole body.
pub(super) fn read_body<'a, 'l, T>(
    body: &'a [u8],
    limits: &'l RouteLimits,
    read: impl FnOnce(&mut RouteReader<'a, 'l>) -> Result<T, Stop>,
) -> Result<T, BodyError> {
    if body.is_empty() {
        return Err(BodyError::Empty);
    }
    let text = core::str::from_utf8(body).map_err(|_| BodyError::InvalidUtf8)?;
    let mut reader = RouteReader { json: JsonReader::tolerant(text, limits.max_depth), limits };
    read(&mut reader).map_err(|stop| match stop {
        Stop::Json(error) => BodyError::Json { at: reader.json.at(), error },
        Stop::Body(error) => error,
    })
}

impl<'a> RouteReader<'a, '_> {
    fn route(&mut self) -> Result<TopicRouteData, Stop> {
        let mut route = TopicRouteData::default();
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(key) = self.json.key(&mut first)? {
            match &*key.decode() {
                "orderTopicConf" => {
                    let most = self.limits.max_name.saturating_mul(self.limits.max_brokers);
                    route.order_topic_conf = self.bounded_text("orderTopicConf", most)?;
                }
                BROKERS => route.broker_datas = self.list(BROKERS, Self::broker)?,
                QUEUES => route.queue_datas = self.list(QUEUES, Self::queue)?,
                "topicQueueMappingByBroker" => route.static_topic = self.is_filled_object()?,
                _ => self.skip()?,
            }
        }
        self.json.end()?;
        Ok(route)
    }

    /// A list of objects, each given whole or as a reference to an earlier one of the same list.
    fn list<T: Clone>(
        &mut self,
        field: &'static str,
        element: fn(&mut Self) -> Result<Element<'a, T>, Stop>,
    ) -> Result<Vec<T>, Stop> {
        let mut list = Vec::new();
        if self.json.null()? {
            return Ok(list);
        }
        self.json.open(b'[')?;
        let mut first = true;
        while self.json.item(&mut first)? {
            if list.len() >= self.limits.max_brokers {
                return Err(BodyError::TooMany { field, limit: self.limits.max_brokers }.into());
            }
            let value = match element(self)? {
                Element::Whole(value) => value,
                Element::Reference(path) => {
                    let earlier = index_in(&path, field).and_then(|index| list.get(index));
                    earlier.cloned().ok_or(BodyError::BadReference { field })?
                }
            };
            list.push(value);
        }
        Ok(list)
    }

    fn queue(&mut self) -> Result<Element<'a, QueueData>, Stop> {
        let mut queue = QueueData::default();
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(key) = self.json.key(&mut first)? {
            match &*key.decode() {
                "brokerName" => queue.broker_name = self.name("brokerName")?.unwrap_or_default(),
                "readQueueNums" => queue.read_queue_nums = self.number("readQueueNums")?,
                "writeQueueNums" => queue.write_queue_nums = self.number("writeQueueNums")?,
                "perm" => queue.perm = self.number("perm")?,
                // Brokers and name servers of 4.x spelled it with an n.
                "topicSysFlag" | "topicSynFlag" => {
                    queue.topic_sys_flag = self.number("topicSysFlag")?;
                }
                "$ref" => return self.reference(&mut first),
                _ => self.skip()?,
            }
        }
        required_name(&queue.broker_name)?;
        Ok(Element::Whole(queue))
    }

    pub(super) fn broker(&mut self) -> Result<Element<'a, BrokerData>, Stop> {
        let mut broker = BrokerData::default();
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(key) = self.json.key(&mut first)? {
            match &*key.decode() {
                "cluster" => broker.cluster = self.name("cluster")?.unwrap_or_default(),
                "brokerName" => broker.broker_name = self.name("brokerName")?.unwrap_or_default(),
                "brokerAddrs" => broker.broker_addrs = self.addresses()?,
                "zoneName" => broker.zone_name = self.name("zoneName")?,
                "enableActingMaster" => broker.enable_acting_master = self.boolean()?,
                "$ref" => return self.reference(&mut first),
                _ => self.skip()?,
            }
        }
        required_name(&broker.broker_name)?;
        Ok(Element::Whole(broker))
    }

    /// The rest of `{"$ref":"$.list[0]"}`.
    fn reference<T>(&mut self, first: &mut bool) -> Result<Element<'a, T>, Stop> {
        let path = self.json.value()?.map(|path| path.decode()).unwrap_or_default();
        while self.json.key(first)?.is_some() {
            self.skip()?;
        }
        Ok(Element::Reference(path))
    }

    fn addresses(&mut self) -> Result<BTreeMap<i64, String>, Stop> {
        const FIELD: &str = "brokerAddrs";
        let mut addresses = BTreeMap::new();
        if self.json.null()? {
            return Ok(addresses);
        }
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(id) = self.json.key(&mut first)? {
            let id = id.decode().parse().map_err(|_| BodyError::BadNumber { field: FIELD })?;
            let Some(address) = self.name(FIELD)? else {
                continue;
            };
            if addresses.len() >= self.limits.max_addresses {
                let limit = self.limits.max_addresses;
                return Err(BodyError::TooMany { field: FIELD, limit }.into());
            }
            addresses.insert(id, address);
        }
        Ok(addresses)
    }

    fn is_filled_object(&mut self) -> Result<bool, Stop> {
        if self.json.null()? {
            return Ok(false);
        }
        self.json.open(b'{')?;
        let mut first = true;
        let mut filled = false;
        while self.json.key(&mut first)?.is_some() {
            self.skip()?;
            filled = true;
        }
        Ok(filled)
    }

    pub(super) fn name(&mut self, field: &'static str) -> Result<Option<String>, Stop> {
        self.bounded_text(field, self.limits.max_name)
    }

    /// A text of at most `limit` bytes, measured before it is copied.
    fn bounded_text(&mut self, field: &'static str, limit: usize) -> Result<Option<String>, Stop> {
        let Some(raw) = self.json.value()? else {
            return Ok(None);
        };
        // An escape is at most six times as long as what it stands for.
        if raw.text.len() > limit.saturating_mul(if raw.escaped { 6 } else { 1 }) {
            return Err(BodyError::TooLong { field, limit }.into());
        }
        let text = raw.decode();
        if text.len() > limit {
            return Err(BodyError::TooLong { field, limit }.into());
        }
        Ok(Some(text.into_owned()))
    }

    /// A 32-bit number, also as text; 0 for null.
    fn number(&mut self, field: &'static str) -> Result<i32, Stop> {
        match self.json.value()? {
            None => Ok(0),
            Some(text) => text.decode().parse().map_err(|_| BodyError::BadNumber { field }.into()),
        }
    }

    fn boolean(&mut self) -> Result<bool, Stop> {
        let text = self.json.value()?;
        Ok(text.is_some_and(|text| text.decode().eq_ignore_ascii_case("true")))
    }

    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        self.json.value()?;
        Ok(())
    }
}

/// An element of a list, or the path of an earlier one.
pub(super) enum Element<'a, T> {
    Whole(T),
    Reference(Cow<'a, str>),
}

fn required_name(name: &str) -> Result<(), BodyError> {
    if name.is_empty() { Err(BodyError::Missing { field: "brokerName" }) } else { Ok(()) }
}

/// The number in `$.field[number]`.
fn index_in(path: &str, field: &str) -> Option<usize> {
    path.strip_prefix("$.")?.strip_prefix(field)?.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}
