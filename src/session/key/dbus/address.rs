//! Where the session bus is.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// The maximum number of addresses that are tried.
const MAX_ADDRESSES: usize = 8;

/// The variable that names the session bus.
const VARIABLE: &str = "DBUS_SESSION_BUS_ADDRESS";

/// The Unix socket of a bus. A name in the abstract namespace starts with NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(PathBuf);

impl Address {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

/// Returns the addresses of the session bus, or why there is none. Never starts a bus.
pub(crate) fn session_bus(environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Vec<Address>, String> {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = runtime.map(|directory| Address(directory.join("bus")));
    let Some(list) = variable(VARIABLE) else {
        return match usual.filter(|address| address.0.exists()) {
            Some(address) => Ok(vec![address]),
            None => Err(format!("this login has no session bus ({VARIABLE} is not set)")),
        };
    };
    let entries = list.as_bytes().split(|byte| *byte == b';');
    let addresses: Vec<_> =
        entries.filter_map(|entry| address(entry, usual.as_ref())).take(MAX_ADDRESSES).collect();
    if addresses.is_empty() {
        return Err(format!("{VARIABLE} names no Unix socket"));
    }
    Ok(addresses)
}

/// Reads one entry, such as `unix:path=/run/user/1000/bus,guid=00ff`. `None` if it is not one for a client.
fn address(entry: &[u8], usual: Option<&Address>) -> Option<Address> {
    let pairs = entry.strip_prefix(b"unix:")?.split(|byte| *byte == b',');
    for pair in pairs {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (pair.get(..equals)?, unescape(pair.get(equals + 1..)?)?);
        match key {
            b"path" => {
                return Some(Address(PathBuf::from(OsString::from_vec(value)))).filter(Address::is_usable);
            }
            b"abstract" => {
                let name = [b"\0", value.as_slice()].concat();
                return Some(Address(PathBuf::from(OsString::from_vec(name)))).filter(Address::is_usable);
            }
            b"runtime" => return usual.filter(|_| value == b"yes").cloned(),
            _ => {}
        }
    }
    None
}

impl Address {
    /// An empty name would be one that the kernel chooses, and a NUL would cut a path.
    fn is_usable(&self) -> bool {
        let bytes: &OsStr = self.0.as_os_str();
        let name = bytes.as_bytes().strip_prefix(b"\0").unwrap_or(bytes.as_bytes());
        !name.is_empty() && !name.contains(&0)
    }
}

/// Replaces `%2f` and the like. `None` if an escape is not valid.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            plain.push(*first);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let digits = str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
        plain.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bus(variables: &[(&str, &str)]) -> Result<Vec<PathBuf>, String> {
        let environment = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value))
        };
        Ok(session_bus(&environment)?.into_iter().map(|address| address.0).collect())
    }

    #[test]
    fn the_variable_names_the_bus_in_every_form_for_clients() {
        for (value, expected) in [
            ("unix:path=/run/user/1000/bus", vec!["/run/user/1000/bus"]),
            ("unix:path=/tmp/a%20b%2fc,guid=00ff", vec!["/tmp/a b/c"]),
            ("unix:guid=00ff,abstract=/tmp/dbus-x", vec!["\0/tmp/dbus-x"]),
            ("unix:runtime=yes", vec!["/run/me/bus"]),
            ("tcp:host=localhost,port=1;unix:path=/a;autolaunch:;unix:path=/b", vec!["/a", "/b"]),
        ] {
            let found = bus(&[("DBUS_SESSION_BUS_ADDRESS", value), ("XDG_RUNTIME_DIR", "/run/me")]);
            assert_eq!(found, Ok(expected.into_iter().map(PathBuf::from).collect()), "{value}");
        }
    }

    #[test]
    fn an_address_that_is_not_for_a_client_or_is_not_valid_is_skipped() {
        for value in [
            "autolaunch:",
            "unix:dir=/tmp",
            "unix:tmpdir=/tmp",
            "unixexec:path=/bin/sh",
            "unix:path=",
            "unix:abstract=",
            "unix:path=/a%0",
            "unix:path=/a%zz",
            "unix:path=/a%+1",
            "unix:path=/a%00b",
            "unix:path",
            "unix:runtime=no",
            "unix:runtime=yes", // without the directory
            ";;",
        ] {
            assert!(bus(&[("DBUS_SESSION_BUS_ADDRESS", value)]).is_err(), "{value}");
        }
    }

    #[test]
    fn without_the_variable_the_socket_of_the_runtime_directory_is_used_if_it_exists() {
        let directory = tempfile::tempdir().unwrap();
        let runtime = directory.path().to_str().unwrap();
        assert!(bus(&[]).is_err());
        assert!(bus(&[("XDG_RUNTIME_DIR", runtime)]).is_err());
        assert!(bus(&[("XDG_RUNTIME_DIR", "relative"), ("DBUS_SESSION_BUS_ADDRESS", "")]).is_err());
        let socket = directory.path().join("bus");
        std::fs::write(&socket, "").unwrap();
        for variables in [
            &[("XDG_RUNTIME_DIR", runtime)][..],
            &[("XDG_RUNTIME_DIR", runtime), ("DBUS_SESSION_BUS_ADDRESS", "")],
        ] {
            assert_eq!(bus(variables), Ok(vec![socket.clone()]));
        }
    }
}
