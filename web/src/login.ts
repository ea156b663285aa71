import type { Session } from './session';

interface Tokens {
  accessToken: string;
  expiresAt?: string;
}

/** logIn trades an e-mail address and a password for an access token; what it throws can be shown. */
export async function logIn(email: string, password: string): Promise<Session> {
  const response = await post('/auth/login', { email, password });
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Error(problem(body) ?? `Log-in failed: HTTP ${response.status}.`);
  if (!isTokens(body)) throw new Error('Log-in failed: the answer holds no access token.');
  return { credential: body.accessToken, how: `as ${email}`, expiresAt: body.expiresAt };
}

async function post(url: string, body: unknown): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      credentials: 'omit',
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error('The server could not be reached.');
  }
}

/** problem reads the words of an RFC 9457 problem. */
function problem(body: unknown): string | undefined {
  const { detail, title } = Object(body) as Record<string, unknown>;
  return [detail, title].find((text): text is string => typeof text === 'string');
}

function isTokens(body: unknown): body is Tokens {
  return typeof (Object(body) as Partial<Tokens>).accessToken === 'string';
}
