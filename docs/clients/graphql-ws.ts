// graphql-ws: all over one WebSocket. socket.ts says what is to be set.

import type { GraphQLError } from 'graphql';
import { rehearse } from './rehearsal/rehearse.ts';
import { goOnAfter } from './resume.ts';
import { connect } from './socket.ts';

await rehearse('graphql-ws', (server, token) => {
  const client = connect(server, token);
  return {
    async ask(operation) {
      const { value: answer } = await client.iterate(operation).next().catch((why) => Promise.reject(new Error(tell(why))));
      if (answer.errors) throw new Error(tell(answer.errors));
      return answer.data;
    },
    follow(operation, next, failed) {
      const variables = { ...operation.variables };
      return client.subscribe({ query: operation.query, variables }, {
        next({ data }) {
          goOnAfter(data, variables);
          next(data);
        },
        error: (why) => failed(tell(why)),
        complete: () => failed('it is complete'),
      });
    },
    close: () => client.dispose(),
  };
}, { renews: true });

/** What went wrong: an operation, or the connection for good. */
function tell(why: unknown): string {
  if (Array.isArray(why)) return why.map((error: GraphQLError) => `${error.extensions.code}: ${error.message}`).join('\n');
  const { code, reason, message } = why as CloseEvent & Error;
  return reason ? `${code} ${reason}` : message;
}
