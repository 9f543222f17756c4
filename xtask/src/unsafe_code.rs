//! `cargo xtask unsafe`: where the unsafe code is, and whether each block says why it is sound.

use std::fs;
use std::path::{Path, PathBuf};

use lexopt::Parser;
use lexopt::prelude::*;

use crate::{Outcome, workspace};

const HELP: &str = "\
Counts the unsafe blocks, functions and impls of both crates by file, and fails when a block or an impl lacks its
`// SAFETY:`, or when the safe crate has any outside mongoose/src/ffi. The number is written into README.md.

Usage: cargo xtask unsafe [--check]

Options:
  --check   Fail when README.md has another number, instead of writing it.
";

/// How the line of README.md with the number begins.
const MARK: &str = "**Unsafe code**: ";

/// What a file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    blocks: usize,
    functions: usize,
    impls: usize,
    /// Lines of blocks and impls without a reason.
    bare: Vec<usize>,
}

pub fn run(mut arguments: Parser) -> Outcome {
    let mut only_check = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("check") => only_check = true,
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    let (mut faults, mut total) = (Vec::new(), Count::default());
    println!("{:<44} {:>7} {:>10} {:>6}", "file", "blocks", "functions", "impls");
    for folder in ["mongoose/src", "mongoose-sys/src"] {
        for path in rust_files(&root.join(folder))? {
            let name = path.strip_prefix(&root)?.display().to_string();
            // What bindgen made declares, and holds no code of ours.
            if name == "mongoose-sys/src/bindings.rs" {
                continue;
            }
            let count = count(&fs::read_to_string(&path)?);
            if count == Count::default() {
                continue;
            }
            println!("{name:<44} {:>7} {:>10} {:>6}", count.blocks, count.functions, count.impls);
            faults.extend(count.bare.iter().map(|line| format!("{name}:{line}: no `// SAFETY:`")));
            if folder == "mongoose/src" {
                total.blocks += count.blocks;
                total.functions += count.functions;
                total.impls += count.impls;
                if !name.starts_with("mongoose/src/ffi/") {
                    faults.push(format!("{name}: unsafe code outside mongoose/src/ffi"));
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let line = total.line();
    println!("\n{line}");
    write_line(&root.join("README.md"), &line, only_check)
}

impl Count {
    fn line(&self) -> String {
        let Self { blocks, functions, impls, .. } = self;
        format!(
            "{MARK}{blocks} blocks, {functions} functions and {impls} impls, all in `mongoose/src/ffi`, each block \
             with the reason why it is sound."
        )
    }
}

fn write_line(readme: &Path, line: &str, only_check: bool) -> Outcome {
    let text = fs::read_to_string(readme)?;
    let found = text.lines().find(|found| found.starts_with(MARK));
    match found {
        None => Err(format!("README.md has no line that begins with {MARK:?}").into()),
        Some(found) if found == line => Ok(()),
        Some(found) if only_check => {
            Err(format!("README.md says {found:?}: `cargo xtask unsafe` mends it").into())
        }
        Some(found) => Ok(fs::write(readme, text.replace(found, line))?),
    }
}

/// By the words: rustfmt keeps them on one line, and clippy, which knows the grammar, refuses bare blocks too.
fn count(text: &str) -> Count {
    let mut count = Count::default();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let blocks = code.matches("unsafe {").count();
        let impls = code.matches("unsafe impl").count();
        // `unsafe fn(` is the type of a pointer.
        let is_function = |rest: &&str| {
            let rest = rest.strip_prefix("extern \"C\" ").unwrap_or(rest);
            rest.strip_prefix("fn ").is_some()
        };
        count.functions += code.split("unsafe ").skip(1).filter(is_function).count();
        count.blocks += blocks;
        count.impls += impls;
        if blocks + impls > 0 && !has_reason(&lines[..=index]) {
            count.bare.push(index + 1);
        }
    }
    count
}

/// Whether a comment of the statement that the last line is in says so.
fn has_reason(lines: &[&str]) -> bool {
    let mut above = lines.iter().rev();
    if above.next().is_some_and(|line| line.contains("// SAFETY:")) {
        return true;
    }
    for line in above {
        let line = line.trim();
        if line.starts_with("//") {
            if line.starts_with("// SAFETY:") {
                return true;
            }
        } else if line.is_empty() || line.ends_with([';', '{', '}']) {
            return false;
        }
    }
    false
}

/// The sources below a folder, in order.
fn rust_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn a_block_without_a_reason_is_found() {
        let found = count("fn f() {\n    // SAFETY: nothing.\n    unsafe { g() };\n    unsafe { g() };\n}\n");
        assert_eq!((found.blocks, found.bare), (2, vec![4]));
    }

    #[test]
    fn a_reason_may_stand_above_the_statement() {
        let found = count("// SAFETY: it is\n// so.\nlet a = b(\n    unsafe { g() },\n);\n");
        assert_eq!((found.blocks, found.bare), (1, vec![]));
    }

    #[test]
    fn types_of_functions_are_no_functions() {
        let text = "type F = unsafe extern \"C\" fn(u8);\nlet f: unsafe fn(u8) = g;\nunsafe fn g(_: u8) {}\n\
                    pub(super) unsafe extern \"C\" fn h() {}\n// unsafe fn i() {}\n";
        assert_eq!(count(text).functions, 2);
    }

    #[test]
    fn an_impl_needs_a_reason_too() {
        let found = count("unsafe impl Send for A {}\n");
        assert_eq!((found.impls, found.bare), (1, vec![1]));
    }
}
