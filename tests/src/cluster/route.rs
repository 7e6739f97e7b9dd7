//! The JSON bodies of a name server: routes, cluster information, lists.

use super::Dialect;
use super::header_json::{write_i32, write_text};
use super::registry::Registry;

/// The route of a topic; `None` when no registered broker has it.
///
/// `standard` quotes the keys of the address map, as every JSON reader expects; without it the integer keys stand bare.
pub(crate) fn route_body(
    dialect: Dialect,
    registry: &Registry,
    topic: &str,
    standard: bool,
) -> Option<Vec<u8>> {
    let mut body = b"{\"brokerDatas\":[".to_vec();
    for (name, broker, _) in registry.brokers_of(topic) {
        let address = broker.address.to_string();
        body.extend_from_slice(broker_data(dialect, name, &broker.cluster, &address, standard).as_bytes());
        body.push(b',');
    }
    if body.pop() == Some(b'[') {
        return None;
    }
    body.extend_from_slice(b"],\"filterServerTable\":{},\"queueDatas\":[");
    for (name, _, config) in registry.brokers_of(topic) {
        body.extend_from_slice(b"{\"brokerName\":");
        write_text(name, &mut body);
        for (field, number) in [
            (&b",\"perm\":"[..], config.permission),
            (b",\"readQueueNums\":", config.read_queues),
            (b",\"topicSysFlag\":", config.system_flag),
            (b",\"writeQueueNums\":", config.write_queues),
        ] {
            body.extend_from_slice(field);
            write_i32(number, &mut body);
        }
        body.extend_from_slice(b"},");
    }
    body.pop();
    body.extend_from_slice(b"]}");
    Some(body)
}

/// All brokers by name and by cluster; its integer keys are never quoted.
pub(crate) fn cluster_info_body(dialect: Dialect, registry: &Registry) -> Vec<u8> {
    let mut addresses = Vec::new();
    let mut clusters: Vec<(&str, Vec<String>)> = Vec::new();
    for (name, broker) in registry.brokers() {
        let data = broker_data(dialect, name, &broker.cluster, &broker.address.to_string(), false);
        addresses.push(format!("{}:{data}", quoted(name)));
        match clusters.iter_mut().find(|(cluster, _)| *cluster == broker.cluster) {
            Some((_, names)) => names.push(quoted(name)),
            None => clusters.push((&broker.cluster, vec![quoted(name)])),
        }
    }
    let clusters: Vec<String> = clusters
        .iter()
        .map(|(cluster, names)| format!("{}:[{}]", quoted(cluster), names.join(",")))
        .collect();
    let body = format!(
        "{{\"brokerAddrTable\":{{{}}},\"clusterAddrTable\":{{{}}}}}",
        addresses.join(","),
        clusters.join(",")
    );
    body.into_bytes()
}

/// The names of all topics, or of those of one cluster.
pub(crate) fn topic_list_body(registry: &Registry, cluster: Option<&str>) -> Vec<u8> {
    let names: Vec<String> = registry.topic_names(cluster).iter().map(|name| quoted(name)).collect();
    format!("{{\"topicList\":[{}]}}", names.join(",")).into_bytes()
}

fn broker_data(dialect: Dialect, name: &str, cluster: &str, address: &str, standard: bool) -> String {
    let master_id = if standard { "\"0\"" } else { "0" };
    let end = if dialect.is_v5() { ",\"enableActingMaster\":false}" } else { "}" };
    format!(
        "{{\"brokerAddrs\":{{{master_id}:{}}},\"brokerName\":{},\"cluster\":{}{end}",
        quoted(address),
        quoted(name),
        quoted(cluster)
    )
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_text(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
