//! `rocketmq topic`: topics are created, listed, and their queues looked at.

use std::process::ExitCode;

use rocketmq_driver::{Admin, AdminError, BrokerFailure, BrokerName, TopicConfig, TopicPlace};
use serde_json::json;

use super::args::{CreateArgs, Permission, TopicCommand};
use super::status::status;
use super::{AskError, Shown, failures, is_missing, run as ask};
use crate::text::{printable, push_table};

/// Runs one of the commands.
///
/// # Errors
/// The question could not be asked, or nobody answered.
pub(crate) fn run(command: TopicCommand) -> Result<ExitCode, AskError> {
    match command {
        TopicCommand::Create(args) => {
            let (config, place) = (config(&args), place(&args));
            ask(&args.ask, move |_, admin| create(admin, config, place))
        }
        TopicCommand::List(args) => ask(&args.ask, |_, admin| list(admin)),
        TopicCommand::Status(args) => {
            let topic = args.topic;
            ask(&args.ask, move |runtime, admin| status(runtime, admin, topic))
        }
    }
}

fn config(args: &CreateArgs) -> TopicConfig {
    TopicConfig {
        read_queues: args.queues,
        write_queues: args.queues,
        readable: args.permission != Permission::W,
        writable: args.permission != Permission::R,
        order: args.order,
        attributes: args.attribute.iter().cloned().collect(),
        ..TopicConfig::new(args.topic.clone())
    }
}

fn place(args: &CreateArgs) -> TopicPlace {
    match (&args.cluster, &args.broker) {
        (_, Some(broker)) => TopicPlace::Broker(broker.clone()),
        (Some(cluster), None) => TopicPlace::Cluster(cluster.clone()),
        (None, None) => TopicPlace::OnlyCluster,
    }
}

async fn create(admin: Admin, config: TopicConfig, place: TopicPlace) -> Result<Shown, AdminError> {
    let (topic, queues) = (config.topic.clone(), config.write_queues);
    let (done, failed, complaint) = match admin.create_topic(topic.clone()).config(config).on(place).await {
        Ok(done) => (done, Vec::new(), None),
        Err(AdminError::Brokers { done, failed }) => {
            let error = AdminError::Brokers { done: done.clone(), failed: failed.clone() };
            (done, failed, Some(error.to_string()))
        }
        Err(error) if is_missing(&error) => (Vec::new(), Vec::new(), Some(error.to_string())),
        Err(error) => return Err(error),
    };
    let created: Vec<&str> = done.iter().map(BrokerName::as_str).collect();
    let json = json!({
        "topic": topic.as_str(),
        "queues": queues,
        "created": created,
        "failed": failures(&failed),
    });
    Ok(Shown { text: created_text(&created, &failed), json, complaint })
}

fn created_text(created: &[&str], failed: &[BrokerFailure]) -> String {
    let mut rows = vec![["BROKER", "RESULT"].map(str::to_owned)];
    rows.extend(created.iter().map(|broker| [printable(broker), "has the topic".to_owned()]));
    for failure in failed {
        let broker = failure.broker.as_ref().map_or("", BrokerName::as_str);
        rows.push([printable(broker), failure.why.to_string()]);
    }
    let mut text = String::new();
    if rows.len() > 1 {
        push_table(&mut text, &rows);
    }
    text
}

async fn list(admin: Admin) -> Result<Shown, AdminError> {
    let topics = admin.topics().await?;
    let mut rows = vec![["TOPIC".to_owned()]];
    rows.extend(topics.iter().map(|topic| [printable(topic)]));
    let mut text = String::new();
    push_table(&mut text, &rows);
    Ok(Shown { text, json: json!({ "topics": topics }), complaint: None })
}

#[cfg(test)]
mod tests {
    use super::created_text;
    use rocketmq_driver::{BrokerFailure, CallFailure};

    #[test]
    fn what_each_broker_did_is_a_row() {
        let failed = BrokerFailure {
            broker: Some("broker-b".parse().expect("a name")),
            endpoint: None,
            why: CallFailure::NoMaster,
        };
        let expected = "BROKER    RESULT\nbroker-a  has the topic\nbroker-b  has no master\n";
        assert_eq!(created_text(&["broker-a"], &[failed]), expected);
        assert_eq!(created_text(&[], &[]), "");
    }
}
