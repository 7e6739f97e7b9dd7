//! Commands that ask the servers something through a client: `rocketmq topic` and `rocketmq query`.

pub(crate) mod args;
mod message;
pub(crate) mod query;
mod status;
pub(crate) mod topic;

use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use rocketmq_driver::{Admin, AdminError, BrokerFailure, Client, ConfigError};
use serde_json::{Value, json};

use crate::args::AskArgs;
use crate::exit_code;
use crate::name_servers::NameServerError;
use crate::runtime::Runtime;

/// How long the end of the program waits for connections to be closed.
const LEAVE_TIME: Duration = Duration::from_secs(1);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// No name server is known.
    #[error(transparent)]
    NameServers(#[from] NameServerError),
    /// The client has none.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A setting of the client is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system refuses what the runtime needs, or takes no output.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a command has to show.
pub(crate) struct Shown {
    /// For people.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Value,
    /// What did not work although the command ran, for standard error.
    pub(crate) complaint: Option<String>,
}

/// Lets `ask` ask, shows what it found, and says how it went.
fn run<F>(
    args: &AskArgs,
    ask: impl FnOnce(Runtime, Admin) -> F + Send + 'static,
) -> Result<ExitCode, AskError>
where
    F: Future<Output = Result<Shown, AdminError>> + Send + 'static,
{
    let builder = Client::builder(args.servers.list(args.timeout)?)
        .serialize_type(args.serialize.into())
        .drop_budget(LEAVE_TIME);
    let builder = args.identity.apply(builder);
    let timeout = args.timeout;
    let asked = Runtime::run(args.runtime, move |runtime| async move {
        let client = runtime.start(builder)?;
        let result = ask(runtime, client.admin().within(timeout)).await;
        client.shutdown(LEAVE_TIME).await;
        Ok::<_, AskError>(result?)
    })?;
    show(&asked?, args.json)
}

fn show(shown: &Shown, json: bool) -> Result<ExitCode, AskError> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", shown.json)?;
    } else {
        out.write_all(shown.text.as_bytes())?;
    }
    Ok(match &shown.complaint {
        None => ExitCode::from(exit_code::SUCCESS),
        Some(complaint) => {
            eprintln!("rocketmq: {complaint}");
            ExitCode::from(exit_code::NOT_ALL)
        }
    })
}

/// Brokers that failed, for programs.
fn failures(failed: &[BrokerFailure]) -> Vec<Value> {
    let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
    let one = |failure: &BrokerFailure| {
        json!({
            "broker": text(failure.broker.as_ref().map(ToString::to_string)),
            "address": text(failure.endpoint.as_ref().map(ToString::to_string)),
            "error": failure.why.to_string(),
        })
    };
    failed.iter().map(one).collect()
}

/// Errors that say for certain that there is nothing.
fn is_certain(error: &AdminError) -> bool {
    matches!(error, AdminError::NotFound | AdminError::TopicUnknown(_))
}

/// Errors that say that something is not there, which is an answer too.
fn is_missing(error: &AdminError) -> bool {
    matches!(
        error,
        AdminError::NotFound
            | AdminError::TopicUnknown(_)
            | AdminError::UnknownCluster { .. }
            | AdminError::UnknownBroker(_)
            | AdminError::WhichCluster(_)
            | AdminError::Brokers { .. }
            | AdminError::Broker(_)
    )
}
