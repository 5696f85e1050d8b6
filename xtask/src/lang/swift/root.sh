#!/bin/sh
# Swift for a Debian machine whose release has none: a small root directory of a later release that can run programs.
#
#   root.sh make FOLDER                                  fills the empty directory FOLDER
#   root.sh run FOLDER FOLDER_TO_SEE... -- [NAME=VALUE]... PROGRAM [WORD]...
#                                                        runs a program in it, in the current directory; each
#                                                        FOLDER_TO_SEE is visible under the same path, and nothing else
#
# Both require root. The program replaces this process, so its signals, streams and status are those of the caller.
set -eu

release=trixie
# Compiling a Swift program requires the headers of C and C++; SwiftPM calls git.
packages=swiftlang,libc6-dev,libstdc++-14-dev,git,ca-certificates

fail() {
    echo "root.sh: $*" >&2
    exit 1
}

# The URL of this machine's Debian mirror, as configured in apt.
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

make() {
    # What is large and no part of building and testing a package.
    set -- "$1"
    swift=/usr/libexec/swift
    for unused in /usr/share/doc /usr/share/info /usr/share/locale /usr/share/man \
        "$swift/bin/clangd" "$swift/bin/docc" "$swift/bin/lldb*" "$swift/bin/sourcekit-lsp" \
        "$swift/lib/libLTO*" "$swift/lib/liblldb*" "$swift/lib/libsourcekitdInProc*"; do
        set -- "$@" "--dpkgopt=path-exclude=$unused" "--dpkgopt=path-exclude=$unused/*"
    done
    folder=$1
    shift
    [ -n "$(mirror)" ] || apt-get -q update
    from=$(mirror)
    [ -n "$from" ] || fail "apt knows no address of Debian's packages here"
    # Nobody misses it after a loss of power: no waiting for the disk. What is mounted meanwhile goes with the process.
    exec unshare --mount --propagation private env LC_ALL=C TMPDIR="$(dirname "$folder")" \
        mmdebstrap --quiet --mode=root --variant=apt --include="$packages" --dpkgopt=force-unsafe-io "$@" \
        --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' "$release" "$folder" "$from"
}

run() {
    folder=$1
    shift
    # Mounts of this process alone. They go with it, however it ends.
    # /proc has to be there: programs find the libraries of Swift by the place where they lie.
    exec unshare --mount --propagation private sh -euc '
        root=$1 here=$PWD
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/tmp"
        for file in /etc/resolv.conf /etc/hosts; do
            [ -e "$file" ] || continue
            [ -e "$root$file" ] || : >"$root$file"
            mount --bind "$file" "$root$file"
        done
        while [ "$1" != -- ]; do
            mkdir -p "$root$1"
            mount --bind "$1" "$root$1"
            shift
        done
        shift
        exec chroot "$root" /usr/bin/env --ignore-environment --chdir="$here" \
            PATH=/usr/bin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb "$@"
    ' sh "$folder" "$@"
}

[ "$#" -ge 2 ] || fail "usage: root.sh make|run FOLDER ..."
[ "$(id -u)" = 0 ] || fail "only root can do this"
case $1 in
make | run) "$@" ;;
*) fail "there is no $1" ;;
esac
