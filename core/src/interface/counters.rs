//! What a client counts: what happened so far, and memory that grows with work.

/// A struct of numbers whose names can be told.
macro_rules! numbers {
    ($(#[$outer:meta])* $name:ident of $of:ty { $($(#[$inner:meta])* $field:ident,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name { $($(#[$inner])* pub $field: $of,)* }

        impl $name {
            /// Each number with its name, in the order of the fields.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, $of)> {
                [$((stringify!($field), self.$field)),*].into_iter()
            }
        }
    };
}

numbers! {
    /// What happened so far, in numbers.
    Counters of u64 {
        /// Connections that came up.
        connections_opened,
        /// Connects that failed.
        connects_failed,
        /// Answers whose request had ended.
        late_answers,
        /// Second answers to one request.
        duplicate_answers,
        /// Answers to requests that never were.
        foreign_answers,
        /// Connections closed because of unreadable bytes.
        bad_frames,
        /// Connections closed on silence.
        silences,
        /// Requests that servers sent.
        inbound_requests,
        /// Sends accepted.
        sends,
        /// Attempts that were put on a connection.
        attempts,
        /// Sends that ended with a receipt.
        stored,
        /// One-way sends that were handed over.
        handed_over,
        /// Sends that ended *not stored*.
        not_stored,
        /// Sends that ended *may be stored*.
        may_be_stored,
        /// Route queries sent.
        route_queries,
        /// Heartbeats sent.
        heartbeats,
        /// Ends of transactions that a broker acknowledged.
        ends_acknowledged,
        /// Ends of transactions that a broker refused.
        ends_refused,
        /// Ends of transactions that no broker got.
        ends_not_delivered,
        /// Ends of transactions that a broker may have got.
        ends_may_be_delivered,
        /// Checks of transactions that came.
        transaction_checks,
        /// Those of transactions whose end was under way or acknowledged.
        checks_settled,
        /// Those that the client answered with a decision that may have been delivered before.
        checks_answered,
        /// Those that came again before their answer.
        checks_repeated,
        /// Those that were left: unreadable, for a group that is not here, or too many.
        checks_left,
        /// Heartbeats of version 2 that left out what the broker had heard already.
        heartbeats_without_sub,
        /// Heartbeats that were rejected or had no answer.
        heartbeats_failed,
        /// Records of message trace that were made, dropped ones included.
        trace_records,
        /// Those that a broker has stored.
        trace_records_sent,
        /// Those that were dropped, because the queue was full, or that a broker may not have stored.
        trace_records_dropped,
    }
}

numbers! {
    /// Memory that grows with work, in numbers.
    MemoryUse of usize {
        /// Messages under way.
        messages,
        /// Their bytes.
        message_bytes,
        /// Callers that wait for room.
        waiting_callers,
        /// Encoded bytes not yet taken by a socket.
        outbox_bytes,
        /// Bytes of frames that are not complete yet.
        inbox_bytes,
        /// Requests that wait for their answers.
        requests,
        /// Checks of transactions that wait for their answers.
        transaction_checks,
        /// Ended transactions that are remembered, and those being ended.
        ended_transactions,
        /// Records of message trace that wait or are on their way.
        trace_records,
        /// Their bytes.
        trace_bytes,
    }
}
