//! The example programs as people run them: processes, signals, curl.

#![cfg(unix)]

mod activation;
mod command_line;
mod curl;
mod program;
mod routes;
mod signals;
