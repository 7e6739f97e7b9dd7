//! Sessions that broke something once run again, each of them twice and with actions taken at other moments. The
//! program `simulate` appends to the list, `tests/corpus/seeds.txt`.

use rocketmq_sim::simulate::corpus::{self, Entry};
use rocketmq_sim::simulate::session::{Care, run};

fn entries() -> Vec<Entry> {
    corpus::read(include_str!("../corpus/seeds.txt")).expect("tests/corpus/seeds.txt has a bad line")
}

#[test]
fn what_broke_once_holds_now() {
    let care = Care { repeated: true, replayed: true, mutant: None };
    let mut broken = Vec::new();
    for entry in entries() {
        if let Some(what) = run(&entry.session.plan(), care).broken {
            broken.push(format!("{entry}\n    {what}"));
        }
    }
    assert!(broken.is_empty(), "see `simulate --seed` and its --transcript:\n{}", broken.join("\n"));
}

#[test]
fn every_session_is_listed_once_and_with_a_reason() {
    let entries = entries();
    assert!(!entries.is_empty());
    for (at, entry) in entries.iter().enumerate() {
        assert!(!entry.why.is_empty(), "{entry}: why is it here?");
        assert!(!entries[..at].iter().any(|other| other.session == entry.session), "twice: {entry}");
    }
}
