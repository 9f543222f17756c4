//! Connections that come and go: some ask, some ask for half, some say nothing; some end in order, some are reset.

use std::collections::VecDeque;
use std::error::Error;
use std::io::Write;

use crate::reply::Replies;
use crate::socket::Client;

/// Open at a time.
const AT_A_TIME: usize = 100;

pub fn run(port: u16, connections: usize, request: &[u8]) -> Result<(), Box<dyn Error>> {
    let (half, mut replies) = (request.len() / 2, Replies::new());
    let (mut open, mut answered) = (VecDeque::with_capacity(AT_A_TIME), 0);
    let mut end = |(index, mut client): (usize, Client)| -> Result<(), Box<dyn Error>> {
        if index % 2 == 0 {
            replies.read(&mut client.stream)?;
            answered += 1;
        }
        // Otherwise it is reset.
        if index % 3 == 0 {
            client.close()?;
        }
        Ok(())
    };
    for index in 0..connections {
        let mut client = Client::connect(port, index)?;
        match index % 4 {
            0 | 2 => client.stream.write_all(request)?,
            1 => client.stream.write_all(&request[..half])?,
            _ => {}
        }
        open.push_back((index, client));
        if open.len() == AT_A_TIME {
            open.pop_front().map_or(Ok(()), &mut end)?;
        }
    }
    open.into_iter().try_for_each(&mut end)?;
    println!("ended {connections} answered {answered}");
    Ok(())
}
