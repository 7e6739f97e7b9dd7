use super::advance;
use bytes::Bytes;

#[test]
fn partial_writes_advance_over_chunks() {
    for step in 1..12 {
        let mut out =
            vec![Bytes::from_static(b"abc"), Bytes::from_static(b"defgh"), Bytes::from_static(b"ij")];
        let (mut next, mut left, mut total) = (0, 10, 0);
        while !out.is_empty() {
            let taken = advance(&mut out, &mut next, step.min(left));
            total += taken;
            left -= taken;
        }
        assert_eq!((total, next, left), (10, 0, 0), "{step} bytes at a time");
    }
}

#[test]
fn more_than_there_is_counts_as_all_there_is() {
    let mut out = vec![Bytes::from_static(b"abc")];
    let mut next = 0;
    assert_eq!(advance(&mut out, &mut next, 100), 3);
    assert!(out.is_empty());
}
