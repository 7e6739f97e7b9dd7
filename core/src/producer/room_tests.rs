use super::room::Room;
use crate::ground::{Key, Rng};
use crate::interface::{CommandId, Limits};
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

fn id(n: u64) -> CommandId {
    CommandId(n)
}

fn granted(room: &mut Room) -> Vec<u64> {
    core::iter::from_fn(|| room.grant()).map(|(id, ..)| id.0).collect()
}

#[test]
fn a_full_topic_does_not_hold_up_another() {
    let mut room = Room::new(&limits());
    let (p, dead, live) = (Key::from_parts(0, 0), Key::from_parts(0, 0), Key::from_parts(1, 0));
    for _ in 0..4 {
        assert!(room.has(p, Some(dead), 1));
        room.take(p, dead, 1);
    }
    assert!(!room.has(p, Some(dead), 1));
    room.wait(id(1), p, dead, 1);
    assert_eq!(granted(&mut room), [0_u64; 0]);
    assert!(room.has(p, Some(live), 1), "the line of another topic is no reason to wait");
    room.wait(id(2), p, live, 1);
    assert_eq!(granted(&mut room), [2]);
    room.give_back(p, dead, 1);
    assert_eq!(granted(&mut room), [1]);
}

#[test]
fn a_full_producer_does_not_hold_up_another() {
    let mut room = Room::new(&limits());
    let (a, b) = (Key::from_parts(0, 0), Key::from_parts(1, 0));
    let topics = [Key::from_parts(0, 0), Key::from_parts(1, 0)];
    for n in 0..6 {
        room.take(a, topics[n % 2], 1);
    }
    room.wait(id(1), a, topics[0], 1);
    assert_eq!(granted(&mut room), [0_u64; 0]);
    assert!(!room.has(a, Some(topics[1]), 1), "would overtake");
    assert!(room.has(b, Some(topics[0]), 1));
    room.give_back(a, topics[1], 1);
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
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut room = Room::new(&limits);
        let mut held = Vec::new();
        let mut lines: VecDeque<(u64, usize, usize, usize)> = VecDeque::new();
        for step in 0..400_u64 {
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
                        room.take(keys.0, keys.1, weight);
                        held.push((p, t, weight));
                    } else {
                        room.wait(id(step), keys.0, keys.1, weight);
                        lines.push_back((step, p, t, weight));
                    }
                }
                2 if !held.is_empty() => {
                    let at = usize::try_from(rng.below(held.len() as u64)).unwrap();
                    let (p, t, weight) = held.swap_remove(at);
                    let p = Key::from_parts(u32::try_from(p).unwrap(), 0);
                    room.give_back(p, Key::from_parts(u32::try_from(t).unwrap(), 0), weight);
                }
                _ if !lines.is_empty() => {
                    let at = usize::try_from(rng.below(lines.len() as u64)).unwrap();
                    let (n, ..) = lines.remove(at).unwrap();
                    assert!(room.leave(id(n)));
                }
                _ => {}
            }
            while let Some((granted, ..)) = room.grant() {
                let at = lines.iter().position(|(n, ..)| id(*n) == granted).expect("granted to one in line");
                let (n, p, t, weight) = lines.remove(at).unwrap();
                let earlier = lines.iter().find(|(m, lp, lt, _)| *m < n && (*lp, *lt) == (p, t));
                assert_eq!(earlier, None, "overtaken in its own line");
                held.push((p, t, weight));
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
            if let Some((p, t, weight)) = held.pop() {
                let p = Key::from_parts(u32::try_from(p).unwrap(), 0);
                room.give_back(p, Key::from_parts(u32::try_from(t).unwrap(), 0), weight);
            }
            let mut some = false;
            while let Some((granted, ..)) = room.grant() {
                let at = lines.iter().position(|(n, ..)| id(*n) == granted).unwrap();
                let (_, p, t, weight) = lines.remove(at).unwrap();
                held.push((p, t, weight));
                some = true;
            }
            assert!(some || !held.is_empty() || lines.is_empty(), "seed {seed}: forgotten in line");
        }
    }
}
