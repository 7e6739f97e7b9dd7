//! The body of a heartbeat, read with some of the leniency of the server's JSON library.

use serde_json::{Map, Value};

use crate::cluster::Dialect;

const NULL_POINTER: &str = "java.lang.NullPointerException";

/// What a heartbeat says.
pub(super) struct Heartbeat {
    pub(super) client_id: Option<String>,
    pub(super) producer_groups: Vec<String>,
    pub(super) consumers: Vec<ConsumerSettings>,
    pub(super) fingerprint: i64,
}

/// What a heartbeat says about a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConsumerSettings {
    pub(super) group: String,
    /// Start, type, model and subscriptions, as they stand in the list of connections.
    pub(super) text: String,
}

impl Heartbeat {
    /// Reads the body.
    ///
    /// # Errors
    /// The class of the exception that a server runs into.
    pub(super) fn read(dialect: Dialect, body: &[u8]) -> Result<Heartbeat, &'static str> {
        let library = if dialect.is_v5() {
            "com.alibaba.fastjson2.JSONException"
        } else {
            "com.alibaba.fastjson.JSONException"
        };
        if body.is_empty() {
            return Err(NULL_POINTER);
        }
        let parsed: Value = serde_json::from_slice(body).map_err(|_| library)?;
        let Value::Object(fields) = parsed else {
            let is_refused = dialect.is_v5() && !parsed.is_null();
            return Err(if is_refused { library } else { NULL_POINTER });
        };
        let fingerprint = match fields.get("heartbeatFingerprint") {
            Some(Value::String(_)) if dialect.is_v5() => return Err(library),
            other => other.and_then(Value::as_i64).unwrap_or(0),
        };
        let producers = entries(&fields, "producerDataSet", library)?;
        let consumers = entries(&fields, "consumerDataSet", library)?;
        let producer_groups = producers.into_iter().map(|(group, _)| group).collect();
        let consumers = consumers
            .into_iter()
            .map(|(group, entry)| ConsumerSettings { group, text: settings_text(entry) })
            .collect();
        let client_id = match fields.get("clientID") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        Ok(Heartbeat { client_id, producer_groups, consumers, fingerprint })
    }
}

type Entry<'a> = (String, &'a Map<String, Value>);

/// The entries of a set with the names of their groups. An absent set is empty, one that is null is an error.
fn entries<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
    library: &'static str,
) -> Result<Vec<Entry<'a>>, &'static str> {
    let set = match fields.get(name) {
        None => return Ok(Vec::new()),
        Some(Value::Null) => return Err(NULL_POINTER),
        Some(Value::Array(set)) => set,
        Some(_) => return Err(library),
    };
    let entry = |entry: &'a Value| {
        let entry = entry.as_object().ok_or(NULL_POINTER)?;
        let group = entry.get("groupName").and_then(Value::as_str).ok_or(NULL_POINTER)?;
        Ok((group.to_owned(), entry))
    };
    set.iter().map(entry).collect()
}

/// Keys in alphabetical order, as the server's library writes them.
fn settings_text(entry: &Map<String, Value>) -> String {
    let mut texts: Vec<String> = ["consumeFromWhere", "consumeType", "messageModel"]
        .iter()
        .filter_map(|name| entry.get(*name).map(|value| format!("\"{name}\":{value}")))
        .collect();
    let subscriptions: Vec<String> = entry
        .get("subscriptionDataSet")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("topic").map(|topic| format!("{topic}:{one}")))
        .collect();
    texts.push(format!("\"subscriptionTable\":{{{}}}", subscriptions.join(",")));
    texts.join(",")
}
