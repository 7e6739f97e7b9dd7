//! A plan in words, to be read beside the story of its run.

use std::fmt::{self, Write};
use std::time::Duration;

use crate::world::Network;
use crate::world::plan::{Aim, Ending, FaultStep, Names, Plan, SendStep, Shape, TOPICS, What};

use super::session::mode_name;

/// The whole plan: the world, then a line for each step, then the end.
pub fn describe(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _never_fails = write_plan(&mut text, plan);
    text
}

fn write_plan(out: &mut String, plan: &Plan) -> fmt::Result {
    writeln!(out, "{} {}, {} steps", mode_name(plan.mode), plan.seed, plan.steps.len())?;
    write_shape(out, &plan.shape)?;
    for (number, step) in plan.steps.iter().enumerate() {
        write!(out, "{:>5}. ", number + 1)?;
        write_what(out, &step.what)?;
        if !step.pause.is_zero() {
            write!(out, "; then {} pass", time(step.pause))?;
        }
        out.push('\n');
    }
    write_ending(out, &plan.ending)
}

fn write_shape(out: &mut String, shape: &Shape) -> fmt::Result {
    writeln!(
        out,
        "  {} of {:?}, {}, {}; headers in {:?}",
        many(shape.name_servers, "name server"),
        shape.dialect,
        many(shape.brokers, "broker"),
        many(shape.clients, "client"),
        shape.serialize_type
    )?;
    for (number, producer) in shape.producers.iter().enumerate() {
        writeln!(
            out,
            "  producer {number}: group {} of client {}, {}, resend {:?}, another broker when not the best status: {}, \
             bodies up to {}",
            producer.group,
            producer.client,
            many(producer.retries as usize, "retry").replace("retrys", "retries"),
            producer.resend,
            producer.another_broker,
            producer.max_message_size
        )?;
    }
    if shape.limits != rocketmq_core::client::Limits::default() {
        writeln!(out, "  {:?}", shape.limits)?;
    }
    if shape.heartbeat_v2 {
        writeln!(out, "  heartbeats of version 2")?;
    }
    if let Some(settings) = &shape.latency_fault {
        writeln!(out, "  {settings:?}")?;
    }
    if shape.names != Names::default() {
        writeln!(out, "  {:?}", shape.names)?;
    }
    let net = &shape.network;
    let calm = Network { latency_us: net.latency_us, jitter_us: net.jitter_us, ..Network::default() };
    writeln!(out, "  one way takes {} µs and up to {} µs more", net.latency_us, net.jitter_us)?;
    if *net != calm {
        writeln!(out, "  {net:?}")?;
    }
    if let Some(interval) = shape.check_interval_ms {
        writeln!(out, "  brokers ask about half messages every {}", time(Duration::from_millis(interval)))?;
    }
    if let Some(trace) = &shape.trace {
        writeln!(out, "  {trace:?}")?;
    }
    let names: Vec<&str> = shape.faults.iter().map(|kind| kind.name()).collect();
    if names.is_empty() { Ok(()) } else { writeln!(out, "  everywhere: {}", names.join(", ")) }
}

fn write_what(out: &mut String, what: &What) -> fmt::Result {
    match what {
        What::Send(send) => write_send(out, send),
        What::Half { send, local } => {
            write_send(out, send)?;
            write!(out, " as a half message, {}", local.end)?;
            match local.after {
                Some(after) => write!(out, " after {} within {}", time(after), time(local.within))?,
                None => write!(out, " when asked")?,
            }
            write!(out, ", {} left, {} to answer", many(local.unknown as usize, "check"), time(local.think))
        }
        What::Reserve { producer, topic, weight, within } => {
            write!(
                out,
                "producer {producer} asks for room for {weight} bytes to {}, for {}",
                topic_name(*topic),
                time(*within)
            )
        }
        What::UseReservation { reservation, send } => {
            write!(out, "with reservation {reservation}, if granted: ")?;
            write_send(out, send)
        }
        What::Withdraw { reservation } => write!(out, "reservation {reservation} is withdrawn"),
        What::Flush { client, producer, within } => {
            let of =
                producer.map_or_else(|| format!("client {client}"), |number| format!("producer {number}"));
            write!(out, "flush of {of} within {}", time(*within))
        }
        What::Close { producer, within } => {
            write!(out, "close of producer {producer} within {}", time(*within))
        }
        What::SetNameServers { client } => write!(out, "client {client} is told its name servers again"),
        What::Heal => write!(out, "all faults end"),
        What::Fault(FaultStep { kind, which, draw, time: lasts }) => {
            write!(out, "FAULT {} (which {which}, draw {draw}, for {})", kind.name(), time(*lasts))
        }
    }
}

fn write_send(out: &mut String, send: &SendStep) -> fmt::Result {
    let size = if send.property > 0 {
        format!("{} + {} bytes", send.size, send.property)
    } else {
        format!("{} bytes", send.size)
    };
    write!(out, "producer {} sends {size} to {}", send.producer, topic_name(send.topic))?;
    match send.aim {
        Aim::Any => {}
        Aim::ShardingKey(key) => write!(out, ", sharding key {key}")?,
        Aim::Queue { broker, queue } => write!(out, ", queue {queue} of broker {broker}")?,
    }
    match send.one_way {
        true => write!(out, ", one-way")?,
        false => write!(out, ", within {}", time(send.within))?,
    }
    if let Some(retries) = send.retries {
        write!(out, ", retries {retries}")?;
    }
    send.odd.map_or(Ok(()), |kind| write!(out, " (FAULT {})", kind.name()))
}

fn write_ending(out: &mut String, ending: &Ending) -> fmt::Result {
    if let Some((producer, within)) = ending.close {
        writeln!(out, "  end: close of producer {producer} within {}", time(within))?;
    }
    let twice = if ending.twice { ", twice" } else { "" };
    writeln!(out, "  end: shutdown within {}{twice}", time(ending.within))
}

fn topic_name(number: usize) -> &'static str {
    TOPICS[number % TOPICS.len()]
}

fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn time(time: Duration) -> String {
    format!("{time:?}")
}
