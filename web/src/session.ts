import { store, type Store } from './store';

/** Session is the credential in use: what is sent, and what the page may say about it. */
export interface Session {
  credential: string;
  /** How one is connected, to follow "Connected": "as ada@example.org", "with key rd_read_4fQz…". */
  how: string;
  /** When an access token ends (RFC 3339), where known. */
  expiresAt?: string;
}

const KEY = 'readout.session';

/** The session lives in sessionStorage: it ends with the browser tab, and other tabs don't see it. */
export const session: Store<Session | null> = store(load());

/** begin puts a credential to use; null ends the session. */
export function begin(next: Session | null): void {
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
  session.set(next);
}

/** pasted makes a session of an access token or key that somebody typed in, with or without "Bearer" before it. */
export function pasted(text: string): Session | null {
  const credential = text.trim().replace(/^bearer\s+/i, '');
  // A credential travels in a header: visible ASCII, no space. Anything else is a slip of the clipboard.
  if (!/^[\x21-\x7e]+$/.test(credential)) return null;
  const kind = /^rd_[a-z]+_/.exec(credential)?.[0];
  return { credential, how: kind ? `with key ${credential.slice(0, kind.length + 4)}…` : 'with an access token' };
}

function load(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Session | null;
  } catch {
    return null;
  }
}
