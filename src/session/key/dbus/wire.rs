//! Messages as bytes: writes calls, and reads what a bus sends. Pure.

use std::fmt;

use zeroize::Zeroizing;

/// The size of the part of a header that has the sizes of the rest.
pub(super) const FIXED: usize = 16;

/// The maximum size of a message that is read. Replies to this client have a few hundred bytes.
const MAX_MESSAGE: usize = 256 * 1024;

/// The initial size of the memory for a message that is written. A larger message would leave copies of a key behind;
/// the names in it are limited.
const CAPACITY: usize = 32 * 1024;

const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;

/// What a method call is addressed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) destination: &'a str,
    pub(crate) path: &'a str,
    pub(crate) interface: &'a str,
    pub(crate) member: &'a str,
    /// The types of the body. Empty if there is none.
    pub(crate) signature: &'a str,
}

impl Call<'_> {
    /// Returns the message.
    pub(super) fn message(&self, serial: u32, body: impl FnOnce(&mut Writer)) -> Zeroizing<Vec<u8>> {
        let mut message = Writer::new();
        for byte in [b'l', METHOD_CALL, 0, 1] {
            message.byte(byte);
        }
        message.u32(0); // the size of the body, below
        message.u32(serial);
        message.array(8, |fields| {
            let texts = [
                (1, "o", self.path),
                (2, "s", self.interface),
                (3, "s", self.member),
                (6, "s", self.destination),
            ];
            for (code, signature, text) in texts {
                fields.structure();
                fields.byte(code);
                fields.variant(signature, |value| value.string(text));
            }
            if !self.signature.is_empty() {
                fields.structure();
                fields.byte(8);
                fields.variant("g", |value| value.signature(self.signature));
            }
        });
        message.align(8);
        let start = message.0.len();
        body(&mut message);
        let size = message.0.len() - start;
        message.set_u32(4, size);
        message.0
    }
}

/// Appends values to a message. Aligns them to the start of the message, as the specification requires.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(CAPACITY)))
    }

    fn align(&mut self, to: usize) {
        let size = self.0.len().next_multiple_of(to);
        self.0.resize(size, 0);
    }

    /// Overwrites a number that was not known when it was written.
    fn set_u32(&mut self, at: usize, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        if let Some(place) = self.0.get_mut(at..at + 4) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn u32(&mut self, number: u32) {
        self.align(4);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.u32(u32::from(value));
    }

    /// Writes a string or an object path. It must have no NUL.
    pub(crate) fn string(&mut self, text: &str) {
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self.byte(0);
    }

    fn signature(&mut self, text: &str) {
        self.byte(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self.byte(0);
    }

    /// Starts a structure, or an entry of a dictionary. Its members follow.
    pub(crate) fn structure(&mut self) {
        self.align(8);
    }

    /// Writes a value with its type, which is a single complete type.
    pub(crate) fn variant(&mut self, signature: &str, value: impl FnOnce(&mut Self)) {
        self.signature(signature);
        value(self);
    }

    /// Writes an array whose elements have the alignment.
    pub(crate) fn array(&mut self, alignment: usize, elements: impl FnOnce(&mut Self)) {
        self.u32(0);
        let size_at = self.0.len() - 4;
        self.align(alignment);
        let start = self.0.len();
        elements(self);
        let size = self.0.len() - start;
        self.set_u32(size_at, size);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.array(1, |array| array.0.extend_from_slice(bytes));
    }
}

/// Reads values from a message. Every method returns `None` if the value is not there, is not valid, or is longer than
/// the message.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    /// The message up to the end of what may be read.
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(size)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn align(&mut self, to: usize) -> Option<()> {
        self.take(self.at.checked_next_multiple_of(to)? - self.at).map(drop)
    }

    pub(crate) fn is_at_the_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().ok()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    pub(crate) fn bool(&mut self) -> Option<bool> {
        match self.u32()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let size = self.size()?;
        self.text(size)
    }

    fn text(&mut self, size: usize) -> Option<&'a str> {
        let text = self.take(size)?;
        (self.byte()? == 0 && !text.contains(&0)).then_some(())?;
        str::from_utf8(text).ok()
    }

    /// Reads an object path. What is sent back to the bus has to be valid, since a bus disconnects a client otherwise.
    pub(crate) fn path(&mut self) -> Option<&'a str> {
        let path = self.string()?;
        let valid = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        (path == "/" || path.strip_prefix('/')?.split('/').all(valid)).then_some(path)
    }

    fn signature(&mut self) -> Option<&'a str> {
        let size = usize::from(self.byte()?);
        self.text(size)
    }

    /// Starts a structure, or an entry of a dictionary. Its members follow.
    pub(crate) fn structure(&mut self) -> Option<()> {
        self.align(8)
    }

    /// Starts a variant. Its value follows if it has this type.
    pub(crate) fn variant(&mut self, signature: &str) -> Option<()> {
        (self.signature()? == signature).then_some(())
    }

    /// Reads an array whose elements have the alignment. They are read from the result.
    pub(crate) fn array(&mut self, alignment: usize) -> Option<Reader<'a>> {
        let size = self.size()?;
        self.align(alignment)?;
        let at = self.at;
        self.take(size)?;
        Some(Reader { bytes: self.bytes.get(..self.at)?, at, big_endian: self.big_endian })
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let array = self.array(1)?;
        array.bytes.get(array.at..)
    }

    /// Skips a value of a basic type, such as a header field that is not needed. `None` for a container: no header
    /// field of the specification is one.
    fn skip(&mut self, signature: &str) -> Option<()> {
        match signature {
            "y" => self.byte().map(drop),
            "n" | "q" => {
                self.align(2)?;
                self.take(2).map(drop)
            }
            "b" | "i" | "u" | "h" => self.u32().map(drop),
            "x" | "t" | "d" => {
                self.align(8)?;
                self.take(8).map(drop)
            }
            "s" | "o" => self.string().map(drop),
            "g" => self.signature().map(drop),
            _ => None,
        }
    }
}

impl fmt::Debug for Reader<'_> {
    /// Without the bytes: they may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("at", &self.at).finish_non_exhaustive()
    }
}

/// A message that was read. Only replies are of interest.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: Kind,
    /// Which call it replies to.
    pub(super) reply_serial: Option<u32>,
    pub(super) error_name: Option<&'a str>,
    pub(super) signature: &'a str,
    pub(super) body: Reader<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Return,
    Error,
    /// A call, a signal, or a kind that a later specification adds.
    Other,
}

/// Returns the size of the message that starts with these bytes. `None` if it is too large, or no message.
pub(super) fn size(fixed: &[u8; FIXED]) -> Option<usize> {
    let mut reader = Reader { bytes: fixed, at: 0, big_endian: false };
    reader.big_endian = match reader.byte()? {
        b'l' => false,
        b'B' => true,
        _ => return None,
    };
    reader.take(2)?;
    (reader.byte()? == 1).then_some(())?;
    let body = reader.size()?;
    reader.u32()?;
    let fields = reader.size()?.checked_next_multiple_of(8)?;
    FIXED.checked_add(fields)?.checked_add(body).filter(|size| *size <= MAX_MESSAGE)
}

/// Reads the header of a complete message. `None` if it does not follow the specification.
pub(super) fn parse(message: &[u8]) -> Option<Message<'_>> {
    (size(message.first_chunk()?)? == message.len()).then_some(())?;
    let mut reader = Reader { bytes: message, at: 0, big_endian: message.first() == Some(&b'B') };
    reader.byte()?;
    let kind = match reader.byte()? {
        METHOD_RETURN => Kind::Return,
        ERROR => Kind::Error,
        _ => Kind::Other,
    };
    reader.take(FIXED - 4 - 2)?;
    let mut fields = reader.array(8)?;
    let (mut reply_serial, mut error_name, mut signature) = (None, None, "");
    while !fields.is_at_the_end() {
        fields.structure()?;
        match (fields.byte()?, fields.signature()?) {
            (4, "s") => error_name = Some(fields.string()?),
            (5, "u") => reply_serial = Some(fields.u32()?),
            (8, "g") => signature = fields.signature()?,
            (_, other) => fields.skip(other)?,
        }
    }
    reader.align(8)?;
    Some(Message { kind, reply_serial, error_name, signature, body: reader })
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
