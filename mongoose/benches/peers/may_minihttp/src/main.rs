//! may_minihttp with one worker, as a peer of the bench: `peer-may_minihttp PORT`.

use std::io;

use may_minihttp::{HttpService, HttpServiceFactory, Request, Response};

struct Site {
    bodies: [&'static str; 3],
}

impl HttpService for Site {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        response.header("Content-Type: text/plain; charset=utf-8");
        match request.path() {
            "/hello" => response.body("Hello, World!"),
            "/10k" => response.body(self.bodies[0]),
            "/100k" => response.body(self.bodies[1]),
            "/1m" => response.body(self.bodies[2]),
            "/post" => {
                io::copy(&mut request.body(), &mut io::sink())?;
                response.body("Hello, World!");
            }
            _ => {
                response.status_code(404, "Not Found");
                response.body("not found");
            }
        }
        Ok(())
    }
}

struct Factory {
    bodies: [&'static str; 3],
}

impl HttpServiceFactory for Factory {
    type Service = Site;

    fn new_service(&self, _: usize) -> Site {
        Site { bodies: self.bodies }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-may_minihttp PORT")?.parse()?;
    may::config().set_workers(1);
    let bodies = [10 << 10, 100 << 10, 1 << 20].map(|size| &*"x".repeat(size).leak());
    let server = Factory { bodies }.start(("127.0.0.1", port))?;
    server.join().map_err(|_| "the server panicked")?;
    Ok(())
}
