//! Kotlin: the example tool beside plain Kotlin, JNA and a shared library, measured from inside by a program with the same jar.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::floor;
use super::go;
use super::subject::{Budgets, Cancel, Party, Size, Subject, Words, bytes};
use super::table::Budget;
use crate::examples::in_foreground;
use crate::lang::{self, Language};
use crate::workspace::{Profile, Workspace};

const FLOOR: &str = "xtask/floor/kotlin";
const METER: &str = "xtask/meter/kotlin";
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

const CANCELS: &[Cancel] =
    &[Cancel { what: "cancel()", word: "cancel" }, Cancel { what: "the coroutine's end", word: "job" }];

pub(super) fn subject(workspace: &Workspace) -> anyhow::Result<Subject> {
    Language::Kotlin.build_example(workspace, Profile::Release, in_foreground)?;
    let jar = lang::kotlin_jar(workspace);
    let meter = built(workspace, METER)?;
    let short = trained(workspace, &meter, "ShortKt", &["https://127.0.0.1:9", "/dev/null"])?;
    Ok(Subject {
        tool: Party {
            words: Words::new(Language::Kotlin.words(workspace, Profile::Release)),
            sizes: vec![Size::mb("jar", bytes(&jar)?, Budget::Nothing)],
            import: None,
        },
        short: Some(short),
        floor: beside(workspace)?,
        // The JVM ends at Ctrl-C, whatever its threads are at.
        floor_hears: true,
        meter: Words::new(["java".as_ref(), "-cp".as_ref(), meter.as_os_str(), "MeterKt".as_ref()]),
        cancels: CANCELS,
        crowds: &[200, 1_000],
        budgets: Budgets {
            start: Budget::Nothing,
            memory: Budget::Nothing,
            interrupt: Budget::Median(100.0),
            poll: Budget::Nothing,
            crowd_cpu: Budget::Nothing,
            crowd_memory: Budget::Nothing,
        },
    })
}

/// JNA and the library.
fn beside(workspace: &Workspace) -> anyhow::Result<Party> {
    let library = floor::libraries(workspace)?.shared;
    let jar = built(workspace, FLOOR)?;
    let size = bytes(&library)?;
    let library = library.to_string_lossy().into_owned();
    let words = trained(workspace, &jar, "FloorKt", &[&library, "https://127.0.0.1:9", "/dev/null"])?;
    Ok(Party {
        words: words.and(library),
        sizes: vec![Size::mb("shared libraries in it", size, Budget::Nothing)],
        import: None,
    })
}

/// The jar of a Maven project of ours, which finds its libraries beside it.
fn built(workspace: &Workspace, sources: &str) -> anyhow::Result<PathBuf> {
    let folder = workspace.target.join("bench").join("kotlin").join(sources.replace('/', "-"));
    in_foreground(lang::kotlin_build(workspace, &workspace.root.join(sources), &folder)?)?;
    let jar = folder.join("target").join("program.jar");
    ensure!(jar.exists(), "Maven made no {}", jar.display());
    Ok(jar)
}

/// How `class` of `jar` is started, with what the JVM wrote down in a run with `words`, as the example tool has it.
fn trained(workspace: &Workspace, jar: &Path, class: &str, words: &[&str]) -> anyhow::Result<Words> {
    let archive = jar.with_file_name(format!("{class}.jsa"));
    if archive.exists() {
        fs::remove_file(&archive)?;
    }
    let java = |option: String| {
        let mut java = vec!["java".to_owned(), option];
        java.extend(lang::kotlin_for_short_runs(workspace));
        java.extend(["-cp".to_owned(), jar.to_string_lossy().into_owned(), class.to_owned()]);
        java
    };
    let mut training = Words::new(java(format!("-XX:ArchiveClassesAtExit={}", archive.display()))).command();
    training.args(words).current_dir(&workspace.root);
    // There is nobody to log in to: it fails, and that is all right.
    let _ = go(training)?.finish(PATIENCE);
    ensure!(archive.exists(), "the JVM wrote no archive of the classes of {class}");
    Ok(Words::new(java(format!("-XX:SharedArchiveFile={}", archive.display()))))
}
