//! What each tool needs, and how it is given the tests.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::build::defines::Features;
use crate::build::upstream::Upstream;
use crate::ci::host;
use crate::{build, workspace};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How a tool's tests are built and run.
pub struct Kit {
    /// Where it builds.
    target: PathBuf,
    /// The start of a command line, up to what `cargo test` is told.
    cargo: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    /// Builds `planted/`, and answers how to start it.
    plant: fn(&Kit) -> Result<Vec<OsString>>,
}

impl Kit {
    fn new(name: &str, cargo: Vec<OsString>, plant: fn(&Kit) -> Result<Vec<OsString>>) -> Self {
        let target = target().join(name);
        let variables = vec![("CARGO_TARGET_DIR", target.clone().into_os_string())];
        Self { target, cargo, variables, plant }
    }

    fn with(mut self, variables: &[(&'static str, &str)]) -> Self {
        self.variables.extend(variables.iter().map(|(name, value)| (*name, OsString::from(value))));
        self
    }

    fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|variable| variable.0 == name);
        found.and_then(|variable| variable.1.to_str()).unwrap_or_default()
    }

    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.variables.iter().map(|(name, value)| (*name, value))
    }

    pub fn test(&self) -> Command {
        let mut command = Command::new(&self.cargo[0]);
        command.args(&self.cargo[1..]).envs(self.variables());
        command
    }

    pub fn planted(&self) -> Result<Vec<OsString>> {
        fs::create_dir_all(&self.target)?;
        (self.plant)(self)
    }
}

/// Clang for C, because its runtime is rustc's; and RUSTC_BOOTSTRAP, because the sanitizers are not stable.
pub fn address() -> Result<Kit> {
    clang()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let cargo = vec![cargo, "test".into()];
    Ok(Kit::new("address", cargo, compile_planted_with_mongoose).with(&[
        ("CC", "clang"),
        // A trap needs no runtime. Clang's own would be a second one.
        ("CFLAGS", "-fsanitize=address,undefined -fsanitize-trap=undefined -fno-omit-frame-pointer -g"),
        ("RUSTC_BOOTSTRAP", "1"),
        ("RUSTFLAGS", "-Zsanitizer=address"),
        // Named, so that build scripts and macros go without; by a variable, so that cargo run by a test does the same.
        ("CARGO_BUILD_TARGET", &host()?),
        ("ASAN_OPTIONS", "handle_sigill=1:detect_leaks=1"),
    ]))
}

pub fn loom() -> Result<Kit> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let nothing: fn(&Kit) -> Result<Vec<OsString>> =
        |_| Err("loom knows no faults but those of threads".into());
    Ok(Kit::new("loom", vec![cargo, "test".into()], nothing).with(&[("RUSTFLAGS", "--cfg loom")]))
}

/// Compiles the faults as the tests are compiled, with Mongoose and the hazards of its own.
fn compile_planted_with_mongoose(kit: &Kit) -> Result<Vec<OsString>> {
    let (sys, include) = (workspace::mongoose_sys(), kit.target.join("include"));
    let source = workspace::search().locate(&Upstream::read(&sys)?)?;
    build::include::write(&include, &source, &sys.join("csrc"), Features::default())?;
    // As the build script compiles it: it reads addresses through pointers of other types.
    let mut flags: Vec<OsString> = vec!["-w".into(), "-fno-strict-aliasing".into()];
    for folder in [&include, &sys.join("csrc"), &source] {
        flags.extend(["-I".into(), folder.into()]);
    }
    let objects = [compile_c(kit, "faults", &[])?, compile_c(kit, "hazards", &flags)?];
    link_planted(kit, &["with_c", "with_mongoose"], &objects)
}

fn compile_c(kit: &Kit, name: &str, flags: &[OsString]) -> Result<PathBuf> {
    let object = kit.target.join(format!("{name}.o"));
    let mut c = Command::new("clang");
    c.args(kit.variable("CFLAGS").split(' ')).arg("-O1").args(flags).arg("-c");
    succeed(c.arg(planted(&format!("{name}.c"))).arg("-o").arg(&object))?;
    Ok(object)
}

/// By rustc, which has the sanitizer's runtime.
fn link_planted(kit: &Kit, cfgs: &[&str], objects: &[PathBuf]) -> Result<Vec<OsString>> {
    let program = kit.target.join("faults");
    let mut rust = Command::new("rustc");
    rust.args(["--edition=2024", "--target", kit.variable("CARGO_BUILD_TARGET")]);
    rust.args(kit.variable("RUSTFLAGS").split(' '));
    rust.args(cfgs.iter().flat_map(|cfg| ["--cfg", cfg]));
    for object in objects {
        let mut linked = OsString::from("-Clink-arg=");
        linked.push(object);
        rust.arg(linked);
    }
    rust.arg(planted("faults.rs")).arg("-o").arg(&program);
    succeed(rust.env("RUSTC_BOOTSTRAP", "1"))?;
    Ok(vec![program.into()])
}

fn planted(name: &str) -> PathBuf {
    workspace::root().join("xtask/src/sanitize/planted").join(name)
}

fn clang() -> Result<()> {
    let there = Command::new("clang").arg("--version").output().is_ok_and(|output| output.status.success());
    if there { Ok(()) } else { Err("no clang, which C is compiled with here: apt-get install clang".into()) }
}

/// Where all of these build.
fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    workspace::root().join(target).join("sanitize")
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
