//! C's own answers, to be shown beside ours.

use std::ffi::{CStr, c_int};
use std::mem::{self, MaybeUninit};
use std::ptr::null_mut;
use std::time::Instant;

use mongoose::sys;

/// A manager of C's, on C's own event loop. It logs nothing.
#[derive(Debug)]
pub struct Loop(Box<MaybeUninit<sys::mg_mgr>>);

impl Loop {
    /// Makes one.
    #[expect(clippy::new_without_default, reason = "it sets a global of C's")]
    pub fn new() -> Self {
        let mut manager = Box::new(MaybeUninit::<sys::mg_mgr>::zeroed());
        // SAFETY: it stays in its box until it is freed. Tests that look at C's log have a process of their own, so that
        // nobody else sets its level to anything else.
        unsafe {
            sys::mg_log_level = sys::MG_LL_NONE as c_int;
            sys::mg_mgr_init(manager.as_mut_ptr());
        }
        Self(manager)
    }

    /// The manager. What it is given has to outlive this.
    pub fn as_mut_ptr(&mut self) -> *mut sys::mg_mgr {
        self.0.as_mut_ptr()
    }

    /// Polls until something is so.
    ///
    /// # Panics
    /// When it takes longer than [`PATIENCE`](crate::PATIENCE).
    pub fn poll_until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + crate::PATIENCE;
        while !is_so() {
            assert!(Instant::now() < end, "C: no {what}");
            // SAFETY: the manager is alive, and no handler of its runs.
            unsafe { sys::mg_mgr_poll(self.as_mut_ptr(), 1) };
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // SAFETY: it was made in `new`, and is not used again.
        unsafe { sys::mg_mgr_free(self.as_mut_ptr()) };
    }
}

/// What `mg_http_parse` makes of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Length of the head; 0: incomplete; negative: refused.
    pub result: i32,
    /// The method.
    pub method: Vec<u8>,
    /// The target's path.
    pub uri: Vec<u8>,
    /// The target's query.
    pub query: Vec<u8>,
    /// Names and values.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Bytes of the body, by its Content-Length.
    pub body_len: usize,
}

impl Message {
    /// The first header of a name, as `mg_http_get_header` finds it.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| &**value)
    }
}

/// Has C parse a request.
pub fn parse(request: &[u8]) -> Message {
    // SAFETY: plain C structs for which zeroes are valid; C reads at most as many bytes as it is told there are, and
    // what it fills in are views of them.
    unsafe {
        let mut message: sys::mg_http_message = mem::zeroed();
        let result = sys::mg_http_parse(request.as_ptr().cast(), request.len(), &raw mut message);
        if result <= 0 {
            return Message { result, ..Message::default() };
        }
        let headers = message.headers.iter().take_while(|header| header.name.len > 0);
        Message {
            result,
            method: copy(message.method),
            uri: copy(message.uri),
            query: copy(message.query),
            headers: headers.map(|header| (copy(header.name), copy(header.value))).collect(),
            body_len: message.body.len,
        }
    }
}

/// What `mg_http_get_header_var` finds; `None` for its null.
pub fn header_variable(value: &str, name: &str) -> Option<String> {
    // SAFETY: both strings live during the call; what it answers is a view of the first.
    unsafe {
        let found = sys::mg_http_get_header_var(string(value), string(name));
        (!found.buf.is_null()).then(|| String::from_utf8_lossy(&copy(found)).into_owned())
    }
}

/// `mg_url_port`.
pub fn url_port(url: &CStr) -> u16 {
    // SAFETY: a NUL-terminated string.
    unsafe { sys::mg_url_port(url.as_ptr()) }
}

/// `mg_url_host`.
pub fn url_host(url: &CStr) -> String {
    // SAFETY: a NUL-terminated string, of which the answer is a view.
    unsafe { String::from_utf8_lossy(&copy(sys::mg_url_host(url.as_ptr()))).into_owned() }
}

/// The `Sec-WebSocket-Accept` that follows from a key, by C's SHA-1 and base64.
///
/// # Panics
/// When C's base64 is none.
pub fn websocket_accept(key: &str) -> String {
    let mut context = sys::mg_sha1_ctx::default();
    let mut digest = [0u8; 20];
    let mut text = [0u8; 30];
    let all = [key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    // SAFETY: C reads and writes as many bytes as it is told there are, and 20 of the digest.
    let len = unsafe {
        sys::mg_sha1_init(&raw mut context);
        sys::mg_sha1_update(&raw mut context, all.as_ptr(), all.len());
        sys::mg_sha1_final(digest.as_mut_ptr(), &raw mut context);
        sys::mg_base64_encode(digest.as_ptr(), digest.len(), text.as_mut_ptr().cast(), text.len())
    };
    String::from_utf8(text[..len].to_vec()).expect("base64 is ASCII")
}

/// The frame that `mg_ws_send` makes, by a server or by a client.
pub fn websocket_frame(payload: &[u8], opcode: u8, is_client: bool) -> Vec<u8> {
    // SAFETY: a connection of zeroes with a send buffer alone, to which C appends; the memory is C's and is freed by it.
    unsafe {
        let mut connection: Box<sys::mg_connection> = Box::new(mem::zeroed());
        let raw = &raw mut *connection;
        sys::mg_connection::set_is_client_raw(raw, is_client.into());
        sys::mg_ws_send(raw, payload.as_ptr().cast(), payload.len(), i32::from(opcode));
        let frame = std::slice::from_raw_parts((*raw).send.buf, (*raw).send.len).to_vec();
        sys::mg_iobuf_free(&raw mut (*raw).send);
        frame
    }
}

/// Whether `mg_match` matches.
pub fn glob(text: &str, pattern: &str) -> bool {
    // SAFETY: both live during the call, and captures are not asked for.
    unsafe { sys::mg_match(string(text), string(pattern), null_mut()) }
}

/// What `mg_match` captures.
///
/// # Panics
/// For a pattern with more than one `*` or `#`: C writes past any room then.
pub fn glob_captures(text: &str, pattern: &str) -> Option<Vec<String>> {
    assert!(pattern.bytes().filter(|sign| b"*#".contains(sign)).count() <= 1, "{pattern}");
    let wildcards = pattern.bytes().filter(|sign| b"?*#".contains(sign)).count();
    // Each character of the text may take C one further.
    let mut captures = vec![sys::mg_str { buf: null_mut(), len: 0 }; pattern.len() * (text.len() + 1) + 2];
    // SAFETY: there is more room than C's steps; captures are views of the text.
    unsafe {
        let matches = sys::mg_match(string(text), string(pattern), captures.as_mut_ptr());
        let text = |capture: &sys::mg_str| String::from_utf8_lossy(&copy(*capture)).into_owned();
        matches.then(|| captures[..wildcards].iter().map(text).collect())
    }
}

/// What `mg_json_get` finds: the token.
pub fn json_token(json: &str, path: &CStr) -> Option<String> {
    // SAFETY: both live during the call; the answer is a view of the first.
    unsafe {
        let token = sys::mg_json_get_tok(string(json), path.as_ptr());
        (!token.buf.is_null()).then(|| String::from_utf8_lossy(&copy(token)).into_owned())
    }
}

/// What `mg_json_get_str` finds.
pub fn json_str(json: &str, path: &CStr) -> Option<String> {
    // SAFETY: both live during the call; the answer is NULL, or a string of C's that is freed.
    unsafe {
        let found = sys::mg_json_get_str(string(json), path.as_ptr());
        let text = (!found.is_null()).then(|| CStr::from_ptr(found).to_string_lossy().into_owned());
        sys::mg_free(found.cast());
        text
    }
}

/// What `mg_json_get_num` finds.
pub fn json_num(json: &str, path: &CStr) -> Option<f64> {
    let mut number = 0.0;
    // SAFETY: both live during the call; C writes one number.
    let found = unsafe { sys::mg_json_get_num(string(json), path.as_ptr(), &raw mut number) };
    found.then_some(number)
}

/// What `mg_json_get_long` finds; 0 for nothing.
pub fn json_long(json: &str, path: &CStr) -> i64 {
    // SAFETY: both live during the call.
    unsafe { sys::mg_json_get_long(string(json), path.as_ptr(), 0) }
}

/// What `mg_rpc_process` answers, where `rpc.list` is the one method.
pub fn json_rpc(text: &str) -> String {
    // SAFETY: plain structs of zeroes; what C allocates for methods and answer is freed; all strings live meanwhile.
    unsafe {
        let mut methods = null_mut();
        sys::mg_rpc_add(&raw mut methods, string("rpc.list"), Some(sys::mg_rpc_list), null_mut());
        let mut answer: sys::mg_iobuf = mem::zeroed();
        answer.align = 64;
        let mut request: sys::mg_rpc_req = mem::zeroed();
        request.head = &raw mut methods;
        request.pfn = Some(sys::mg_pfn_iobuf);
        request.pfn_data = (&raw mut answer).cast();
        request.frame = string(text);
        sys::mg_rpc_process(&raw mut request);
        let said = copy(sys::mg_str { buf: answer.buf.cast(), len: answer.len });
        sys::mg_iobuf_free(&raw mut answer);
        sys::mg_rpc_del(&raw mut methods, None);
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// What `mg_hmac_sha256` makes.
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut mac = [0; 32];
    // SAFETY: C writes 32 bytes, and only reads the others, though it does not declare them so.
    unsafe {
        let (key_start, start) = (key.as_ptr().cast_mut(), bytes.as_ptr().cast_mut());
        sys::mg_hmac_sha256(mac.as_mut_ptr(), key_start, key.len(), start, bytes.len());
    }
    mac
}

/// What `mg_base64_decode` makes of a text.
pub fn base64_decode(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; text.len() + 1];
    // SAFETY: C reads and writes as many bytes as it is told there are.
    let len = unsafe {
        sys::mg_base64_decode(text.as_ptr().cast(), text.len(), bytes.as_mut_ptr().cast(), bytes.len())
    };
    bytes.truncate(len);
    bytes
}

fn string(text: &str) -> sys::mg_str {
    sys::mg_str { buf: text.as_ptr().cast_mut().cast(), len: text.len() }
}

/// # Safety
/// `{NULL, 0}`, or a view of bytes that are alive.
unsafe fn copy(text: sys::mg_str) -> Vec<u8> {
    if text.buf.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(text.buf.cast::<u8>(), text.len) }.to_vec()
}
