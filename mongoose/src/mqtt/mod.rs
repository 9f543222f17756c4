//! MQTT 3.1.1 and 5: a client on the loop, and the packets for those who write servers.

mod client;
mod decoder;
mod encode;
mod message;
mod packet;
mod property;
mod reason;
mod server;
mod topic;

pub use client::{Client, ClientBuilder, Delivery, Event, Handler, Remote, Request, Session};
pub use decoder::Decoder;
pub use message::{Message, MessageBuf};
pub use packet::{
    Ack, Answer, Auth, Connack, Connect, Disconnect, Filters, Names, Packet, PacketId, Publish, QoS,
    RetainHandling, Subscribe, SubscribeOptions, Unsubscribe, Version, Will,
};
pub use property::{Properties, PropertiesBuf, Property};
pub use reason::Reason;
pub(crate) use server::Server;
pub use server::{Peer, ServerEvent, ServerHandler};
pub use topic::{is_filter, is_topic, matches, shared};
