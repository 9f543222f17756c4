//! What follows a cargo feature or the platform, and so cannot stand in the generated bindings.

/// C's `time_t`, which has 64 bits on every target that the bindings are for.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub type time_t = i64;

/// What the operating system names a socket by.
#[cfg(not(windows))]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub type MG_SOCKET_TYPE = core::ffi::c_int;

/// What the operating system names a socket by.
#[cfg(windows)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub type MG_SOCKET_TYPE = usize;

/// What is no socket.
#[cfg(not(windows))]
pub const MG_INVALID_SOCKET: MG_SOCKET_TYPE = -1;

/// What is no socket.
#[cfg(windows)]
pub const MG_INVALID_SOCKET: MG_SOCKET_TYPE = usize::MAX;

/// Which system the library was compiled for: [`MG_ARCH_UNIX`](crate::MG_ARCH_UNIX) or
/// [`MG_ARCH_WIN32`](crate::MG_ARCH_WIN32).
pub const MG_ARCH: u32 = if cfg!(windows) { crate::MG_ARCH_WIN32 } else { crate::MG_ARCH_UNIX };

/// What separates folders in a path.
pub const MG_DIRSEP: u8 = if cfg!(windows) { b'\\' } else { b'/' };

/// 1 where [`mg_mgr_poll`](crate::mg_mgr_poll) waits with `epoll`, else 0.
pub const MG_ENABLE_EPOLL: u32 = cfg!(any(target_os = "linux", target_os = "android")) as u32;

/// 1 where [`mg_mgr_poll`](crate::mg_mgr_poll) waits with `poll`, else 0. With neither it waits with `select`.
pub const MG_ENABLE_POLL: u32 = cfg!(all(unix, not(any(target_os = "linux", target_os = "android")))) as u32;

/// Which TLS the library was compiled with: [`MG_TLS_BUILTIN`](crate::MG_TLS_BUILTIN) with the feature
/// `tls-builtin`, else [`MG_TLS_NONE`](crate::MG_TLS_NONE).
pub const MG_TLS: u32 =
    if cfg!(feature = "tls-builtin") { crate::MG_TLS_BUILTIN } else { crate::MG_TLS_NONE };

/// 1 with the feature `ssi`, else 0.
pub const MG_ENABLE_SSI: u32 = cfg!(feature = "ssi") as u32;

/// 1 with the feature `dirlist`, else 0.
pub const MG_ENABLE_DIRLIST: u32 = cfg!(feature = "dirlist") as u32;
