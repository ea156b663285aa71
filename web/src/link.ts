import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { getOperationAST, parse, type DocumentNode } from 'graphql';
import { ask } from './http';
import { connect, follow } from './socket';
import { answer, live, type Answer, type Live } from './status';
import type { Store } from './store';

/** Link is one credential's way to the server. */
export interface Link {
  fetcher: Fetcher;
  /** close ends the live connection; what still arrives is not counted as the next link's. */
  close(): void;
}

/** link sends subscriptions over a WebSocket and everything else by POST, all of it to this page's own host. */
export function link(credential: string | undefined): Link {
  const http = new URL('/graphql', location.origin);
  const ws = new URL(http);
  ws.protocol = http.protocol === 'https:' ? 'wss:' : 'ws:';
  const proof: Record<string, string> = credential === undefined ? {} : { authorization: `Bearer ${credential}` };

  let closed = false;
  const unlessClosed = <T>(to: Store<T>) => (value: T) => {
    if (!closed) to.set(value);
  };
  const noteAnswer = unlessClosed<Answer>(answer);
  const client = connect(ws.href, proof, unlessClosed<Live>(live));

  const post = async (params: FetcherParams) => {
    const exchange = await ask(http.href, params, proof);
    noteAnswer(exchange.answer);
    return exchange.result;
  };
  return {
    // GraphiQL's type asks for errors as the class GraphQLError, yet all it does is to print them.
    fetcher: ((params, opts) =>
      isSubscription(params, opts?.documentAST) ? follow(client, params) : post(params)) as Fetcher,
    close() {
      closed = true;
      // It rejects when the socket had been refused, which has been said by then.
      Promise.resolve(client.dispose()).catch(() => undefined);
      answer.set({ state: 'none' });
      live.set({ state: 'idle' });
    },
  };
}

function isSubscription({ query, operationName }: FetcherParams, document?: DocumentNode): boolean {
  try {
    return getOperationAST(document ?? parse(query), operationName)?.operation === 'subscription';
  } catch {
    return false; // a syntax error: the server says it best
  }
}
