// Has the client of graphql-ws talk to the URL given, and fails at the first thing that is not as the protocol says.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.argv[2];

function connect(options = {}) {
  return createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
}

async function collect(results) {
  const all = [];
  for await (const result of results) all.push(result);
  return all;
}

const cases = {
  async 'a query'(client) {
    assert.deepEqual(await collect(client.iterate({ query: '{ hello }' })), [{ data: { hello: 'world' } }]);
  },
  async 'a mutation with variables'(client) {
    const results = client.iterate({ query: 'mutation ($n: Int!) { add(by: $n) }', variables: { n: 7 } });
    assert.deepEqual(await collect(results), [{ data: { add: 7 } }]);
  },
  async 'a subscription to its end'(client) {
    const results = await collect(client.iterate({ query: 'subscription { count(to: 3) }' }));
    assert.deepEqual(results.map((result) => result.data.count), [1, 2, 3]);
  },
  async 'a subscription that the client leaves'(client) {
    for await (const { data } of client.iterate({ query: 'subscription { count(to: 1000000) }' })) {
      if (data.count === 5) break;
    }
    assert.deepEqual(await collect(client.iterate({ query: '{ hello }' })), [{ data: { hello: 'world' } }]);
  },
  async 'many operations at once'(client) {
    const query = 'subscription { count(to: 50) }';
    const all = await Promise.all(Array.from({ length: 20 }, () => collect(client.iterate({ query }))));
    for (const results of all) assert.equal(results.length, 50);
  },
  async 'an invalid document'(client) {
    await assert.rejects(collect(client.iterate({ query: '{ nothing }' })), (errors) => {
      assert.match(errors[0].message, /nothing/);
      return true;
    });
  },
  async 'a field error'(client) {
    const [result] = await collect(client.iterate({ query: '{ fails }' }));
    assert.equal(result.errors[0].message, 'it failed');
    assert.equal(result.data.fails, null);
  },
  async 'a subscription that fails on its way'(client) {
    const seen = [];
    await assert.rejects(
      (async () => {
        for await (const result of client.iterate({ query: 'subscription { gives }' })) seen.push(result);
      })(),
      (errors) => errors[0].extensions.code === 'TOO_MANY_REQUESTS',
    );
    assert.deepEqual(seen, [{ data: { gives: 1 } }]);
  },
  async 'a refused credential'() {
    const client = connect({ connectionParams: { token: 'bad' } });
    await assert.rejects(collect(client.iterate({ query: '{ hello }' })), { code: 4403, reason: 'no valid credential' });
  },
  async 'pings of the client'() {
    let pongs = 0;
    const client = connect({ keepAlive: 20, on: { pong: () => pongs++ } });
    for await (const _ of client.iterate({ query: 'subscription { count(to: 1000000) }' })) {
      if (pongs >= 2) break;
    }
    await client.dispose();
  },
};

for (const [name, run] of Object.entries(cases)) {
  const client = connect();
  try {
    await run(client);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}:`, error);
    process.exitCode = 1;
  }
  await client.dispose();
}
