// What each of the clients is put through, against a real server. It is not needed to use them.

import assert from 'node:assert/strict';
import { login, type Token } from '../token.ts';
import type { Operation } from '../resume.ts';
import { Network } from './network.ts';

/** A client of some library. */
export interface Program {
  /** Executes a query or a mutation; rejects with an error that says what went wrong. */
  ask(operation: Operation): Promise<any>;
  /** Subscribes, and returns how to end it. It goes on after broken connections, and is told to have failed only for good. */
  follow(operation: Operation, next: (data: any) => void, failed: (why: string) => void): () => void;
  close(): unknown;
}

export type Make = (server: string, token: () => Promise<Token>) => Program;

const [server, email, password, key] = ['URL', 'EMAIL', 'PASSWORD', 'KEY'].map((name) => {
  const value = process.env[`READOUT_${name}`];
  assert(value, `READOUT_${name} is missing`);
  return value;
}) as [string, string, string, string];

const logIn = login(server, email, password);

/** Fails, and with it the process, at the first thing that is not as it should be. */
export async function rehearse(name: string, make: Make, { renews = false } = {}): Promise<void> {
  console.log(name);
  const network = new Network(new URL(server));
  await network.up();
  const late = setTimeout(() => assert.fail(`${name} has not come to its end in a minute`), 60_000);
  const program = make(network.url, async () => ({ text: (await logIn()).text, renewIn: 1_000 }));

  const project = await step('a query is answered', async () => {
    const { projects } = await program.ask({ query: '{ projects { edges { node { id name } } } }', variables: {} });
    assert.equal(projects.edges[0].node.name, 'Demo greenhouse');
    return projects.edges[0].node.id;
  });

  const device = `clients ${name} ${Date.now()}`;
  await step('a mutation is executed', async () => {
    const { createDevice } = await program.ask({
      query: 'mutation Create($input: CreateDeviceInput!) { createDevice(input: $input) { id name } }',
      variables: { input: { projectID: project, name: device } },
    });
    assert.equal(createDevice.name, device);
  });

  await step(`a subscription misses nothing and sees nothing twice${renews ? ', and renews its token' : ''}`, async () => {
    await countThrough(network, program, device, () => !renews || network.heard('"type":"pong","payload":{"expires":"20'));
  });

  await step('errors are told', async () => {
    await assert.rejects(program.ask({ query: '{ nothing }', variables: {} }), /GRAPHQL_VALIDATION_FAILED: .*nothing/);
    const why = await failure(program, { query: subscription, variables: { series: {}, after: 'no cursor' } });
    assert.match(why, /cursor/);
  });

  await step('a credential that is no good is refused', async () => {
    const stranger = make(network.url, async () => ({ text: 'rd_prj_nobody', renewIn: 60_000 }));
    await assert.rejects(stranger.ask({ query: '{ me { id } }', variables: {} }), /credential|401/);
    await stranger.close();
  });

  await program.close();
  await network.down();
  clearTimeout(late);
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    console.log(`  ✓ ${what}`);
    return result;
  } catch (error) {
    console.error(`  ✗ ${what}`);
    throw error;
  }
}

const subscription = `
  subscription Readings($series: SeriesWhereInput!, $from: Time, $after: Cursor) {
    readings(series: $series, from: $from, after: $after) {
      cursor
      caughtUp
      readings { time value series { id metric } }
    }
  }`;

/** Counts in the readings of a device, while the network breaks again and again. */
async function countThrough(network: Network, program: Program, device: string, renewed: () => boolean): Promise<void> {
  let sent = 0;
  const got: number[] = [];
  let caughtUp = false;
  let failed: string | undefined;
  const arrived = () => {
    assert.equal(failed, undefined);
    return caughtUp && got.length >= sent;
  };

  await send(device, ++sent);
  await send(device, ++sent); // history
  const stop = program.follow(
    { query: subscription, variables: { series: { hasDeviceWith: [{ name: device }] }, from: '-1h' } },
    ({ readings }) => {
      caughtUp ||= readings.caughtUp;
      got.push(...readings.readings.map((reading: { value: number }) => reading.value));
    },
    (why) => {
      failed = why;
    },
  );
  await until(arrived);
  for (let cut = 0; cut < 3; cut++) {
    for (let i = 0; i < 5; i++) await send(device, ++sent);
    await until(arrived);
    const before = network.connections;
    await network.down();
    await send(device, ++sent); // while nobody listens
    await network.up();
    await send(device, ++sent);
    await until(arrived);
    assert(network.connections > before, 'nobody has connected again');
  }
  await until(renewed);
  stop();
  assert.deepEqual(got, Array.from({ length: sent }, (_, i) => i + 1));
}

/** Returns why a subscription fails. */
function failure(program: Program, operation: Operation): Promise<string> {
  return new Promise((resolve, reject) => {
    program.follow(operation, () => reject(new Error('it goes on')), resolve);
  });
}

/** Sends a reading past the network that breaks. */
async function send(device: string, value: number): Promise<void> {
  const response = await fetch(`${server}/v1/readings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ device, metric: 'count', value }),
  });
  assert.equal(response.status, 200, await response.text());
}

/** Waits until something holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
