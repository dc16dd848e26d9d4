#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // A panic inside a decoder is contained by the driver and no finding; one that escapes
        // still ends the run. The fuzzer's own hook would end it for both.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    },
    |data: &[u8]| hal_fuzz::camera::frame(data)
);
