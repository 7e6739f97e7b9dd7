//! What the lab says of tests that fail, hang, run hot or are not the same twice.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rocketmq_driver::Message;
use rocketmq_sim::lab::{self, JoinError, Lab};

const SECOND: Duration = Duration::from_secs(1);

/// The text with which something panics.
fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let payload: Box<dyn Any + Send> = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(_) => return "it did not panic".to_owned(),
        Err(payload) => payload,
    };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[test]
fn a_deadlock_is_told_with_who_waits() {
    let text = panic_of(|| {
        lab::run(1, |lab| async move {
            let task = lab.spawn(std::future::pending::<()>());
            lab.sleep(SECOND).await;
            let _never = task.await;
        })
    });
    assert!(text.starts_with("deadlock at 1.000000 s: nothing is left that could wake the test."), "{text}");
    assert!(text.contains("waiting: the test itself, last polled at 1.000000 s"), "{text}");
    assert!(text.contains("waiting: the task spawned at tests/tests/lab_reports.rs:"), "{text}");
}

#[test]
fn a_hang_beside_a_living_client_meets_the_time_limit() {
    let text = panic_of(|| {
        lab::builder().time_limit(600 * SECOND).run(1, |lab| async move {
            let producer = lab.client().producer("senders").await.expect("the settings are in order");
            producer.send(Message::new("placed".parse().expect("a name"), "a")).await.expect("it is stored");
            std::future::pending::<()>().await;
        })
    });
    assert!(text.starts_with("the test is not done after 600.000000 s of simulated time"), "{text}");
    assert!(text.contains("waiting: the test itself, last polled at 0."), "{text}");
}

#[test]
fn a_busy_loop_is_told_with_who_is_busy() {
    let hot = |lab: Lab| async move {
        drop(lab.spawn(std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        })));
        lab.sleep(SECOND).await;
    };
    let text = panic_of(|| lab::builder().poll_limit(1_000).run(1, hot));
    assert!(
        text.starts_with("busy loop at 0.000000 s: 1001 polls while hardly any simulated time passed"),
        "{text}"
    );
    assert!(text.contains("of them of the task spawned at tests/tests/lab_reports.rs:"), "{text}");
    let text = panic_of(|| {
        lab::builder().poll_limit(1_000).run(1, |lab| async move {
            loop {
                lab.yield_now().await;
            }
        })
    });
    assert!(text.contains("1001 of them of the test itself"), "{text}");
    // Much work at one moment is no busy loop.
    lab::builder().poll_limit(1_000).run(1, |lab| async move {
        for _ in 0..10 {
            for _ in 0..900 {
                lab.yield_now().await;
            }
            lab.sleep(SECOND / 500).await;
        }
    });
}

#[test]
fn a_panic_of_the_test_comes_through() {
    let text = panic_of(|| {
        lab::run(1, |lab| async move {
            lab.sleep(SECOND).await;
            assert_eq!(lab.stored_count(), 1, "an apple is missing");
        })
    });
    assert!(text.contains("an apple is missing"), "{text}");
}

#[test]
fn an_error_of_the_test_fails_it_with_the_seed() {
    let text = panic_of(|| lab::check(17..20, |_lab| async { Err::<(), _>("no apples") }));
    assert_eq!(text, "seed 17: the test returned an error: \"no apples\"");
    // Whoever asks for one run gets what the test returned.
    assert_eq!(lab::run(17, |_lab| async { Err::<(), _>("no apples") }).value, Err("no apples"));
}

#[test]
fn a_panic_of_a_task_fails_the_test_unless_it_is_looked_at() {
    async fn falls(lab: Lab) {
        lab.sleep(SECOND).await;
        panic!("an apple falls");
    }
    // Nobody waits for it.
    let text = panic_of(|| {
        lab::run(1, |lab| async move {
            drop(lab.spawn(falls(lab.clone())));
            lab.sleep(5 * SECOND).await;
        })
    });
    assert_eq!(text, "an apple falls");
    // The handle is there, and nobody looks at it.
    let text = panic_of(|| {
        lab::run(1, |lab| async move {
            let _handle = lab.spawn(falls(lab.clone()));
            lab.sleep(5 * SECOND).await;
        })
    });
    assert_eq!(text, "an apple falls");
    // Awaited, it is a result.
    let looked = lab::run(1, |lab| async move { lab.spawn(falls(lab.clone())).await });
    assert_eq!(looked.value, Err(JoinError::Panicked("an apple falls".to_owned())));
    assert_eq!(looked.value.expect_err("it fell").to_string(), "the task panicked: an apple falls");
}

#[test]
fn a_panic_of_a_script_fails_the_test() {
    let text = panic_of(|| {
        lab::run(1, |lab| async move {
            lab.after(SECOND, |_| panic!("the script is wrong"));
            lab.sleep(2 * SECOND).await;
        })
    });
    assert_eq!(text, "the script is wrong");
}

#[test]
fn a_test_that_is_not_the_same_twice_is_told_where() {
    let runs = AtomicU64::new(0);
    let text = panic_of(|| {
        lab::check(0..1, |lab| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move { lab.note(format!("run {run}")) }
        })
    });
    assert!(text.starts_with("two runs with seed 0 differ: something besides the seed decides"), "{text}");
    assert!(text.contains("test: run 0\n") && text.ends_with("test: run 1"), "{text}");
    // The usual culprit.
    let text = panic_of(|| {
        lab::check(0..1, |lab| async move {
            let map: HashMap<u32, u32> = (0..100).map(|number| (number, number)).collect();
            lab.note(format!("{:?}", map.keys().collect::<Vec<_>>()));
        })
    });
    assert!(text.contains("random order of a HashMap"), "{text}");
}

#[test]
fn wrong_use_is_told_in_plain_words() {
    let text = panic_of(|| lab::run(1, |lab| async move { lab.broker(1).crash() }));
    assert_eq!(text, "there is no broker-b in this lab, see LabBuilder");
    let text = panic_of(|| {
        lab::run(1, |lab| async move {
            let own = lab.clone();
            lab.with_cluster(move |_, _| own.stored_count())
        })
    });
    assert!(text.starts_with("the lab was used from inside of `with_cluster`"), "{text}");
    let text = panic_of(|| lab::check([], |_lab| async {}));
    assert_eq!(text, "there is no seed to run");
}
