use super::{Plan, Record, Style};
use crate::host::{self, Kind};
use crate::report::Measured;
use rocketmq_driver::SerializeType;
use rocketmq_sim::cluster::ClusterConfig;
use rocketmq_sim::serve::ServedCluster;
use std::time::{Duration, Instant};

fn plan(cluster: &ServedCluster) -> Plan {
    Plan {
        name_server: cluster.name_server_addr(),
        in_flight: 16,
        body: 100,
        messages: 400,
        warm_up: 50,
        rate: None,
        serialize: SerializeType::Json,
        topic: "Bench".parse().unwrap(),
        deadline: Duration::from_secs(20),
        style: Style::Tasks,
        recording: Record::Off,
    }
}

fn cluster() -> ServedCluster {
    ServedCluster::start(ClusterConfig::default()).unwrap()
}

fn stored(cluster: &ServedCluster) -> usize {
    cluster.with_cluster(|cluster| cluster.stored_count())
}

fn run(kind: Kind, plan: Plan) -> Measured {
    host::run(kind, plan).unwrap().unwrap()
}

#[test]
fn each_runtime_and_style_sends_what_was_asked_for() {
    for kind in [Kind::Tokio, Kind::Tokio2, Kind::Smol] {
        for style in [Style::Tasks, Style::Enqueue] {
            let cluster = cluster();
            let measured = run(kind, Plan { style, ..plan(&cluster) });
            assert_eq!((measured.messages, measured.failed), (400, 0), "{kind:?} {style:?}: {measured:?}");
            assert_eq!(stored(&cluster), 450, "{kind:?} {style:?}");
            let found = measured.percentiles.unwrap();
            assert!(0.0 < found.p50 && found.p50 <= found.p99 && found.p99 <= found.max, "{found:?}");
            assert!(measured.counted.writes >= 1 && measured.counted.reads >= 1);
            assert!(measured.counted.written_bytes > 400 * 100);
        }
    }
}

#[test]
fn one_way_sends_are_written_and_not_awaited() {
    let cluster = cluster();
    let measured = run(Kind::Tokio, Plan { style: Style::OneWay, ..plan(&cluster) });
    assert_eq!((measured.messages, measured.failed), (400, 0), "{measured:?}");
    let start = Instant::now();
    while stored(&cluster) < 450 {
        assert!(start.elapsed() < Duration::from_secs(20), "{} of 450 are stored", stored(&cluster));
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_rate_is_kept_and_latency_counts_from_when_each_message_was_due() {
    let cluster = cluster();
    let rate = Some(2_000.0);
    let measured = run(Kind::Tokio, Plan { rate, warm_up: 20, ..plan(&cluster) });
    assert_eq!(measured.failed, 0, "{measured:?}");
    assert!((0.199..2.0).contains(&measured.seconds), "{measured:?}");
    // Far more than the cluster answers in time, by one send at a time: most messages wait for their turn.
    let behind = run(Kind::Smol, Plan { rate: Some(1e7), in_flight: 1, ..plan(&cluster) });
    let half = behind.seconds * 1e6 / 2.0;
    let found = behind.percentiles.unwrap();
    assert!((half * 0.5..half * 1.5).contains(&found.p50), "{behind:?}");
    assert!(found.max >= behind.seconds * 1e6 * 0.8, "{behind:?}");
}

#[test]
fn failed_sends_are_a_figure_with_the_first_reason() {
    let cluster = cluster();
    let nowhere = Plan {
        name_server: "127.0.0.1:1".into(),
        deadline: Duration::from_millis(30),
        messages: 40,
        warm_up: 0,
        ..plan(&cluster)
    };
    for style in [Style::Tasks, Style::Enqueue, Style::OneWay] {
        let measured = run(Kind::Tokio, Plan { style, ..nowhere.clone() });
        assert_eq!((measured.messages, measured.failed), (40, 40), "{measured:?}");
        let reason = measured.first_error.unwrap();
        assert!(reason.contains("not stored"), "{reason}");
        assert_eq!(measured.percentiles, None);
    }
}

#[test]
fn limits_leave_room_for_everything_under_way() {
    let cluster = cluster();
    for (in_flight, body) in [(1, 100), (10_000, 1_024), (10_000, 65_536), (100_000, 100)] {
        let plan = Plan { in_flight, body, ..plan(&cluster) };
        let limits = plan.limits();
        let maker = crate::message::Maker::new(plan.topic.clone(), body);
        let needed = maker.make(u64::MAX).weight() * in_flight;
        for most in [limits.message_bytes, limits.producer_message_bytes, limits.topic_message_bytes] {
            assert!(most >= needed, "{most} bytes for {in_flight} of {body}");
        }
        for most in [limits.messages, limits.producer_messages, limits.topic_messages] {
            assert!(most >= in_flight);
        }
    }
}

#[cfg(feature = "record")]
#[test]
fn recordings_go_to_a_file_or_stay_in_memory() {
    let cluster = cluster();
    let file = std::env::temp_dir().join(format!("bench-load-{}.recording", std::process::id()));
    run(Kind::Tokio, Plan { recording: Record::File(file.clone()), ..plan(&cluster) });
    let bytes = std::fs::metadata(&file).unwrap().len();
    std::fs::remove_file(&file).unwrap();
    assert!(bytes > 450 * 50, "{bytes}");
    run(Kind::Smol, Plan { recording: Record::Recent(100_000), ..plan(&cluster) });
    assert_eq!(stored(&cluster), 900);
}
