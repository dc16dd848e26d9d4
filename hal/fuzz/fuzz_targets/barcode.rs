#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hal_fuzz::scanner::codes(data));
