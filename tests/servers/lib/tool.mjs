// The example tool, driven by the contract that all languages share.
import { Child } from './process.mjs';

/** One login that has been started. */
export class Login {
  #child;

  /** @param setup what the runner knows. @param args the words after `login`, less `--json`. */
  constructor(setup, args) {
    this.#child = new Child(setup.tool, [...args, '--json', '--no-browser']);
  }

  /** The prompt event: what a person would read. */
  async prompt() {
    await this.#child.match(/^.*"event":"prompt".*\n/m, { seconds: 30 });
    return this.events().find(({ event }) => event === 'prompt');
  }

  /** Every event so far. A line that is not JSON is an error: standard output belongs to programs. */
  events() {
    const complete = this.#child.stdout.split('\n').slice(0, -1);
    return complete.map((line) => JSON.parse(line));
  }

  /** Waits for the end and checks it against `expected`: an exit status and members of the last event. */
  async ends(expected, { seconds = 60 } = {}) {
    const { code, signal } = await this.#child.exit({ seconds });
    const events = this.events();
    const last = events.at(-1) ?? {};
    const wrong = Object.entries(expected.event).filter(([key, value]) => last[key] !== value);
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

/** The three ways in which a login against a willing server ends. */
export const outcome = {
  approved: { status: 0, event: { event: 'authorized', has_id_token: true } },
  denied: { status: 3, event: { event: 'error', kind: 'denied', oauth_error: 'access_denied' } },
  expired: { status: 4, event: { event: 'error', kind: 'expired' } },
};
