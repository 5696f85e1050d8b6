//! The keychain with scripts in place of `security`.

use std::{fs, path::Path};

use nix::{errno::Errno, sys::signal, unistd::Pid};
use proptest::prelude::*;

use super::*;

/// The limit where the script responds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that behaves as the script says, and records how it was called.
struct Fake {
    folder: tempfile::TempDir,
    keychain: Keychain,
}

impl Fake {
    fn new(script: &str, limit: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("security");
        let script = format!(
            "#!/bin/sh\ncd '{}'\nprintf '%s\\n' \"$*\" >> arguments\ncat > input\n{script}\n",
            folder.path().display()
        );
        // Not written by this process: a child of another test may inherit the open file, and a program that is open
        // for writing cannot be started.
        let mut writer = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 700 \"$0\""])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        Self { folder, keychain: Keychain { program, read_limit: limit, write_limit: limit } }
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

fn item() -> Item {
    Item {
        app: "my-cli".to_owned(),
        profile: "work".to_owned(),
        server: "https://login.example".to_owned(),
        login_id: "00ff".to_owned(),
    }
}

fn key() -> Key {
    Key::from_text(b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap()
}

/// Splits a line as `security -i` does: a quote ends the word, and a backslash stands before what is meant literally.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    while let Some(first) = characters.find(|character| !character.is_ascii_whitespace()) {
        let mut word = String::new();
        let quote = matches!(first, '"' | '\'').then_some(first);
        let mut next = if quote.is_some() { characters.next() } else { Some(first) };
        while let Some(character) = next {
            match character {
                '\\' => word.extend(characters.next()),
                _ if Some(character) == quote => break,
                _ if quote.is_none() && character.is_ascii_whitespace() => break,
                _ => word.push(character),
            }
            next = characters.next();
        }
        words.push(word);
    }
    words
}

#[test]
fn a_key_is_written_on_standard_input_and_read_and_removed_by_name() {
    let fake = Fake::new(
        r#"case $1 in
            -i) sed 's/.*-w "\(.*\)"$/\1/' input > item ;;
            find-generic-password) cat item || exit 44 ;;
            delete-generic-password) rm item || exit 44 ;;
        esac"#,
        PATIENCE,
    );
    let keychain = &fake.keychain;
    assert!(matches!(keychain.read(&item()), Err(KeyError::Missing)));
    keychain.write(&item(), &key()).unwrap();
    assert_eq!(
        words(&fake.file("input")),
        [
            "add-generic-password",
            "-U",
            "-s",
            "my-cli",
            "-a",
            "work@https://login.example 00ff",
            "-l",
            "my-cli: key of the login \"work\" at https://login.example",
            "-w",
            &key().to_text(),
        ]
    );
    assert_eq!(keychain.read(&item()).unwrap().bytes(), key().bytes());
    keychain.remove(&item()).unwrap();
    keychain.remove(&item()).unwrap();
    assert!(matches!(keychain.read(&item()), Err(KeyError::Missing)));
    let find = "find-generic-password -s my-cli -a work@https://login.example 00ff -w";
    let delete = "delete-generic-password -s my-cli -a work@https://login.example 00ff";
    assert_eq!(fake.file("arguments").lines().collect::<Vec<_>>(), [find, "-i", find, delete, delete, find]);
}

#[test]
fn the_exit_status_says_what_is_wrong() {
    let locked = |error: &KeyError| matches!(error, KeyError::Locked(_));
    let unavailable = |error: &KeyError| matches!(error, KeyError::Unavailable(_));
    let failed = |error: &KeyError| matches!(error, KeyError::Failed(_));
    type Judge = fn(&KeyError) -> bool;
    let cases: [(i32, Judge); 8] = [
        (-25308, locked),
        (-25293, locked),
        (-128, locked),
        (-25307, unavailable),
        (-25294, unavailable),
        (-25291, unavailable),
        (-67030, failed),
        (1, failed),
    ];
    for (code, judge) in cases {
        // What a parent sees of it.
        let fake = Fake::new(&format!("exit {}", code & 0xff), PATIENCE);
        for error in [
            fake.keychain.read(&item()).unwrap_err(),
            fake.keychain.write(&item(), &key()).unwrap_err(),
            fake.keychain.remove(&item()).unwrap_err(),
        ] {
            assert!(judge(&error), "{code}: {error:?}");
        }
    }
}

#[test]
fn an_item_that_another_process_adds_at_the_same_time_is_updated() {
    let fake = Fake::new("test -e second || { : > second; exit 45; }", PATIENCE);
    fake.keychain.write(&item(), &key()).unwrap();
    assert_eq!(fake.file("arguments"), "-i\n-i\n");
}

#[test]
fn a_child_that_does_not_end_is_killed_at_the_limit() {
    for operation in [
        |keychain: &Keychain| keychain.read(&item()).map(drop),
        |keychain: &Keychain| keychain.write(&item(), &key()),
        |keychain: &Keychain| keychain.remove(&item()),
    ] {
        let mut limit = Duration::from_millis(100);
        let pid = loop {
            let fake = Fake::new("echo $$ > started; mv started pid; exec sleep 1000", limit);
            let error = operation(&fake.keychain).unwrap_err();
            assert!(matches!(error, KeyError::TimedOut(_)), "{error:?}");
            // On a busy machine the child may not even have got that far.
            if let Ok(pid) = fake.file("pid").trim().parse() {
                break pid;
            }
            limit *= 2;
        };
        assert_eq!(signal::kill(Pid::from_raw(pid), None), Err(Errno::ESRCH));
    }
}

#[test]
fn output_that_is_not_a_key_is_a_failure_and_is_not_shown() {
    for script in ["echo hunter2", ":", "head -c 3000 /dev/zero", "kill -9 $$"] {
        let error = Fake::new(script, PATIENCE).keychain.read(&item()).unwrap_err();
        assert!(matches!(&error, KeyError::Failed(text) if !text.contains("hunter2")), "{script}: {error:?}");
    }
}

#[test]
fn a_process_that_keeps_the_output_open_does_not_delay_the_result() {
    let text = key().to_text();
    let fake = Fake::new(&format!("mkfifo gate\ntimeout 600 cat gate &\necho {}", *text), PATIENCE);
    let read = fake.keychain.read(&item());
    // It ends when the writing end of its input is closed.
    drop(fs::OpenOptions::new().write(true).open(fake.folder.path().join("gate")).unwrap());
    assert_eq!(read.unwrap().bytes(), key().bytes());
}

#[test]
fn without_the_program_there_is_no_keychain() {
    let program = Path::new("/nonexistent/security").to_owned();
    let keychain = Keychain { program, read_limit: PATIENCE, write_limit: PATIENCE };
    assert!(matches!(keychain.read(&item()), Err(KeyError::Unavailable(_))));
    assert!(matches!(keychain.write(&item(), &key()), Err(KeyError::Unavailable(_))));
}

#[test]
fn a_name_that_does_not_fit_into_a_command_is_refused() {
    let long = Item { server: "\"".repeat(1000), ..item() };
    let fake = Fake::new("exit 0", PATIENCE);
    assert!(matches!(fake.keychain.write(&long, &key()), Err(KeyError::Failed(_))));
    assert_eq!(fake.file("arguments"), "");
}

proptest! {
    #[test]
    fn no_name_leaves_its_word_or_the_line(app in "\\PC{0,40}", server in "[ -~\u{e4}]{0,400}") {
        let item = Item { app, server, ..item() };
        prop_assume!(item.check().is_ok());
        let command = command_to_add(&item, &key()).unwrap();
        prop_assert!(command.len() < MAX_COMMAND);
        prop_assert_eq!(command.matches('\n').count(), 1);
        let (account, label, text) = (account(&item), item.label(), key().to_text());
        let expected = ["add-generic-password", "-U", "-s", &item.app, "-a", &account, "-l", &label, "-w", &*text];
        prop_assert_eq!(words(&command), expected);
    }
}
