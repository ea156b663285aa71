import { store } from './store';

/** Answer is how the server last answered over HTTP. */
export type Answer = { state: 'none' | 'ok' } | { state: 'refused' | 'failed'; message: string };

/** Live is how the socket of the subscriptions is doing. */
export type Live = { state: 'idle' | 'connecting' | 'open' } | { state: 'lost'; message: string };

export const answer = store<Answer>({ state: 'none' });
export const live = store<Live>({ state: 'idle' });
