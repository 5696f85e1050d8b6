#!/bin/sh
# Installs the tool into a directory, configured for a fast start. After `mvn package`: ./install.sh DIR
set -eu
from=$(cd "$(dirname "$0")" && pwd)
rm -rf "$1/lib"
mkdir -p "$1/bin" "$1/lib/native"
cd "$1"
cp "$from/target/login-example.jar" .
cp "$from/target/lib/"*.jar lib
cp "$from/bin/login-example" bin

# JNA would otherwise unpack these libraries at each start. They belong to these jars: others are refused.
cd lib/native
jar xf ../jna-*.jar com/sun/jna/linux-x86-64
jar xf ../cli-auth-*.jar linux-x86-64
mv com/sun/jna/linux-x86-64/*.so linux-x86-64/*.so .
rm -r com linux-x86-64
cd ../..

# The archive of the classes that a login loads. A login at a server that does not exist loads enough of them before it
# fails.
rm -f login-example.jsa
java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ArchiveClassesAtExit=login-example.jsa -jar "$PWD/login-example.jar" \
  --provider endpoints --client-id nobody --json --insecure-loopback \
  --device-endpoint http://127.0.0.1:9/ --token-endpoint http://127.0.0.1:9/ >install.log 2>&1 || true
# A run that failed earlier, for example because no library could be loaded, leaves an archive with few classes.
if [ ! -e login-example.jsa ] || ! grep -q '"kind":"network"' install.log; then
  cat install.log >&2
  exit 1
fi
rm install.log
