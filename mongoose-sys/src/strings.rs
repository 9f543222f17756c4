//! Making and reading `struct mg_str`, the view of bytes that most of the C API takes and gives.

use core::ffi::c_char;
use core::slice;

use crate::bindings;

/// A view of a C string up to its terminating NUL; the view of nothing if `s` is null.
///
/// A macro in C (for `mg_str_s`). The type of this name is [`struct mg_str`](type@mg_str).
///
/// # Safety
///
/// `s` is null, or points to a C string that outlives every use of the view.
pub unsafe fn mg_str(s: *const c_char) -> mg_str {
    // SAFETY: the caller's promise is the one that the C function asks for.
    unsafe { bindings::mg_str_s(s) }
}

#[doc(inline)]
pub use bindings::mg_str;

impl mg_str {
    /// A view of `bytes`. C gets a pointer that it could write through, though the functions of this library
    /// only do so where their documentation says it; the bytes must outlive every use of the view.
    pub const fn from_bytes(bytes: &[u8]) -> Self {
        Self { buf: bytes.as_ptr().cast_mut().cast(), len: bytes.len() }
    }

    /// The bytes that are viewed: none for `{NULL, 0}`, which C uses freely.
    ///
    /// # Safety
    ///
    /// Unless `buf` is null, `buf` and `len` describe readable memory that nothing changes or frees during
    /// `'a`, which the caller chooses.
    pub const unsafe fn as_bytes<'a>(self) -> &'a [u8] {
        if self.buf.is_null() {
            return &[];
        }
        // SAFETY: not null, and the caller vouches for the rest.
        unsafe { slice::from_raw_parts(self.buf.cast_const().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use core::ptr;

    use super::*;

    #[test]
    fn a_view_of_bytes_gives_them_back() {
        let view = mg_str::from_bytes(b"a\0b");
        // SAFETY: the bytes are static.
        assert_eq!(unsafe { view.as_bytes() }, b"a\0b");
    }

    #[test]
    fn the_null_view_has_no_bytes() {
        // SAFETY: null is allowed in both calls.
        let (view, bytes) = unsafe { (mg_str(ptr::null()), mg_str(ptr::null()).as_bytes()) };
        assert!(view.buf.is_null());
        assert_eq!(bytes, b"");
    }

    #[test]
    fn a_view_of_a_c_string_ends_at_its_nul() {
        // SAFETY: a static C string.
        assert_eq!(unsafe { mg_str(c"hello".as_ptr()).as_bytes() }, b"hello");
    }
}
