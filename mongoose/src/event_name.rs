//! Names of C's events.

use mongoose_sys as sys;

/// The name of an event by C's number, for code that works on [`Connection::as_raw`](crate::Connection::as_raw); `None` for
/// those of a program's own, `MG_EV_USER` and above, and for what is none.
///
/// ```
/// use mongoose::{event_name, sys};
///
/// assert_eq!(event_name(sys::MG_EV_READ as i32), Some("MG_EV_READ"));
/// assert_eq!(event_name(sys::MG_EV_USER as i32), None);
/// ```
pub fn event_name(event: i32) -> Option<&'static str> {
    /// In the order of their numbers, from 0.
    macro_rules! names {
        ($($name:ident),* $(,)?) => { [$((sys::$name, stringify!($name))),*] };
    }
    let names = names![
        MG_EV_ERROR,
        MG_EV_OPEN,
        MG_EV_POLL,
        MG_EV_RESOLVE,
        MG_EV_CONNECT,
        MG_EV_ACCEPT,
        MG_EV_TLS_HS,
        MG_EV_READ,
        MG_EV_WRITE,
        MG_EV_CLOSE,
        MG_EV_HTTP_HDRS,
        MG_EV_HTTP_MSG,
        MG_EV_WS_OPEN,
        MG_EV_WS_MSG,
        MG_EV_WS_CTL,
        MG_EV_MQTT_CMD,
        MG_EV_MQTT_MSG,
        MG_EV_MQTT_OPEN,
        MG_EV_SNTP_TIME,
        MG_EV_WAKEUP,
        MG_EV_MDNS_REQ,
        MG_EV_MDNS_RESP,
        MG_EV_MODBUS_REQ,
    ];
    names.iter().find(|(number, _)| *number as i32 == event).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_cs_has_a_name() {
        for event in 0..sys::MG_EV_USER as i32 {
            assert!(event_name(event).is_some_and(|name| name.starts_with("MG_EV_")), "{event}");
        }
        assert_eq!(event_name(-1), None);
        assert_eq!(event_name(i32::MAX), None);
    }
}
