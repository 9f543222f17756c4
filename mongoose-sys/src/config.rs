//! The constants of `mongoose_config.h` and `mongoose.h` that follow a cargo feature or the platform, and so
//! cannot stand in the generated bindings.

/// Which TLS the library was compiled with: [`MG_TLS_BUILTIN`](crate::MG_TLS_BUILTIN) with the feature
/// `tls-builtin`, else [`MG_TLS_NONE`](crate::MG_TLS_NONE).
pub const MG_TLS: u32 =
    if cfg!(feature = "tls-builtin") { crate::MG_TLS_BUILTIN } else { crate::MG_TLS_NONE };

/// 1 with the feature `ssi`, else 0.
pub const MG_ENABLE_SSI: u32 = cfg!(feature = "ssi") as u32;

/// 1 with the feature `dirlist`, else 0.
pub const MG_ENABLE_DIRLIST: u32 = cfg!(feature = "dirlist") as u32;

/// 1 where [`mg_mgr_poll`](crate::mg_mgr_poll) waits with `epoll`.
pub const MG_ENABLE_EPOLL: u32 = cfg!(any(target_os = "linux", target_os = "android")) as u32;

/// 1 where [`mg_mgr_poll`](crate::mg_mgr_poll) waits with `poll`.
pub const MG_ENABLE_POLL: u32 = 1 - MG_ENABLE_EPOLL;
