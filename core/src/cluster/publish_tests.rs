use super::brokers::BrokerKey;
use super::publish::{PublishInfo, writable_queues};
use crate::body::{QueueData, TopicRouteData};
use crate::ground::Key;
use crate::ground::names::TopicName;
use crate::interface::NoRoute;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

fn broker(n: u32) -> BrokerKey {
    Key::from_parts(n, 0)
}

fn route(queues: &[(&str, i32, i32)]) -> TopicRouteData {
    let queue_datas = queues
        .iter()
        .map(|(name, write, perm)| QueueData {
            broker_name: (*name).to_string(),
            read_queue_nums: *write,
            write_queue_nums: *write,
            perm: *perm,
            topic_sys_flag: 0,
        })
        .collect();
    TopicRouteData { order_topic_conf: None, queue_datas, broker_datas: Vec::new(), static_topic: false }
}

fn topic() -> TopicName {
    "T".parse().unwrap()
}

fn names(result: Result<Vec<(String, usize)>, NoRoute>) -> Vec<(String, usize)> {
    result.unwrap()
}

#[test]
fn queues_come_in_javas_order_and_only_writable_ones_with_a_master() {
    let route = route(&[("b", 2, 6), ("a", 3, 6), ("read-only", 4, 4), ("slave-only", 4, 6), ("none", 0, 6)]);
    let got = names(writable_queues(&topic(), &route, |name| name != "slave-only"));
    assert_eq!(got, [("a".to_string(), 3), ("b".to_string(), 2)]);
    let info = PublishInfo::new([(broker(0), 3), (broker(1), 2)]);
    let all: Vec<_> = (0..info.total()).map(|place| info.at(place).unwrap()).collect();
    assert_eq!(all, [(broker(0), 0), (broker(0), 1), (broker(0), 2), (broker(1), 0), (broker(1), 1)]);
    assert_eq!(info.at(5), None);
    assert!(info.has(broker(1), 1) && !info.has(broker(1), 2) && !info.has(broker(1), -1));
}

#[test]
fn each_lack_has_its_own_error() {
    let no_perm = route(&[("a", 4, 4), ("b", 0, 6)]);
    assert_eq!(writable_queues(&topic(), &no_perm, |_| true), Err(NoRoute::NoWritableQueue(topic())));
    let no_master = route(&[("a", 4, 6)]);
    assert_eq!(writable_queues(&topic(), &no_master, |_| false), Err(NoRoute::NoMaster(topic())));
    let empty = route(&[]);
    assert_eq!(writable_queues(&topic(), &empty, |_| true), Err(NoRoute::NoWritableQueue(topic())));
    let mut fixed = route(&[("a", 4, 6)]);
    fixed.static_topic = true;
    assert_eq!(writable_queues(&topic(), &fixed, |_| true), Err(NoRoute::StaticTopic(topic())));
}

#[test]
fn an_order_topic_lists_its_own_queues() {
    let mut listed = route(&[("a", 8, 4)]);
    listed.order_topic_conf = Some("b:2;a:1;broken;c:x;d:0".to_string());
    let got = names(writable_queues(&topic(), &listed, |_| true));
    assert_eq!(got, [("b".to_string(), 2), ("a".to_string(), 1)]);
    assert_eq!(writable_queues(&topic(), &listed, |_| false), Err(NoRoute::NoMaster(topic())));
}

#[test]
fn round_robin_visits_every_queue_equally() {
    let info = PublishInfo::new([(broker(0), 3), (broker(1), 2)]);
    let mut place = 4;
    let got: Vec<_> = (0..10).map(|_| info.next(&mut place, None, |_| true, |_| false).unwrap()).collect();
    assert_eq!(got[0], (broker(1), 1));
    assert_eq!(got[1], (broker(0), 0));
    assert_eq!(&got[..5], &got[5..]);
}

#[test]
fn brokers_that_do_not_look_well_are_passed_over() {
    let info = PublishInfo::new([(broker(0), 1000), (broker(1), 2), (broker(2), 1)]);
    let mut place = 0;
    let well = |wanted: BrokerKey| wanted != broker(0);
    let got: Vec<_> = (0..4).map(|_| info.next(&mut place, None, well, |_| false).unwrap().0).collect();
    assert_eq!(got, [broker(1), broker(1), broker(2), broker(1)]);
    // The one to avoid is taken when it is the only one that is well.
    let only = |wanted: BrokerKey| wanted == broker(2);
    assert_eq!(info.next(&mut place, Some(broker(2)), only, |_| false).unwrap().0, broker(2));
    // None is well: any but the one to avoid.
    assert_ne!(info.next(&mut place, Some(broker(1)), |_| false, |_| false).unwrap().0, broker(1));
    let single = PublishInfo::new([(broker(7), 4)]);
    assert_eq!(single.next(&mut place, Some(broker(7)), |_| false, |_| false).unwrap().0, broker(7));
    assert_eq!(PublishInfo::default().next(&mut place, None, |_| true, |_| false), None);
}

#[test]
fn a_broker_that_has_stalled_is_passed_over_for_one_that_is_well_only() {
    let info = PublishInfo::new([(broker(0), 4), (broker(1), 4)]);
    let mut place = 0;
    let stalled = |which: BrokerKey| which == broker(0);
    assert_eq!(info.next(&mut place, None, |_| true, stalled).unwrap().0, broker(1));
    assert_eq!(info.next(&mut place, Some(broker(1)), |_| true, stalled).unwrap().0, broker(0));
    let only_the_stalled = |which: BrokerKey| which == broker(0);
    assert_eq!(info.next(&mut place, None, only_the_stalled, stalled).unwrap().0, broker(0));
    assert!(info.next(&mut place, None, |_| true, |_| true).is_some());
}
