//! What is worth a warning though nothing failed.

/// Says it by the `log` crate, with the target `mongoose`; where no logger is installed, or without the feature `log`, on the
/// standard error.
#[cfg_attr(not(feature = "_tls"), expect(dead_code, reason = "TLS alone has something to warn of"))]
pub(crate) fn warn(message: &str) {
    #[cfg(feature = "log")]
    if ::log::max_level() > ::log::LevelFilter::Off {
        ::log::warn!(target: "mongoose", "{message}");
        return;
    }
    eprintln!("mongoose: {message}");
}
