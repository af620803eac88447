#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lossmith_fuzz_targets::losses::run(bytes));
