//! Reason phrases, from C's own table.

use std::ffi::CStr;

use mongoose_sys as sys;

/// The reason phrase of a status code; empty for one without a name.
pub(crate) fn reason_phrase(status: u16) -> &'static str {
    // SAFETY: the accessor answers a NUL-terminated string literal for every number.
    let phrase = unsafe { CStr::from_ptr(sys::mg_sys_http_status_code_str(i32::from(status))) };
    phrase.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_c_table() {
        assert_eq!(reason_phrase(200), "OK");
        assert_eq!(reason_phrase(404), "Not Found");
        assert_eq!(reason_phrase(999), "");
    }
}
