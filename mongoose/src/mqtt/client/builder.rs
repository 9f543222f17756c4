//! How a client is to introduce itself, and what it may keep.

use std::fmt;
use std::time::Duration;

use super::{Client, Handler};
use crate::engine::ClientTls;
use crate::mqtt::{Connect, Message, PropertiesBuf, Property, QoS, Version, Will};
use crate::net::{Endpoint, Scheme};
use crate::ws::Passage;
use crate::{Error, Limits, Registry};

/// A client to be: set options, then [`connect`](Self::connect).
#[must_use = "nothing connects until a handler is given"]
#[derive(Clone)]
pub struct ClientBuilder {
    pub(super) settings: Settings,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) url: String,
    pub(super) version: Version,
    pub(super) client_id: String,
    pub(super) user_name: Option<String>,
    pub(super) password: Option<Vec<u8>>,
    pub(super) will: Option<OwnWill>,
    pub(super) clean_start: bool,
    pub(super) session_expiry: u32,
    pub(super) keep_alive: u16,
    pub(super) receive_maximum: u16,
    pub(super) in_flight: u16,
    pub(super) topic_aliases: u16,
    pub(super) packet_size: usize,
    pub(super) queue: usize,
    pub(super) properties: PropertiesBuf,
    pub(super) back_off: (Duration, Duration),
    pub(super) reconnect: bool,
    pub(super) response_time: Duration,
    pub(super) limits: Limits,
    #[cfg(feature = "_tls")]
    secure: Option<crate::tls::ClientConfig>,
}

#[derive(Clone)]
pub(super) struct OwnWill {
    topic: String,
    payload: Vec<u8>,
    qos: QoS,
    retain: bool,
    properties: PropertiesBuf,
}

impl ClientBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            settings: Settings {
                url: url.to_owned(),
                version: Version::V3,
                client_id: String::new(),
                user_name: None,
                password: None,
                will: None,
                clean_start: true,
                session_expiry: 0,
                keep_alive: 60,
                receive_maximum: 1024,
                in_flight: 20,
                topic_aliases: 0,
                packet_size: 3 << 20,
                queue: 1 << 20,
                properties: PropertiesBuf::new(),
                back_off: (Duration::from_millis(500), Duration::from_secs(60)),
                reconnect: true,
                response_time: Duration::from_secs(30),
                limits: Limits::default(),
                #[cfg(feature = "_tls")]
                secure: None,
            },
        }
    }

    /// What to speak. Default: 3.1.1.
    pub fn version(mut self, version: Version) -> Self {
        self.settings.version = version;
        self
    }

    /// Who the client is. Default: empty, and the server chooses a name; that needs a
    /// [clean start](Self::clean_start) in 3.1.1. C makes one up.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.settings.client_id = id.into();
        self
    }

    /// The user's name and password.
    pub fn credentials(mut self, name: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
        self.settings.user_name = Some(name.into());
        self.settings.password = Some(password.into());
        self
    }

    /// The user's name alone.
    pub fn user_name(mut self, name: impl Into<String>) -> Self {
        self.settings.user_name = Some(name.into());
        self
    }

    /// What the server publishes once the client is gone without a word. Of MQTT 5, its properties may have a
    /// [delay](Property::WillDelayInterval).
    pub fn will(mut self, message: &Message<'_>) -> Self {
        self.settings.will = Some(OwnWill {
            topic: message.topic.to_owned(),
            payload: message.payload.to_vec(),
            qos: message.qos,
            retain: message.retain,
            properties: message.properties.into(),
        });
        self
    }

    /// Whether the server is to forget what it knows of the client. Default: yes. In 3.1.1 it then also forgets it when
    /// the connection ends; in MQTT 5 it counts for the first connection, and the
    /// [session's expiry](Self::session_expiry) says what is kept between them.
    pub fn clean_start(mut self, clean: bool) -> Self {
        self.settings.clean_start = clean;
        self
    }

    /// MQTT 5: seconds for which the server keeps the session without a connection; `u32::MAX`: for ever. Default: 0.
    pub fn session_expiry(mut self, seconds: u32) -> Self {
        self.settings.session_expiry = seconds;
        self
    }

    /// Seconds without a packet after which a ping is sent, and the server takes the client for gone after half as much
    /// more. 0: never. Default: 60. A server of MQTT 5 may choose another. C sends none (hazard 30).
    pub fn keep_alive(mut self, seconds: u16) -> Self {
        self.settings.keep_alive = seconds;
        self
    }

    /// MQTT 5: how many messages above QoS 0 the server may have in flight to us. Default: 1,024. In either version a
    /// server that has more of QoS 2 unreleased is disconnected.
    pub fn receive_maximum(mut self, messages: u16) -> Self {
        self.settings.receive_maximum = messages.max(1);
        self
    }

    /// How many messages above QoS 0 may be sent before the server has acknowledged the first; further ones wait. Default:
    /// 20, which is what common servers take. In MQTT 5 the server says what it takes, and the smaller number counts.
    pub fn in_flight(mut self, messages: u16) -> Self {
        self.settings.in_flight = messages.max(1);
        self
    }

    /// MQTT 5: how many topics either side may abbreviate by a number, if the other takes as many. Default: 0, none.
    pub fn topic_aliases(mut self, topics: u16) -> Self {
        self.settings.topic_aliases = topics;
        self
    }

    /// Bytes of the largest packet that is taken. Default: 3,145,728. A server that sends a larger one is disconnected;
    /// in MQTT 5 it is told the number before.
    pub fn packet_size(mut self, bytes: usize) -> Self {
        self.settings.packet_size = bytes;
        self
    }

    /// Bytes that messages may take which are not sent, or not acknowledged, 64 more for each. Default: 1,048,576. Past
    /// it, publishing is [`Error::OutputFull`].
    pub fn queue(mut self, bytes: usize) -> Self {
        self.settings.queue = bytes;
        self
    }

    /// MQTT 5: further properties of CONNECT, such as user properties or an authentication's.
    pub fn properties(mut self, properties: PropertiesBuf) -> Self {
        self.settings.properties = properties;
        self
    }

    /// How long to wait before the connection is tried again: `first` after the first failure, twice as long after each
    /// further one, `most` at most; each a random part shorter, down to half of it. Default: 0.5 s and 60 s.
    pub fn back_off(mut self, first: Duration, most: Duration) -> Self {
        self.settings.back_off = (first, most.max(first));
        self
    }

    /// Whether a lost connection is made again. Default: yes.
    pub fn reconnect(mut self, again: bool) -> Self {
        self.settings.reconnect = again;
        self
    }

    /// How long the server may take to answer CONNECT, a ping, or the handshake of a WebSocket. Default: 30 s.
    pub fn response_time(mut self, time: Duration) -> Self {
        self.settings.response_time = time;
        self
    }

    /// Of [`Limits`], a client has `connect_time`, `write_time` and `output`: what may wait to be sent on the connection
    /// before a message of QoS 0 is [`Error::OutputFull`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Speaks TLS, on an `mqtts://` or `wss://` URL: the server has to prove that it is the URL's
    /// host, or the one that the configuration [names](crate::tls::ClientConfigBuilder::server_name).
    #[cfg(feature = "_tls")]
    #[doc(alias = "mg_tls_init")]
    pub fn tls(mut self, config: crate::tls::ClientConfig) -> Self {
        self.settings.secure = Some(config);
        self
    }

    /// Begins to connect. The handler is told of all that follows.
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not `mqtt://host:port` (the port may be left out: 1883; `mqtts://` with TLS) or
    /// `ws://host:port/path?query` (80; `wss://` with TLS, 443), [`Error::Packet`] for options that make no CONNECT, [`Error::ShuttingDown`] while the manager is dropped.
    #[doc(alias = "mg_mqtt_connect")]
    #[doc(alias = "mg_mqtt_login")]
    pub fn connect(mut self, registry: &Registry, handler: impl Handler) -> Result<Client, Error> {
        self.settings.limits.head_time = self.settings.response_time;
        self.settings.target()?;
        self.settings.encode(true, "", &mut Vec::new())?;
        Client::begin(registry, self.settings, Box::new(handler))
    }
}

/// What the URL leads to.
pub(super) struct Target {
    pub(super) endpoint: Endpoint,
    pub(super) secure: Option<ClientTls>,
    pub(super) passage: Option<Passage>,
}

impl Settings {
    /// Where the server is, whom TLS is spoken to, and the way into a WebSocket where that is spoken.
    pub(super) fn target(&self) -> Result<Target, Error> {
        let bad = |reason| Error::Url { url: self.url.clone(), reason };
        let passage = if Scheme::Ws.is_of(&self.url) || Scheme::Wss.is_of(&self.url) {
            // Which subprotocol is said: MQTT-6.0.0-3.
            Some(Passage::parse(&self.url, "mqtt").map_err(bad)?)
        } else {
            None
        };
        #[cfg(feature = "_tls")]
        if let Some(config) = &self.secure {
            let endpoint = match &passage {
                Some(passage) if passage.is_secure() => passage.endpoint().clone(),
                Some(_) => return Err(bad("a TLS configuration is for wss:// and mqtts:// URLs")),
                None => Endpoint::parse(&self.url, Scheme::Mqtts)?,
            };
            let secure = Some(config.target(endpoint.host()).map_err(bad)?);
            return Ok(Target { endpoint, secure, passage });
        }
        let endpoint = match &passage {
            Some(passage) if passage.is_secure() => return Err(bad("TLS needs a configuration")),
            Some(passage) => passage.endpoint().clone(),
            None => Endpoint::parse(&self.url, Scheme::Mqtt)?,
        };
        Ok(Target { endpoint, secure: None, passage })
    }

    /// Appends CONNECT.
    pub(super) fn encode(&self, first: bool, assigned: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut properties = PropertiesBuf::new();
        if self.version == Version::V5 {
            if self.session_expiry > 0 {
                properties.push(Property::SessionExpiryInterval(self.session_expiry))?;
            }
            properties.push(Property::ReceiveMaximum(self.receive_maximum))?;
            if self.topic_aliases > 0 {
                properties.push(Property::TopicAliasMaximum(self.topic_aliases))?;
            }
            let size = u32::try_from(self.packet_size).unwrap_or(u32::MAX).max(1);
            properties.push(Property::MaximumPacketSize(size))?;
        }
        properties.extend(self.properties.view());
        let will = self.will.as_ref().map(|will| Will {
            topic: &will.topic,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.view(),
        });
        let kept = self.version == Version::V5 && self.session_expiry > 0;
        let connect = Connect {
            version: self.version,
            client_id: if self.client_id.is_empty() { assigned } else { &self.client_id },
            clean_start: self.clean_start && (first || !kept),
            keep_alive: self.keep_alive,
            user_name: self.user_name.as_deref(),
            password: self.password.as_deref(),
            will,
            properties: properties.view(),
        };
        crate::mqtt::Packet::Connect(connect).encode(self.version, out)
    }
}

/// Without the password.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("url", &self.settings.url)
            .field("version", &self.settings.version)
            .field("client_id", &self.settings.client_id)
            .finish_non_exhaustive()
    }
}
