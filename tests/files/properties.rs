//! What holds for whatever a peer may say.

use std::cell::{Cell, RefCell};
use std::fs;

use mongoose_tests::{Client, scaled};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::ask;
use crate::folder::{Folder, SECRET, pattern};

fn runner(cases: usize) -> TestRunner {
    let cases = u32::try_from(scaled(cases)).expect("not that many");
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// A range of any kind: its text, and what it means to somebody who counts byte by byte.
fn any_range() -> impl Strategy<Value = (String, Meaning)> {
    // Near all boundaries of the files below, and far behind them.
    let number = || {
        prop_oneof![
            0..20u128,
            990..1010u128,
            65_530..65_540u128,
            99_990..100_010u128,
            Just(u128::from(u64::MAX) - 1),
            Just(u128::from(u64::MAX)),
            Just(u128::from(u64::MAX) + 1),
            Just(u128::MAX),
        ]
    };
    prop_oneof![
        (number(), number()).prop_map(|(first, last)| {
            let meaning = if first <= last { Meaning::FromTo(first, last) } else { Meaning::Whole };
            (format!("bytes={first}-{last}"), meaning)
        }),
        number().prop_map(|first| (format!("bytes={first}-"), Meaning::FromTo(first, u128::MAX))),
        number().prop_map(|count| (format!("bytes=-{count}"), Meaning::Last(count))),
        "[ -~]{0,20}"
            .prop_filter("no range", |text| !text.to_lowercase().contains("bytes"))
            .prop_map(|text| (text, Meaning::Whole)),
        "bytes=[a-z=.-][ -~]{0,20}"
            .prop_filter("no suffix", |text| !text[6..]
                .trim_start_matches('-')
                .starts_with(|c: char| c.is_ascii_digit()))
            .prop_map(|text| (text, Meaning::Whole)),
        (number(), number(), number()).prop_map(|(a, b, c)| (format!("bytes={a}-,{b}-{c}"), Meaning::Whole)),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Meaning {
    Whole,
    FromTo(u128, u128),
    Last(u128),
}

#[test]
fn a_range_gets_what_it_means_and_nothing_else() {
    let folder = Folder::new();
    let content = pattern(100_000);
    let sizes = &[0, 1, 10, 1000, 65_536, 65_537, 100_000];
    for &size in sizes {
        folder.file(&format!("{size}.bin"), &content[..size]);
    }
    let server = folder.serve();
    let client = RefCell::new(Client::connect(server.address));
    let cases = (proptest::sample::select(sizes), any_range());
    let outcome = runner(3000).run(&cases, |(size, (range, meaning))| {
        let response = ask(&mut client.borrow_mut(), "GET", &format!("/{size}.bin"), &[("Range", &range)]);
        let is_meant = |at: &usize| match meaning {
            Meaning::Whole => true,
            Meaning::FromTo(first, last) => (first..=last).contains(&(*at as u128)),
            Meaning::Last(count) => (size - at) as u128 <= count,
        };
        let meant = ((0..size).find(is_meant), (0..size).rev().find(is_meant));
        let of_nothing = size == 0 && matches!(meaning, Meaning::Last(1..));
        if matches!(meaning, Meaning::Whole) || of_nothing {
            prop_assert_eq!(response.status, 200);
            prop_assert!(response.body == content[..size]);
        } else if let (Some(first), Some(last)) = meant {
            prop_assert_eq!(response.status, 206);
            let expected = format!("bytes {first}-{last}/{size}");
            prop_assert_eq!(response.header("Content-Range"), Some(&*expected));
            prop_assert!(response.body == content[first..=last]);
        } else {
            prop_assert_eq!(response.status, 416);
            let expected = format!("bytes */{size}");
            prop_assert_eq!(response.header("Content-Range"), Some(&*expected));
        }
        Ok(())
    });
    outcome.expect("to hold for every range");
}

#[test]
fn hazard_38_no_path_leads_to_anything_outside_of_the_root() {
    let folder = Folder::new();
    fs::create_dir_all(folder.outside("other/dir")).expect("to make folders");
    for name in ["other/a.txt", "other/index.html", "other/dir/a.txt", "a.txt", "index.html"] {
        fs::write(folder.outside(name), SECRET).expect("to write");
    }
    folder
        .file("a.txt", "public")
        .file("index.html", "public")
        .file("dir/a.txt", "public")
        .file("dir/dir/a.txt", "public")
        .file(".hidden/a.txt", SECRET)
        .file("dir/.a.txt", SECRET)
        .link("in", "dir")
        .link("dir/in", "../dir")
        .link("out", "../other")
        .link("dir/out", "../../other")
        .link("up", "..")
        .link("dir/up", "..")
        .link("root", "/")
        .link("out.txt", "../a.txt");
    let server = folder.serve_with(|files| files.listing(true));
    let client = RefCell::new(Client::connect(server.address));
    let part = proptest::sample::select(&[
        "/",
        "/",
        "/",
        "//",
        ".",
        "..",
        "...",
        "%2e",
        "%2E%2e",
        "%2f",
        "%2F",
        "\\",
        "%5c",
        "%00",
        "%25",
        "%",
        "a.txt",
        "dir",
        "in",
        "out",
        "out.txt",
        "up",
        "root",
        "other",
        ".hidden",
        "secret.txt",
        "index.html",
        ";",
        ":",
        "~",
        "?",
        "%252e",
        "%c0%ae",
        "%c0%af",
        "etc/passwd",
        "tmp",
    ]);
    let found = Cell::new(0);
    let outcome = runner(5000).run(&vec(part, 0..12), |parts| {
        let target = format!("/{}", parts.concat());
        let response = ask(&mut client.borrow_mut(), "GET", &target, &[]);
        let body = String::from_utf8_lossy(&response.body);
        prop_assert!(
            matches!(response.status, 200 | 301 | 400 | 403 | 404),
            "{} for {}",
            response.status,
            target
        );
        prop_assert!(!body.contains(SECRET) && !body.contains("root:"), "{}", target);
        if response.status == 200 {
            prop_assert!(body == "public" || body.contains("Index of /"), "{}: {}", target, body);
            prop_assert!(
                !body.contains("hidden") && !body.contains("secret") && !body.contains("other"),
                "{}",
                target
            );
        }
        if let Some(location) = response.header("Location") {
            prop_assert!(
                location.starts_with("./") && !location.starts_with(".//"),
                "{}: {}",
                target,
                location
            );
        }
        found.set(found.get() + usize::from(response.status == 200));
        Ok(())
    });
    outcome.expect("to hold for every path");
    let found = found.get();
    assert!(found >= scaled(50), "{found} of the paths led to a file: too few to mean anything");
}
