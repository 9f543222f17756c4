//! Raw bindings to [Mongoose] 7.23, Cesanta's C library for HTTP, WebSocket, MQTT, TCP, UDP, DNS, SNTP and
//! TLS. This crate compiles the library and declares it; it adds no safety and no policy. The crate
//! `mongoose` is the safe one.
//!
//! [Mongoose]: https://mongoose.ws
//!
//! # Where the C source comes from
//!
//! The repository holds no third-party source. The build script looks for `mongoose.c` and `mongoose.h` in
//! this order:
//!
//! 1. The folder that `MONGOOSE_SYS_SOURCE_DIR` names, such as a checkout of upstream. Its version must be
//!    the one these bindings are for; another is refused unless `MONGOOSE_SYS_ALLOW_VERSION_MISMATCH=1`.
//! 2. `vendor/` in this crate's folder. The packaged crate carries it. The files must have the SHA-256 that
//!    `upstream.toml` pins.
//! 3. In a git checkout of the repository only: the network. `pip download` fetches a public Python package
//!    that ships the pristine source, once, into `vendor/`. Python 3 is taken from `PYTHON`, `python3` or
//!    `python`; where pip looks and through which proxy is pip's own configuration. pip checks the package
//!    against its pinned SHA-256, and the build script then the two files. pip also gets that package's
//!    build tools, because it asks a source package for its metadata.
//! 4. Otherwise the build fails, and says what was tried and which commands mend it.
//!
//! With 1 or 2 a build never talks to the network. With `DOCS_RS` set, as docs.rs does, there is no C at all: the crate can
//! be documented and checked, but not linked.
//!
//! # Features
//!
//! | feature       | C setting             | what it adds                                           |
//! |---------------|-----------------------|--------------------------------------------------------|
//! | `tls-builtin` | `MG_TLS=3`            | Mongoose's own TLS 1.3; without it, `mg_tls_*` do nothing |
//! | `ssi`         | `MG_ENABLE_SSI=1`     | server-side includes in [`mg_http_serve_dir`]          |
//! | `dirlist`     | `MG_ENABLE_DIRLIST=1` | directory listings in [`mg_http_serve_dir`]            |
//!
//! No feature changes the layout of a struct. IPv6 is always on and a message holds up to
//! [`MG_MAX_HTTP_HEADERS`] (128) headers. The functions of mDNS, Modbus and JSON-RPC are always there.
//!
//! # What differs from upstream
//!
//! - [`mg_random`] takes its bytes from the operating system's generator and aborts the process if that
//!   fails. Upstream's falls back to `rand()`, and most of its callers ignore the result.
//! - The `mg_sys_*` functions are additions: [`mg_sys_http_status_code_str`], [`mg_sys_error`] and
//!   [`mg_sys_log`].
//! - Functions that take a `va_list` are left out. The variadic ones are there, but a format must not hold
//!   anything that came from outside.
//! - Function-like macros and static functions of the header are Rust functions here, under their C names.
//!
//! # Bit-fields
//!
//! C changes the flags of an [`mg_connection`] while Rust looks on, so use the accessors that take a raw
//! pointer and never make a reference: `mg_connection::is_closing_raw(c)`,
//! `mg_connection::set_is_draining_raw(c, 1)`.
//!
//! # For crates that compile C against Mongoose
//!
//! A build script of a crate that depends on this one sees `DEP_MONGOOSE_INCLUDE`, a folder with a
//! `mongoose.h` that applies the settings this library was compiled with, and `DEP_MONGOOSE_VERSION`. The
//! symbols are hidden from other shared objects, and linked into the program as usual.
//!
//! # Targets
//!
//! Unix and Windows with 64-bit pointers; others are refused at compile time. Linux is the reference. The
//! few declarations that differ on macOS and Windows are told apart by target; there the ABI test of the
//! repository runs in CI only.
//!
//! # Licence
//!
//! This crate's own code is MIT. The library that it compiles is GPL-2.0-only, or commercial from Cesanta:
//! a program that links it is GPL-2.0-only unless its owner holds a commercial licence.

#![no_std]

#[cfg(not(all(any(unix, windows), target_pointer_width = "64")))]
compile_error!("the checked-in bindings of mongoose-sys are for Unix and Windows with 64-bit pointers");

#[allow(
    missing_docs,
    missing_debug_implementations,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "generated from C, and documented in mongoose.h"
)]
mod bindings;
mod config;
mod macros;
mod strings;

pub use bindings::*;
pub use config::*;
pub use macros::*;
pub use strings::mg_str;
