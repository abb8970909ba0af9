#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatecrash_wire::fuzzing::head(data));
