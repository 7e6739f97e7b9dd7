//! Settings of clients and producers as lists of named values.
//!
//! Every name that is written stands in this file: a setting that is added to the client is recorded only once
//! somebody has thought about it, so a secret cannot slip in by itself.

use super::error::ReadErrorKind as Wrong;
use super::named_values::{List, Value, for_each};
use super::parts::Parts;
use crate::command::LanguageCode;
use crate::ground::endpoint::NameServers;
use crate::interface::{
    ClientConfig, FaultDetector, HookNames, Identity, LatencyFault, Limits, ProducerConfig, Resend, Timing,
    TraceConfig, Zone,
};
use crate::wire::SerializeType;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

const TIMING: &str = "timing.";
const LIMITS: &str = "limits.";
const LATENCY_FAULT: &str = "latency_fault.";
const RPC_HOOK: &str = "hook.rpc";
const INTERCEPTOR: &str = "hook.interceptor";
const CHECK_FORBIDDEN: &str = "hook.check_forbidden";
const TRACE: &str = "trace.";

pub(super) fn put_client(out: &mut Vec<u8>, config: &ClientConfig, hooks: &HookNames) {
    // No `..` here: the compiler asks for every setting that is added.
    let ClientConfig {
        name_servers,
        discovery,
        identity,
        namespace,
        namespace_v2,
        unit_mode,
        zone,
        seed,
        serialize_type,
        language,
        heartbeat_v2,
        vip_channel,
        latency_fault,
        timing,
        limits,
    } = config;
    let Identity { ip, pid, instance_name, unit_name } = identity;
    let mut list = List::new();
    list.text("name_servers", &name_servers.to_string());
    if let Some(discovery) = discovery {
        list.text("discovery", &discovery.to_string());
    }
    list.text("ip", &ip.to_string());
    list.number("pid", u64::from(*pid));
    if let Some(name) = instance_name {
        list.text("instance_name", name);
    }
    if let Some(name) = unit_name {
        list.text("unit_name", name);
    }
    if let Some(namespace) = namespace {
        list.text("namespace", namespace.as_str());
    }
    if let Some(namespace) = namespace_v2 {
        list.text("namespace_v2", namespace);
    }
    list.number("unit_mode", u64::from(*unit_mode));
    if let Some(Zone { name, mode }) = zone {
        list.text("zone", name);
        list.number("zone_mode", u64::from(*mode));
    }
    list.number("seed", *seed);
    list.number("serialize_type", u64::from(serialize_type.code()));
    list.text("language", language.name());
    list.number("heartbeat_v2", u64::from(*heartbeat_v2));
    list.number("vip_channel", u64::from(*vip_channel));
    if let Some(settings) = latency_fault {
        put_latency_fault(&mut list, settings);
    }
    let HookNames { rpc, interceptors, forbidden } = hooks;
    for (kind, names) in [(RPC_HOOK, rpc), (INTERCEPTOR, interceptors), (CHECK_FORBIDDEN, forbidden)] {
        names.iter().for_each(|name| list.text(kind, name));
    }
    for (name, time) in timing.fields() {
        list.put(&join(TIMING, name), &Value::Time(time));
    }
    for (name, limit) in limits.fields() {
        list.number(&join(LIMITS, name), limit as u64);
    }
    list.finish(out);
}

/// The rows of its table come one by one.
fn put_latency_fault(list: &mut List, settings: &LatencyFault) {
    let LatencyFault { latency_max, not_available_duration, detector } = settings;
    for time in latency_max {
        list.put("latency_fault.latency_max", &Value::Time(*time));
    }
    for time in not_available_duration {
        list.put("latency_fault.not_available_duration", &Value::Time(*time));
    }
    if let Some(FaultDetector { interval, timeout }) = detector {
        list.put("latency_fault.detector.interval", &Value::Time(*interval));
        list.put("latency_fault.detector.timeout", &Value::Time(*timeout));
    }
}

fn read_latency_fault(
    name: &str,
    value: &Value<'_>,
    settings: &mut Option<LatencyFault>,
) -> Result<(), Wrong> {
    let (latency_max, not_available_duration) = (Vec::new(), Vec::new());
    let empty = LatencyFault { latency_max, not_available_duration, detector: None };
    let settings = settings.get_or_insert(empty);
    let detector = || FaultDetector { interval: Duration::ZERO, timeout: Duration::ZERO };
    match name {
        "latency_max" => settings.latency_max.push(value.time()?),
        "not_available_duration" => settings.not_available_duration.push(value.time()?),
        "detector.interval" => settings.detector.get_or_insert_with(detector).interval = value.time()?,
        "detector.timeout" => settings.detector.get_or_insert_with(detector).timeout = value.time()?,
        other => return Err(Wrong::UnknownSetting(other.chars().take(80).collect())),
    }
    Ok(())
}

fn join(prefix: &str, name: &str) -> String {
    let mut text = prefix.to_owned();
    text.push_str(name);
    text
}

pub(super) fn read_client(parts: &mut Parts<'_>) -> Result<(ClientConfig, HookNames), Wrong> {
    let mut hooks = HookNames::default();
    let mut config = ClientConfig::new(NameServers::none(), 0);
    let (mut servers, mut seed) = (None, None);
    for_each(parts, |name, value| {
        match name {
            "name_servers" => servers = Some(name_servers(value.text()?)?),
            "discovery" => config.discovery = Some(value.parse("discovery")?),
            "ip" => config.identity.ip = value.parse("ip")?,
            "pid" => config.identity.pid = value.number()?,
            "instance_name" => config.identity.instance_name = Some(value.text()?.to_owned()),
            "unit_name" => config.identity.unit_name = Some(value.text()?.to_owned()),
            "namespace" => config.namespace = Some(value.parse("namespace")?),
            "namespace_v2" => config.namespace_v2 = Some(value.text()?.to_owned()),
            "unit_mode" => config.unit_mode = value.flag()?,
            "zone" => config.zone = Some(Zone { name: value.text()?.to_owned(), mode: false }),
            "zone_mode" => {
                config.zone.as_mut().ok_or(Wrong::MissingSetting("zone"))?.mode = value.flag()?;
            }
            "seed" => seed = Some(value.number()?),
            "serialize_type" => config.serialize_type = serialize_type(value.number()?)?,
            "language" => config.language = LanguageCode::from_name(value.text()?),
            "heartbeat_v2" => config.heartbeat_v2 = value.flag()?,
            "vip_channel" => config.vip_channel = value.flag()?,
            RPC_HOOK => hooks.rpc.push(value.text()?.to_owned()),
            INTERCEPTOR => hooks.interceptors.push(value.text()?.to_owned()),
            CHECK_FORBIDDEN => hooks.forbidden.push(value.text()?.to_owned()),
            other => match other.strip_prefix(LATENCY_FAULT) {
                Some(name) => return read_latency_fault(name, value, &mut config.latency_fault),
                None => return table(other, value, &mut config.timing, &mut config.limits),
            },
        }
        Ok(())
    })?;
    config.name_servers = servers.ok_or(Wrong::MissingSetting("name_servers"))?;
    config.seed = seed.ok_or(Wrong::MissingSetting("seed"))?;
    Ok((config, hooks))
}

fn table(name: &str, value: &Value<'_>, timing: &mut Timing, limits: &mut Limits) -> Result<(), Wrong> {
    let unknown = || Wrong::UnknownSetting(name.chars().take(80).collect());
    if let Some(name) = name.strip_prefix(TIMING) {
        *timing.field_mut(name).ok_or_else(unknown)? = value.time()?;
    } else if let Some(name) = name.strip_prefix(LIMITS) {
        *limits.field_mut(name).ok_or_else(unknown)? = value.number()?;
    } else {
        return Err(unknown());
    }
    Ok(())
}

/// A list as it is written: an empty one is a list of none.
pub(super) fn name_servers(text: &str) -> Result<NameServers, Wrong> {
    if text.is_empty() {
        return Ok(NameServers::none());
    }
    text.parse().map_err(|error| Wrong::value("name_servers", error))
}

fn serialize_type(code: u8) -> Result<SerializeType, Wrong> {
    [SerializeType::Json, SerializeType::RocketMq]
        .into_iter()
        .find(|known| known.code() == code)
        .ok_or_else(|| Wrong::value("serialize_type", code))
}

pub(super) fn put_producer(out: &mut Vec<u8>, config: &ProducerConfig) {
    let ProducerConfig {
        group,
        send_timeout,
        retries,
        resend,
        retry_another_broker_when_not_store_ok,
        max_message_size,
        create_topic_key,
        default_topic_queue_nums,
        topics,
        trace,
    } = config;
    let mut list = List::new();
    list.text("group", group.as_str());
    list.put("send_timeout", &Value::Time(*send_timeout));
    list.number("retries", u64::from(*retries));
    let resend = match resend {
        Resend::WhenMayBeStored => 0,
        Resend::OnlyWhenNotStored => 1,
    };
    list.number("resend", resend);
    let elsewhere = u64::from(*retry_another_broker_when_not_store_ok);
    list.number("retry_another_broker_when_not_store_ok", elsewhere);
    list.number("max_message_size", *max_message_size as u64);
    list.text("create_topic_key", create_topic_key.as_str());
    list.number("default_topic_queue_nums", u64::from(*default_topic_queue_nums));
    for topic in topics {
        list.text("topic", topic.as_str());
    }
    if let Some(settings) = trace {
        put_trace(&mut list, settings);
    }
    list.finish(out);
}

fn put_trace(list: &mut List, settings: &TraceConfig) {
    let TraceConfig { topic, flush_interval, batch_records, batch_bytes, queue_records, queue_bytes } =
        settings;
    list.text("trace.topic", topic.as_str());
    list.put("trace.flush_interval", &Value::Time(*flush_interval));
    list.number("trace.batch_records", *batch_records as u64);
    list.number("trace.batch_bytes", *batch_bytes as u64);
    list.number("trace.queue_records", *queue_records as u64);
    list.number("trace.queue_bytes", *queue_bytes as u64);
}

fn read_trace(name: &str, value: &Value<'_>, settings: &mut Option<TraceConfig>) -> Result<(), Wrong> {
    let settings = settings.get_or_insert_with(TraceConfig::default);
    match name {
        "topic" => settings.topic = value.parse("trace.topic")?,
        "flush_interval" => settings.flush_interval = value.time()?,
        "batch_records" => settings.batch_records = value.number()?,
        "batch_bytes" => settings.batch_bytes = value.number()?,
        "queue_records" => settings.queue_records = value.number()?,
        "queue_bytes" => settings.queue_bytes = value.number()?,
        other => return Err(Wrong::UnknownSetting(other.chars().take(80).collect())),
    }
    Ok(())
}

pub(super) fn read_producer(parts: &mut Parts<'_>) -> Result<ProducerConfig, Wrong> {
    let mut config = None;
    for_each(parts, |name, value| {
        if name == "group" && config.is_none() {
            config = Some(ProducerConfig::new(value.parse("group")?));
            return Ok(());
        }
        // It stands first.
        let config = config.as_mut().ok_or(Wrong::MissingSetting("group"))?;
        match name {
            "send_timeout" => config.send_timeout = value.time()?,
            "retries" => config.retries = value.number()?,
            "resend" => {
                config.resend = match value.number::<u64>()? {
                    0 => Resend::WhenMayBeStored,
                    1 => Resend::OnlyWhenNotStored,
                    other => return Err(Wrong::value("resend", other)),
                };
            }
            "retry_another_broker_when_not_store_ok" => {
                config.retry_another_broker_when_not_store_ok = value.flag()?;
            }
            "max_message_size" => config.max_message_size = value.number()?,
            "create_topic_key" => config.create_topic_key = value.parse("create_topic_key")?,
            "default_topic_queue_nums" => config.default_topic_queue_nums = value.number()?,
            "topic" => config.topics.push(value.parse("topic")?),
            other => match other.strip_prefix(TRACE) {
                Some(name) => return read_trace(name, value, &mut config.trace),
                None => return Err(Wrong::UnknownSetting(other.chars().take(80).collect())),
            },
        }
        Ok(())
    })?;
    config.ok_or(Wrong::MissingSetting("group"))
}
