// A certificate authority for one run, created with the JDK's keytool (Keycloak requires a JDK anyway).
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PASSWORD = 'changeit'; // PKCS #12 requires one; the key is only used for this run

/** Creates a CA and a server key for localhost in `folder`. */
export async function makePki(folder) {
  const at = (name) => join(folder, name);
  const keytool = (...args) => run('keytool', [...args, '-storepass', PASSWORD], { timeout: 60_000 });
  const authority = ['-keystore', at('authority.p12'), '-storetype', 'PKCS12'];
  const key = ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2', ...authority];
  await keytool(...key, '-alias', 'ca', '-dname', 'CN=test authority', '-ext', 'bc:c=ca:true', '-ext', 'ku:c=keyCertSign');
  await keytool(
    ...[...key, '-alias', 'server', '-dname', 'CN=localhost', '-signer', 'ca'],
    ...['-ext', 'san=dns:localhost,ip:127.0.0.1', '-ext', 'eku=serverAuth', '-ext', 'ku:c=digitalSignature'],
  );
  await keytool('-exportcert', '-rfc', '-alias', 'ca', '-file', at('ca.pem'), ...authority);
  await keytool(
    ...['-importkeystore', '-srckeystore', at('authority.p12'), '-srcstorepass', PASSWORD, '-srcalias', 'server'],
    ...['-destkeystore', at('server.p12'), '-deststoretype', 'PKCS12'],
  );
  return { ca: at('ca.pem'), keystore: at('server.p12'), password: PASSWORD };
}
