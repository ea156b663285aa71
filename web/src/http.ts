import type { FetcherParams } from '@graphiql/toolkit';
import type { FormattedExecutionResult as Result } from 'graphql';
import type { Answer } from './status';

/** Exchange is one operation's outcome: the result to show, and what it says about the connection. */
export interface Exchange {
  result: Result;
  answer: Answer;
}

/** ask sends one operation by POST. It never throws: a failure becomes a result with an error, for the result pane. */
export async function ask(url: string, params: FetcherParams, headers: Record<string, string>): Promise<Exchange> {
  try {
    return await judge(
      await fetch(url, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json;q=0.9',
        },
        credentials: 'omit',
        body: JSON.stringify(params),
      }),
    );
  } catch {
    return failure('failed', 'The server could not be reached.');
  }
}

async function judge(response: Response): Promise<Exchange> {
  const result = await read(response);
  const first = result?.errors?.[0];
  if (response.status === 401 || first?.extensions?.['code'] === 'UNAUTHENTICATED') {
    const refused = failure('refused', first?.message ?? 'the credential is not valid');
    return result ? { ...refused, result } : refused;
  }
  return result
    ? { result, answer: { state: 'ok' } }
    : failure('failed', `The server answered HTTP ${response.status} without a GraphQL result.`);
}

/** read returns the GraphQL result in a body, or null when it holds none (a proxy's error page, say). */
async function read(response: Response): Promise<Result | null> {
  const body = Object(await response.json().catch(() => null)) as Result;
  return 'data' in body || 'errors' in body ? body : null;
}

function failure(state: 'refused' | 'failed', message: string): Exchange {
  return { result: { errors: [{ message }] }, answer: { state, message } };
}
