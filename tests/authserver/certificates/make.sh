#!/bin/sh
# Makes the fixed certificates of the test server, those that rcgen and ring cannot make. They are valid from 2025 to
# 2125. Run it in this directory, with OpenSSL 3. Each NAME.pem has the key of the server, its chain and, last, the
# root.
set -eu

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
authority='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign'
server='basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost'

cat > "$work/ca.cnf" <<END
[ca]
default_ca = test
[test]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
policy = names
default_md = default
[names]
commonName = supplied
END
: > "$work/index"

# certificate NAME ISSUER EXTENSIONS OPTIONS...: ISSUER is NAME for a root.
certificate() {
    name=$1 issuer=$2
    printf '%s\n' "$3" > "$work/extensions"
    shift 3
    openssl req -new -key "$work/$name.key" -subj "/CN=authserver $name" -out "$work/request"
    if [ "$name" = "$issuer" ]; then
        set -- -selfsign "$@"
    else
        set -- -cert "$work/$issuer.crt" "$@"
    fi
    openssl ca -batch -notext -config "$work/ca.cnf" -keyfile "$work/$issuer.key" -extfile "$work/extensions" \
        -startdate 20250101000000Z -enddate 21250101000000Z -in "$work/request" -out "$work/$name.crt" "$@"
}

# key NAME OPTIONS...
key() {
    name=$1
    shift
    openssl genpkey -out "$work/$name.key" "$@"
}

curve() {
    key "$1" -algorithm EC -pkeyopt "ec_paramgen_curve:$2"
}

bundle() {
    to=$1 leaf=$2
    shift 2
    { cat "$work/$leaf.key" "$work/$leaf.crt"; for one; do cat "$work/$one.crt"; done; } > "$to.pem"
}

for curve in P-256 P-384 P-521; do
    for name in root intermediate server; do
        curve "$curve-$name" "$curve"
    done
    certificate "$curve-root" "$curve-root" "$authority" -md sha512
    certificate "$curve-intermediate" "$curve-root" "$authority" -md sha512
    certificate "$curve-server" "$curve-intermediate" "$server" -md sha512
    bundle "$(echo "$curve" | tr -d - | tr P p)" "$curve-server" "$curve-intermediate" "$curve-root"
done

key pss-root -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
curve pss-server P-256
certificate pss-root pss-root "$authority" -md sha256 -sigopt rsa_pss_saltlen:digest
certificate pss-server pss-root "$server" -md sha256 -sigopt rsa_pss_saltlen:digest
bundle rsa_pss pss-server pss-root

key ed448-root -algorithm ED448
curve ed448-server P-256
certificate ed448-root ed448-root "$authority"
certificate ed448-server ed448-root "$server"
bundle ed448 ed448-server ed448-root
