//! Chromium, without a window. The page does the checks and asks for its verdict as a path, which is in our log.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use mongoose_tests::{PATIENCE, scaled};
use rustix::process::{Pid, Signal, kill_process};

use crate::peers::find;
use crate::program::{EMBEDDED, HttpServer};
use crate::scratch::{Scratch, pattern};

/// It has other names elsewhere.
pub fn find_chromium(test: &str) -> Option<PathBuf> {
    let others = ["chromium-browser", "google-chrome"];
    let path = env::var_os("PATH").unwrap_or_default();
    let other = env::split_paths(&path)
        .flat_map(|folder| others.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    // The first name is the one that CI installs, and that is asked for where there is none.
    other.or_else(|| find("chromium", test))
}

/// The browser with a profile of its own.
fn chromium(program: &Path, profile: &Scratch) -> Command {
    let mut command = Command::new(program);
    command.args([
        "--headless",
        // It cannot have one as root, or in most containers.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        "--no-proxy-server",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path())).env("HOME", profile.path());
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

struct Browser {
    child: Child,
    _profile: Scratch,
}

impl Browser {
    fn open(program: &Path, url: &str) -> Self {
        let profile = Scratch::new();
        // With a port for its tools it stays until it is ended.
        let mut command = chromium(program, &profile);
        command.arg("--remote-debugging-port=0").arg(url).stdout(Stdio::null());
        Self { child: command.spawn().expect("to start chromium"), _profile: profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to end, it ends its own processes first, so that nobody writes to the profile any more.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let end = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            thread::yield_now();
        }
        // Both fail when it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_page_fetches_uploads_and_listens() {
    let Some(program) = find_chromium("chromium") else { return };
    let site = Scratch::new();
    let length = scaled(20 << 20);
    site.file("index.html", include_str!("chromium.html").replace("LENGTH", &length.to_string()));
    site.file("large.bin", pattern(length));
    let mut server = HttpServer::start_one_with(&["--root", site.path()]);
    let browser = Browser::open(&program, &server.url("/"));
    let line = server.line_with(" /verdict?");
    drop(browser);
    let (_, verdict) = line.split_once(" /verdict?").expect("what was looked for");
    let verdict = mongoose::url::decode(verdict).expect("encoded by the browser");
    assert_eq!(String::from_utf8_lossy(&verdict), "all is well");
}

#[test]
fn the_embedded_site_runs_its_script() {
    let Some(program) = find_chromium("chromium and the embedded site") else { return };
    let mut command = Command::new(&*EMBEDDED);
    command.arg("http://127.0.0.1:0").stdin(Stdio::null());
    let server = HttpServer::serving(command, 1);
    let profile = Scratch::new();
    let mut browser = chromium(&program, &profile);
    browser.args(["--virtual-time-budget=10000", "--dump-dom", &server.url("/")]);
    let output = browser.output().expect("to start chromium");
    let dom = String::from_utf8_lossy(&output.stdout);
    let expected = format!("<span id=\"version\">{}</span>", mongoose::MONGOOSE_VERSION);
    assert!(dom.contains(&expected), "{dom}");
}
