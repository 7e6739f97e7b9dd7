//! `rocketmq demo`: the client at work on an embedded cluster that loses a broker and gets it back. At the
//! end, what the client said about each message is compared with what the brokers hold.

mod books;
mod load;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rocketmq_driver::{Client, Message, Producer, Timing, TopicName};
use rocketmq_sim::cluster::{Broker, ClusterConfig, SendAttempt, SendDecision};
use rocketmq_sim::serve::ServedCluster;

use crate::args::{DemoArgs, RuntimeName};
use crate::exit_code;
use crate::runtime::Runtime;
use books::{Audit, Books, Told};
use load::Load;

const TOPIC: &str = "DemoTopic";
const GROUP: &str = "demo-producer";
/// Messages of each way of sending while all is well.
const AWAITED: usize = 10;
const ENQUEUED: usize = 2_000;
const ONE_WAY: usize = 100;
/// The broker that is lost, and its index in the cluster.
const LOST_BROKER: &str = "broker-b";
const LOST_INDEX: usize = 1;
/// Messages that the broker stores without an answer before it dies.
const UNANSWERED: usize = 20;
/// Verdicts to wait for before the broker is lost, and again before it comes back.
const BEFORE_LOSS: usize = 300;
const DURING_LOSS: usize = 1_000;
/// Verdicts after which the broker must be in use again.
const PATIENCE: usize = 20_000;
/// How long each message may take, and the shutdown.
const DEADLINE: Duration = Duration::from_secs(5);

/// Any error ends the demo.
type Failure = Box<dyn Error + Send + Sync>;

/// Tells the story on standard output.
///
/// # Errors
/// The cluster or the client cannot be started.
pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode, Box<dyn Error>> {
    let story = Story { start: Instant::now() };
    let config = ClusterConfig { name_servers: 2, brokers: 2, ..ClusterConfig::default() };
    let cluster = Arc::new(ServedCluster::start(config)?);
    story.tell(&format!(
        "a cluster is up in this process: name servers {}, brokers broker-a and {LOST_BROKER}",
        cluster.name_server_addr()
    ))?;
    let runtime = args.runtime;
    let adds_up = Runtime::run(runtime, move |handle| async move {
        let mut demo = Demo::start(handle, runtime, cluster, story).await?;
        demo.send_in_three_ways().await?;
        demo.lose_a_broker().await?;
        demo.end().await
    })?;
    let adds_up = adds_up.map_err(|failure: Failure| -> Box<dyn Error> { failure })?;
    Ok(ExitCode::from(if adds_up { exit_code::SUCCESS } else { exit_code::NOT_ALL }))
}

/// Prints lines with the time since the start.
#[derive(Debug, Clone, Copy)]
struct Story {
    start: Instant,
}

impl Story {
    fn tell(&self, line: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "[{:7.3} s] {line}", self.start.elapsed().as_secs_f64())?;
        out.flush()
    }
}

/// Everything the demo holds.
struct Demo {
    runtime: Runtime,
    cluster: Arc<ServedCluster>,
    story: Story,
    client: Client,
    producer: Producer,
    books: Books,
}

impl Demo {
    async fn start(
        runtime: Runtime,
        name: RuntimeName,
        cluster: Arc<ServedCluster>,
        story: Story,
    ) -> Result<Self, Failure> {
        // A real client asks for routes every 30 s; the demo does not want to wait so long for a broker
        // that comes back.
        let timing = Timing {
            route_interval: Duration::from_millis(500),
            route_retry_interval: Duration::from_millis(100),
            reconnect_pause_max: Duration::from_millis(500),
            ..Timing::default()
        };
        let addresses = cluster.name_server_addr();
        let client = runtime.start(Client::builder(addresses.as_str()).timing(timing))?;
        let producer = client.producer(GROUP).open().await?;
        story.tell(&format!(
            "client {} runs on {}, producer group {GROUP} is open",
            client.client_id(),
            match name {
                RuntimeName::Tokio => "tokio",
                RuntimeName::Smol => "smol",
            }
        ))?;
        Ok(Self { runtime, cluster, story, client, producer, books: Books::default() })
    }

    async fn send_in_three_ways(&mut self) -> Result<(), Failure> {
        for number in 0..AWAITED {
            let key = format!("awaited-{number}");
            let told = self.producer.send(message(&key)?).within(DEADLINE).await;
            if let (0, Ok(receipt)) = (number, &told) {
                let (id, queue, offset) = (&receipt.message_id, &receipt.queue, receipt.queue_offset);
                self.story.tell(&format!("first receipt: {id} is in {queue} at offset {offset}"))?;
            }
            self.books.enter(key, told.into());
        }
        self.story.tell(&format!("{AWAITED} messages sent one after the other, each awaited"))?;

        let began = Instant::now();
        let mut receipts = Vec::with_capacity(ENQUEUED);
        for number in 0..ENQUEUED {
            let key = format!("enqueued-{number}");
            match self.producer.enqueue(message(&key)?).within(DEADLINE).await {
                Ok(receipt) => receipts.push((key, receipt)),
                Err(error) => self.books.enter(key, Told::Failed(error)),
            }
        }
        for (key, receipt) in receipts {
            self.books.enter(key, receipt.await.into());
        }
        let took = began.elapsed().as_secs_f64() * 1e3;
        self.story.tell(&format!("{ENQUEUED} messages enqueued, all under way at once: {took:.0} ms"))?;

        for number in 0..ONE_WAY {
            let key = format!("one-way-{number}");
            let told = match self.producer.send_oneway(message(&key)?).within(DEADLINE).await {
                Ok(()) => Told::HandedOver,
                Err(error) => Told::Failed(error),
            };
            self.books.enter(key, told);
        }
        self.story.tell(&format!("{ONE_WAY} messages sent one-way: no answer is asked for"))?;
        Ok(())
    }

    async fn lose_a_broker(&mut self) -> Result<(), Failure> {
        let load = Load::start(&self.runtime, self.producer.clone())?;
        self.story.tell(&format!("a steady load begins: {} messages per second", Load::RATE))?;
        self.collect(&load, BEFORE_LOSS).await;

        let retried = self.books.retried();
        self.swallow_answers().await?;
        self.cluster.crash_broker(LOST_INDEX);
        self.story.tell(&format!("{LOST_BROKER} is killed"))?;
        self.collect(&load, DURING_LOSS).await;
        let again = self.books.retried().saturating_sub(retried);
        self.story.tell(&format!(
            "{DURING_LOSS} verdicts later: all goes to broker-a, {again} messages were sent a second time"
        ))?;

        self.with_lost_broker(Broker::clear_send_policy);
        self.cluster.restart_broker(LOST_INDEX)?;
        let back = Instant::now();
        self.story.tell(&format!("{LOST_BROKER} is started again"))?;
        let acknowledged = self.books.stored_by(LOST_BROKER);
        let mut waited = 0;
        while self.books.stored_by(LOST_BROKER) == acknowledged && waited < PATIENCE {
            self.collect(&load, 1).await;
            waited += 1;
        }
        if waited == PATIENCE {
            return Err(format!("{LOST_BROKER} is back, and no message goes there").into());
        }
        let took = back.elapsed().as_secs_f64();
        self.story.tell(&format!("the client has found it and uses it again after {took:.2} s"))?;
        self.collect(&load, BEFORE_LOSS).await;
        load.stop();
        while let Some((key, told)) = load.next().await {
            self.books.enter(key, told);
        }
        Ok(())
    }

    /// The worst moment to be killed: messages are stored and their answers are not yet out.
    async fn swallow_answers(&self) -> Result<(), Failure> {
        let (stored, silently_stored) = async_channel::unbounded();
        self.with_lost_broker(|broker| {
            broker.set_send_policy(move |_: &SendAttempt<'_>| {
                // Nobody counts any more when the demo has failed.
                let _ = stored.try_send(());
                SendDecision::StoreSilently
            });
        });
        for _ in 0..UNANSWERED {
            silently_stored.recv().await?;
        }
        self.story.tell(&format!(
            "{LOST_BROKER} has stored {UNANSWERED} messages and its answers do not get out"
        ))?;
        Ok(())
    }

    fn with_lost_broker(&self, work: impl FnOnce(&mut Broker)) {
        self.cluster.with_cluster(|cluster| cluster.broker_mut(LOST_INDEX).map(work));
    }

    /// Takes so many verdicts of the load, fewer when it has ended.
    async fn collect(&mut self, load: &Load, count: usize) {
        for _ in 0..count {
            let Some((key, told)) = load.next().await else {
                return;
            };
            self.books.enter(key, told);
        }
    }

    /// Shuts down and compares the books.
    async fn end(self) -> Result<bool, Failure> {
        self.producer.flush(DEADLINE).await?;
        let mut undelivered = self.producer.close(DEADLINE).await.len();
        undelivered += self.client.shutdown(DEADLINE).await.len();
        self.story.tell(&format!("the client is shut down, {undelivered} messages undelivered"))?;
        let stores = self.cluster.with_cluster(|cluster| cluster.stored(TOPIC));
        let audit = self.books.audit(&stores);
        let adds_up = audit.faults.is_empty() && undelivered == 0 && audit.not_stored == 0;
        io::stdout().write_all(tally(&audit, adds_up).as_bytes())?;
        Ok(adds_up)
    }
}

fn message(key: &str) -> Result<Message, Failure> {
    let topic: TopicName = TOPIC.parse()?;
    Ok(Message::builder(topic).body(format!("body of {key}")).key(key).build()?)
}

/// The comparison, for people.
fn tally(audit: &Audit, adds_up: bool) -> String {
    let lost = audit.handed_over - audit.handed_over_found;
    let mut lines = vec![
        String::new(),
        format!("{:>7}  messages were sent, and the client says:", audit.messages),
        format!("{:>7}  stored: each one is where its receipt says", audit.stored),
        format!("{:>7}  handed over (one-way): the brokers have all but {lost}", audit.handed_over),
        format!("{:>7}  may be stored", audit.may_be_stored),
        format!("{:>7}  not stored", audit.not_stored),
        format!("{:>7}  messages are in the stores of the brokers", audit.in_stores),
    ];
    lines.push(if audit.copies == 0 {
        format!("{:>7}  of them are second copies", 0)
    } else {
        format!(
            "{:>7}  of them are second copies: {LOST_BROKER} stored a message, died before it could say so, \
             and broker-a got it again with the same unique id",
            audit.copies
        )
    });
    for fault in audit.faults.iter().take(10) {
        lines.push(format!("         does not add up: {fault}"));
    }
    lines.push(if adds_up { "It adds up.".to_owned() } else { "It does not add up.".to_owned() });
    lines.push(String::new());
    lines.join("\n")
}
