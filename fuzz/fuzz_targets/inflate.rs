#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rocketmq_fuzz::inflate(input));
