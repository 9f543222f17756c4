//! The dashboard of a device as one program: `cargo run --release --example dashboard`, then open
//! <http://127.0.0.1:8000>.
//!
//! The page and its script are in the program. Values come from an MQTT broker, or from a demo, and go to the page by
//! WebSocket; settings go by REST; whoever wants either logs in, and has a session from then on.

mod device;
mod options;
mod pages;
mod sessions;
mod source;

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::SystemTime;

use device::{Device, Settings};
use mongoose::http::{Reply, Request, constant_time_eq};
use mongoose::mqtt::{Client, Message, QoS};
use mongoose::{Error, Limits, Manager, Registry, Timer};
use options::{Command, DEMO_PASSWORD, Options};
use pages::Pages;
use serde::de::DeserializeOwned;
use serde_json::json;
use sessions::Sessions;
use source::Demo;

/// Bytes of a request's body.
const BODY_MAX: usize = 4096;

/// All there is. No borrow of a part outlives a statement or two, so none meets another.
struct Dashboard {
    device: Rc<RefCell<Device>>,
    sessions: RefCell<Sessions>,
    pages: RefCell<Pages>,
    demo: RefCell<Option<Demo>>,
    mqtt: Option<Client>,
    ticking: RefCell<Option<Timer>>,
    options: Options,
}

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Command::Serve(options)) => options,
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("dashboard: {problem} (--help says more)");
            return ExitCode::from(2);
        }
    };
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dashboard: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Options) -> Result<(), Error> {
    let mut manager = Manager::new()?;
    let device = Rc::new(RefCell::new(Device::new()));
    let (mut demo, mut mqtt) = (None, None);
    match &options.mqtt {
        Some(url) => mqtt = Some(source::subscribe(&manager, url, &options.topic, &device)?),
        None => demo = Some(Demo::new(&mut device.borrow_mut())),
    }
    let (sessions, pages, ticking) = Default::default();
    let demo = RefCell::new(demo);
    let dashboard = Rc::new(Dashboard { device, sessions, pages, demo, mqtt, ticking, options });
    let serving = Rc::clone(&dashboard);
    let mut limits = Limits::default();
    limits.body = BODY_MAX;
    let listener = manager
        .listener(&dashboard.options.listen)
        .limits(limits)
        .http(move |request: Request<'_>, reply: Reply<'_>| serving.answer(request, reply))?;
    let address = listener.local_addr();
    if dashboard.options.password.is_none() && !address.ip().is_loopback() {
        let reason = "who listens beyond this machine needs a --password";
        return Err(Error::Url { url: dashboard.options.listen.clone(), reason });
    }
    dashboard.publish_settings()?;
    dashboard.tick(&manager)?;
    eprintln!("listening on http://{address}");
    if dashboard.options.password.is_none() {
        let user = &dashboard.options.user;
        eprintln!("log in as {user}, password {DEMO_PASSWORD} (a demo's: --password sets your own)");
    }
    manager.run_until_signal()
}

impl Dashboard {
    /// Answers a request.
    fn answer(self: &Rc<Self>, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let reply = reply.header("X-Content-Type-Options", "nosniff");
        match (request.method(), request.path()) {
            ("GET" | "HEAD", "/") => asset(reply, "text/html", include_str!("page/index.html")),
            ("GET" | "HEAD", "/style.css") => asset(reply, "text/css", include_str!("page/style.css")),
            ("GET" | "HEAD", "/app.js") => asset(reply, "text/javascript", include_str!("page/app.js")),
            ("GET" | "HEAD", "/icon.svg") => asset(reply, "image/svg+xml", include_str!("page/icon.svg")),
            ("POST", "/api/login") => self.log_in(&request, reply),
            ("GET" | "HEAD" | "PUT", "/api/settings") | ("POST", "/api/logout") | ("GET", "/ws") => {
                // From here on for those who are logged in.
                let session = self.sessions.borrow_mut().of(&request);
                let Some(session) = session else { return refuse(reply, 401, "log in first") };
                match (request.method(), request.path()) {
                    (_, "/ws") => Pages::open(self, request, reply, session),
                    (_, "/api/logout") => self.log_out(&request, reply, &session),
                    ("PUT", _) => self.set(&request, reply),
                    _ => api(reply).json_text(json!(self.device.borrow().settings).to_string()),
                }
            }
            (_, path) => match path {
                "/" | "/style.css" | "/app.js" | "/icon.svg" => {
                    refuse(reply.header("Allow", "GET, HEAD"), 405, "read only")
                }
                "/api/settings" => refuse(reply.header("Allow", "GET, HEAD, PUT"), 405, "GET or PUT"),
                "/api/login" | "/api/logout" => refuse(reply.header("Allow", "POST"), 405, "POST only"),
                "/ws" => refuse(reply.header("Allow", "GET"), 405, "GET only"),
                _ => refuse(reply, 404, "there is nothing here"),
            },
        }
    }

    fn log_in(&self, request: &Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        struct Login {
            user: String,
            password: String,
        }

        let login: Login = match parse(request) {
            Ok(login) => login,
            Err((status, reason)) => return refuse(reply, status, &reason),
        };
        let password = self.options.password.as_deref().unwrap_or(DEMO_PASSWORD);
        // Both are compared, whatever the first says.
        if !(constant_time_eq(login.user, &self.options.user) & constant_time_eq(login.password, password)) {
            return refuse(reply, 401, "that is not right");
        }
        let token = self.sessions.borrow_mut().begin().map_err(Error::handler)?;
        api(reply).header("Set-Cookie", sessions::cookie(Some(&token))).status(204).empty()
    }

    fn log_out(&self, request: &Request<'_>, reply: Reply<'_>, session: &str) -> Result<(), Error> {
        self.sessions.borrow_mut().end(session);
        // Its pages are closed.
        Pages::tell(self, request.connection().registry(), self.device.borrow().changes());
        api(reply).header("Set-Cookie", sessions::cookie(None)).status(204).empty()
    }

    /// Takes settings: all of them, and nothing that is wrong.
    fn set(self: &Rc<Self>, request: &Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let settings: Settings = match parse(request) {
            Ok(settings) => settings,
            Err((status, reason)) => return refuse(reply, status, &reason),
        };
        if let Err(reason) = settings.check() {
            return refuse(reply, 422, reason);
        }
        let registry = request.connection().registry();
        let before = std::mem::replace(&mut self.device.borrow_mut().settings, settings);
        let device = self.device.borrow();
        if device.settings != before {
            Pages::tell(self, registry, device.changes());
            if let Err(error) = self.publish_settings() {
                // It gets them when there is room again and they change.
                eprintln!("the settings are not published: {error}");
            }
        }
        if device.settings.interval_ms != before.interval_ms {
            self.tick(registry)?;
        }
        api(reply).json_text(json!(device.settings).to_string())
    }

    /// Begins to update the pages once an interval.
    fn tick(self: &Rc<Self>, registry: &Registry) -> Result<(), Error> {
        let interval = self.device.borrow().settings.interval();
        // The timer is ours: it must not keep us.
        let dashboard = Rc::downgrade(self);
        let timer = registry.every(interval, move |registry: &Registry| {
            let Some(dashboard) = dashboard.upgrade() else { return };
            if let Some(demo) = &mut *dashboard.demo.borrow_mut() {
                demo.measure(&mut dashboard.device.borrow_mut(), SystemTime::now(), interval);
            }
            let news = dashboard.device.borrow_mut().news();
            Pages::tell(&dashboard, registry, news);
        })?;
        self.ticking.replace(Some(timer));
        Ok(())
    }

    /// Lets the device know of them, where it listens.
    fn publish_settings(&self) -> Result<(), Error> {
        let (Some(client), Some(topic)) = (&self.mqtt, &self.options.settings_topic) else { return Ok(()) };
        let settings = json!(self.device.borrow().settings).to_string();
        let message = Message::new(topic, settings.as_bytes());
        client.publish_message(&Message { qos: QoS::AtLeastOnce, retain: true, ..message }).map(drop)
    }
}

/// A part of the page. It may load nothing from elsewhere, and be shown in nobody's frame.
fn asset(reply: Reply<'_>, kind: &str, content: &'static str) -> Result<(), Error> {
    reply
        .header("Content-Type", format!("{kind}; charset=utf-8"))
        .header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'")
        .header("Cache-Control", "no-cache")
        .body(content)
}

/// An answer that nobody is to keep.
fn api(reply: Reply<'_>) -> Reply<'_> {
    reply.header("Cache-Control", "no-store")
}

fn refuse(reply: Reply<'_>, status: u16, reason: &str) -> Result<(), Error> {
    api(reply).status(status).json_text(json!({ "error": reason }).to_string())
}

/// What a body says, or a status and what is wrong. Forms of other sites cannot say that they are JSON.
fn parse<T: DeserializeOwned>(request: &Request<'_>) -> Result<T, (u16, String)> {
    let kind = request.header("Content-Type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err((415, "application/json is taken".to_owned()));
    }
    serde_json::from_slice(request.body()).map_err(|error| (400, error.to_string()))
}
