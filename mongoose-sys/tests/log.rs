//! The log hook. A binary of its own, because the hook is a global of the process.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Mutex;

use mongoose_sys::*;

static PRINTED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

unsafe extern "C" fn print(byte: c_char, _: *mut c_void) {
    PRINTED.lock().expect("no panic while printing").push(byte as u8);
}

fn printed(message: &std::ffi::CStr, level: u32) -> String {
    let mut line = PRINTED.lock().expect("no panic while printing");
    line.clear();
    drop(line);
    // SAFETY: static or borrowed C strings; the only test of this process logs on this thread alone.
    unsafe {
        mg_sys_log(level as c_int, c"dir/file.rs".as_ptr(), 7, c"function".as_ptr(), message.as_ptr());
    }
    String::from_utf8(PRINTED.lock().expect("no panic while printing").clone()).expect("ASCII")
}

#[test]
fn the_hook_gets_what_passes_the_level() {
    // SAFETY: nothing else in this process is inside the library.
    unsafe {
        mg_log_set_fn(Some(print), ptr::null_mut());
        mg_log_set(MG_LL_INFO as c_int);
    }
    let line = printed(c"100%s %n done", MG_LL_INFO);
    assert!(line.contains("file.rs:7:function"), "{line:?}");
    assert!(line.trim_end().ends_with("100%s %n done"), "{line:?}");
    assert_eq!(printed(c"too detailed", MG_LL_DEBUG), "");

    // The library's own lines come through the hook as well.
    PRINTED.lock().expect("no panic while printing").clear();
    // SAFETY: static bytes.
    unsafe { mg_hexdump(c"abc".as_ptr().cast(), 3) };
    let dump = String::from_utf8(PRINTED.lock().expect("no panic while printing").clone()).expect("ASCII");
    assert!(dump.contains("61 62 63"), "{dump:?}");
}
