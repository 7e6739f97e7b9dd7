//! A place to run a case: servers, a runtime, and a form of the headers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use rocketmq_sim::real::RealCluster;
use rocketmq_tokio::{
    Client, ClientBuilder, Producer, SerializeType, SharedClientError, SharedClients, TopicName,
};

/// The runtimes that the client has a crate for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Tokio,
    Smol,
}

/// Where a case runs.
pub(crate) struct Bench<'a> {
    pub(crate) cluster: &'a RealCluster,
    kind: Kind,
    serialize: SerializeType,
    tokio: Option<tokio::runtime::Runtime>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(cluster: &'a RealCluster, (kind, serialize): (Kind, SerializeType)) -> Self {
        let tokio = (kind == Kind::Tokio).then(|| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(2).enable_all().build().expect("runtime")
        });
        Self { cluster, kind, serialize, tokio }
    }

    /// A name for a topic or a group that no other case uses.
    pub(crate) fn name(&self, case: &str) -> String {
        format!("{case}-{:?}-{}", self.kind, self.serialize)
    }

    pub(crate) fn topic(&self, case: &str) -> TopicName {
        self.name(case).parse().expect("a name for a topic")
    }

    /// A topic with four queues on each of these brokers.
    pub(crate) fn topic_on(&self, case: &str, brokers: &[&str]) -> TopicName {
        let topic = self.topic(case);
        for broker in brokers {
            self.cluster.create_topic(broker, topic.as_str(), 4, 6).expect("a topic");
        }
        topic
    }

    /// A client of the servers of this bench.
    pub(crate) fn client(&self) -> Client {
        self.client_of(self.cluster.name_server())
    }

    pub(crate) fn client_of(&self, name_servers: &str) -> Client {
        self.start(Client::builder(name_servers))
    }

    /// A client of the servers of this bench with other settings.
    pub(crate) fn client_with(&self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        self.start(change(Client::builder(self.cluster.name_server())))
    }

    /// The client of this table with the id that these settings give.
    pub(crate) fn shared(
        &self,
        clients: &SharedClients,
        change: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Client, SharedClientError> {
        let builder = change(Client::builder(self.cluster.name_server())).serialize_type(self.serialize);
        match &self.tokio {
            Some(runtime) => {
                let _entered = runtime.enter();
                rocketmq_tokio::Start::start_shared(builder, clients)
            }
            None => rocketmq_smol::Start::start_shared(builder, clients),
        }
    }

    fn start(&self, builder: ClientBuilder) -> Client {
        let builder = builder.serialize_type(self.serialize);
        let client = match &self.tokio {
            Some(runtime) => {
                let _entered = runtime.enter();
                rocketmq_tokio::Start::start(builder)
            }
            None => rocketmq_smol::Start::start(builder),
        };
        client.expect("a client")
    }

    /// Opens a producer; its group is named after the case.
    pub(crate) fn producer(&self, client: &Client, case: &str) -> Producer {
        let opening = client.producer(self.name(case)).open();
        self.run(opening).expect("a producer")
    }

    pub(crate) fn spawner(&self) -> Spawner {
        Spawner(self.tokio.as_ref().map(|runtime| runtime.handle().clone()))
    }

    /// Runs a future on the runtime and waits for it.
    pub(crate) fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        self.wait(self.spawner().spawn(future))
    }

    pub(crate) fn wait<T>(&self, task: Task<T>) -> T {
        smol::block_on(task)
    }
}

impl fmt::Display for Bench<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Tokio => "tokio",
            Kind::Smol => "smol",
        };
        write!(f, "{:<5} {:<5} {:<8}", self.cluster.version(), kind, self.serialize)
    }
}

/// Starts tasks on the runtime of a bench.
#[derive(Clone)]
pub(crate) struct Spawner(Option<tokio::runtime::Handle>);

/// A task under way.
pub(crate) type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Spawner {
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        match &self.0 {
            Some(tokio) => {
                let task = tokio.spawn(future);
                Box::pin(async { task.await.expect("the task ends") })
            }
            None => Box::pin(smol::spawn(future)),
        }
    }
}
