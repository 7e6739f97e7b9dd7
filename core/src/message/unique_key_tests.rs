use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use std::collections::HashSet;

use super::*;

const V4: [u8; 4] = [10, 0, 0, 2];
/// 2023-11-14 22:13:20 UTC.
const NOVEMBER_2023: i64 = 1_700_000_000_000;

fn keys(seed: u64) -> UniqueKeys {
    UniqueKeys::new(V4.into(), 0x1_2345, seed)
}

fn field(key: &UniqueKey, at: usize, len: usize) -> u32 {
    u32::from_str_radix(&key.as_str()[at..at + len], 16).unwrap()
}

fn epoch(key: &UniqueKey) -> u32 {
    field(key, 12, 8)
}

fn time(key: &UniqueKey) -> u32 {
    field(key, 20, 8)
}

fn counter(key: &UniqueKey) -> u32 {
    field(key, 28, 4)
}

/// A small generator: the tests must not share the code they test.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    fn below(&mut self, end: i64) -> i64 {
        (self.next() % end.unsigned_abs()).cast_signed()
    }
}

#[test]
fn the_layout_is_that_of_java() {
    let key = keys(7).next(NOVEMBER_2023);
    assert_eq!(key.as_str().len(), 32);
    assert!(key.as_str().starts_with("0A0000022345"));
    // 13 days, 22:13:20.
    assert_eq!(time(&key), 1_203_200_000);
    assert_eq!(counter(&key), 0);

    let v6 = UniqueKeys::new([0xfe80, 0, 0, 0, 0, 0, 0, 1].into(), 1, 7).next(NOVEMBER_2023);
    assert_eq!(v6.as_str().len(), 56);
    assert!(v6.as_str().starts_with("FE8000000000000000000000000000010001"));
    assert!(v6.as_str().ends_with("47B760000000"), "{v6}");
}

#[test]
fn a_key_captured_from_java_has_our_time() {
    // Captured in UTC from the Java client 5.5.0: the request was born 2 ms later.
    let captured: UniqueKey = "FD00000000000000000000000000000216FE4E0E2F2A69557F2C0000".parse().unwrap();
    let ours = UniqueKeys::new([0xfd00, 0, 0, 0, 0, 0, 0, 2].into(), 0x16FE, 1).next(1_795_258_410_796);
    assert_eq!(ours.as_str()[..36], captured.as_str()[..36]);
    assert_eq!(ours.as_str()[44..], captured.as_str()[44..]);
}

#[test]
fn the_same_arguments_give_the_same_keys() {
    let (mut one, mut two, mut other) = (keys(1), keys(1), keys(2));
    for step in 0..100 {
        let now = NOVEMBER_2023 + step * 700;
        let key = one.next(now);
        assert_eq!(key, two.next(now));
        assert_ne!(epoch(&key), epoch(&other.next(now)));
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn the_counter_runs_on_and_wraps() {
    let mut keys = keys(1);
    for number in 0..70_000u32 {
        let key = keys.next(NOVEMBER_2023 + i64::from(number / 100));
        assert_eq!(counter(&key), number % 65_536);
        assert_eq!(time(&key), 1_203_200_000 + number / 100);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_full_millisecond_borrows_the_next() {
    let mut keys = keys(1);
    let given: Vec<_> = (0..200_000).map(|_| keys.next(NOVEMBER_2023)).collect();
    assert_eq!(time(&given[65_535]), 1_203_200_000);
    assert_eq!(time(&given[65_536]), 1_203_200_001);
    assert_eq!(time(&given[199_999]), 1_203_200_003);
    assert_eq!(given.iter().map(epoch).collect::<HashSet<_>>().len(), 1);
    assert_eq!(given.iter().collect::<HashSet<_>>().len(), given.len());
    // The clock is behind the field now, and the field waits for it.
    assert_eq!(time(&keys.next(NOVEMBER_2023 + 2)), 1_203_200_003);
    assert_eq!(time(&keys.next(NOVEMBER_2023 + 4)), 1_203_200_004);
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn the_last_millisecond_of_the_field_ends_the_epoch() {
    let mut keys = keys(1);
    let first = keys.next(NOVEMBER_2023);
    keys.set_time(u32::MAX);
    let given: Vec<_> = (0..65_537).map(|_| keys.next(NOVEMBER_2023)).collect();
    assert_eq!(time(&given[65_535]), u32::MAX);
    assert_eq!(epoch(&given[65_535]), epoch(&first));
    assert_ne!(epoch(&given[65_536]), epoch(&first));
    assert_eq!(time(&given[65_536]), 1_203_200_000);
}

#[test]
fn a_small_step_back_waits_and_a_large_one_begins_an_epoch() {
    let mut keys = keys(1);
    let before = keys.next(NOVEMBER_2023);
    let small = keys.next(NOVEMBER_2023 - 1_000);
    assert_eq!((epoch(&small), time(&small)), (epoch(&before), time(&before)));
    // Many small steps add up: the latest reading counts, not the last one.
    let large = keys.next(NOVEMBER_2023 - 1_001);
    assert_ne!(epoch(&large), epoch(&before));
    assert_eq!(time(&large), time(&before) - 1_001);
}

#[test]
fn another_month_begins_an_epoch() {
    const DECEMBER: i64 = 1_701_388_800_000;
    let mut keys = keys(1);
    let last = keys.next(DECEMBER - 1);
    assert_eq!(time(&last), 30 * 86_400_000 - 1);
    let first = keys.next(DECEMBER);
    assert_ne!(epoch(&first), epoch(&last));
    assert_eq!(time(&first), 0);
    // A clock that trembles around midnight does not waste epochs.
    let back = keys.next(DECEMBER - 1);
    assert_eq!((epoch(&back), time(&back)), (epoch(&first), 0));
    let ahead = keys.next(DECEMBER + 5);
    assert_eq!((epoch(&ahead), time(&ahead)), (epoch(&first), 5));
    // A month later the same time of the month must not give the same keys.
    assert_ne!(epoch(&keys.next(DECEMBER + 31 * 86_400_000)), epoch(&ahead));
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn no_key_comes_twice_under_any_clock() {
    for seed in 0..40u64 {
        let mut random = Lcg(seed);
        let mut keys = keys(seed);
        let mut seen = HashSet::new();
        let mut fields = HashSet::new();
        let mut current = None;
        let places = [
            NOVEMBER_2023,
            1_701_388_800_000 - 3,
            0,
            -1,
            // 2038-01-19 03:14:08, 2000-02-29, 2100-03-01.
            2_147_483_648_000,
            951_782_400_000,
            4_107_542_400_000,
            i64::MAX,
            i64::MIN,
            253_402_300_800_000,
        ];
        let mut clock = NOVEMBER_2023;
        for _ in 0..4_000 {
            clock = match random.below(12) {
                0 => places[random.below(10).unsigned_abs() as usize],
                1 => clock.saturating_sub(random.below(1_200)),
                2 => clock.saturating_add(random.below(1_200)),
                3 => clock.saturating_sub(random.below(86_400_000 * 40)),
                4 => clock.saturating_add(random.below(86_400_000 * 40)),
                5 => clock.saturating_sub(1),
                _ => clock.saturating_add(random.below(3)),
            };
            for _ in 0..=random.below(4) {
                let key = keys.next(clock);
                assert!(seen.insert(key), "seed {seed}, clock {clock}");
                // The counter, which has not wrapped here, must not be what makes keys differ: an
                // epoch and time that was left never comes back.
                let now = Some((epoch(&key), time(&key)));
                if now != current {
                    assert!(fields.insert(now), "seed {seed}, clock {clock}");
                    current = now;
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_clock_going_back_and_forth_under_load_repeats_nothing() {
    let mut keys = keys(3);
    let mut seen = HashSet::new();
    for round in 0..12 {
        let clock = NOVEMBER_2023 + [0, 1, 0, -999, 2_000, 1_000][round % 6];
        for _ in 0..40_000 {
            assert!(seen.insert(keys.next(clock)));
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn epochs_never_repeat_and_seeds_lead_apart() {
    let mut epochs = Epochs::new(0);
    let given: HashSet<_> = (0..300_000).map(|_| epochs.next()).collect();
    assert_eq!(given.len(), 300_000);
    let firsts: HashSet<_> = (0..10_000).map(|seed| Epochs::new(seed).next()).collect();
    assert!(firsts.len() > 9_990, "{}", firsts.len());
}

#[test]
fn months_begin_where_the_calendar_says() {
    for (unix_ms, start, end) in [
        (0, 0, 2_678_400_000),
        (-1, -2_678_400_000, 0),
        (NOVEMBER_2023, 1_698_796_800_000, 1_701_388_800_000),
        // February of 2000 and of 2024 have 29 days, that of 2100 has 28.
        (951_782_400_000, 949_363_200_000, 951_868_800_000),
        (1_709_164_800_000, 1_706_745_600_000, 1_709_251_200_000),
        (4_107_542_399_999, 4_105_123_200_000, 4_107_542_400_000),
        (2_147_483_648_000, 2_145_916_800_000, 2_148_595_200_000),
        (1_795_258_410_798, 1_793_491_200_000, 1_796_083_200_000),
    ] {
        assert_eq!(month_of(unix_ms), (start, end), "{unix_ms}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn the_calendar_is_whole_over_800_years() {
    let (mut year, mut month, mut day) = (1570, 1, 1);
    // 1570-01-01 is 400 years of 146 097 days before 1970.
    for number in -146_097..146_097 {
        assert_eq!(civil_from_days(number), (year, month, day));
        day += 1;
        if day > days_in_month(year, month) {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    assert_eq!((year, month, day), (2370, 1, 1));
}

#[test]
fn keys_are_read_from_text() {
    let longest = "F".repeat(56);
    for text in ["0", "0123456789ABCDEF", &longest] {
        let key: UniqueKey = text.parse().unwrap();
        assert_eq!(key.as_str(), text);
        assert_eq!(key.as_bytes(), text.as_bytes());
        assert_eq!((key.to_string(), format!("{key:?}")), (text.into(), text.into()));
    }
    let too_long = "F".repeat(57);
    let far_too_long = "F".repeat(256 + 32);
    for text in ["", "0a", "0G", " 0", "0\u{1}", "\u{ff10}", &too_long, &far_too_long] {
        assert_eq!(text.parse::<UniqueKey>(), Err(UniqueKeyError), "{text:?}");
    }
    let mut sorted = ["B", "AB", "A"].map(|text| text.parse::<UniqueKey>().unwrap());
    sorted.sort();
    assert_eq!(sorted.map(|key| key.to_string()), ["A", "AB", "B"]);
}
