//! What outlives the process, in a file of MQTT packets: retained messages, and sessions with what they wait for.
//!
//! Each session is a CONNECT with its name and expiry, a SUBSCRIBE, and a PUBLISH for each message that waits; retained
//! messages stand before the first. The broker's own parser reads it again.

use std::fs;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use mongoose::mqtt::{
    Connect, Decoder, Filters, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS,
    Subscribe, Version,
};

use super::broker::Broker;
use super::session::{Letter, Parcel, Session};
use super::topics::Subscription;

const VERSION: Version = Version::V5;

/// Packets without end: what there may be in a file of our own.
const LIMIT: usize = usize::MAX;

pub fn save(broker: &Broker, path: &Path) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut put = |packet: Packet<'_>| packet.encode(VERSION, &mut bytes).map_err(io::Error::other);
    put(Packet::Connect(Connect { version: VERSION, ..Connect::default() }))?;
    for letter in broker.retained.values() {
        put(Packet::Publish(publish(letter, letter.qos, true)))?;
    }
    for (name, session) in &broker.sessions {
        if session.expiry == 0 {
            continue;
        }
        let mut properties = PropertiesBuf::new();
        properties.push(Property::SessionExpiryInterval(session.expiry)).map_err(io::Error::other)?;
        // Not a session of ours: the version of the client, in the place of a keep-alive.
        let keep_alive = u16::from(session.version == Version::V5);
        let properties = properties.view();
        put(Packet::Connect(Connect {
            version: VERSION,
            client_id: name,
            keep_alive,
            properties,
            ..Connect::default()
        }))?;
        for (filter, subscription) in &session.filters {
            let filters = [(&**filter, subscription.options)];
            let mut properties = PropertiesBuf::new();
            if let Some(identifier) = subscription.identifier {
                properties.push(Property::SubscriptionIdentifier(identifier)).map_err(io::Error::other)?;
            }
            let (packet_id, properties) = (PacketId::MIN, properties.view());
            put(Packet::Subscribe(Subscribe { packet_id, properties, filters: Filters::new(&filters) }))?;
        }
        for parcel in session.unacknowledged() {
            put(Packet::Publish(publish(&parcel.letter, parcel.qos, parcel.retain)))?;
        }
    }
    // All of it or nothing.
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes)?;
    fs::rename(&partial, path)
}

fn publish<'l>(letter: &'l Letter, qos: QoS, retain: bool) -> Publish<'l> {
    Publish {
        duplicate: false,
        qos,
        retain,
        topic: &letter.topic,
        packet_id: (qos > QoS::AtMostOnce).then_some(PacketId::MIN),
        properties: letter.properties.view(),
        payload: &letter.payload,
    }
}

/// Reads it again. A file that is not there is an empty one.
pub fn load(broker: &mut Broker, path: &Path) -> io::Result<()> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let mut rest = &bytes[..];
    let mut name: Option<Rc<str>> = None;
    let mut decoder = Decoder::of_client(LIMIT);
    while !rest.is_empty() {
        if rest[0] >> 4 == 1 {
            decoder = Decoder::of_client(LIMIT);
        }
        let next = decoder.next(rest).map_err(io::Error::other)?;
        let (packet, size) = next.ok_or(io::ErrorKind::UnexpectedEof)?;
        rest = &rest[size..];
        match (packet, &name) {
            (Packet::Connect(connect), _) if connect.client_id.is_empty() => {}
            (Packet::Connect(connect), _) => {
                let version = if connect.keep_alive == 1 { Version::V5 } else { Version::V3 };
                let mut session = Session::new(version);
                session.expiry = connect.properties.find(expiry).unwrap_or(0);
                session.ends = broker.end_of(session.expiry);
                let id: Rc<str> = connect.client_id.into();
                broker.sessions.insert(Rc::clone(&id), session);
                name = Some(id);
            }
            (Packet::Subscribe(subscribe), Some(name)) => {
                let identifier = subscribe.properties.subscription_identifiers().next();
                for (filter, options) in subscribe.filters.iter() {
                    broker.subscribe(name, filter, Subscription { options, identifier });
                }
            }
            (Packet::Publish(publish), Some(name)) => {
                let parcel = Parcel {
                    letter: Rc::new(letter(&publish, publish.properties)),
                    qos: publish.qos,
                    retain: publish.retain,
                    identifiers: Vec::new(),
                };
                if let Some(session) = broker.sessions.get_mut(name) {
                    session.restore(parcel);
                }
            }
            (Packet::Publish(publish), None) => {
                let letter = letter(&publish, publish.properties);
                broker.retained.insert(letter.topic.clone(), Rc::new(letter));
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
    Ok(())
}

fn expiry(property: Property<'_>) -> Option<u32> {
    if let Property::SessionExpiryInterval(seconds) = property { Some(seconds) } else { None }
}

fn letter(publish: &Publish<'_>, properties: Properties<'_>) -> Letter {
    Letter {
        topic: publish.topic.to_owned(),
        payload: publish.payload.to_vec(),
        qos: publish.qos,
        retain: true,
        properties: properties.into(),
        // How long it was away is not known: it does not expire.
        expires: None::<Instant>,
        from: "".into(),
    }
}
