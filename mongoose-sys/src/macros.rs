//! Rust twins of the function-like macros of mongoose.h, under their C names.
//!
//! Left out: the macros for firmware (`MG_REG`, `MG_OTA_*`, `MG_TCPIP_*`, interrupts), those that only the
//! library itself uses (`MG_EPOLL_*`, `MG_SOCK_*`, `MG_PROF_*`, `LIST_*`), and `MG_ESC`, which makes
//! arguments for a `va_list`. The twin of `MG_LOG` is [`mg_sys_log`](crate::mg_sys_log).

#![allow(non_snake_case, reason = "the names are C's")]

use core::ffi::{c_int, c_uint, c_void};

use crate::{mg_dash, mg_dash_custom_handler, mg_event_handler_t, mg_field_set, mg_str};

/// Whether the target stores the high byte of an integer first.
pub const MG_BIG_ENDIAN: bool = cfg!(target_endian = "big");

/// Four bytes as one integer, the first one highest: `MG_U32(1, 2, 3, 4)` is `0x01020304`.
pub const fn MG_U32(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

/// An IPv4 address in network byte order, as in the `ip4` of an address.
pub const fn MG_IPV4(a: u8, b: u8, c: u8, d: u8) -> u32 {
    mg_htonl(MG_U32(a, b, c, d))
}

/// The bytes of an IPv6 address from its eight groups, as in the `ip` of an address.
pub const fn MG_IPV6(groups: [u16; 8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    let mut i = 0;
    while i < 8 {
        [bytes[2 * i], bytes[2 * i + 1]] = groups[i].to_be_bytes();
        i += 1;
    }
    bytes
}

/// The native order to the network's, for ports.
pub const fn mg_htons(n: u16) -> u16 {
    n.to_be()
}

/// The native order to the network's, for IPv4 addresses.
pub const fn mg_htonl(n: u32) -> u32 {
    n.to_be()
}

/// The native order to the network's, for 64-bit integers.
pub const fn mg_htonll(n: u64) -> u64 {
    n.to_be()
}

/// Reads a big-endian 16-bit integer.
pub const fn MG_LOAD_BE16(bytes: [u8; 2]) -> u16 {
    u16::from_be_bytes(bytes)
}

/// Reads a big-endian 24-bit integer.
pub const fn MG_LOAD_BE24(bytes: [u8; 3]) -> u32 {
    let [a, b, c] = bytes;
    u32::from_be_bytes([0, a, b, c])
}

/// Reads a big-endian 32-bit integer.
pub const fn MG_LOAD_BE32(bytes: [u8; 4]) -> u32 {
    u32::from_be_bytes(bytes)
}

/// Reads a big-endian 64-bit integer.
pub const fn MG_LOAD_BE64(bytes: [u8; 8]) -> u64 {
    u64::from_be_bytes(bytes)
}

/// Writes a big-endian 16-bit integer.
pub const fn MG_STORE_BE16(bytes: &mut [u8; 2], n: u16) {
    *bytes = n.to_be_bytes();
}

/// Writes the low 24 bits of an integer, big-endian.
pub const fn MG_STORE_BE24(bytes: &mut [u8; 3], n: u32) {
    let [_, a, b, c] = n.to_be_bytes();
    *bytes = [a, b, c];
}

/// Writes a big-endian 32-bit integer.
pub const fn MG_STORE_BE32(bytes: &mut [u8; 4], n: u32) {
    *bytes = n.to_be_bytes();
}

/// Writes a big-endian 64-bit integer.
pub const fn MG_STORE_BE64(bytes: &mut [u8; 8], n: u64) {
    *bytes = n.to_be_bytes();
}

/// An integer with only bit `x` set, which must be below 32.
pub const fn MG_BIT(x: u32) -> u32 {
    1 << x
}

/// `x` rounded up to a multiple of `a`; `x` itself if `a` is 0.
pub const fn MG_ROUND_UP(x: usize, a: usize) -> usize {
    if a == 0 { x } else { x.div_ceil(a) * a }
}

/// `x` rounded down to a multiple of `a`; `x` itself if `a` is 0.
pub const fn MG_ROUND_DOWN(x: usize, a: usize) -> usize {
    match x.checked_rem(a) {
        Some(rest) => x - rest,
        None => x,
    }
}

/// The code point of a class selector (RFC 2474), for the `dscp` of a connection.
pub const fn MG_DSCP_CS(class: c_uint) -> c_uint {
    class << 3
}

/// The code point of an assured-forwarding class and drop precedence (RFC 2597).
pub const fn MG_DSCP_AF(class: c_uint, drop: c_uint) -> c_uint {
    class << 3 | drop << 1
}

/// Whether a certificate or key is in DER rather than PEM, judged by its first byte as C does.
pub const fn MG_IS_DER(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, ..])
}

/// Sets what is logged: one of `MG_LL_NONE` to `MG_LL_VERBOSE`.
///
/// # Safety
///
/// The level is a plain global of the process: no other thread may be inside the library meanwhile.
pub unsafe fn mg_log_set(level: c_int) {
    // SAFETY: the caller keeps other threads away; no reference to the global is made.
    unsafe { (&raw mut crate::mg_log_level).write(level) }
}

/// Puts a field set at the head of a dashboard's list.
///
/// # Safety
///
/// Both are valid, `set` is on no list, and `set` outlives the dashboard's use.
pub unsafe fn MG_DASH_ADD_FIELD_SET(dash: *mut mg_dash, set: *mut mg_field_set) {
    // SAFETY: the caller vouches for both pointers.
    unsafe {
        (*set).next = (*dash).sets;
        (*dash).sets = set;
    }
}

/// Makes `storage` a dashboard's handler for URIs that match `uri`, and puts it at the head of its list.
/// (The C macro declares a static variable for the storage.)
///
/// # Safety
///
/// `dash` is valid, and `storage` is writable, on no list, and outlives the dashboard's use; so does what
/// `uri` views.
pub unsafe fn MG_DASH_REGISTER_CUSTOM_HANDLER(
    dash: *mut mg_dash,
    storage: *mut mg_dash_custom_handler,
    uri: mg_str,
    handler: mg_event_handler_t,
    handler_data: *mut c_void,
) {
    // SAFETY: the caller vouches for both pointers.
    unsafe {
        let next = (*dash).custom_handlers;
        storage.write(mg_dash_custom_handler { next, uri_pattern: uri, handler, handler_data });
        (*dash).custom_handlers = storage;
    }
}

#[cfg(test)]
mod tests {
    use core::ptr;

    use super::*;

    #[test]
    fn bytes_become_integers_in_the_order_of_the_network() {
        assert_eq!(MG_U32(1, 2, 3, 4), 0x0102_0304);
        assert_eq!(MG_IPV4(127, 0, 0, 1).to_ne_bytes(), [127, 0, 0, 1]);
        assert_eq!(
            MG_IPV6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]),
            [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        );
    }

    #[test]
    fn byte_order_is_that_of_the_c_functions() {
        // SAFETY: plain arithmetic in C.
        let (short, long, longer) = unsafe {
            (crate::mg_ntohs(0x0102), crate::mg_ntohl(0x0102_0304), crate::mg_ntohll(0x0102_0304_0506_0708))
        };
        assert_eq!(mg_htons(0x0102), short);
        assert_eq!(mg_htonl(0x0102_0304), long);
        assert_eq!(mg_htonll(0x0102_0304_0506_0708), longer);
    }

    #[test]
    fn stores_are_the_reverse_of_loads() {
        let (mut two, mut three, mut four, mut eight) = ([0; 2], [0; 3], [0; 4], [0; 8]);
        MG_STORE_BE16(&mut two, 0x0102);
        MG_STORE_BE24(&mut three, 0xff01_0203);
        MG_STORE_BE32(&mut four, 0x0102_0304);
        MG_STORE_BE64(&mut eight, 0x0102_0304_0506_0708);
        assert_eq!((two, three, four, eight), ([1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(MG_LOAD_BE16(two), 0x0102);
        assert_eq!(MG_LOAD_BE24(three), 0x0001_0203);
        assert_eq!(MG_LOAD_BE32(four), 0x0102_0304);
        assert_eq!(MG_LOAD_BE64(eight), 0x0102_0304_0506_0708);
    }

    #[test]
    fn rounding_keeps_multiples_and_takes_zero() {
        assert_eq!(
            [MG_ROUND_UP(0, 8), MG_ROUND_UP(8, 8), MG_ROUND_UP(9, 8), MG_ROUND_UP(9, 0)],
            [0, 8, 16, 9]
        );
        assert_eq!([MG_ROUND_DOWN(7, 8), MG_ROUND_DOWN(8, 8), MG_ROUND_DOWN(9, 0)], [0, 8, 9]);
        assert_eq!(MG_BIT(31), 0x8000_0000);
    }

    #[test]
    fn code_points_and_der_are_recognised() {
        assert_eq!((MG_DSCP_CS(5), MG_DSCP_AF(4, 3)), (40, 38));
        assert!(MG_IS_DER(&[0x30, 0x82]));
        assert!(!MG_IS_DER(b"-----BEGIN") && !MG_IS_DER(b""));
    }

    #[test]
    fn the_log_level_is_set() {
        // SAFETY: no other test of this binary enters a function that logs.
        let (before, during, after) = unsafe {
            let before = crate::mg_log_level;
            mg_log_set(crate::MG_LL_NONE as c_int);
            let during = crate::mg_log_level;
            mg_log_set(before);
            (before, during, crate::mg_log_level)
        };
        assert_ne!(before, during);
        assert_eq!((during, after), (crate::MG_LL_NONE as c_int, before));
    }

    #[test]
    fn lists_of_a_dashboard_grow_at_the_head() {
        let mut dash = mg_dash::default();
        let (mut first, mut second) = (mg_field_set::default(), mg_field_set::default());
        let mut handler = mg_dash_custom_handler::default();
        let uri = mg_str::from_bytes(b"/api/#");
        // SAFETY: all of them live to the end of the test.
        unsafe {
            MG_DASH_ADD_FIELD_SET(&mut dash, &mut first);
            MG_DASH_ADD_FIELD_SET(&mut dash, &mut second);
            MG_DASH_REGISTER_CUSTOM_HANDLER(&mut dash, &mut handler, uri, None, ptr::null_mut());
        }
        assert!(ptr::eq(dash.sets, &second) && ptr::eq(second.next, &first) && first.next.is_null());
        assert!(ptr::eq(dash.custom_handlers, &handler) && handler.next.is_null());
        assert_eq!(handler.uri_pattern.len, 6);
    }
}
