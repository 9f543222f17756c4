//! Alerts (RFC 8446 section 6), and why a connection cannot go on.

/// What an alert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alert(pub(super) u8);

impl Alert {
    pub(super) const CLOSE_NOTIFY: Self = Self(0);
    pub(super) const UNEXPECTED_MESSAGE: Self = Self(10);
    pub(super) const BAD_RECORD_MAC: Self = Self(20);
    pub(super) const RECORD_OVERFLOW: Self = Self(22);
    pub(super) const HANDSHAKE_FAILURE: Self = Self(40);
    pub(super) const ILLEGAL_PARAMETER: Self = Self(47);
    pub(super) const DECODE_ERROR: Self = Self(50);
    pub(super) const DECRYPT_ERROR: Self = Self(51);
    pub(super) const PROTOCOL_VERSION: Self = Self(70);
    pub(super) const INTERNAL_ERROR: Self = Self(80);
    pub(super) const USER_CANCELED: Self = Self(90);
    pub(super) const MISSING_EXTENSION: Self = Self(109);

    /// The level and the description, as they are sent. All but two are fatal.
    pub(super) fn bytes(self) -> [u8; 2] {
        let is_warning = [Self::CLOSE_NOTIFY, Self::USER_CANCELED].contains(&self);
        [if is_warning { 1 } else { 2 }, self.0]
    }

    fn name(self) -> &'static str {
        match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => "an alert without a name",
        }
    }
}

/// Why a connection cannot go on.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the peer is told. Nothing, where it was the peer that said so.
    pub(super) alert: Option<Alert>,
    pub(super) reason: String,
}

impl Failure {
    pub(super) fn new(alert: Alert, reason: impl Into<String>) -> Self {
        Self { alert: Some(alert), reason: reason.into() }
    }

    /// The peer has sent an alert that ends the connection.
    pub(super) fn received(alert: Alert) -> Self {
        Self { alert: None, reason: format!("received fatal alert: {} ({})", alert.name(), alert.0) }
    }

    /// A message whose lengths do not add up.
    pub(super) fn malformed(what: &str) -> Self {
        Self::new(Alert::DECODE_ERROR, format!("the {what} is malformed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_that_end_in_peace_are_warnings() {
        assert_eq!(Alert::CLOSE_NOTIFY.bytes(), [1, 0]);
        assert_eq!(Alert::USER_CANCELED.bytes(), [1, 90]);
        assert_eq!(Alert::BAD_RECORD_MAC.bytes(), [2, 20]);
    }

    #[test]
    fn a_received_alert_is_named_and_not_answered() {
        let failure = Failure::received(Alert(48));
        assert_eq!(failure.reason, "received fatal alert: unknown_ca (48)");
        assert!(failure.alert.is_none());
    }
}
