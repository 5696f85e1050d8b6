//! The control interface: tests make servers, script them and read their logs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::{App, Hosted, MAIN};
use crate::host::Gate;
use crate::http::{Request, Response};
use crate::log::At;
use crate::script::Script;
use crate::server;
use crate::settings::{Answer, Settings};

const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Answers a request below `/control`.
pub(crate) async fn answer(app: &Arc<App>, request: &Request) -> Response {
    match route(app, request).await {
        Ok(response) => response,
        Err(Mistake(status, told)) => Response::json(status, &json!({ "error": told })),
    }
}

/// What the caller did wrong: the status and the explanation.
struct Mistake(u16, String);

async fn route(app: &Arc<App>, request: &Request) -> Result<Response, Mistake> {
    if request.header("origin").is_some() {
        return Err(Mistake(403, "web pages may not control this server".to_owned()));
    }
    // A web page can point a name of its own at this address, and then read what it gets.
    let local = ["127.0.0.1:", "[::1]:", "localhost:"];
    if !request.header("host").is_some_and(|host| local.iter().any(|name| host.starts_with(name))) {
        return Err(Mistake(403, "the Host header has to name this machine".to_owned()));
    }
    let path = request.path.trim_start_matches("/control").trim_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["clock"]) => Ok(Response::json(200, &json!({"now": At(Instant::now())}))),
        ("GET", ["servers"]) => Ok(Response::json(200, &json!({"servers": app.ids()}))),
        ("POST", ["servers"]) => {
            let settings: Settings = body(request)?;
            if let Some(full) = app.is_full() {
                return Err(Mistake(409, full));
            }
            let hosted = app.create(settings).map_err(|told| Mistake(400, told))?;
            Ok(Response::json(201, &app.describe(&hosted)))
        }
        ("GET", ["servers", id]) => Ok(Response::json(200, &with_codes(app, &*find(app, id)?))),
        ("DELETE", ["servers", MAIN]) => Err(Mistake(409, "the main server stays".to_owned())),
        ("DELETE", ["servers", id]) => match app.delete(id).await {
            true => Ok(Response::empty(204)),
            false => Err(unknown(id)),
        },
        ("GET", ["servers", id, "log"]) => log(&*find(app, id)?, request).await,
        ("DELETE", ["servers", id, "log"]) => {
            find(app, id)?.server.log.forget();
            Ok(Response::empty(204))
        }
        ("PUT", ["servers", id, "script"]) => {
            let script: Script = body(request)?;
            find(app, id)?.server.set_script(script);
            Ok(Response::empty(204))
        }
        ("POST", ["servers", id, "answer"]) => decide(&*find(app, id)?, request),
        ("PUT", ["servers", id, "listening"]) => {
            let wanted: Listening = body(request)?;
            let gate = if wanted.listening { Gate::Open } else { Gate::Down };
            if *id == MAIN {
                return Err(Mistake(409, "the main server stays".to_owned()));
            }
            find(app, id)?.set_gate(gate).await;
            Ok(Response::empty(204))
        }
        (method, _) => Err(Mistake(404, format!("there is no {method} {}", request.path))),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Listening {
    listening: bool,
}

fn find(app: &App, id: &str) -> Result<Arc<Hosted>, Mistake> {
    app.get(id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Mistake {
    Mistake(404, format!("there is no server {id}"))
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Mistake> {
    if request.media_type().as_deref() != Some("application/json") {
        return Err(Mistake(400, "Content-Type has to be application/json".to_owned()));
    }
    let text = if request.body.is_empty() { b"{}" } else { request.body.as_slice() };
    serde_json::from_slice(text).map_err(|error| Mistake(400, error.to_string()))
}

fn with_codes(app: &App, hosted: &Hosted) -> Value {
    let mut description = app.describe(hosted);
    let codes: Vec<Value> = hosted.server.state().codes.all().into_iter().map(|code| code.json()).collect();
    if let Some(members) = description.as_object_mut() {
        members.insert("codes".to_owned(), codes.into());
    }
    description
}

async fn log(hosted: &Hosted, request: &Request) -> Result<Response, Mistake> {
    let (mut endpoint, mut count, mut timeout) = (None, None, LONGEST_WAIT);
    for (name, value) in request.query_parameters() {
        let wrong = || Mistake(400, format!("{name}: no number: {value}"));
        match name.as_str() {
            "endpoint" => endpoint = Some(value),
            "count" => count = Some(value.parse::<usize>().map_err(|_| wrong())?),
            "timeout" => {
                timeout = crate::clock::duration(value.parse().map_err(|_| wrong())?).min(LONGEST_WAIT);
            }
            _ => return Err(Mistake(400, format!("there is no parameter {name}"))),
        }
    }
    if let Some(count) = count {
        hosted.server.log.wait_for(endpoint.as_deref(), count, timeout).await;
    }
    Ok(Response::json(200, &hosted.server.log.json(&hosted.id)))
}

fn decide(hosted: &Hosted, request: &Request) -> Result<Response, Mistake> {
    let mut wanted: Value = body(request)?;
    let user_code = wanted.as_object_mut().and_then(|members| members.remove("user_code"));
    let user_code = match user_code {
        None | Some(Value::Null) => None,
        Some(Value::String(user_code)) => Some(user_code),
        Some(_) => return Err(Mistake(400, "user_code: no text".to_owned())),
    };
    let answer: Answer = serde_json::from_value(wanted).map_err(|error| Mistake(400, error.to_string()))?;
    let decision = answer.0.ok_or_else(|| Mistake(400, "a decision is needed".to_owned()))?;
    match server::decide(&hosted.server, user_code.as_deref(), decision) {
        Some(state) => Ok(Response::json(200, &state)),
        None => Err(Mistake(404, "there is no such code".to_owned())),
    }
}
