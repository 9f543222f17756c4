//! Names of hosts to addresses.

mod system;

pub(crate) use system::look_up;
