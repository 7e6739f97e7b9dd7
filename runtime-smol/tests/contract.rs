//! The driver contract, on smol.

use rocketmq_driver::contract::Harness;
use rocketmq_smol::Smol;
use std::future::Future;

struct OnSmol;

impl Harness for OnSmol {
    type Runtime = Smol;

    fn runtime(&self) -> Smol {
        Smol
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        smol::block_on(future)
    }
}

rocketmq_driver::contract_tests!(OnSmol);
