//! nginx, as a server of files.

use std::ffi::OsString;
use std::fs;

use super::peers::target;
use super::{Fallible, files, tools};

/// Writes its configuration and says how it is started: as one process, so that this is the one that is measured. The
/// rest is what Debian has in its configuration, but for the log and for connections that end after 1,000 requests.
pub fn command(port: u16) -> Fallible<Vec<OsString>> {
    let folder = target().join("nginx");
    fs::create_dir_all(&folder)?;
    let root = files::folder();
    let configuration = format!(
        "daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{
    worker_connections 1024;
}}
http {{
    types {{
        text/plain txt;
    }}
    default_type text/plain;
    charset utf-8;
    sendfile on;
    tcp_nopush on;
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        root \"{}\";
        location = /hello {{
            return 200 \"Hello, World!\";
        }}
    }}
}}
",
        root.display()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration)?;
    let program = tools::find("nginx").ok_or("nginx is not there")?;
    let log = folder.join("error.log");
    Ok(vec![program.into(), "-p".into(), folder.into(), "-e".into(), log.into(), "-c".into(), file.into()])
}

/// Such as `1.22.1`.
pub fn version() -> String {
    let Some(program) = tools::find("nginx") else { return String::new() };
    let line = tools::version(program, "-v");
    line.rsplit('/').next().unwrap_or_default().to_owned()
}
