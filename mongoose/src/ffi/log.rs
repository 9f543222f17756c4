//! C's log: with the feature `log`, in whole lines to the `log` crate; else nowhere. Never on the standard output
//! (hazard 45).

use std::sync::Once;

use mongoose_sys as sys;

use super::trampoline;

/// Takes C's log over (invariant 18). The first manager does, and C looks at the level from then on.
pub(super) fn set_up() {
    static ONCE: Once = Once::new();
    // SAFETY: invariant 18: level and function are plain globals, written once before the first manager exists. The function
    // keeps what it has by thread, so that C may log on many at once.
    ONCE.call_once(|| unsafe {
        sys::mg_log_level = level() as _;
        sys::mg_log_set_fn(Some(trampoline::log), std::ptr::null_mut());
    });
}

#[cfg(not(feature = "log"))]
use silent::level;
#[cfg(not(feature = "log"))]
pub(super) use silent::take;
#[cfg(feature = "log")]
use told::level;
#[cfg(feature = "log")]
pub(super) use told::take;

#[cfg(not(feature = "log"))]
mod silent {
    use mongoose_sys as sys;

    pub(super) fn level() -> u32 {
        sys::MG_LL_NONE
    }

    pub(crate) fn take(_: u8) {}
}

#[cfg(feature = "log")]
mod told {
    use std::cell::RefCell;
    use std::mem;

    use ::log::{Level, LevelFilter};
    use mongoose_sys as sys;

    use crate::ffi::panic;

    /// A longer line comes in parts.
    const LINE_MAX: usize = 4096;

    /// How many columns C gives to time, level and place.
    const HEAD: usize = 40;

    thread_local! {
        /// What C has logged of a line so far, and the level of its first part, where that was told already.
        static LINE: RefCell<(Vec<u8>, Option<Level>)> = const { RefCell::new((Vec::new(), None)) };
    }

    /// The most that C has to say, by what the program wants to hear. C has no warnings.
    pub(super) fn level() -> u32 {
        match ::log::max_level() {
            LevelFilter::Off => sys::MG_LL_NONE,
            LevelFilter::Error | LevelFilter::Warn => sys::MG_LL_ERROR,
            LevelFilter::Info => sys::MG_LL_INFO,
            LevelFilter::Debug => sys::MG_LL_DEBUG,
            LevelFilter::Trace => sys::MG_LL_VERBOSE,
        }
    }

    /// Takes the next byte that C logs on this thread.
    pub(crate) fn take(byte: u8) {
        // A thread that is ending has no line any more.
        let _ = LINE.try_with(|line| {
            let (part, begun) = {
                let mut line = line.borrow_mut();
                if byte != b'\n' {
                    line.0.push(byte);
                }
                if byte != b'\n' && line.0.len() < LINE_MAX {
                    return;
                }
                (mem::take(&mut line.0), line.1.take())
            };
            // The borrow is over: the logger may call into C.
            let text = String::from_utf8_lossy(part.strip_suffix(b"\r").unwrap_or(&part));
            let (level, message) = begun.map_or_else(|| understand(&text), |level| (level, &*text));
            let told = panic::catch(|| ::log::log!(target: "mongoose::c", level, "{message}"));
            let _ = told.map_err(panic::discard);
            if byte != b'\n' {
                line.borrow_mut().1 = Some(level);
            }
        });
    }

    /// Level and message of `12ab   2 file.c:10:function          message`. What has no such head is the inside of a dump.
    fn understand(line: &str) -> (Level, &str) {
        let head = line.get(..HEAD).and_then(|head| {
            let mut words = head.split_ascii_whitespace();
            u64::from_str_radix(words.next()?, 16).ok()?;
            let level = match words.next()? {
                "1" => Level::Error,
                "2" => Level::Info,
                "3" => Level::Debug,
                "4" => Level::Trace,
                _ => return None,
            };
            let place = words.next().filter(|place| place.contains(':'))?;
            // Time and level are the logger's to say; the place is C's own.
            Some((level, place.as_ptr() as usize - line.as_ptr() as usize))
        });
        head.map_or((Level::Trace, line), |(level, place)| (level, &line[place..]))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn lines_say_their_level() {
            for (line, understood) in [
                (
                    "1f4    3 mongoose.c:8064:close_conn     7 12 closed",
                    (Level::Debug, "mongoose.c:8064:close_conn     7 12 closed"),
                ),
                (
                    "1f4567 1 a_rather_long_file_name.c:12345  it",
                    (Level::Error, "a_rather_long_file_name.c:12345  it"),
                ),
                (
                    "0000   47 45 54 20 2f 20 48 54 54 50 2f 31  GET / HTTP/1",
                    (Level::Trace, "0000   47 45 54 20 2f 20 48 54 54 50 2f 31  GET / HTTP/1"),
                ),
                (
                    "1f4    9 mongoose.c:1:f                  x",
                    (Level::Trace, "1f4    9 mongoose.c:1:f                  x"),
                ),
                ("", (Level::Trace, "")),
                (
                    "caf\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
                    (
                        Level::Trace,
                        "caf\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
                    ),
                ),
            ] {
                assert_eq!(understand(line), understood);
            }
        }
    }
}
