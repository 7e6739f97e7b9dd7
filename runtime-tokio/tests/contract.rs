//! The driver contract, on tokio: on one thread and on two.

use rocketmq_driver::contract::Harness;
use rocketmq_tokio::Tokio;
use std::future::Future;

struct OneThread;

impl Harness for OneThread {
    type Runtime = Tokio;

    fn runtime(&self) -> Tokio {
        Tokio::new()
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future)
    }
}

struct TwoWorkers;

impl Harness for TwoWorkers {
    type Runtime = Tokio;

    fn runtime(&self) -> Tokio {
        Tokio::new()
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
    }
}

mod one_thread {
    rocketmq_driver::contract_tests!(super::OneThread);
}

mod two_workers {
    rocketmq_driver::contract_tests!(super::TwoWorkers);
}
