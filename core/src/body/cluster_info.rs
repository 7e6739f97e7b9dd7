//! The body of the answer to `GET_BROKER_CLUSTER_INFO` (106).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use super::error::BodyError;
use super::route::{BrokerData, RouteLimits};
use super::route_json::{Element, RouteReader, Stop, read_body};

const BROKERS: &str = "brokerAddrTable";
const CLUSTERS: &str = "clusterAddrTable";

/// The brokers and clusters that a name server knows.
///
/// ```
/// use rocketmq_core::body::{ClusterInfo, RouteLimits};
///
/// // No version of RocketMQ puts quotes around the numbers of brokers here.
/// let body = br#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"a","cluster":"C"}},
///     "clusterAddrTable":{"C":["a"]}}"#;
/// let info = ClusterInfo::parse(body, &RouteLimits::default())?;
/// assert_eq!(info.brokers["a"].broker_addrs[&0], "10.0.0.1:10911");
/// assert!(info.clusters["C"].contains("a"));
/// # Ok::<(), rocketmq_core::body::BodyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClusterInfo {
    /// The brokers by name (`brokerAddrTable`).
    pub brokers: BTreeMap<String, BrokerData>,
    /// The names of the brokers of each cluster (`clusterAddrTable`).
    pub clusters: BTreeMap<String, BTreeSet<String>>,
}

impl ClusterInfo {
    /// Reads the body of a successful answer. The limits are those of routes: brokers, addresses of one broker, and
    /// lengths of names.
    ///
    /// # Errors
    /// What is wrong with the body, or which limit it exceeds.
    pub fn parse(body: &[u8], limits: &RouteLimits) -> Result<Self, BodyError> {
        read_body(body, limits, RouteReader::cluster_info)
    }
}

impl RouteReader<'_, '_> {
    fn cluster_info(&mut self) -> Result<ClusterInfo, Stop> {
        let mut info = ClusterInfo::default();
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(key) = self.json.key(&mut first)? {
            match &*key.decode() {
                BROKERS => info.brokers = self.brokers()?,
                CLUSTERS => info.clusters = self.clusters()?,
                _ => self.skip()?,
            }
        }
        self.json.end()?;
        Ok(info)
    }

    fn brokers(&mut self) -> Result<BTreeMap<String, BrokerData>, Stop> {
        let mut brokers = BTreeMap::new();
        if self.json.null()? {
            return Ok(brokers);
        }
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(key) = self.json.key(&mut first)? {
            let name = self.checked(BROKERS, &key.decode())?;
            let Element::Whole(broker) = self.broker()? else {
                // Tables refer to nothing: what they hold is written once.
                return Err(BodyError::BadReference { field: BROKERS }.into());
            };
            self.room(BROKERS, brokers.len())?;
            brokers.insert(name, broker);
        }
        Ok(brokers)
    }

    fn clusters(&mut self) -> Result<BTreeMap<String, BTreeSet<String>>, Stop> {
        let mut clusters = BTreeMap::new();
        // Each broker is in one cluster, so that all lists together are as long as the table of brokers.
        let mut listed = 0;
        if self.json.null()? {
            return Ok(clusters);
        }
        self.json.open(b'{')?;
        let mut first = true;
        while let Some(key) = self.json.key(&mut first)? {
            let cluster = self.checked(CLUSTERS, &key.decode())?;
            self.room(CLUSTERS, clusters.len())?;
            let mut names = BTreeSet::new();
            if !self.json.null()? {
                self.json.open(b'[')?;
                let mut first = true;
                while self.json.item(&mut first)? {
                    self.room(CLUSTERS, listed)?;
                    listed += 1;
                    names.extend(self.name(CLUSTERS)?);
                }
            }
            clusters.insert(cluster, names);
        }
        Ok(clusters)
    }

    fn checked(&self, field: &'static str, name: &str) -> Result<String, Stop> {
        let limit = self.limits.max_name;
        if name.len() > limit {
            return Err(BodyError::TooLong { field, limit }.into());
        }
        Ok(name.into())
    }

    fn room(&self, field: &'static str, len: usize) -> Result<(), Stop> {
        let limit = self.limits.max_brokers;
        if len >= limit { Err(BodyError::TooMany { field, limit }.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::ClusterInfo;
    use crate::body::{BodyError, RouteLimits};
    use alloc::string::String;
    use alloc::vec::Vec;

    fn parse(text: &str) -> Result<ClusterInfo, BodyError> {
        ClusterInfo::parse(
            text.as_bytes(),
            &RouteLimits { max_brokers: 2, max_name: 8, ..Default::default() },
        )
    }

    #[test]
    fn what_is_null_or_unknown_is_passed_over() {
        assert_eq!(parse("{}"), Ok(ClusterInfo::default()));
        let nulls = r#"{"brokerAddrTable":null,"clusterAddrTable":{"C":null},"more":[{"a":1}]}"#;
        let info = parse(nulls).unwrap();
        assert!(info.brokers.is_empty() && info.clusters["C"].is_empty());
    }

    #[test]
    fn everything_is_bounded() {
        let table = |names: &[&str]| {
            let brokers: Vec<String> =
                names.iter().map(|name| alloc::format!(r#""{name}":{{"brokerName":"{name}"}}"#)).collect();
            alloc::format!(r#"{{"brokerAddrTable":{{{}}}}}"#, brokers.join(","))
        };
        assert_eq!(parse(&table(&["a", "b"])).unwrap().brokers.len(), 2);
        let too_many = |field| Err(BodyError::TooMany { field, limit: 2 });
        assert_eq!(parse(&table(&["a", "b", "c"])), too_many("brokerAddrTable"));
        assert_eq!(parse(r#"{"clusterAddrTable":{"C":["a"],"D":["b","c"]}}"#), too_many("clusterAddrTable"));
        assert_eq!(parse(r#"{"clusterAddrTable":{"A":[],"B":[],"C":[]}}"#), too_many("clusterAddrTable"));
        let too_long = |field| Err(BodyError::TooLong { field, limit: 8 });
        assert_eq!(parse(&table(&["123456789"])), too_long("brokerAddrTable"));
        assert_eq!(parse(r#"{"clusterAddrTable":{"C":["123456789"]}}"#), too_long("clusterAddrTable"));
        assert_eq!(parse(r#"{"clusterAddrTable":{"123456789":[]}}"#), too_long("clusterAddrTable"));
    }

    #[test]
    fn other_bodies_are_refused() {
        assert_eq!(parse(""), Err(BodyError::Empty));
        let missing = Err(BodyError::Missing { field: "brokerName" });
        assert_eq!(parse(r#"{"brokerAddrTable":{"a":{}}}"#), missing);
        let reference = Err(BodyError::BadReference { field: "brokerAddrTable" });
        assert_eq!(parse(r#"{"brokerAddrTable":{"a":{"$ref":"$.x"}}}"#), reference);
        for text in ["[]", "{", "{}x", r#"{"clusterAddrTable":[]}"#, r#"{"brokerAddrTable":{0:1}}"#] {
            assert!(matches!(parse(text), Err(BodyError::Json { .. })), "{text}");
        }
    }
}
