use super::*;

#[test]
fn the_same_bytes_draw_the_same_plan_and_none_draw_one_too() {
    let bytes: Vec<u8> = (0..2_000_u32).map(|at| ((at * 7_919) >> 3) as u8).collect();
    let draw = |bytes: &[u8]| Plan::draw_with(1, Mode::Safety, None, &mut ByteDice::new(bytes));
    assert_eq!(draw(&bytes), draw(&bytes));
    assert_ne!(draw(&bytes), draw(&bytes[1..]));
    assert!(draw(&[]).sends() >= 50);
}

#[test]
fn dice_of_bytes_stay_below_the_limit_and_give_zeros_in_the_end() {
    let mut dice = ByteDice::new(&[0xFF; 11]);
    assert!(dice.below(10) < 10);
    assert!(dice.below(1 << 40) < 1 << 40);
    assert_eq!(dice.below(256), 0xFF);
    assert!(dice.is_empty());
    assert_eq!(dice.below(1_000), 0);
    assert_eq!(dice.below(0), 0);
}

#[test]
fn only_the_kinds_that_are_asked_for_occur() {
    for kind in FaultKind::ALL.iter().copied().filter(|kind| *kind != FaultKind::Everything) {
        assert_eq!(FaultKind::named(kind.name()), Some(kind));
        let found = (0..8).flat_map(|seed| Plan::draw(seed, Mode::Safety, Some(&[kind])).faults());
        let found: Vec<FaultKind> = found.collect();
        assert!(!found.is_empty() && found.iter().all(|it| *it == kind), "{kind:?}: {found:?}");
    }
    assert_eq!(FaultKind::named("no such kind"), None);
}

#[test]
fn leaving_a_kind_out_is_the_same_as_not_drawing_it() {
    let both = Plan::draw(5, Mode::Safety, Some(&[FaultKind::Crash, FaultKind::ShortWrites]));
    assert_eq!(both.without(FaultKind::Crash), Plan::draw(5, Mode::Safety, Some(&[FaultKind::ShortWrites])));
    assert_eq!(both.without(FaultKind::ShortWrites), Plan::draw(5, Mode::Safety, Some(&[FaultKind::Crash])));
}

#[test]
fn a_run_is_the_same_every_time_with_and_without_its_story() {
    let plan = Plan::draw(11, Mode::Liveness, None);
    let quiet = run_plan(&plan, &RunOptions { silent: true, ..RunOptions::default() });
    let told = run_plan(&plan, &RunOptions { records: true, ..RunOptions::default() });
    assert_eq!((quiet.hash, &quiet.verdicts), (told.hash, &told.verdicts));
    assert!(quiet.broken.is_none() && quiet.transcript.is_empty() && !told.transcript.is_empty());
    assert_eq!(quiet.differences(&told), 0);
}
