//! `rocketmq query`: stored messages by the broker's id, by key, and by unique id.

use std::process::ExitCode;

use rocketmq_driver::{Admin, AdminError, MessageExt, MessageQuery};
use serde_json::{Value, json};

use super::args::QueryCommand;
use super::{AskError, Shown, failures, is_certain, is_missing, message, run as ask};

/// Runs one of the commands.
///
/// # Errors
/// The question could not be asked, or nobody answered.
pub(crate) fn run(command: QueryCommand) -> Result<ExitCode, AskError> {
    match command {
        QueryCommand::Id(args) => {
            let (topic, id) = (args.topic, args.id);
            ask(&args.ask, move |_, admin| async move { one(admin.view_message(topic, id).await) })
        }
        QueryCommand::Key(args) => {
            let query = MessageQuery {
                most: args.count,
                begin_ms: args.begin,
                end_ms: args.end,
                ..MessageQuery::new(args.topic, args.key)
            };
            ask(&args.ask, move |_, admin| by_key(admin, query))
        }
        QueryCommand::Uniq(args) => {
            let (topic, id) = (args.topic, args.id);
            ask(&args.ask, move |_, admin| async move { one(admin.query_unique_key(topic, id).await) })
        }
    }
}

fn one(found: Result<MessageExt, AdminError>) -> Result<Shown, AdminError> {
    match found {
        Ok(found) => {
            let json = json!({ "found": true, "message": message::to_json(&found) });
            Ok(Shown { text: message::to_text(&found), json, complaint: None })
        }
        Err(error) if is_missing(&error) => {
            let found = is_certain(&error).then_some(false);
            let json = json!({ "found": found, "error": error.to_string() });
            Ok(Shown { text: String::new(), json, complaint: Some(error.to_string()) })
        }
        Err(error) => Err(error),
    }
}

async fn by_key(admin: Admin, query: MessageQuery) -> Result<Shown, AdminError> {
    let (topic, key) = (query.topic.to_string(), query.key.clone());
    let mut certain = true;
    let (messages, failed, complaint) = match admin.query_messages(query).await {
        Ok(result) if result.messages.is_empty() => {
            (Vec::new(), Vec::new(), Some("no message found".to_owned()))
        }
        Ok(result) => {
            let complaint = result.failed.first().map(|first| {
                format!("messages may be missing: {} brokers failed, the first: {first}", result.failed.len())
            });
            (result.messages, result.failed, complaint)
        }
        Err(error) if is_missing(&error) => {
            certain = is_certain(&error);
            let text = error.to_string();
            let failed = if let AdminError::Brokers { failed, .. } = error { failed } else { Vec::new() };
            (Vec::new(), failed, Some(text))
        }
        Err(error) => return Err(error),
    };
    let json = json!({
        "topic": topic,
        "key": key,
        "found": (certain || !messages.is_empty()).then_some(!messages.is_empty()),
        "messages": messages.iter().map(message::to_json).collect::<Vec<Value>>(),
        "failed": failures(&failed),
    });
    let text = if messages.is_empty() { String::new() } else { message::to_table(&messages) };
    Ok(Shown { text, json, complaint })
}
