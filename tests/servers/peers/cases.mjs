// The cases of each real server: approved, denied and expired, and once over https with a private CA.
import { withPage } from '../lib/browser.mjs';
import { Login, outcome } from '../lib/tool.mjs';

/** Starts `peer` and returns its cases. */
export async function peerCases(peer, setup) {
  const server = await peer.start(setup);
  const { ca } = await setup.pki();
  const words = {
    http: ['--issuer', server.issuers.http, '--insecure-loopback'],
    https: ['--issuer', server.issuers.https, '--ca-file', ca],
  };
  const login = (scheme, client) =>
    new Login(setup, ['--provider', 'oidc', ...words[scheme], '--client-id', client, '--scope', 'openid']);

  const answered = (scheme, approve) => async () => {
    const attempt = login(scheme, peer.clients.patient);
    try {
      const prompt = await attempt.prompt();
      await withPage(setup.browser, {}, (page) => peer.answer(page, prompt, approve));
      await attempt.ends(approve ? outcome.approved : outcome.denied);
    } finally {
      await attempt.stop();
    }
  };
  let last = Promise.resolve();
  const inTurn = (run) => () => {
    const own = last.then(run);
    last = own.catch(() => {});
    return own;
  };
  const approved = (scheme) => (peer.approvesInTurn ? inTurn(answered(scheme, true)) : answered(scheme, true));
  const unanswered = async () => {
    const attempt = login('http', peer.clients.hasty);
    try {
      await attempt.prompt();
      await attempt.ends(outcome.expired);
    } finally {
      await attempt.stop();
    }
  };

  return {
    cases: [
      { title: 'approved', run: approved('http') },
      { title: 'denied', run: answered('http', false) },
      { title: 'expired', run: unanswered },
      { title: 'approved over https', run: approved('https') },
    ],
    close: () => server.stop(),
  };
}
