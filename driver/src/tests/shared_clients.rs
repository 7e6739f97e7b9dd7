//! Clients that are shared by their id.

use super::world::{Task, World, message, run};
use crate::{
    Client, ClientBuilder, Driver, OutgoingRequest, Refusal, RpcHook, SharedClientError, SharedClients,
};
use std::future::IntoFuture;
use std::time::Duration;

fn builder(instance: &str) -> ClientBuilder {
    Client::builder("127.0.0.1:9876").ip([10, 0, 0, 7].into()).instance_name(instance)
}

fn other_setting(result: Result<(Client, Option<Driver<World>>), SharedClientError>) -> &'static str {
    match result {
        Err(SharedClientError::OtherSetting { client_id, setting }) => {
            assert_eq!(client_id, "10.0.0.7@shop");
            setting
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn equal_ids_are_one_client_with_one_driver_and_one_table_of_producers() {
    let (world, clients) = (World::new(), SharedClients::default());
    let (one, driver) = clients.build_with(builder("shop"), world.clone()).unwrap();
    let mut driver = Task::new(driver.expect("the first has a driver"));
    let (same, none) = clients.clone().build_with(builder("shop").seed(9), world.clone()).unwrap();
    assert!(none.is_none() && one.is_same(&same));
    let (other, own) = clients.build_with(builder("other"), world.clone()).unwrap();
    assert!(own.is_some() && !other.is_same(&one));
    assert_eq!(clients.count(), 2);
    let first = run(&mut driver, one.producer("first").into_future()).unwrap();
    let second = run(&mut driver, same.producer("second").into_future()).unwrap();
    assert!(run(&mut driver, same.producer("first").into_future()).is_err(), "one group has one producer");
    run(&mut driver, first.send(message("one")).into_future()).unwrap();
    run(&mut driver, second.send(message("two")).into_future()).unwrap();
    assert_eq!(world.store().messages(), 2);
}

#[test]
fn without_an_instance_name_nothing_is_shared() {
    let (world, clients) = (World::new(), SharedClients::default());
    let build = || clients.build_with(Client::builder("127.0.0.1:9876"), world.clone()).unwrap();
    let (one, other) = (build(), build());
    assert!(other.1.is_some() && !one.0.is_same(&other.0));
}

/// A hook that does nothing.
struct Bystander;

impl RpcHook for Bystander {
    fn name(&self) -> &str {
        "bystander"
    }

    fn before_request(&self, _: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

#[test]
fn hooks_of_equal_names_are_the_same_hooks() {
    let (world, clients) = (World::new(), SharedClients::default());
    let build = || clients.build_with(builder("shop").rpc_hook(Bystander), world.clone()).unwrap();
    let (one, other) = (build(), build());
    assert!(other.1.is_none() && one.0.is_same(&other.0));
}

#[test]
fn another_value_of_a_setting_is_refused_by_name() {
    let (world, clients) = (World::new(), SharedClients::default());
    let (_one, _driver) = clients.build_with(builder("shop"), world.clone()).unwrap();
    let build = |builder| other_setting(clients.build_with(builder, world.clone()));
    assert_eq!(build(builder("shop").heartbeat_v2(true)), "heartbeat_v2");
    assert_eq!(build(builder("shop").namespace("MQ_INST_1_a")), "namespace");
    assert_eq!(build(builder("shop").drop_budget(Duration::from_secs(9))), "drop_budget");
    assert_eq!(build(builder("shop").rpc_hook(Bystander)), "hooks");
    let elsewhere = Client::builder("127.0.0.1:9877").ip([10, 0, 0, 7].into()).instance_name("shop");
    assert_eq!(build(elsewhere), "name_servers");
    // A unit is part of the id, so it is another client.
    assert!(clients.build_with(builder("shop").unit_name("north"), world.clone()).unwrap().1.is_some());
    // What cannot work is told as ever.
    let wrong = clients.build_with(builder("shop").namespace("a%b"), world.clone());
    assert!(matches!(wrong, Err(SharedClientError::Config(error)) if error.field == "namespace"));
}

#[test]
fn a_client_that_was_dropped_or_shut_down_makes_room_for_a_new_one() {
    let (world, clients) = (World::new(), SharedClients::default());
    let (one, driver) = clients.build_with(builder("shop"), world.clone()).unwrap();
    let mut driver = Task::new(driver.unwrap());
    // A producer keeps its client alive.
    let producer = run(&mut driver, one.producer("group").into_future()).unwrap();
    drop(one);
    let (one, none) = clients.build_with(builder("shop"), world.clone()).unwrap();
    assert!(none.is_none());
    drop((producer, one));
    assert_eq!(clients.count(), 0);
    let (two, driver) = clients.build_with(builder("shop").heartbeat_v2(true), world.clone()).unwrap();
    let mut driver = Task::new(driver.expect("nobody holds the first one"));
    run(&mut driver, two.shutdown(Duration::from_secs(1)));
    let (three, driver) = clients.build_with(builder("shop"), world.clone()).unwrap();
    assert!(driver.is_some() && !three.is_same(&two), "a client that was shut down is not handed out");
    drop(driver);
    let (four, driver) = clients.build_with(builder("shop"), world.clone()).unwrap();
    assert!(driver.is_some() && !four.is_same(&three), "nor one whose driver is gone");
}
