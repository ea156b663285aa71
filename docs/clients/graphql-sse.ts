// graphql-sse: Server-Sent Events, for where proxies know HTTP only. Each operation has a connection of its own, of which a browser
// opens six to a server, unless it speaks HTTP/2 with it.

import type { GraphQLError } from 'graphql';
import { createClient } from 'graphql-sse';
import { rehearse } from './rehearsal/rehearse.ts';
import { goOnAfter, pause } from './resume.ts';

/** Is fetch, but for what the server refuses for good: the library would try that again, so it is told as a result. */
async function send(...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...request);
  if (response.status < 400 || response.status >= 500 || response.status === 429) return response;
  const refusal = JSON.stringify(await response.json());
  return new Response(`event: next\ndata: ${refusal}\n\nevent: complete\ndata: \n\n`, { headers: { 'content-type': 'text/event-stream' } });
}

await rehearse('graphql-sse', (server, token) => {
  const client = createClient({
    url: `${server}/graphql`,
    headers: async () => ({ authorization: `Bearer ${(await token()).text}` }), // asked at each connection
    retryAttempts: Infinity, // in a row; the library gives up after five
    retry: pause,
    fetchFn: send,
  });
  return {
    ask: (operation) =>
      new Promise((resolve, reject) => {
        client.subscribe<any>(operation, {
          next: ({ data, errors }) => (errors ? reject(new Error(tell(errors))) : resolve(data)),
          error: reject,
          complete: () => {},
        });
      }),
    follow(operation, next, failed) {
      const variables = { ...operation.variables };
      let why: readonly GraphQLError[] | undefined;
      return client.subscribe<any>({ query: operation.query, variables }, {
        next({ data, errors }) {
          why = errors; // for good if the operation is complete with them; else the library comes again, as with a new token
          if (!data) return;
          goOnAfter(data, variables);
          next(data);
        },
        error: (why) => failed((why as Error).message),
        complete: () => failed(why ? tell(why) : 'it is complete'),
      });
    },
    close: () => client.dispose(),
  };
});

function tell(errors: readonly GraphQLError[]): string {
  return errors.map(({ extensions, message }) => `${extensions.code}: ${message}`).join('\n');
}
