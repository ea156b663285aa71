// urql: queries and mutations over HTTP, subscriptions over the WebSocket of socket.ts.

import { Client, createRequest, fetchExchange, subscriptionExchange, type CombinedError } from '@urql/core';
import { pipe, subscribe } from 'wonka';
import { rehearse } from './rehearsal/rehearse.ts';
import { goOnAfter } from './resume.ts';
import { connect } from './socket.ts';

await rehearse('urql', (server, token) => {
  const socket = connect(server, token);
  const client = new Client({
    url: `${server}/graphql`,
    fetch: async (url, init) => fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${(await token()).text}` } }),
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables: given }) => ({
          subscribe(sink) {
            const variables: Record<string, unknown> = { ...given };
            const unsubscribe = socket.subscribe<any, any>({ query, variables }, {
              next(result) {
                goOnAfter(result.data, variables);
                sink.next(result as any);
              },
              error: (why) => sink.error(why),
              complete: () => sink.complete(),
            });
            return { unsubscribe };
          },
        }),
      }),
    ],
  });
  return {
    async ask({ query, variables }) {
      const execute = query.startsWith('mutation') ? client.mutation(query, variables) : client.query(query, variables);
      const { data, error } = await execute.toPromise();
      if (error) throw new Error(tell(error));
      return data;
    },
    follow({ query, variables }, next, failed) {
      const { unsubscribe } = pipe(
        client.executeSubscription(createRequest<any, any>(query, variables)),
        subscribe(({ data, error }) => (error ? failed(tell(error)) : next(data))),
      );
      return unsubscribe;
    },
    close: () => socket.dispose(),
  };
});

function tell(error: CombinedError): string {
  if (error.graphQLErrors.length === 0) return error.message;
  return error.graphQLErrors.map(({ message, extensions }) => `${extensions.code}: ${message}`).join('\n');
}
