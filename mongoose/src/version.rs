//! Which Mongoose this is.

use std::ffi::CStr;

/// The version of the C library that is compiled in: `7.23`.
#[doc(alias = "MG_VERSION")]
pub const MONGOOSE_VERSION: &str = match CStr::from_bytes_with_nul(mongoose_sys::MG_VERSION) {
    Ok(version) => match version.to_str() {
        Ok(version) => version,
        Err(_) => panic!("the version is text"),
    },
    Err(_) => panic!("the version ends in NUL"),
};
