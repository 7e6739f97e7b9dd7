use super::{Amount, Room, UseKey};
use crate::ground::{Key, Rng};
use crate::interface::{CommandId, Limits};
use crate::request::{SendMessageCommonHeader, SendMessageTemplate};
use crate::wire::Plain;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

fn limits() -> Limits {
    Limits {
        messages: 10,
        message_bytes: 1_000,
        producer_messages: 6,
        producer_message_bytes: 900,
        topic_messages: 4,
        topic_message_bytes: 800,
        ..Limits::default()
    }
}

impl Room {
    fn amount(&self, key: UseKey) -> Option<Amount> {
        self.uses.get(key).map(|used| used.amount)
    }
}

fn id(n: u64) -> CommandId {
    CommandId(n)
}

fn granted(room: &mut Room) -> Vec<u64> {
    core::iter::from_fn(|| room.grant()).map(|(id, _)| id.0).collect()
}

#[test]
fn a_full_topic_does_not_hold_up_another() {
    let mut room = Room::new(&limits());
    let (p, dead, live) = (Key::from_parts(0, 0), Key::from_parts(0, 0), Key::from_parts(1, 0));
    let mut place = Key::from_parts(0, 0);
    for _ in 0..4 {
        assert!(room.has(p, Some(dead), 1));
        place = room.take(p, dead, 1);
    }
    assert!(!room.has(p, Some(dead), 1));
    room.wait(id(1), p, dead, 1);
    assert_eq!(granted(&mut room), [0_u64; 0]);
    assert!(room.has(p, Some(live), 1), "the line of another topic is no reason to wait");
    room.wait(id(2), p, live, 1);
    assert_eq!(granted(&mut room), [2]);
    room.give_back(place, 1);
    assert_eq!(granted(&mut room), [1]);
}

#[test]
fn a_full_producer_does_not_hold_up_another() {
    let mut room = Room::new(&limits());
    let (a, b) = (Key::from_parts(0, 0), Key::from_parts(1, 0));
    let topics = [Key::from_parts(0, 0), Key::from_parts(1, 0)];
    let places: Vec<_> = (0..6).map(|n| room.take(a, topics[n % 2], 1)).collect();
    room.wait(id(1), a, topics[0], 1);
    assert_eq!(granted(&mut room), [0_u64; 0]);
    assert!(!room.has(a, Some(topics[1]), 1), "would overtake");
    assert!(room.has(b, Some(topics[0]), 1));
    room.give_back(places[1], 1);
    assert_eq!(granted(&mut room), [1]);
}

#[test]
fn the_client_limit_is_first_come_first_served() {
    let mut room = Room::new(&limits());
    let (p, q, t) = (Key::from_parts(0, 0), Key::from_parts(1, 0), Key::from_parts(0, 0));
    room.take(p, t, 600);
    room.wait(id(1), q, t, 500);
    room.wait(id(2), p, t, 10);
    assert_eq!(granted(&mut room), [0_u64; 0], "the small one behind does not overtake");
    assert!(!room.has(p, Some(t), 1));
    assert!(room.leave(id(1)));
    assert!(!room.leave(id(1)));
    assert_eq!(granted(&mut room), [2]);
}

#[test]
fn random_use_neither_forgets_nor_exceeds() {
    let limits = limits();
    // An interpreter needs a hundred times as long.
    for seed in 0..if cfg!(miri) { 1 } else { 200 } {
        let mut rng = Rng::new(seed);
        let mut room = Room::new(&limits);
        let mut held = Vec::new();
        let mut lines: VecDeque<(u64, usize, usize, usize)> = VecDeque::new();
        for step in 0..if cfg!(miri) { 60 } else { 400_u64 } {
            let p = usize::try_from(rng.below(3)).unwrap();
            let t = usize::try_from(rng.below(3)).unwrap();
            let weight = usize::try_from(1 + rng.below(300)).unwrap();
            let keys = (
                Key::from_parts(u32::try_from(p).unwrap(), 0),
                Key::from_parts(u32::try_from(t).unwrap(), 0),
            );
            match rng.below(4) {
                0 | 1 => {
                    if room.has(keys.0, Some(keys.1), weight) {
                        held.push((p, room.take(keys.0, keys.1, weight), weight));
                    } else {
                        room.wait(id(step), keys.0, keys.1, weight);
                        lines.push_back((step, p, t, weight));
                    }
                }
                2 if !held.is_empty() => {
                    let at = usize::try_from(rng.below(held.len() as u64)).unwrap();
                    let (_, place, weight) = held.swap_remove(at);
                    room.give_back(place, weight);
                }
                _ if !lines.is_empty() => {
                    let at = usize::try_from(rng.below(lines.len() as u64)).unwrap();
                    let (n, ..) = lines.remove(at).unwrap();
                    assert!(room.leave(id(n)));
                }
                _ => {}
            }
            while let Some((granted_id, granted)) = room.grant() {
                let at =
                    lines.iter().position(|(n, ..)| id(*n) == granted_id).expect("granted to one in line");
                let (n, p, t, weight) = lines.remove(at).unwrap();
                assert_eq!(granted.weight, weight);
                let earlier = lines.iter().find(|(m, lp, lt, _)| *m < n && (*lp, *lt) == (p, t));
                assert_eq!(earlier, None, "overtaken in its own line");
                held.push((p, granted.place, weight));
            }
            let bytes: usize = held.iter().map(|(.., weight)| weight).sum();
            assert_eq!((room.used().messages, room.used().bytes), (held.len(), bytes));
            assert!(held.len() <= limits.messages && bytes <= limits.message_bytes);
            for p in 0..3 {
                let of_p = held.iter().filter(|(hp, ..)| *hp == p);
                assert!(of_p.clone().count() <= limits.producer_messages);
                assert!(of_p.map(|(.., w)| w).sum::<usize>() <= limits.producer_message_bytes);
            }
            assert_eq!(room.waiting(), lines.len());
        }
        // Everything is given back: everybody in line gets room in the end.
        while !held.is_empty() || !lines.is_empty() {
            if let Some((_, place, weight)) = held.pop() {
                room.give_back(place, weight);
            }
            let mut some = false;
            while let Some((granted_id, granted)) = room.grant() {
                let at = lines.iter().position(|(n, ..)| id(*n) == granted_id).unwrap();
                let (_, p, _, weight) = lines.remove(at).unwrap();
                held.push((p, granted.place, weight));
                some = true;
            }
            assert!(some || !held.is_empty() || lines.is_empty(), "seed {seed}: forgotten in line");
        }
    }
}

#[test]
fn what_is_gone_is_forgotten_once_it_is_empty() {
    let mut room = Room::new(&limits());
    let (p, q) = (Key::from_parts(0, 0), Key::from_parts(1, 0));
    let (t, u) = (Key::from_parts(0, 0), Key::from_parts(1, 0));
    let (old, other) = (room.take(p, t, 1), room.take(q, u, 1));
    room.sweep(|_| false, |_| false, |_| true);
    assert!(room.amount(old).is_some() && room.amount(other).is_some(), "both are in use");
    room.give_back(old, 1);
    room.sweep(|_| false, |_| true, |_| true);
    assert!(room.amount(old).is_none() && room.amount(other).is_some());
    // A new one in its place is another one.
    let new = room.take(p, t, 1);
    assert_ne!(new, old);
    room.give_back(old, 1);
    assert_eq!(room.amount(new).map(|amount| amount.messages), Some(1));
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn templates_are_bounded_and_go_with_their_brokers() {
    let plain = |text| Plain::new(text).unwrap();
    let common = || SendMessageCommonHeader {
        producer_group: plain("group"),
        topic: plain("orders"),
        default_topic: plain("TBW102"),
        default_topic_queue_nums: 4,
        sys_flag: 0,
        reconsume_times: 0,
        unit_mode: false,
        batch: false,
        broker_name: "broker-a",
    };
    let mut room = Room::new(&limits());
    let (producer, topic) = (Key::from_parts(0, 0), Key::from_parts(0, 0));
    let place = room.take(producer, topic, 1);
    let make = || SendMessageTemplate::new(&common());
    let made =
        |room: &mut Room, n| room.template(place, Key::from_parts(n, 0), n % 2 == 0, make).unwrap().is_some();
    let most = (0..).find(|n| !made(&mut room, *n)).unwrap();
    assert_eq!(most, 4_096);
    assert!(made(&mut room, most - 1), "what is there stays");
    room.sweep(|_| true, |_| true, |broker| broker.index() < 10);
    assert!(made(&mut room, most));
}
