//! The layout of the installed files, and the command that installs them.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::abi::Interface;
use super::library::{self, Libraries};
use crate::examples::in_foreground;
use crate::lang::native::Linker;
use crate::notices;
use crate::workspace::Workspace;

/// The options of `install c`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The directory in which users will find the installation.
    pub(crate) prefix: PathBuf,
    /// The directory of the libraries relative to the prefix, such as `lib`, `lib64` or `lib/x86_64-linux-gnu`.
    pub(crate) libdir: PathBuf,
    /// Prepended to the prefix when files are written, for package builders.
    pub(crate) destdir: Option<PathBuf>,
}

/// Builds with this machine's compiler and installs the result.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<u8> {
    let folder = options.folder()?;
    ensure!(is_below(&options.libdir), "--libdir must be relative to the prefix, such as lib64");
    let lib = folder.join(&options.libdir);
    // Checked before the build, which takes minutes.
    fs::create_dir_all(&lib).with_context(|| format!("cannot create {}", lib.display()))?;
    ensure!(is_writable(&lib), "cannot write into {}", lib.display());
    let libraries = library::build(workspace, Linker::Native, in_foreground)?;
    for file in lay_out(workspace, &libraries, &folder, &options.libdir)? {
        println!("{}", file.display());
    }
    Ok(0)
}

impl Options {
    /// Returns the directory into which the files are written.
    fn folder(&self) -> anyhow::Result<PathBuf> {
        let given = env::var_os("DESTDIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let prefix = &self.prefix;
        Ok(match self.destdir.clone().or(given) {
            None => std::path::absolute(prefix)?,
            Some(destdir) => {
                ensure!(
                    prefix.is_absolute(),
                    "with a DESTDIR, --prefix must be absolute: {}",
                    prefix.display()
                );
                let below: PathBuf = prefix.components().filter(|part| *part != Component::RootDir).collect();
                std::path::absolute(destdir)?.join(below)
            }
        })
    }
}

/// Returns whether the path stays below the directory that it is relative to.
fn is_below(folder: &Path) -> bool {
    folder.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Returns whether files can be created there, which permissions alone do not show.
fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(format!(".cli-auth-{}", std::process::id()));
    fs::write(&probe, []).and_then(|()| fs::remove_file(&probe)).is_ok()
}

/// Writes every file below `prefix` and returns their names.
pub(super) fn lay_out(
    workspace: &Workspace,
    libraries: &Libraries,
    prefix: &Path,
    libdir: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let sources = super::sources(workspace);
    let interface = Interface::find(workspace)?;
    let up = libdir.components().map(|_| "..").collect::<Vec<_>>().join("/");
    let libdir = libdir.to_str().context("--libdir is not valid UTF-8")?;
    let filled = |name: &str, separator: &str| -> anyhow::Result<Vec<u8>> {
        let template =
            fs::read_to_string(sources.join(name)).with_context(|| format!("cannot read {name}"))?;
        let [major, minor, _] = super::version_numbers();
        let private = libraries.private.join(separator);
        let text = template
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@MAJOR@", major)
            .replace("@MINOR@", minor)
            .replace("@ABI@", &interface.version)
            .replace("@LIBDIR@", libdir)
            .replace("@UP@", &up)
            .replace("@POINTER@", &size_of::<usize>().to_string())
            .replace("@PRIVATE@", &private);
        ensure!(!text.contains('@'), "{name} has an unknown placeholder");
        Ok(text.into_bytes())
    };
    let mut placed = Vec::new();
    let mut place = |path: &str, content: Vec<u8>| -> anyhow::Result<()> {
        let file = prefix.join(path);
        let mode = if path.contains(".so") { 0o755 } else { 0o644 };
        write(&file, &content, mode).with_context(|| format!("cannot write {}", file.display()))?;
        placed.push(file);
        Ok(())
    };
    let (real, soname) = (concat!("libcli_auth.so.", env!("CARGO_PKG_VERSION")), library::soname(&interface));
    place("include/cli_auth.h", fs::read(super::header::path(workspace))?)?;
    place(&format!("{libdir}/{real}"), fs::read(&libraries.shared)?)?;
    place(&format!("{libdir}/libcli_auth.a"), fs::read(&libraries.archive)?)?;
    for name in ["cli-auth.pc", "cli-auth-static.pc"] {
        place(&format!("{libdir}/pkgconfig/{name}"), filled(&format!("{name}.in"), " ")?)?;
    }
    for name in ["cli-auth-config.cmake", "cli-auth-config-version.cmake"] {
        place(&format!("{libdir}/cmake/cli-auth/{name}"), filled(&format!("cmake/{name}.in"), ";")?)?;
    }
    place("share/doc/cli-auth/README.md", fs::read(sources.join("README.md"))?)?;
    let notices = notices::of(workspace, "cli-auth-c")?;
    place(&format!("share/doc/cli-auth/{}", notices::FILE), notices.into_bytes())?;
    for name in ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        place(&format!("share/doc/cli-auth/{name}"), fs::read(workspace.root.join(name))?)?;
    }
    for (name, target) in [(soname.as_str(), real), ("libcli_auth.so", soname.as_str())] {
        let link = prefix.join(libdir).join(name);
        point(&link, target).with_context(|| format!("cannot write {}", link.display()))?;
        placed.push(link);
    }
    placed.sort();
    Ok(placed)
}

/// Writes a file and renames it into place, so that running programs keep the previous file.
fn write(file: &Path, content: &[u8], mode: u32) -> anyhow::Result<()> {
    fs::create_dir_all(file.parent().context("the file has no parent directory")?)?;
    let partial = partial(file)?;
    fs::write(&partial, content)?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(mode))?;
    Ok(fs::rename(partial, file)?)
}

/// Does the same for a symbolic link.
fn point(link: &Path, target: &str) -> anyhow::Result<()> {
    let partial = partial(link)?;
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => bail!(error),
        _ => symlink(target, &partial)?,
    }
    Ok(fs::rename(partial, link)?)
}

fn partial(file: &Path) -> anyhow::Result<PathBuf> {
    let name = file.file_name().context("the file has no name")?.to_string_lossy();
    Ok(file.with_file_name(format!(".{name}.{}", std::process::id())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(prefix: &str, destdir: Option<&str>) -> anyhow::Result<PathBuf> {
        Options { prefix: prefix.into(), libdir: "lib".into(), destdir: destdir.map(Into::into) }.folder()
    }

    #[test]
    fn the_destdir_is_prepended_to_the_prefix() {
        assert_eq!(folder("/usr", Some("/tmp/stage")).unwrap(), Path::new("/tmp/stage/usr"));
        assert_eq!(folder("/usr/../opt", Some("/stage/")).unwrap(), Path::new("/stage/usr/../opt"));
        assert!(folder("usr", Some("/tmp/stage")).is_err());
    }

    #[test]
    fn the_libdir_must_be_relative_to_the_prefix() {
        assert!(is_below(Path::new("lib64")) && is_below(Path::new("lib/x86_64-linux-gnu")));
        assert!(!is_below(Path::new("/usr/lib")) && !is_below(Path::new("../lib")));
    }

    #[test]
    fn a_relative_prefix_starts_at_the_current_directory() {
        assert_eq!(folder("/opt/x", None).unwrap(), Path::new("/opt/x"));
        assert_eq!(folder("x", None).unwrap(), env::current_dir().unwrap().join("x"));
    }
}
