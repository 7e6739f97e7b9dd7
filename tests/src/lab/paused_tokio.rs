//! The same lab under tokio, whose clock is paused.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use super::builder::{Checked, Ended, Report, TestResult, check_seeds, conclude};
use super::state::{TimeSource, lock};
use super::story::time;
use super::{Lab, LabBuilder};

impl LabBuilder {
    /// As [`run`](Self::run), under tokio with a paused clock: `tokio::spawn`, `tokio::time` and everything built on them
    /// work, and nothing waits for real time.
    ///
    /// Each run has a runtime of its own with one thread. tokio decides about the turns of tasks, and time moves in
    /// whole milliseconds. A test that waits for ever is found by the [time limit](Self::time_limit) only, and a busy
    /// loop is not found.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on_tokio<F, Fut>(&self, seed: u64, test: F) -> Report<Fut::Output>
    where
        F: FnOnce(Lab) -> Fut,
        Fut: Future,
    {
        conclude(self.run_there(seed, test), |_| None)
    }

    /// As [`check`](Self::check), under tokio with a paused clock, see [`run_on_tokio`](Self::run_on_tokio).
    ///
    /// ```
    /// use rocketmq_driver::Message;
    /// use rocketmq_sim::lab;
    /// use std::time::Duration;
    ///
    /// lab::builder().check_on_tokio(0..5, |lab| async move {
    ///     let producer = lab.client().producer("orders").await.unwrap();
    ///     let sending = tokio::spawn(async move {
    ///         tokio::time::sleep(Duration::from_secs(3_600)).await;
    ///         producer.send(Message::new("placed".parse().unwrap(), "4 apples")).await
    ///     });
    ///     sending.await.unwrap().unwrap();
    ///     assert_eq!(lab.stored("placed").len(), 1);
    /// });
    /// ```
    ///
    /// # Panics
    /// As [`check`](Self::check).
    pub fn check_on_tokio<F, Fut>(&self, seeds: impl IntoIterator<Item = u64>, test: F) -> Checked
    where
        F: Fn(Lab) -> Fut,
        Fut: Future<Output: TestResult>,
    {
        check_seeds(seeds, |seed| conclude(self.run_there(seed, &test), TestResult::failure))
    }

    fn run_there<F, Fut>(&self, seed: u64, test: F) -> Ended<Fut::Output>
    where
        F: FnOnce(Lab) -> Fut,
        Fut: Future,
    {
        let built = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = match built {
            Ok(runtime) => runtime,
            Err(error) => panic!("no tokio runtime can be made: {error}"),
        };
        let lab = {
            let _context = runtime.enter();
            self.lab(seed, TimeSource::Tokio(tokio::time::Instant::now()))
        };
        let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(guarded(&lab, test))));
        {
            let _context = runtime.enter();
            lab.shared.stop_time();
        }
        Ended::new(lab, result, || drop(runtime))
    }
}

/// Runs the test, and panics when the lab does.
async fn guarded<F, Fut>(lab: &Lab, test: F) -> Fut::Output
where
    F: FnOnce(Lab) -> Fut,
    Fut: Future,
{
    drop(tokio::spawn(Pump { lab: lab.clone(), sleep: None }));
    let mut test = pin!(test(lab.clone()));
    poll_fn(|cx| {
        if let Some(payload) = lock(&lab.shared.panics).pop() {
            resume_unwind(payload);
        }
        *lock(&lab.shared.test) = Some(cx.waker().clone());
        test.as_mut().poll(cx)
    })
    .await
}

/// Lets happen what is due, and waits for the next.
struct Pump {
    lab: Lab,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let shared = this.lab.shared.clone();
        loop {
            match catch_unwind(AssertUnwindSafe(|| shared.step(&this.lab))) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(payload) => {
                    shared.fail(payload);
                    return Poll::Ready(());
                }
            }
            let next = shared.enter(|state| {
                let next = state.next_due();
                state.pump = Some((next.unwrap_or(u64::MAX), cx.waker().clone()));
                next
            });
            let Some(at) = next else { return Poll::Pending };
            if at > shared.bounds.time_us {
                shared.fail(too_long(shared.bounds.time_us));
                return Poll::Ready(());
            }
            let TimeSource::Tokio(origin) = shared.time else { return Poll::Ready(()) };
            let sleep = tokio::time::sleep_until(origin + Duration::from_micros(at));
            let sleep = this.sleep.insert(Box::pin(sleep));
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

fn too_long(limit_us: u64) -> Box<dyn Any + Send> {
    let limit = time(limit_us);
    Box::new(format!(
        "the test is not done after {} s of simulated time (see LabBuilder::time_limit)",
        limit.trim_start()
    ))
}
