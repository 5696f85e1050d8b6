//! A session bus with a Secret Service, in one thread, that can be told to misbehave.

use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicBool, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::fake_wire::{Body, Message, Received};

pub(super) const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// How the service behaves. The default is a healthy one.
#[derive(Clone, Debug, Default)]
pub(super) struct Behaviour {
    /// The default collection is locked.
    pub(super) locked: bool,
    /// There is no default collection.
    pub(super) no_default: bool,
    /// Items are locked although the collection is not.
    pub(super) items_locked: bool,
    /// The method that asks for a prompt instead of doing its work.
    pub(super) prompt_at: Option<&'static str>,
    /// The method that fails, and the name of the error.
    pub(super) error_at: Option<(&'static str, &'static str)>,
    /// What goes wrong in place of which response. 0 is the one to the authentication, 1 the one to Hello.
    pub(super) fault: Option<(usize, Fault)>,
    /// Other messages come before each reply.
    pub(super) chatter: bool,
    pub(super) big_endian: bool,
    /// Sends byte by byte, with this pause.
    pub(super) pause: Option<Duration>,
}

#[derive(Clone, Debug)]
pub(super) enum Fault {
    Mute,
    Close,
    Bytes(Vec<u8>),
    WrongSerial,
    /// The reply has a body of another type.
    WrongType,
}

/// What the service has seen and keeps.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) connections: usize,
    /// The methods called on all connections.
    pub(super) calls: Vec<String>,
    pub(super) items: Vec<(BTreeMap<String, String>, Vec<u8>)>,
}

/// A running service. Dropping it ends it.
#[derive(Debug)]
pub(super) struct FakeService {
    folder: tempfile::TempDir,
    seen: Arc<Mutex<Seen>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeService {
    pub(super) fn start(behaviour: Behaviour) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("bus")).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let ended = Arc::new(AtomicBool::new(false));
        let (seen_there, ended_there) = (seen.clone(), ended.clone());
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if ended_there.load(Ordering::SeqCst) {
                    return;
                }
                seen_there.lock().unwrap().connections += 1;
                let mut peer = Peer { stream: stream.unwrap(), behaviour: &behaviour, seen: &seen_there };
                // The client may leave at any time.
                let _ = peer.serve();
            }
        });
        Self { folder, seen, ended, thread: Some(thread) }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    pub(super) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

impl Drop for FakeService {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(self.path());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// One connection.
struct Peer<'a> {
    stream: UnixStream,
    behaviour: &'a Behaviour,
    seen: &'a Mutex<Seen>,
}

impl Peer<'_> {
    fn serve(&mut self) -> io::Result<()> {
        let mut nul = [1];
        self.stream.read_exact(&mut nul)?;
        assert_eq!(nul, [0]);
        assert!(self.line()?.starts_with("AUTH EXTERNAL 3"));
        if self.fault(0)? {
            return Ok(());
        }
        self.send(b"OK 0123456789abcdef\r\n")?;
        assert_eq!(self.line()?, "BEGIN");
        for step in 1.. {
            let call = self.receive()?;
            self.seen.lock().unwrap().calls.push(call.member.clone());
            if self.fault(step)? {
                return Ok(());
            }
            let reply = self.reply(step, &call);
            if self.behaviour.chatter {
                for (kind, serial) in
                    [(4, None), (1, None), (2, Some(call.serial + 1)), (9, Some(call.serial))]
                {
                    let mut other = Message::new(kind, serial, self.behaviour.big_endian);
                    other.signature = "s";
                    other.body.string("something else");
                    self.send(&other.bytes())?;
                }
            }
            self.send(&reply.bytes())?;
        }
        Ok(())
    }

    /// Misbehaves if it is time to. Returns whether the connection ends here.
    fn fault(&mut self, step: usize) -> io::Result<bool> {
        match &self.behaviour.fault {
            Some((at, Fault::Mute)) if *at == step => {}
            Some((at, Fault::Close)) if *at == step => return Ok(true),
            Some((at, Fault::Bytes(bytes))) if *at == step => self.send(&bytes.clone())?,
            _ => return Ok(false),
        }
        // Until the client leaves.
        self.stream.read_to_end(&mut Vec::new())?;
        Ok(true)
    }

    fn reply(&self, step: usize, call: &Received) -> Message {
        let behaviour = self.behaviour;
        let mut serial = call.serial;
        match behaviour.fault {
            Some((at, Fault::WrongSerial)) if at == step => serial += 7,
            Some((at, Fault::WrongType)) if at == step => {
                let mut reply = Message::new(2, Some(serial), behaviour.big_endian);
                reply.signature = "ss";
                reply.body.string("surprise");
                reply.body.string("surprise");
                return reply;
            }
            _ => {}
        }
        let failure = |name| {
            let mut reply = Message::new(3, Some(serial), behaviour.big_endian);
            reply.error = Some(name);
            reply.signature = "s";
            reply.body.string("for developers");
            reply
        };
        if let Some((_, name)) = behaviour.error_at.filter(|(member, _)| *member == call.member) {
            return failure(name);
        }
        let mut reply = Message::new(2, Some(serial), behaviour.big_endian);
        let prompts = behaviour.prompt_at == Some(&call.member);
        let prompt = if prompts { "/org/freedesktop/secrets/prompt/p1" } else { "/" };
        let mut seen = self.seen.lock().unwrap();
        let index = call.path.rsplit('/').next().and_then(|last| last.parse::<usize>().ok());
        let body = &mut reply.body;
        reply.signature = match call.member.as_str() {
            "Hello" => {
                body.string(":1.7");
                "s"
            }
            "ReadAlias" => {
                body.string(if behaviour.no_default { "/" } else { COLLECTION });
                "o"
            }
            "Get" => {
                body.signature("b");
                body.u32(u32::from(behaviour.locked));
                "v"
            }
            "OpenSession" => {
                body.signature("s");
                body.string("");
                body.string("/org/freedesktop/secrets/session/s1");
                "vo"
            }
            "SearchItems" => {
                let wanted = call.cursor().pairs();
                let found: Vec<_> = (0..seen.items.len())
                    .filter(|index| {
                        wanted.iter().all(|(key, value)| seen.items[*index].0.get(key) == Some(value))
                    })
                    .collect();
                let paths = |body: &mut Body, listed: bool| {
                    body.array(4, |body| {
                        for index in found.iter().filter(|_| listed) {
                            body.string(&format!("{COLLECTION}/{index}"));
                        }
                    });
                };
                paths(body, !behaviour.items_locked);
                paths(body, behaviour.items_locked);
                "aoao"
            }
            "GetSecret" if prompts => {
                body.string(prompt);
                "o"
            }
            "GetSecret" => {
                body.align(8);
                body.string("/org/freedesktop/secrets/session/s1");
                body.blob(&[]);
                body.blob(&seen.items[index.unwrap()].1);
                body.string("text/plain");
                "(oayays)"
            }
            "CreateItem" => {
                let (attributes, secret) = call.cursor().new_item();
                let created = if prompts {
                    "/".to_owned()
                } else {
                    seen.items.retain(|(known, _)| *known != attributes);
                    seen.items.push((attributes, secret));
                    format!("{COLLECTION}/{}", seen.items.len() - 1)
                };
                body.string(&created);
                body.string(prompt);
                "oo"
            }
            "Delete" => {
                if !prompts {
                    seen.items.remove(index.unwrap());
                }
                body.string(prompt);
                "o"
            }
            _ => return failure("org.freedesktop.DBus.Error.UnknownMethod"),
        };
        reply
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        while !line.ends_with("\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            line.push(char::from(byte[0]));
        }
        Ok(line.trim_end().to_owned())
    }

    fn receive(&mut self) -> io::Result<Received> {
        let mut bytes = vec![0; Received::START];
        self.stream.read_exact(&mut bytes)?;
        bytes.resize(Received::size(&bytes), 0);
        self.stream.read_exact(&mut bytes[Received::START..])?;
        Ok(Received::read(&bytes))
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(pause) = self.behaviour.pause else { return self.stream.write_all(bytes) };
        for byte in bytes {
            self.stream.write_all(&[*byte])?;
            thread::sleep(pause);
        }
        Ok(())
    }
}
