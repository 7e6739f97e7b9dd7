#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rocketmq_fuzz::header_binary_diff(input));

// Every third mutation puts a telling number into one of the length fields.
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let lengths = rocketmq_fuzz::binary_lengths(&data[..size]);
    if seed % 3 != 0 || lengths.is_empty() {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let choice = seed as usize / 3;
    let (at, len) = lengths[choice % lengths.len()];
    let left = (size - at - len) as i64;
    let values = [0, 1, -1, left, left + 1, left - 1, 0x7fff, 0x8000, i32::MAX.into(), i32::MIN.into()];
    let value = values[choice / lengths.len() % values.len()];
    data[at..at + len].copy_from_slice(&value.to_be_bytes()[8 - len..]);
    size
});
