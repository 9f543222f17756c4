//! The chores of this repository. `cargo xtask --help` lists them; each is a file beside this one.

#[cfg(target_os = "linux")]
mod bench;
#[allow(dead_code, reason = "some of it is for the build script alone")]
#[path = "../../mongoose-sys/build/mod.rs"]
mod build;
mod ci;
mod coverage;
mod fuzz;
mod generate;
mod hazards;
mod normalise;
mod regen_bindings;
mod sanitize;
#[cfg(target_os = "linux")]
mod soak;
mod stage;
mod unsafe_code;
mod vendor;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use lexopt::Parser;
use lexopt::prelude::*;

/// How a task ends: the error is printed and makes the exit status 1.
type Outcome = Result<(), Box<dyn Error>>;

/// A task: its name, its arguments and a line about it for the help, and what runs it.
struct Task {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(Parser) -> Outcome,
}

const TASKS: &[Task] = &[
    Task {
        name: "ci",
        arguments: "[STEP]... [--except STEP]...",
        about: "Check everything that has to hold before a change lands",
        run: ci::run,
    },
    Task {
        name: "vendor",
        arguments: "[--from DIR]",
        about: "Put the pinned C source into mongoose-sys/vendor",
        run: vendor::run,
    },
    Task {
        name: "regen-bindings",
        arguments: "[--check]",
        about: "Write mongoose-sys/src/bindings.rs anew from mongoose.h",
        run: regen_bindings::run,
    },
    Task {
        name: "hazards",
        arguments: "",
        about: "Run the tests of each fault of C's, and print the table",
        run: hazards::run,
    },
    Task {
        name: "fuzz",
        arguments: "[TARGET]... [--seconds N]",
        about: "Feed the parsers, and whole servers and clients, what libFuzzer thinks of",
        run: fuzz::run,
    },
    Task {
        name: "sanitize",
        arguments: "TOOL [-- ARGUMENT...]",
        about: "Run tests under AddressSanitizer, ThreadSanitizer, Miri or loom",
        run: sanitize::run,
    },
    Task {
        name: "coverage",
        arguments: "[--report] [--html]",
        about: "See how much of the safe crate the tests run",
        run: coverage::run,
    },
    Task {
        name: "stage",
        arguments: "",
        about: "Lay out the packages as they are published",
        run: stage::run,
    },
    Task {
        name: "unsafe",
        arguments: "[--check]",
        about: "Count the unsafe code, and see that each block says why it is sound",
        run: unsafe_code::run,
    },
    // It reads /proc and pins to cores.
    #[cfg(target_os = "linux")]
    Task {
        name: "bench",
        arguments: "[--quick] [CASE]...",
        about: "Measure the server beside its peers, as ratios in one run",
        run: bench::run,
    },
    #[cfg(target_os = "linux")]
    Task {
        name: "soak",
        arguments: "[--quick] [CASE]...",
        about: "Load servers with much of everything: no error, no memory lost",
        run: soak::run,
    },
];

fn main() -> ExitCode {
    match dispatch(Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut arguments: Parser) -> Outcome {
    match arguments.next()? {
        Some(Value(name)) => match TASKS.iter().find(|task| name == task.name) {
            Some(task) => (task.run)(arguments),
            None => Err(format!("no task is called {name:?}; `cargo xtask --help` lists them").into()),
        },
        Some(Short('h') | Long("help")) | None => {
            print!("{}", help());
            Ok(())
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

fn help() -> String {
    let mut text =
        String::from("The chores of this repository.\n\nUsage: cargo xtask TASK [OPTIONS]\n\nTasks:\n");
    for task in TASKS {
        let call = format!("{} {}", task.name, task.arguments);
        text.push_str(&format!("  {call:<34} {}\n", task.about));
    }
    text.push_str("\n`cargo xtask TASK --help` says more about one of them.\n");
    text
}
