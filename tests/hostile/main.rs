//! Every row of the hazard table that TCP and HTTP reach, with its number in the test's name: what the C library does
//! wrong and the safe crate does right. Where C's fault is a wrong answer, C is asked beside it; where it is a memory
//! fault, C is not run. Then peers that mean harm. Hostile requests by the hundred are in `tests/corpus`.

mod addresses;
mod clients;
mod differential;
mod digests;
mod framing;
mod globs;
mod grammar;
mod greedy;
mod idle;
mod json;
mod json_rpc;
mod nesting;
mod output;
#[cfg(target_os = "linux")]
mod randomness;
mod semantics;
mod wakeups;
