//! Rust twins of the function-like macros of mongoose.h.
