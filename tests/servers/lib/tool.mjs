// Runs the example tool by the command line and output format that all languages share.
import { Child } from './process.mjs';

/** A login that has been started. */
export class Login {
  #child;

  /** @param setup the runner's settings. @param args the arguments after `login`, without `--json`. */
  constructor(setup, args) {
    this.#child = new Child(setup.tool, [...args, '--json', '--no-browser']);
  }

  /** Resolves to the prompt event. */
  async prompt() {
    await this.#child.match(/^.*"event":"prompt".*\n/m, { seconds: 30 });
    return this.events().find(({ event }) => event === 'prompt');
  }

  /** Returns every event so far. A line that is not JSON is an error. */
  events() {
    const complete = this.#child.stdout.split('\n').slice(0, -1);
    return complete.map((line) => JSON.parse(line));
  }

  /** Waits for the end and checks it against `expected`: an exit status and members of the last event. A function says
   * whether a value is right. */
  async ends(expected, { seconds = 60 } = {}) {
    const { code, signal } = await this.#child.exit({ seconds });
    const events = this.events();
    const last = events.at(-1) ?? {};
    const isRight = (want, got) => (typeof want === 'function' ? want(got) : want === got);
    const wrong = Object.entries(expected.event).filter(([key, value]) => !isRight(value, last[key]));
    if (code !== expected.status || wrong.length > 0) {
      const want = `status ${expected.status} with ${JSON.stringify(expected.event)}`;
      const got = [`status ${code ?? signal}`, ...events.map((event) => JSON.stringify(event)), this.#child.stderr.trim()];
      throw new Error(`expected ${want}, got ${got.join('\n  ')}`);
    }
  }

  async stop() {
    await this.#child.stop();
  }
}

/** The subject of a verified ID token. */
const isText = (value) => typeof value === 'string' && value !== '';

/** The three possible outcomes of a login at a working server. */
export const outcome = {
  approved: { status: 0, event: { event: 'authorized', has_id_token: true, subject: isText } },
  denied: { status: 3, event: { event: 'error', kind: 'denied', oauth_error: 'access_denied' } },
  expired: { status: 4, event: { event: 'error', kind: 'expired' } },
};
