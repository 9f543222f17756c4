//! A server and clients on C's own event loop, for the raw tests.

use std::env;
use std::ffi::{CString, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Once;

use mongoose_sys::*;

/// A manager that lives at one address, as C wants it, and is freed when dropped.
pub struct Manager(Box<MaybeUninit<mg_mgr>>);

impl Manager {
    pub fn new() -> Self {
        static QUIET: Once = Once::new();
        // SAFETY: a test enters the library through this function only, so nothing logs meanwhile.
        QUIET.call_once(|| unsafe { mg_log_set(MG_LL_NONE as c_int) });
        let mut manager = Box::new(MaybeUninit::zeroed());
        // SAFETY: a writable manager, which the box keeps in place.
        unsafe { mg_mgr_init(manager.as_mut_ptr()) };
        Self(manager)
    }

    pub fn as_ptr(&mut self) -> *mut mg_mgr {
        self.0.as_mut_ptr()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, freed once. Handlers may still be called with MG_EV_CLOSE, so what
        // they use must be dropped after the manager.
        unsafe { mg_mgr_free(self.as_ptr()) };
    }
}

/// What a client saw.
#[derive(Default)]
pub struct Client {
    pub path: CString,
    pub body: Option<Vec<u8>>,
    pub error: bool,
    pub closed: bool,
}

/// Answers every request with its own path.
pub unsafe extern "C" fn serve(connection: *mut mg_connection, event: c_int, data: *mut c_void) {
    if event as u32 != MG_EV_HTTP_MSG {
        return;
    }
    // SAFETY: with this event the data is a message whose views are valid for the call. The format is
    // static and takes an int and a pointer, as given.
    unsafe {
        let uri = (*data.cast::<mg_http_message>()).uri;
        let format = c"%.*s".as_ptr();
        mg_http_reply(connection, 200, c"".as_ptr(), format, uri.len as c_int, uri.buf);
    }
}

/// Sends one request on connecting, keeps the answer and closes.
pub unsafe extern "C" fn ask(connection: *mut mg_connection, event: c_int, data: *mut c_void) {
    // SAFETY: the connection is valid in its handler, and `fn_data` is a `Client` that outlives the manager
    // and that nobody else uses while the manager is polled.
    let client = unsafe { &mut *(*connection).fn_data.cast::<Client>() };
    match event as u32 {
        MG_EV_CONNECT => {
            let request = [b"GET ", client.path.as_bytes(), b" HTTP/1.1\r\nHost: localhost\r\n\r\n"].concat();
            // SAFETY: as many readable bytes as it says, which C copies.
            assert!(unsafe { mg_send(connection, request.as_ptr().cast(), request.len()) });
        }
        MG_EV_HTTP_MSG => {
            // SAFETY: with this event the data is a message whose views are valid for the call.
            client.body = Some(unsafe { (*data.cast::<mg_http_message>()).body.as_bytes() }.to_vec());
            // SAFETY: the connection is valid, and no reference to it exists.
            unsafe { mg_connection::set_is_closing_raw(connection, 1) };
        }
        MG_EV_ERROR => client.error = true,
        MG_EV_CLOSE => client.closed = true,
        _ => {}
    }
}

/// Listens on a free port of the loopback and gives its URL.
pub fn listen(manager: &mut Manager) -> CString {
    let url = c"http://127.0.0.1:0";
    // SAFETY: a valid manager and a C string; the handler needs no data.
    let listener = unsafe { mg_http_listen(manager.as_ptr(), url.as_ptr(), Some(serve), ptr::null_mut()) };
    assert!(!listener.is_null(), "no listener on the loopback");
    // SAFETY: just made by C, and alive until the manager is polled.
    let port = u16::from_be(unsafe { (*listener).loc.port });
    assert_ne!(port, 0);
    CString::new(format!("http://127.0.0.1:{port}")).expect("no NUL in it")
}

/// Connects `client`, which must stay in place until it saw `closed` or the manager is gone.
pub fn connect(manager: &mut Manager, url: &CString, client: *mut Client) {
    // SAFETY: a valid manager and a C string; the caller keeps the client in place.
    let connection = unsafe { mg_http_connect(manager.as_ptr(), url.as_ptr(), Some(ask), client.cast()) };
    assert!(!connection.is_null());
}

/// Polls the managers in turn until `done`; fails after far more rounds than any run needs.
pub fn poll_until(managers: &mut [&mut Manager], done: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if done() {
            return;
        }
        for manager in managers.iter_mut() {
            // SAFETY: a valid manager, polled by the thread that made it.
            unsafe { mg_mgr_poll(manager.as_ptr(), 1) };
        }
    }
    panic!("not done after 100,000 polls");
}

/// `count` times the environment's `TEST_SCALE` (1 unless set), but at least 1.
#[allow(dead_code, reason = "not every test that uses this module has a size")]
pub fn scaled(count: usize) -> usize {
    let scale = env::var("TEST_SCALE").ok().and_then(|scale| scale.parse::<f64>().ok()).unwrap_or(1.0);
    ((count as f64 * scale) as usize).max(1)
}
