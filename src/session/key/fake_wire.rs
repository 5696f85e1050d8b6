//! Messages of D-Bus as the fake service reads and writes them. Independent of the code under test.

use std::collections::BTreeMap;

/// A method call.
pub(super) struct Received {
    pub(super) serial: u32,
    pub(super) path: String,
    pub(super) member: String,
    body: Vec<u8>,
}

impl Received {
    /// The size of the part that has the sizes of the rest.
    pub(super) const START: usize = 16;

    /// Returns the size of the message that starts with these bytes.
    pub(super) fn size(start: &[u8]) -> usize {
        let mut cursor = Cursor { bytes: start, at: 4 };
        let body = cursor.size();
        cursor.at = 12;
        Self::START + cursor.size().next_multiple_of(8) + body
    }

    pub(super) fn read(message: &[u8]) -> Self {
        let mut cursor = Cursor { bytes: message, at: 4 };
        let body = cursor.size();
        let serial = u32::try_from(cursor.size()).unwrap();
        let fields = cursor.size();
        let mut texts = BTreeMap::new();
        while cursor.at < Self::START + fields {
            cursor.align(8);
            let code = cursor.byte();
            let value = if cursor.signature() == "g" { cursor.signature() } else { cursor.string() };
            texts.insert(code, value);
        }
        let body = message[message.len() - body..].to_vec();
        Self { serial, path: texts[&1].clone(), member: texts[&3].clone(), body }
    }

    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { bytes: &self.body, at: 0 }
    }
}

/// Reads values.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, size: usize) -> &[u8] {
        self.at += size;
        &self.bytes[self.at - size..self.at]
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn size(&mut self) -> usize {
        self.align(4);
        usize::try_from(u32::from_le_bytes(self.take(4).try_into().unwrap())).unwrap()
    }

    fn text(&mut self, size: usize) -> String {
        let text = String::from_utf8(self.take(size).to_vec()).unwrap();
        assert_eq!(self.byte(), 0);
        text
    }

    fn string(&mut self) -> String {
        let size = self.size();
        self.text(size)
    }

    fn signature(&mut self) -> String {
        let size = usize::from(self.byte());
        self.text(size)
    }

    fn blob(&mut self) -> Vec<u8> {
        let size = self.size();
        self.take(size).to_vec()
    }

    pub(super) fn pairs(&mut self) -> BTreeMap<String, String> {
        let size = self.size();
        self.align(8);
        let end = self.at + size;
        let mut pairs = BTreeMap::new();
        while self.at < end {
            self.align(8);
            pairs.insert(self.string(), self.string());
        }
        pairs
    }

    /// Reads the body of CreateItem: the attributes and the secret.
    pub(super) fn new_item(&mut self) -> (BTreeMap<String, String>, Vec<u8>) {
        let size = self.size();
        self.align(8);
        let end = self.at + size;
        let mut attributes = BTreeMap::new();
        while self.at < end {
            self.align(8);
            self.string();
            match self.signature().as_str() {
                "s" => drop(self.string()),
                "a{ss}" => attributes = self.pairs(),
                other => panic!("a property of type {other}"),
            }
        }
        self.align(8);
        self.string();
        assert!(self.blob().is_empty());
        let secret = self.blob();
        assert_eq!(self.string(), "text/plain");
        assert_eq!(self.size(), 1);
        (attributes, secret)
    }
}

/// Writes values.
#[derive(Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Body {
    pub(super) fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    fn number(&self, number: usize) -> [u8; 4] {
        let number = u32::try_from(number).unwrap();
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.align(4);
        let number = self.number(usize::try_from(number).unwrap());
        self.bytes.extend(number);
    }

    pub(super) fn string(&mut self, text: &str) {
        self.u32(u32::try_from(text.len()).unwrap());
        self.bytes.extend(text.bytes().chain([0]));
    }

    pub(super) fn signature(&mut self, text: &str) {
        self.bytes.push(u8::try_from(text.len()).unwrap());
        self.bytes.extend(text.bytes().chain([0]));
    }

    pub(super) fn array(&mut self, alignment: usize, elements: impl FnOnce(&mut Self)) {
        self.u32(0);
        let size_at = self.bytes.len() - 4;
        self.align(alignment);
        let start = self.bytes.len();
        elements(self);
        let size = self.number(self.bytes.len() - start);
        self.bytes[size_at..size_at + 4].copy_from_slice(&size);
    }

    pub(super) fn blob(&mut self, blob: &[u8]) {
        self.array(1, |array| array.bytes.extend(blob));
    }
}

/// A message to the client.
pub(super) struct Message {
    kind: u8,
    pub(super) reply_serial: Option<u32>,
    pub(super) error: Option<&'static str>,
    pub(super) signature: &'static str,
    pub(super) body: Body,
}

impl Message {
    pub(super) fn new(kind: u8, reply_serial: Option<u32>, big_endian: bool) -> Self {
        let body = Body { big_endian, ..Body::default() };
        Self { kind, reply_serial, error: None, signature: "", body }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut all = Body { big_endian: self.body.big_endian, ..Body::default() };
        all.bytes.extend([if all.big_endian { b'B' } else { b'l' }, self.kind, 1, 1]);
        all.u32(u32::try_from(self.body.bytes.len()).unwrap());
        all.u32(99);
        all.array(8, |fields| {
            let mut text = |code: u8, kind: &str, text: &str| {
                fields.align(8);
                fields.bytes.push(code);
                fields.signature(kind);
                if kind == "g" { fields.signature(text) } else { fields.string(text) }
            };
            text(7, "s", ":1.1");
            text(8, "g", self.signature);
            if let Some(name) = self.error {
                text(4, "s", name);
            }
            if let Some(serial) = self.reply_serial {
                fields.align(8);
                fields.bytes.push(5);
                fields.signature("u");
                fields.u32(serial);
            }
        });
        all.align(8);
        all.bytes.extend(&self.body.bytes);
        all.bytes
    }
}
