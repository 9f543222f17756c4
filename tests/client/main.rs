//! The HTTP client: against raw sockets that drip, cut and lie, against our own server, and against servers of others.

mod blocking;
mod bodies;
mod convert;
mod corpus;
mod deadlines;
mod framing;
mod gzip;
mod lifecycle;
mod pool;
mod program;
mod proxy;
mod redirects;
mod requests;
mod scene;
mod servers;
mod upgrades;
