use super::*;
use crate::world::plan::{FaultKind, Mode};

fn entry(mode: Mode, seed: u64, only: Option<Vec<FaultKind>>, why: &str) -> Entry {
    Entry { session: Session { mode, seed, only, without: None, plain: false }, why: why.to_owned() }
}

#[test]
fn a_list_is_read_and_written_alike() {
    let (first, second) = (FaultKind::ALL[0], FaultKind::ALL[1]);
    let entries = [
        entry(Mode::Safety, 1_336, None, "a verdict after the deadline"),
        entry(Mode::Liveness, u64::MAX, Some(vec![first, second]), "I8 liveness: never # connected"),
        entry(Mode::Liveness, 0, Some(Vec::new()), ""),
    ];
    let text: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    let text = format!("{HEAD}\n  # a remark\n{text}");
    assert_eq!(read(&text).expect("a good list"), entries);
    let line = format!("liveness {} only={},{} # I8", u64::MAX, first.name(), second.name());
    assert!(text.contains(&line), "{text}");
}

#[test]
fn a_bad_line_is_named() {
    for (text, line, why) in [
        ("safety 1\nsafely 2\n", 2, "neither safety nor liveness"),
        ("# fine\n\nsafety 4 never", 3, "\"never\""),
    ] {
        let bad = read(text).expect_err(text);
        assert_eq!(bad.line, line, "{text}");
        assert!(bad.to_string().contains(why), "{bad}");
    }
}

#[test]
fn a_session_is_added_once_and_keeps_what_was_there() {
    let folder = std::env::temp_dir().join(format!("rocketmq-sim-corpus-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("seeds.txt");
    let first = entry(Mode::Safety, 1, None, "two\nlines");
    assert!(append(&file, &first).expect("written"));
    assert!(!append(&file, &entry(Mode::Safety, 1, None, "another reason")).expect("read"));
    // Somebody's editor left no line end.
    let text = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&file, text.trim_end()).expect("written");
    assert!(append(&file, &entry(Mode::Liveness, 1, None, "")).expect("written"));
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.starts_with(HEAD), "{text}");
    let entries = read(&text).expect("a good list");
    assert_eq!(entries, [entry(Mode::Safety, 1, None, "two lines"), entry(Mode::Liveness, 1, None, "")]);
    std::fs::write(&file, "nonsense").expect("written");
    assert!(append(&file, &first).is_err());
    std::fs::remove_dir_all(&folder).expect("removed");
}
