//! Where the simulated servers answer otherwise than the real ones, and why that is right.

use super::recording::{Facts, Recording};

/// A step, and the reason why the answer to it may differ.
struct Difference {
    /// Version of RocketMQ, or `*` for both.
    version: &'static str,
    step: &'static str,
    reason: &'static str,
}

const fn differs(version: &'static str, step: &'static str, reason: &'static str) -> Difference {
    Difference { version, step, reason }
}

const STRICT: &str = "the real library takes text that is no JSON; no client writes it, and a server that closes the \
     connection over it finds more faults";
const DIGITS: &str = "Java reads digits of other scripts as numbers; no client writes them";
const CONSUMERS: &str = "consumers are not simulated: their requests are answered as unknown";
const REPLIES: &str = "replies are not simulated: these requests are answered as unknown";
const PROXY: &str = "the PROXY protocol is not simulated; without it, these bytes are no frame";
const DIFFERENCES: [Difference; 32] = [
    differs("*", "JSON text/bare control character in a text", STRICT),
    differs("*", "JSON text/bare line break in a text", STRICT),
    differs("*", "JSON text/comma at the end", STRICT),
    differs("*", "JSON text/comment", STRICT),
    differs("*", "JSON text/half a surrogate pair", STRICT),
    differs("*", "JSON text/number with leading zero", STRICT),
    differs("*", "JSON text/number with plus", STRICT),
    differs("*", "JSON text/single quotes", STRICT),
    differs("4.9.7", "JSON text/byte order mark", STRICT),
    differs("4.9.7", "JSON text/keys without quotes", STRICT),
    differs("4.9.7", "JSON text/two commas", STRICT),
    differs("5.5.0", "JSON header/code as list", STRICT),
    differs("*", "clients/body: comma at the end", STRICT),
    differs("*", "clients/body: single quotes", STRICT),
    differs("4.9.7", "clients/body: keys without quotes", STRICT),
    differs("*", "send fields/queue id other digits", DIGITS),
    differs("*", "send fields/long queue id other digits", DIGITS),
    differs("5.5.0", "frames/line of the PROXY protocol", PROXY),
    differs("*", "codes/check of a subscription", CONSUMERS),
    differs("5.5.0", "codes/lite pull from an unknown topic", CONSUMERS),
    differs("*", "codes/lock", CONSUMERS),
    differs("*", "codes/offset of an unknown group", CONSUMERS),
    differs("*", "codes/offset stored for an unknown group", CONSUMERS),
    differs("*", "codes/pull from an unknown topic", CONSUMERS),
    differs("*", "codes/send back for an unknown group", CONSUMERS),
    differs("5.5.0", "codes/settings of an unknown group", CONSUMERS),
    differs("*", "codes/statistics of an unknown topic", CONSUMERS),
    differs("*", "codes/unlock", CONSUMERS),
    differs("*", "retries/reply at queue 99", REPLIES),
    differs("*", "retries/reply to nobody", REPLIES),
    differs("*", "retries/reply with long names to nobody", REPLIES),
    differs("*", "retries/reply without client", REPLIES),
];

impl Difference {
    fn is_of(&self, version: &str) -> bool {
        self.version == "*" || self.version == version
    }

    fn covers(&self, version: &str, step: &str) -> bool {
        self.is_of(version) && self.step == step
    }
}

/// Complaints: differences that are not listed, and listed ones that are not there any more.
pub(crate) fn compare(version: &str, real: &Recording, simulated: &Recording) -> Vec<String> {
    let mut used = vec![false; DIFFERENCES.len()];
    let mut complaints = Vec::new();
    for (step, expected) in &real.steps {
        let Some(found) = simulated.steps.get(step) else {
            complaints.push(format!("{step}: it is recorded and not in the script; record again"));
            continue;
        };
        for (fact, expected, found) in differing(expected, found) {
            let known = DIFFERENCES.iter().position(|known| known.covers(version, step));
            match known {
                Some(index) => used[index] = true,
                None => {
                    complaints.push(format!("{step}: {fact}\n      real: {expected}\n simulated: {found}"))
                }
            }
        }
    }
    for step in simulated.steps.keys().filter(|step| !real.steps.contains_key(*step)) {
        complaints.push(format!("{step}: it is not recorded yet"));
    }
    for (known, used) in DIFFERENCES.iter().zip(used) {
        if !used && known.is_of(version) {
            complaints.push(format!(
                "{} {}: no difference any more, take it off the list ({})",
                known.version, known.step, known.reason
            ));
        }
    }
    complaints
}

/// Facts that are not the same: name, one side, the other.
fn differing(real: &Facts, simulated: &Facts) -> Vec<(String, String, String)> {
    let mut names: Vec<&String> = real.iter().chain(simulated).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let values = |facts: &Facts, name: &str| {
        let values: Vec<&str> =
            facts.iter().filter(|(fact, _)| fact == name).map(|(_, value)| value.as_str()).collect();
        if values.is_empty() { "-".to_owned() } else { values.join("\n            ") }
    };
    names
        .into_iter()
        .map(|name| (name.clone(), values(real, name), values(simulated, name)))
        .filter(|(_, real, simulated)| real != simulated)
        .collect()
}

#[test]
fn differences_are_found() {
    let recording = |steps: &[(&str, &str)]| {
        let mut recording = Recording::new(String::new());
        for (step, code) in steps {
            recording.steps.insert((*step).to_owned(), vec![("code".to_owned(), (*code).to_owned())]);
        }
        recording
    };
    // Of this version the table says nothing that would not be needed.
    let of = |real: &[(&str, &str)], simulated: &[(&str, &str)]| {
        let complaints = compare("0.0.0", &recording(real), &recording(simulated));
        complaints.into_iter().filter(|complaint| !complaint.starts_with("* ")).collect::<Vec<_>>()
    };
    assert_eq!(of(&[("a/b", "0")], &[("a/b", "0")]), Vec::<String>::new());
    assert_eq!(of(&[("a/b", "0")], &[("a/b", "1")]).len(), 1);
    assert_eq!(of(&[("a/b", "0")], &[]).len(), 1);
    assert_eq!(of(&[], &[("a/b", "0")]).len(), 1);
    assert_eq!(of(&[("codes/lock", "0")], &[("codes/lock", "3")]), Vec::<String>::new());
    let unused = compare("0.0.0", &recording(&[]), &recording(&[]));
    assert!(unused.iter().any(|complaint| complaint.contains("codes/lock")), "{unused:?}");
}
