//! The producers of a client: their table, their sends, and what they share.

use super::close::{Closing, FlushWaiter};
use super::hooks::SendHooks;
use super::inner::INNER_PRODUCER;
use super::room::{Grant, Room};
use super::send::{SendKey, SendState};
use super::trace::Tracing;
use super::transaction::{EndKey, Transactions};
use crate::cluster::{Cluster, ClusterPurpose, Learnt, TopicKey};
use crate::command::LanguageCode;
use crate::ground::names::{ClientId, GroupName, NameError, TopicName};
use crate::ground::{Instant, Key, Now, Rng, Slots, TimerKey, Timers};
use crate::interface::{
    Action, Answer, CheckId, ClientConfig, CommandId, ConfigError, Counters, Limits, OpenError,
    ProducerConfig, ProducerId, ProducerView, SendError, SendErrorKind, Timing,
};
use crate::message::{MessageError, UniqueKeys};
use crate::net::Net;
use crate::request::SendMessageTemplate;
use crate::request::naming::Naming;
use crate::wire::{SerializeType, WrittenNumber};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Why this floor made a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProducerPurpose {
    /// An attempt of a send.
    Send(SendKey),
    /// The farewell of a producer to one broker.
    Unregister(ProducerId),
    /// The end of a transaction.
    EndTransaction(EndKey),
}

/// What this floor needs of the type that tells all purposes apart.
pub(crate) trait Purposes: Copy + From<ClusterPurpose> + From<ProducerPurpose> {}
impl<P: Copy + From<ClusterPurpose> + From<ProducerPurpose>> Purposes for P {}

/// The floors below, and where results go.
#[derive(Debug)]
pub(crate) struct Context<'a, P> {
    pub(crate) now: Now,
    pub(crate) net: &'a mut Net<P>,
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) actions: &'a mut VecDeque<Action>,
    pub(crate) counters: &'a mut Counters,
}

impl<P> Context<'_, P> {
    pub(super) fn answer(&mut self, id: CommandId, answer: Answer) {
        self.actions.push_back(Action::Answer { id, answer });
    }
}

/// What a timer of this floor is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum ProducerTimer {
    /// A send that waits for a route has no time left.
    Deadline(SendKey),
    /// The pause of a send is over.
    Pause(SendKey),
    /// A caller has waited long enough for room.
    Room(CommandId),
    /// A flush has waited long enough.
    Flush(CommandId),
    /// A producer that closes has waited long enough for its sends.
    Drain(ProducerId),
    /// A producer that closes has waited long enough for answers to its farewell.
    Farewell(ProducerId),
    /// The pause of the end of a transaction is over.
    EndTransaction(EndKey),
    /// A check of a transaction has waited long enough for its answer.
    Check(CheckId),
    /// Records of message trace have waited long enough for others.
    Trace(ProducerId),
    /// The shutdown has waited long enough for records of message trace.
    InnerDrain,
}

/// One producer.
#[derive(Debug)]
pub(super) struct Producer {
    pub(super) config: ProducerConfig,
    /// The topics that it named when it was opened; each counts as used until it is closed.
    pub(super) topics: Vec<TopicKey>,
    /// Sends without verdict.
    pub(super) outstanding: usize,
    /// Ends of transactions under way.
    pub(super) ends: usize,
    pub(super) closing: Option<Closing>,
}

/// A caller in line for room.
#[derive(Debug)]
struct Caller {
    topic: TopicKey,
    name: TopicName,
    timer: TimerKey<ProducerTimer>,
}

/// All producers of a client and their sends.
#[derive(Debug)]
pub(crate) struct Producers {
    pub(super) table: Slots<Producer>,
    by_group: BTreeMap<GroupName, ProducerId>,
    pub(super) sends: Slots<SendState>,
    pub(super) next_sequence: u64,
    pub(super) room: Room,
    grants: BTreeMap<CommandId, Grant>,
    callers: BTreeMap<CommandId, Caller>,
    /// Sends that wait for the route of their topic, oldest first.
    pub(super) routeless: BTreeMap<TopicKey, VecDeque<SendKey>>,
    pub(super) flushes: Vec<FlushWaiter>,
    pub(super) timers: Timers<ProducerTimer>,
    pub(super) unique_keys: UniqueKeys,
    pub(super) rng: Rng,
    pub(super) timing: Timing,
    pub(super) client_id: ClientId,
    pub(super) serialize: SerializeType,
    pub(super) language: LanguageCode,
    pub(super) naming: Naming,
    pub(super) unit_mode: bool,
    /// Memory for properties that are written together.
    pub(super) properties: String,
    pub(super) unkept_template: Option<SendMessageTemplate>,
    pub(super) region: Option<Arc<str>>,
    /// The time in milliseconds, in digits.
    pub(super) born_timestamp: WrittenNumber,
    /// Producers that closed since the floor above looked.
    pub(super) closed: VecDeque<super::close::Closed>,
    /// Set when heartbeats have to name other groups.
    pub(crate) groups_changed: bool,
    pub(super) transactions: Transactions,
    /// None without hooks of sends.
    pub(super) hooks: Option<Box<SendHooks>>,
    /// Attempts may have another place than their broker's master, or be forbidden.
    pub(super) looks_twice: bool,
    /// Bytes by which interceptors may make a message heavier.
    pub(super) growth: usize,
    /// None until a producer is traced.
    pub(super) tracing: Option<Box<Tracing>>,
    pub(super) most_producers: usize,
    pub(super) most_checks: usize,
    pub(super) most_check_bytes: usize,
    pub(super) most_ended_transactions: usize,
}

impl Producers {
    pub(crate) fn new(config: &ClientConfig, client_id: ClientId, naming: &Naming, rng: &Rng) -> Self {
        let Limits { producers, transaction_checks, transaction_check_bytes, ended_transactions, .. } =
            config.limits;
        let id_seed = rng.fork("unique-key").next_u64();
        Self {
            table: Slots::default(),
            by_group: BTreeMap::new(),
            sends: Slots::default(),
            next_sequence: 0,
            room: Room::new(&config.limits),
            grants: BTreeMap::new(),
            callers: BTreeMap::new(),
            routeless: BTreeMap::new(),
            flushes: Vec::new(),
            timers: Timers::default(),
            unique_keys: UniqueKeys::new(config.identity.ip, config.identity.pid, id_seed),
            rng: rng.fork("producer"),
            timing: config.timing.clone(),
            client_id,
            serialize: config.serialize_type,
            language: config.language,
            naming: naming.clone(),
            unit_mode: config.unit_mode,
            properties: String::new(),
            unkept_template: None,
            region: None,
            born_timestamp: WrittenNumber::default(),
            closed: VecDeque::new(),
            groups_changed: false,
            transactions: Transactions::default(),
            hooks: None,
            looks_twice: config.vip_channel,
            growth: 0,
            tracing: None,
            most_producers: producers,
            most_checks: transaction_checks,
            most_check_bytes: transaction_check_bytes,
            most_ended_transactions: ended_transactions,
        }
    }

    /// Opens a producer, and looks for the routes of the topics that it names.
    pub(crate) fn open<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        mut config: ProducerConfig,
    ) -> Result<ProducerId, OpenError> {
        config.check()?;
        config.group = self.naming.bare_group(config.group);
        self.check_names(&config)?;
        if self.by_group.contains_key(&config.group) {
            return Err(OpenError::GroupInUse(config.group));
        }
        if self.table.len() >= self.most_producers {
            return Err(OpenError::TooMany(self.table.len()));
        }
        let (group, key) = (config.group.clone(), &config.create_topic_key);
        let intern = |name: &TopicName| {
            let found = cx.cluster.intern(cx.now.mono, name, key, config.default_topic_queue_nums);
            let topic = found.ok_or_else(|| too_many_topics(cx.cluster.most_topics()))?;
            // Kept from now on: the next one must not take its place.
            declare_topic(cx, topic, 1);
            Ok(topic)
        };
        let mut topics = Vec::new();
        let all = config.topics.iter().map(intern).try_for_each(|topic| topic.map(|key| topics.push(key)));
        if let Err(error) = all {
            topics.into_iter().for_each(|topic| declare_topic(cx, topic, -1));
            return Err(OpenError::Config(error));
        }
        for topic in &topics {
            // Also when the route is known: its answer connects to its brokers.
            cx.cluster.look_up(cx.now.mono, *topic, cx.net);
        }
        let trace = config.trace.clone();
        let key = self.table.insert(Producer { config, topics, outstanding: 0, ends: 0, closing: None });
        let id = producer_id(key);
        if let Some(trace) = trace {
            self.open_tracer(id, trace, group.clone());
        }
        self.by_group.insert(group, id);
        self.groups_changed = true;
        Ok(id)
    }

    /// Refuses names that are too long with their namespace.
    fn check_names(&self, config: &ProducerConfig) -> Result<(), ConfigError> {
        let refused = |field| move |error: NameError| ConfigError { field, reason: error.to_string() };
        self.naming.check_group(&config.group).map_err(refused("group"))?;
        self.naming.check_topic(&config.create_topic_key).map_err(refused("create_topic_key"))?;
        config.topics.iter().try_for_each(|topic| self.naming.check_topic(topic)).map_err(refused("topics"))
    }

    pub(super) fn forget_producer(&mut self, id: ProducerId) -> Option<Producer> {
        let producer = self.table.remove(table_key(id))?;
        self.by_group.remove(&producer.config.group);
        Some(producer)
    }

    /// The groups that heartbeats name: those of producers that do not say farewell, and the client's own.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &GroupName> {
        self.groups_of_users().chain(self.tracing.iter().filter_map(|tracing| tracing.inner.group()))
    }

    pub(super) fn groups_of_users(&self) -> impl Iterator<Item = &GroupName> {
        self.table
            .iter()
            .filter(|(_, producer)| producer.closing.as_ref().is_none_or(|closing| !closing.says_farewell))
            .map(|(_, producer)| &producer.config.group)
    }

    /// What an observer may know of each; topics are told by their keys.
    pub(crate) fn view(
        &self,
        topic_name: impl Fn(TopicKey) -> Option<TopicName>,
    ) -> impl Iterator<Item = ProducerView> {
        let of_users = self.table.iter().map(move |(_, producer)| ProducerView {
            group: producer.config.group.clone(),
            is_open: producer.closing.is_none(),
            sends: producer.outstanding,
            ends: producer.ends,
            topics: producer.topics.iter().filter_map(|key| topic_name(*key)).collect(),
        });
        of_users.chain(self.tracing.iter().map(|tracing| tracing.inner.view()))
    }

    pub(crate) fn ids(&self) -> Vec<ProducerId> {
        self.table.keys().into_iter().map(producer_id).collect()
    }

    /// No producer is left, the client's own included.
    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty() && self.tracing.is_none()
    }

    pub(crate) fn has(&self, id: ProducerId) -> bool {
        self.get(id).is_some()
    }

    /// The producer of a group.
    pub(super) fn of_group(&self, group: &GroupName) -> Option<ProducerId> {
        self.by_group.get(group).copied()
    }

    pub(super) fn get(&self, id: ProducerId) -> Option<&Producer> {
        self.table.get(table_key(id))
    }

    pub(super) fn get_mut(&mut self, id: ProducerId) -> Option<&mut Producer> {
        self.table.get_mut(table_key(id))
    }

    /// Why this producer takes nothing new, if it does not.
    pub(super) fn refuses(&self, id: ProducerId) -> Option<SendErrorKind> {
        match self.get(id) {
            Some(Producer { closing: None, .. }) => None,
            _ => Some(SendErrorKind::ProducerClosed),
        }
    }

    pub(crate) fn has_room(&self, id: ProducerId, topic: Option<TopicKey>, weight: usize) -> bool {
        self.refuses(id).is_none() && self.room.has(id, topic, self.grown(weight))
    }

    /// Messages under way, their bytes, and callers that wait for room.
    pub(crate) fn memory(&self) -> (usize, usize, usize) {
        let used = self.room.used();
        (used.messages, used.bytes, self.room.waiting())
    }

    /// Checks of transactions that wait, and transactions whose end is known.
    pub(crate) fn transaction_memory(&self) -> (usize, usize) {
        self.transactions.memory()
    }

    /// Asks for room: granted at once, put in line, or refused.
    pub(crate) fn reserve<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        id: CommandId,
        producer: ProducerId,
        name: TopicName,
        weight: usize,
        deadline: Instant,
    ) {
        let weight = self.grown(weight);
        let topic = match self.admit(cx, producer, &name, weight) {
            Ok(topic) => topic,
            Err(kind) => return refuse_room(cx, id, kind, name),
        };
        if self.room.has(producer, Some(topic), weight) {
            let place = self.room.take(producer, topic, weight);
            self.grant(cx, id, Grant { producer, topic, place, weight });
        } else if deadline <= cx.now.mono {
            refuse_room(cx, id, SendErrorKind::NoRoomInTime, name);
        } else if self.room.line_is_full() {
            refuse_room(cx, id, SendErrorKind::Full, name);
        } else {
            let timer = self.timers.set(deadline, ProducerTimer::Room(id));
            self.room.wait(id, producer, topic, weight);
            use_topic(cx, topic, 1);
            self.callers.insert(id, Caller { topic, name, timer });
            // Should only its own share hold it up, it steps aside for those behind it.
            self.grant_waiting(cx);
        }
    }

    /// Checks that hold for every message before room is asked for; gives the topic's key.
    pub(super) fn admit<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        producer: ProducerId,
        name: &TopicName,
        weight: usize,
    ) -> Result<TopicKey, SendErrorKind> {
        if let Some(kind) = self.refuses(producer) {
            return Err(kind);
        }
        if weight > self.room.largest() {
            return Err(SendErrorKind::LargerThanLimit { weight, limit: self.room.largest() });
        }
        let Some(Producer { config, .. }) = self.get(producer) else {
            return Err(SendErrorKind::ProducerClosed);
        };
        if self.naming.namespace().is_some() {
            self.check_topic(name)?;
        }
        let key = &config.create_topic_key;
        cx.cluster
            .intern(cx.now.mono, name, key, config.default_topic_queue_nums)
            .ok_or_else(|| SendErrorKind::TooManyTopics(cx.cluster.most_topics()))
    }

    /// Refuses a topic that is too long with its namespace.
    #[cold]
    #[inline(never)]
    fn check_topic(&self, name: &TopicName) -> Result<(), SendErrorKind> {
        self.naming.check_topic(name).map_err(|error| MessageError::from(error).into())
    }

    fn grant<P>(&mut self, cx: &mut Context<'_, P>, id: CommandId, grant: Grant) {
        use_topic(cx, grant.topic, 1);
        self.grants.insert(id, grant);
        cx.answer(id, Answer::Room(Ok(())));
    }

    /// Uses up a grant; none if there is none of that number for this producer.
    pub(super) fn use_grant<P>(
        &mut self,
        cx: &mut Context<'_, P>,
        reservation: CommandId,
        producer: ProducerId,
    ) -> Option<Grant> {
        if self.grants.get(&reservation)?.producer != producer {
            return None;
        }
        let grant = self.grants.remove(&reservation)?;
        use_topic(cx, grant.topic, -1);
        Some(grant)
    }

    /// A reservation is not wanted any more, whether it was granted or still waits.
    pub(crate) fn withdraw<P: Purposes>(&mut self, cx: &mut Context<'_, P>, reservation: CommandId) {
        if let Some(grant) = self.grants.remove(&reservation) {
            use_topic(cx, grant.topic, -1);
            self.room.give_back(grant.place, grant.weight);
        } else if let Some(caller) = self.callers.remove(&reservation) {
            self.timers.unset(caller.timer);
            use_topic(cx, caller.topic, -1);
            self.room.leave(reservation);
        }
        self.grant_waiting(cx);
    }

    /// Gives the room that became free to those who wait for it.
    pub(super) fn grant_waiting<P: Purposes>(&mut self, cx: &mut Context<'_, P>) {
        if self.room.waiting() == 0 {
            return;
        }
        while let Some((id, grant)) = self.room.grant() {
            if let Some(caller) = self.callers.remove(&id) {
                self.timers.unset(caller.timer);
                use_topic(cx, caller.topic, -1);
            }
            self.grant(cx, id, grant);
        }
    }

    fn room_timed_out<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: CommandId, kind: SendErrorKind) {
        let Some(caller) = self.callers.remove(&id) else {
            return;
        };
        self.timers.unset(caller.timer);
        use_topic(cx, caller.topic, -1);
        self.room.leave(id);
        refuse_room(cx, id, kind, caller.name);
    }

    /// Sends away everybody in line for the room of a producer, and takes back what was granted.
    pub(super) fn refuse_callers<P: Purposes>(&mut self, cx: &mut Context<'_, P>, producer: ProducerId) {
        for id in self.room.waiting_of(producer) {
            self.room_timed_out(cx, id, SendErrorKind::ProducerClosed);
        }
        let granted: Vec<CommandId> =
            self.grants.iter().filter(|(_, grant)| grant.producer == producer).map(|(id, _)| *id).collect();
        for id in granted {
            self.withdraw(cx, id);
        }
        self.grant_waiting(cx);
    }

    /// The cluster floor learnt something about a topic.
    pub(crate) fn learnt<P: Purposes>(&mut self, cx: &mut Context<'_, P>, learnt: Learnt) {
        match learnt {
            Learnt::Route(topic) => self.route_found(cx, topic),
            Learnt::Hopeless(topic) => self.route_hopeless(cx, topic),
        }
    }

    /// An answer to one of this floor's requests.
    pub(crate) fn answered<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        purpose: ProducerPurpose,
        header: &crate::wire::Header<'_>,
    ) {
        match purpose {
            ProducerPurpose::Send(key) => self.send_answered(cx, key, header),
            ProducerPurpose::Unregister(id) => self.farewell_answered(cx, id),
            ProducerPurpose::EndTransaction(key) => self.end_answered(cx, key, header),
        }
    }

    /// One of this floor's requests had no answer.
    pub(crate) fn failed<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        purpose: ProducerPurpose,
        failure: crate::net::Failure,
    ) {
        match purpose {
            ProducerPurpose::Send(key) => self.attempt_lost(cx, key, failure),
            ProducerPurpose::Unregister(id) => self.farewell_answered(cx, id),
            ProducerPurpose::EndTransaction(key) => self.end_lost(cx, key, failure),
        }
    }

    /// The socket took all of a one-way send.
    pub(crate) fn handed_over<P: Purposes>(&mut self, cx: &mut Context<'_, P>, purpose: ProducerPurpose) {
        if let ProducerPurpose::Send(key) = purpose {
            self.one_way_done(cx, key);
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.timers.next()
    }

    /// Handles every timer of this floor that is due.
    pub(crate) fn tick<P: Purposes>(&mut self, cx: &mut Context<'_, P>) {
        while let Some(timer) = self.timers.pop_due(cx.now.mono) {
            match timer {
                ProducerTimer::Deadline(key) => self.out_of_time(cx, key),
                ProducerTimer::Pause(key) => self.try_send(cx, key),
                ProducerTimer::Room(id) => {
                    self.room_timed_out(cx, id, SendErrorKind::NoRoomInTime);
                    self.grant_waiting(cx);
                }
                ProducerTimer::Flush(id) => self.flush_timed_out(cx, id),
                ProducerTimer::Drain(id) => self.cut(cx, id),
                ProducerTimer::Farewell(id) if id == INNER_PRODUCER => self.inner_over(),
                ProducerTimer::Farewell(id) => self.farewell_over(cx, id),
                ProducerTimer::EndTransaction(key) => self.try_end(cx, key),
                ProducerTimer::Check(id) => self.drop_check(id),
                ProducerTimer::Trace(id) => self.flush_trace(cx, id),
                ProducerTimer::InnerDrain => self.cut_inner(cx),
            }
        }
    }

    /// Forgets what belongs to topics and producers that are gone.
    pub(crate) fn sweep(&mut self, cluster: &Cluster) {
        let table = &self.table;
        self.room.sweep(
            |topic| cluster.topic(topic).is_some(),
            |id| table.get(table_key(id)).is_some(),
            |broker| cluster.brokers().get(broker).is_some(),
        );
    }
}

fn too_many_topics(most: usize) -> ConfigError {
    ConfigError { field: "topics", reason: format!("the client keeps the routes of {most} topics at most") }
}

fn refuse_room<P>(cx: &mut Context<'_, P>, id: CommandId, kind: SendErrorKind, topic: TopicName) {
    cx.answer(id, Answer::Room(Err(SendError::before_any_attempt(kind, topic, None))));
}

/// Counts the users of a topic, so that the cluster floor does not forget it.
pub(super) fn use_topic<P>(cx: &mut Context<'_, P>, topic: TopicKey, by: isize) {
    if let Some(topic) = cx.cluster.topic_mut(topic) {
        topic.users = topic.users.saturating_add_signed(by);
    }
}

/// A producer names a topic, or does so no longer.
pub(super) fn declare_topic<P>(cx: &mut Context<'_, P>, topic: TopicKey, by: isize) {
    use_topic(cx, topic, by);
    if let Some(topic) = cx.cluster.topic_mut(topic) {
        topic.declared = topic.declared.saturating_add_signed(by);
    }
}

pub(super) fn producer_id(key: Key<Producer>) -> ProducerId {
    Key::from_parts(key.index(), key.life())
}

pub(super) fn table_key(id: ProducerId) -> Key<Producer> {
    Key::from_parts(id.index(), id.life())
}
