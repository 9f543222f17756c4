//! `cargo xtask ci`: everything that has to hold before a change lands.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::{Outcome, fuzz, sanitize, stage, workspace};

const HELP: &str = "\
Checks everything that has to hold before a change lands. A failed step ends it.

Usage: cargo xtask ci [STEP]... [--except STEP]...

Steps, all of them by default:
";

/// A step: its name, a line about it, and what runs it.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Outcome,
}

const STEPS: &[Step] = &[
    Step { name: "test", about: "cargo test --workspace", run: test },
    Step { name: "fmt", about: "rustfmt has nothing to change", run: fmt },
    Step { name: "clippy", about: "no warning, on all targets", run: clippy },
    Step { name: "doc", about: "documentation builds without warnings", run: doc },
    Step { name: "docs-rs", about: "so it does as docs.rs makes it: no network, no C source", run: docs_rs },
    Step { name: "bindings", about: "the checked-in bindings are what bindgen makes", run: bindings },
    Step { name: "features", about: "the ABI, raw, unit and doc tests with every feature", run: features },
    Step {
        name: "powerset",
        about: "each feature alone compiles, and those that touch each other",
        run: powerset,
    },
    Step { name: "builtin", about: "TLS by Mongoose's own cryptography", run: builtin },
    Step { name: "portable", about: "the selector of other systems, on this one", run: portable },
    Step {
        name: "unsafe",
        about: "no unsafe code outside mongoose/src/ffi, none without its reason",
        run: no_unsafe,
    },
    Step {
        name: "package",
        about: "what would be published builds by itself, without a network",
        run: package,
    },
    Step {
        name: "minimal",
        about: "mongoose compiles with the oldest versions that it says suffice",
        run: minimal,
    },
    Step { name: "offline", about: "with vendor/ filled, a build asks no network", run: offline },
    Step { name: "fuzz", about: "each fuzz target for a few seconds, under AddressSanitizer", run: feed },
    Step {
        name: "address",
        about: "AddressSanitizer and UBSan, over C and Rust",
        run: || sanitize::brief("address"),
    },
    Step {
        name: "thread",
        about: "ThreadSanitizer, over what threads share",
        run: || sanitize::brief_where_installed("thread"),
    },
    Step {
        name: "miri",
        about: "Miri, over what is Rust alone",
        run: || sanitize::brief_where_installed("miri"),
    },
    Step { name: "loom", about: "loom, over the queue between threads", run: || sanitize::brief("loom") },
    Step { name: "soak", about: "a minute of load: no error, no memory lost", run: soak },
    Step { name: "valgrind", about: "memcheck over the suite, scaled to 1 %", run: valgrind },
];

pub fn run(mut arguments: Parser) -> Outcome {
    let (mut only, mut except) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(name) => only.push(known(name.string()?)?),
            Long("except") => except.push(known(arguments.value()?.string()?)?),
            Short('h') | Long("help") => {
                print!("{HELP}");
                STEPS.iter().for_each(|step| println!("  {:<10} {}", step.name, step.about));
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    for step in STEPS {
        let chosen = only.is_empty() || only.iter().any(|name| name == step.name);
        if chosen && !except.iter().any(|name| name == step.name) {
            println!("\n== {}: {}", step.name, step.about);
            (step.run)().map_err(|error| format!("step {}: {error}", step.name))?;
        }
    }
    Ok(())
}

fn known(name: String) -> Result<String, String> {
    if STEPS.iter().any(|step| step.name == name) {
        Ok(name)
    } else {
        Err(format!("no step is called {name:?}; `cargo xtask ci --help` lists them"))
    }
}

fn test() -> Outcome {
    cargo(&["test", "--workspace"])
}

fn fmt() -> Outcome {
    cargo(&["fmt", "--all", "--check"])
}

fn clippy() -> Outcome {
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    // By itself, because the tests ask for more of its features than it has by default.
    for features in ["--no-default-features", "--all-features"] {
        cargo(&["clippy", "-p", "mongoose", features, "--all-targets", "--", "-D", "warnings"])?;
    }
    Ok(())
}

/// Also without the features that links could lead into.
fn doc() -> Outcome {
    for which in [["--workspace", "--all-features"].as_slice(), &["-p", "mongoose", "--no-default-features"]]
    {
        let mut command = cargo_command(&["doc", "--no-deps"]);
        run_command(command.args(which).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

/// All features at once and `cfg(docsrs)`, by a compiler that takes nightly's features; whoever looked for C would fail.
fn docs_rs() -> Outcome {
    let packages = ["-p", "mongoose-sys", "-p", "mongoose"];
    let mut command =
        cargo_command(&["doc", "--no-deps", "--all-features", "--target-dir", "target/docs-rs"]);
    command
        .args(packages)
        .args(["--offline"])
        .env("DOCS_RS", "1")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTDOCFLAGS", "--cfg docsrs -D warnings");
    run_command(
        without_network(&mut command).env("MONGOOSE_SYS_SOURCE_DIR", "no such folder").env("CC", "false"),
    )
}

fn bindings() -> Outcome {
    cargo(&["xtask", "regen-bindings", "--check"])
}

fn features() -> Outcome {
    const ALL: &str = "tls-builtin,ssi,dirlist";
    cargo(&["test", "-p", "mongoose-tests", "--test", "abi", "--features", ALL])?;
    cargo(&["test", "-p", "mongoose-sys", "--features", ALL])?;
    cargo(&["test", "-p", "mongoose", "--all-features"])
}

/// Features whose code meets in one place, so that each by itself proves nothing about the two.
const TOUCHING: &[&str] = &[
    "cookies,fuzzing",
    "gzip,tls-builtin",
    "gzip,tls-rustls",
    "gzip,tokio",
    "http,serde",
    "http,tokio",
    "log,tls-builtin",
    "log,tls-rustls",
    "router,tracing",
    "tls-builtin,tls-rustls",
    "tls-builtin,tokio",
    "tls-rustls,tokio",
    "tokio,tower",
];

/// No feature, each alone, and those that touch; `clippy` has the default and all of them.
fn powerset() -> Outcome {
    let alone = workspace::features()?;
    for set in [String::new()].into_iter().chain(alone).chain(TOUCHING.iter().map(|set| (*set).to_owned())) {
        println!("-- {}", if set.is_empty() { "none" } else { &set });
        // As `cargo check` does, but a warning fails: one is what a forgotten `cfg` mostly shows as.
        let check = ["rustc", "-q", "-p", "mongoose", "--lib", "--profile", "check", "--no-default-features"];
        cargo(&[check.as_slice(), &["--features", &set, "--", "-D", "warnings"]].concat())?;
    }
    Ok(())
}

/// Without rustls, which would go before it.
fn builtin() -> Outcome {
    const ONLY: [&str; 3] = ["--no-default-features", "--features", "tls-builtin"];
    let with = |before: &[&str], after: &[&str]| cargo(&[before, &ONLY, after].concat());
    with(&["clippy", "-p", "mongoose"], &["--all-targets", "--", "-D", "warnings"])?;
    with(&["test", "-p", "mongoose", "--lib"], &["tls"])?;
    // Other examples verify whom they speak to.
    with(&["test", "-p", "mongoose", "--doc"], &["builtin"])?;
    with(&["test", "-p", "mongoose-tests", "--test", "tls"], &[])?;
    let mut doc = cargo_command(&["doc", "-p", "mongoose", "--no-deps"]);
    run_command(doc.args(ONLY).env("RUSTDOCFLAGS", "-D warnings"))
}

fn portable() -> Outcome {
    let mut command = cargo_command(&["test", "-p", "mongoose", "--target-dir", "target/portable"]);
    run_command(
        command.env("RUSTFLAGS", "--cfg mongoose_portable").env("RUSTDOCFLAGS", "--cfg mongoose_portable"),
    )
}

fn no_unsafe() -> Outcome {
    cargo(&["xtask", "unsafe", "--check"])
}

/// It looks into /proc.
fn soak() -> Outcome {
    if cfg!(target_os = "linux") { cargo(&["xtask", "soak", "--quick"]) } else { Ok(()) }
}

/// As they are published: lists the C files, then lets cargo unpack both packages and build the one with the other.
fn package() -> Outcome {
    const PACKAGE: &[&str] = &["package", "-p", "mongoose-sys", "--allow-dirty"];
    let stage = stage::stage()?;
    let output = cargo_command(PACKAGE).arg("--list").current_dir(&stage).output()?;
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    for file in ["vendor/mongoose.c", "vendor/mongoose.h"] {
        if !list.lines().any(|line| Path::new(line) == Path::new(file)) {
            return Err(format!("the package lacks {file}:\n{list}").into());
        }
    }
    let mut command = cargo_command(PACKAGE);
    command.args(["-p", stage::PUBLISHED, "--offline"]).current_dir(&stage);
    run_command(without_network(&mut command))
}

/// Of what it depends on itself. Resolved apart from the rest, by settings that only a nightly cargo has.
fn minimal() -> Outcome {
    let lock = workspace::root().join("target/minimal/Cargo.lock");
    fs::create_dir_all(lock.parent().expect("it lies in a folder of target/"))?;
    // What was resolved before may be newer than what suffices.
    if lock.exists() {
        fs::remove_file(&lock)?;
    }
    let mut command = cargo_command(&["check", "-p", "mongoose", "--all-features"]);
    command.args(["-Zdirect-minimal-versions", "-Zlockfile-path", "--target-dir", "target/minimal"]);
    command.arg("--config").arg(format!("resolver.lockfile-path={lock:?}"));
    run_command(command.env("RUSTC_BOOTSTRAP", "1"))
}

fn offline() -> Outcome {
    run_command(without_network(&mut cargo_command(&[
        "build",
        "--offline",
        "--target-dir",
        "target/offline",
    ])))
}

/// pip refuses to look anywhere then.
fn without_network(command: &mut Command) -> &mut Command {
    command.env("PIP_NO_INDEX", "1").env_remove("MONGOOSE_SYS_SOURCE_DIR")
}

/// A look at whether the targets still build and hold: what is new takes longer to find, and is no landing's business.
fn feed() -> Outcome {
    fuzz::fuzz(&[], &fuzz::Feed { seconds: 3, runs: None, seed: Some(9112) })
}

/// The suite under memcheck. Left out: what runs compilers and other programs.
fn valgrind() -> Outcome {
    const SETS: &[&[&str]] = &[
        // Valgrind's processor lacks what graviola needs.
        &["-p", "mongoose", "--lib", "--", "--skip", "tls::rustls::connection"],
        &["-p", "mongoose", "--no-default-features", "--features", "tls-builtin", "--lib", "tls"],
        // Handshakes over the built-in TLS, with programs and with ourselves: rustls's peers cannot run there either.
        &[
            "-p",
            "mongoose-tests",
            "--no-default-features",
            "--features",
            "tls-builtin",
            "--test",
            "tls",
            "--",
            "many::handshakes_and",
            "dangerous::",
            "programs::",
            "--skip",
            "programs::hazard_50",
        ],
        &["-p", "mongoose-sys", "--test", "loopback", "--test", "log", "--test", "vectors"],
        &[
            "-p",
            "mongoose-tests",
            "--test",
            "client",
            "--test",
            "dns",
            "--test",
            "sntp",
            "--test",
            "invariants",
            "--test",
            "parity",
            "--test",
            "hostile",
            "--test",
            "stress",
            "--test",
            "corpus",
            "--test",
            "streaming",
            "--test",
            "forms",
            "--test",
            "files",
            "--test",
            "fuzz",
        ],
    ];
    let suppressions = workspace::root().join("tests/valgrind.supp");
    let mut runner = String::from(
        "valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
         --errors-for-leak-kinds=definite --fair-sched=yes --num-callers=30",
    );
    if suppressions.exists() {
        runner.push_str(&format!(" --suppressions={}", suppressions.display()));
    }
    let variable = format!("CARGO_TARGET_{}_RUNNER", host()?.to_uppercase().replace(['-', '.'], "_"));
    for set in SETS {
        let mut command = cargo_command(&["test"]);
        run_command(command.args(*set).env(&variable, &runner).env("TEST_SCALE", "0.01"))?;
    }
    Ok(())
}

/// The target that rustc compiles for when nobody says otherwise.
pub fn host() -> Result<String, Box<dyn std::error::Error>> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc does not name its host")?.to_owned())
}

fn cargo(arguments: &[&str]) -> Outcome {
    run_command(&mut cargo_command(arguments))
}

/// The cargo that runs this one, in the workspace's folder.
fn cargo_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace::root());
    command
}

pub fn run_command(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
