//! Messages for later.

use super::requests::{create, send_with, view};
use crate::faithfulness::step::{Request, Step, Subject};

/// Three days, in seconds.
const THREE_DAYS: i64 = 259_200;

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("delays");
    it.ask("create", create("DelayTopic", 1));
    for level in ["3", "18", "19", "99", "0", "-1", "x", "", "1.5", "2147483648"] {
        let name = format!("level {level:?}");
        it.ask(&name, send_with("DelayTopic", &[("DELAY", level)]));
    }
    it.ask("view level 3", view("delays/level \"3\""));
    it.ask("view level 99", view("delays/level \"99\""));
    it.ask("view level 0", view("delays/level \"0\""));
    it.ask("level 3, binary", send_with("DelayTopic", &[("DELAY", "3")]).binary());
    it.ask("level 3, one-way", send_with("DelayTopic", &[("DELAY", "3")]).one_way());
    let waiting = Request::new(30).fields(&[("topic", "SCHEDULE_TOPIC_XXXX"), ("queueId", "2")]);
    it.ask("offset after one-way", waiting).until("field offset: 3");
    timers(&mut it);
    delivered(&mut it);
    it.steps
}

/// What arrives when the time has come.
fn delivered(it: &mut Subject) {
    it.ask("level 1", send_with("DelayTopic", &[("DELAY", "1"), ("KEYS", "level-key")]));
    let delivered = Request::new(12).fields(&[
        ("topic", "DelayTopic"),
        ("key", "level-key"),
        ("maxNum", "10"),
        ("beginTimestamp", "0"),
        ("endTimestamp", "9223372036854775807"),
    ]);
    it.ask("after level 1", delivered).until("DelayTopic queue");
}

fn timers(it: &mut Subject) {
    for (name, property, value) in [
        ("600 seconds", "TIMER_DELAY_SEC", "600".to_owned()),
        ("600000 milliseconds", "TIMER_DELAY_MS", "600000".to_owned()),
        ("time in the past", "TIMER_DELIVER_MS", "1000".to_owned()),
        ("no delay", "TIMER_DELAY_SEC", "0".to_owned()),
        ("negative delay", "TIMER_DELAY_SEC", "-5".to_owned()),
        ("three days and an hour", "TIMER_DELAY_SEC", (THREE_DAYS + 3600).to_string()),
        ("time far away", "TIMER_DELIVER_MS", "99999999999999".to_owned()),
        ("not a number", "TIMER_DELAY_SEC", "soon".to_owned()),
        ("not a number of milliseconds", "TIMER_DELAY_MS", "soon".to_owned()),
        ("not a time", "TIMER_DELIVER_MS", "soon".to_owned()),
        ("beyond 64 bits", "TIMER_DELIVER_MS", "9223372036854775808".to_owned()),
        ("largest delay", "TIMER_DELAY_MS", i64::MAX.to_string()),
        ("largest delay in seconds", "TIMER_DELAY_SEC", i64::MAX.to_string()),
    ] {
        it.ask(&format!("timer: {name}"), send_with("DelayTopic", &[(property, value.as_str())]));
    }
    it.ask("view timer", view("delays/timer: 600 seconds"));
    it.ask("view timer in the past", view("delays/timer: time in the past"));
    it.ask("level and timer", send_with("DelayTopic", &[("DELAY", "3"), ("TIMER_DELAY_SEC", "600")]));
    it.ask("view level and timer", view("delays/level and timer"));
    it.ask("two timers", send_with("DelayTopic", &[("TIMER_DELAY_MS", "0"), ("TIMER_DELAY_SEC", "600")]));
}
