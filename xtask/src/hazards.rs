//! `cargo xtask hazards`: what is wrong in C, and whether each row's tests pass here.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use lexopt::Parser;
use lexopt::prelude::*;

use crate::{Outcome, workspace};

const HELP: &str = "\
Runs every test that carries a hazard's number, and prints the table of ARCHITECTURE.md with them. The exit status is 1 when
a row has no test, or one that fails.

Usage: cargo xtask hazards
";

/// Where such tests are. TLS's second backend is not built where the first is.
const SETS: &[&[&str]] = &[
    &["-p", "mongoose", "--all-features", "--lib"],
    &["-p", "mongoose", "--no-default-features", "--features", "tls-builtin", "--lib"],
    &["-p", "mongoose-tests"],
    &["-p", "mongoose-tests", "--no-default-features", "--features", "tls-builtin", "--test", "tls"],
];

/// A row's place in C, and what is wrong there.
struct Hazard {
    place: String,
    fault: String,
}

/// Whether a test passed that is named so.
type Results = BTreeMap<String, bool>;

pub fn run(mut arguments: Parser) -> Outcome {
    match arguments.next()? {
        None => {}
        Some(Short('h') | Long("help")) => {
            print!("{HELP}");
            return Ok(());
        }
        Some(other) => return Err(other.unexpected().into()),
    }
    let hazards = table(&fs::read_to_string(workspace::root().join("ARCHITECTURE.md"))?);
    if hazards.is_empty() {
        return Err("ARCHITECTURE.md has no table of hazards".into());
    }
    let mut results = Results::new();
    for set in SETS {
        test(set, &mut results)?;
    }
    let wanting = print(&hazards, &results);
    if wanting.is_empty() { Ok(()) } else { Err(format!("without a test that passes: {wanting:?}").into()) }
}

/// The rows of the table by number; one row may have several.
fn table(text: &str) -> BTreeMap<u32, Hazard> {
    let mut hazards = BTreeMap::new();
    let section = text.lines().skip_while(|line| !line.starts_with("## Hazards")).skip(1);
    for line in section.take_while(|line| !line.starts_with("## ")) {
        let [_, numbers, place, fault, ..] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            continue;
        };
        for number in numbers.split(',').filter_map(|number| number.trim().parse().ok()) {
            hazards.insert(number, Hazard { place: place.to_owned(), fault: fault.to_owned() });
        }
    }
    hazards
}

/// Runs the tests of a set. One that failed in any set has failed.
fn test(set: &[&str], results: &mut Results) -> Outcome {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg("test").args(set).args(["--no-fail-fast", "--", "hazard_"]).current_dir(workspace::root());
    let output = command.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.strip_prefix("test ")?.rsplit_once(" ... "));
    let mut failed = false;
    for (name, result) in lines {
        let passed = result == "ok";
        failed |= !passed;
        *results.entry(name.to_owned()).or_insert(true) &= passed;
    }
    if !output.status.success() && !failed {
        return Err(format!("{command:?} ended with {}:\n{text}", output.status).into());
    }
    Ok(())
}

/// The numbers in a test's name: `hazard_8_and_52_forged` has two.
fn numbers(name: &str) -> Vec<u32> {
    let Some((_, after)) = name.split_once("hazard_") else { return Vec::new() };
    let mut words = after.split('_');
    let mut numbers: Vec<u32> = words.next().and_then(|word| word.parse().ok()).into_iter().collect();
    while words.next() == Some("and")
        && let Some(number) = words.next().and_then(|word| word.parse().ok())
    {
        numbers.push(number);
    }
    numbers
}

/// Prints the table, and answers the numbers of those rows that are not proven.
fn print(hazards: &BTreeMap<u32, Hazard>, results: &Results) -> Vec<u32> {
    let mut wanting = Vec::new();
    for (number, hazard) in hazards {
        let tests: Vec<_> = results.iter().filter(|(name, _)| numbers(name).contains(number)).collect();
        let passed = !tests.is_empty() && tests.iter().all(|(_, passed)| **passed);
        let verdict = if passed { "ok" } else { "FAILED" };
        println!("{number:>3}  {verdict:<6}  {}: {}", hazard.place, hazard.fault);
        for (name, passed) in &tests {
            println!("     {:<6}    {name}", if **passed { "ok" } else { "FAILED" });
        }
        if tests.is_empty() {
            println!("     no test carries its number");
        }
        if !passed {
            wanting.push(*number);
        }
    }
    wanting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_known_by_each_of_their_numbers() {
        let text = "| 1 | no | row |\n## Hazards of it\n\n| # | where | what |\n|---|---|---|\n\
                    | 3, 8 | `here` | wrong | right |\n| 4 | there | worse | right |\n## Next\n| 5 | a | b | c |\n";
        let hazards = table(text);
        assert_eq!(hazards.keys().collect::<Vec<_>>(), [&3, &4, &8]);
        assert_eq!((&*hazards[&8].place, &*hazards[&8].fault), ("`here`", "wrong"));
    }

    #[test]
    fn names_have_their_numbers() {
        assert_eq!(numbers("c::hazard_8_and_52_forged_answers"), [8, 52]);
        assert_eq!(numbers("invariant_14_hazard_15_errors"), [15]);
        assert_eq!(numbers("hazard_11_5_000_payloads_from_8_threads"), [11]);
        assert_eq!(numbers("hazard_4_and_more"), [4]);
        assert!(numbers("hazard_of_sleep").is_empty() && numbers("other").is_empty());
    }

    #[test]
    fn a_row_without_a_test_that_passes_is_wanting() {
        let hazard = || Hazard { place: String::new(), fault: String::new() };
        let hazards = BTreeMap::from([(1, hazard()), (2, hazard()), (3, hazard())]);
        let results = Results::from([("hazard_1_a".to_owned(), true), ("hazard_2_a".to_owned(), false)]);
        assert_eq!(print(&hazards, &results), [2, 3]);
    }
}
