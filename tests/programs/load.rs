//! ab and wrk: many requests at once, and not one that fails.

use mongoose_tests::scaled;

use crate::peers::{find, run};
use crate::program::HttpServer;
use crate::scratch::Scratch;

/// The number behind a name in ab's report.
fn count(report: &str, name: &str) -> usize {
    let line = report.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("{name} is missing in {report}"));
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn hazard_54_ab_is_answered_with_and_without_keep_alive() {
    let Some(ab) = find("ab", "ab") else { return };
    let server = HttpServer::start_one();
    let requests = scaled(2000).max(50);
    // What is chunked ends with the connection for HTTP/1.0, kept or not.
    for (path, length, requests, kept) in
        [("/hello", 6, requests, requests), ("/chunked", 35, requests, 0), ("/defer", 9, 50, 50)]
    {
        for (keep, kept) in [(&[][..], None), (&["-k"][..], Some(kept))] {
            let (number, url) = (requests.to_string(), server.url(path));
            let report = run(&ab, &[keep, &["-q", "-s", "30", "-c", "10", "-n", &number, &url]].concat());
            assert_eq!(count(&report, "Complete requests:"), requests, "{report}");
            assert_eq!(count(&report, "Failed requests:"), 0, "{report}");
            assert_eq!(count(&report, "Document Length:"), length, "{report}");
            assert!(!report.contains("Non-2xx"), "{report}");
            if let Some(kept) = kept {
                assert_eq!(count(&report, "Keep-Alive requests:"), kept, "{path}: {report}");
            }
        }
    }
}

/// Asks for one after another, and says what went wrong.
const SCRIPT: &str = r#"
local paths = {
    "/", "/hello", "/echo", "/query?name=x", "/headers", "/chunked", "/stream?lines=100", "/upload", "/form", "/stats",
    "/file.txt", "/defer", "/slow?seconds=0.01"
}
local next = 0
request = function()
    next = next % #paths + 1
    return wrk.format(nil, paths[next])
end
done = function(summary)
    local errors = summary.errors
    print(string.format("requests %d", summary.requests))
    print(string.format(
        "connect %d, read %d, write %d, status %d, timeout %d",
        errors.connect, errors.read, errors.write, errors.status, errors.timeout
    ))
end
"#;

#[test]
fn wrk_finds_no_error_on_any_route() {
    let Some(wrk) = find("wrk", "wrk") else { return };
    let folder = Scratch::new();
    folder.file("file.txt", "content\n");
    let script = folder.file("routes.lua", SCRIPT);
    let server = HttpServer::start_one_with(&["--root", folder.path()]);
    let report = run(&wrk, &["-t", "1", "-c", "32", "-d", "2s", "-s", &script, &server.url("/")]);
    assert!(report.contains("\nconnect 0, read 0, write 0, status 0, timeout 0\n"), "{report}");
    // Each route twice at least.
    assert!(count(&report, "requests ") >= 26, "{report}");
}
