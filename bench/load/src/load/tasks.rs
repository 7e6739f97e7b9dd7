//! A task that awaits one send at a time. Many of them are the usual shape of a server.

use super::{Load, Phase, Style};
use rocketmq_driver::{Message, SendError};
use std::time::Instant;

/// Up to so many sends under way, each is timed by itself.
const FEW: usize = 16;

/// Sends until the phase has no message left.
pub(super) async fn send_in_turn(load: &Load, phase: &Phase) {
    match &load.due {
        None => send_at_once(load, phase).await,
        Some(due) => {
            while let Some(number) = phase.take() {
                let Ok(permit) = due.acquire().await else { return };
                permit.forget();
                let sent = send(load, load.maker.make(number)).await;
                // From the moment at which it should have been sent, however late that was.
                let intended =
                    phase.timetable.get().map_or_else(Instant::now, |table| table.intended(number));
                phase.ended(sent, || intended.elapsed());
            }
        }
    }
}

/// The end of one send is the start of the next one: asking the clock twice for each would show in the figures. With
/// few under way it would not, but the time to make the next message would show in the latency.
async fn send_at_once(load: &Load, phase: &Phase) {
    let mut start = Instant::now();
    while let Some(number) = phase.take() {
        let message = load.maker.make(number);
        if load.in_flight <= FEW {
            start = Instant::now();
        }
        let sent = send(load, message).await;
        let end = Instant::now();
        phase.ended(sent, || end - start);
        start = end;
    }
}

async fn send(load: &Load, message: Message) -> Result<(), SendError> {
    if load.style == Style::OneWay {
        load.producer.send_oneway(message).await
    } else {
        load.producer.send(message).await.map(drop)
    }
}
