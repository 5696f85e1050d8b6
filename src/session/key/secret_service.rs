//! The Secret Service, which desktops provide on the session bus: GNOME Keyring, KWallet, KeePassXC and others.
//!
//! A secret crosses the bus unencrypted (algorithm `plain`): the bus belongs to the user, and every other program of
//! the user could ask for the secret itself.

use std::time::{Duration, Instant};

use super::{
    Item, Key, KeyError, KeyStore,
    dbus::{self, Address, Call, Connection, Error, Reader, Reply, Writer},
};
use crate::sanitize::sanitize;

const READ_LIMIT: Duration = Duration::from_secs(1);
const WRITE_LIMIT: Duration = Duration::from_secs(3);

/// The maximum number of items of one name. There is one, unless another program copied it.
const MAX_ITEMS: usize = 16;

const SERVICE: &str = "org.freedesktop.secrets";
pub(super) const SERVICE_PATH: &str = "/org/freedesktop/secrets";
pub(super) const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";

/// The object path that stands for no object.
const NOTHING: &str = "/";

/// The Secret Service on a bus.
#[derive(Debug)]
pub(crate) struct SecretService {
    /// Or why there is no bus.
    bus: Result<Vec<Address>, String>,
    read_limit: Duration,
    write_limit: Duration,
}

impl SecretService {
    /// Returns the one of the user's login session. Does not connect yet.
    pub(super) fn of_this_session() -> Self {
        Self::with_limits(dbus::session_bus(&|name| std::env::var_os(name)), READ_LIMIT, WRITE_LIMIT)
    }

    pub(super) fn with_limits(
        bus: Result<Vec<Address>, String>,
        read_limit: Duration,
        write_limit: Duration,
    ) -> Self {
        Self { bus, read_limit, write_limit }
    }

    pub(super) fn connect(&self, limit: Duration) -> Result<Client, KeyError> {
        let deadline = Instant::now() + limit;
        let addresses = self.bus.as_ref().map_err(|reason| KeyError::Unavailable(reason.clone()))?;
        let mut connection = Connection::open(addresses, deadline).map_err(of_the_bus)?;
        let hello = Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
            signature: "",
        };
        connection.call(&hello, |_| ()).map_err(of_the_bus)?;
        Ok(Client(connection))
    }
}

impl KeyStore for SecretService {
    fn read(&self, item: &Item) -> Result<Key, KeyError> {
        item.check()?;
        let mut client = self.connect(self.read_limit)?;
        client.default_collection()?;
        let found = client.search(item)?;
        let Some(path) = found.unlocked.first() else {
            return Err(if found.locked { locked() } else { KeyError::Missing });
        };
        let session = client.open_session()?;
        client.secret(path, &session)
    }

    fn write(&self, item: &Item, key: &Key) -> Result<(), KeyError> {
        item.check()?;
        let mut client = self.connect(self.write_limit)?;
        let collection = client.default_collection()?;
        let session = client.open_session()?;
        client.create(&collection, &session, item, key)
    }

    fn remove(&self, item: &Item) -> Result<(), KeyError> {
        item.check()?;
        let mut client = self.connect(self.write_limit)?;
        client.default_collection()?;
        let found = client.search(item)?;
        for path in &found.unlocked {
            client.delete(path)?;
        }
        if found.locked { Err(locked()) } else { Ok(()) }
    }
}

/// The items of one name.
#[derive(Debug)]
struct Found {
    /// The paths of those whose secret can be read.
    unlocked: Vec<String>,
    /// Whether there are others.
    locked: bool,
}

/// The calls to the service.
#[derive(Debug)]
pub(super) struct Client(Connection);

impl Client {
    pub(super) fn call(
        &mut self,
        (path, interface, member): (&str, &str, &str),
        signature: &str,
        body: impl FnOnce(&mut Writer),
    ) -> Result<Reply, KeyError> {
        let call = Call { destination: SERVICE, path, interface, member, signature };
        self.0.call(&call, body).map_err(|error| match error {
            Error::Remote(name) if interface == ITEM_INTERFACE && is_gone(&name) => KeyError::Missing,
            other => of_the_service(other),
        })
    }

    /// Returns the collection that new items are stored in.
    ///
    /// Every operation starts here, since services may show a prompt when a search finds everything locked.
    pub(super) fn default_collection(&mut self) -> Result<String, KeyError> {
        let reply =
            self.call((SERVICE_PATH, SERVICE_INTERFACE, "ReadAlias"), "s", |body| body.string("default"))?;
        let collection = read(&reply, "o", Reader::path)?;
        if collection == NOTHING {
            // Also the state of a service that was started without the user's password, as over SSH.
            return Err(KeyError::Locked(
                "the default keyring does not exist or was never unlocked".to_owned(),
            ));
        }
        let properties = "org.freedesktop.DBus.Properties";
        let reply = self.call((collection, properties, "Get"), "ss", |body| {
            body.string(COLLECTION_INTERFACE);
            body.string("Locked");
        })?;
        let is_locked = read(&reply, "v", |body| {
            body.variant("b")?;
            body.bool()
        })?;
        if is_locked { Err(locked()) } else { Ok(collection.to_owned()) }
    }

    /// Searches every collection, since the user may have chosen another default after the item was stored.
    fn search(&mut self, item: &Item) -> Result<Found, KeyError> {
        let call = (SERVICE_PATH, SERVICE_INTERFACE, "SearchItems");
        let reply = self.call(call, "a{ss}", |body| attributes(body, &names(item)))?;
        read(&reply, "aoao", |body| {
            let mut items = body.array(4)?;
            let mut unlocked = Vec::new();
            while !items.is_at_the_end() && unlocked.len() < MAX_ITEMS {
                unlocked.push(items.path()?.to_owned());
            }
            Some(Found { unlocked, locked: !body.array(4)?.is_at_the_end() })
        })
    }

    /// Returns the path of a session in which secrets are transferred as they are.
    fn open_session(&mut self) -> Result<String, KeyError> {
        let reply = self.call((SERVICE_PATH, SERVICE_INTERFACE, "OpenSession"), "sv", |body| {
            body.string("plain");
            body.variant("s", |value| value.string(""));
        })?;
        read(&reply, "vo", |body| {
            body.variant("s")?;
            body.string()?;
            body.path().map(str::to_owned)
        })
    }

    fn secret(&mut self, item: &str, session: &str) -> Result<Key, KeyError> {
        let reply = self.call((item, ITEM_INTERFACE, "GetSecret"), "o", |body| body.string(session))?;
        if reply.body("o").is_ok() {
            // Not in the specification, but there are services that want to ask about every access.
            return Err(prompted());
        }
        let key = read(&reply, "(oayays)", |body| {
            body.structure()?;
            body.path()?;
            body.bytes()?;
            body.bytes().map(Key::from_text)
        })?;
        key.ok_or_else(|| {
            KeyError::Failed("the item of the key store is not a key of this library".to_owned())
        })
    }

    fn create(&mut self, collection: &str, session: &str, item: &Item, key: &Key) -> Result<(), KeyError> {
        let call = (collection, COLLECTION_INTERFACE, "CreateItem");
        let reply = self.call(call, "a{sv}(oayays)b", |body| {
            body.array(8, |properties| {
                properties.structure();
                properties.string("org.freedesktop.Secret.Item.Label");
                properties.variant("s", |value| value.string(&item.label()));
                properties.structure();
                properties.string("org.freedesktop.Secret.Item.Attributes");
                properties.variant("a{ss}", |value| {
                    let mut pairs = names(item).to_vec();
                    pairs.push(("xdg:schema", "cli-auth.Key".to_owned()));
                    attributes(value, &pairs);
                });
            });
            body.structure();
            body.string(session);
            body.bytes(&[]);
            body.bytes(key.to_text().as_bytes());
            body.string("text/plain");
            body.bool(true); // replace an item of the same attributes
        })?;
        let (item, prompt) = read(&reply, "oo", |body| Some((body.path()?, body.path()?)))?;
        if prompt != NOTHING {
            return Err(prompted());
        }
        if item == NOTHING {
            return Err(KeyError::Failed("the Secret Service did not store the key".to_owned()));
        }
        Ok(())
    }

    fn delete(&mut self, item: &str) -> Result<(), KeyError> {
        match self.call((item, ITEM_INTERFACE, "Delete"), "", |_| ()) {
            // Another process was faster.
            Err(KeyError::Missing) => Ok(()),
            Err(error) => Err(error),
            Ok(reply) if read(&reply, "o", Reader::path)? == NOTHING => Ok(()),
            Ok(_) => Err(prompted()),
        }
    }
}

/// Returns the attributes that an item is found by.
fn names(item: &Item) -> [(&'static str, String); 3] {
    [("service", item.app.clone()), ("account", item.account()), ("login", item.login_id.clone())]
}

fn attributes(body: &mut Writer, pairs: &[(&str, String)]) {
    body.array(8, |entries| {
        for (name, value) in pairs {
            entries.structure();
            entries.string(name);
            entries.string(value);
        }
    });
}

/// Reads a body of these types.
fn read<'a, T>(
    reply: &'a Reply,
    signature: &str,
    body: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Result<T, KeyError> {
    let mut reader = reply.body(signature).map_err(of_the_service)?;
    body(&mut reader).ok_or(Error::Invalid).map_err(of_the_service)
}

fn locked() -> KeyError {
    KeyError::Locked("the keyring is locked".to_owned())
}

fn prompted() -> KeyError {
    KeyError::Locked("the key store wants to ask the user first".to_owned())
}

/// Judges an error before the service is involved.
fn of_the_bus(error: Error) -> KeyError {
    match error {
        Error::Unreachable(reason) => KeyError::Unavailable(reason),
        Error::Refused => KeyError::Unavailable("the session bus does not accept this user".to_owned()),
        Error::TimedOut => KeyError::TimedOut("the session bus did not respond in time".to_owned()),
        Error::Closed => KeyError::Failed("the session bus closed the connection".to_owned()),
        Error::Invalid => KeyError::Failed("the session bus sent an invalid response".to_owned()),
        Error::Remote(name) => KeyError::Failed(format!("the session bus reported {}", sanitize(&name))),
    }
}

/// Returns whether an error says that the object of the call does not exist. Some implementations of D-Bus say that of
/// its methods instead.
fn is_gone(name: &str) -> bool {
    matches!(
        name,
        "org.freedesktop.Secret.Error.NoSuchObject"
            | "org.freedesktop.DBus.Error.UnknownObject"
            | "org.freedesktop.DBus.Error.UnknownMethod"
    )
}

/// Judges an error of a call to the service.
fn of_the_service(error: Error) -> KeyError {
    let name = match error {
        Error::Remote(name) => name,
        Error::TimedOut => {
            return KeyError::TimedOut("the Secret Service did not respond in time".to_owned());
        }
        Error::Invalid => return KeyError::Failed("the Secret Service sent an invalid response".to_owned()),
        error @ (Error::Unreachable(_) | Error::Refused | Error::Closed) => return of_the_bus(error),
    };
    match name.strip_prefix("org.freedesktop.").unwrap_or_default() {
        "Secret.Error.IsLocked" => locked(),
        "DBus.Error.ServiceUnknown" | "DBus.Error.NameHasNoOwner" => {
            KeyError::Unavailable("no Secret Service is running".to_owned())
        }
        "DBus.Error.NoReply" | "DBus.Error.Disconnected" => {
            KeyError::Unavailable("the Secret Service ended".to_owned())
        }
        "DBus.Error.AccessDenied" => {
            KeyError::Unavailable("this program may not use the Secret Service".to_owned())
        }
        other if other.starts_with("DBus.Error.Spawn.") => {
            KeyError::Unavailable("the Secret Service could not be started".to_owned())
        }
        _ => KeyError::Failed(format!("the Secret Service reported {}", sanitize(&name))),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "secret_service_tests.rs"]
mod tests;
