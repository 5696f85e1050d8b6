//! The form of a record in a file: three lines.
//!
//! 1. The header, one JSON object. Its exact bytes are the additional data of the encryption.
//! 2. The tokens: JSON, or with [`Protected::Keyring`] the Base64 text of a nonce and the encrypted JSON.
//! 3. The length and the SHA-256 hash of the two lines before, one JSON object.
//!
//! A reader checks the third line first. A file that was cut off or changed is therefore never used.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    digest,
    rand::{SecureRandom, SystemRandom},
};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    key::Key,
    record::{Access, Header, Protected, Record, StoredTokens, Times},
};
use crate::{Secret, protocol::json::Object};

/// The format that this version writes, and the only one that it reads.
pub(crate) const FORMAT: u64 = 1;

/// The maximum size of a file. Tokens of the largest servers need a tenth of it.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Why the bytes of a file are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Damaged,
    /// The format is of a later version.
    Newer,
}

/// The first two lines of a file whose third line is right.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) header: Header,
    /// The bytes of the header.
    first: Vec<u8>,
    second: Zeroizing<Vec<u8>>,
}

#[derive(Serialize)]
struct Trailer {
    length: usize,
    sha256: String,
}

/// The second line. Borrows the tokens for writing.
#[derive(Serialize)]
struct Writing<'a> {
    refresh_token: Option<&'a str>,
    access_token: &'a str,
    variants: BTreeMap<&'a str, WritingAccess<'a>>,
    refused: Option<&'a str>,
}

#[derive(Serialize)]
struct WritingAccess<'a> {
    token: &'a str,
    token_type: &'a str,
    times: Times,
}

/// Returns the bytes of a record. `key` is for [`Protected::Keyring`]. Access tokens with parameters that do not fit
/// are left out. `None` if the others do not fit, the system has no random numbers, or the key is missing.
pub(crate) fn write(record: &Record, key: Option<&Key>) -> Option<Zeroizing<Vec<u8>>> {
    let mut record = record.clone();
    loop {
        let file = write_whole(&record, key)?;
        if file.len() <= MAX_BYTES {
            return Some(file);
        }
        record.tokens.variants.pop_first()?;
    }
}

fn write_whole(record: &Record, key: Option<&Key>) -> Option<Zeroizing<Vec<u8>>> {
    let header = serde_json::to_vec(&record.header).ok()?;
    let tokens = tokens_to_json(&record.tokens)?;
    let body = match record.header.protection {
        Protected::Keyring => seal(&header, tokens, key?)?,
        Protected::File | Protected::Program => tokens,
    };
    Some(with_trailer(&header, &body))
}

/// Puts the three lines together.
pub(super) fn with_trailer(first: &[u8], second: &[u8]) -> Zeroizing<Vec<u8>> {
    // In one piece of memory: one that grows would leave copies of the tokens behind.
    let size = first.len().saturating_add(second.len()).saturating_add(256);
    let mut file = Zeroizing::new(Vec::with_capacity(size));
    for line in [first, second] {
        file.extend_from_slice(line);
        file.push(b'\n');
    }
    let trailer = Trailer { length: file.len(), sha256: hash(&file) };
    file.extend(serde_json::to_vec(&trailer).unwrap_or_default());
    file.push(b'\n');
    file
}

/// Checks the third line and returns the two others.
pub(super) fn lines(file: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let mut parts = file.splitn(4, |byte| *byte == b'\n');
    let first = parts.next().unwrap_or_default();
    // A later version may have changed everything but this member.
    match Object::parse(first).and_then(|header| header.integer("format")) {
        Some(FORMAT) => {}
        Some(format) if format > FORMAT => return Err(Unreadable::Newer),
        _ => return Err(Unreadable::Damaged),
    }
    let (Some(second), Some(third), Some([])) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Unreadable::Damaged);
    };
    let length = first.len().saturating_add(second.len()).saturating_add(2);
    let is_whole = |trailer: &Object<'_>| {
        let hash = file.get(..length).map(hash);
        trailer.integer("length") == u64::try_from(length).ok() && trailer.text("sha256") == hash
    };
    match Object::parse(third) {
        Some(trailer) if is_whole(&trailer) => Ok((first, second)),
        _ => Err(Unreadable::Damaged),
    }
}

/// Reads the header of a file. Needs no key.
pub(crate) fn read(file: &[u8]) -> Result<Sealed, Unreadable> {
    let (first, second) = lines(file)?;
    let header = Object::parse(first).and_then(|header| Header::read(&header)).ok_or(Unreadable::Damaged)?;
    Ok(Sealed { header, first: first.to_vec(), second: Zeroizing::new(second.to_vec()) })
}

/// Whether the second file is the complete successor of the first: what a process left that was killed before it had
/// replaced the record.
pub(crate) fn is_successor(current: &[u8], left: &[u8]) -> bool {
    let (Ok(current), Ok(left)) = (read(current), read(left)) else { return false };
    left.header.is_successor_of(&current.header)
}

impl Sealed {
    /// Reads the tokens. `key` is for [`Protected::Keyring`].
    pub(crate) fn open(self, key: Option<&Key>) -> Result<Record, Unreadable> {
        let tokens = match self.header.protection {
            Protected::Keyring => {
                let key = key.ok_or(Unreadable::Damaged)?;
                unseal(&self.first, &self.second, key).ok_or(Unreadable::Damaged)?
            }
            Protected::File | Protected::Program => self.second,
        };
        let tokens = Object::parse(&tokens).and_then(|tokens| StoredTokens::read(&tokens));
        let tokens = tokens.ok_or(Unreadable::Damaged)?;
        if self.header.has_refresh_token != tokens.refresh_token.is_some() {
            return Err(Unreadable::Damaged);
        }
        Ok(Record { header: self.header, tokens })
    }
}

fn tokens_to_json(tokens: &StoredTokens) -> Option<Zeroizing<Vec<u8>>> {
    // Inserted one by one: what collects sorts, and sorting code costs ten kilobytes in each library.
    let mut variants = BTreeMap::new();
    for (variant, Access { token, token_type, times }) in &tokens.variants {
        let access = WritingAccess { token: token.expose(), token_type, times: *times };
        variants.insert(variant.0.as_str(), access);
    }
    let writing = Writing {
        refresh_token: tokens.refresh_token.as_ref().map(Secret::expose),
        access_token: tokens.access_token.expose(),
        variants,
        refused: tokens.refused.as_ref().map(Secret::expose),
    };
    json(&writing)
}

/// Writes JSON into memory that does not grow, so that no copy of a secret is left behind.
pub(super) fn json(value: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    serde_json::to_writer(&mut *text, value).ok()?;
    Some(text)
}

/// Encrypts with a new nonce. The key is used for one login, which does not refresh often enough for two random nonces
/// of 96 bits to be equal.
pub(super) fn seal(header: &[u8], mut text: Zeroizing<Vec<u8>>, key: &Key) -> Option<Zeroizing<Vec<u8>>> {
    let mut nonce = [0; 12];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let tag = cipher(key)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut text)
        .ok()?;
    let mut all = nonce.to_vec();
    all.extend_from_slice(&text);
    all.extend_from_slice(tag.as_ref());
    Some(Zeroizing::new(STANDARD.encode(all).into_bytes()))
}

pub(super) fn unseal(header: &[u8], line: &[u8], key: &Key) -> Option<Zeroizing<Vec<u8>>> {
    let mut all = Zeroizing::new(STANDARD.decode(line).ok()?);
    let (nonce, text) = all.split_first_chunk_mut::<12>()?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let open = cipher(key)?.open_in_place(nonce, Aad::from(header), text).ok()?;
    Some(Zeroizing::new(open.to_vec()))
}

fn cipher(key: &Key) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key.bytes()).ok().map(LessSafeKey::new)
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
