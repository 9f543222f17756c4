//! Static files: of a folder, embedded in the program, or one at a time.
//!
//! | file | what it does |
//! |---|---|
//! | `files.rs` | [`Files`]: a folder, and how it is served |
//! | `single.rs` | [`Reply::file`](super::Reply::file) |
//! | `path.rs` | from a URL's path to names |
//! | `folder.rs`, `embedded.rs` | from names to what is there |
//! | `representation.rs` | a file, and how it is sent |
//! | `preconditions.rs`, `http_date.rs`, `range.rs`, `encoding.rs` | what the peer asks of it |
//! | `content_type.rs`, `listing.rs` | what a file is; what a folder has |

mod content_type;
#[cfg(feature = "include_dir")]
mod embedded;
mod encoding;
#[allow(clippy::module_inception, reason = "the one type of the module that is public")]
mod files;
mod folder;
mod http_date;
mod listing;
mod path;
mod preconditions;
mod range;
mod representation;
mod single;

pub use files::Files;
#[cfg(feature = "fuzzing")]
pub(crate) use {
    path::RelativePath,
    range::{Part, parse as parse_range},
};
