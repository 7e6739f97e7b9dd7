//! Namespaces, instance name and unit on the command line.

mod common;

use common::{TOPIC, assert_code, cluster, json, rocketmq, run, send, stderr};

const NAMESPACE: [&str; 2] = ["--namespace", "MQ_INST_1_shop"];
const WRAPPED: &str = "MQ_INST_1_shop%CliTopic";

#[test]
fn with_a_namespace_servers_have_the_wrapped_topic_and_the_user_the_bare_one() {
    let cluster = cluster(1);
    let output =
        run(send(&cluster, &[&NAMESPACE[..], &["--body", "b", "--key-prefix", "k", "--json"]].concat()));
    assert_code(&output, 0);
    assert_eq!(
        cluster.with_cluster(|cluster| (cluster.stored(WRAPPED).len(), cluster.stored(TOPIC).len())),
        (1, 0)
    );
    let stored = cluster.with_cluster(|cluster| cluster.stored(WRAPPED).remove(0));
    assert!(
        stored
            .properties
            .iter()
            .any(|(name, value)| (&**name, &**value) == ("INSTANCE_ID", "MQ_INST_1_shop"))
    );

    let ask = |args: &[&str], more: &[&str]| {
        let mut command = rocketmq(args);
        command.args(["--json", "--name-server", &cluster.name_server_addr()]).args(more);
        let output = run(command);
        assert_code(&output, 0);
        json(&output)
    };
    let listed = ask(&["topic", "list"], &NAMESPACE);
    let topics = listed["topics"].as_array().expect("a list");
    assert!(topics.contains(&TOPIC.into()) && !topics.contains(&WRAPPED.into()), "{listed}");
    let listed = ask(&["topic", "list"], &[]);
    assert!(listed["topics"].as_array().expect("a list").contains(&WRAPPED.into()), "{listed}");
    let found = ask(&["query", "key", "--topic", TOPIC, "k0"], &NAMESPACE);
    assert!(found.to_string().contains(r#""topic":"CliTopic""#), "{found}");
}

#[test]
fn the_second_kind_and_who_the_client_is_change_no_name() {
    let cluster = cluster(1);
    let flags = ["--namespace-v2", "shop", "--instance-name", "one", "--unit", "north", "--body", "b"];
    assert_code(&run(send(&cluster, &flags)), 0);
    assert_eq!(cluster.with_cluster(|cluster| cluster.stored(TOPIC).len()), 1);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let cluster = cluster(1);
    let output = run(send(&cluster, &["--body", "b", "--namespace-v2", " "]));
    assert_code(&output, 1);
    assert!(stderr(&output).contains("namespace_v2"), "{}", stderr(&output));
    let output = run(send(&cluster, &["--body", "b", "--namespace", "a%b"]));
    assert!(!output.status.success() && stderr(&output).contains("namespace"), "{}", stderr(&output));
}
