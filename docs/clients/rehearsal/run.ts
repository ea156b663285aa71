// Runs all clients, one after the other, against a demo that it starts. It needs Go, which builds the server.

import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const programs = ['graphql-ws', 'graphql-sse', 'apollo', 'urql'];
const built = path.dirname(import.meta.dirname);
const repository = path.resolve(built, '../../..');

const folder = mkdtempSync(path.join(tmpdir(), 'readout-clients-'));
chmodSync(folder, 0o755); // as root, PostgreSQL runs as somebody else, who must get through
const binary = path.join(folder, 'readout');
let demo: ChildProcess | undefined;
try {
  execFileSync('go', ['build', '-o', binary, './cmd/readout'], { cwd: repository, stdio: 'inherit' });
  const args = ['demo', '--json', '--days', '0', '--addr', '127.0.0.1:0', '--data-dir', path.join(folder, 'data')];
  demo = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const { url, email, password, projectKey } = await ready(demo);
  const env = { ...process.env, READOUT_URL: url, READOUT_EMAIL: email, READOUT_PASSWORD: password, READOUT_KEY: projectKey };
  for (const program of programs) {
    const { status } = spawnSync(process.execPath, [path.join(built, `${program}.js`)], { env, stdio: 'inherit', timeout: 150_000 });
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  if (demo?.exitCode === null) {
    demo.kill('SIGTERM');
    await once(demo, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Returns how to get at the demo, once it can be. */
async function ready(demo: ChildProcess): Promise<Record<'url' | 'email' | 'password' | 'projectKey', string>> {
  for await (const line of readline.createInterface({ input: demo.stdout! })) return JSON.parse(line);
  throw new Error('the demo has ended');
}
