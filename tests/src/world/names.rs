//! I23: names on the wire have the client's namespace, and names that are handed out have none.

use rocketmq_core::client::{Action, Answer, ClientConfig, Notice};
use serde_json::Value;

use super::{Invariant, PipeId, World};
use crate::cluster::{Frame, parse_properties};

/// Stay bare in every namespace: the default topic, and what is the client's own.
const BARE: [&str; 3] = ["TBW102", "RMQ_SYS_TRACE_TOPIC", "CLIENT_INNER_PRODUCER"];

/// What a client was told to add to names and requests.
struct Wanted {
    /// With the sign behind it; empty where there is none.
    prefix: String,
    fields: Vec<(&'static str, String)>,
    unit: String,
    unit_mode: &'static str,
}

impl Wanted {
    /// None for a client that adds nothing, so that it may call things what it likes.
    fn of(config: &ClientConfig) -> Option<Wanted> {
        let prefix = config.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}%"));
        let mut fields = Vec::new();
        if let Some(namespace) = &config.namespace_v2 {
            fields.push(("nsd", "true".to_owned()));
            fields.push(("ns", namespace.clone()));
        }
        fields.extend(config.zone.as_ref().map(|zone| ("__ZONE_NAME", zone.name.clone())));
        let unit = config.identity.unit_name.as_ref().map_or(String::new(), |unit| format!("@{unit}"));
        let adds = !prefix.is_empty() || !fields.is_empty() || !unit.is_empty() || config.unit_mode;
        let unit_mode = if config.unit_mode { "true" } else { "false" };
        adds.then_some(Wanted { prefix, fields, unit, unit_mode })
    }

    fn is_right(&self, name: &str) -> bool {
        BARE.contains(&name) || name.strip_prefix(&self.prefix).is_some_and(|bare| !bare.contains('%'))
    }
}

impl World {
    /// A request of a client.
    pub(super) fn check_names_written(&mut self, id: PipeId, frame: &Frame) {
        let Some(pipe) = self.pipes.get(&id) else { return };
        let client = pipe.client;
        let Some(wanted) = Wanted::of(&self.clients[client].config) else {
            return;
        };
        self.checked(Invariant::Names);
        let mut wrong: Vec<String> = Vec::new();
        for name in names_in(frame) {
            if !wanted.is_right(&name) {
                wrong.push(name);
            }
        }
        for (name, value) in &wanted.fields {
            if frame.ext(name) != Some(value) {
                wrong.push(format!("{name} = {:?}", frame.ext(name)));
            }
        }
        wrong.extend(client_id(frame).filter(|id| !id.ends_with(&wanted.unit)));
        if frame.code == 310 && frame.ext("k") != Some(wanted.unit_mode) {
            wrong.push(format!("k = {:?}", frame.ext("k")));
        }
        if !wrong.is_empty() {
            let text = format!("client {client} writes {wrong:?} in a request {}", frame.code);
            self.fail(Invariant::Names, text);
        }
    }

    /// Something that a client hands out.
    pub(super) fn check_names_handed_out(&mut self, client: usize, action: &Action) {
        if self.clients[client].config.namespace.is_none() {
            return;
        }
        let names: Vec<&str> = match action {
            Action::Answer { answer: Answer::Sent(Ok(receipt)), .. } => vec![receipt.queue.topic.as_str()],
            Action::Answer { answer, .. } => match answer {
                Answer::Sent(Err(error)) | Answer::Room(Err(error)) | Answer::HandedOver(Err(error)) => {
                    let given_back = error.message().map(|message| message.topic().as_str());
                    std::iter::once(error.topic().as_str()).chain(given_back).collect()
                }
                Answer::Closed(left) => left.iter().map(|it| it.message.topic().as_str()).collect(),
                _ => return,
            },
            Action::Check(check) => vec![check.group.as_str(), check.message.message.topic().as_str()],
            Action::Notice(Notice::RouteChanged { topic, .. } | Notice::Retry { topic, .. }) => {
                vec![topic.as_str()]
            }
            _ => return,
        };
        let wrong: Vec<String> =
            names.iter().filter(|name| name.contains('%')).map(ToString::to_string).collect();
        self.checked(Invariant::Names);
        if !wrong.is_empty() {
            self.fail(Invariant::Names, format!("client {client} hands out {wrong:?}: {action:?}"));
        }
    }

    /// What clients show to observers, in the end.
    pub(super) fn check_names_shown(&mut self) {
        for client in 0..self.clients.len() {
            let it = &self.clients[client];
            if it.config.namespace.is_none() {
                continue;
            }
            let info = it.core.running_info(it.started);
            let topics = info.cluster.topics.iter().map(|view| view.topic.to_string());
            let groups = info.producers.iter().map(|view| view.group.to_string());
            let wrong: Vec<String> = topics.chain(groups).filter(|name| name.contains('%')).collect();
            self.checked(Invariant::Names);
            if !wrong.is_empty() {
                self.fail(Invariant::Names, format!("client {client} shows {wrong:?}"));
            }
        }
    }

    /// A topic of a client, as servers know it.
    pub(super) fn topic_on_servers(&self, client: usize, topic: &str) -> String {
        match &self.clients[client].config.namespace {
            Some(namespace) if !BARE.contains(&topic) => format!("{namespace}%{topic}"),
            _ => topic.to_owned(),
        }
    }
}

/// Topics and groups in a request.
fn names_in(frame: &Frame) -> Vec<String> {
    let fields: &[&str] = match frame.code {
        105 => &["topic"],
        310 => &["a", "b", "c"],
        35 => &["producerGroup"],
        37 => &["topic", "producerGroup"],
        _ => &[],
    };
    let mut names: Vec<String> =
        fields.iter().map(|name| frame.ext(name).unwrap_or_default().to_owned()).collect();
    if frame.code == 310 {
        let properties = parse_properties(frame.ext("i").unwrap_or_default());
        names.extend(
            properties
                .into_iter()
                .filter(|(name, _)| name == "PGROUP")
                .map(|(_, group)| group.as_str().to_owned()),
        );
    }
    if frame.code == 34 {
        let groups = heartbeat(frame)["producerDataSet"].take();
        let name = |group: &Value| group["groupName"].as_str().unwrap_or_default().to_owned();
        names.extend(groups.as_array().into_iter().flatten().map(name));
    }
    names
}

fn client_id(frame: &Frame) -> Option<String> {
    match frame.code {
        34 => Some(heartbeat(frame)["clientID"].as_str().unwrap_or_default().to_owned()),
        35 => Some(frame.ext("clientID").unwrap_or_default().to_owned()),
        _ => None,
    }
}

fn heartbeat(frame: &Frame) -> Value {
    serde_json::from_slice(&frame.body).unwrap_or_default()
}
