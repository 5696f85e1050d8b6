//! The oauth2 crate, used as documented: the device flow on reqwest with its compiled-in roots and the given one. The
//! arguments and the output are those of the floor, so that one benchmark can run both; `crowd` takes the arguments of
//! the meter.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    time::{Duration, Instant},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use oauth2::{
    ClientId, DeviceAuthorizationUrl, EndpointNotSet, EndpointSet, StandardDeviceAuthorizationResponse,
    TokenUrl, basic::BasicClient, reqwest,
};
use serde_json::json;

const USAGE: &str = "usage: peer-oauth2 URL CA_FILE\n       peer-oauth2 crowd URL CA_FILE LOGINS";

type Failure = Box<dyn Error + Send + Sync>;
type Client = BasicClient<EndpointNotSet, EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match words.as_slice() {
        ["crowd", url, ca_file, logins] => runtime.block_on(crowd(url, ca_file, logins.parse()?)),
        [url, ca_file] => runtime.block_on(one(url, ca_file)),
        _ => Err(USAGE.into()),
    }
}

fn clients(url: &str, ca_file: &str) -> Result<(Client, reqwest::Client), Failure> {
    let client = BasicClient::new(ClientId::new("bench".to_owned()))
        .set_device_authorization_url(DeviceAuthorizationUrl::new(format!(
            "{url}/oauth2/device_authorization"
        ))?)
        .set_token_uri(TokenUrl::new(format!("{url}/oauth2/token"))?);
    let root = reqwest::Certificate::from_pem(&fs::read(ca_file)?)?;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .add_root_certificate(root)
        .build()?;
    Ok((client, http))
}

async fn one(url: &str, ca_file: &str) -> Result<(), Failure> {
    let (client, http) = clients(url, ca_file)?;
    let details: StandardDeviceAuthorizationResponse =
        client.exchange_device_code().request_async(&http).await?;
    say(details.user_code().secret())?;
    let before = cpu_us()?;
    let exchange = client.exchange_device_access_token(&details);
    exchange.request_async(&http, tokio::time::sleep, None).await?;
    say("token")?;
    say(&format!("cpu_us {}", cpu_us()? - before))?;
    Ok(())
}

async fn crowd(url: &str, ca_file: &str, logins: u32) -> Result<(), Failure> {
    let (client, http) = clients(url, ca_file)?;
    let began = Instant::now();
    let tasks: Vec<_> = (0..logins).map(|_| tokio::spawn(log_in(client.clone(), http.clone()))).collect();
    let (mut done, mut gaps): (u32, Vec<f64>) = (0, Vec::new());
    for task in tasks {
        if let Ok(Ok(seen)) = task.await {
            done += 1;
            gaps.extend(seen);
        }
    }
    gaps.sort_by(f64::total_cmp);
    let found = json!({
        "done": done,
        "wall_s": began.elapsed().as_secs_f64(),
        "cpu_s": Duration::from_micros(u64::try_from(cpu_us()?)?).as_secs_f64(),
        "peak_kib": peak_kib(),
        "gap_p99_s": gaps.get(gaps.len() * 99 / 100),
    });
    println!("{found}");
    Ok(())
}

/// Runs one login and returns the seconds from each response to the next. The crate's immediate first poll is not
/// counted.
async fn log_in(client: Client, http: reqwest::Client) -> Result<Vec<f64>, Failure> {
    let details: StandardDeviceAuthorizationResponse =
        client.exchange_device_code().request_async(&http).await?;
    let times = std::sync::Mutex::new(Vec::new());
    let sleep = |pause| {
        // The crate sleeps after each response.
        if let Ok(mut times) = times.lock() {
            times.push(Instant::now());
        }
        tokio::time::sleep(pause)
    };
    client.exchange_device_access_token(&details).request_async(&http, sleep, None).await?;
    let mut times = times.into_inner().map_err(|error| error.to_string())?;
    times.push(Instant::now());
    Ok(times
        .iter()
        .zip(times.iter().skip(1))
        .map(|(one, next)| next.duration_since(*one).as_secs_f64())
        .collect())
}

fn cpu_us() -> Result<i64, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok(usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
}

fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
