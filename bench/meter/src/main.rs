//! Measures `cli_auth` from inside a program, for what the example tool cannot show: the cost of a poll, the time until
//! a cancelled call returns, and many logins in one process. Each measure prints one JSON object on one line.

mod cancel;
mod crowd;
mod polls;
mod process;

use std::{fs, time::Duration};

use anyhow::{Context, bail};
use cli_auth::Client;
use lexopt::prelude::*;

const USAGE: &str = "\
Usage: meter polls  --url URL --ca-file FILE --logins N --seconds S
       meter cancel --url URL --ca-file FILE --logins N --after SECONDS
       meter crowd  --url URL --ca-file FILE --logins N

polls   N logins, polled by one thread in turn: processor time of a poll on a kept connection
cancel  N logins, a client and a thread each: from cancel() on another thread to the return of poll()
crowd   N async logins of one client, from the start to the token
";

/// The parsed command line.
#[derive(Debug, Default)]
struct Options {
    url: String,
    ca_file: String,
    logins: u32,
    time: Duration,
}

impl Options {
    /// A client of the measured server, with explicit endpoints so that no discovery is needed.
    fn client(&self) -> anyhow::Result<Client> {
        let url = &self.url;
        let pem = fs::read(&self.ca_file).with_context(|| format!("cannot read {}", self.ca_file))?;
        let device = format!("{url}/oauth2/device_authorization");
        Ok(Client::with_endpoints(device, format!("{url}/oauth2/token"), "bench").ca_pem(pem).build()?)
    }
}

fn main() -> anyhow::Result<()> {
    let mut words = lexopt::Parser::from_env();
    let Some(Value(command)) = words.next()? else { bail!(USAGE) };
    let mut options = Options::default();
    while let Some(word) = words.next()? {
        match word {
            Long("url") => options.url = words.value()?.string()?,
            Long("ca-file") => options.ca_file = words.value()?.string()?,
            Long("logins") => options.logins = words.value()?.parse()?,
            Long("seconds" | "after") => {
                options.time = Duration::try_from_secs_f64(words.value()?.parse()?)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let measured = match command.to_str() {
        Some("polls") => polls::measure(&options)?,
        Some("cancel") => cancel::measure(&options)?,
        Some("crowd") => crowd::measure(&options)?,
        _ => bail!(USAGE),
    };
    println!("{measured}");
    Ok(())
}
