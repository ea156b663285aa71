// What to set of the client of graphql-ws, which Apollo Client and urql can use too.

import { createClient, type Client } from 'graphql-ws';
import ws from 'ws';
import { pause } from './resume.ts';
import type { Token } from './token.ts';

globalThis.WebSocket ??= ws as never; // browsers have it, and Node from 22 on

export function connect(server: string, token: () => Promise<Token>): Client {
  let accepted = false;
  let renewal: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  // The rights of a socket end with its token, unless it has shown another one before that, in a ping.
  async function renew(socket: WebSocket): Promise<void> {
    const next = await token().catch(() => undefined);
    if (socket.readyState !== WebSocket.OPEN) return;
    if (next) socket.send(JSON.stringify({ type: 'ping', payload: { authorization: `Bearer ${next.text}` } }));
    renewal = setTimeout(() => renew(socket), next?.renewIn ?? 5_000);
  }

  const client = createClient({
    url: `${server.replace(/^http/, 'ws')}/graphql`,
    connectionParams: async () => ({ authorization: `Bearer ${(await token()).text}` }), // asked at each connection
    retryAttempts: Infinity, // in a row; the library gives up after five
    retryWait: pause, // the library's own double without an end
    shouldRetry: (problem) => (problem as CloseEvent).code !== 4403 || accepted, // else the credential is no good
    keepAlive: 20_000, // a page learns that the network is gone only when it asks
    on: {
      connecting: () => {
        accepted = false;
      },
      connected: async (connection) => {
        accepted = true;
        const socket = connection as WebSocket;
        renewal = setTimeout(() => renew(socket), (await token()).renewIn);
      },
      ping: (received) => {
        if (!received) silence = setTimeout(() => client.terminate(), 10_000);
      },
      pong: (received) => {
        if (received) clearTimeout(silence);
      },
      closed: () => {
        clearTimeout(renewal);
        clearTimeout(silence);
      },
    },
  });
  return client;
}
