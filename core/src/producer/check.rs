//! Checks of transactions (`CHECK_TRANSACTION_STATE`, request code 39): a broker asks what became of a half message.
//!
//! What is known of the transaction's end decides. One that is under way or was acknowledged is not ended again; one whose
//! fate is unknown is answered with the same decision; any other is put to the application, and its answer goes to where the
//! newest check came from, with the newest check's offsets: each check makes a new copy of the half message.

use super::fates::Fate;
use super::producers::{Context, ProducerTimer, Producers, Purposes};
use super::transaction::NewEnd;
use crate::ground::names::{BrokerName, GroupName};
use crate::ground::{Instant, Key, TimerKey};
use crate::interface::{
    Action, Answer, CheckId, CommandId, EndErrorKind, EndTransactionError, EndVerdict, HalfMessage,
    ProducerId, TransactionCheck, TransactionEnd,
};
use crate::message::{MessageExt, UniqueKey};
use crate::net::LinkKey;
use crate::request::CheckTransactionStateRequestHeader;
use crate::wire::Header;
use alloc::boxed::Box;

/// A check that was put to the application and waits for its answer.
#[derive(Debug)]
pub(super) struct CheckState {
    producer: ProducerId,
    pub(super) half: HalfMessage,
    /// Where the newest check of this transaction came from.
    pub(super) from: LinkKey,
    weight: usize,
    /// Set as soon as it has a key.
    timer: Option<TimerKey<ProducerTimer>>,
}

/// A check as it came.
struct Asked {
    producer: ProducerId,
    group: GroupName,
    half: HalfMessage,
    message: MessageExt,
}

impl Producers {
    /// A broker asks. What cannot be understood or is for a group that is not here is left: the broker asks again, maybe
    /// another client of the group.
    pub(crate) fn checked<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        from: LinkKey,
        header: &Header<'_>,
        body: &[u8],
    ) {
        cx.counters.transaction_checks += 1;
        self.forget_old_fates(cx.now.mono);
        let Some(asked) = self.read_check(cx, from, header, body) else {
            cx.counters.checks_left += 1;
            return;
        };
        let key = (asked.group.clone(), asked.half.unique_key);
        self.transactions.fates.note_asked(&key, asked.message.transaction_check_times());
        match self.transactions.fates.get(&key) {
            Some(Fate::UnderWay | Fate::Acknowledged) => cx.counters.checks_settled += 1,
            Some(Fate::Unsure(end)) => {
                cx.counters.checks_answered += 1;
                let deadline = cx.now.mono + self.timing.api_timeout;
                let Asked { producer, half, .. } = asked;
                let new = NewEnd { producer, half, end, asked_from: Some(from), command: None, deadline };
                self.start_end(cx, new);
            }
            None if self.is_asked_again(cx.now.mono, &asked, from) => cx.counters.checks_repeated += 1,
            None => self.put_to_application(cx, asked, from),
        }
    }

    fn read_check<P: Purposes>(
        &self,
        cx: &Context<'_, P>,
        from: LinkKey,
        header: &Header<'_>,
        mut body: &[u8],
    ) -> Option<Asked> {
        let header = CheckTransactionStateRequestHeader::read(&header.ext).ok()?;
        let mut message = MessageExt::read(&mut body).ok()?;
        let group: GroupName = self.naming.user_group(message.producer_group()?)?;
        message.message.unwrap_topic(&self.naming);
        let producer = self.of_group(&group).filter(|producer| self.may_end(*producer))?;
        // 4.x and proxies do not say who they are; then it is whoever is known at that address.
        let named = header.broker_name.as_deref().and_then(|name| name.parse::<BrokerName>().ok());
        let at_address = || {
            let mut brokers = cx.cluster.brokers().iter().map(|(_, broker)| broker);
            let found = brokers.find(|broker| broker.master.as_ref().is_some_and(|(_, link)| *link == from));
            found.map(|broker| broker.name.clone())
        };
        let half = HalfMessage {
            topic: message.message.topic().clone(),
            broker_name: named.or_else(at_address)?,
            unique_key: message.unique_key()?,
            queue_offset: header.tran_state_table_offset,
            commit_log_offset: header.commit_log_offset,
        };
        Some(Asked { producer, group, half, message })
    }

    /// A check that the application has not answered comes again: its offsets count from now on.
    fn is_asked_again(&mut self, now: Instant, asked: &Asked, from: LinkKey) -> bool {
        let at = now + self.timing.transaction_check_kept;
        let place = (asked.producer, asked.half.unique_key);
        let Some(id) = self.transactions.checks_by_key.get(&place).copied() else {
            return false;
        };
        let Some(state) = self.transactions.checks.get_mut(slot_key(id)) else {
            return false;
        };
        state.half = asked.half.clone();
        state.from = from;
        if let Some(timer) = state.timer.take() {
            self.timers.unset(timer);
        }
        state.timer = Some(self.timers.set(at, ProducerTimer::Check(id)));
        true
    }

    fn put_to_application<P: Purposes>(&mut self, cx: &mut Context<'_, P>, asked: Asked, from: LinkKey) {
        let Asked { producer, group, half, mut message } = asked;
        self.inflate(producer, &mut message);
        let weight = message.message.weight();
        let transactions = &mut self.transactions;
        if transactions.checks.len() >= self.most_checks
            || transactions.check_bytes.saturating_add(weight) > self.most_check_bytes
        {
            cx.counters.checks_left += 1;
            return;
        }
        let (unique_key, broker_name) = (half.unique_key, half.broker_name.clone());
        // The timer needs the key, and the check its timer.
        let key = transactions.checks.insert(CheckState { producer, half, from, weight, timer: None });
        let id = check_id(key);
        transactions.check_bytes += weight;
        transactions.checks_by_key.insert((producer, unique_key), id);
        let timer =
            self.timers.set(cx.now.mono + self.timing.transaction_check_kept, ProducerTimer::Check(id));
        if let Some(state) = self.transactions.checks.get_mut(key) {
            state.timer = Some(timer);
        }
        let check = TransactionCheck { id, producer, group, broker_name, message, unique_key };
        cx.actions.push_back(Action::Check(Box::new(check)));
    }

    /// Bodies that other clients of the group compressed are put to the application as they were sent, unless they are
    /// larger than a message may be or of a kind that is not known here.
    #[cfg_attr(
        not(feature = "zlib"),
        expect(clippy::unused_self, reason = "nothing is inflated without the feature")
    )]
    fn inflate(&self, producer: ProducerId, message: &mut MessageExt) {
        #[cfg(feature = "zlib")]
        {
            let most = self.get(producer).map_or(0, |producer| producer.config.max_message_size);
            message.inflate(most);
        }
        #[cfg(not(feature = "zlib"))]
        let _ = (producer, message);
    }

    /// The application answers a check.
    pub(crate) fn answer_check<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        id: CommandId,
        check: CheckId,
        half: &HalfMessage,
        end: TransactionEnd,
        deadline: Instant,
    ) {
        let Some(state) = self.forget_check(check) else {
            let error =
                EndTransactionError::new(EndErrorKind::CheckOver, EndVerdict::NotDelivered, end, half);
            return cx.answer(id, Answer::Ended(Err(error)));
        };
        let CheckState { producer, half, from, .. } = state;
        let new = NewEnd { producer, half, end, asked_from: Some(from), command: Some(id), deadline };
        self.start_end(cx, new);
    }

    /// The application does not answer this check: nothing is sent.
    pub(crate) fn drop_check(&mut self, check: CheckId) {
        self.forget_check(check);
    }

    /// A check that is open for this transaction, taken out.
    pub(super) fn take_check(&mut self, producer: ProducerId, key: UniqueKey) -> Option<CheckState> {
        let id = self.transactions.checks_by_key.get(&(producer, key)).copied()?;
        self.forget_check(id)
    }

    fn forget_check(&mut self, id: CheckId) -> Option<CheckState> {
        let state = self.transactions.checks.remove(slot_key(id))?;
        if let Some(timer) = state.timer {
            self.timers.unset(timer);
        }
        self.transactions.checks_by_key.remove(&(state.producer, state.half.unique_key));
        self.transactions.check_bytes = self.transactions.check_bytes.saturating_sub(state.weight);
        Some(state)
    }

    /// A producer that ends is asked nothing more.
    pub(super) fn forget_checks_of(&mut self, producer: ProducerId) {
        let of_it = |(key, state): (Key<CheckState>, &CheckState)| {
            (state.producer == producer).then(|| check_id(key))
        };
        let checks: alloc::vec::Vec<CheckId> = self.transactions.checks.iter().filter_map(of_it).collect();
        for check in checks {
            self.forget_check(check);
        }
    }
}

fn check_id(key: Key<CheckState>) -> CheckId {
    Key::from_parts(key.index(), key.life())
}

fn slot_key(id: CheckId) -> Key<CheckState> {
    Key::from_parts(id.index(), id.life())
}
