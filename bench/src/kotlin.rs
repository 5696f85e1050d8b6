//! Kotlin: the example tool, the floor in plain Kotlin with JNA and a shared library, and a meter with the same jar.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::checkout::{Checkout, succeed, words_of};
use super::floor;
use super::go;
use super::subject::{Budgets, Cancel, Party, Size, Subject, Words, bytes};
use super::table::Budget;

const FLOOR: &str = "bench/floor/kotlin";
const METER: &str = "bench/meter/kotlin";
const PATIENCE: Duration = Duration::from_secs(60);

const CANCELS: &[Cancel] =
    &[Cancel { what: "cancel()", word: "cancel" }, Cancel { what: "the coroutine's end", word: "job" }];

pub(super) fn subject(checkout: &Checkout) -> anyhow::Result<Subject> {
    checkout.build_example("kotlin")?;
    let tool = tool(checkout)?;
    let java = Java::of(&tool.words)?;
    let meter = built(checkout, METER)?;
    let short = java.trained(checkout, &meter, "ShortKt", &["https://127.0.0.1:9", "/dev/null"])?;
    Ok(Subject {
        reader: None,
        short: Some(short),
        floor: beside(checkout, &java)?,
        // The JVM exits at Ctrl-C whatever its threads do.
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
        tool,
    })
}

/// The example tool, started by its own script like users start it.
pub(super) fn tool(checkout: &Checkout) -> anyhow::Result<Party> {
    let jar = jar(&checkout.target.join("dist").join("maven").join("cliauth").join("cli-auth"))?;
    Ok(Party {
        words: checkout.example("kotlin")?,
        sizes: vec![Size::mb("jar", bytes(&jar)?, Budget::Nothing)],
        import: None,
    })
}

/// Returns the jar of the newest version in an artifact's directory of a Maven repository.
fn jar(artifact: &Path) -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir(artifact).with_context(|| format!("cannot read {}", artifact.display()))?;
    let jars = versions.filter_map(Result::ok).map(|version| {
        let version = version.file_name();
        let mut name = OsString::from("cli-auth-");
        name.push(&version);
        name.push(".jar");
        artifact.join(version).join(name)
    });
    let newest = jars
        .filter(|jar| jar.is_file())
        .max_by_key(|jar| fs::metadata(jar).and_then(|data| data.modified()).ok());
    newest.with_context(|| format!("no jar in {}", artifact.display()))
}

/// Builds a JNA program with the floor library.
fn beside(checkout: &Checkout, java: &Java) -> anyhow::Result<Party> {
    let library = floor::libraries(checkout)?.shared;
    let jar = built(checkout, FLOOR)?;
    let size = bytes(&library)?;
    let library = library.to_string_lossy().into_owned();
    let words = java.trained(checkout, &jar, "FloorKt", &[&library, "https://127.0.0.1:9", "/dev/null"])?;
    Ok(Party {
        words: words.and(library),
        sizes: vec![Size::mb("shared libraries inside", size, Budget::Nothing)],
        import: None,
    })
}

/// Builds the jar of a Maven project of the benchmarks, which finds its libraries in the same directory. Earlier build
/// results are not used, because Maven does not notice a changed library of the same version.
fn built(checkout: &Checkout, sources: &str) -> anyhow::Result<PathBuf> {
    let directory = checkout.work("kotlin")?.join(sources.replace('/', "-"));
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    let mut maven = checkout.command("mvn");
    maven.current_dir(checkout.root.join(sources));
    maven.args(["--quiet", "--batch-mode", "--no-transfer-progress", "-Dstyle.color=never", "package"]);
    let (repository, dist) = (checkout.target.join("tools/maven"), checkout.target.join("dist/maven"));
    for (name, path) in
        [("maven.repo.local", &repository), ("cli-auth.repository", &dist), ("out", &directory)]
    {
        let mut definition = OsString::from(format!("-D{name}="));
        definition.push(path);
        maven.arg(definition);
    }
    // A Kotlin daemon would outlive the build and keep a gigabyte of memory.
    maven.arg("-Dkotlin.compiler.daemon=false");
    for name in ["MAVEN_ARGS", "MAVEN_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"] {
        maven.env_remove(name);
    }
    succeed(maven)?;
    let jar = directory.join("program.jar");
    ensure!(jar.exists(), "Maven did not create {}", jar.display());
    Ok(jar)
}

/// The JVM options in the example tool's script, for programs that are compared with the tool.
struct Java(Vec<String>);

impl Java {
    fn of(tool: &Words) -> anyhow::Result<Self> {
        let script = tool.last().context("the launcher executes no command")?;
        let words = words_of(script.as_ref())?.into_iter().take_while(|word| word != "-jar");
        // Each program has its own class archive.
        Ok(Self(words.filter(|word| !word.starts_with("-XX:SharedArchiveFile=")).collect()))
    }

    /// Returns the command line for `class` of `jar`, with a class archive from a run with `words`, like the example
    /// tool's.
    fn trained(&self, checkout: &Checkout, jar: &Path, class: &str, words: &[&str]) -> anyhow::Result<Words> {
        let archive = jar.with_file_name(format!("{class}.jsa"));
        let java = |option: String| {
            let class_path = ["-cp".to_owned(), jar.to_string_lossy().into_owned(), class.to_owned()];
            self.0.iter().cloned().chain([option]).chain(class_path).collect::<Vec<_>>()
        };
        let mut training =
            Words::new(java(format!("-XX:ArchiveClassesAtExit={}", archive.display()))).command();
        training.args(words).current_dir(&checkout.root);
        // No server is running, so the login fails, which is expected.
        let _ = go(training)?.finish(PATIENCE);
        ensure!(archive.exists(), "the JVM wrote no class archive for {class}");
        Ok(Words::new(java(format!("-XX:SharedArchiveFile={}", archive.display()))))
    }
}
