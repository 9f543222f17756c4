//! Subscriptions, and their ends: what is asked for, asked for again after a reconnect, and answered.

use std::collections::BTreeMap;

use super::Request;
use super::session::{IDENTIFIERS, Session, encode_checked, not_taken};
use crate::Error;
use crate::gate::mqtt::Violation;
use crate::mqtt::{
    Answer, Filters, Names, Packet, PacketId, Properties, PropertiesBuf, Property, Reason, Subscribe,
    SubscribeOptions, Unsubscribe,
};

/// A filter that is subscribed to, or to be.
#[derive(Debug)]
pub(super) struct Subscription {
    options: SubscribeOptions,
    identifier: Option<u32>,
    request: Request,
    /// The server knows.
    pub(super) confirmed: bool,
}

/// A request to be made again.
#[derive(Debug)]
pub(super) enum Ask {
    Subscribe(Request, Vec<String>),
    Unsubscribe(Request),
}

/// What an answer is to.
#[derive(Debug)]
pub(super) enum Asked {
    Subscribe(Request, Vec<String>),
    Unsubscribe(Request),
}

/// A subscription that the server says it does not take: a failure for each filter.
pub(super) type Refused = (Request, Vec<u8>);

impl Session {
    /// Has all requests made again that the server has not answered, each in a packet of its own.
    pub(super) fn ask_again(&mut self) -> Vec<Refused> {
        // Given up first: who asked for one of them again did that later.
        self.asking = self.leaving.keys().copied().map(Ask::Unsubscribe).collect();
        let (mut open, mut refused) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        self.subscriptions.retain(|filter, subscription| {
            if subscription.confirmed {
                return true;
            }
            let reason = self.server.refuses(filter, subscription.identifier.is_some());
            match reason {
                Some(reason) => refused.entry(subscription.request).or_default().push(reason.0),
                None => open.entry(subscription.request).or_default().push(filter.clone()),
            }
            reason.is_none()
        });
        self.asking.extend(open.into_iter().map(|(request, filters)| Ask::Subscribe(request, filters)));
        refused.into_iter().collect()
    }

    /// Makes requests again, as far as there are packet identifiers.
    pub(super) fn send_asking(&mut self, out: &mut Vec<u8>) {
        while self.has_free_id()
            && let Some(ask) = self.asking.pop_front()
        {
            match ask {
                Ask::Subscribe(request, filters) => {
                    self.send_subscribe(request, filters, Properties::default(), out);
                }
                Ask::Unsubscribe(request) => self.send_unsubscribe(request, out),
            }
        }
    }

    /// Whether a request may be made now, on a connection.
    pub(super) fn check_identifiers(&self) -> Result<(), Error> {
        if self.asking.is_empty() && self.has_free_id() {
            Ok(())
        } else {
            Err(Error::OutputFull { limit: IDENTIFIERS })
        }
    }

    /// Remembers a request; [`send_subscribe`](Self::send_subscribe) sends it where there is a connection, whose server
    /// may have said what it does not take.
    pub(super) fn subscribe(
        &mut self,
        filters: &[(&str, SubscribeOptions)],
        properties: Properties<'_>,
        connected: bool,
    ) -> Result<Request, Error> {
        // Whether it can be said at all.
        let packet_id = PacketId::MAX;
        let packet = Subscribe { packet_id, properties, filters: Filters::new(filters) };
        let mut bytes = Vec::new();
        Packet::Subscribe(packet).encode(self.version, &mut bytes)?;
        let identifier = properties.subscription_identifiers().next();
        if connected {
            let refuses = |filter| self.server.refuses(filter, identifier.is_some());
            if let Some(reason) = filters.iter().find_map(|(filter, _)| refuses(filter)) {
                return Err(not_taken(reason));
            }
            if bytes.len() > self.server.packet_size {
                return Err(not_taken(Reason::PACKET_TOO_LARGE));
            }
        }
        self.last_request += 1;
        let request = Request(self.last_request);
        for (filter, options) in filters {
            let subscription = Subscription { options: *options, identifier, request, confirmed: false };
            self.subscriptions.insert((*filter).to_owned(), subscription);
        }
        Ok(request)
    }

    /// Sends a request where there is a packet identifier for it: see [`check_identifiers`](Self::check_identifiers).
    pub(super) fn send_subscribe(
        &mut self,
        request: Request,
        filters: Vec<String>,
        properties: Properties<'_>,
        out: &mut Vec<u8>,
    ) {
        let Some(packet_id) = self.free_id() else { return };
        let known = filters.iter().filter_map(|filter| {
            self.subscriptions.get(filter).map(|subscription| (&**filter, subscription.options))
        });
        let asked: Vec<_> = known.collect();
        let mut again = PropertiesBuf::from(properties);
        let identifier = filters.first().and_then(|filter| self.subscriptions.get(filter)?.identifier);
        if let Some(identifier) = identifier
            && properties.is_empty()
        {
            // It was good the first time.
            let _ = again.push(Property::SubscriptionIdentifier(identifier));
        }
        let packet = Subscribe { packet_id, properties: again.view(), filters: Filters::new(&asked) };
        encode_checked(Packet::Subscribe(packet), self.version, out);
        self.asked.insert(packet_id, Asked::Subscribe(request, filters));
    }

    pub(super) fn unsubscribe(&mut self, filters: &[&str], connected: bool) -> Result<Request, Error> {
        if self.leaving.len() >= IDENTIFIERS {
            return Err(Error::OutputFull { limit: IDENTIFIERS });
        }
        let properties = Properties::default();
        let packet = Unsubscribe { packet_id: PacketId::MAX, properties, filters: Names::new(filters) };
        let mut bytes = Vec::new();
        Packet::Unsubscribe(packet).encode(self.version, &mut bytes)?;
        if connected && bytes.len() > self.server.packet_size {
            return Err(not_taken(Reason::PACKET_TOO_LARGE));
        }
        self.last_request += 1;
        let request = Request(self.last_request);
        for filter in filters {
            self.subscriptions.remove(*filter);
        }
        self.leaving.insert(request, filters.iter().map(|filter| (*filter).to_owned()).collect());
        Ok(request)
    }

    /// As [`send_subscribe`](Self::send_subscribe).
    pub(super) fn send_unsubscribe(&mut self, request: Request, out: &mut Vec<u8>) {
        let Some(packet_id) = self.free_id() else { return };
        let Some(filters) = self.leaving.get(&request) else { return };
        let names: Vec<_> = filters.iter().map(String::as_str).collect();
        let properties = Properties::default();
        let packet = Unsubscribe { packet_id, properties, filters: Names::new(&names) };
        encode_checked(Packet::Unsubscribe(packet), self.version, out);
        self.asked.insert(packet_id, Asked::Unsubscribe(request));
    }

    /// SUBACK: what it answers. Filters that were refused are forgotten.
    pub(super) fn subscribed(&mut self, answer: &Answer<'_>) -> Result<Request, Violation> {
        let Some(Asked::Subscribe(request, filters)) = self.asked.remove(&answer.packet_id) else {
            return Err(Violation::protocol("SUBACK to no SUBSCRIBE"));
        };
        if answer.codes.len() != filters.len() {
            return Err(Violation::protocol("SUBACK has not one reason for each filter"));
        }
        for (filter, reason) in filters.iter().zip(answer.reasons()) {
            // Asked for again meanwhile, it waits for the later answer.
            let Some(subscription) = self.subscriptions.get_mut(filter) else { continue };
            if subscription.request == request {
                if reason.is_failure() {
                    self.subscriptions.remove(filter);
                } else {
                    subscription.confirmed = true;
                }
            }
        }
        Ok(request)
    }

    pub(super) fn unsubscribed(&mut self, answer: &Answer<'_>) -> Result<Request, Violation> {
        let Some(Asked::Unsubscribe(request)) = self.asked.remove(&answer.packet_id) else {
            return Err(Violation::protocol("UNSUBACK to no UNSUBSCRIBE"));
        };
        self.leaving.remove(&request);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::mqtt::{Frame, frame};
    use crate::mqtt::{Connack, Version};

    fn session() -> Session {
        Session::new(Version::V5, 1 << 20, 100, 20)
    }

    /// How many packets of a kind there are.
    fn count(mut bytes: &[u8], kind: u8) -> usize {
        let mut count = 0;
        while let Ok(Frame::Whole { first, end, .. }) = frame(bytes, usize::MAX) {
            count += usize::from(first == kind);
            bytes = &bytes[end..];
        }
        assert_eq!(bytes, b"", "behind the last packet");
        count
    }

    fn answer(number: u16) -> Answer<'static> {
        let packet_id = PacketId::new(number).expect("not 0");
        Answer { packet_id, properties: Properties::default(), codes: &[0] }
    }

    #[test]
    fn requests_wait_for_packet_identifiers_where_there_are_more() {
        let mut session = session();
        let options = SubscribeOptions::default();
        for number in 0..IDENTIFIERS + 10 {
            let filter = number.to_string();
            session.subscribe(&[(&filter, options)], Properties::default(), false).expect("a filter");
        }
        session.unsubscribe(&["5"], false).expect("room");
        let mut out = Vec::new();
        assert_eq!(session.resume(&Connack::default(), &mut out), (Vec::new(), Vec::new()));
        assert_eq!((count(&out, 0xa2), count(&out, 0x82)), (1, IDENTIFIERS - 1));
        assert!(matches!(session.check_identifiers(), Err(Error::OutputFull { .. })));
        session.unsubscribed(&answer(1)).expect("asked");
        for number in 2..=12 {
            out.clear();
            session.send_waiting(&mut out);
            assert_eq!(count(&out, 0x82), usize::from(number <= 11), "{number}");
            session.subscribed(&answer(number)).expect("asked");
        }
        session.check_identifiers().expect("the last is free");
    }

    #[test]
    fn filters_that_are_given_up_without_a_connection_are_bounded() {
        let mut session = session();
        for _ in 0..IDENTIFIERS {
            session.unsubscribe(&["a"], false).expect("room");
        }
        let more = session.unsubscribe(&["a"], false);
        assert!(matches!(more, Err(Error::OutputFull { limit: 65_535 })), "{more:?}");
    }
}
