//! The lab under tokio with a paused clock.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rocketmq_driver::Message;
use rocketmq_sim::lab::{self, JoinError, Lab, SendFault};
use tokio::time::{Instant, interval, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn message(body: &str) -> Message {
    Message::new("placed".parse().expect("a topic's name"), body.to_owned())
}

async fn service(lab: Lab) -> usize {
    lab.broker(0).random_sends(100, SendFault::StoreThenReset);
    lab.at(3 * SECOND, |lab| lab.broker(0).crash());
    lab.at(5 * SECOND, |lab| lab.broker(0).restart());
    let producer = lab.client().producer("senders").await.expect("the settings are in order");
    let sender = tokio::spawn(async move {
        let mut ticks = interval(SECOND);
        let mut stored = 0;
        for number in 0..20 {
            ticks.tick().await;
            stored += usize::from(producer.send(message(&number.to_string())).await.is_ok());
        }
        stored
    });
    sender.await.expect("no panics")
}

#[test]
fn timers_tasks_and_scripts_of_tokio_and_of_the_lab_share_one_time() {
    lab::builder().check_on_tokio(0..5, |lab| async move {
        let (real, start) = (std::time::Instant::now(), Instant::now());
        sleep(3_600 * SECOND).await;
        assert_eq!(lab.now(), 3_600 * SECOND);
        lab.sleep(3_600 * SECOND).await;
        assert!((7_200 * SECOND..7_201 * SECOND).contains(&start.elapsed()));
        assert!(timeout(SECOND, std::future::pending::<()>()).await.is_err());
        assert!(lab.timeout(SECOND, std::future::pending::<()>()).await.is_err());
        assert!(real.elapsed() < 3_600 * SECOND);
    });
}

#[test]
fn the_same_seed_gives_the_same_story() {
    let mut hashes = Vec::new();
    for seed in 0..5 {
        let (one, two) =
            (lab::builder().run_on_tokio(seed, service), lab::builder().run_on_tokio(seed, service));
        assert_eq!((one.story_hash, one.value, one.story), (two.story_hash, two.value, two.story));
        assert!(one.elapsed >= 19 * SECOND);
        hashes.push(one.story_hash);
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 5);
}

#[test]
fn faults_have_their_effects() {
    lab::builder().check_on_tokio(0..5, |lab| async move {
        let producer = lab.client().producer("senders").retries(0).await.expect("the settings are in order");
        producer.send(message("warm")).await.expect("it is stored");
        lab.broker(0).next_sends(1, SendFault::StoreThenCrash);
        let error = producer.send(message("a")).await.expect_err("the broker is dead");
        assert!(error.may_be_stored() && lab.stored("placed").len() == 2);
        lab.broker(0).restart();
        producer.send(message("b")).within(60 * SECOND).await.expect("it is back");
    });
}

#[test]
fn tasks_of_the_lab_are_waited_for_and_aborted() {
    lab::builder().check_on_tokio(0..3, |lab| async move {
        assert_eq!(lab.spawn(async { 7 }).await, Ok(7));
        let task = lab.spawn(std::future::pending::<()>());
        sleep(SECOND).await;
        task.abort();
        assert_eq!(task.await, Err(JoinError::Aborted));
        let task = lab.spawn(async { panic!("an apple falls") });
        assert_eq!(task.await, Err::<(), _>(JoinError::Panicked("an apple falls".to_owned())));
    });
}

#[test]
fn failures_come_through() {
    let panic_of = |run: &dyn Fn()| {
        let payload: Box<dyn Any + Send> = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
    };
    let builder = lab::builder().time_limit(60 * SECOND);
    let text = panic_of(&|| drop(builder.run_on_tokio(1, |_lab| std::future::pending::<()>())));
    assert!(text.starts_with("the test is not done after 60.000000 s of simulated time"), "{text}");
    let text = panic_of(&|| {
        drop(builder.run_on_tokio(1, |lab| async move {
            drop(lab.spawn(async { panic!("an apple falls") }));
            sleep(SECOND).await;
        }));
    });
    assert_eq!(text, "an apple falls");
    let text = panic_of(&|| {
        drop(builder.run_on_tokio(1, |lab| async move {
            lab.after(SECOND, |_| panic!("the script is wrong"));
            sleep(2 * SECOND).await;
        }));
    });
    assert_eq!(text, "the script is wrong");
    let text = panic_of(&|| {
        builder.check_on_tokio(3..4, |_lab| async { Err::<(), _>("no apples") });
    });
    assert_eq!(text, "seed 3: the test returned an error: \"no apples\"");
}
