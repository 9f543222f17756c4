//! One program for all targets: it is built once. `FUZZ_TARGET` says which, the arguments are libFuzzer's.
#![no_main]

mod targets;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<targets::Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
        let found = targets::TARGETS.iter().find(|target| target.name == name);
        TARGET.set(*found.expect("a target of that name")).ok();
    },
    |bytes: &[u8]| (TARGET.get().expect("chosen before").run)(bytes)
);
