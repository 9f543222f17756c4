//! Sends back what it receives, over TLS: `cargo run --release --example tls_server -- --cert chain.pem --key key.pem`.
//!
//! `openssl s_client -connect 127.0.0.1:8883 -CAfile ca.pem` speaks to it, and so does the example `tls_client`. What
//! each handshake agreed on is printed.

use std::ffi::OsString;
use std::process::ExitCode;

use mongoose::{Connection, Error, Event, Limits, Manager, tls};

const HELP: &str = "\
Sends back what it receives, over TLS.

Usage: tls_server --cert FILE --key FILE [OPTION]... [URL]

  --cert FILE       certificate chain (PEM); with --key it may be given more than once:
                    clients are shown the one for the name they ask for
  --key FILE        its private key (PEM)
  --client-ca FILE  asks clients for a certificate that leads to one of these (PEM), and
                    refuses those without
  --client-optional lets clients in that show none
  --alpn LIST       protocols that may be spoken above, such as mqtt,http/1.1
  URL               where to listen (default tls://127.0.0.1:8883)
  --help            this text
";

/// Sends back what comes.
fn echo(connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
    match event {
        Event::Accept => {
            if let Some(tls) = connection.tls() {
                eprintln!("{}", describe(&tls));
            }
        }
        Event::Read => match connection.send(connection.received()) {
            Ok(()) => connection.consume(usize::MAX),
            // They do not read: the bytes stay where they are, and are shown again when there is room.
            Err(Error::OutputFull { .. }) => {}
            Err(error) => return Err(error),
        },
        Event::Error(error) => eprintln!("{error}"),
        _ => {}
    }
    Ok(())
}

/// What a handshake agreed on, in a line.
fn describe(tls: &tls::Negotiated) -> String {
    let mut line = format!("{} {}", tls.version, tls.cipher_suite);
    if let Some(name) = &tls.server_name {
        line += &format!(" for {name}");
    }
    if let Some(protocol) = &tls.alpn {
        line += &format!(" to speak {}", String::from_utf8_lossy(protocol));
    }
    if let Some(certificate) = tls.peer_certificates.first() {
        line += &format!(" with a certificate of {} bytes", certificate.as_der().len());
    }
    if tls.resumed {
        line += ", resumed";
    }
    line
}

/// The configuration and the URL that the command line asks for. `None`: help.
fn options(
    mut arguments: impl Iterator<Item = OsString>,
) -> Result<Option<(tls::ServerConfig, String)>, Error> {
    let wrong = |problem: String| Error::handler(format!("{problem} (--help says more)"));
    let mut config = tls::ServerConfig::builder();
    let mut url = "tls://127.0.0.1:8883".to_owned();
    let mut chain = None;
    while let Some(option) = arguments.next() {
        let option = option.into_string().map_err(|other| wrong(format!("{other:?} is not text")))?;
        let mut value = || arguments.next().ok_or_else(|| wrong(format!("{option} needs a value")));
        match option.as_str() {
            "--cert" => chain = Some(value()?),
            "--key" => {
                let chain = chain.take().ok_or_else(|| wrong("--key follows its --cert".to_owned()))?;
                config = config.certificate_files(chain, value()?);
            }
            "--client-ca" => config = config.client_roots_file(value()?),
            "--client-optional" => config = config.client_certificate_optional(),
            "--alpn" => config = config.alpn(value()?.to_string_lossy().split(',')),
            "--help" | "-h" => return Ok(None),
            _ if option.starts_with('-') => return Err(wrong(format!("{option:?} is not an option"))),
            _ => url = option,
        }
    }
    if chain.is_some() {
        return Err(wrong("--cert needs its --key".to_owned()));
    }
    Ok(Some((config.build()?, url)))
}

fn serve() -> Result<(), Error> {
    let Some((config, url)) = options(std::env::args_os().skip(1))? else {
        print!("{HELP}");
        return Ok(());
    };
    let mut limits = Limits::default();
    limits.output = 256 << 10;
    limits.received = 256 << 10;
    let mut manager = Manager::new()?;
    let listener = manager.listener(&url).limits(limits).tls(config).tcp(echo)?;
    eprintln!("listening on tls://{}", listener.local_addr());
    manager.run_until_signal()
}

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tls_server: {error}");
            ExitCode::from(2)
        }
    }
}
