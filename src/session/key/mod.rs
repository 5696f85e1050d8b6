//! The operating system's key store: where the key of a session's record is kept.
//!
//! Only one random key is kept there for each login. The tokens are in the record, encrypted with that key, so a
//! refresh needs no access to the key store.
//!
//! Every call opens one connection, is limited in time and never causes a prompt. A key store that needs the user
//! first is [`KeyError::Locked`].

#[cfg(not(target_vendor = "apple"))]
mod dbus;
#[cfg(any(target_vendor = "apple", test))]
mod keychain;
#[cfg(not(target_vendor = "apple"))]
mod secret_service;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod fake_service;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod fake_wire;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod gnome_keyring_tests;

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The size of a key, in bytes.
pub(crate) const KEY_BYTES: usize = 32;

/// The size that the decoder wants for a key as text. A key as text has 44 characters.
const DECODED_BYTES: usize = 36;

/// The maximum size of each part of a name, in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// A random key. Its memory is overwritten on drop, and `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    /// Generates a key. `None` if the operating system provides no random numbers.
    pub(crate) fn random() -> Option<Self> {
        let mut key = Self(Zeroizing::new([0; KEY_BYTES]));
        SystemRandom::new().fill(key.0.as_mut_slice()).ok()?;
        Some(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Returns the key as base64, since some key stores only keep text.
    fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Reads what [`Key::to_text`] wrote. `None` if it is anything else.
    fn from_text(text: &[u8]) -> Option<Self> {
        let mut decoded = Zeroizing::new([0; DECODED_BYTES]);
        let size = STANDARD.decode_slice(text.trim_ascii(), decoded.as_mut_slice()).ok()?;
        let mut key = Self(Zeroizing::new([0; KEY_BYTES]));
        key.0.copy_from_slice(decoded.get(..size).filter(|bytes| bytes.len() == KEY_BYTES)?);
        Some(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(****)")
    }
}

/// The name of an item of the key store. Nothing in it is secret.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The name of the program.
    pub(crate) app: String,
    pub(crate) profile: String,
    /// The authorization server.
    pub(crate) server: String,
    /// Random text that differs for every login.
    pub(crate) login_id: String,
}

impl Item {
    /// Returns which account of the program the item belongs to.
    fn account(&self) -> String {
        format!("{}@{}", self.profile, self.server)
    }

    /// Returns the name that users see in the system's password manager.
    fn label(&self) -> String {
        format!("{}: key of the login \"{}\" at {}", self.app, self.profile, self.server)
    }

    /// Returns an error if a part of the name cannot be used in every key store.
    fn check(&self) -> Result<(), KeyError> {
        let usable = |part: &String| part.len() <= MAX_NAME_BYTES && !part.contains(char::is_control);
        if [&self.app, &self.profile, &self.server, &self.login_id].into_iter().all(usable) {
            return Ok(());
        }
        Err(KeyError::Failed("the name of the login is too long, or has a control character".to_owned()))
    }
}

/// Keeps keys. Calls block for a limited time, and never cause a prompt.
pub(crate) trait KeyStore: Send + Sync + fmt::Debug {
    /// Returns the item's key, within one second.
    fn read(&self, item: &Item) -> Result<Key, KeyError>;

    /// Stores the key and replaces one of the same name, within three seconds.
    fn write(&self, item: &Item, key: &Key) -> Result<(), KeyError>;

    /// Removes the item, within three seconds. An item that does not exist is not an error.
    fn remove(&self, item: &Item) -> Result<(), KeyError>;
}

/// Why the key store could not be used. The texts are part of a sentence for the user: what failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// This machine or login session has no key store.
    Unavailable(String),
    /// The key store needs the user first: to unlock it, or to allow the access.
    Locked(String),
    /// The key store works, but has no such item.
    Missing,
    /// The key store did not respond in time.
    TimedOut(String),
    /// Anything else.
    Failed(String),
}

/// Returns the key store of this operating system. Opens nothing yet.
pub(crate) fn system() -> Arc<dyn KeyStore> {
    #[cfg(target_vendor = "apple")]
    let store = keychain::Keychain::of_the_user();
    #[cfg(not(target_vendor = "apple"))]
    let store = secret_service::SecretService::of_this_session();
    Arc::new(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_and_is_never_shown() {
        let key = Key::random().unwrap();
        let text = key.to_text();
        assert_eq!(Key::from_text(text.as_bytes()).unwrap().bytes(), key.bytes());
        assert_eq!(Key::from_text(format!("{}\n", *text).as_bytes()).unwrap().bytes(), key.bytes());
        assert_ne!(Key::random().unwrap().bytes(), key.bytes());
        assert_eq!(format!("{key:?}"), "Key(****)");
        for other in [
            "",
            "AAAA",
            "no base64!",
            &STANDARD.encode([7; 31]),
            &STANDARD.encode([7; 33]),
            &"A".repeat(4096),
        ] {
            assert!(Key::from_text(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_name_with_control_characters_or_without_end_is_refused() {
        let item = |server: &str| Item {
            app: "my-cli".to_owned(),
            profile: "work".to_owned(),
            server: server.to_owned(),
            login_id: "00ff".to_owned(),
        };
        assert_eq!(item("https://login.example").check(), Ok(()));
        for server in ["a\nb", "a\0b", &"a".repeat(MAX_NAME_BYTES + 1)] {
            assert!(matches!(item(server).check(), Err(KeyError::Failed(_))), "{server}");
        }
    }
}
