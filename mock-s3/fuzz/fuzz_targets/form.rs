#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatecrash_mock_s3::fuzzing::form(data));
