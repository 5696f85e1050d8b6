// Child processes that are always terminated.
import { spawn } from 'node:child_process';

const OUTPUT_LIMIT = 1 << 20; // maximum number of characters kept of one child's output
const running = new Set();

/** A child in its own process group, so that terminating it also terminates what it started. */
export class Child {
  #process;
  #exit;
  #watchers = new Set();
  stdout = '';
  stderr = '';

  constructor(command, args, { cwd, env } = {}) {
    this.name = command;
    this.#process = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(this);
    this.#exit = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve({ code: null, signal: null, error }));
      this.#process.once('close', (code, signal) => resolve({ code, signal }));
    }).then((end) => {
      running.delete(this);
      this.ended = end;
      for (const watcher of this.#watchers) watcher();
      return end;
    });
    for (const stream of ['stdout', 'stderr']) {
      this.#process[stream].setEncoding('utf8').on('data', (text) => {
        if (this[stream].length < OUTPUT_LIMIT) this[stream] += text;
        for (const watcher of this.#watchers) watcher();
      });
    }
  }

  /** Resolves to the first match of `pattern` in the child's output on `stream`, now or within `seconds`. */
  match(pattern, { seconds, stream = 'stdout' }) {
    return new Promise((resolve, reject) => {
      const settle = (finish, value) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        finish(value);
      };
      const look = () => {
        const found = pattern.exec(this[stream]);
        if (found) settle(resolve, found);
        else if (this.ended) settle(reject, new Error(`${this.name} ended early${this.#tail()}`));
      };
      const timer = setTimeout(
        () => settle(reject, new Error(`${this.name}: no ${pattern} within ${seconds} s${this.#tail()}`)),
        seconds * 1000,
      );
      this.#watchers.add(look);
      look();
    });
  }

  /** Resolves to how the child ended. After `seconds`, terminates it and rejects. */
  async exit({ seconds }) {
    const end = await within(seconds, this.#exit);
    if (end) return end;
    await this.stop();
    throw new Error(`${this.name} still ran after ${seconds} s${this.#tail()}`);
  }

  /** Sends SIGTERM to the whole group, and SIGKILL after ten seconds. */
  async stop() {
    if (this.ended) return this.ended;
    this.#signal('SIGTERM');
    if (!(await within(10, this.#exit))) this.#signal('SIGKILL');
    return this.#exit;
  }

  #signal(signal) {
    try {
      process.kill(-this.#process.pid, signal);
    } catch {
      // The group has already ended.
    }
  }

  #tail() {
    const text = `${this.stdout}${this.stderr}`.trim().split('\n').slice(-8).join('\n  ');
    return text ? `; its last lines:\n  ${text}` : '; it printed nothing';
  }
}

/** Terminates every running child. */
export async function stopAll() {
  await Promise.all([...running].map((child) => child.stop()));
}

async function within(seconds, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, seconds * 1000)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
