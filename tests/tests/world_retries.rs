//! Retry decisions, session by session, against a table that was written down without the code: every code that brokers
//! answer sends with, with each resend setting, number of retries, and kind of send.

mod world_common;

use rocketmq_core::producer::{Outcome, Resend};
use rocketmq_sim::world::{Order, Verdict, World};
use world_common::{SECOND, ready_with, sends};

/// What becomes of a send when every broker gives the same answer to every attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// One attempt, and it is stored.
    Stored,
    /// One attempt; it says whether the message may be stored.
    Final(Outcome),
    /// As many attempts as there are retries and one; nothing is stored.
    Elsewhere,
    /// The same, but each attempt may be stored: without leave to send again there is only one.
    ElsewhereMaybe,
    /// Again and again until the deadline; nothing is stored.
    Waits,
}

use Fate::{Elsewhere, ElsewhereMaybe, Final, Stored, Waits};
const NOT: Fate = Final(Outcome::NotStored);
const MAYBE: Fate = Final(Outcome::MayBeStored);
const QUEUE: &str = "request queueId[99] is illegal, TopicConfig [topicName=orders]";

const TABLE: [(i32, &str, Fate); 31] = [
    (0, "", Stored),
    (10, "", Stored),
    (11, "", Stored),
    (12, "", Stored),
    (1, "java.lang.NullPointerException", ElsewhereMaybe),
    (1, "org.apache.rocketmq.acl.common.AclException: no permission", NOT),
    (1, QUEUE, Elsewhere),
    (1, "broker unable to service", Waits),
    (2, "[REJECTREQUEST]system busy, start flow control for a while", Waits),
    (3, " request type 310 not supported", NOT),
    (4, "", MAYBE),
    (13, "the message is illegal, maybe msg body or properties length not matched.", NOT),
    (14, "service not available now.", Elsewhere),
    (15, "Request doesn't have field bname", NOT),
    (16, "the broker[127.0.0.1] sending message is forbidden", Elsewhere),
    (16, "No permission", NOT),
    (17, "topic[orders] not exist, apply first please!", Elsewhere),
    (18, "", MAYBE),
    (22, "", MAYBE),
    (26, "subscription group not exist", NOT),
    (29, QUEUE, Elsewhere),
    (29, "The specified topic contains illegal characters", NOT),
    (204, "", Elsewhere),
    (205, "", Elsewhere),
    (206, "", MAYBE),
    (215, "", Waits),
    (501, "", Elsewhere),
    (604, "", MAYBE),
    (1500, "please go away", Waits),
    (2007, "", MAYBE),
    (31_999, "", MAYBE),
];

/// Sends one message that brokers answer only so; its verdict, and how many attempts reached them.
fn one_send(code: i32, remark: &str, resend: Resend, retries: u32, one_way: bool) -> (Verdict, u64) {
    let (mut world, producer) = ready_with(2, |config| {
        config.resend = resend;
        config.retries = retries;
    });
    answer_all(&mut world, code, remark);
    let before = sends(&world);
    let order = Order::to("orders").within(2 * SECOND);
    let order = if one_way { order.one_way() } else { order };
    let verdict = world.send_and_wait(producer, order);
    world.run_for(SECOND);
    world.finish();
    (verdict, sends(&world) - before)
}

fn answer_all(world: &mut World, code: i32, remark: &str) {
    if code == 0 {
        return;
    }
    for index in 0..2 {
        world.change_cluster(|cluster, _| {
            cluster.broker_mut(index).expect("a broker").answer_next_sends(10_000, code, remark);
        });
    }
}

fn check(fate: Fate, resend: Resend, retries: u32, verdict: &Verdict, attempts: u64) {
    let all = u64::from(retries) + 1;
    let may_try_again = resend == Resend::WhenMayBeStored;
    let (outcome, expected) = match fate {
        Stored => (None, 1..=1),
        Final(outcome) => (Some(outcome), 1..=1),
        Elsewhere => (Some(Outcome::NotStored), all..=all),
        ElsewhereMaybe => (Some(Outcome::MayBeStored), if may_try_again { all..=all } else { 1..=1 }),
        Waits => (Some(Outcome::NotStored), 3..=200),
    };
    assert!(expected.contains(&attempts), "{attempts} attempts instead of {expected:?}: {verdict:?}");
    let told = verdict.error().map(|error| error.outcome());
    assert_eq!(told, outcome, "{verdict:?}");
}

#[test]
fn every_answer_leads_where_the_table_says() {
    let mut sessions = 0;
    for (code, remark, fate) in TABLE {
        for resend in [Resend::WhenMayBeStored, Resend::OnlyWhenNotStored] {
            for retries in [0, 1, 2, 5] {
                println!("{code} {remark:?} {resend:?}, {retries} retries");
                let (verdict, attempts) = one_send(code, remark, resend, retries, false);
                check(fate, resend, retries, &verdict, attempts);
                sessions += 1;
            }
        }
        // Nobody waits for the answer to a one-way send, so none makes a difference.
        let (verdict, attempts) = one_send(code, remark, Resend::WhenMayBeStored, 2, true);
        assert!(matches!(verdict, Verdict::HandedOver), "{code} {remark:?}: {verdict:?}");
        assert_eq!(attempts, 1, "{code} {remark:?}");
        sessions += 1;
    }
    assert_eq!(sessions, TABLE.len() * 9);
}
