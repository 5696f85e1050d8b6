//! A yardstick, not a product: the least that a program can do to log in by RFC 8628 over https.
//!
//! Blocking rustls on a blocking socket, HTTP/1.1 written by hand, members of an answer found by plain search. No JSON, no
//! retries, no `slow_down`, no cancel, no error that helps anybody. It trusts what `cli-auth` trusts and speaks to
//! the same endpoints, so whatever `cli-auth` needs beyond it is the price of being a product.

use std::{
    env,
    error::Error,
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

const USAGE: &str = "usage: floor https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]";
const CLIENT: &str = "client_id=bench";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
const LONGEST_ANSWER: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

type Failure = Box<dyn Error>;

/// Prints the user code, then polls until a token comes or the number of polls is used up, then prints the cost.
fn main() -> Result<(), Failure> {
    let mut words = env::args().skip(1);
    let url = words.next().ok_or(USAGE)?;
    let ca_file = words.next().ok_or(USAGE)?;
    let polls: u32 = words.next().map_or(Ok(0), |word| word.parse())?;
    let pause = words.next().map_or(Ok(0.0), |word| word.parse())?;
    let pause = Duration::try_from_secs_f64(pause)?;

    let address = url.strip_prefix("https://").ok_or(USAGE)?;
    let mut server = Server::connect(address, &ca_file)?;
    let answer = server.post("/oauth2/device_authorization", CLIENT)?;
    say(member(&answer, "user_code").ok_or("no user code")?)?;
    let code = member(&answer, "device_code").ok_or("no device code")?;
    let body = format!("{GRANT}&device_code={code}&{CLIENT}");

    let before = cpu_us()?;
    let mut done: u32 = 0;
    while done < polls {
        thread::sleep(pause);
        let answer = server.post("/oauth2/token", &body)?;
        done += 1;
        if member(&answer, "access_token").is_some() {
            say("token")?;
            break;
        }
    }
    say(&format!("polls {done} cpu_us {}", cpu_us()? - before))?;
    Ok(())
}

/// One connection, kept.
struct Server {
    stream: StreamOwned<ClientConnection, TcpStream>,
    host: String,
}

impl Server {
    fn connect(address: &str, ca_file: &str) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(ca_file)?);
        if let Some(bundle) = openssl_probe::probe().cert_file {
            roots.add_parsable_certificates(certificates(bundle)?);
        }
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (name, _port) = address.rsplit_once(':').ok_or(USAGE)?;
        let tls = ClientConnection::new(config.into(), ServerName::try_from(name.to_owned())?)?;
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: StreamOwned::new(tls, socket), host: address.to_owned() })
    }

    /// Gives the whole answer, head and body.
    fn post(&mut self, path: &str, form: &str) -> Result<String, Failure> {
        let host = &self.host;
        let length = form.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        );
        self.stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        while !complete(&answer) {
            let mut piece = [0; 4096];
            let read = self.stream.read(&mut piece)?;
            if read == 0 || answer.len() > LONGEST_ANSWER {
                return Err("no complete answer".into());
            }
            answer.extend(piece.iter().take(read));
        }
        Ok(String::from_utf8(answer)?)
    }
}

/// Whether an answer has come with as much body as it announced.
fn complete(answer: &[u8]) -> bool {
    let Some((head, body)) = str::from_utf8(answer).ok().and_then(|text| text.split_once("\r\n\r\n")) else {
        return false;
    };
    let announced = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    announced.is_some_and(|length: usize| body.len() >= length)
}

/// The value of a member that holds a text, as it is written.
fn member<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = answer.split_once(&format!("\"{name}\""))?;
    after.split('"').nth(1)
}

fn certificates(path: impl AsRef<std::path::Path>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    Ok(CertificateDer::pem_file_iter(path)?.filter_map(Result::ok).collect())
}

/// Time that this process has spent on a processor.
fn cpu_us() -> Result<i64, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok(usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
