#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| envelope_fuzz::archive::plain(data));
