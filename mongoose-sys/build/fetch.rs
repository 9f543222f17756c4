//! Fetching the carrier package with pip, and taking the two files out of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::error::Error;
use super::upstream::Upstream;
use super::vendor::{self, Staging};

/// How long pip may take before it is stopped.
const TIME_LIMIT: Duration = Duration::from_secs(180);

/// Copies the two files out of the source distribution: archive, folder inside it, target folder.
/// Only their bytes are taken, so that no name or link in the archive can write elsewhere.
const UNPACK: &str = "\
import sys, tarfile
archive, folder, target = sys.argv[1:]
with tarfile.open(archive) as tar:
    for name in ('mongoose.c', 'mongoose.h'):
        member = tar.extractfile(folder + '/' + name)
        with open(target + '/' + name, 'wb') as out:
            out.write(member.read())
";

/// Fetches the pinned carrier, checks it and its two files, and moves these into `vendor`.
///
/// `pythons` are tried in turn until one runs; what pip needs to know (index, proxy, certificates) it takes
/// from its own configuration.
pub fn fetch(vendor: &Path, upstream: &Upstream, pythons: &[PathBuf]) -> Result<(), Error> {
    let python = pythons
        .iter()
        .find(|python| has_pip(python))
        .ok_or_else(|| Error::Fetch { what: format!("no Python 3 with pip among {}", list(pythons)) })?;
    let staging = Staging::new(vendor)?;
    let archive = download(staging.path(), upstream, python)?;
    let folder = format!("{}-{}/{}", upstream.carrier, upstream.carrier_version, upstream.carrier_folder);
    let mut unpack = Command::new(python);
    unpack.args(["-c", UNPACK]).arg(&archive).arg(folder).arg(staging.path());
    run(unpack, staging.path(), &format!("unpacking {}", archive.display()))?;
    vendor::install(staging.path(), vendor, upstream).map_err(|error| match error {
        // The staged file is gone when this is read, so its path would only mislead.
        Error::Checksum { file, expected, actual } => Error::Fetch {
            what: format!(
                "{} in {} is not the file that mongoose-sys pins.\nexpected SHA-256: {expected}\nactual SHA-256:   {actual}",
                file.file_name().unwrap_or_default().display(),
                archive.file_name().unwrap_or_default().display(),
            ),
        },
        other => other,
    })
}

/// Downloads the source distribution into `folder` and says what it is called. pip checks its SHA-256
/// before it runs anything of it.
fn download(folder: &Path, upstream: &Upstream, python: &Path) -> Result<PathBuf, Error> {
    let Upstream { carrier, carrier_version, carrier_sha256, .. } = upstream;
    let requirements = folder.join("requirements.txt");
    let line = format!("{carrier}=={carrier_version} --hash=sha256:{carrier_sha256}\n");
    fs::write(&requirements, line).map_err(Error::io("write", &requirements))?;

    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"])
        .args(["--no-deps", "--no-binary", carrier, "--ignore-requires-python"])
        .args(["--require-hashes", "-r"])
        .arg(&requirements)
        .arg("--dest")
        .arg(folder);
    run(pip, folder, &format!("`pip download` of {carrier} {carrier_version}"))?;
    Ok(folder.join(format!("{carrier}-{carrier_version}.tar.gz")))
}

fn has_pip(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import sys, pip; sys.exit(sys.version_info < (3,))"]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn list(pythons: &[PathBuf]) -> String {
    pythons.iter().map(|python| format!("`{}`", python.display())).collect::<Vec<_>>().join(", ")
}

/// Runs a command to its end, or to the time limit. What it says goes to a file, because a full pipe would
/// stop it.
fn run(mut command: Command, folder: &Path, what: &str) -> Result<(), Error> {
    let log = folder.join("output.txt");
    let open = || fs::File::options().create(true).append(true).open(&log).map_err(Error::io("write", &log));
    command.stdin(Stdio::null()).stdout(open()?).stderr(open()?);
    let failed = |why: String| {
        let said = fs::read(&log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        Error::Fetch { what: format!("{what} {why}\n{}", said.trim_end()).trim_end().to_owned() }
    };
    let mut child = command.spawn().map_err(|error| failed(format!("did not start: {error}")))?;
    match wait(&mut child, TIME_LIMIT) {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => Err(failed(format!("failed ({status}):"))),
        Ok(None) => Err(failed(format!("took longer than {} s and was stopped", TIME_LIMIT.as_secs()))),
        Err(error) => Err(failed(format!("was lost: {error}"))),
    }
}

/// Waits for a child; stops it and gives `None` if it is still running after `limit`.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::wait;

    #[test]
    #[cfg(unix)]
    fn what_runs_too_long_is_stopped() {
        // Reads from a pipe that nobody writes to.
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pipe = child.stdin.take();
        assert!(wait(&mut child, Duration::ZERO).unwrap().is_none());
        assert!(!child.try_wait().unwrap().expect("it was reaped").success());
        drop(pipe);
    }
}
