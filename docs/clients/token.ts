// Logging in, for a person. A key needs none of this: it goes into the same place, and does not expire.

export interface Token {
  text: string;
  renewIn: number; // ms from now on, to when a quarter of its life is left
}

/** Returns what gives a token that is good for some time: it logs in when there is none. */
export function login(server: string, email: string, password: string): () => Promise<Token> {
  let last: Promise<{ text: string; renewAt: number }> | undefined;

  async function logIn() {
    const response = await fetch(`${server}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    const life = Date.parse(answer.expiresAt) - Date.parse(response.headers.get('date')!); // both by the server's clock
    return { text: answer.accessToken as string, renewAt: Date.now() + life * 0.75 };
  }

  return async () => {
    last ??= logIn();
    let known = await last.catch(() => undefined); // who failed may try again
    if (!known || known.renewAt <= Date.now()) known = await (last = logIn());
    return { text: known.text, renewIn: known.renewAt - Date.now() };
  };
}
