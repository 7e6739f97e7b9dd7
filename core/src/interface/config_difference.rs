//! In which setting two clients differ.

use super::config::ClientConfig;
use super::identity::Identity;

impl ClientConfig {
    /// The name of the first setting in which `other` is another one; none when a client of either would do for both.
    ///
    /// The seed does not count: it is another one for each client, and says nothing about what a client does.
    ///
    /// ```
    /// use rocketmq_core::client::ClientConfig;
    ///
    /// let one = ClientConfig::new("10.0.0.1:9876".parse()?, 1);
    /// let mut other = ClientConfig::new("10.0.0.1:9876".parse()?, 2);
    /// assert_eq!(one.difference(&other), None);
    /// other.heartbeat_v2 = true;
    /// assert_eq!(one.difference(&other), Some("heartbeat_v2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        // No `..` here: the compiler asks for every setting that is added.
        let Self {
            name_servers,
            discovery,
            identity: Identity { ip, pid, instance_name, unit_name },
            namespace,
            namespace_v2,
            unit_mode,
            zone,
            seed: _,
            serialize_type,
            language,
            heartbeat_v2,
            vip_channel,
            latency_fault,
            timing,
            limits,
        } = self;
        let differs = [
            ("name_servers", *name_servers != other.name_servers),
            ("discovery", *discovery != other.discovery),
            ("ip", *ip != other.identity.ip),
            ("process_id", *pid != other.identity.pid),
            ("instance_name", *instance_name != other.identity.instance_name),
            ("unit_name", *unit_name != other.identity.unit_name),
            ("namespace", *namespace != other.namespace),
            ("namespace_v2", *namespace_v2 != other.namespace_v2),
            ("unit_mode", *unit_mode != other.unit_mode),
            ("zone", *zone != other.zone),
            ("serialize_type", *serialize_type != other.serialize_type),
            ("language", *language != other.language),
            ("heartbeat_v2", *heartbeat_v2 != other.heartbeat_v2),
            ("vip_channel", *vip_channel != other.vip_channel),
            ("latency_fault", *latency_fault != other.latency_fault),
        ];
        let of_table = || {
            let timing = timing.fields().into_iter().zip(other.timing.fields());
            let timing = timing.filter(|(mine, theirs)| mine != theirs).map(|((name, _), _)| name);
            let limits = limits.fields().into_iter().zip(other.limits.fields());
            let limits = limits.filter(|(mine, theirs)| mine != theirs).map(|((name, _), _)| name);
            timing.chain(limits).next()
        };
        differs.into_iter().find(|(_, differs)| *differs).map(|(name, _)| name).or_else(of_table)
    }
}

#[cfg(test)]
mod tests {
    use crate::interface::{ClientConfig, LatencyFault, Zone};
    use crate::wire::SerializeType;

    fn config() -> ClientConfig {
        ClientConfig::new("a:1".parse().unwrap(), 1)
    }

    #[test]
    fn each_setting_is_named() {
        type Change = fn(&mut ClientConfig);
        let changes: [(&str, Change); 15] = [
            ("name_servers", |config| config.name_servers = "b:1".parse().unwrap()),
            ("discovery", |config| config.discovery = Some("web".parse().unwrap())),
            ("ip", |config| config.identity.ip = "10.0.0.9".parse().unwrap()),
            ("process_id", |config| config.identity.pid = 9),
            ("instance_name", |config| config.identity.instance_name = Some("x".into())),
            ("unit_name", |config| config.identity.unit_name = Some("x".into())),
            ("namespace", |config| config.namespace = Some("x".parse().unwrap())),
            ("namespace_v2", |config| config.namespace_v2 = Some("x".into())),
            ("unit_mode", |config| config.unit_mode = true),
            ("zone", |config| config.zone = Some(Zone { name: "z".into(), mode: false })),
            ("serialize_type", |config| config.serialize_type = SerializeType::RocketMq),
            ("language", |config| config.language = crate::command::LanguageCode::Java),
            ("heartbeat_v2", |config| config.heartbeat_v2 = true),
            ("vip_channel", |config| config.vip_channel = true),
            ("latency_fault", |config| config.latency_fault = Some(LatencyFault::default())),
        ];
        for (name, change) in changes {
            let mut other = config();
            change(&mut other);
            assert_eq!(config().difference(&other), Some(name));
            assert_eq!(other.difference(&config()), Some(name));
            assert_eq!(other.difference(&other.clone()), None);
        }
    }

    #[test]
    fn the_seed_is_no_difference() {
        let seed = ClientConfig { seed: 2, ..config() };
        assert_eq!(config().difference(&seed), None);
    }

    // Without that feature they cannot be changed by their names.
    #[cfg(feature = "record")]
    #[test]
    fn each_period_and_limit_is_named() {
        use core::time::Duration;
        for (name, time) in config().timing.fields() {
            let mut other = config();
            *other.timing.field_mut(name).unwrap() = time + Duration::from_nanos(1);
            assert_eq!(config().difference(&other), Some(name));
        }
        for (name, limit) in config().limits.fields() {
            let mut other = config();
            *other.limits.field_mut(name).unwrap() = limit + 1;
            assert_eq!(config().difference(&other), Some(name));
        }
    }
}
