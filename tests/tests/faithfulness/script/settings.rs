//! Settings of a running broker, and what they change. The last subject: some cannot be taken back.

use super::requests::{create, route, send, send_with, setting};
use crate::faithfulness::step::{Request, Step, Subject, To};

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("settings");
    it.ask("create", create("SettingTopic", 1));
    it.ask("create order", create("SettingOrder", 1).field("order", "true"));
    it.ask_both("unknown setting", &setting("noSuchSetting=1"));
    it.ask("no body", Request::new(25));
    it.ask("not a setting", setting("just text"));
    bodies(&mut it);
    permissions(&mut it);
    features(&mut it);
    topics(&mut it);
    it.steps
}

fn bodies(it: &mut Subject) {
    it.ask("smaller bodies", setting("maxMessageSize=1000"));
    it.ask("body of 1000", send("SettingTopic").body(vec![b'x'; 1000]));
    it.ask("body of 1001", send("SettingTopic").body(vec![b'x'; 1001]));
    it.ask("larger bodies", setting("maxMessageSize=4194304"));
    it.ask("body of 1001 again", send("SettingTopic").body(vec![b'x'; 1001]));
}

fn permissions(it: &mut Subject) {
    it.ask("broker not writable", setting("brokerPermission=4"));
    it.ask("send to a broker that is not writable", send("SettingTopic"));
    it.ask("order topic of a broker that is not writable", send("SettingOrder"));
    it.ask("new topic of a broker that is not writable", send("SettingNew"));
    it.ask("route of a broker that is not writable", route("SettingTopic"))
        .to(To::NameServer)
        .until("\"perm\":4");
    it.ask("broker not readable", setting("brokerPermission=2"));
    it.ask("route of a broker that is not readable", route("SettingTopic"))
        .to(To::NameServer)
        .until("\"perm\":2");
    it.ask("broker writable", setting("brokerPermission=6"));
    it.ask("order topic of a writable broker", send("SettingOrder"));
    it.ask("route of a writable broker", route("SettingTopic")).to(To::NameServer).until("\"perm\":6");
}

fn features(it: &mut Subject) {
    let half = || send_with("SettingTopic", &[("TRAN_MSG", "true"), ("PGROUP", "PG")]).field("f", "4");
    it.ask("no transactions", setting("rejectTransactionMessage=true"));
    it.ask("half message refused", half());
    it.ask("transactions", setting("rejectTransactionMessage=false"));
    it.ask("half message accepted", half());
    it.ask("no timers", setting("timerWheelEnable=false"));
    it.ask("timer refused", send_with("SettingTopic", &[("TIMER_DELAY_SEC", "600")]));
    it.ask("timer not asked for", send("SettingTopic"));
    it.ask("timers", setting("timerWheelEnable=true"));
    it.ask("sends from later on", setting("startAcceptSendRequestTimeStamp=4102444800000"));
    it.ask("send too early", send("SettingTopic"));
    it.ask("batch too early", send("SettingTopic").field("m", "true"));
    it.ask("sends from now on", setting("startAcceptSendRequestTimeStamp=0"));
    it.ask("send in time", send("SettingTopic"));
    it.ask("no new groups", setting("autoCreateSubscriptionGroup=false"));
    it.ask("retry of an unknown group", send("%RETRY%SettingGroup"));
    it.ask("new groups", setting("autoCreateSubscriptionGroup=true"));
    it.ask("retry of a new group", send("%RETRY%SettingGroup"));
    it.ask("no new groups again", setting("autoCreateSubscriptionGroup=false"));
    it.ask("retry of a known group", send("%RETRY%SettingGroup"));
    it.ask("new groups again", setting("autoCreateSubscriptionGroup=true"));
    it.ask("slave", setting("brokerRole=SLAVE"));
    it.ask("send to a slave", send("SettingTopic"));
    it.ask("heartbeat to a slave", Request::new(34).body(r#"{"clientID":"c","producerDataSet":[]}"#));
    it.ask("master", setting("brokerRole=ASYNC_MASTER"));
    it.ask("send to a master", send("SettingTopic"));
}

fn topics(it: &mut Subject) {
    it.ask("no new topics", setting("autoCreateTopicEnable=false"));
    it.ask("known topic", send("SettingTopic"));
    it.ask("new topic", send("SettingMade"));
    it.ask("new retry topic", send("%RETRY%SettingLate"));
    it.ask("new topic, binary", send("SettingMade").binary());
    it.ask("new topics", setting("autoCreateTopicEnable=true"));
    it.ask("still no new topic", send("SettingMade"));
    it.ask("settings of the default topic", Request::new(351).field("topic", "TBW102"));
}
