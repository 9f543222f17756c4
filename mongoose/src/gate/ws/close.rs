//! What a close frame carries (RFC 6455 sections 5.5.1 and 7.4).

use super::Violation;

/// The longest reason, in bytes.
pub(crate) const CLOSE_REASON_MAX: usize = 123;

/// Code and reason of a close frame's payload. `None`: there is no code.
pub(crate) fn parse_close(payload: &[u8]) -> Result<Option<(u16, &str)>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(Violation::protocol("half a close code")) };
    };
    let code = u16::from_be_bytes(*code);
    if !is_sendable(code) {
        return Err(Violation::protocol("a close code that is not to be sent"));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Some((code, reason))),
        Err(_) => Err(Violation::not_utf8("the reason of a close frame is not UTF-8")),
    }
}

/// Whether a code may be on the wire: those that are registered, those of libraries and of applications.
pub(crate) fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The payload of a close frame.
pub(crate) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_7_4_codes_that_may_be_sent_and_no_others() {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999] {
            let payload = close_payload(code, "why");
            assert_eq!(parse_close(&payload), Ok(Some((code, "why"))));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            let refused = parse_close(&close_payload(code, "")).expect_err("not to be sent");
            assert_eq!(refused.code, 1002, "{code}");
        }
    }

    #[test]
    fn section_5_5_1_a_payload_is_empty_or_begins_with_a_code() {
        assert_eq!(parse_close(b""), Ok(None));
        assert_eq!(parse_close(b"\x03").expect_err("half").code, 1002);
        assert_eq!(parse_close(b"\x03\xe8\xff").expect_err("not text").code, 1007);
        assert_eq!(parse_close(b"\x03\xe8"), Ok(Some((1000, ""))));
    }
}
