//! The example as a process, and a server that others wrote.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mongoose_tests::{PATIENCE, example, find_program};

use crate::peer::{honest, start};
use crate::{ask, reason};

#[test]
fn sntp_prints_milliseconds_or_fails() {
    let program = example("sntp", "");
    let url = start(|question| vec![honest(question, 0)]);
    let output = Command::new(&program).arg(&url).output().expect("to start");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let millis: u64 = text.trim_end().parse().unwrap_or_else(|_| panic!("{text}"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    assert!(millis.abs_diff(now) < PATIENCE.as_millis() as u64, "{millis} and {now}");
    for arguments in [&["udp://127.0.0.1:9"][..], &["nonsense"], &[]] {
        let output = Command::new(&program).args(arguments).output().expect("to start");
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

/// Killed when it is dropped, and its folder removed.
struct Chrony {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Chrony {
    /// Starts it at a free port, another where somebody else takes that before it does.
    fn start(program: &Path) -> Self {
        let user = Command::new("id").arg("-un").output().expect("to start").stdout;
        let user = String::from_utf8(user).expect("text");
        for number in 0..20 {
            let free = UdpSocket::bind("127.0.0.1:0").and_then(|free| free.local_addr());
            let free = free.expect("a free port");
            let folder =
                std::env::temp_dir().join(format!("mongoose-chrony-{}-{number}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            let place = folder.display();
            let settings = format!(
                "port {}\nbindaddress 127.0.0.1\nallow 127.0.0.1\nlocal stratum 5\ncmdport 0\n\
                 bindcmdaddress {place}/socket\npidfile {place}/pid\n",
                free.port()
            );
            let file = folder.join("chrony.conf");
            fs::write(&file, settings).expect("to write");
            // -x: it leaves the system's clock alone; -U: it need not be root's.
            let child = Command::new(program)
                .args(["-x", "-d", "-U", "-u", user.trim(), "-f"])
                .arg(&file)
                .stderr(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .expect("to start");
            let mut chrony = Self { child, folder, url: format!("udp://{free}") };
            let end = Instant::now() + PATIENCE;
            while chrony.child.try_wait().expect("its state").is_none() {
                // Refused until it is up.
                match ask(&chrony.url) {
                    Ok(_) => return chrony,
                    answer => assert!(Instant::now() < end, "{}", reason(answer)),
                }
            }
        }
        panic!("it does not start");
    }
}

impl Drop for Chrony {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn chrony_tells_the_time() {
    let Some(program) = find_program("chronyd", "chrony_tells_the_time") else { return };
    let chrony = Chrony::start(&program);
    let reply = ask(&chrony.url).expect("an answer");
    assert_eq!(reply.stratum, 5);
    assert!(reply.offset.unsigned_abs() <= PATIENCE.as_nanos() as u64, "{reply:?}");
}
