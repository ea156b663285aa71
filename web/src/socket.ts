import type { FetcherParams } from '@graphiql/toolkit';
import type { FormattedExecutionResult as Result } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import type { Live } from './status';

/** connect returns a client of graphql-transport-ws that opens its socket with the first subscription. */
export function connect(url: string, connectionParams: Record<string, string>, note: (live: Live) => void): Client {
  return createClient({
    url,
    connectionParams,
    keepAlive: 15_000, // ms between pings: proxies cut what stands idle
    // A close code of the protocol (4xxx) is the server's word, and asking again won't change it; the rest may pass.
    shouldRetry: (cause) => cause instanceof CloseEvent && cause.code < 4000,
    on: {
      connecting: () => note({ state: 'connecting' }),
      connected: () => note({ state: 'open' }),
      closed: (event) => note(wanted(event) ? { state: 'idle' } : { state: 'lost', message: inWords(event) }),
    },
  });
}

type Fields = Record<string, unknown>;

/**
 * follow runs a subscription. GraphiQL stops it by `return`, which must reach the socket while a result is awaited:
 * hence an iterator by hand and not an async generator, whose `return` would wait for the next result.
 */
export function follow(client: Client, params: FetcherParams): AsyncIterableIterator<Result> {
  const results = client.iterate<Fields, Fields>({ ...params });
  let over = false;
  return {
    async next() {
      if (over) return { done: true, value: undefined };
      try {
        return await results.next();
      } catch (cause) {
        over = true;
        return { done: false, value: refusal(cause) };
      }
    },
    async return() {
      over = true;
      await results.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** refusal turns what ended a subscription into a result for the result pane. */
function refusal(cause: unknown): Result {
  // graphql-ws throws the errors of an `error` message as they came.
  return { errors: Array.isArray(cause) ? cause : [{ message: inWords(cause) }] };
}

function wanted(event: unknown): boolean {
  return event instanceof CloseEvent && event.code === 1000;
}

function inWords(cause: unknown): string {
  if (cause instanceof CloseEvent) {
    const reason = cause.reason === '' ? '' : `: ${cause.reason}`;
    return `The server ended the live connection (${cause.code}${reason}).`;
  }
  return cause instanceof Error ? cause.message : 'The live connection could not be opened.';
}
