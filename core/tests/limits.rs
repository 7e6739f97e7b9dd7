//! Limits and periods: what can work is accepted, what cannot is refused by its name, and frames keep to any limits.

mod checks;

use std::time::Duration;

use checks::command::frame;
use proptest::prelude::*;
use rocketmq_core::client::{Limits, Timing};
use rocketmq_core::wire::{FrameError, Header, HeaderError, Inbox, SerializeType, WireLimits};

const MOST_FRAME: usize = 16 * 1024 * 1024;

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        1 => Just(0_usize),
        4 => 1_usize..100_000,
        1 => prop::sample::select(&[65_536_usize, 65_537, MOST_FRAME, MOST_FRAME + 1, 1 << 28, (1 << 28) + 1][..]),
        1 => any::<usize>(),
    ]
}

fn period() -> impl Strategy<Value = Duration> {
    let year = Duration::from_secs(366 * 86_400);
    prop_oneof![
        1 => Just(Duration::ZERO),
        1 => Just(Duration::from_nanos(1)),
        1 => Just(year),
        1 => Just(year + Duration::from_nanos(1)),
        6 => (1_u64..10_000_000).prop_map(Duration::from_millis),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn limits_that_cannot_work_are_refused(
        messages in size(), requests in size(), frame in size(), header in size(), callers in size(),
    ) {
        let limits = Limits {
            messages,
            connection_requests: requests,
            frame_bytes: frame,
            header_bytes: header,
            waiting_callers: callers,
            ..Limits::default()
        };
        let wrong = [
            ("messages", messages == 0 || messages > 1 << 28),
            ("connection_requests", requests == 0 || requests > 65_536),
            ("frame_bytes", frame == 0 || frame > MOST_FRAME),
            ("header_bytes", header == 0 || header > MOST_FRAME),
            ("waiting_callers", callers == 0),
        ];
        match limits.check() {
            Ok(()) => prop_assert!(wrong.iter().all(|(_, wrong)| !wrong)),
            Err(error) => prop_assert!(wrong.contains(&(error.field, true)), "{}", error),
        }
    }

    #[test]
    fn periods_that_cannot_work_are_refused(
        connect in period(), least in period(), most in period(), pause in period(), longest in period(),
    ) {
        let timing = Timing {
            connect_timeout: connect,
            reconnect_pause_min: least,
            reconnect_pause_max: most,
            retry_pause_min: pause,
            retry_pause_max: longest,
            ..Timing::default()
        };
        let bad = |period: Duration| period.is_zero() || period > Duration::from_secs(366 * 86_400);
        let wrong = [
            ("connect_timeout", bad(connect)),
            ("reconnect_pause_min", bad(least)),
            ("reconnect_pause_max", bad(most) || most < least),
            ("retry_pause_min", bad(pause)),
            ("retry_pause_max", bad(longest) || longest < pause),
        ];
        match timing.check() {
            Ok(()) => prop_assert!(wrong.iter().all(|(_, wrong)| !wrong)),
            Err(error) => prop_assert!(wrong.contains(&(error.field, true)), "{}", error),
        }
    }

    #[test]
    fn frames_and_headers_keep_to_any_limits(
        max_frame in 20_usize..300, max_header in 1_usize..300, max_ext_fields in 0_usize..8,
        fields in 0_usize..10, body in 0_usize..200,
    ) {
        let limits = WireLimits { max_frame, max_header, max_ext_fields, ..WireLimits::default() };
        let fields_text: Vec<String> = (0..fields).map(|number| format!("\"k{number}\":\"\"")).collect();
        let header = format!("{{\"code\":0,\"opaque\":1,\"extFields\":{{{}}}}}", fields_text.join(","));
        let bytes = frame(SerializeType::Json, header.as_bytes(), &vec![b'x'; body]);
        let mut inbox = Inbox::new(limits);
        let mut frames = inbox.feed(&bytes);
        match frames.next() {
            Err(FrameError::Oversize { bytes: found, limit }) => {
                prop_assert_eq!((found, limit), (bytes.len() as u64, max_frame));
                prop_assert!(bytes.len() > max_frame);
            }
            Err(FrameError::HeaderOversize { header: found, limit }) => {
                prop_assert_eq!((found as usize, limit), (header.len(), max_header));
                prop_assert!(header.len() > max_header && bytes.len() <= max_frame);
            }
            Ok(Some(read)) => {
                prop_assert!(bytes.len() <= max_frame && header.len() <= max_header);
                match Header::parse(&read, &limits) {
                    Ok(header) => prop_assert_eq!((header.ext.iter().count(), fields <= max_ext_fields), (fields, true)),
                    Err(error) => {
                        prop_assert_eq!(error, HeaderError::TooManyExtFields { limit: max_ext_fields });
                        prop_assert!(fields > max_ext_fields);
                    }
                }
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
