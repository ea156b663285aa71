// Has the client of graphql-sse talk to the URL given, by a connection for each operation and by one for all, and fails at the first
// thing that is not as the protocol says.
import assert from 'node:assert/strict';
import { createClient, NetworkError } from 'graphql-sse';

const url = process.argv[2];

function connect(options = {}) {
  return createClient({ url, retryAttempts: 0, ...options });
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
  async 'a field error'(client) {
    const [result] = await collect(client.iterate({ query: '{ fails }' }));
    assert.equal(result.errors[0].message, 'it failed');
    assert.equal(result.data.fails, null);
  },
  async 'a subscription that fails on its way'(client) {
    const results = await collect(client.iterate({ query: 'subscription { gives }' }));
    assert.deepEqual(results[0], { data: { gives: 1 } });
    assert.equal(results[1].errors[0].extensions.code, 'TOO_MANY_REQUESTS');
    assert.equal(results.length, 2);
  },
  async 'an invalid document'(client, mode) {
    const results = collect(client.iterate({ query: '{ nothing }' }));
    if (mode.singleConnection) {
      await assert.rejects(results, (error) => {
        assert.match(error.response.headers.get('content-type'), /json/); // answered as over HTTP
        return error instanceof NetworkError;
      });
      return;
    }
    assert.match((await results)[0].errors[0].message, /nothing/);
  },
  async 'a refused credential'(_, mode) {
    const client = connect({ ...mode, headers: { person: 'nobody' } });
    await assert.rejects(collect(client.iterate({ query: '{ hello }' })), (error) => {
      assert.equal(error.response.status, 401);
      return error instanceof NetworkError;
    });
  },
  async 'a stream that the server ends before it is complete'(_, mode) {
    let connected = 0;
    const client = connect({
      ...mode,
      retryAttempts: 3,
      retry: async () => {},
      headers: () => ({ person: connected ? 'stayer' : 'leaver' }), // who is refused what he listens to once he has called add
      on: { connected: () => connected++ },
    });
    const leave = () => fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', person: 'leaver' },
      body: '{"query":"mutation{add(by:1)}"}',
    });
    let seen = 0;
    let refused;
    for await (const result of client.iterate({ query: 'subscription { numbers }' })) {
      if (refused && result.data) break;
      if (result.errors) refused = result;
      if (++seen === 1) await leave(); // not before: the client takes an end that it does not wait for yet as final
    }
    assert.equal(refused.errors[0].extensions.code, 'UNAUTHENTICATED');
    assert.equal(connected, 2);
    client.dispose();
  },
};

let failed = false;
for (const mode of [{ singleConnection: false }, { singleConnection: true }]) {
  for (const [name, run] of Object.entries(cases)) {
    const client = connect(mode);
    try {
      await run(client, mode);
      console.log(`ok ${JSON.stringify(mode)} ${name}`);
    } catch (error) {
      console.log(`not ok ${JSON.stringify(mode)} ${name}:`, error);
      failed = true;
    }
    client.dispose();
  }
}

// What a browser's EventSource does by itself: it comes again with the id of the last event that it has seen.
async function numbers(lastEventID, count) {
  const headers = { accept: 'text/event-stream', ...(lastEventID && { 'last-event-id': lastEventID }) };
  const response = await fetch(`${url}?query=subscription{numbers}`, { headers });
  const seen = [];
  let text = '';
  for await (const chunk of response.body) {
    text += Buffer.from(chunk).toString();
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const id = text.slice(0, end).match(/^id: (.*)$/m);
      if (id) seen.push(id[1]);
    }
    if (seen.length >= count) break; // which closes the connection
  }
  return seen;
}

try {
  const before = await numbers('n0', 3);
  const after = await numbers(before.at(-1), 3);
  const all = [...before, ...after].map((id) => Number(id.slice(1)));
  assert.ok(all.length >= 6);
  assert.deepEqual(all, all.map((_, i) => i + 1));
  console.log('ok a stream that goes on after the last event');
} catch (error) {
  console.log('not ok a stream that goes on after the last event:', error);
  failed = true;
}
process.exitCode = failed ? 1 : 0;
