//! What the fuzz targets hold, on any toolchain and in seconds: for each seed, whatever was found once among them, all that
//! it begins with, and some bytes that are almost it.

mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use mongoose_tests::{Random, scaled};
use targets::{TARGETS, Target};

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn each_target_has_seeds_and_each_seed_a_target() {
    let mut targets: Vec<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    targets.sort();
    assert_eq!(names(&seeds()), targets);
    assert!(targets.iter().all(|name| !names(&seeds().join(name)).is_empty()));
}

#[test]
fn seeds_and_what_is_almost_a_seed_hold() {
    let budget = scaled(500);
    for &Target { name, run } in TARGETS {
        let folder = seeds().join(name);
        let mut random = Random::new(7);
        let files = names(&folder);
        for file in &files {
            let seed = fs::read(folder.join(file)).expect("to read a seed");
            let hold = |bytes: &[u8]| {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(bytes))) {
                    println!("target {name}, from seed {file}: \"{}\"", bytes.escape_ascii());
                    std::panic::resume_unwind(panic);
                }
            };
            hold(&seed);
            let rounds = budget / files.len();
            let step = (seed.len() / rounds.max(1)).max(1);
            (0..seed.len()).step_by(step).for_each(|end| hold(&seed[..end]));
            for _ in 0..rounds {
                let mut bytes = seed.clone();
                for _ in 0..random.below(4) {
                    mutate(&mut bytes, &mut random);
                }
                hold(&bytes);
            }
        }
    }
}

/// Changes, takes out or doubles something.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(8)).min(bytes.len());
    match random.below(5) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.below(256) as u8,
        2 => drop(bytes.drain(at..end)),
        3 => {
            let part = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, part);
        }
        _ => bytes.insert(at, b"\r\n :/?%\0\xff"[random.below(9)]),
    }
}
