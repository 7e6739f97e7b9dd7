use super::{LEAST_READ, Link, MOST_READ, SMALL_READS};

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn the_read_buffer_grows_when_filled_and_shrinks_when_not() {
    let mut link: Link<()> = Link::new("127.0.0.1:1".parse().unwrap());
    link.read = vec![0; LEAST_READ];
    for _ in 0..5 {
        link.fit_read_buffer(link.read.len());
    }
    assert_eq!(link.read.len(), MOST_READ);
    for _ in 0..SMALL_READS * 4 {
        link.fit_read_buffer(100);
    }
    assert_eq!(link.read.len(), LEAST_READ);
}
