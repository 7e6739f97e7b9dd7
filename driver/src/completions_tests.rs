use super::{Completions, Delivered, KEEP, Look};
use rocketmq_core::interface::{Answer, CommandId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn answer() -> Answer {
    Answer::Flushed(Ok(()))
}

#[test]
fn an_answer_wakes_its_caller_and_is_fetched_once() {
    let mut table = Completions::default();
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let id = table.open();
    let mut found = None;
    assert_eq!(table.look(id, Some(&waker), &mut found), Look::Waiting);
    let Delivered::Wake(kept) = table.deliver(id, answer()) else { panic!("somebody waits") };
    kept.wake();
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert!(found.is_none());
    assert_eq!(table.look(id, None, &mut found), Look::Ready);
    assert!(matches!(found.take(), Some(Answer::Flushed(Ok(())))));
    assert_eq!(table.look(id, None, &mut found), Look::Stale);
    assert!(found.is_none());
    assert_eq!(table.len(), 0);
}

#[test]
fn a_second_answer_reaches_nobody() {
    let mut table = Completions::default();
    let id = table.open();
    assert!(matches!(table.deliver(id, answer()), Delivered::Kept));
    assert!(matches!(table.deliver(id, Answer::Flushed(Err(1))), Delivered::Unwanted(_)));
    let mut found = None;
    assert_eq!(table.look(id, None, &mut found), Look::Ready);
    assert!(matches!(found, Some(Answer::Flushed(Ok(())))));
}

#[test]
fn a_number_that_was_used_again_is_another_one() {
    let mut table = Completions::default();
    let old = table.open();
    table.forget(old);
    let new = table.open();
    assert_ne!(old, new);
    assert_eq!(old.0 & 0xffff_ffff, new.0 & 0xffff_ffff, "the slot is the same");
    assert!(matches!(table.deliver(old, answer()), Delivered::Unwanted(_)));
    assert!(table.abandon(old).is_none());
    assert_eq!(table.look(new, None, &mut None), Look::Waiting);
    assert!(matches!(table.deliver(CommandId(u64::MAX), answer()), Delivered::Unwanted(_)));
}

#[test]
fn an_abandoned_slot_is_free_once_its_answer_came() {
    let mut table = Completions::default();
    let id = table.open();
    assert!(table.abandon(id).is_none());
    assert_eq!(table.len(), 1);
    assert!(matches!(table.deliver(id, answer()), Delivered::Unwanted(_)));
    assert_eq!(table.len(), 0);
    let id = table.open();
    assert!(matches!(table.deliver(id, answer()), Delivered::Kept));
    assert!(table.abandon(id).is_some(), "the answer that was not fetched comes back");
    assert_eq!(table.len(), 0);
    let id = table.open_abandoned();
    assert!(matches!(table.deliver(id, answer()), Delivered::Unwanted(_)));
    assert_eq!(table.len(), 0);
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn an_emptied_table_shrinks_and_revives_no_number() {
    let mut table = Completions::default();
    let ids: Vec<_> = (0..KEEP * 4).map(|_| table.open()).collect();
    for id in &ids {
        table.forget(*id);
    }
    assert_eq!(table.len(), 0);
    assert!(table.slots.capacity() <= KEEP);
    for _ in 0..KEEP * 4 {
        let id = table.open();
        assert!(!ids.contains(&id));
    }
}

#[test]
#[cfg_attr(miri, ignore = "there the same waker may look like another one")]
fn replaced_and_abandoned_wakers_are_kept_for_later() {
    let mut table = Completions::default();
    let (first, second) = (Waker::from(Arc::new(Count::default())), Waker::from(Arc::new(Count::default())));
    let id = table.open();
    table.look(id, Some(&first), &mut None);
    table.look(id, Some(&first), &mut None);
    assert!(table.retired.is_empty(), "the same waker is not replaced");
    table.look(id, Some(&second), &mut None);
    assert_eq!(table.retired.len(), 1);
    table.abandon(id);
    assert_eq!(table.retired.len(), 2);
    let mut wakers = Vec::new();
    let id = table.open();
    table.look(id, Some(&first), &mut None);
    table.take_wakers(&mut wakers);
    assert_eq!(wakers.len(), 1);
}
