//! The lower bound for the benchmarks: the least that a program must do to log in by RFC 8628 over https.
//!
//! It uses blocking rustls on a blocking socket, hand-written HTTP/1.1, and plain text search for the members of a
//! response. It has no JSON parser, retries, `slow_down`, cancelling or useful errors. It trusts the same roots and
//! uses the same endpoints as `cli-auth`, so the difference to `cli-auth` is the cost of the additional features.

mod shared;

use std::{
    error::Error,
    fmt,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

const CLIENT: &str = "client_id=bench";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
const LONGEST_ANSWER: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

pub type Failure = Box<dyn Error + Send + Sync>;

/// One login on one kept connection.
pub struct Login {
    server: Server,
    pub user_code: String,
    poll: String,
}

impl Login {
    /// Requests a code from the server at `https://HOST:PORT`.
    ///
    /// # Errors
    ///
    /// Returns any failure.
    pub fn start(url: &str, ca_file: &str) -> Result<Self, Failure> {
        let address = url.strip_prefix("https://").ok_or("the URL must start with https://")?;
        let mut server = Server::connect(address, ca_file)?;
        let answer = server.post("/oauth2/device_authorization", CLIENT)?;
        let user_code = member(&answer, "user_code").ok_or("no user code")?.to_owned();
        let code = member(&answer, "device_code").ok_or("no device code")?;
        Ok(Self { server, user_code, poll: format!("{GRANT}&device_code={code}&{CLIENT}") })
    }

    /// Polls once and returns whether the response was a token.
    ///
    /// # Errors
    ///
    /// Returns any failure of the connection. A response other than a token is not an error.
    pub fn poll(&mut self) -> Result<bool, Failure> {
        let answer = self.server.post("/oauth2/token", &self.poll)?;
        Ok(member(&answer, "access_token").is_some())
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").field("user_code", &self.user_code).finish_non_exhaustive()
    }
}

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
        let (name, _port) = address.rsplit_once(':').ok_or("the URL must have a port")?;
        let tls = ClientConnection::new(config.into(), ServerName::try_from(name.to_owned())?)?;
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: StreamOwned::new(tls, socket), host: address.to_owned() })
    }

    /// Returns the whole response, head and body.
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
                return Err("incomplete response".into());
            }
            answer.extend(piece.iter().take(read));
        }
        Ok(String::from_utf8(answer)?)
    }
}

/// Returns whether the response has as much body as announced.
fn complete(answer: &[u8]) -> bool {
    let Some((head, body)) = str::from_utf8(answer).ok().and_then(|text| text.split_once("\r\n\r\n")) else {
        return false;
    };
    let announced = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    announced.is_some_and(|length: usize| body.len() >= length)
}

/// Returns the value of a string member without decoding it.
fn member<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = answer.split_once(&format!("\"{name}\""))?;
    after.split('"').nth(1)
}

fn certificates(path: impl AsRef<Path>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    Ok(CertificateDer::pem_file_iter(path)?.filter_map(Result::ok).collect())
}
