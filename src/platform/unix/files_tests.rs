//! Tests for files and their locks.

use std::io::Write;

use super::*;

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

// proves: C-31
#[test]
fn what_is_created_belongs_to_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (deep, file) = (directory.path().join("a").join("b"), directory.path().join("a").join("b").join("c"));
    create_directory(&deep).unwrap();
    drop(create_file(&file).unwrap());
    assert_eq!((mode_of(&deep.join("..")), mode_of(&deep), mode_of(&file)), (0o700, 0o700, 0o600));
    assert_eq!(create_file(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

// proves: C-31
#[test]
fn permissions_of_others_are_taken_away_and_those_of_the_owner_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    drop(create_file(&path).unwrap());
    for (before, after, found) in
        [(0o600, 0o600, Mode::Private), (0o644, 0o600, Mode::Repaired), (0o477, 0o400, Mode::Repaired)]
    {
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
        assert_eq!(make_private(&File::open(&path).unwrap()).unwrap(), found, "{before:o}");
        assert_eq!(mode_of(&path), after);
    }
}

// proves: C-31
#[test]
fn a_lock_file_gets_the_permissions_of_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    for before in [None, Some(0o644), Some(0o200)] {
        if let Some(before) = before {
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
        }
        // The administrator can open a file that its owner cannot read.
        if before != Some(0o200) || geteuid().is_root() {
            drop(FileLock::take(&path).unwrap());
            assert_eq!(mode_of(&path), 0o600);
        }
    }
}

// proves: C-14
#[test]
fn a_lock_excludes_this_process_too_and_its_file_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let lock = FileLock::take(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert!(matches!(FileLock::take(&path), Err(NotLocked::Busy(_))));
    drop(lock);
    drop(FileLock::take(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
}

// proves: C-15
#[test]
fn a_lock_is_released_although_another_descriptor_of_it_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let lock = FileLock::take(&path).unwrap();
    // A forked child has such a copy.
    let copy = lock.file().unwrap().try_clone().unwrap();
    drop(lock);
    drop(FileLock::take(&path).unwrap());
    drop(copy);
}

#[test]
fn a_lock_is_not_taken_on_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
    assert!(matches!(FileLock::take(&path), Err(NotLocked::Failed(_))));
    assert!(!directory.path().join("elsewhere").exists());
}

// proves: C-20
#[test]
fn reserved_space_does_not_change_what_a_file_says() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = create_file(&directory.path().join("file")).unwrap();
    reserve(&file, 64 * 1024).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 0);
    file.write_all(b"text").unwrap();
    assert_eq!(fs::read(directory.path().join("file")).unwrap(), b"text");
}

#[test]
fn a_file_that_is_replaced_has_another_stamp() {
    let directory = tempfile::tempdir().unwrap();
    let (path, new) = (directory.path().join("file"), directory.path().join("new"));
    let stamp = || FileStamp::of(&fs::metadata(&path).unwrap());
    fs::write(&path, "same size").unwrap();
    let before = stamp();
    assert_eq!(stamp(), before);
    fs::write(&new, "size same").unwrap();
    fs::rename(&new, &path).unwrap();
    assert_ne!(stamp(), before);
}

#[test]
fn mount_points_are_decoded() {
    for (text, decoded) in
        [("/a", "/a"), (r"/a\040b", "/a b"), (r"/a\134", r"/a\"), (r"/a\9", r"/a\9"), (r"\", r"\"), ("", "")]
    {
        assert_eq!(unescaped(text), decoded);
    }
}
