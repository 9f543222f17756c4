// Generated from mongoose.h 7.23 by `cargo xtask regen-bindings`. Do not edit.

use super::{MG_SOCKET_TYPE, time_t};

pub type mg_pfn_t =
    ::core::option::Option<unsafe extern "C" fn(arg1: core::ffi::c_char, arg: *mut core::ffi::c_void)>;
pub type mg_event_handler_t = ::core::option::Option<
    unsafe extern "C" fn(arg1: *mut mg_connection, ev: core::ffi::c_int, ev_data: *mut core::ffi::c_void),
>;
pub type mg_event = core::ffi::c_uint;
pub type MG_UECC_Curve = *const MG_UECC_Curve_t;
pub type MG_UECC_RNG_Function =
    ::core::option::Option<unsafe extern "C" fn(dest: *mut u8, size: core::ffi::c_uint) -> core::ffi::c_int>;
pub type mg_uecc_word_t = u64;
pub type mg_val_type = core::ffi::c_uint;
pub type mg_dash_op = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct __BindgenBitfieldUnit<Storage> {
    storage: Storage,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_str {
    pub buf: *mut core::ffi::c_char,
    pub len: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_queue {
    pub buf: *mut core::ffi::c_char,
    pub size: usize,
    pub tail: usize,
    pub head: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_timer {
    pub period_ms: u64,
    pub expire: u64,
    pub flags: core::ffi::c_uint,
    pub fn_: ::core::option::Option<unsafe extern "C" fn(arg1: *mut core::ffi::c_void)>,
    pub arg: *mut core::ffi::c_void,
    pub next: *mut mg_timer,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct mg_fs {
    pub st: ::core::option::Option<
        unsafe extern "C" fn(
            path: *const core::ffi::c_char,
            size: *mut usize,
            mtime: *mut time_t,
        ) -> core::ffi::c_int,
    >,
    pub ls: ::core::option::Option<
        unsafe extern "C" fn(
            path: *const core::ffi::c_char,
            fn_: ::core::option::Option<
                unsafe extern "C" fn(arg1: *const core::ffi::c_char, arg2: *mut core::ffi::c_void),
            >,
            arg1: *mut core::ffi::c_void,
        ),
    >,
    pub op: ::core::option::Option<
        unsafe extern "C" fn(
            path: *const core::ffi::c_char,
            flags: core::ffi::c_int,
        ) -> *mut core::ffi::c_void,
    >,
    pub cl: ::core::option::Option<unsafe extern "C" fn(fd: *mut core::ffi::c_void)>,
    pub rd: ::core::option::Option<
        unsafe extern "C" fn(fd: *mut core::ffi::c_void, buf: *mut core::ffi::c_void, len: usize) -> usize,
    >,
    pub wr: ::core::option::Option<
        unsafe extern "C" fn(fd: *mut core::ffi::c_void, buf: *const core::ffi::c_void, len: usize) -> usize,
    >,
    pub sk: ::core::option::Option<unsafe extern "C" fn(fd: *mut core::ffi::c_void, offset: usize) -> usize>,
    pub mv: ::core::option::Option<
        unsafe extern "C" fn(from: *const core::ffi::c_char, to: *const core::ffi::c_char) -> bool,
    >,
    pub rm: ::core::option::Option<unsafe extern "C" fn(path: *const core::ffi::c_char) -> bool>,
    pub mkd: ::core::option::Option<unsafe extern "C" fn(path: *const core::ffi::c_char) -> bool>,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_fd {
    pub fd: *mut core::ffi::c_void,
    pub fs: *mut mg_fs,
}
#[repr(C)]
pub struct mg_mem_file {
    pub path: *const core::ffi::c_char,
    pub data: *const core::ffi::c_uchar,
    pub size: usize,
    pub mtime: time_t,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_iobuf {
    pub buf: *mut core::ffi::c_uchar,
    pub size: usize,
    pub len: usize,
    pub align: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_md5_ctx {
    pub buf: [u32; 4usize],
    pub bits: [u32; 2usize],
    pub in_: [core::ffi::c_uchar; 64usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_sha1_ctx {
    pub state: [u32; 5usize],
    pub count: [u32; 2usize],
    pub buffer: [core::ffi::c_uchar; 64usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_sha256_ctx {
    pub state: [u32; 8usize],
    pub bits: u64,
    pub len: u32,
    pub buffer: [core::ffi::c_uchar; 64usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_sha384_ctx {
    pub state: [u64; 8usize],
    pub buffer: [u8; 128usize],
    pub bitlen: [u64; 2usize],
    pub datalen: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_dns {
    pub url: *const core::ffi::c_char,
    pub c: *mut mg_connection,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct mg_addr {
    pub addr: mg_addr__bindgen_ty_1,
    pub port: u16,
    pub scope_id: u8,
    pub is_ip6: bool,
}
#[repr(C)]
pub struct mg_mgr {
    pub conns: *mut mg_connection,
    pub dns4: mg_dns,
    pub dns6: mg_dns,
    pub mdns: *mut mg_connection,
    pub dnstimeout: core::ffi::c_int,
    pub use_dns6: bool,
    pub nextid: core::ffi::c_ulong,
    pub userdata: *mut core::ffi::c_void,
    pub tls_ctx: *mut core::ffi::c_void,
    pub mqtt_id: u16,
    pub active_dns_requests: *mut core::ffi::c_void,
    pub active_mdns_requests: *mut core::ffi::c_void,
    pub timers: *mut mg_timer,
    pub epoll_fd: core::ffi::c_int,
    pub ifp: *mut mg_tcpip_if,
    pub extraconnsize: usize,
    pub pipe: mg_pipe,
}
#[repr(C)]
pub struct mg_connection {
    pub next: *mut mg_connection,
    pub mgr: *mut mg_mgr,
    pub loc: mg_addr,
    pub rem: mg_addr,
    pub fd: *mut core::ffi::c_void,
    pub id: core::ffi::c_ulong,
    pub recv: mg_iobuf,
    pub send: mg_iobuf,
    pub prof: mg_iobuf,
    pub rtls: mg_iobuf,
    pub fn_: mg_event_handler_t,
    pub fn_data: *mut core::ffi::c_void,
    pub pfn: mg_event_handler_t,
    pub pfn_data: *mut core::ffi::c_void,
    pub data: [core::ffi::c_char; 32usize],
    pub tls: *mut core::ffi::c_void,
    pub _bitfield_align_1: [u8; 0],
    pub _bitfield_1: __BindgenBitfieldUnit<[u8; 4usize]>,
    pub __bindgen_padding_0: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_http_header {
    pub name: mg_str,
    pub value: mg_str,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_http_message {
    pub method: mg_str,
    pub uri: mg_str,
    pub query: mg_str,
    pub proto: mg_str,
    pub headers: [mg_http_header; 128usize],
    pub body: mg_str,
    pub head: mg_str,
    pub message: mg_str,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_http_serve_opts {
    pub root_dir: *const core::ffi::c_char,
    pub ssi_pattern: *const core::ffi::c_char,
    pub extra_headers: *const core::ffi::c_char,
    pub mime_types: *const core::ffi::c_char,
    pub page404: *const core::ffi::c_char,
    pub fs: *mut mg_fs,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_http_part {
    pub name: mg_str,
    pub filename: mg_str,
    pub body: mg_str,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_tls_opts {
    pub ca: mg_str,
    pub cert: mg_str,
    pub key: mg_str,
    pub name: mg_str,
    pub skip_verification: bool,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MG_UECC_Curve_t {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MG_UECC_HashContext {
    pub init_hash: ::core::option::Option<unsafe extern "C" fn(context: *const MG_UECC_HashContext)>,
    pub update_hash: ::core::option::Option<
        unsafe extern "C" fn(
            context: *const MG_UECC_HashContext,
            message: *const u8,
            message_size: core::ffi::c_uint,
        ),
    >,
    pub finish_hash: ::core::option::Option<
        unsafe extern "C" fn(context: *const MG_UECC_HashContext, hash_result: *mut u8),
    >,
    pub block_size: core::ffi::c_uint,
    pub result_size: core::ffi::c_uint,
    pub tmp: *mut u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_ws_message {
    pub data: mg_str,
    pub flags: u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_mqtt_prop {
    pub id: u8,
    pub iv: u32,
    pub key: mg_str,
    pub val: mg_str,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_mqtt_opts {
    pub user: mg_str,
    pub pass: mg_str,
    pub client_id: mg_str,
    pub topic: mg_str,
    pub message: mg_str,
    pub qos: u8,
    pub version: u8,
    pub keepalive: u16,
    pub retransmit_id: u16,
    pub retain: bool,
    pub clean: bool,
    pub props: *mut mg_mqtt_prop,
    pub num_props: usize,
    pub will_props: *mut mg_mqtt_prop,
    pub num_will_props: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_mqtt_message {
    pub topic: mg_str,
    pub data: mg_str,
    pub dgram: mg_str,
    pub id: u16,
    pub cmd: u8,
    pub qos: u8,
    pub ack: u8,
    pub props_start: usize,
    pub props_size: usize,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct mg_dns_message {
    pub txnid: u16,
    pub resolved: bool,
    pub addr: mg_addr,
    pub name: [core::ffi::c_char; 256usize],
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct mg_dns_header {
    pub txnid: u16,
    pub flags: u16,
    pub num_questions: u16,
    pub num_answers: u16,
    pub num_authority_prs: u16,
    pub num_other_prs: u16,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct mg_dns_rr {
    pub nlen: u16,
    pub atype: u16,
    pub aclass: u16,
    pub alen: u16,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_dnssd_record {
    pub srvcproto: mg_str,
    pub txt: mg_str,
    pub port: u16,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_mdns_req {
    pub rr: *mut mg_dns_rr,
    pub r: *mut mg_dnssd_record,
    pub reqname: mg_str,
    pub respname: mg_str,
    pub addr: *mut mg_addr,
    pub is_listing: bool,
    pub is_resp: bool,
    pub is_unicast: bool,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct mg_mdns_resp {
    pub rr: *mut mg_dns_rr,
    pub name: mg_str,
    pub addr: mg_addr,
    pub sd: mg_dnssd_record,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct mg_modbus_req {
    pub func: u8,
    pub error: u8,
    pub addr: u16,
    pub u: mg_modbus_req__bindgen_ty_1,
    pub len: u16,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_jwt_opts {
    pub claims: mg_str,
    pub header: mg_str,
    pub kid: mg_str,
    pub secret: mg_str,
    pub private_key: *const u8,
    pub public_key: *const u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_rpc_req {
    pub head: *mut *mut mg_rpc,
    pub rpc: *mut mg_rpc,
    pub pfn: mg_pfn_t,
    pub pfn_data: *mut core::ffi::c_void,
    pub req_data: *mut core::ffi::c_void,
    pub frame: mg_str,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_rpc {
    pub next: *mut mg_rpc,
    pub method: mg_str,
    pub fn_: ::core::option::Option<unsafe extern "C" fn(arg1: *mut mg_rpc_req)>,
    pub fn_data: *mut core::ffi::c_void,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_field {
    pub name: *const core::ffi::c_char,
    pub type_: mg_val_type,
    pub value: *mut core::ffi::c_void,
    pub value_size: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_dash_user {
    pub next: *mut mg_dash_user,
    pub name: [core::ffi::c_char; 32usize],
    pub token: [core::ffi::c_char; 21usize],
    pub level: core::ffi::c_int,
    pub expire: u64,
    pub dash: *mut mg_dash,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_field_set {
    pub name: *const core::ffi::c_char,
    pub fields: *mut mg_field,
    pub fn_: ::core::option::Option<unsafe extern "C" fn(op: mg_dash_op, u: *mut mg_dash_user) -> bool>,
    pub index: *mut core::ffi::c_int,
    pub get_dir: ::core::option::Option<
        unsafe extern "C" fn(u: *const mg_dash_user, buf: *mut core::ffi::c_char, len: usize) -> bool,
    >,
    pub next: *mut mg_field_set,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_dash_custom_handler {
    pub next: *mut mg_dash_custom_handler,
    pub uri_pattern: mg_str,
    pub handler: mg_event_handler_t,
    pub handler_data: *mut core::ffi::c_void,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_dash {
    pub sets: *mut mg_field_set,
    pub custom_handlers: *mut mg_dash_custom_handler,
    pub authenticate: ::core::option::Option<
        unsafe extern "C" fn(
            user: *mut core::ffi::c_char,
            userlen: usize,
            pass: *const core::ffi::c_char,
        ) -> core::ffi::c_int,
    >,
    pub session_auto_expiration_seconds: core::ffi::c_int,
    pub guest: *mut mg_dash_user,
    pub upload_fs: *mut mg_fs,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_wifi_data {
    pub ssid: *mut core::ffi::c_char,
    pub pass: *mut core::ffi::c_char,
    pub apssid: *mut core::ffi::c_char,
    pub appass: *mut core::ffi::c_char,
    pub apip: u32,
    pub apmask: u32,
    pub security: u8,
    pub apsecurity: u8,
    pub apchannel: u8,
    pub apmode: bool,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_wifi_scan_bss_data {
    pub SSID: mg_str,
    pub BSSID: *mut core::ffi::c_char,
    pub RSSI: i16,
    pub security: u8,
    pub channel: u8,
    pub _bitfield_align_1: [u8; 0],
    pub _bitfield_1: __BindgenBitfieldUnit<[u8; 1usize]>,
    pub __bindgen_padding_0: [u8; 3usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct mg_tcpip_driver_atcmd_data {
    pub usart: *mut core::ffi::c_void,
    pub reset: ::core::option::Option<unsafe extern "C" fn(arg1: *mut core::ffi::c_void)>,
    pub tx: ::core::option::Option<unsafe extern "C" fn(arg1: *mut core::ffi::c_void, arg2: u8)>,
    pub rx: ::core::option::Option<unsafe extern "C" fn(arg1: *mut core::ffi::c_void) -> core::ffi::c_int>,
    pub script: *mut *const core::ffi::c_char,
    pub script_index: core::ffi::c_int,
    pub deadline: u64,
    pub no_byte_stuff: bool,
    pub link: bool,
    pub unstuffing: bool,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct mg_phy {
    pub read_reg: ::core::option::Option<unsafe extern "C" fn(addr: u8, reg: u8) -> u16>,
    pub write_reg: ::core::option::Option<unsafe extern "C" fn(addr: u8, reg: u8, value: u16)>,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct mg_tcpip_if {
    pub _address: u8,
}
pub const MG_DATA_SIZE: u32 = 32;
pub const MG_MAX_HTTP_HEADERS: u32 = 128;
pub const MG_ENABLE_FREERTOS_TCP: u32 = 0;
pub const MG_ENABLE_PROFILE: u32 = 0;
pub const MG_ENABLE_TCPIP: u32 = 0;
pub const MG_ENABLE_SOCKET: u32 = 1;
pub const MG_ENABLE_IPV6: u32 = 1;
pub const MG_ENABLE_CUSTOM_RANDOM: u32 = 1;
pub const MG_ENABLE_POSIX_FS: u32 = 1;
pub const MG_IO_SIZE: u32 = 16384;
pub const MG_PATH_MAX: u32 = 4096;
pub const MG_OTA: u32 = 0;
pub const MG_VERSION: &[u8; 5] = b"7.23\0";
pub const MG_ARCH_CUSTOM: u32 = 0;
pub const MG_ARCH_UNIX: u32 = 1;
pub const MG_ARCH_WIN32: u32 = 2;
pub const MG_ARCH_ESP32: u32 = 3;
pub const MG_ARCH_ESP8266: u32 = 4;
pub const MG_ARCH_FREERTOS: u32 = 5;
pub const MG_ARCH_THREADX: u32 = 6;
pub const MG_ARCH_ZEPHYR: u32 = 7;
pub const MG_ARCH_ARMGCC: u32 = 8;
pub const MG_ARCH_CMSIS_RTOS1: u32 = 9;
pub const MG_ARCH_TIRTOS: u32 = 10;
pub const MG_ARCH_PICOSDK: u32 = 11;
pub const MG_ARCH_ARMCC: u32 = 12;
pub const MG_ARCH_CMSIS_RTOS2: u32 = 13;
pub const MG_ARCH_RTTHREAD: u32 = 14;
pub const MG_ARCH_ARMCGT: u32 = 15;
pub const MG_ARCH_CUBE: u32 = 16;
pub const MG_ARCH_MCUXPRESSO: u32 = 17;
pub const MG_ARCH_NEWLIB: u32 = 8;
pub const MG_ENABLE_LOG: u32 = 1;
pub const MG_ENABLE_CUSTOM_CALLOC: u32 = 0;
pub const MG_ENABLE_CUSTOM_LOG: u32 = 0;
pub const MG_ENABLE_FREERTOS: u32 = 0;
pub const MG_ENABLE_BSD_SOCKETS: u32 = 0;
pub const MG_ENABLE_BSD_PROTOTYPES: u32 = 1;
pub const MG_ENABLE_LWIP: u32 = 0;
pub const MG_ENABLE_RL: u32 = 0;
pub const MG_ENABLE_FATFS: u32 = 0;
pub const MG_ENABLE_LFS: u32 = 0;
pub const MG_IPV6_V6ONLY: u32 = 0;
pub const MG_ENABLE_MD5: u32 = 1;
pub const MG_ENABLE_WINSOCK: u32 = 1;
pub const MG_ENABLE_CUSTOM_MILLIS: u32 = 0;
pub const MG_ENABLE_ASSERT: u32 = 0;
pub const MG_MAX_RECV_SIZE: u32 = 3145728;
pub const MG_HTTP_INDEX: &[u8; 11] = b"index.html\0";
pub const MG_SOCK_LISTEN_BACKLOG_SIZE: u32 = 128;
pub const MG_ENABLE_TCPIP_DRIVER_INIT: u32 = 1;
pub const MG_TCPIP_PREFIX_LEN: u32 = 0;
pub const MG_TCPIP_DHCPNAME_SIZE: u32 = 18;
pub const MG_ENABLE_TCPIP_PRINT_DEBUG_STATS: u32 = 0;
pub const MG_ENABLE_CHACHA20: u32 = 1;
pub const MG_TIMER_ONCE: u32 = 0;
pub const MG_TIMER_REPEAT: u32 = 1;
pub const MG_TIMER_RUN_NOW: u32 = 2;
pub const MG_TIMER_CALLED: u32 = 4;
pub const MG_TIMER_AUTODELETE: u32 = 8;
pub const MG_DSCP_EF: u32 = 46;
pub const MG_TLS_NONE: u32 = 0;
pub const MG_TLS_MBED: u32 = 1;
pub const MG_TLS_OPENSSL: u32 = 2;
pub const MG_TLS_WOLFSSL: u32 = 5;
pub const MG_TLS_BUILTIN: u32 = 3;
pub const MG_TLS_CUSTOM: u32 = 4;
pub const WEBSOCKET_OP_CONTINUE: u32 = 0;
pub const WEBSOCKET_OP_TEXT: u32 = 1;
pub const WEBSOCKET_OP_BINARY: u32 = 2;
pub const WEBSOCKET_OP_CLOSE: u32 = 8;
pub const WEBSOCKET_OP_PING: u32 = 9;
pub const WEBSOCKET_OP_PONG: u32 = 10;
pub const MQTT_CMD_CONNECT: u32 = 1;
pub const MQTT_CMD_CONNACK: u32 = 2;
pub const MQTT_CMD_PUBLISH: u32 = 3;
pub const MQTT_CMD_PUBACK: u32 = 4;
pub const MQTT_CMD_PUBREC: u32 = 5;
pub const MQTT_CMD_PUBREL: u32 = 6;
pub const MQTT_CMD_PUBCOMP: u32 = 7;
pub const MQTT_CMD_SUBSCRIBE: u32 = 8;
pub const MQTT_CMD_SUBACK: u32 = 9;
pub const MQTT_CMD_UNSUBSCRIBE: u32 = 10;
pub const MQTT_CMD_UNSUBACK: u32 = 11;
pub const MQTT_CMD_PINGREQ: u32 = 12;
pub const MQTT_CMD_PINGRESP: u32 = 13;
pub const MQTT_CMD_DISCONNECT: u32 = 14;
pub const MQTT_CMD_AUTH: u32 = 15;
pub const MQTT_PROP_PAYLOAD_FORMAT_INDICATOR: u32 = 1;
pub const MQTT_PROP_MESSAGE_EXPIRY_INTERVAL: u32 = 2;
pub const MQTT_PROP_CONTENT_TYPE: u32 = 3;
pub const MQTT_PROP_RESPONSE_TOPIC: u32 = 8;
pub const MQTT_PROP_CORRELATION_DATA: u32 = 9;
pub const MQTT_PROP_SUBSCRIPTION_IDENTIFIER: u32 = 11;
pub const MQTT_PROP_SESSION_EXPIRY_INTERVAL: u32 = 17;
pub const MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER: u32 = 18;
pub const MQTT_PROP_SERVER_KEEP_ALIVE: u32 = 19;
pub const MQTT_PROP_AUTHENTICATION_METHOD: u32 = 21;
pub const MQTT_PROP_AUTHENTICATION_DATA: u32 = 22;
pub const MQTT_PROP_REQUEST_PROBLEM_INFORMATION: u32 = 23;
pub const MQTT_PROP_WILL_DELAY_INTERVAL: u32 = 24;
pub const MQTT_PROP_REQUEST_RESPONSE_INFORMATION: u32 = 25;
pub const MQTT_PROP_RESPONSE_INFORMATION: u32 = 26;
pub const MQTT_PROP_SERVER_REFERENCE: u32 = 28;
pub const MQTT_PROP_REASON_STRING: u32 = 31;
pub const MQTT_PROP_RECEIVE_MAXIMUM: u32 = 33;
pub const MQTT_PROP_TOPIC_ALIAS_MAXIMUM: u32 = 34;
pub const MQTT_PROP_TOPIC_ALIAS: u32 = 35;
pub const MQTT_PROP_MAXIMUM_QOS: u32 = 36;
pub const MQTT_PROP_RETAIN_AVAILABLE: u32 = 37;
pub const MQTT_PROP_USER_PROPERTY: u32 = 38;
pub const MQTT_PROP_MAXIMUM_PACKET_SIZE: u32 = 39;
pub const MQTT_PROP_WILDCARD_SUBSCRIPTION_AVAILABLE: u32 = 40;
pub const MQTT_PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE: u32 = 41;
pub const MQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE: u32 = 42;
pub const MG_DNS_RTYPE_A: u32 = 1;
pub const MG_DNS_RTYPE_PTR: u32 = 12;
pub const MG_DNS_RTYPE_TXT: u32 = 16;
pub const MG_DNS_RTYPE_AAAA: u32 = 28;
pub const MG_DNS_RTYPE_SRV: u32 = 33;
pub const MG_MODBUS_FUNC_READ_COILS: u32 = 1;
pub const MG_MODBUS_FUNC_READ_DISCRETE_INPUTS: u32 = 2;
pub const MG_MODBUS_FUNC_READ_HOLDING_REGISTERS: u32 = 3;
pub const MG_MODBUS_FUNC_READ_INPUT_REGISTERS: u32 = 4;
pub const MG_MODBUS_FUNC_WRITE_SINGLE_COIL: u32 = 5;
pub const MG_MODBUS_FUNC_WRITE_SINGLE_REGISTER: u32 = 6;
pub const MG_MODBUS_FUNC_WRITE_MULTIPLE_COILS: u32 = 15;
pub const MG_MODBUS_FUNC_WRITE_MULTIPLE_REGISTERS: u32 = 16;
pub const MG_MODBUS_ERR_NONE: u32 = 0;
pub const MG_MODBUS_ERR_ILLEGAL_FUNCTION: u32 = 1;
pub const MG_MODBUS_ERR_ILLEGAL_ADDRESS: u32 = 2;
pub const MG_MODBUS_ERR_ILLEGAL_VALUE: u32 = 3;
pub const MG_MODBUS_ERR_DEVICE_FAILURE: u32 = 4;
pub const MG_JSON_MAX_DEPTH: u32 = 30;
pub const MG_DASH_MAX_USER_NAME: u32 = 32;
pub const MG_HTTP_ADDR: &[u8; 20] = b"http://0.0.0.0:8000\0";
pub const MG_HTTPS_ADDR: &[u8; 21] = b"https://0.0.0.0:8443\0";
pub const MG_MODBUS_ADDR: &[u8; 19] = b"tcp://0.0.0.0:8502\0";
pub const MG_DASH_MAX_SEND_BUF_SIZE: u32 = 81920;
pub const MG_OTA_NONE: u32 = 0;
pub const MG_OTA_STM32H5: u32 = 1;
pub const MG_OTA_STM32H7: u32 = 2;
pub const MG_OTA_STM32H7_DUAL_CORE: u32 = 3;
pub const MG_OTA_STM32F: u32 = 4;
pub const MG_OTA_CH32V307: u32 = 100;
pub const MG_OTA_U2A: u32 = 200;
pub const MG_OTA_RT1020: u32 = 300;
pub const MG_OTA_RT1050: u32 = 301;
pub const MG_OTA_RT1060: u32 = 302;
pub const MG_OTA_RT1064: u32 = 303;
pub const MG_OTA_RT1170: u32 = 304;
pub const MG_OTA_MCXN: u32 = 310;
pub const MG_OTA_RW612: u32 = 320;
pub const MG_OTA_FLASH: u32 = 900;
pub const MG_OTA_ESP32: u32 = 910;
pub const MG_OTA_PICOSDK: u32 = 920;
pub const MG_OTA_CUSTOM: u32 = 1000;
pub const MG_OTA_ROLLBACK_TIMEOUT_SECONDS: u32 = 120;
pub const MG_OTA_FIRMWARE_VERSION: &[u8; 6] = b"1.0.0\0";
pub const MG_OTA_MAX_VERSION_LEN: u32 = 64;
pub const MG_OTA_PULL_INTERVAL_SECONDS: u32 = 60;
pub const MG_ENABLE_CUSTOM_DEVICE_ID: u32 = 0;
pub const MG_WIFI_SECURITY_OPEN: u32 = 0;
pub const MG_WIFI_BAND_2G: u32 = 0;
pub const MG_WIFI_BAND_5G: u32 = 1;
pub const MG_LL_NONE: core::ffi::c_uint = 0;
pub const MG_LL_ERROR: core::ffi::c_uint = 1;
pub const MG_LL_INFO: core::ffi::c_uint = 2;
pub const MG_LL_DEBUG: core::ffi::c_uint = 3;
pub const MG_LL_VERBOSE: core::ffi::c_uint = 4;
pub const MG_FS_READ: core::ffi::c_uint = 1;
pub const MG_FS_WRITE: core::ffi::c_uint = 2;
pub const MG_FS_DIR: core::ffi::c_uint = 4;
pub const MG_FS_EXCL: core::ffi::c_uint = 8;
pub const MG_EV_ERROR: mg_event = 0;
pub const MG_EV_OPEN: mg_event = 1;
pub const MG_EV_POLL: mg_event = 2;
pub const MG_EV_RESOLVE: mg_event = 3;
pub const MG_EV_CONNECT: mg_event = 4;
pub const MG_EV_ACCEPT: mg_event = 5;
pub const MG_EV_TLS_HS: mg_event = 6;
pub const MG_EV_READ: mg_event = 7;
pub const MG_EV_WRITE: mg_event = 8;
pub const MG_EV_CLOSE: mg_event = 9;
pub const MG_EV_HTTP_HDRS: mg_event = 10;
pub const MG_EV_HTTP_MSG: mg_event = 11;
pub const MG_EV_WS_OPEN: mg_event = 12;
pub const MG_EV_WS_MSG: mg_event = 13;
pub const MG_EV_WS_CTL: mg_event = 14;
pub const MG_EV_MQTT_CMD: mg_event = 15;
pub const MG_EV_MQTT_MSG: mg_event = 16;
pub const MG_EV_MQTT_OPEN: mg_event = 17;
pub const MG_EV_SNTP_TIME: mg_event = 18;
pub const MG_EV_WAKEUP: mg_event = 19;
pub const MG_EV_MDNS_REQ: mg_event = 20;
pub const MG_EV_MDNS_RESP: mg_event = 21;
pub const MG_EV_MODBUS_REQ: mg_event = 22;
pub const MG_EV_USER: mg_event = 23;
pub const MG_IO_ERR: core::ffi::c_int = -1;
pub const MG_IO_WAIT: core::ffi::c_int = -2;
pub const MQTT_PROP_TYPE_BYTE: core::ffi::c_uint = 0;
pub const MQTT_PROP_TYPE_STRING: core::ffi::c_uint = 1;
pub const MQTT_PROP_TYPE_STRING_PAIR: core::ffi::c_uint = 2;
pub const MQTT_PROP_TYPE_BINARY_DATA: core::ffi::c_uint = 3;
pub const MQTT_PROP_TYPE_VARIABLE_INT: core::ffi::c_uint = 4;
pub const MQTT_PROP_TYPE_INT: core::ffi::c_uint = 5;
pub const MQTT_PROP_TYPE_SHORT: core::ffi::c_uint = 6;
pub const MQTT_OK: core::ffi::c_uint = 0;
pub const MQTT_INCOMPLETE: core::ffi::c_uint = 1;
pub const MQTT_MALFORMED: core::ffi::c_uint = 2;
pub const MG_JSON_TOO_DEEP: core::ffi::c_int = -1;
pub const MG_JSON_INVALID: core::ffi::c_int = -2;
pub const MG_JSON_NOT_FOUND: core::ffi::c_int = -3;
pub const MG_VAL_INT: mg_val_type = 0;
pub const MG_VAL_UINT64: mg_val_type = 1;
pub const MG_VAL_BOOL: mg_val_type = 2;
pub const MG_VAL_DBL: mg_val_type = 3;
pub const MG_VAL_STR: mg_val_type = 4;
pub const MG_VAL_RAW: mg_val_type = 5;
pub const MG_DASH_READ: mg_dash_op = 0;
pub const MG_DASH_WRITE: mg_dash_op = 1;
pub const MG_DASH_DELETE: mg_dash_op = 2;
pub const MG_DASH_ADD: mg_dash_op = 3;
pub const MG_OTA_CONFIRMED: core::ffi::c_uint = 0;
pub const MG_OTA_TESTING: core::ffi::c_uint = 1;
pub const MG_OTA_FAILED: core::ffi::c_uint = 2;
pub const MG_OTA_ROLLEDBACK: core::ffi::c_uint = 3;
pub const MG_PHY_LEDS_ACTIVE_HIGH: core::ffi::c_uint = 1;
pub const MG_PHY_CLOCKS_MAC: core::ffi::c_uint = 2;
pub const MG_PHY_SPEED_10M: core::ffi::c_uint = 0;
pub const MG_PHY_SPEED_100M: core::ffi::c_uint = 1;
pub const MG_PHY_SPEED_1000M: core::ffi::c_uint = 2;
#[repr(C)]
#[derive(Copy, Clone)]
pub union mg_addr__bindgen_ty_1 {
    pub ip: [u8; 16usize],
    pub ip4: u32,
    pub ip6: [u64; 2usize],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union mg_pipe {
    pub fd: MG_SOCKET_TYPE,
    pub q: *mut core::ffi::c_void,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union mg_modbus_req__bindgen_ty_1 {
    pub bits: *mut bool,
    pub regs: *mut u16,
}
impl<Storage> __BindgenBitfieldUnit<Storage> {
    #[inline]
    pub const fn new(storage: Storage) -> Self {
        Self { storage }
    }
}
impl<Storage> __BindgenBitfieldUnit<Storage>
where
    Storage: AsRef<[u8]> + AsMut<[u8]>,
{
    #[inline]
    fn extract_bit(byte: u8, index: usize) -> bool {
        let bit_index = if cfg!(target_endian = "big") { 7 - (index % 8) } else { index % 8 };
        let mask = 1 << bit_index;
        byte & mask == mask
    }
    #[inline]
    pub fn get_bit(&self, index: usize) -> bool {
        debug_assert!(index / 8 < self.storage.as_ref().len());
        let byte_index = index / 8;
        let byte = self.storage.as_ref()[byte_index];
        Self::extract_bit(byte, index)
    }
    #[inline]
    pub unsafe fn raw_get_bit(this: *const Self, index: usize) -> bool {
        debug_assert!(index / 8 < core::mem::size_of::<Storage>());
        let byte_index = index / 8;
        let byte =
            unsafe { *(core::ptr::addr_of!((*this).storage) as *const u8).offset(byte_index as isize) };
        Self::extract_bit(byte, index)
    }
    #[inline]
    fn change_bit(byte: u8, index: usize, val: bool) -> u8 {
        let bit_index = if cfg!(target_endian = "big") { 7 - (index % 8) } else { index % 8 };
        let mask = 1 << bit_index;
        if val { byte | mask } else { byte & !mask }
    }
    #[inline]
    pub fn set_bit(&mut self, index: usize, val: bool) {
        debug_assert!(index / 8 < self.storage.as_ref().len());
        let byte_index = index / 8;
        let byte = &mut self.storage.as_mut()[byte_index];
        *byte = Self::change_bit(*byte, index, val);
    }
    #[inline]
    pub unsafe fn raw_set_bit(this: *mut Self, index: usize, val: bool) {
        debug_assert!(index / 8 < core::mem::size_of::<Storage>());
        let byte_index = index / 8;
        let byte =
            unsafe { (core::ptr::addr_of_mut!((*this).storage) as *mut u8).offset(byte_index as isize) };
        unsafe { *byte = Self::change_bit(*byte, index, val) };
    }
    #[inline]
    pub fn get(&self, bit_offset: usize, bit_width: u8) -> u64 {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < self.storage.as_ref().len());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= self.storage.as_ref().len(),);
        let mut val = 0;
        for i in 0..(bit_width as usize) {
            if self.get_bit(i + bit_offset) {
                let index = if cfg!(target_endian = "big") { bit_width as usize - 1 - i } else { i };
                val |= 1 << index;
            }
        }
        val
    }
    #[inline]
    pub unsafe fn raw_get(this: *const Self, bit_offset: usize, bit_width: u8) -> u64 {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < core::mem::size_of::<Storage>());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= core::mem::size_of::<Storage>(),);
        let mut val = 0;
        for i in 0..(bit_width as usize) {
            if unsafe { Self::raw_get_bit(this, i + bit_offset) } {
                let index = if cfg!(target_endian = "big") { bit_width as usize - 1 - i } else { i };
                val |= 1 << index;
            }
        }
        val
    }
    #[inline]
    pub fn set(&mut self, bit_offset: usize, bit_width: u8, val: u64) {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < self.storage.as_ref().len());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= self.storage.as_ref().len(),);
        for i in 0..(bit_width as usize) {
            let mask = 1 << i;
            let val_bit_is_set = val & mask == mask;
            let index = if cfg!(target_endian = "big") { bit_width as usize - 1 - i } else { i };
            self.set_bit(index + bit_offset, val_bit_is_set);
        }
    }
    #[inline]
    pub unsafe fn raw_set(this: *mut Self, bit_offset: usize, bit_width: u8, val: u64) {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < core::mem::size_of::<Storage>());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= core::mem::size_of::<Storage>(),);
        for i in 0..(bit_width as usize) {
            let mask = 1 << i;
            let val_bit_is_set = val & mask == mask;
            let index = if cfg!(target_endian = "big") { bit_width as usize - 1 - i } else { i };
            unsafe { Self::raw_set_bit(this, index + bit_offset, val_bit_is_set) };
        }
    }
}
impl Default for mg_str {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_queue {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_timer {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_fd {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_mem_file {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_iobuf {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_md5_ctx {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_sha1_ctx {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_sha256_ctx {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_sha384_ctx {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_dns {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_addr__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_addr {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_pipe {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_mgr {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_connection {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl mg_connection {
    #[inline]
    pub fn dscp(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(0usize, 6u8) as u32) }
    }
    #[inline]
    pub fn set_dscp(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(0usize, 6u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn dscp_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                0usize,
                6u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_dscp_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                0usize,
                6u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_listening(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(6usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_listening(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(6usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_listening_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                6usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_listening_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                6usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_client(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(7usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_client(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(7usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_client_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                7usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_client_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                7usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_accepted(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(8usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_accepted(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(8usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_accepted_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                8usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_accepted_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                8usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_resolving(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(9usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_resolving(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(9usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_resolving_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                9usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_resolving_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                9usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_arplooking(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(10usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_arplooking(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(10usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_arplooking_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                10usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_arplooking_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                10usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_connecting(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(11usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_connecting(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(11usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_connecting_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                11usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_connecting_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                11usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_tls(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(12usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_tls(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(12usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_tls_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                12usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_tls_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                12usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_tls_hs(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(13usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_tls_hs(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(13usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_tls_hs_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                13usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_tls_hs_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                13usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_udp(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(14usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_udp(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(14usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_udp_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                14usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_udp_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                14usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_websocket(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(15usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_websocket(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(15usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_websocket_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                15usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_websocket_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                15usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_mqtt5(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(16usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_mqtt5(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(16usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_mqtt5_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                16usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_mqtt5_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                16usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_hexdumping(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(17usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_hexdumping(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(17usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_hexdumping_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                17usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_hexdumping_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                17usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_draining(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(18usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_draining(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(18usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_draining_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                18usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_draining_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                18usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_closing(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(19usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_closing(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(19usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_closing_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                19usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_closing_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                19usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_full(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(20usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_full(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(20usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_full_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                20usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_full_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                20usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_tls_throttled(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(21usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_tls_throttled(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(21usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_tls_throttled_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                21usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_tls_throttled_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                21usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_resp(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(22usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_resp(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(22usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_resp_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                22usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_resp_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                22usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_readable(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(23usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_readable(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(23usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_readable_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                23usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_readable_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                23usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn is_writable(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(24usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_is_writable(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(24usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn is_writable_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 4usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                24usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_is_writable_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 4usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                24usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn new_bitfield_1(
        dscp: core::ffi::c_uint,
        is_listening: core::ffi::c_uint,
        is_client: core::ffi::c_uint,
        is_accepted: core::ffi::c_uint,
        is_resolving: core::ffi::c_uint,
        is_arplooking: core::ffi::c_uint,
        is_connecting: core::ffi::c_uint,
        is_tls: core::ffi::c_uint,
        is_tls_hs: core::ffi::c_uint,
        is_udp: core::ffi::c_uint,
        is_websocket: core::ffi::c_uint,
        is_mqtt5: core::ffi::c_uint,
        is_hexdumping: core::ffi::c_uint,
        is_draining: core::ffi::c_uint,
        is_closing: core::ffi::c_uint,
        is_full: core::ffi::c_uint,
        is_tls_throttled: core::ffi::c_uint,
        is_resp: core::ffi::c_uint,
        is_readable: core::ffi::c_uint,
        is_writable: core::ffi::c_uint,
    ) -> __BindgenBitfieldUnit<[u8; 4usize]> {
        let mut __bindgen_bitfield_unit: __BindgenBitfieldUnit<[u8; 4usize]> = Default::default();
        __bindgen_bitfield_unit.set(0usize, 6u8, {
            let dscp: u32 = unsafe { ::core::mem::transmute(dscp) };
            dscp as u64
        });
        __bindgen_bitfield_unit.set(6usize, 1u8, {
            let is_listening: u32 = unsafe { ::core::mem::transmute(is_listening) };
            is_listening as u64
        });
        __bindgen_bitfield_unit.set(7usize, 1u8, {
            let is_client: u32 = unsafe { ::core::mem::transmute(is_client) };
            is_client as u64
        });
        __bindgen_bitfield_unit.set(8usize, 1u8, {
            let is_accepted: u32 = unsafe { ::core::mem::transmute(is_accepted) };
            is_accepted as u64
        });
        __bindgen_bitfield_unit.set(9usize, 1u8, {
            let is_resolving: u32 = unsafe { ::core::mem::transmute(is_resolving) };
            is_resolving as u64
        });
        __bindgen_bitfield_unit.set(10usize, 1u8, {
            let is_arplooking: u32 = unsafe { ::core::mem::transmute(is_arplooking) };
            is_arplooking as u64
        });
        __bindgen_bitfield_unit.set(11usize, 1u8, {
            let is_connecting: u32 = unsafe { ::core::mem::transmute(is_connecting) };
            is_connecting as u64
        });
        __bindgen_bitfield_unit.set(12usize, 1u8, {
            let is_tls: u32 = unsafe { ::core::mem::transmute(is_tls) };
            is_tls as u64
        });
        __bindgen_bitfield_unit.set(13usize, 1u8, {
            let is_tls_hs: u32 = unsafe { ::core::mem::transmute(is_tls_hs) };
            is_tls_hs as u64
        });
        __bindgen_bitfield_unit.set(14usize, 1u8, {
            let is_udp: u32 = unsafe { ::core::mem::transmute(is_udp) };
            is_udp as u64
        });
        __bindgen_bitfield_unit.set(15usize, 1u8, {
            let is_websocket: u32 = unsafe { ::core::mem::transmute(is_websocket) };
            is_websocket as u64
        });
        __bindgen_bitfield_unit.set(16usize, 1u8, {
            let is_mqtt5: u32 = unsafe { ::core::mem::transmute(is_mqtt5) };
            is_mqtt5 as u64
        });
        __bindgen_bitfield_unit.set(17usize, 1u8, {
            let is_hexdumping: u32 = unsafe { ::core::mem::transmute(is_hexdumping) };
            is_hexdumping as u64
        });
        __bindgen_bitfield_unit.set(18usize, 1u8, {
            let is_draining: u32 = unsafe { ::core::mem::transmute(is_draining) };
            is_draining as u64
        });
        __bindgen_bitfield_unit.set(19usize, 1u8, {
            let is_closing: u32 = unsafe { ::core::mem::transmute(is_closing) };
            is_closing as u64
        });
        __bindgen_bitfield_unit.set(20usize, 1u8, {
            let is_full: u32 = unsafe { ::core::mem::transmute(is_full) };
            is_full as u64
        });
        __bindgen_bitfield_unit.set(21usize, 1u8, {
            let is_tls_throttled: u32 = unsafe { ::core::mem::transmute(is_tls_throttled) };
            is_tls_throttled as u64
        });
        __bindgen_bitfield_unit.set(22usize, 1u8, {
            let is_resp: u32 = unsafe { ::core::mem::transmute(is_resp) };
            is_resp as u64
        });
        __bindgen_bitfield_unit.set(23usize, 1u8, {
            let is_readable: u32 = unsafe { ::core::mem::transmute(is_readable) };
            is_readable as u64
        });
        __bindgen_bitfield_unit.set(24usize, 1u8, {
            let is_writable: u32 = unsafe { ::core::mem::transmute(is_writable) };
            is_writable as u64
        });
        __bindgen_bitfield_unit
    }
}
impl Default for mg_http_header {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_http_message {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_http_serve_opts {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_http_part {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_tls_opts {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for MG_UECC_HashContext {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_ws_message {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_mqtt_prop {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_mqtt_opts {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_mqtt_message {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_dns_message {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_dnssd_record {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_mdns_req {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_mdns_resp {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_modbus_req__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_modbus_req {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_jwt_opts {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_rpc_req {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_rpc {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_field {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_dash_user {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_field_set {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_dash_custom_handler {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_dash {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_wifi_data {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl Default for mg_wifi_scan_bss_data {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
impl mg_wifi_scan_bss_data {
    #[inline]
    pub fn band(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(0usize, 2u8) as u32) }
    }
    #[inline]
    pub fn set_band(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(0usize, 2u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn band_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                0usize,
                2u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_band_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                0usize,
                2u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn has_n(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(2usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_has_n(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(2usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn has_n_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                2usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_has_n_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                2usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn has_ac(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(3usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_has_ac(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(3usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn has_ac_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                3usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_has_ac_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                3usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn has_ax(&self) -> core::ffi::c_uint {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(4usize, 1u8) as u32) }
    }
    #[inline]
    pub fn set_has_ax(&mut self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            self._bitfield_1.set(4usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn has_ax_raw(this: *const Self) -> core::ffi::c_uint {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                4usize,
                1u8,
            ) as u32)
        }
    }
    #[inline]
    pub unsafe fn set_has_ax_raw(this: *mut Self, val: core::ffi::c_uint) {
        unsafe {
            let val: u32 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                4usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn new_bitfield_1(
        band: core::ffi::c_uint,
        has_n: core::ffi::c_uint,
        has_ac: core::ffi::c_uint,
        has_ax: core::ffi::c_uint,
    ) -> __BindgenBitfieldUnit<[u8; 1usize]> {
        let mut __bindgen_bitfield_unit: __BindgenBitfieldUnit<[u8; 1usize]> = Default::default();
        __bindgen_bitfield_unit.set(0usize, 2u8, {
            let band: u32 = unsafe { ::core::mem::transmute(band) };
            band as u64
        });
        __bindgen_bitfield_unit.set(2usize, 1u8, {
            let has_n: u32 = unsafe { ::core::mem::transmute(has_n) };
            has_n as u64
        });
        __bindgen_bitfield_unit.set(3usize, 1u8, {
            let has_ac: u32 = unsafe { ::core::mem::transmute(has_ac) };
            has_ac as u64
        });
        __bindgen_bitfield_unit.set(4usize, 1u8, {
            let has_ax: u32 = unsafe { ::core::mem::transmute(has_ax) };
            has_ax as u64
        });
        __bindgen_bitfield_unit
    }
}
impl Default for mg_tcpip_driver_atcmd_data {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn mg_str_s(s: *const core::ffi::c_char) -> mg_str;
    pub fn mg_str_n(s: *const core::ffi::c_char, n: usize) -> mg_str;
    pub fn mg_casecmp(s1: *const core::ffi::c_char, s2: *const core::ffi::c_char) -> core::ffi::c_int;
    pub fn mg_strcmp(str1: mg_str, str2: mg_str) -> core::ffi::c_int;
    pub fn mg_strcasecmp(str1: mg_str, str2: mg_str) -> core::ffi::c_int;
    pub fn mg_strdup(s: mg_str) -> mg_str;
    pub fn mg_match(str_: mg_str, pattern: mg_str, caps: *mut mg_str) -> bool;
    pub fn mg_span(s: mg_str, a: *mut mg_str, b: *mut mg_str, sep: core::ffi::c_char) -> bool;
    pub fn mg_str_to_num(
        str_: mg_str,
        base: core::ffi::c_int,
        val: *mut core::ffi::c_void,
        val_len: usize,
    ) -> bool;
    pub fn mg_queue_init(q: *mut mg_queue, buf: *mut core::ffi::c_char, size: usize);
    pub fn mg_queue_book(q: *mut mg_queue, buf: *mut *mut core::ffi::c_char, len: usize) -> usize;
    pub fn mg_queue_add(q: *mut mg_queue, len: usize);
    pub fn mg_queue_next(q: *mut mg_queue, buf: *mut *mut core::ffi::c_char) -> usize;
    pub fn mg_queue_del(q: *mut mg_queue, len: usize);
    pub fn mg_xprintf(
        fn_: mg_pfn_t,
        arg: *mut core::ffi::c_void,
        fmt: *const core::ffi::c_char,
        ...
    ) -> usize;
    pub fn mg_snprintf(buf: *mut core::ffi::c_char, len: usize, fmt: *const core::ffi::c_char, ...) -> usize;
    pub fn mg_mprintf(fmt: *const core::ffi::c_char, ...) -> *mut core::ffi::c_char;
    pub fn mg_queue_printf(arg1: *mut mg_queue, fmt: *const core::ffi::c_char, ...) -> usize;
    pub fn mg_pfn_iobuf(ch: core::ffi::c_char, param: *mut core::ffi::c_void);
    pub fn mg_pfn_iobuf_noresize(ch: core::ffi::c_char, param: *mut core::ffi::c_void);
    pub fn mg_pfn_stdout(c: core::ffi::c_char, param: *mut core::ffi::c_void);
    pub static mut mg_log_level: core::ffi::c_int;
    pub fn mg_log(fmt: *const core::ffi::c_char, ...);
    pub fn mg_log_prefix(
        ll: core::ffi::c_int,
        file: *const core::ffi::c_char,
        line: core::ffi::c_int,
        fname: *const core::ffi::c_char,
    );
    pub fn mg_hexdump(buf: *const core::ffi::c_void, len: usize);
    pub fn mg_log_set_fn(fn_: mg_pfn_t, param: *mut core::ffi::c_void);
    pub fn mg_timer_init(
        head: *mut *mut mg_timer,
        timer: *mut mg_timer,
        milliseconds: u64,
        flags: core::ffi::c_uint,
        fn_: ::core::option::Option<unsafe extern "C" fn(arg1: *mut core::ffi::c_void)>,
        arg: *mut core::ffi::c_void,
    );
    pub fn mg_timer_free(head: *mut *mut mg_timer, arg1: *mut mg_timer);
    pub fn mg_timer_poll(head: *mut *mut mg_timer, new_ms: u64);
    pub static mut mg_fs_posix: mg_fs;
    pub static mut mg_fs_packed: mg_fs;
    pub fn mg_fs_open(fs: *mut mg_fs, path: *const core::ffi::c_char, flags: core::ffi::c_int) -> *mut mg_fd;
    pub fn mg_fs_close(fd: *mut mg_fd);
    pub fn mg_fs_ls(
        fs: *mut mg_fs,
        path: *const core::ffi::c_char,
        buf: *mut core::ffi::c_char,
        len: usize,
    ) -> bool;
    pub fn mg_file_read(fs: *mut mg_fs, path: *const core::ffi::c_char) -> mg_str;
    pub fn mg_file_write(
        fs: *mut mg_fs,
        path: *const core::ffi::c_char,
        buf: *const core::ffi::c_void,
        len: usize,
    ) -> bool;
    pub fn mg_file_printf(
        fs: *mut mg_fs,
        path: *const core::ffi::c_char,
        fmt: *const core::ffi::c_char,
        ...
    ) -> bool;
    pub static mut mg_mem_files: *const mg_mem_file;
    pub fn mg_unpacked(path: *const core::ffi::c_char) -> mg_str;
    pub fn mg_calloc(count: usize, size: usize) -> *mut core::ffi::c_void;
    pub fn mg_free(ptr: *mut core::ffi::c_void);
    pub fn mg_bzero(buf: *mut core::ffi::c_uchar, len: usize);
    pub fn mg_memeq(a: *const core::ffi::c_void, b: *const core::ffi::c_void, n: usize) -> bool;
    pub fn mg_random(buf: *mut core::ffi::c_void, len: usize) -> bool;
    pub fn mg_random_str(buf: *mut core::ffi::c_char, len: usize) -> *mut core::ffi::c_char;
    pub fn mg_crc32(crc: u32, buf: *const core::ffi::c_char, len: usize) -> u32;
    pub fn mg_crc16(crc: u16, buf: *const core::ffi::c_char, len: usize) -> u16;
    pub fn mg_path_is_sane(path: mg_str) -> bool;
    pub fn mg_delayms(ms: core::ffi::c_uint);
    pub fn mg_timegm(
        year: core::ffi::c_uint,
        month: core::ffi::c_uint,
        day: core::ffi::c_uint,
        hour: core::ffi::c_uint,
        min: core::ffi::c_uint,
        sec: core::ffi::c_uint,
    ) -> u64;
    pub fn mg_ntohs(net: u16) -> u16;
    pub fn mg_ntohl(net: u32) -> u32;
    pub fn mg_ntohll(net: u64) -> u64;
    pub fn mg_check_ip_acl(acl: mg_str, remote_ip: *mut mg_addr) -> core::ffi::c_int;
    pub fn mg_url_port(url: *const core::ffi::c_char) -> core::ffi::c_ushort;
    pub fn mg_url_is_ssl(url: *const core::ffi::c_char) -> bool;
    pub fn mg_url_host(url: *const core::ffi::c_char) -> mg_str;
    pub fn mg_url_user(url: *const core::ffi::c_char) -> mg_str;
    pub fn mg_url_pass(url: *const core::ffi::c_char) -> mg_str;
    pub fn mg_url_uri(url: *const core::ffi::c_char) -> *const core::ffi::c_char;
    pub fn mg_iobuf_init(io: *mut mg_iobuf, size: usize, align: usize) -> bool;
    pub fn mg_iobuf_resize(io: *mut mg_iobuf, new_size: usize) -> bool;
    pub fn mg_iobuf_free(io: *mut mg_iobuf);
    pub fn mg_iobuf_add(io: *mut mg_iobuf, ofs: usize, buf: *const core::ffi::c_void, len: usize) -> usize;
    pub fn mg_iobuf_del(io: *mut mg_iobuf, ofs: usize, len: usize) -> usize;
    pub fn mg_base64_update(input_byte: core::ffi::c_uchar, buf: *mut core::ffi::c_char, len: usize)
    -> usize;
    pub fn mg_base64_final(buf: *mut core::ffi::c_char, len: usize) -> usize;
    pub fn mg_base64_encode(
        p: *const core::ffi::c_uchar,
        n: usize,
        buf: *mut core::ffi::c_char,
        arg1: usize,
    ) -> usize;
    pub fn mg_base64_decode(
        src: *const core::ffi::c_char,
        n: usize,
        dst: *mut core::ffi::c_char,
        arg1: usize,
    ) -> usize;
    pub fn mg_base64url_encode(
        p: *const core::ffi::c_uchar,
        n: usize,
        buf: *mut core::ffi::c_char,
        arg1: usize,
    ) -> usize;
    pub fn mg_base64url_decode(
        src: *const core::ffi::c_char,
        n: usize,
        dst: *mut core::ffi::c_char,
        arg1: usize,
    ) -> usize;
    pub fn mg_md5_init(c: *mut mg_md5_ctx);
    pub fn mg_md5_update(c: *mut mg_md5_ctx, data: *const core::ffi::c_uchar, len: usize);
    pub fn mg_md5_final(c: *mut mg_md5_ctx, arg1: *mut core::ffi::c_uchar);
    pub fn mg_sha1_init(arg1: *mut mg_sha1_ctx);
    pub fn mg_sha1_update(arg1: *mut mg_sha1_ctx, data: *const core::ffi::c_uchar, len: usize);
    pub fn mg_sha1_final(digest: *mut core::ffi::c_uchar, arg1: *mut mg_sha1_ctx);
    pub fn mg_sha256_init(arg1: *mut mg_sha256_ctx);
    pub fn mg_sha256_update(arg1: *mut mg_sha256_ctx, data: *const core::ffi::c_uchar, len: usize);
    pub fn mg_sha256_final(digest: *mut core::ffi::c_uchar, arg1: *mut mg_sha256_ctx);
    pub fn mg_sha256(dst: *mut u8, data: *mut u8, datasz: usize);
    pub fn mg_hmac_sha256(dst: *mut u8, key: *mut u8, keysz: usize, data: *mut u8, datasz: usize);
    pub fn mg_sha384_init(ctx: *mut mg_sha384_ctx);
    pub fn mg_sha384_update(ctx: *mut mg_sha384_ctx, data: *const u8, len: usize);
    pub fn mg_sha384_final(digest: *mut u8, ctx: *mut mg_sha384_ctx);
    pub fn mg_sha384(dst: *mut u8, data: *mut u8, datasz: usize);
    pub fn mg_call(c: *mut mg_connection, ev: core::ffi::c_int, ev_data: *mut core::ffi::c_void);
    pub fn mg_error(c: *mut mg_connection, fmt: *const core::ffi::c_char, ...);
    pub fn mg_mgr_poll(arg1: *mut mg_mgr, ms: core::ffi::c_int);
    pub fn mg_mgr_init(arg1: *mut mg_mgr);
    pub fn mg_mgr_free(arg1: *mut mg_mgr);
    pub fn mg_listen(
        arg1: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_connect(
        arg1: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_wrapfd(
        mgr: *mut mg_mgr,
        fd: core::ffi::c_int,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_dscp(arg1: *mut mg_connection, dscp: u8) -> bool;
    pub fn mg_connect_resolved(arg1: *mut mg_connection);
    pub fn mg_send(arg1: *mut mg_connection, arg2: *const core::ffi::c_void, arg3: usize) -> bool;
    pub fn mg_printf(arg1: *mut mg_connection, fmt: *const core::ffi::c_char, ...) -> usize;
    pub fn mg_aton(str_: mg_str, addr: *mut mg_addr) -> bool;
    pub fn mg_alloc_conn(arg1: *mut mg_mgr) -> *mut mg_connection;
    pub fn mg_close_conn(c: *mut mg_connection);
    pub fn mg_open_listener(c: *mut mg_connection, url: *const core::ffi::c_char) -> bool;
    pub fn mg_wakeup(
        arg1: *mut mg_mgr,
        id: core::ffi::c_ulong,
        buf: *const core::ffi::c_void,
        len: usize,
    ) -> bool;
    pub fn mg_wakeup_init(arg1: *mut mg_mgr) -> bool;
    pub fn mg_timer_add(
        mgr: *mut mg_mgr,
        milliseconds: u64,
        flags: core::ffi::c_uint,
        fn_: ::core::option::Option<unsafe extern "C" fn(arg1: *mut core::ffi::c_void)>,
        arg: *mut core::ffi::c_void,
    ) -> *mut mg_timer;
    pub fn mg_connect_svc(
        mgr: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
        pfn: mg_event_handler_t,
        pfn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_multicast_restore(c: *mut mg_connection, from: *mut u8);
    pub fn mg_http_parse(
        s: *const core::ffi::c_char,
        len: usize,
        arg1: *mut mg_http_message,
    ) -> core::ffi::c_int;
    pub fn mg_http_get_request_len(buf: *const core::ffi::c_uchar, buf_len: usize) -> core::ffi::c_int;
    pub fn mg_http_printf_chunk(cnn: *mut mg_connection, fmt: *const core::ffi::c_char, ...);
    pub fn mg_http_write_chunk(c: *mut mg_connection, buf: *const core::ffi::c_char, len: usize);
    pub fn mg_http_listen(
        arg1: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_http_connect(
        arg1: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_http_serve_dir(
        arg1: *mut mg_connection,
        hm: *mut mg_http_message,
        arg2: *const mg_http_serve_opts,
    );
    pub fn mg_http_serve_file(
        arg1: *mut mg_connection,
        hm: *mut mg_http_message,
        path: *const core::ffi::c_char,
        arg2: *const mg_http_serve_opts,
    );
    pub fn mg_http_reply(
        arg1: *mut mg_connection,
        status_code: core::ffi::c_int,
        headers: *const core::ffi::c_char,
        body_fmt: *const core::ffi::c_char,
        ...
    );
    pub fn mg_http_get_header(arg1: *mut mg_http_message, name: *const core::ffi::c_char) -> *mut mg_str;
    pub fn mg_http_var(buf: mg_str, name: mg_str) -> mg_str;
    pub fn mg_http_get_var(
        arg1: *const mg_str,
        name: *const core::ffi::c_char,
        arg2: *mut core::ffi::c_char,
        arg3: usize,
    ) -> core::ffi::c_int;
    pub fn mg_url_decode(
        s: *const core::ffi::c_char,
        n: usize,
        to: *mut core::ffi::c_char,
        to_len: usize,
        form: core::ffi::c_int,
    ) -> core::ffi::c_int;
    pub fn mg_url_encode(
        s: *const core::ffi::c_char,
        n: usize,
        buf: *mut core::ffi::c_char,
        len: usize,
    ) -> usize;
    pub fn mg_http_creds(
        arg1: *mut mg_http_message,
        arg2: *mut core::ffi::c_char,
        arg3: usize,
        arg4: *mut core::ffi::c_char,
        arg5: usize,
    );
    pub fn mg_http_upload(
        c: *mut mg_connection,
        hm: *mut mg_http_message,
        fs: *mut mg_fs,
        dir: *const core::ffi::c_char,
        max_size: usize,
    ) -> core::ffi::c_long;
    pub fn mg_http_start_upload(
        c: *mut mg_connection,
        hm: *mut mg_http_message,
        name: mg_str,
        dir: mg_str,
        fs: *mut mg_fs,
        fn_: ::core::option::Option<
            unsafe extern "C" fn(arg1: *mut mg_connection, arg2: *const core::ffi::c_char),
        >,
    );
    pub fn mg_http_start_ota(
        c: *mut mg_connection,
        hm: *mut mg_http_message,
        fn_: ::core::option::Option<
            unsafe extern "C" fn(arg1: *mut mg_connection, arg2: *const core::ffi::c_char),
        >,
    );
    pub fn mg_http_bauth(
        arg1: *mut mg_connection,
        user: *const core::ffi::c_char,
        pass: *const core::ffi::c_char,
    );
    pub fn mg_http_get_header_var(s: mg_str, v: mg_str) -> mg_str;
    pub fn mg_http_next_multipart(arg1: mg_str, arg2: usize, arg3: *mut mg_http_part) -> usize;
    pub fn mg_http_status(hm: *const mg_http_message) -> core::ffi::c_int;
    pub fn mg_http_serve_ssi(
        c: *mut mg_connection,
        root: *const core::ffi::c_char,
        fullpath: *const core::ffi::c_char,
    );
    pub fn mg_tls_init(c: *mut mg_connection, opts: *const mg_tls_opts);
    pub fn mg_tls_free(arg1: *mut mg_connection);
    pub fn mg_tls_send(
        arg1: *mut mg_connection,
        buf: *const core::ffi::c_void,
        len: usize,
    ) -> core::ffi::c_long;
    pub fn mg_tls_recv(
        arg1: *mut mg_connection,
        buf: *mut core::ffi::c_void,
        len: usize,
    ) -> core::ffi::c_long;
    pub fn mg_tls_pending(arg1: *mut mg_connection) -> usize;
    pub fn mg_tls_flush(arg1: *mut mg_connection);
    pub fn mg_tls_handshake(arg1: *mut mg_connection);
    pub fn mg_tls_ctx_init(arg1: *mut mg_mgr);
    pub fn mg_tls_ctx_free(arg1: *mut mg_mgr);
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_parse_private_key(key: mg_str, buf: *mut u8, len: usize) -> usize;
    pub fn mg_io_send(c: *mut mg_connection, buf: *const core::ffi::c_void, len: usize) -> core::ffi::c_long;
    pub fn mg_io_recv(c: *mut mg_connection, buf: *mut core::ffi::c_void, len: usize) -> core::ffi::c_long;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_tls_x25519(
        out: *mut u8,
        scalar: *const u8,
        x1: *const u8,
        clamp: core::ffi::c_int,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_gcm_initialize() -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_aes_gcm_encrypt(
        output: *mut core::ffi::c_uchar,
        input: *const core::ffi::c_uchar,
        input_length: usize,
        key: *const core::ffi::c_uchar,
        key_len: usize,
        iv: *const core::ffi::c_uchar,
        iv_len: usize,
        aead: *mut core::ffi::c_uchar,
        aead_len: usize,
        tag: *mut core::ffi::c_uchar,
        tag_len: usize,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_aes_gcm_decrypt(
        output: *mut core::ffi::c_uchar,
        input: *const core::ffi::c_uchar,
        input_length: usize,
        key: *const core::ffi::c_uchar,
        key_len: usize,
        iv: *const core::ffi::c_uchar,
        iv_len: usize,
        aead: *mut core::ffi::c_uchar,
        aead_len: usize,
        tag: *const core::ffi::c_uchar,
        tag_len: usize,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_secp256r1() -> MG_UECC_Curve;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_secp384r1() -> MG_UECC_Curve;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_set_rng(rng_function: MG_UECC_RNG_Function);
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_get_rng() -> MG_UECC_RNG_Function;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_curve_private_key_size(curve: MG_UECC_Curve) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_curve_public_key_size(curve: MG_UECC_Curve) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_make_key(
        public_key: *mut u8,
        private_key: *mut u8,
        curve: MG_UECC_Curve,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_shared_secret(
        public_key: *const u8,
        private_key: *const u8,
        secret: *mut u8,
        curve: MG_UECC_Curve,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_compress(public_key: *const u8, compressed: *mut u8, curve: MG_UECC_Curve);
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_decompress(compressed: *const u8, public_key: *mut u8, curve: MG_UECC_Curve);
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_valid_public_key(public_key: *const u8, curve: MG_UECC_Curve) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_compute_public_key(
        private_key: *const u8,
        public_key: *mut u8,
        curve: MG_UECC_Curve,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_sign(
        private_key: *const u8,
        message_hash: *const u8,
        hash_size: core::ffi::c_uint,
        signature: *mut u8,
        curve: MG_UECC_Curve,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_sign_deterministic(
        private_key: *const u8,
        message_hash: *const u8,
        hash_size: core::ffi::c_uint,
        hash_context: *const MG_UECC_HashContext,
        signature: *mut u8,
        curve: MG_UECC_Curve,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_uecc_verify(
        public_key: *const u8,
        message_hash: *const u8,
        hash_size: core::ffi::c_uint,
        signature: *const u8,
        curve: MG_UECC_Curve,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_chacha20_poly1305_encrypt(
        cipher_text: *mut u8,
        key: *const u8,
        nonce: *const u8,
        ad: *const u8,
        ad_size: usize,
        plain_text: *const u8,
        plain_text_size: usize,
    ) -> usize;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_chacha20_poly1305_decrypt(
        plain_text: *mut u8,
        key: *const u8,
        nonce: *const u8,
        ad: *const u8,
        ad_size: usize,
        cipher_text: *const u8,
        cipher_text_size: usize,
    ) -> usize;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_rsa_mod_pow(
        mod_: *const u8,
        modsz: usize,
        exp: *const u8,
        expsz: usize,
        msg: *const u8,
        msgsz: usize,
        out: *mut u8,
        outsz: usize,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_rsa_crt_sign(
        em: *const u8,
        em_len: usize,
        dP: *const u8,
        dP_len: usize,
        dQ: *const u8,
        dQ_len: usize,
        p: *const u8,
        p_len: usize,
        q: *const u8,
        q_len: usize,
        qInv: *const u8,
        qInv_len: usize,
        signature: *mut u8,
        sig_len: usize,
    ) -> core::ffi::c_int;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_rsa_pkcs_verify(em: *const u8, nlen: usize, hash: *const u8, hashlen: usize) -> bool;
    #[cfg(feature = "tls-builtin")]
    pub fn mg_rsa_verify(em: *const u8, nlen: usize, mhash: *const u8) -> bool;
    pub fn mg_ws_connect(
        arg1: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
        fmt: *const core::ffi::c_char,
        ...
    ) -> *mut mg_connection;
    pub fn mg_ws_upgrade(
        arg1: *mut mg_connection,
        arg2: *mut mg_http_message,
        fmt: *const core::ffi::c_char,
        ...
    );
    pub fn mg_ws_send(
        arg1: *mut mg_connection,
        buf: *const core::ffi::c_void,
        len: usize,
        op: core::ffi::c_int,
    ) -> usize;
    pub fn mg_ws_wrap(arg1: *mut mg_connection, len: usize, op: core::ffi::c_int) -> usize;
    pub fn mg_ws_printf(
        c: *mut mg_connection,
        op: core::ffi::c_int,
        fmt: *const core::ffi::c_char,
        ...
    ) -> usize;
    pub fn mg_millis() -> u64;
    pub static mut mg_boot_timestamp_ms: u64;
    pub fn mg_now() -> u64;
    pub fn mg_timer_expired(expiration: *mut u64, period: u64, now: u64) -> bool;
    pub fn mg_sntp_connect(
        mgr: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_sntp_request(c: *mut mg_connection);
    pub fn mg_sntp_parse(buf: *const core::ffi::c_uchar, len: usize) -> i64;
    pub fn mg_mqtt_connect(
        arg1: *mut mg_mgr,
        url: *const core::ffi::c_char,
        opts: *const mg_mqtt_opts,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_mqtt_listen(
        mgr: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_mqtt_login(c: *mut mg_connection, opts: *const mg_mqtt_opts);
    pub fn mg_mqtt_pub(c: *mut mg_connection, opts: *const mg_mqtt_opts) -> u16;
    pub fn mg_mqtt_sub(arg1: *mut mg_connection, opts: *const mg_mqtt_opts);
    pub fn mg_mqtt_unsub(c: *mut mg_connection, opts: *const mg_mqtt_opts);
    pub fn mg_mqtt_parse(
        arg1: *const u8,
        arg2: usize,
        arg3: u8,
        arg4: *mut mg_mqtt_message,
    ) -> core::ffi::c_int;
    pub fn mg_mqtt_send_header(arg1: *mut mg_connection, cmd: u8, flags: u8, len: u32);
    pub fn mg_mqtt_ping(arg1: *mut mg_connection);
    pub fn mg_mqtt_pong(arg1: *mut mg_connection);
    pub fn mg_mqtt_disconnect(arg1: *mut mg_connection, arg2: *const mg_mqtt_opts);
    pub fn mg_mqtt_next_prop(arg1: *mut mg_mqtt_message, arg2: *mut mg_mqtt_prop, ofs: usize) -> usize;
    pub fn mg_dns_parse(buf: *const u8, len: usize, dm: *mut mg_dns_message) -> bool;
    pub fn mg_dns_parse_rr(
        buf: *const u8,
        len: usize,
        ofs: usize,
        is_question: bool,
        rr: *mut mg_dns_rr,
    ) -> usize;
    pub fn mg_mdns_listen(
        mgr: *mut mg_mgr,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_mdns_query(
        c: *mut mg_connection,
        name: *const core::ffi::c_char,
        rtype: core::ffi::c_uint,
    ) -> bool;
    pub fn mg_resolve(arg1: *mut mg_connection, url: *const core::ffi::c_char);
    pub fn mg_resolve_cancel(arg1: *mut mg_connection);
    pub fn mg_modbus_listen(
        mgr: *mut mg_mgr,
        url: *const core::ffi::c_char,
        fn_: mg_event_handler_t,
        fn_data: *mut core::ffi::c_void,
    ) -> *mut mg_connection;
    pub fn mg_json_get(
        json: mg_str,
        path: *const core::ffi::c_char,
        toklen: *mut core::ffi::c_int,
    ) -> core::ffi::c_int;
    pub fn mg_json_get_tok(json: mg_str, path: *const core::ffi::c_char) -> mg_str;
    pub fn mg_json_get_num(json: mg_str, path: *const core::ffi::c_char, v: *mut f64) -> bool;
    pub fn mg_json_get_bool(json: mg_str, path: *const core::ffi::c_char, v: *mut bool) -> bool;
    pub fn mg_json_get_long(
        json: mg_str,
        path: *const core::ffi::c_char,
        dflt: core::ffi::c_long,
    ) -> core::ffi::c_long;
    pub fn mg_json_get_str(json: mg_str, path: *const core::ffi::c_char) -> *mut core::ffi::c_char;
    pub fn mg_json_get_hex(
        json: mg_str,
        path: *const core::ffi::c_char,
        len: *mut core::ffi::c_int,
    ) -> *mut core::ffi::c_char;
    pub fn mg_json_get_b64(
        json: mg_str,
        path: *const core::ffi::c_char,
        len: *mut core::ffi::c_int,
    ) -> *mut core::ffi::c_char;
    pub fn mg_json_unescape(
        json: mg_str,
        path: *const core::ffi::c_char,
        arg1: *mut core::ffi::c_char,
        arg2: usize,
    ) -> usize;
    pub fn mg_json_next(obj: mg_str, ofs: usize, key: *mut mg_str, val: *mut mg_str) -> usize;
    pub fn mg_jwt_sign_hs256(opts: *const mg_jwt_opts, buf: *mut core::ffi::c_char, len: usize) -> usize;
    pub fn mg_jwt_verify_hs256(
        jwt: mg_str,
        opts: *const mg_jwt_opts,
        buf: *mut core::ffi::c_char,
        len: usize,
    ) -> usize;
    pub fn mg_jwt_sign_es256(opts: *const mg_jwt_opts, buf: *mut core::ffi::c_char, len: usize) -> usize;
    pub fn mg_jwt_verify_es256(
        jwt: mg_str,
        opts: *const mg_jwt_opts,
        buf: *mut core::ffi::c_char,
        len: usize,
    ) -> usize;
    pub fn mg_rpc_add(
        head: *mut *mut mg_rpc,
        method_pattern: mg_str,
        handler: ::core::option::Option<unsafe extern "C" fn(arg1: *mut mg_rpc_req)>,
        handler_data: *mut core::ffi::c_void,
    );
    pub fn mg_rpc_del(
        head: *mut *mut mg_rpc,
        handler: ::core::option::Option<unsafe extern "C" fn(arg1: *mut mg_rpc_req)>,
    );
    pub fn mg_rpc_process(arg1: *mut mg_rpc_req);
    pub fn mg_rpc_ok(arg1: *mut mg_rpc_req, fmt: *const core::ffi::c_char, ...);
    pub fn mg_rpc_err(arg1: *mut mg_rpc_req, code: core::ffi::c_int, fmt: *const core::ffi::c_char, ...);
    pub fn mg_rpc_list(r: *mut mg_rpc_req);
    pub fn mg_dash_ev_handler(c: *mut mg_connection, ev: core::ffi::c_int, ev_data: *mut core::ffi::c_void);
    pub fn mg_dash_send_change(mgr: *mut mg_mgr, arg1: *mut mg_field_set);
    pub fn mg_dash_dir_read(set: *mut mg_field_set, u: *mut mg_dash_user) -> bool;
    pub fn mg_ota_begin(new_firmware_size: usize) -> bool;
    pub fn mg_ota_write(buf: *const core::ffi::c_void, len: usize) -> bool;
    pub fn mg_ota_end() -> bool;
    pub fn mg_ota_url_check(
        mgr: *mut mg_mgr,
        metadata_url: *const core::ffi::c_char,
        fn_: ::core::option::Option<unsafe extern "C" fn(error_message: *const core::ffi::c_char)>,
    );
    pub fn mg_ota_device_id(buf: *mut core::ffi::c_char, len: usize);
    pub fn mg_ota_poll(arg1: *mut mg_mgr);
    pub fn mg_wifi_scan() -> bool;
    pub fn mg_wifi_connect(arg1: *mut mg_wifi_data) -> bool;
    pub fn mg_wifi_disconnect() -> bool;
    pub fn mg_wifi_ap_start(arg1: *mut mg_wifi_data) -> bool;
    pub fn mg_wifi_ap_stop() -> bool;
    pub fn mg_phy_init(arg1: *mut mg_phy, addr: u8, config: u8);
    pub fn mg_phy_up(arg1: *mut mg_phy, addr: u8, full_duplex: *mut bool, speed: *mut u8) -> bool;
    pub fn mg_sys_http_status_code_str(status_code: core::ffi::c_int) -> *const core::ffi::c_char;
    pub fn mg_sys_error(c: *mut mg_connection, message: *const core::ffi::c_char);
    pub fn mg_sys_log(
        level: core::ffi::c_int,
        file: *const core::ffi::c_char,
        line: core::ffi::c_int,
        function: *const core::ffi::c_char,
        message: *const core::ffi::c_char,
    );
}
