//! Opens the user's browser: with an argument list, never through a shell. A failure never ends the login.

use std::{
    env,
    io::IsTerminal,
    process::{Child, Command, Stdio},
    thread,
};

use url::Url;

use crate::{
    Prompt,
    platform::{browser, with_signals_blocked},
};

/// The result of [`Prompt::open_browser`]. Neither variant is an error: the user can always enter the URL by hand.
///
/// ```
/// # fn show(launch: cli_auth::Launch) {
/// match launch {
///     cli_auth::Launch::Started => eprintln!("A browser should open now."),
///     cli_auth::Launch::NotStarted(why) => eprintln!("No browser was opened: {why}."),
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Launch {
    /// An opener was started. Whether a page appeared is unknown.
    Started,
    /// Nothing was started. The text is the reason, for the user. It contains nothing from the server.
    NotStarted(&'static str),
}

/// Text browsers, which are skipped: they would take over the terminal that shows the code.
const TEXT_BROWSERS: [&str; 8] =
    ["www-browser", "w3m", "lynx", "links", "links2", "elinks", "browsh", "carbonyl"];

impl Prompt {
    /// Opens the verification page in the user's browser, if that is appropriate: standard error is a terminal, this is
    /// neither an SSH session nor a CI job, and there is a display. Returns at once and never ends the login.
    ///
    /// `BROWSER`, if set, is tried first, and also in an SSH session and without a display: containers and remote
    /// editors set it to a program that opens the page on the user's own machine.
    ///
    /// Show the code first: the page asks the user to compare it.
    ///
    /// The URL is passed to the opener as one argument, never through a shell. A URL with characters that have a
    /// meaning in a shell is not opened.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// eprint!("{}", prompt.text());
    /// if prompt.open_browser() == cli_auth::Launch::Started {
    ///     eprintln!("A browser should open now.");
    /// }
    /// # }
    /// ```
    pub fn open_browser(&self) -> Launch {
        let environment = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        if !std::io::stderr().is_terminal() {
            return Launch::NotStarted("standard error is not a terminal");
        }
        match openers(self.page(), &environment) {
            Ok(openers) => launch(&openers),
            Err(why) => Launch::NotStarted(why),
        }
    }
}

/// Returns the command lines to try in order, or the reason why there is none.
fn openers(
    page: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Vec<String>>, &'static str> {
    if environment("CI").is_some_and(|value| value != "false") {
        return Err("this is a CI job");
    }
    // Openers are often shell scripts. A URL with shell metacharacters is shown but not opened.
    let shell = |text: &str| text.contains(|c| "$`();|<>\"'\\{}^*!".contains(c));
    let unusual = "the address is unusual";
    let encoded = Url::parse(page).map_err(|_| unusual)?.to_string();
    if shell(page) || shell(&encoded) || !encoded.chars().all(|c| c.is_ascii_graphic()) {
        return Err(unusual);
    }
    let page = encoded;

    let list = environment("BROWSER").unwrap_or_default();
    let mut openers: Vec<_> = list.split(':').filter_map(|entry| browser_command(entry, &page)).collect();
    match system_openers(environment) {
        Ok(system) => openers.extend(system.iter().map(|opener| vec![(*opener).to_owned(), page.clone()])),
        Err(why) if openers.is_empty() => return Err(why),
        Err(_) => {}
    }
    Ok(openers)
}

/// Returns the openers of the system, or the reason why none of them can open a page that the user sees.
fn system_openers(
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<&'static [&'static str], &'static str> {
    let set = |name: &str| environment(name).is_some();
    if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(set) {
        return Err("this is an SSH session");
    }
    let wsl = set("WSL_DISTRO_NAME");
    if browser::NEEDS_DISPLAY && !wsl && !["DISPLAY", "WAYLAND_DISPLAY", "MIR_SOCKET"].into_iter().any(set) {
        return Err("there is no display");
    }
    Ok(browser::openers(wsl))
}

/// Parses one entry of `BROWSER`: words separated by white space.
/// `%s` stands for the URL; without it, the URL is appended.
fn browser_command(entry: &str, page: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = entry.split_whitespace().map(str::to_owned).collect();
    let program = words.first()?.rsplit('/').next()?;
    if TEXT_BROWSERS.contains(&program) {
        return None;
    }
    if words.iter().any(|word| word.contains("%s")) {
        for word in words.iter_mut().skip(1) {
            *word = word.replace("%s", page);
        }
    } else {
        words.push(page.to_owned());
    }
    Some(words)
}

fn launch(openers: &[Vec<String>]) -> Launch {
    for opener in openers {
        let Some((program, arguments)) = opener.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        browser::detach(&mut command);
        if let Ok(opener) = command.spawn() {
            reap(opener);
            return Launch::Started;
        }
    }
    Launch::NotStarted("no browser was found")
}

/// Waits for an opener on a thread of its own, so that it does not stay as a zombie. Without that thread, it does.
fn reap(mut opener: Child) {
    let wait = move || opener.wait();
    let thread = thread::Builder::new().name("cli-auth-opener".to_owned());
    let _ = with_signals_blocked(|| thread.spawn(wait));
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://h/device?user_code=AB-CD&x=1";

    fn with(page: &str, variables: &[(&str, &str)]) -> Result<Vec<Vec<String>>, &'static str> {
        let get = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        openers(page, &get)
    }

    // proves: CLI-07, R8252-8.12-01
    #[test]
    fn no_browser_over_ssh_in_ci_or_without_a_display() {
        for name in ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"] {
            assert_eq!(with(PAGE, &[(name, "x"), ("DISPLAY", ":0")]), Err("this is an SSH session"));
        }
        assert_eq!(with(PAGE, &[("CI", "true"), ("DISPLAY", ":0")]), Err("this is a CI job"));
        assert!(with(PAGE, &[("CI", "false"), ("DISPLAY", ":0")]).is_ok());
        #[cfg(target_os = "linux")]
        assert_eq!(with(PAGE, &[]), Err("there is no display"));
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "MIR_SOCKET", "WSL_DISTRO_NAME"] {
            assert!(with(PAGE, &[(name, "x")]).is_ok(), "{name}");
        }
    }

    // proves: CLI-04, CLI-05
    #[test]
    fn the_browser_variable_is_split_without_a_shell() {
        let openers =
            with(PAGE, &[("DISPLAY", ":0"), ("BROWSER", "w3m:/usr/bin/lynx:ff --new %s -x:br;rm: ")])
                .unwrap();
        assert_eq!(openers[0], ["ff", "--new", PAGE, "-x"]);
        assert_eq!(openers[1], ["br;rm", PAGE]);
        assert_eq!(openers.len(), 3);
    }

    // proves: CLI-04
    #[test]
    fn the_browser_variable_is_used_everywhere_but_in_ci() {
        for place in [("SSH_CONNECTION", "x"), ("NOTHING", "x")] {
            let openers = with(PAGE, &[place, ("BROWSER", "/usr/bin/code-opener")]).unwrap();
            assert_eq!(openers, [["/usr/bin/code-opener", PAGE]]);
        }
        assert_eq!(with(PAGE, &[("SSH_TTY", "x"), ("BROWSER", "w3m")]), Err("this is an SSH session"));
        assert_eq!(with(PAGE, &[("CI", "1"), ("BROWSER", "x")]), Err("this is a CI job"));
    }

    #[test]
    fn an_exited_opener_is_reaped() {
        let marker = env::temp_dir().join(format!("cli-auth-opener-{}", std::process::id()));
        let opener = vec!["sh".to_owned(), "-c".to_owned(), format!("echo $$ > {}", marker.display())];
        assert_eq!(launch(&[opener]), Launch::Started);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let pid = loop {
            let pid: String = std::fs::read_to_string(&marker).unwrap_or_default();
            if pid.ends_with('\n') {
                break pid.trim().to_owned();
            }
            assert!(std::time::Instant::now() < end, "the opener did not run");
            thread::yield_now();
        };
        // `kill` finds a zombie too, so it fails only after the opener has been reaped.
        let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
        while nix::sys::signal::kill(pid, None).is_ok() {
            assert!(std::time::Instant::now() < end, "the opener was not reaped");
            thread::yield_now();
        }
        std::fs::remove_file(marker).unwrap();
    }

    // proves: CLI-05, CLI-06
    #[test]
    fn urls_with_shell_metacharacters_are_not_opened() {
        for bad in [
            "https://h/$(x)",
            "https://h/`x`",
            "https://h/;x",
            "https://h/a|b",
            "https://h/(x)",
            "https://h/'x'",
        ] {
            assert_eq!(with(bad, &[("DISPLAY", ":0")]), Err("the address is unusual"), "{bad}");
        }
    }

    #[test]
    fn a_missing_opener_is_skipped() {
        let missing = vec!["cli-auth-no-such-opener".to_owned()];
        assert_eq!(launch(std::slice::from_ref(&missing)), Launch::NotStarted("no browser was found"));
        assert_eq!(launch(&[missing, vec!["true".to_owned()]]), Launch::Started);
    }
}
