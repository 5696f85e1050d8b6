//! A complete login on this machine with the test server, the example tool, and a real or simulated user. If the tool
//! stores the login, the demo also fetches a token and logs out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::authserver::{Server, login_arguments};
use crate::examples::in_foreground;
use crate::lang::Language;
use crate::process;
use crate::workspace::{Profile, Workspace};

/// Timeout for fetching a token and for logging out. Neither involves a user.
const QUICK: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) language: Language,
    /// The automatic decision of the server, `--approve` or `--deny`; `None` if the user decides on the page.
    pub(crate) answer: Option<&'static str>,
}

/// Returns the example tool's exit status.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<u8> {
    options.language.build_demo(workspace, in_foreground)?;

    let server = Server::start(workspace, options.answer.as_slice())?;
    let [login, server_options @ ..] = login_arguments(&server.url);
    let store = if options.language.has_sessions() { Some(Store::create(workspace)?) } else { None };
    let tool = Tool { workspace, language: options.language, server_options, store };
    println!();
    println!("An authorization server runs at {}; nothing leaves this machine.", server.url);
    println!("The example tool logs in: {}", tool.words(login).join(" "));
    println!(
        "{}",
        match options.answer {
            None => "Open the page that the tool shows, and approve or deny. Ctrl-C cancels the login.",
            Some(_) => "You do not need to open the page: the server decides automatically.",
        }
    );
    println!();
    let status = process::run_in_foreground(&mut tool.command(login)?)?;
    println!();
    println!("{} (the tool's exit status is {status})", describe(status));
    if status == 0
        && let Some(store) = &tool.store
    {
        println!("{}", fetch_token(&tool)?);
        println!("{}", log_out(&tool, store)?);
    }
    Ok(status)
}

/// The example tool of one language, and the options of all its commands.
struct Tool<'a> {
    workspace: &'a Workspace,
    language: Language,
    server_options: [&'a str; 7],
    /// Where the tool stores logins. `None` if it cannot.
    store: Option<Store>,
}

impl Tool<'_> {
    fn words<'w>(&'w self, command: &'w str) -> Vec<&'w str> {
        let store: &[&str] = if self.store.is_some() { &["--store", "file"] } else { &[] };
        [&[command], self.server_options.as_slice(), store].concat()
    }

    fn command(&self, command: &str) -> anyhow::Result<Command> {
        let mut program = self.language.words(self.workspace, Profile::Debug).into_iter();
        let mut tool = self.workspace.command(program.next().context("the example tool has no name")?);
        tool.args(program).args(self.words(command));
        if let Some(store) = &self.store {
            tool.env("XDG_STATE_HOME", &store.0);
        }
        Ok(tool)
    }

    /// Runs a command and returns its result.
    fn result(&self, command: &str) -> anyhow::Result<Value> {
        let mut tool = self.command(command)?;
        tool.arg("--json");
        // Errors must not quote the output, because it may contain a token. Warnings are printed before the result.
        let output = process::output(tool, QUICK).with_context(|| format!("`{command}` failed"))?;
        let line = output.lines().last().with_context(|| format!("`{command}` printed nothing"))?;
        serde_json::from_str(line)
            .ok()
            .with_context(|| format!("`{command}` printed something else than JSON"))
    }
}

/// Fetches a token in a process of its own, as the commands of a real tool do. Returns a description without the token.
fn fetch_token(tool: &Tool) -> anyhow::Result<String> {
    let result = tool.result("token")?;
    let token = result.get("access_token").and_then(Value::as_str);
    let length = token.context("`token` printed no token")?.chars().count();
    let expires_in = result.get("expires_in").and_then(Value::as_f64);
    let validity = expires_in.map_or_else(String::new, |seconds| format!(", valid for {seconds:.0} s"));
    Ok(format!("`token` printed an access token from the stored login: {length} characters{validity}."))
}

/// Removes the stored login. Returns a description.
fn log_out(tool: &Tool, store: &Store) -> anyhow::Result<String> {
    let result = tool.result("logout")?;
    ensure!(result.get("removed") == Some(&Value::Bool(true)), "`logout` found no stored login");
    Ok(format!("`logout` removed the login from {}.", tool.workspace.short(&store.0)))
}

/// A directory in which the example tool stores the demo's login. It is removed when this value is dropped, also after
/// a login that was not approved.
struct Store(PathBuf);

impl Store {
    fn create(workspace: &Workspace) -> anyhow::Result<Self> {
        let path = workspace.target.join("demo").join(std::process::id().to_string());
        create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It is in the target directory, so what cannot be removed now goes with that.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Creates an empty directory.
fn create(path: &Path) -> std::io::Result<()> {
    // An earlier process with this number may have been killed.
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    fs::create_dir_all(path)
}

/// Describes an exit status of the example tool.
fn describe(status: u8) -> &'static str {
    match status {
        0 => "The login was approved; the tool received the tokens.",
        3 => "The login was denied; the tool received no tokens.",
        4 => "The code expired before the login was approved or denied.",
        130 | 143 => "The login was cancelled.",
        _ => "The login failed.",
    }
}
