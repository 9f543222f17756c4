//! What each tool needs, and how it is given the tests.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// With a standard library of its own: what the prepared one synchronises with would not be seen, and be a race.
pub fn thread() -> Result<Kit> {
    clang()?;
    let host = host()?;
    let toolchain = toolchain_with_source(&host)?;
    let program = |name: &str| toolchain.join("bin").join(name);
    let kit = Kit::new("thread", vec![program("cargo").into(), "test".into()], compile_planted);
    let mut kit = kit.with(&[
        ("CC", "clang"),
        ("CFLAGS", "-fsanitize=thread -fno-omit-frame-pointer -g"),
        ("RUSTC_BOOTSTRAP", "1"),
        ("RUSTFLAGS", "-Zsanitizer=thread"),
        ("CARGO_UNSTABLE_BUILD_STD", "std,test,panic_unwind"),
        ("CARGO_BUILD_TARGET", &host),
        ("TSAN_OPTIONS", "halt_on_error=1"),
        // Made by code that is checked too, one takes longer than a test waits for its peer.
        ("RUST_BACKTRACE", "0"),
    ]);
    kit.variables.push(("RUSTC", program("rustc").into()));
    // The cargo that runs this one has the compiler's libraries, and by them its source, looked for with its own.
    kit.variables.push(("LD_LIBRARY_PATH", toolchain.join("lib").into()));
    kit.variables.push(("RUSTDOC", program("rustdoc").into()));
    Ok(kit)
}

pub fn miri() -> Result<Kit> {
    const NIGHTLY: [&str; 3] = ["rustup", "run", "nightly"];
    let there = Command::new("rustup").args(["run", "nightly", "cargo", "miri", "--version"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return Err("no nightly toolchain with Miri: \
                    rustup toolchain install nightly --profile minimal --component miri,rust-src"
            .into());
    }
    fn plant(kit: &Kit) -> Result<Vec<OsString>> {
        let mut setup = Command::new("rustup");
        setup.args(["run", "nightly", "cargo", "miri", "setup", "--print-sysroot"]);
        let output = setup.envs(kit.variables()).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err("Miri cannot build the standard library".into());
        }
        let sysroot = String::from_utf8(output.stdout)?;
        let words = ["miri", "--edition=2024", "--sysroot", sysroot.trim()];
        let mut start: Vec<OsString> = NIGHTLY.iter().chain(&words).map(OsString::from).collect();
        start.extend([planted("faults.rs").into(), "--".into()]);
        Ok(start)
    }
    let cargo = NIGHTLY.iter().chain(&["cargo", "miri", "test"]).map(OsString::from).collect();
    // Tests look at the clock, and a case takes a thousand times as long.
    let variables = [("MIRIFLAGS", "-Zmiri-disable-isolation"), ("PROPTEST_CASES", "4")];
    Ok(Kit::new("miri", cargo, plant).with(&variables))
}

pub fn loom() -> Result<Kit> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let nothing: fn(&Kit) -> Result<Vec<OsString>> =
        |_| Err("loom knows no faults but those of threads".into());
    Ok(Kit::new("loom", vec![cargo, "test".into()], nothing).with(&[("RUSTFLAGS", "--cfg loom")]))
}

/// Compiles the faults as the tests are compiled.
fn compile_planted(kit: &Kit) -> Result<Vec<OsString>> {
    let object = compile_c(kit, "faults", &[])?;
    link_planted(kit, &["with_c"], &[object])
}

/// The same, with Mongoose and the hazards of its own.
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
    let rustc = if kit.variable("RUSTC").is_empty() { "rustc" } else { kit.variable("RUSTC") };
    let mut rust = Command::new(rustc);
    rust.args(["--edition=2024", "--target", kit.variable("CARGO_BUILD_TARGET")]);
    // It is too small a program to need a standard library made for it.
    rust.args(kit.variable("RUSTFLAGS").split(' ')).arg("-Cunsafe-allow-abi-mismatch=sanitizer");
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

/// A toolchain as the one in use, with the standard library's source: that one, or another beside it that nobody else
/// sees.
fn toolchain_with_source(host: &str) -> Result<PathBuf> {
    let has_source = |sysroot: &Path| sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").exists();
    let used = PathBuf::from(said_by_rustc(&["--print", "sysroot"])?.trim());
    if has_source(&used) {
        return Ok(used);
    }
    let text = said_by_rustc(&["-vV"])?;
    let version = text.lines().find_map(|line| line.strip_prefix("release: "));
    let version = version.ok_or("rustc does not say its release")?;
    let home = target().join("rustup");
    let toolchain = home.join("toolchains").join(format!("{version}-{host}"));
    if !has_source(&toolchain) {
        println!("installing Rust {version} with its source into {}", home.display());
        let mut install = Command::new("rustup");
        install.args(["toolchain", "install", version, "--profile", "minimal", "--component", "rust-src"]);
        succeed(install.arg("--no-self-update").env("RUSTUP_HOME", &home).env_remove("RUSTUP_TOOLCHAIN"))?;
    }
    Ok(toolchain)
}

fn clang() -> Result<()> {
    let there = Command::new("clang").arg("--version").output().is_ok_and(|output| output.status.success());
    if there { Ok(()) } else { Err("no clang, which C is compiled with here: apt-get install clang".into()) }
}

fn said_by_rustc(arguments: &[&str]) -> Result<String> {
    Ok(String::from_utf8(Command::new("rustc").args(arguments).output()?.stdout)?)
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
