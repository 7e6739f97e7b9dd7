//! Settings that are changed by request.

use super::{Broker, BrokerSettings};
use crate::cluster::Frame;
use crate::cluster::transport::Answer;

impl Broker {
    /// UPDATE_BROKER_CONFIG 25: lines of the form `key=value`. Unknown keys and values are passed over, as by real
    /// brokers, which answer success to everything.
    pub(super) fn configure(&mut self, request: &Frame) -> Answer {
        let text = String::from_utf8_lossy(&request.body);
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            set(&mut self.settings, key.trim(), value.trim());
        }
        self.unregistered_changes = true;
        Answer::new(0)
    }
}

fn set(settings: &mut BrokerSettings, key: &str, value: &str) {
    let truth = value.eq_ignore_ascii_case("true");
    match key {
        "autoCreateTopicEnable" => settings.auto_create_topics = truth,
        "autoCreateSubscriptionGroup" => settings.auto_create_groups = truth,
        "rejectTransactionMessage" => settings.reject_transactions = truth,
        "timerWheelEnable" => settings.timer_wheel = truth,
        "brokerRole" => settings.slave = value == "SLAVE",
        "brokerPermission" => set_number(&mut settings.permission, value),
        "maxMessageSize" => set_number(&mut settings.max_body, value),
        "startAcceptSendRequestTimeStamp" => set_number(&mut settings.accept_sends_from_ms, value),
        _ => {}
    }
}

fn set_number<N: std::str::FromStr>(setting: &mut N, text: &str) {
    if let Ok(number) = text.parse() {
        *setting = number;
    }
}
