//! Opens the user's browser: with an argument list, never through a shell. A failure never ends the login.

use std::{
    env,
    io::IsTerminal,
    process::{Command, Stdio},
};

use url::Url;

use crate::{Prompt, platform::browser};

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
    /// Opens the verification page in the user's browser, if that is appropriate:
    /// standard error is a terminal, this is neither an SSH session nor a CI job, and
    /// there is a display. Honours `BROWSER`. Returns at once and never ends the login.
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
    let set = |name: &str| environment(name).is_some();
    if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(set) {
        return Err("this is an SSH session");
    }
    if environment("CI").is_some_and(|value| value != "false") {
        return Err("this is a CI job");
    }
    let wsl = set("WSL_DISTRO_NAME");
    if browser::NEEDS_DISPLAY && !wsl && !["DISPLAY", "WAYLAND_DISPLAY", "MIR_SOCKET"].into_iter().any(set) {
        return Err("there is no display");
    }
    // Openers are often shell scripts. A URL with shell metacharacters is shown but not opened.
    let shell = |text: &str| text.contains(|c| "$`();|<>\"'\\{}^*!".contains(c));
    let unusual = "the address is unusual";
    let encoded = Url::parse(page).map_err(|_| unusual)?.to_string();
    if shell(page) || shell(&encoded) || !encoded.chars().all(|c| c.is_ascii_graphic()) {
        return Err(unusual);
    }
    let page = encoded;

    let mut openers: Vec<Vec<String>> = Vec::new();
    if let Some(list) = environment("BROWSER") {
        openers.extend(list.split(':').filter_map(|entry| browser_command(entry, &page)));
    }
    openers.extend(browser::openers(wsl).iter().map(|opener| vec![(*opener).to_owned(), page.clone()]));
    Ok(openers)
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
        if command.spawn().is_ok() {
            return Launch::Started;
        }
    }
    Launch::NotStarted("no browser was found")
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
    fn nothing_is_opened_over_ssh_in_ci_or_without_a_display() {
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
    fn browser_is_split_without_a_shell() {
        let openers =
            with(PAGE, &[("DISPLAY", ":0"), ("BROWSER", "w3m:/usr/bin/lynx:ff --new %s -x:br;rm: ")])
                .unwrap();
        assert_eq!(openers[0], ["ff", "--new", PAGE, "-x"]);
        assert_eq!(openers[1], ["br;rm", PAGE]);
        assert_eq!(openers.len(), 3);
    }

    // proves: CLI-05, CLI-06
    #[test]
    fn an_address_that_means_something_to_a_shell_is_not_opened() {
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
    fn a_missing_opener_is_passed_over() {
        let missing = vec!["cli-auth-no-such-opener".to_owned()];
        assert_eq!(launch(std::slice::from_ref(&missing)), Launch::NotStarted("no browser was found"));
        assert_eq!(launch(&[missing, vec!["true".to_owned()]]), Launch::Started);
    }
}
