//! The set-up of servers, run by the project's script.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{ProducerConnection, QueueCount, RealError, ServerConnection, StoredMessage};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/real/servers");

/// Exit status of the script for a program that is not installed.
const MISSING_PROGRAM: i32 = 3;

/// Two rounds of the brokers' regular registration, in case the one at once was lost.
const ROUTE_LIMIT: Duration = Duration::from_secs(60);

/// What to start; [`start`](Self::start) does it.
#[derive(Clone, Debug)]
pub struct SetUp {
    arguments: Vec<String>,
}

impl SetUp {
    /// One name server and one master of this version of RocketMQ, with default settings.
    pub fn new(version: &str) -> Self {
        Self { arguments: vec!["serve".to_owned(), "--version".to_owned(), version.to_owned()] }
    }

    /// Number of masters: `broker-a`, `broker-b`, ...
    #[must_use]
    pub fn brokers(self, count: usize) -> Self {
        self.option("--brokers", count.to_string())
    }

    /// Number of name servers: `name-server-1`, `name-server-2`, ...
    #[must_use]
    pub fn name_servers(self, count: usize) -> Self {
        self.option("--name-servers", count.to_string())
    }

    /// A line of every broker's configuration; with a key like `broker-b:key`, of that one's only.
    #[must_use]
    pub fn broker_setting(self, key: &str, value: &str) -> Self {
        self.option("--broker-setting", format!("{key}={value}"))
    }

    /// An option of every Java process, for example `-Xmx512m`.
    #[must_use]
    pub fn java_option(self, option: &str) -> Self {
        self.option("--java-option", option.to_owned())
    }

    fn option(mut self, name: &str, value: String) -> Self {
        self.arguments.extend([name.to_owned(), value]);
        self
    }

    /// Starts the servers and returns when they are ready. The first start of a version fetches it from Maven Central.
    pub fn start(&self) -> Result<RealCluster, RealError> {
        let action = self.arguments.join(" ");
        let mut script = Command::new(SCRIPT)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(RealError::io(format!("running {SCRIPT}")))?;
        let hold = script.stdin.take();
        let mut variables = BTreeMap::new();
        for line in script.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
            let line = line.map_err(RealError::io(action.clone()))?;
            if line == "READY" {
                return RealCluster::new(script, hold, &variables);
            }
            if let Some((name, value)) = line.split_once('=') {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
        // No READY: it has failed, and its standard error says why.
        let mut message = String::new();
        if let Some(mut stderr) = script.stderr.take() {
            stderr.read_to_string(&mut message).map_err(RealError::io(action.clone()))?;
        }
        let status = script.wait().map_err(RealError::io(action.clone()))?;
        Err(script_error(action, status, message))
    }
}

/// Name servers and brokers that run until this is dropped, or until the test program ends in whatever way.
///
/// All methods take `&self` and may be called from several threads at once: cases share one set-up, each with topics and
/// groups of its own. They block; call them from a thread that may.
#[derive(Debug)]
pub struct RealCluster {
    script: Child,
    /// The script ends the servers when this pipe closes.
    hold: Option<ChildStdin>,
    directory: PathBuf,
    version: String,
    name_server: String,
    brokers: Vec<(String, String)>,
}

impl RealCluster {
    /// Starts one name server and `brokers` masters with these settings; see [`SetUp`] for more.
    pub fn start(version: &str, settings: &[(&str, &str)], brokers: usize) -> Result<Self, RealError> {
        let set_up = SetUp::new(version).brokers(brokers);
        settings.iter().fold(set_up, |set_up, (key, value)| set_up.broker_setting(key, value)).start()
    }

    fn new(
        script: Child,
        hold: Option<ChildStdin>,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, RealError> {
        let variable = |name: &str| variables.get(name).map_or("", String::as_str);
        let names = variable("ROCKETMQ_BROKERS").split(' ').map(str::to_owned);
        let addresses = variable("ROCKETMQ_BROKER_ADDRESSES").split(' ').map(str::to_owned);
        let cluster = Self {
            script,
            hold,
            directory: variable("ROCKETMQ_DIR").into(),
            version: variable("ROCKETMQ_VERSION").to_owned(),
            name_server: variable("ROCKETMQ_NAME_SERVER").to_owned(),
            brokers: names.zip(addresses).collect(),
        };
        if cluster.name_server.is_empty() || cluster.broker_address("broker-a").is_err() {
            return Err(RealError::malformed("variables of the script", format_args!("{variables:?}")));
        }
        Ok(cluster)
    }

    /// Addresses of the name servers, in the form clients take: `host:port;host:port`.
    pub fn name_server(&self) -> &str {
        &self.name_server
    }

    /// Version of the servers.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Folder with a folder for each server: its configuration, output, logs and store.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Names of the brokers: `broker-a`, `broker-b`, ...
    pub fn brokers(&self) -> impl Iterator<Item = &str> {
        self.brokers.iter().map(|(name, _)| name.as_str())
    }

    /// Address of a broker, `host:port`; a restart keeps it.
    pub fn broker_address(&self, broker: &str) -> Result<&str, RealError> {
        let found = self.brokers.iter().find(|(name, _)| name == broker);
        found.map(|(_, address)| address.as_str()).ok_or_else(|| RealError::NoSuchServer(broker.to_owned()))
    }

    /// Process id of a server (`broker-a`, `name-server-1`).
    pub fn process_id(&self, server: &str) -> Result<u32, RealError> {
        let file = self.directory.join(server).join("pid");
        let text = fs::read_to_string(&file).map_err(|_| RealError::NoSuchServer(server.to_owned()))?;
        text.trim().parse().map_err(|e| RealError::malformed(file.display().to_string(), e))
    }

    /// Kills a server with SIGKILL and waits until it is gone.
    pub fn kill9(&self, server: &str) -> Result<(), RealError> {
        self.script("kill", server)
    }

    /// Ends a server with SIGTERM, which lets it write its state and leave the route, and waits until it is gone; that
    /// may take 20 s.
    pub fn terminate(&self, server: &str) -> Result<(), RealError> {
        self.script("terminate", server)
    }

    /// Starts a server that has ended, on its own store and port, and waits until it is ready.
    pub fn restart(&self, server: &str) -> Result<(), RealError> {
        self.script("restart", server)
    }

    /// Stops a server with SIGSTOP: connections stay open, new ones are accepted, and nothing is answered.
    pub fn stop(&self, server: &str) -> Result<(), RealError> {
        self.script("pause", server)
    }

    /// Lets a stopped server go on, with SIGCONT.
    pub fn cont(&self, server: &str) -> Result<(), RealError> {
        self.script("resume", server)
    }

    fn script(&self, action: &str, server: &str) -> Result<(), RealError> {
        let what = format!("{action} {server}");
        let output = Command::new(SCRIPT)
            .arg(action)
            .arg(&self.directory)
            .arg(server)
            .stdin(Stdio::null())
            .output()
            .map_err(RealError::io(what.clone()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(script_error(what, output.status, String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// A connection to a broker, for many requests in a row.
    pub fn connect(&self, broker: &str) -> Result<ServerConnection, RealError> {
        ServerConnection::open(self.broker_address(broker)?)
    }

    /// Changes a setting of a running broker; see [`ServerConnection::set`].
    pub fn set(&self, broker: &str, key: &str, value: &str) -> Result<(), RealError> {
        self.connect(broker)?.set(key, value)
    }

    /// Makes a topic on one broker, or changes it, and returns when the name server knows it: on a loaded machine the
    /// broker tells it some time after its answer. `permission`: 4 read, 2 write, 6 both.
    pub fn create_topic(
        &self,
        broker: &str,
        topic: &str,
        queues: i32,
        permission: i32,
    ) -> Result<(), RealError> {
        let mut connection = self.connect(broker)?;
        connection.create_topic(topic, queues, permission)?;
        let expected = QueueCount {
            broker: broker.to_owned(),
            read_queues: queues,
            write_queues: queues,
            permission: connection.permission_in_route(permission)?,
        };
        self.wait_for_route(topic, &expected)
    }

    /// Waits until the name server names these queues for the topic.
    pub fn wait_for_route(&self, topic: &str, expected: &QueueCount) -> Result<(), RealError> {
        let deadline = Instant::now() + ROUTE_LIMIT;
        loop {
            let counts = self.queue_counts(topic)?;
            if counts.contains(expected) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let what = format!("the route of {topic} has not {expected:?} but {counts:?}");
                return Err(RealError::TooSlow(what));
            }
            // The name server does not tell when it changes: ask again, but leave it the processor.
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Number of messages in a queue, when all that the broker has stored is counted.
    pub fn max_offset(&self, broker: &str, topic: &str, queue_id: i32) -> Result<i64, RealError> {
        let mut connection = self.connect(broker)?;
        connection.wait_until_dispatched()?;
        connection.max_offset(topic, queue_id)
    }

    /// All messages of one queue, in their order.
    pub fn messages(
        &self,
        broker: &str,
        topic: &str,
        queue_id: i32,
    ) -> Result<Vec<StoredMessage>, RealError> {
        let mut connection = self.connect(broker)?;
        connection.wait_until_dispatched()?;
        connection.messages(broker, topic, queue_id)
    }

    /// Where a topic has queues, as the first name server knows it; nothing if it does not know the topic.
    pub fn queue_counts(&self, topic: &str) -> Result<Vec<QueueCount>, RealError> {
        let first = self.name_server.split(';').next().unwrap_or_default();
        ServerConnection::open(first)?.queue_counts(topic)
    }

    /// All messages of a topic on all brokers, by broker, queue and place in the queue. All brokers must be running; one
    /// that does not answer is an error, because what it holds would be missing.
    pub fn stored(&self, topic: &str) -> Result<Vec<StoredMessage>, RealError> {
        let mut messages = Vec::new();
        for (broker, address) in &self.brokers {
            let mut connection = ServerConnection::open(address)?;
            connection.wait_until_dispatched()?;
            for queue_id in 0..connection.read_queues(topic)? {
                messages.extend(connection.messages(broker, topic, queue_id)?);
            }
        }
        Ok(messages)
    }

    /// The connections of a producer group on all brokers.
    pub fn producers(&self, group: &str) -> Result<Vec<ProducerConnection>, RealError> {
        let mut producers = Vec::new();
        for (broker, address) in &self.brokers {
            producers.extend(ServerConnection::open(address)?.producers(broker, group)?);
        }
        Ok(producers)
    }
}

impl Drop for RealCluster {
    fn drop(&mut self) {
        drop(self.hold.take());
        // The script takes care of the servers even if nobody can wait for it.
        let _ = self.script.wait();
    }
}

fn script_error(action: String, status: ExitStatus, message: String) -> RealError {
    let message = message.trim_end().to_owned();
    if status.code() == Some(MISSING_PROGRAM) {
        return RealError::MissingProgram(message);
    }
    RealError::Script { action, status: status.to_string(), message }
}
