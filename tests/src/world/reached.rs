//! Which states random runs have reached.

use rocketmq_core::client::{CloseReason, Counters, LostReason, Notice, Stray};
use rocketmq_core::producer::{NoRoute, SendErrorKind, SendStatus};

use super::Verdict;

macro_rules! states {
    ($($(#[$doc:meta])* $state:ident,)*) => {
        /// States that random runs must reach, counted: a simulation that never reaches one tests nothing there.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Reached {
            $($(#[$doc])* pub $state: u64,)*
        }

        impl Reached {
            /// Adds the counts of another run.
            pub fn add(&mut self, other: &Reached) {
                $(self.$state += other.$state;)*
            }

            /// The counts by name.
            pub fn fields(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($state), self.$state)),*]
            }
        }
    };
}

states! {
    /// Sends that a broker has.
    stored,
    /// One-way sends that a socket took.
    handed_over,
    /// Sends that ended *not stored*.
    not_stored,
    /// Sends that ended *may be stored*.
    may_be_stored,
    /// Stored as asked for.
    status_send_ok,
    /// Stored, not flushed in time.
    status_flush_disk_timeout,
    /// Stored, not copied to the slave in time.
    status_flush_slave_timeout,
    /// Stored, without a slave.
    status_slave_not_available,
    /// Stored by an attempt after the first one that may have reached a broker.
    stored_again,
    /// Messages of which the logs have several copies.
    duplicates,
    /// Sends that found no room.
    failed_full,
    /// Sends that found no room until their deadline.
    failed_no_room_in_time,
    /// Sends of messages that nobody may send.
    failed_invalid_message,
    /// Sends to a queue that their topic does not have.
    failed_unknown_queue,
    /// Sends that a broker refused for good.
    failed_refused,
    /// Sends whose attempts were used up.
    failed_retries_exhausted,
    /// Sends whose deadline came first.
    failed_timeout,
    /// Sends that must not be tried again because a copy may exist.
    failed_resend_forbidden,
    /// Sends to a closed producer, or that its close left undone.
    failed_producer_closed,
    /// Sends to a client that is shut down, or that its shutdown left undone.
    failed_client_closed,
    /// Sends without a route because no name server answered.
    no_route_no_name_server,
    /// Sends to a topic that nobody knows.
    no_route_topic_unknown,
    /// Sends to a topic without a queue that may be written.
    no_route_no_writable_queue,
    /// Sends to a topic whose brokers have no master.
    no_route_no_master,
    /// Sends to a static topic.
    no_route_static_topic,
    /// Attempts that were followed by another one.
    retries,
    /// Retries that waited first.
    retries_after_pause,
    /// Retries because a broker asked to go away.
    retries_after_go_away,
    /// Retries because a broker was busy.
    retries_after_busy,
    /// Retries because a connection was lost.
    retries_after_lost_connection,
    /// Retries because there was no answer in time.
    retries_after_silence,
    /// Retries because an answer could not be read.
    retries_after_bad_answer,
    /// Connections that were reset.
    resets,
    /// Connections that the peer ended in order.
    ends_of_stream,
    /// Connects that were refused.
    refused_connects,
    /// Connects that never end by themselves.
    hanging_connects,
    /// Connects that took too long.
    connect_timeouts,
    /// Connects to an address that cannot be resolved.
    unresolved,
    /// Connections closed because nothing was heard.
    silences,
    /// Connections that ended after they were asked to go away.
    drains,
    /// Connections that no route needs any more.
    unused_connections,
    /// Connections closed because of bytes that are no frames.
    bad_frames,
    /// Connections closed because of a header that is none.
    bad_headers,
    /// Writes that were taken in part.
    short_writes,
    /// Writes that ended close to a border between chunks.
    border_writes,
    /// Writes that ended within the length word of a frame.
    writes_split_in_length,
    /// Reads of a part of what had arrived.
    short_reads,
    /// Reads that ended within the length word of a frame.
    reads_split_in_length,
    /// Answers whose request had ended.
    late_answers,
    /// Second answers to one request.
    duplicate_answers,
    /// Answers to requests that never were.
    foreign_answers,
    /// Answers that came once more after their slot had been given to another request.
    answers_after_slot_reuse,
    /// Requests in a slot that another request of the connection had before.
    slots_used_again,
    /// Request numbers after the last positive or the last of all.
    wrapped_opaques,
    /// Requests of servers.
    inbound_requests,
    /// Ends of transactions that a broker acknowledged.
    ends_acknowledged,
    /// Ends that a broker refused.
    ends_refused,
    /// Ends that no broker got.
    ends_not_delivered,
    /// Ends that a broker may have got.
    ends_may_be_delivered,
    /// Checks that were put to an application.
    checks_put,
    /// Checks that an application left, because it did not know the outcome yet.
    checks_unknown,
    /// Checks that an application answered.
    checks_answered,
    /// Checks that a client answered by itself, after an end that may have been delivered.
    checks_answered_again,
    /// Checks of transactions that were ended, or were being ended.
    checks_settled,
    /// Checks of what the application was asked already.
    checks_repeated,
    /// Records of message trace that a broker has.
    trace_records_sent,
    /// Records of message trace that were dropped.
    trace_records_dropped,
    /// Messages that became visible by a commit.
    halves_visible,
    /// Half messages that a broker gave up after many checks.
    halves_given_up,
    /// Heartbeats that a broker did not accept.
    heartbeats_failed,
    /// Routes of topics that do not exist, borrowed from the default topic.
    borrowed_routes,
    /// Brokers that are in no route any more.
    brokers_left,
    /// Sends that went elsewhere while a broker with pending requests was silent.
    passed_over_stalled,
    /// Callers that got room after a wait.
    room_after_wait,
    /// Shutdowns that left sends undone.
    shutdowns_with_rest,
}

impl Reached {
    pub(super) fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::ConnectionDown { why, .. } => self.connection_down(why),
            Notice::RouteChanged { provisional: true, .. } => self.borrowed_routes += 1,
            Notice::BrokerLeft { .. } => self.brokers_left += 1,
            Notice::Retry { why, after, .. } => {
                self.retries += 1;
                self.retries_after_pause += u64::from(!after.is_zero());
                self.retries_after_go_away += u64::from(why.contains("1500"));
                self.retries_after_busy += u64::from(why.contains("busy"));
                self.retries_after_lost_connection += u64::from(why.starts_with("connection failed"));
                self.retries_after_silence += u64::from(why.starts_with("no answer in time"));
                self.retries_after_bad_answer += u64::from(why.starts_with("answer cannot be read"));
            }
            Notice::HeartbeatFailed { .. } => self.heartbeats_failed += 1,
            Notice::StrayAnswer { kind: Stray::Foreign, .. } => self.foreign_answers += 1,
            _ => {}
        }
    }

    fn connection_down(&mut self, why: &LostReason) {
        match why {
            LostReason::Closed(CloseReason::EndOfStream) => self.ends_of_stream += 1,
            LostReason::Closed(CloseReason::Unresolved) => self.unresolved += 1,
            LostReason::ConnectTimeout(_) => self.connect_timeouts += 1,
            LostReason::GoAway => self.drains += 1,
            LostReason::Unused => self.unused_connections += 1,
            LostReason::BadFrame(_) => self.bad_frames += 1,
            LostReason::BadHeader(_) => self.bad_headers += 1,
            _ => {}
        }
    }

    pub(super) fn verdict(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Stored(receipt) => {
                match receipt.status {
                    SendStatus::SendOk => self.status_send_ok += 1,
                    SendStatus::FlushDiskTimeout => self.status_flush_disk_timeout += 1,
                    SendStatus::FlushSlaveTimeout => self.status_flush_slave_timeout += 1,
                    SendStatus::SlaveNotAvailable => self.status_slave_not_available += 1,
                }
                self.stored_again += u64::from(receipt.attempts > 1);
            }
            Verdict::Failed(error) => self.failed(error.kind()),
            Verdict::HandedOver => {}
        }
    }

    fn failed(&mut self, kind: &SendErrorKind) {
        match kind {
            SendErrorKind::Full => self.failed_full += 1,
            SendErrorKind::NoRoomInTime => self.failed_no_room_in_time += 1,
            SendErrorKind::InvalidMessage(_) => self.failed_invalid_message += 1,
            SendErrorKind::UnknownQueue(_) => self.failed_unknown_queue += 1,
            SendErrorKind::Refused { .. } => self.failed_refused += 1,
            SendErrorKind::RetriesExhausted(_) => self.failed_retries_exhausted += 1,
            SendErrorKind::Timeout => self.failed_timeout += 1,
            SendErrorKind::ResendForbidden => self.failed_resend_forbidden += 1,
            SendErrorKind::ProducerClosed => self.failed_producer_closed += 1,
            SendErrorKind::ClientClosed => self.failed_client_closed += 1,
            SendErrorKind::NoRoute(NoRoute::NoNameServerReachable(_)) => self.no_route_no_name_server += 1,
            SendErrorKind::NoRoute(NoRoute::TopicUnknown { .. }) => self.no_route_topic_unknown += 1,
            SendErrorKind::NoRoute(NoRoute::NoWritableQueue(_)) => self.no_route_no_writable_queue += 1,
            SendErrorKind::NoRoute(NoRoute::NoMaster(_)) => self.no_route_no_master += 1,
            SendErrorKind::NoRoute(NoRoute::StaticTopic(_)) => self.no_route_static_topic += 1,
            _ => {}
        }
    }

    pub(super) fn counters(&mut self, counters: &Counters) {
        self.late_answers += counters.late_answers;
        self.duplicate_answers += counters.duplicate_answers;
        self.silences += counters.silences;
        self.inbound_requests += counters.inbound_requests;
        self.checks_answered_again += counters.checks_answered;
        self.checks_settled += counters.checks_settled;
        self.checks_repeated += counters.checks_repeated;
        self.trace_records_sent += counters.trace_records_sent;
        self.trace_records_dropped += counters.trace_records_dropped;
    }
}
