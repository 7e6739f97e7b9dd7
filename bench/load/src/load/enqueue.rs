//! One task with many sends under way: it hands messages over and fetches receipts behind them.

use super::{Load, Phase};
use rocketmq_driver::Receipt;
use std::collections::VecDeque;
use std::time::Instant;

/// Sends until the phase has no message left, and waits for the last receipt.
pub(super) async fn send_ahead(load: &Load, phase: &Phase) {
    let mut under_way: VecDeque<(Instant, Receipt)> = VecDeque::with_capacity(load.in_flight);
    let mut now = Instant::now();
    while let Some(number) = phase.take() {
        if under_way.len() >= load.in_flight {
            now = fetch_oldest(phase, &mut under_way).await;
        }
        match load.producer.enqueue(load.maker.make(number)).await {
            Ok(receipt) => under_way.push_back((now, receipt)),
            Err(error) => phase.ended(Err(error), || now.elapsed()),
        }
    }
    while !under_way.is_empty() {
        fetch_oldest(phase, &mut under_way).await;
    }
}

/// Waits for the oldest receipt. Answers come in order as a rule, so those behind it are often there already.
async fn fetch_oldest(phase: &Phase, under_way: &mut VecDeque<(Instant, Receipt)>) -> Instant {
    let Some((start, receipt)) = under_way.pop_front() else { return Instant::now() };
    let sent = receipt.await.map(drop);
    let end = Instant::now();
    phase.ended(sent, || end - start);
    end
}
