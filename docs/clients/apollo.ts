// Apollo Client: queries and mutations over HTTP, subscriptions over the WebSocket of socket.ts, or over HTTP too, where its own
// link speaks multipart.

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedProtocolErrors, ServerError } from '@apollo/client/errors';
import { SetContextLink } from '@apollo/client/link/context';
import { RetryLink } from '@apollo/client/link/retry';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { tap } from 'rxjs';
import { rehearse, type Make } from './rehearsal/rehearse.ts';
import { goOnAfter } from './resume.ts';
import { connect } from './socket.ts';
import type { Token } from './token.ts';

/** Has subscriptions go on after their last event, whichever link below it or above it tries again. */
const resuming = new ApolloLink((operation, forward) => {
  operation.variables = { ...operation.variables };
  return forward(operation).pipe(tap(({ data }) => goOnAfter(data, operation.variables)));
});

/** Tries a subscription over HTTP again; graphql-ws does that by itself. */
const trying = new RetryLink({
  delay: () => 300 + Math.random() * 2_000,
  attempts: (_, { operationType }, error) => operationType === OperationTypeNode.SUBSCRIPTION && mayPass(error),
});

// What ends a stream that was accepted: a restart, a token's end, a subscriber who lags and has asked for this.
const passing = new Set<unknown>(['UNAVAILABLE', 'UNAUTHENTICATED', 'LAGGING']);

function mayPass(error: unknown): boolean {
  if (ServerError.is(error)) return error.statusCode === 429 || error.statusCode >= 500;
  if (!CombinedProtocolErrors.is(error)) return true; // the network
  return error.errors.every(({ extensions }) => passing.has(extensions?.code));
}

function http(server: string, token: () => Promise<Token>): ApolloLink {
  const credential = new SetContextLink(async () => ({ headers: { authorization: `Bearer ${(await token()).text}` } }));
  return ApolloLink.from([trying, resuming, credential, new HttpLink({ uri: `${server}/graphql` })]);
}

const program = (link: ApolloLink, dispose: () => unknown) => {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return {
    async ask({ query, variables }: { query: string; variables: Record<string, unknown> }) {
      const execute = query.startsWith('mutation')
        ? client.mutate({ mutation: gql(query), variables })
        : client.query({ query: gql(query), variables, fetchPolicy: 'network-only' });
      const { data } = await execute.catch((why) => Promise.reject(new Error(tell(why))));
      return data;
    },
    follow(
      { query, variables }: { query: string; variables: Record<string, unknown> },
      next: (data: any) => void,
      failed: (why: string) => void,
    ) {
      // Without a cache: events are not objects that change, and it would keep all of them.
      const events = client.subscribe({ query: gql(query), variables, fetchPolicy: 'no-cache' });
      const following = events.subscribe({
        next: ({ data, error }) => (error ? failed(tell(error)) : next(data)),
        complete: () => failed('it is complete'),
      });
      return () => following.unsubscribe();
    },
    close() {
      client.stop();
      return dispose();
    },
  };
};

const overHTTP: Make = (server, token) => program(http(server, token), () => {});

const overWebSocket: Make = (server, token) => {
  const socket = connect(server, token);
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    ApolloLink.from([resuming, new GraphQLWsLink(socket)]),
    http(server, token),
  );
  return program(link, () => socket.dispose());
};

await rehearse('Apollo Client, subscriptions over WebSocket', overWebSocket);
await rehearse('Apollo Client, subscriptions over multipart HTTP', overHTTP);

function tell(why: unknown): string {
  if (!CombinedGraphQLErrors.is(why)) return (why as Error).message;
  return why.errors.map(({ message, extensions }) => `${extensions?.code}: ${message}`).join('\n');
}
