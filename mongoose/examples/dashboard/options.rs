//! The command line.

/// What `--help` prints.
pub const HELP: &str = "\
Serves the dashboard of a device: a page with live values, its settings, a login.

Usage: dashboard [OPTION]...

  --listen URL          where to listen (default: http://127.0.0.1:8000)
  --user NAME           who may log in (default: admin)
  --password PASSWORD   by what. Without it the demo's password is taken, and whoever is not
                        on this machine is not served
  --mqtt URL            shows what an MQTT broker publishes, such as mqtt://127.0.0.1:1883,
                        in place of a demo that makes values up
  --topic FILTER        which topics (default: #). A topic is a curve; its messages are numbers
  --settings-topic T    publishes the settings there, retained, as JSON
  --help                this text

Ctrl-C ends it, after the pages were told.
";

/// What the demo lets in, on one machine alone.
pub const DEMO_PASSWORD: &str = "mongoose";

/// What the command line asks for.
pub enum Command {
    Serve(Options),
    Help,
}

/// How to serve.
pub struct Options {
    pub listen: String,
    pub user: String,
    /// None: the demo's.
    pub password: Option<String>,
    /// None: a demo.
    pub mqtt: Option<String>,
    pub topic: String,
    pub settings_topic: Option<String>,
}

/// Reads the arguments behind the program's name.
pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut options = Options {
        listen: "http://127.0.0.1:8000".to_owned(),
        user: "admin".to_owned(),
        password: None,
        mqtt: None,
        topic: "#".to_owned(),
        settings_topic: None,
    };
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a value"));
        match &*option {
            "--listen" => options.listen = value()?,
            "--user" => options.user = value()?,
            "--password" => options.password = Some(value()?),
            "--mqtt" => options.mqtt = Some(value()?),
            "--topic" => options.topic = value()?,
            "--settings-topic" => options.settings_topic = Some(value()?),
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{option:?} is not an option")),
        }
    }
    if options.mqtt.is_none() && options.settings_topic.is_some() {
        return Err("--settings-topic needs --mqtt".to_owned());
    }
    Ok(Command::Serve(options))
}
